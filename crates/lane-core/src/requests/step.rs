//! What may follow what, for whoever receives events that others wrote.

use super::record::{Person, RequestEventKind, RequestRecord};
use super::rights::{may_answer, may_finish};
use crate::policy::Plan;

/// Whether somebody may do this to a request.
pub fn may(plan: &Plan, record: &RequestRecord, kind: RequestEventKind, person: &Person) -> bool {
    match kind {
        RequestEventKind::Submit => false,
        RequestEventKind::Withdraw => record.by == *person,
        RequestEventKind::Done => may_finish(plan, record, person),
        RequestEventKind::Accept | RequestEventKind::Reject => may_answer(plan, record, person),
    }
}

/// Whether a record is what git-lane makes of the one before it, in the hands of somebody who may.
///
/// # Errors
/// Why it is not, as the end of a sentence.
pub fn check(plan: &Plan, before: Option<&RequestRecord>, next: &RequestRecord) -> Result<(), String> {
    let (kind, by) = (next.event.kind, &next.event.by);
    let Some(before) = before else {
        let is_first = kind == RequestEventKind::Submit && next.by == *by && next.submitted == next.event.at;
        let is_bare = next.accepted.is_none() && next.turn.is_none() && next.commit.is_none();
        return if is_first && is_bare {
            Ok(())
        } else {
            Err("it does not start with its submission".to_owned())
        };
    };
    let turn = next.turn.unwrap_or_default();
    if before.follow(next.event.clone(), next.commit.clone(), turn).as_ref() != Some(next) {
        return Err(format!(
            "`{}` does not follow `{}`, or changes the request",
            kind.verb(),
            before.state.word()
        ));
    }
    if !may(plan, before, kind, by) {
        return Err(format!("{} is not who {} it", by.name(), kind.verb()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{event, record};
    use super::*;
    use crate::rules::testing::plan;

    #[test]
    fn only_what_git_lane_makes() {
        let plan = plan(include_str!("../../../../policy.yaml"));
        let first = record("r1", "a2", "migrations");
        let step = |kind, by: &str| {
            let next = first.follow(event(kind, by, 2_000), None, 1).expect("a record");
            check(&plan, Some(&first), &next).err().unwrap_or_default()
        };
        assert_eq!(check(&plan, None, &first), Ok(()));
        assert_eq!(
            (step(RequestEventKind::Accept, "a1"), step(RequestEventKind::Withdraw, "a2")),
            (String::new(), String::new())
        );
        assert_eq!(step(RequestEventKind::Accept, "a2"), "a2 is not who accepts it");
        assert_eq!(step(RequestEventKind::Withdraw, "a1"), "a1 is not who withdraws it");
        let accepted = first.follow(event(RequestEventKind::Accept, "a1", 2_000), None, 1).expect("a record");
        assert!(check(&plan, None, &accepted).expect_err("no beginning").contains("does not start"));
        let other = RequestRecord { reason: "another".into(), ..accepted.clone() };
        assert!(check(&plan, Some(&first), &other).expect_err("changed").contains("changes the request"));
        assert!(
            check(&plan, Some(&accepted), &accepted)
                .expect_err("twice")
                .contains("does not follow `accepted`")
        );
    }
}
