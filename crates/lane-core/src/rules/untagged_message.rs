//! `untagged-message`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Commit, Message, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "untagged-message",
    summary: "a commit message without the agent's tag, or with another's",
    docs: "\
## What it finds
A commit of an agent whose message has none of the forms of the agent's tag under `message.tag`, or
has the tag of another agent. A form in brackets is looked for in the subject, a trailer in the
last paragraph. What git or the host wrote for a merge commit is left alone (`Merge branch 'main' into …`, `Merge
pull request #…`), and so are commits that the remote's own edition of the branch has already.

## Why
History outlives branches. The tag is what tells later who did what.

## Example
`git commit -m 'feat: cache'` by `a2`, with `tag: [\"[{AGENT}]\", \"Agent: {agent}\"]`, where the
prepare-commit-msg hook did not run.

## How to get on
`git commit --amend -m '[A2] feat: cache'`, or `git commit --amend --trailer 'Agent: a2'`. The
prepare-commit-msg hook adds the tag, unless the message has another agent's.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Messages],
    is_wanted: |plan| !plan.tags.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(agent) = context.agent() else {
        return Ok(());
    };
    if context.facts.event.stages() == [Stage::CommitMsg] {
        let message = context.facts.message.get()?;
        let Some(others) = breach(context, agent, message) else {
            return Ok(());
        };
        if context.change.is_merging && message.is_of_merge() {
            return Ok(());
        }
        let subject = message.subject();
        findings.add(Draft {
            headline: match others.as_str() {
                "" => format!("the message `{subject}` has no tag of {agent}"),
                others => format!("the message `{subject}` has the tag of {others}, but you are {agent}"),
            },
            help: format!("add {} to the message, then commit again", forms(context, agent)),
            ..draft(context, others)
        });
        return Ok(());
    }
    for commit in context.commits()?.iter().filter(|commit| commit.has_own_message()) {
        let Some(others) = breach(context, agent, &commit.message) else {
            continue;
        };
        let is_another = !others.is_empty();
        let drafted = draft(context, others.clone());
        findings.add(Draft {
            headline: match others.as_str() {
                "" => format!("without the tag of {agent}"),
                others => format!("with the tag of {others}, but you are {agent}"),
            },
            help: help(context, agent, commit, is_another),
            owner: drafted.owner,
            span: drafted.span,
            ..Draft::of_commit(commit)
        });
    }
    Ok(())
}

/// How a commit gets the tag; `is_another`: in place of somebody else's.
fn help(context: &Context<'_>, agent: &str, commit: &Commit, is_another: bool) -> String {
    if commit.message.text.trim().is_empty() {
        let reword =
            context.reword_from(Some(commit.oid), "git commit --amend", "`reword` it in: git rebase -i");
        match context.first_step() {
            Some(first) => first,
            None => format!("the message is empty; describe the change: {reword}"),
        }
    } else if is_another {
        let reword =
            context.reword_from(Some(commit.oid), "git commit --amend", "`reword` it in: git rebase -i");
        format!("replace the tag with {}: {reword}", forms(context, agent))
    } else {
        let reword = context.reword_from(
            Some(commit.oid),
            "git commit --amend --no-edit",
            "git rebase --force-rebase",
        );
        match context.first_step() {
            Some(first) => first,
            None => format!("let the prepare-commit-msg hook add the tag: {reword}"),
        }
    }
}

/// What is wrong with a message: the other agents whose tags it has, none for no tag at all.
fn breach(context: &Context<'_>, agent: &str, message: &Message) -> Option<String> {
    let tagged = context.plan.tagged(message);
    let others: Vec<&str> = tagged.iter().copied().filter(|id| *id != agent).collect();
    (tagged.is_empty() || !others.is_empty()).then(|| others.join(" and "))
}

fn forms(context: &Context<'_>, agent: &str) -> String {
    let forms = context.plan.tags.iter().map(|form| format!("`{}`", form.for_agent(agent)));
    forms.collect::<Vec<_>>().join(" or ")
}

