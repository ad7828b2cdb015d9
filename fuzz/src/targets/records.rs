//! Records of locks, requests and landings: what is read is written and read again as the same, and what may follow what.
//!
//! Input: the message of a commit, and after a NUL that of the next one.

use lane_core::facts::People;
use lane_core::landings::record::LandingRecord;
use lane_core::locks::record::{Lease, LockRecord};
use lane_core::locks::step;
use lane_core::policy::is_name;
use lane_core::requests::record::{Person, RequestEvent, RequestEventKind, RequestRecord, number};
use lane_core::text::has_hidden;
use serde_json::Value;

const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Runs the target.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut messages = text.split('\0');
    let (first, second) = (messages.next().unwrap_or_default(), messages.next());
    let locks: Vec<LockRecord> = [Some(first), second].into_iter().flatten().filter_map(lock).collect();
    if let Some(record) = locks.first() {
        steps(None, record);
    }
    if let [before, next] = locks.as_slice() {
        steps(Some(before), next);
    }
    request(first);
    landing(first);
}

/// The record's commit is one that git takes, and its first line shows nothing hidden.
fn commit(raw: &[u8], message: &str) {
    let whole = std::str::from_utf8(raw).expect("a commit is text");
    let (header, body) = whole.split_once("\n\n").expect("a header");
    assert_eq!(body, message);
    assert!(People::of_commit(raw).is_some(), "{header}");
    assert_eq!(header.lines().count(), 4, "{header}");
    let line = message.lines().next().unwrap_or_default();
    assert!(!has_hidden(line), "{line:?}");
    assert_eq!(message.trim_end().lines().count(), 3, "{message:?}");
}

fn lock(message: &str) -> Option<LockRecord> {
    let record = LockRecord::parse(message, None).inspect_err(|why| assert!(!why.is_empty())).ok()?;
    let written = record.message().expect("it was read");
    assert_eq!(LockRecord::parse(&written, Some(&record.area)).as_ref(), Ok(&record), "{written}");
    commit(&record.commit(TREE, Some(TREE)).expect("it was read"), &written);
    assert!(LockRecord::parse(&written, Some("another-area")).is_err() || record.area == "another-area");
    assert!(is_name(&record.area) && record.leases.iter().all(|lease| is_name(&lease.stake.agent)));
    assert!(record.leases.windows(2).all(|pair| pair[0].generation < pair[1].generation));
    assert!(record.leases.iter().all(|lease| lease.generation <= record.generation));
    Some(record)
}

/// What was let through: numbers only rise, and nobody has taken what another one holds.
fn steps(before: Option<&LockRecord>, next: &LockRecord) {
    if step::check(before, next).inspect_err(|why| assert!(!why.is_empty())).is_err() {
        return;
    }
    let old: &[Lease] = before.map_or(&[], |before| &before.leases);
    assert!(before.is_none_or(|before| before.generation <= next.generation && before.area == next.area));
    let scope = |lease: &Lease| lease.stake.scope_in(&next.area);
    for lease in next.leases.iter().filter(|lease| !old.contains(lease)) {
        assert_eq!(lease.stake.agent, next.event.agent, "a lock that somebody else was given");
    }
    for lease in next.leases.iter().filter(|lease| old.iter().all(|had| had.generation != lease.generation)) {
        let others = next.leases.iter().filter(|other| other.stake.agent != lease.stake.agent);
        let is_met = others.into_iter().any(|other| scope(other).conflicts(&scope(lease), false));
        assert!(!is_met, "two hold the same");
    }
    for lost in old.iter().filter(|lease| lease.stake.agent != next.event.agent) {
        let stays = next.leases.iter().any(|lease| lease.generation == lost.generation);
        assert!(stays || !next.event.from.is_empty(), "a lock that has gone without a word");
    }
}

fn request(message: &str) {
    let line = message.trim_end().lines().next_back().unwrap_or_default();
    let fields: Option<Value> = serde_json::from_str(line).ok();
    let Some(id) = fields.as_ref().and_then(|fields| fields.get("id")?.as_str()) else { return };
    assert_eq!(number(id).map(|number| format!("r{number}")).filter(|same| same != id), None);
    let Ok(record) = RequestRecord::parse(message, id) else { return };
    if number(id).is_none() {
        return; // no ref of a request has such a name
    }
    let written = record.message().expect("it was read");
    assert_eq!(RequestRecord::parse(&written, id).as_ref(), Ok(&record), "{written}");
    commit(&record.commit(TREE, Some(TREE)).expect("it was read"), &written);
    let kinds = [
        RequestEventKind::Submit,
        RequestEventKind::Accept,
        RequestEventKind::Reject,
        RequestEventKind::Done,
        RequestEventKind::Withdraw,
    ];
    for kind in kinds {
        let event = RequestEvent { kind, by: Person::Agent("a1".to_owned()), ..record.event.clone() };
        let Some(next) = record.follow(event, None, 7) else { continue };
        assert!(record.state.is_open(), "what has ended goes on");
        let written = next.message().expect("it was made");
        assert_eq!(RequestRecord::parse(&written, id), Ok(next), "{written}");
    }
}

fn landing(message: &str) {
    let Ok(record) = LandingRecord::parse(message, None) else { return };
    let written = record.message().expect("it was read");
    assert_eq!(LandingRecord::parse(&written, Some(&record.base)).as_ref(), Ok(&record), "{written}");
    commit(&record.commit(TREE, Some(TREE)).expect("it was read"), &written);
}
