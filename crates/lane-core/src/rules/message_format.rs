//! `message-format`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable, is_of_revert, without_fixup};
use crate::policy::Plan;
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "message-format",
    summary: "a subject without one of the listed conventional types",
    docs: "\
## What it finds
A commit whose subject does not begin with one of the types under `message.types`, as
[Conventional Commits](https://www.conventionalcommits.org/en/v1.0.0/) has it: `type(scope)!: text`.
The agent's tag may come before it. Merges, reverts and the subject after `fixup! `, `squash! ` and
`amend! ` are left to git, and commits that the remote's own edition of the branch has are not judged again.

## Why
Release notes and version numbers are made from these words.

## Example
With `types: [feat, fix]`, the subject `added a cache`.

## How to get on
Write `[A2] feat: add a cache`.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::Parents],
    is_wanted: |plan| !plan.policy.message.types.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let plan = context.plan;
    let types: Vec<&str> = plan.policy.message.types.iter().map(|name| name.value.as_str()).collect();
    let begin = format!("start it with `<type>: `, where the type is one of {}", types.join(", "));
    let span = plan.policy.message.types.first().and_then(|name| name.span);
    if context.facts.event.stages() == [Stage::CommitMsg] {
        let subject = context.facts.message.get()?.subject();
        if !context.change.is_merging && !is_conventional(plan, &subject) {
            let headline = format!("the subject `{subject}` has no listed type");
            findings.add(Draft { headline, help: begin, span, ..Draft::default() });
        }
        return Ok(());
    }
    let plain = context.commits()?.iter().filter(|commit| commit.parents < 2 && !commit.is_published);
    for commit in plain.filter(|commit| !is_conventional(plan, &commit.message.subject())) {
        let reword =
            context.reword_from(Some(commit.oid), "git commit --amend", "`reword` it in: git rebase -i");
        findings.add(Draft {
            headline: "whose subject has no listed type".to_owned(),
            help: format!("{begin}\n{reword}"),
            span,
            ..Draft::of_commit(commit)
        });
    }
    Ok(())
}

fn is_conventional(plan: &Plan, subject: &str) -> bool {
    let subject = plan.without_bracket(without_fixup(subject.trim()));
    if is_of_revert(subject) {
        return true;
    }
    let Some((head, text)) = subject.split_once(':') else {
        return false;
    };
    let head = head.strip_suffix('!').unwrap_or(head);
    let kind = match head.split_once('(') {
        Some((kind, scope)) if scope.len() > 1 && scope.ends_with(')') => kind,
        Some(_) => return false,
        None => head,
    };
    let is_listed = plan.policy.message.types.iter().any(|name| name.value == kind);
    is_listed && text.starts_with(' ') && !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::rules::testing::Scene;

    fn commit(subject: &str) -> usize {
        let scene = Scene::new(CommitMsg, "a2").with("types: []", "types: [feat, fix]");
        scene.message(subject).of("message-format").len()
    }

    #[test]
    fn conventional_subjects() {
        let good =
            ["feat: x", "[A2] feat(api)!: x", "fixup! fix: x", "[A2] Revert \"feat: x\"", "fix(a): x: y"];
        for subject in good {
            assert_eq!(commit(subject), 0, "{subject}");
        }
    }

    #[test]
    fn other_subjects() {
        for subject in ["x", "docs: x", "feat x", "feat:x", "feat(: x", "feat(): x", "feat: "] {
            assert_eq!(commit(subject), 1, "{subject}");
        }
    }

    #[test]
    fn no_types_no_rule() {
        assert_eq!(Scene::new(CommitMsg, "a2").message("[A2] x").findings().len(), 0);
    }

    #[test]
    fn maintainers_too() {
        let scene = Scene::new(PrePush, "").with("types: []", "types: [feat]").commit(7, "x", &[]);
        assert_eq!(scene.findings(), ["error message-format @07"]);
    }
}