fn draft(context: &Context<'_>, others: String) -> Draft {
    let span = context.plan.policy.message.tag.first().and_then(|tag| tag.span);
    Draft { owner: (!others.is_empty()).then(|| others.replace(" and ", ", ")), span, ..Draft::default() }
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::facts::Fact;
    use crate::rules::testing::Scene;

    #[test]
    fn what_is_pushed_below_stays() {
        let lower = || {
            Scene::new(PrePush, "a2").commit(7, "[A2] lower", &[]).change(|change| {
                let Fact::Known(commits) = &mut change.commits else { panic!("commits are known") };
                commits[0].is_pushed = true;
            })
        };
        let one = lower().commit(8, "x", &[]).helps();
        assert!(one[0].ends_with("git commit --amend --no-edit --only"), "{one:?}");
        let two = lower().commit(8, "x", &[]).commit(9, "y", &[]).helps();
        assert!(two.iter().all(|help| help.contains("--force-rebase --autostash 07070707")), "{two:?}");
    }

    fn commit(message: &str) -> Vec<String> {
        Scene::new(CommitMsg, "a2").message(message).findings()
    }

    #[test]
    fn any_form_will_do() {
        assert_eq!(commit("[A2] feat: x").len(), 0);
        assert_eq!(commit("feat: x\n\nAgent: a2").len(), 0);
    }

    #[test]
    fn none_or_anothers_will_not() {
        assert_eq!(commit("feat: x"), ["error untagged-message"]);
        assert_eq!(commit("[A1] feat: x"), ["error untagged-message (a1)"]);
        assert_eq!(commit("[A2] feat: x\n\nAgent: a1"), ["error untagged-message (a1)"]);
        assert_eq!(commit("[a2] feat: x"), ["error untagged-message"]);
    }

    #[test]
    fn at_push_each_commit_is_named() {
        let scene = Scene::new(PrePush, "a2").commit(7, "[A2] x", &[]).commit(8, "y", &[]);
        assert_eq!(scene.findings(), ["error untagged-message @08"]);
    }

    #[test]
    fn what_git_or_the_host_wrote_for_a_merge_is_left_alone() {
        let with = |message: &str, parents: usize| {
            let scene =
                Scene::new(PrePush, "a2").with("merges: deny", "merges: allow").commit(7, message, &[]);
            let scene = scene.change(|change| {
                if let Fact::Known(commits) = &mut change.commits {
                    commits[0].parents = parents;
                }
            });
            scene.findings()
        };
        for message in [
            "Merge branch 'main' into feat/a2/x",
            "Merge remote-tracking branch 'origin/main'",
            "Merge pull request #7 from o/feat/a2/y\n\nfeat: y",
            "Merge branch 'feat/a2/y' into 'feat/a2/x'\n\nSee merge request o/r!1",
            "Merged in feat/a2/y (pull request #7)",
        ] {
            assert_eq!(with(message, 2).len(), 0, "{message}");
            assert_eq!(with(message, 1), ["error untagged-message @07"], "no merge: {message}");
        }
        assert_eq!(with("feat: merge it all", 2), ["error untagged-message @07"]);
        let making = Scene::new(CommitMsg, "a2").message("Merge branch 'main' into feat/a2/x");
        assert_eq!(making.of("untagged-message").len(), 1);
        assert_eq!(making.change(|change| change.is_merging = true).of("untagged-message").len(), 0);
    }

    #[test]
    fn what_the_remote_s_edition_has_is_not_judged_again() {
        let scene = Scene::new(PrePush, "a2").commit(7, "x", &[]).commit(8, "y", &[]).change(|change| {
            if let Fact::Known(commits) = &mut change.commits {
                commits[0].is_published = true;
            }
        });
        assert_eq!(scene.findings(), ["error untagged-message @08"]);
    }

    #[test]
    fn maintainers_need_no_tag() {
        assert_eq!(Scene::new(CommitMsg, "").message("x").findings().len(), 0);
    }

    #[test]
    fn where_nothing_else_says_so_the_tag_is_the_identity() {
        let scene = Scene::new(CommitMsg, "").message("[A1] x").branch("x");
        assert_eq!(scene.of("untagged-message").len(), 0);
    }
}
