//! `missing-body`

use super::messages::Said;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::{Level, Presence};

pub static RULE: Rule = Rule {
    id: "missing-body",
    summary: "a message that has a subject alone",
    docs: "\
## What it finds
A commit whose message has nothing below its subject but trailers, where the policy says `message: { body: required }`. Reverts, what git or the
host wrote for a merge, and what waits to be squashed (`fixup! `, `squash! `, `amend! `) are left alone; commits that the remote has are not judged
again. It binds maintainers too.

## Why
The subject says what was changed. Why it was changed, nothing else says.

## Example
`git commit -m 'feat: cache'`.

## How to get on
Say it below a blank line: `git commit` opens an editor, `git commit -m SUBJECT -m BODY` takes both. `git commit --amend` changes the last
message, `reword` in `git rebase -i BASE` an earlier one.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::Prose, Need::Parents],
    is_wanted: |plan| plan.policy.message.body.value == Presence::Required,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for own in context.own_messages()? {
        if own.is_revert || own.is_fixup || own.message.has_body() {
            continue;
        }
        let said = Said {
            made: "the message has a subject alone".to_owned(),
            committed: "with a subject alone".to_owned(),
            fix: "say below a blank line what the change does and why".to_owned(),
            span: context.plan.policy.message.body.span,
            rewrite: None,
        };
        context.message_finding(&own, said, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::rules::testing::Scene;

    const KEY: &str = "types: [], body: required";

    #[test]
    fn bodies() {
        let found = |text: &str| {
            let scene = Scene::new(CommitMsg, "").with("types: []", KEY).message(text);
            scene.of("missing-body").len()
        };
        for good in ["x\n\nbody", "fixup! x", "Revert \"x\"", "x\r\n\r\nbody\r\n\r\nAgent: a2"] {
            assert_eq!(found(good), 0, "{good}");
        }
        for bad in ["x", "x\ny", "x\n\nAgent: a2", "x\n\n \n"] {
            assert_eq!(found(bad), 1, "{bad}");
        }
        let pushed = Scene::new(PrePush, "").with("types: []", KEY).commit(7, "x", &[]);
        assert_eq!(pushed.findings(), ["error missing-body @07"]);
    }
}
