//! Requests that arrive, and those that are answered.

use super::notice::{mark, words};
use super::{Notice, REQUEST_ANSWERED, REQUEST_RECEIVED, REQUEST_WITHDRAWN, WINDOW};
use crate::policy::Plan;
use crate::requests::record::{Person, RequestRecord, RequestState};
use crate::requests::rights::askable;

/// What a person is to hear of these requests.
pub fn notices(plan: &Plan, records: &[RequestRecord], me: &Person, now: i64) -> Vec<Notice> {
    records.iter().filter_map(|record| notice(plan, record, me, now)).collect()
}

fn notice(plan: &Plan, record: &RequestRecord, me: &Person, now: i64) -> Option<Notice> {
    let RequestRecord { id, by, state, event, .. } = record;
    let is_asked = askable(plan, &record.target, by).has(me, by);
    let is_recent = now.saturating_sub(event.at) < WINDOW;
    let is_others = event.by != *me;
    let (actor, about) = (event.by.name(), record.target.words());
    let (kind, text) = match state {
        // One that is open waits, however old it is.
        RequestState::Submitted if is_asked && by != me => {
            (&REQUEST_RECEIVED, format!("{} asks for {about}{}", by.name(), words(Some(&record.reason))))
        }
        RequestState::Accepted | RequestState::Rejected | RequestState::Done
            if by == me && is_others && is_recent =>
        {
            let done = match state {
                RequestState::Accepted => "accepted",
                RequestState::Rejected => "rejected",
                _ => "has done",
            };
            let commit = record.commit.as_deref().filter(|_| *state == RequestState::Done);
            let commit = commit.map(|oid| format!(" in {}", oid.get(..9).unwrap_or(oid))).unwrap_or_default();
            let why = words(event.reason.as_deref());
            (&REQUEST_ANSWERED, format!("{actor} {done} your request {id} for {about}{commit}{why}"))
        }
        RequestState::Withdrawn if record.accepted.is_some() && is_asked && is_others && is_recent => {
            let why = words(event.reason.as_deref());
            (&REQUEST_WITHDRAWN, format!("{actor} withdrew the request {id} for {about}{why}"))
        }
        _ => return None,
    };
    let marks = vec![mark(kind, &[id.as_bytes(), event.nonce.as_bytes(), state.word().as_bytes()])];
    let notice = Notice::new(kind, me.agent(), event.at, marks).by(actor);
    Some(notice.says(id, &text, format!("git lane request show {id}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::record::RequestEventKind;
    use crate::requests::record::tests::{event, record};
    use crate::rules::testing::plan;

    fn told(record: &RequestRecord, me: &str, now: i64) -> Vec<(String, String)> {
        let plan = plan(include_str!("../../../../policy.yaml"));
        let found = notices(&plan, std::slice::from_ref(record), &Person::Agent(me.into()), now);
        found.into_iter().map(|notice| (notice.kind.word.to_owned(), notice.text)).collect()
    }

    fn one(kind: &str, text: &str) -> Vec<(String, String)> {
        vec![(kind.to_owned(), text.to_owned())]
    }

    #[test]
    fn whom_a_request_concerns() {
        let asked = record("r7", "a2", "migrations");
        assert_eq!(
            told(&asked, "a1", 2_000),
            one("request-received", "a2 asks for area `migrations` (a column)")
        );
        assert_eq!(told(&asked, "a2", 2_000), []);
        assert_eq!(told(&asked, "a3", 2_000), []);
        assert_eq!(told(&asked, "a1", 2_000 + 2 * WINDOW).len(), 1, "it waits still");
    }

    #[test]
    fn an_answer_is_told_to_whoever_asked_for_some_time() {
        let asked = record("r7", "a2", "migrations");
        let mut reply = event(RequestEventKind::Reject, "a1", 3_000);
        reply.reason = Some("not\nnow".into());
        let rejected = asked.follow(reply, None, 0).expect("an answer");
        let text = "a1 rejected your request r7 for area `migrations` (not now)";
        assert_eq!(told(&rejected, "a2", 3_000), one("request-answered", text));
        assert_eq!(told(&rejected, "a1", 3_000), []);
        assert_eq!(told(&rejected, "a2", 3_000 + WINDOW), []);
        let done = event(RequestEventKind::Done, "a1", 3_000);
        let done = asked.follow(done, Some("0123456789abcdef".into()), 1).expect("an answer");
        let text = "a1 has done your request r7 for area `migrations` in 012345678";
        assert_eq!(told(&done, "a2", 3_000), one("request-answered", text));
    }

    #[test]
    fn one_that_is_withdrawn_matters_to_whoever_had_accepted_it() {
        let asked = record("r7", "a2", "migrations");
        let withdrawn = |from: &RequestRecord| {
            from.follow(event(RequestEventKind::Withdraw, "a2", 4_000), None, 0).expect("an end")
        };
        assert_eq!(told(&withdrawn(&asked), "a1", 4_000), []);
        let accepted =
            asked.follow(event(RequestEventKind::Accept, "a1", 3_000), None, 1).expect("an answer");
        let text = "a2 withdrew the request r7 for area `migrations`";
        assert_eq!(told(&withdrawn(&accepted), "a1", 4_000), one("request-withdrawn", text));
    }
}
