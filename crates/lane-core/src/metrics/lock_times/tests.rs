use super::*;
use serde_json::json;

/// A record: what happened, who holds what (`agent scope generation since renewed`), who waits (`agent scope renewed`), who lost.
fn record(event: &str, at: i64, leases: &[&str], queue: &[&str], from: &[(u64, &str)]) -> LockRecord {
    let words: Vec<&str> = event.split(' ').collect();
    let stake = |agent: &str, scope: &str, at: i64| {
        json!({ "agent": agent, "scope": scope, "ttl": 100, "nonce": "n", "uptime": 0, "at": at,
                "machine": { "host": "h" }, "worktree": "/w" })
    };
    let number = |word: &str| word.parse::<i64>().expect("a number");
    let lease = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        let mut lease = stake(words[0], words[1], number(words[4]));
        lease["generation"] = json!(number(words[2]));
        lease["since"] = json!(number(words[3]));
        lease
    };
    let ticket = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        stake(words[0], words[1], number(words[2]))
    };
    let loser = |(generation, cause): &(u64, &str)| json!({ "agent": "x", "scope": "common", "generation": generation, "cause": cause });
    let record = json!({
        "lane-lock": 1, "area": "common", "generation": 9,
        "event": { "kind": words[1], "agent": words[0], "scope": words[2], "at": at, "host": "h", "worktree": "/w",
                   "from": from.iter().map(loser).collect::<Vec<_>>() },
        "leases": leases.iter().map(lease).collect::<Vec<_>>(),
        "queue": queue.iter().map(ticket).collect::<Vec<_>>(),
    });
    serde_json::from_value(record).expect("a record")
}

fn holds(chain: &[LockRecord], now: i64) -> Vec<String> {
    let line = Timeline::of("common", chain, now);
    let word = |hold: &LockHold| {
        let to = hold.to.map_or("-".to_owned(), |to| to.to_string());
        format!("{}@{} {}..{to} {}", hold.agent, hold.generation, hold.from, hold.end)
    };
    line.holds.iter().map(word).collect()
}

fn waits(chain: &[LockRecord], now: i64) -> Vec<String> {
    let line = Timeline::of("common", chain, now);
    let word = |wait: &LockWait| {
        let to = wait.to.map_or("-".to_owned(), |to| to.to_string());
        format!("{} {}..{to} {:?}", wait.agent, wait.from, wait.is_got)
    };
    line.waits.iter().map(word).collect()
}

#[test]
fn how_holds_end() {
    let chain = [
        record("a1 take common", 0, &["a1 common 1 0 0"], &[], &[]),
        record("a1 renew common", 80, &["a1 common 1 0 80"], &[], &[]),
        record("a1 release common", 150, &[], &[], &[]),
        record("a2 take common", 200, &["a2 common 2 200 200"], &[], &[]),
        record("a3 steal common", 220, &["a3 common 3 220 220"], &[], &[(2, "stolen")]),
        record("a1 take common", 900, &["a1 common 4 900 900"], &[], &[(3, "expired")]),
        record("a2 take common", 950, &["a2 common 5 950 950"], &[], &[(4, "gone")]),
        record("a2 take common", 1_200, &["a2 common 6 1200 1200"], &[], &[]),
    ];
    let expected = [
        "a1@1 0..150 released",
        "a2@2 200..220 stolen",
        "a3@3 220..320 expired",
        "a1@4 900..950 gone",
        "a2@5 950..1050 expired",
    ];
    let now =
        |end: &str| expected.iter().map(|one| (*one).to_owned()).chain([end.to_owned()]).collect::<Vec<_>>();
    assert_eq!(holds(&chain, 1_250), now("a2@6 1200..- held"));
    assert_eq!(holds(&chain, 2_000), now("a2@6 1200..1300 expired"));
}

#[test]
fn how_waits_end() {
    let held = ["a1 common 1 0 0"];
    let chain = [
        record("a1 take common", 0, &held, &[], &[]),
        record("a2 wait common", 10, &held, &["a2 common 10"], &[]),
        record("a3 wait common", 20, &held, &["a2 common 10", "a3 common 20"], &[]),
        record("a2 wait common", 60, &held, &["a2 common 60", "a3 common 20"], &[]),
        record("a4 wait common", 61, &held, &["a2 common 60", "a3 common 20", "a4 common 61"], &[]),
        record("a4 leave common", 70, &held, &["a2 common 60", "a3 common 20"], &[]),
        record("a1 release common", 130, &[], &["a2 common 60"], &[]),
        record("a2 take common", 140, &["a2 common 2 140 140"], &[], &[]),
        record("a3 wait common", 150, &["a2 common 2 140 140"], &["a3 common 150"], &[]),
    ];
    let expected = ["a2 10..140 Some(true)", "a3 20..120 Some(false)", "a4 61..70 Some(false)"];
    let with =
        |end: &str| expected.iter().map(|one| (*one).to_owned()).chain([end.to_owned()]).collect::<Vec<_>>();
    assert_eq!(waits(&chain, 160), with("a3 150..- None"));
    assert_eq!(waits(&chain, 400), with("a3 150..250 Some(false)"));
}

#[test]
fn who_blocked_whom_within_the_period() {
    let held = ["a1 common 1 0 0"];
    let chain = [
        record("a1 take common", 0, &held, &[], &[]),
        record("a2 wait common", 10, &held, &["a2 common 10"], &[]),
        record("a1 release common", 90, &[], &["a2 common 10"], &[]),
        record("a3 take common", 91, &["a3 common 2 91 91"], &["a2 common 91"], &[]),
        record("a3 release common", 100, &[], &["a2 common 91"], &[]),
        record("a2 take common", 101, &["a2 common 3 101 101"], &[], &[]),
    ];
    let section = |period: Period, agent: Option<&str>| {
        let mut locks = Locks::default();
        Timeline::of("common", &chain, 120).add_to(&mut locks, period, agent, false);
        locks
    };
    let all = section(Period { from: 40, to: 120 }, None);
    let blocked = |locks: &Locks| {
        let one = |one: &Blocked| format!("{} by {} {}", one.agent, one.holder, one.seconds);
        locks.areas[0].blocked.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(blocked(&all), ["a2 by a1 50", "a2 by a3 9"]);
    let area = &all.areas[0];
    assert_eq!(area.held.map(|held| (held.count, held.sum)), Some((3, 50 + 9 + 19)));
    assert_eq!(area.waited.map(|waited| (waited.count, waited.sum)), Some((1, 61)));
    let own = section(Period { from: 40, to: 120 }, Some("a3"));
    assert_eq!((blocked(&own), own.holds.len(), own.waits.len()), (vec!["a2 by a3 9".to_owned()], 1, 0));
    let none = section(Period { from: 500, to: 600 }, Some("a1"));
    assert!(none.areas.is_empty());
}
