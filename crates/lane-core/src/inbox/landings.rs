//! Branches that landed, or could not.

use super::notice::{mark, words};
use super::{LANDED, NOT_LANDED, Notice, WINDOW};
use crate::landings::record::{LandingEnd, LandingRecord, LandingResult};
use crate::requests::record::Person;

/// What a person is to hear of the landings on one base that they asked for.
pub fn notices(record: &LandingRecord, me: &Person, now: i64) -> Vec<Notice> {
    let own = record.results.iter().filter(|result| result.by == *me);
    let recent = own.filter(|result| now.saturating_sub(result.at) < WINDOW);
    recent.filter_map(|result| notice(&record.base, result, me)).collect()
}

fn notice(base: &str, result: &LandingResult, me: &Person) -> Option<Notice> {
    let branch = &result.branch;
    let (kind, text, next) = match &result.end {
        LandingEnd::Landed { commit, .. } => {
            let commit = commit.get(..9).unwrap_or(commit);
            (&LANDED, format!("{branch} landed on {base} as {commit}"), "git lane sync")
        }
        LandingEnd::Present => (&LANDED, format!("{base} has all of {branch} already"), "git lane sync"),
        LandingEnd::Refused(why) => {
            let why = words(Some(&why.reason));
            (&NOT_LANDED, format!("{branch} may not land on {base}{why}"), "git lane land --list")
        }
        LandingEnd::Failed(why) => {
            let why = words(Some(&why.reason));
            (&NOT_LANDED, format!("{branch} could not land on {base}{why}"), "git lane land --list")
        }
        LandingEnd::Withdrawn => return None,
    };
    // Another tip of it is another landing, with another number.
    let marks = vec![mark(kind, &[base.as_bytes(), &result.id.to_be_bytes(), result.head.as_bytes()])];
    Some(Notice::new(kind, me.agent(), result.at, marks).says(branch, &text, next.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landings::record::{LandingEvent, LandingStep, Reason};

    #[test]
    fn the_end_of_a_landing_is_told_to_whoever_asked() {
        let me = Person::Agent("a1".into());
        let event = LandingEvent {
            kind: LandingStep::Withdraw(1),
            by: me.clone(),
            at: 5,
            host: String::new(),
            worktree: String::new(),
            nonce: String::new(),
        };
        let reason = Reason::new("tests\nfail", "");
        let ends = [
            LandingEnd::Landed { commit: "0123456789ab".into(), from: "9".into() },
            LandingEnd::Refused(reason.clone()),
            LandingEnd::Failed(reason),
            LandingEnd::Withdrawn,
        ];
        let results = ends.into_iter().zip(1..).map(|(end, id)| {
            let branch = format!("feat/a1/{id}");
            LandingResult { id, branch, head: "1".into(), by: me.clone(), at: 5, end }
        });
        let results = results.collect();
        let record = LandingRecord {
            format: 1,
            base: "main".into(),
            generation: 1,
            last: 4,
            event,
            queue: Vec::new(),
            lander: None,
            results,
        };
        let told = |me: &Person, now| -> Vec<String> {
            notices(&record, me, now).iter().map(Notice::line).collect()
        };
        assert_eq!(
            told(&me, 9),
            [
                "a1: feat/a1/1 landed on main as 012345678; next: git lane sync",
                "a1: feat/a1/2 may not land on main (tests fail); next: git lane land --list",
                "a1: feat/a1/3 could not land on main (tests fail); next: git lane land --list",
            ]
        );
        assert_eq!(told(&Person::Agent("a2".into()), 9), [""; 0]);
        assert_eq!(told(&me, 5 + WINDOW), [""; 0]);
    }
}
