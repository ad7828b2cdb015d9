//! `git lane report` as a command: periods, agents, goals, formats, locks and requests.

use crate::support::{Scratch, Worktree, locks};

fn report(tree: &Worktree, args: &[&str]) -> serde_json::Value {
    tree.lane(&[&["report", "--format", "json"], args].concat()).ok().json()
}

#[test]
fn it_follows_its_schema() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/revenue/a.py", "x\n", "feat: b").fails(1);
    let schema = tree.lane(&["policy", "schema", "--metrics"]).ok().json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let found = report(&tree, &[]);
    let errors: Vec<String> = validator.iter_errors(&found).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    drop(scratch);
}

#[test]
fn periods_are_durations_and_dates() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    let found = report(&tree, &["--since", "2020-01-01", "--until", "2020-01-02T12:00Z"]);
    let period = (found["period"]["from"].as_i64(), found["period"]["to"].as_i64());
    assert_eq!(period, (Some(1_577_836_800), Some(1_577_966_400)));
    let now = report(&tree, &["--since", "1h", "--until", "2200-01-01"]);
    let length = now["period"]["to"].as_i64().unwrap() - now["period"]["from"].as_i64().unwrap();
    assert_eq!(length, 3_601, "what is to come has nothing in it");
    tree.lane(&["report", "--since", "2020-02-01", "--until", "2020-01-01"])
        .fails(2)
        .says("the period has no time in it");
    tree.lane(&["report", "--since", "yesterday"]).fails(2).says("expected a duration (12h, 2w) or a date");
    tree.lane(&["report", "--agent", "a9"]).fails(2).says("unknown agent `a9`").says("a1");
}

#[test]
fn goals_decide_where_that_is_asked() {
    let scratch =
        Scratch::with_policy("version: 1\nagents: { a1: { owns: [x/] } }\nmetrics: { conflicts: 2/week }\n");
    let tree = scratch.main();
    tree.lane(&["report", "--check"]).ok();
    let scratch =
        Scratch::with_policy("version: 1\nagents: { a1: { owns: [x/] } }\nmetrics: { coverage: 80% }\n");
    let tree = scratch.main();
    tree.lane(&["report"]).ok().says("not measured");
    tree.lane(&["report", "--check"]).fails(2).says("could not decide: not measured: coverage");
    let scratch = Scratch::with_policy("version: 1\nagents: { a1: { owns: [x/] } }\n");
    scratch.main().lane(&["report", "--check"]).fails(2).says("the policy has no goals to check");
}

#[test]
fn every_format_is_written() {
    let (_scratch, a1, a2) = locks::two();
    a1.lane(&["lock", "common"]).ok();
    a2.lane(&["lock", "common"]).fails(1);
    a1.lane(&["unlock", "common"]).ok();
    let csv = a1.lane(&["report", "--format", "csv"]).ok();
    assert!(csv.out.starts_with("section,metric,agent,key,value,unit,at\r\n"), "{}", csv.out);
    assert!(csv.out.contains("holds,released,a1,common,"), "{}", csv.out);
    let lines = a1.lane(&["report", "--format", "jsonl"]).ok();
    let kinds: Vec<String> = lines
        .out
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(kinds.iter().any(|kind| kind == "hold"), "{kinds:?}");
    let metrics = a1.lane(&["report", "--format", "openmetrics"]).ok();
    assert!(
        metrics.out.ends_with("\n# EOF\n")
            && metrics.out.contains("git_lane_locks_held_seconds{agent=\"a1\"}")
    );
    a1.lane(&["status", "--format", "csv"]).fails(2).says("are for `git lane report`");
}

#[test]
fn locks_and_requests_come_from_their_records() {
    let (_scratch, a1, a2) = locks::two();
    a1.lane(&["lock", "common"]).ok();
    a2.lane(&["lock", "common", "--steal", "--reason", "it is urgent"]).ok();
    a2.lane(&["request", "submit", "migrations", "--reason", "a column"]).ok();
    let found = report(&a1, &[]);
    let ends: Vec<(&str, &str)> = found["locks"]["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hold| (hold["agent"].as_str().unwrap(), hold["end"].as_str().unwrap()))
        .collect();
    assert_eq!(ends, [("a1", "stolen"), ("a2", "held")]);
    assert_eq!(found["locks"]["areas"][0]["stolen"], 1);
    assert_eq!((&found["requests"]["submitted"], &found["requests"]["open"]), (&1.into(), &1.into()));
    let own = report(&a1, &["--agent", "a2"]);
    assert_eq!(own["locks"]["holds"].as_array().unwrap().len(), 1);
}

#[test]
fn a_lock_that_cannot_be_read_is_missing() {
    let (scratch, a1, _a2) = locks::two();
    a1.lane(&["lock", "common"]).ok();
    let refs = scratch.git(&["for-each-ref", "--format=%(refname)", "refs/lane/locks"]).ok();
    let name = refs.out.trim();
    scratch.git(&["update-ref", name, "HEAD"]).ok();
    let found = report(&a1, &[]);
    let missing = found["missing"].as_array().unwrap();
    let locks: Vec<_> = missing.iter().filter(|missing| missing["what"] == "locks").collect();
    assert_eq!(locks.len(), 1, "{missing:?}");
    assert!(locks[0]["help"].is_string());
    a1.lane(&["report"]).ok().says("Not known").says("the lock `common` cannot be read");
}
