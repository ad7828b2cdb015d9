//! A request in short, and which comes first.

use serde::Serialize;

use super::record::{Person, RequestRecord, RequestState, Target, number};
use super::rights::waits_for;
use crate::policy::Plan;

/// A request in short, as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// `r7`.
    pub id: String,
    /// What became of it.
    pub state: RequestState,
    /// The priority; 1 is the most urgent.
    pub priority: u8,
    /// Who asks.
    pub by: Person,
    /// For a change of what.
    #[serde(flatten)]
    pub target: Target,
    /// The name of the file that comes with it.
    pub file: Option<String>,
    /// Why.
    pub reason: String,
    /// When it was submitted, in seconds since the epoch.
    pub submitted: i64,
    /// Whether the next step is this person's.
    pub waits_for_you: bool,
    /// What they type next.
    pub next: Option<String>,
}

impl Summary {
    /// Of a record, for somebody.
    pub fn of(plan: &Plan, record: &RequestRecord, me: &Person) -> Self {
        let waits_for_you = waits_for(plan, record, me);
        let id = &record.id;
        let next = waits_for_you.then(|| match record.state {
            RequestState::Accepted => format!("git lane request done {id} --commit HEAD"),
            _ => format!("git lane request accept {id}"),
        });
        Self {
            id: id.clone(),
            state: record.state,
            priority: record.priority,
            by: record.by.clone(),
            target: record.target.clone(),
            file: record.file.clone(),
            reason: record.reason.clone(),
            submitted: record.submitted,
            waits_for_you,
            next,
        }
    }
}

/// What waits for this person first; then by priority, then by age.
pub fn sort(all: &mut [Summary]) {
    all.sort_by_key(|one| {
        (!one.waits_for_you, !one.state.is_open(), one.priority, one.submitted, number(&one.id))
    });
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;
    use crate::rules::testing::plan;

    #[test]
    fn first_things_first() {
        let plan = plan(include_str!("../../../../policy.yaml"));
        let one = |id: &str, by: &str, area: &str, priority, submitted, state| {
            let record = RequestRecord { priority, submitted, state, ..record(id, by, area) };
            Summary::of(&plan, &record, &Person::Agent("a1".into()))
        };
        let mut all = vec![
            one("r1", "a1", "shared", 1, 10, RequestState::Submitted),
            one("r2", "a2", "migrations", 3, 20, RequestState::Submitted),
            one("r3", "a3", "migrations", 1, 40, RequestState::Submitted),
            one("r4", "a4", "migrations", 1, 30, RequestState::Accepted),
            one("r10", "a4", "migrations", 3, 20, RequestState::Submitted),
            one("r5", "a4", "migrations", 1, 5, RequestState::Done),
        ];
        sort(&mut all);
        let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["r4", "r3", "r2", "r10", "r1", "r5"]);
        assert_eq!(all[0].next.as_deref(), Some("git lane request done r4 --commit HEAD"));
        assert_eq!(all[1].next.as_deref(), Some("git lane request accept r3"));
        assert_eq!(all[4].next, None);
    }
}
