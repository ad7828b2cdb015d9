//! What became of requests.

use std::collections::BTreeSet;

use super::{Distribution, Period, RequestAnswer, Requests};
use crate::policy::Plan;
use crate::requests::record::{RequestEventKind, RequestRecord, RequestState};
use crate::requests::rights::{Addressees, askable};

/// After how many seconds without an answer a request counts as ignored.
pub const IGNORED: i64 = 86_400;

/// One request: the chain of its events, oldest first; `None` of none.
pub fn answer(plan: &Plan, chain: &[RequestRecord]) -> Option<RequestAnswer> {
    let last = chain.last()?;
    let is_answer = |record: &&RequestRecord| {
        matches!(
            record.event.kind,
            RequestEventKind::Accept | RequestEventKind::Reject | RequestEventKind::Done
        )
    };
    let to = match askable(plan, &last.target, &last.by) {
        Addressees::Agents(agents) => agents.into_iter().map(str::to_owned).collect(),
        _ => last.target.to.iter().cloned().collect(),
    };
    Some(RequestAnswer {
        id: last.id.clone(),
        by: last.by.name().to_owned(),
        to,
        submitted: last.submitted,
        answered: chain.iter().find(is_answer).map(|record| record.event.at),
        state: last.state.word().to_owned(),
    })
}

/// The section: requests that were submitted or answered in the period, and those that are open; those that the agent asked or
/// is asked, if one is named.
pub fn summarize(mut all: Vec<RequestAnswer>, period: Period, agent: Option<&str>, now: i64) -> Requests {
    let is_in = |at: i64| (period.from..period.to).contains(&at);
    let is_open = |request: &RequestAnswer| {
        [RequestState::Submitted, RequestState::Accepted].iter().any(|state| state.word() == request.state)
    };
    all.retain(|request| {
        let is_asked =
            agent.is_none_or(|agent| request.by == agent || request.to.iter().any(|to| to == agent));
        let is_of_then = is_in(request.submitted)
            || request.answered.is_some_and(is_in)
            || is_open(request) && request.submitted < period.to;
        is_asked && is_of_then
    });
    all.sort_by(|a, b| (a.submitted, &a.id).cmp(&(b.submitted, &b.id)));
    let is_ignored = |request: &&RequestAnswer| {
        request.state == RequestState::Submitted.word()
            && request.answered.is_none()
            && now.saturating_sub(request.submitted) >= IGNORED
    };
    let mut found = Requests {
        submitted: all.iter().filter(|request| is_in(request.submitted)).count(),
        open: all.iter().filter(|request| is_open(request)).count(),
        ignored: all.iter().filter(is_ignored).count(),
        time_to_answer: Distribution::of(all.iter().filter_map(|request| {
            let answered = request.answered.filter(|at| is_in(*at))?;
            Some(u64::try_from(answered.saturating_sub(request.submitted)).unwrap_or(0))
        })),
        ..Requests::default()
    };
    let states: BTreeSet<&str> = all
        .iter()
        .filter(|request| request.state != RequestState::Submitted.word())
        .map(|request| request.state.as_str())
        .collect();
    for state in states {
        let count = all.iter().filter(|request| request.state == state).count();
        found.states.insert(state.to_owned(), count);
    }
    found.all = all;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(
        id: &str,
        by: &str,
        to: &str,
        submitted: i64,
        answered: Option<i64>,
        state: &str,
    ) -> RequestAnswer {
        let to = vec![to.to_owned()];
        RequestAnswer { id: id.into(), by: by.into(), to, submitted, answered, state: state.into() }
    }

    #[test]
    fn open_answered_and_ignored() {
        let day = 86_400;
        let period = Period { from: 10 * day, to: 20 * day };
        let all = vec![
            one("r1", "a1", "a2", day, Some(2 * day), "done"),
            one("r2", "a1", "a2", 9 * day, Some(10 * day + 600), "accepted"),
            one("r3", "a2", "a3", 11 * day, None, "submitted"),
            one("r4", "a2", "a1", 20 * day - 60, None, "submitted"),
            one("r5", "a3", "a1", 12 * day, Some(12 * day + 60), "rejected"),
            one("r6", "a3", "a1", 2 * day, None, "submitted"),
            one("r7", "a3", "a1", 12 * day, None, "withdrawn"),
        ];
        let found = summarize(all.clone(), period, None, period.to);
        let ids: Vec<&str> = found.all.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["r6", "r2", "r3", "r5", "r7", "r4"]);
        assert_eq!((found.submitted, found.open, found.ignored), (4, 4, 2));
        let states: Vec<(&str, usize)> =
            found.states.iter().map(|(state, count)| (state.as_str(), *count)).collect();
        assert_eq!(states, [("accepted", 1), ("rejected", 1), ("withdrawn", 1)]);
        let times = found.time_to_answer.map(|times| (times.count, times.min, times.max));
        assert_eq!(times, Some((2, 60, 87_000)));
        let own = summarize(all, period, Some("a2"), period.to);
        assert_eq!(own.all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["r2", "r3", "r4"]);
    }
}
