//! `message-length`

use super::messages::Said;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "message-length",
    summary: "a subject longer than the policy allows",
    docs: "\
## What it finds
A commit whose subject has more characters than `message.subject_max`, the agent's tag among them. As git has it, the subject is all that stands above the first
blank line, on one line. `fixup! `, `squash! ` and `amend! ` do not count; what git wrote for a revert or a merge is left alone, and commits that the
remote has are not judged again. It binds maintainers too.

## Why
Lists of commits show as much of a subject as has room. What is cut off there is read by nobody.

## Example
With `subject_max: 72`, a message of one paragraph over four lines.

## How to get on
Say it in fewer words, and the rest below a blank line. `git commit --amend` changes the last message, `reword` in `git rebase -i BASE` an
earlier one.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::Parents],
    is_wanted: |plan| plan.policy.message.subject_max.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(limit) = &context.plan.policy.message.subject_max else { return Ok(()) };
    let most = limit.value;
    for own in context.own_messages()?.iter().filter(|own| !own.is_revert) {
        let length = own.subject.chars().count() as u64;
        if length <= most {
            continue;
        }
        let first = own.message.first_line().trim().chars().count() as u64;
        let fix = if first < length && first <= most {
            "leave a blank line below the first one: up to there, all lines are the subject"
        } else {
            "shorten it, and write the rest below a blank line"
        };
        let said = Said {
            made: format!("the subject has {length} characters, {} more than {most}", length - most),
            committed: format!("whose subject has more than {most} characters"),
            fix: fix.to_owned(),
            span: limit.span,
            rewrite: None,
        };
        context.message_finding(own, said, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::rules::testing::Scene;

    const KEY: &str = "types: [], subject_max: 10";

    fn scene(message: &str) -> Scene {
        Scene::new(CommitMsg, "").with("types: []", KEY).message(message)
    }

    #[test]
    fn lengths() {
        for good in [
            "1234567890",
            "ääääääääää",
            "fixup! 1234567890",
            "Revert \"1234567890\"",
            " 1234567890 \r\n\r\nmuch more than that",
            "",
        ] {
            assert_eq!(scene(good).of("message-length").len(), 0, "{good}");
        }
        for bad in ["12345678901", "12345\n678901\n", "[A2] 123456", &"x".repeat(1_000_000)] {
            assert_eq!(scene(bad).of("message-length").len(), 1);
        }
    }

    #[test]
    fn what_is_told() {
        assert_eq!(scene("12345678901").headlines(), ["the subject has 11 characters, 1 more than 10"]);
        assert!(scene("12345\n678901").helps()[0].starts_with("leave a blank line below the first"));
        let pushed = Scene::new(PrePush, "").with("types: []", KEY).commit(7, "12345678901", &[]);
        assert_eq!(pushed.findings(), ["error message-length @07"]);
    }
}
