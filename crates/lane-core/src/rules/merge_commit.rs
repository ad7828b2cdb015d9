//! `merge-commit`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Event, Stage, Unavailable};
use crate::policy::model::{Level, Merges};
use crate::report::quote;

pub static RULE: Rule = Rule {
    id: "merge-commit",
    summary: "a merge commit in a change",
    docs: "\
## What it finds
A commit with more than one parent among the commits of a change, where the policy says
`history: { merges: deny }`. While a merge is being made there is a warning.

## Why
Rebase, don't merge: a change that is a line of commits on top of the base can be read, reverted and
bisected, and conflicts are solved where they belong.

## Example
`git merge origin/main` in the worktree of `a2`.

## How to get on
`git rebase origin/main` puts your commits on top of the base and leaves the merge out. Where the merge brought another
protected branch, that would make its commits yours: `git rebase --onto MERGE~1 MERGE` takes the merge alone out. A merge
that is in progress is given up with `git merge --abort`.
",
    level: Level::Error,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Parents],
    is_wanted: |plan| plan.policy.history.merges.value == Merges::Deny,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let base = context.base_name();
    let span = context.plan.policy.history.merges.span;
    let is_commit = context.facts.event.stages() == [Stage::Commit];
    if is_commit {
        if context.change.is_merging || context.facts.event == Event::PreMergeCommit {
            findings.add(Draft {
                headline: "this makes a merge commit, which will be refused at push".to_owned(),
                help: match context.change.has_merged_in {
                    false => {
                        format!("after the commit, remove the merge: git rebase --autostash {base}")
                    }
                    true => "after the commit, remove the merge: git rebase --autostash --onto HEAD~1 HEAD"
                        .to_owned(),
                },
                span,
                at_most: Some(Level::Warn),
                ..Draft::default()
            });
        }
        return Ok(());
    }
    let branch = context.change.elsewhere.as_ref().map(|name| format!(" {}", quote(name.as_bytes())));
    let branch = branch.unwrap_or_default();
    let merges = || context.commits().map(|commits| commits.iter().filter(|commit| commit.parents > 1));
    // Those below it are named once it is gone.
    let last = merges()?.next_back().map(|commit| commit.oid.short());
    for commit in merges()? {
        let push = if commit.is_pushed { context.push_again() } else { "" };
        findings.add(Draft {
            headline: "that is a merge commit".to_owned(),
            help: match last.as_ref().filter(|_| context.change.has_merged_in) {
                None => format!("remove the merge with a rebase: git rebase --autostash {base}{branch}{push}"),
                Some(last) => format!(
                    "remove it, and keep your commits on top: git rebase --autostash --onto {last}~1 {last}{branch}{push}"
                ),
            },
            span,
            ..Draft::of_commit(commit)
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PreCommit, PreMergeCommit, PrePush};
    use crate::facts::Fact;
    use crate::rules::testing::Scene;

    fn merge(scene: Scene) -> Vec<String> {
        let scene = scene.commit(7, "Merge branch 'main'", &[]).change(|change| {
            if let Fact::Known(commits) = &mut change.commits {
                commits[0].parents = 2;
            }
        });
        scene.findings()
    }

    #[test]
    fn at_push() {
        assert_eq!(merge(Scene::new(PrePush, "a2"))[0], "error merge-commit @07");
        let allowed = Scene::new(PrePush, "a2").with("merges: deny", "merges: allow");
        assert_eq!(merge(allowed).len(), 0);
        assert_eq!(merge(Scene::new(PrePush, "")).len(), 0);
    }

    #[test]
    fn a_merge_under_way_is_a_warning() {
        let scene = Scene::new(PreCommit, "a2").change(|change| change.is_merging = true);
        assert_eq!(scene.findings(), ["warn merge-commit"]);
        assert_eq!(Scene::new(PreMergeCommit, "a2").findings(), ["warn merge-commit"]);
    }
}
