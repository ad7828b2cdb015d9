//! `message-pattern`

use super::messages::{OwnMessage, Said};
use super::{Context, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::Expression;
use crate::policy::model::Level;

/// How much of what was found is shown.
const SHOWN: usize = 40;

pub static RULE: Rule = Rule {
    id: "message-pattern",
    summary: "a message that does not match the pattern, or has what is forbidden",
    docs: "\
## What it finds
A commit whose subject does not match the regular expression `message.pattern`, with or without the agent's tag before it; and one whose
message has something that an expression of `message.forbid` matches, in any of its lines. A pattern may match any part of the
text; `^` and `$` are the ends of a line.

Of a revert, git's own subject is left alone, and what git or the host wrote for a merge (`Merge branch 'main' into …`). After `fixup! `, `squash! ` and
`amend! ` the rest of the subject counts. Commits that the remote has are not judged again. It binds maintainers too.

## Why
A number of an issue in each subject is what connects history with the tracker, and can only be asked for while the commit is made.

## Example
With `pattern: '^[A-Z]+-\\d+: '`, the subject `added a cache`; with `forbid: ['(?i)\\bwip\\b']`, a message that says `WIP`.

## How to get on
Write it as the finding says: `message.example` is shown there. `git commit --amend` changes the last message, `reword` in
`git rebase -i BASE` an earlier one.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::Prose, Need::Parents],
    is_wanted: |plan| plan.expressions.subject.is_some() || !plan.expressions.forbidden.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for own in context.own_messages()? {
        if let Some(pattern) = context.plan.expressions.subject.as_ref().filter(|_| !own.is_revert) {
            subject(context, &own, pattern, findings)?;
        }
        forbidden(context, &own, findings)?;
    }
    Ok(())
}

fn subject(
    context: &Context<'_>,
    own: &OwnMessage<'_>,
    pattern: &Expression,
    findings: &mut Findings,
) -> Result<(), Unavailable> {
    let bare = context.plan.without_bracket(&own.subject);
    if pattern.is_match(&own.subject)? || pattern.is_match(bare)? {
        return Ok(());
    }
    let fix = match &context.plan.policy.message.example {
        Some(example) => format!("write it like `{}`", example.value),
        None => "write a subject that matches".to_owned(),
    };
    let said = Said {
        made: format!("the subject `{}` does not match `{}`", own.subject, pattern.text()),
        committed: format!("whose subject does not match `{}`", pattern.text()),
        fix,
        span: pattern.span(),
        rewrite: None,
    };
    context.message_finding(own, said, findings);
    Ok(())
}

fn forbidden(
    context: &Context<'_>,
    own: &OwnMessage<'_>,
    findings: &mut Findings,
) -> Result<(), Unavailable> {
    if context.plan.expressions.forbidden.is_empty() {
        return Ok(());
    }
    let mut text = own.message.tidy();
    if own.is_revert {
        text = text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    }
    for pattern in &context.plan.expressions.forbidden {
        let Some((start, end)) = pattern.find(&text)? else { continue };
        let found = text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default();
        let found: String = found.chars().take(SHOWN).collect();
        let what = match found.trim() {
            "" => format!("what `{}` forbids", pattern.text()),
            found => format!("`{found}`, which `{}` forbids", pattern.text()),
        };
        let said = Said {
            made: format!("the message has {what}"),
            committed: format!("with {what}"),
            fix: "take it out of the message".to_owned(),
            span: pattern.span(),
            rewrite: None,
        };
        context.message_finding(own, said, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::facts::Fact;
    use crate::rules::testing::Scene;

    const KEYS: &str =
        "types: [], pattern: '^[A-Z]+-\\d+: ', example: 'AB-1: x', forbid: ['(?i)\\bwip\\b', '^Change-Id:']";

    fn found(message: &str) -> usize {
        Scene::new(CommitMsg, "a2").with("types: []", KEYS).message(message).of("message-pattern").len()
    }

    #[test]
    fn messages() {
        for good in [
            "AB-1: x",
            "[A2] AB-1: x",
            "fixup! AB-1: x",
            "Revert \"wip\"\n\nThis reverts commit 1.",
            "[A2] Revert \"wip\"",
            "\r\nAB-1: x\r\n\r\nwiped out\r\n",
            "AB-1: x\n\nsee Change-Id:",
        ] {
            assert_eq!(found(good), 0, "{good}");
        }
        for bad in [
            "x",
            "",
            "ab-1: x",
            "[A2] x",
            "fixup! x",
            "x\n\nAB-1: x",
            "AB-1: x\n\nstill WIP\n",
            "AB-1: x\n\nChange-Id: 1",
            "Revert \"x\"\n\nwip",
        ] {
            assert_eq!(found(bad), 1, "{bad}");
        }
    }

    #[test]
    fn what_is_told() {
        let scene = || Scene::new(CommitMsg, "").with("types: []", KEYS);
        assert_eq!(scene().message("x").helps(), ["write it like `AB-1: x`, then commit again"]);
        assert_eq!(scene().message("x").headlines(), ["the subject `x` does not match `^[A-Z]+-\\d+: `"]);
        assert_eq!(
            scene().message("AB-1: Wip").headlines(),
            ["the message has `Wip`, which `(?i)\\bwip\\b` forbids"]
        );
    }

    #[test]
    fn at_push_each_commit_is_named_and_maintainers_too() {
        let scene = Scene::new(PrePush, "").with("types: []", KEYS);
        let scene = scene.commit(7, "x", &[]).commit(8, "AB-1: y", &[]).commit(9, "z", &[]);
        assert_eq!(scene.findings(), ["error message-pattern @07", "error message-pattern @09"]);
        let scene = scene.change(|change| {
            if let Fact::Known(commits) = &mut change.commits {
                commits[0].is_pushed = true;
                commits[2].parents = 2;
                commits[2].message.text = "[A2] Merge branch 'wip'".into();
            }
        });
        assert_eq!(scene.of("message-pattern").len(), 0);
    }
}
