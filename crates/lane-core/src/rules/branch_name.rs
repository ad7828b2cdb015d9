//! `branch-name`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{RefUpdate, Stage, Unavailable};
use crate::identity::of_branch;
use crate::policy::model::Level;
use crate::report::quote;

pub static RULE: Rule = Rule {
    id: "branch-name",
    summary: "a branch that does not match the pattern, or has another agent's id",
    docs: "\
## What it finds
An agent that commits on, or pushes, a branch which does not match `branch.pattern` or `branch.regex`, or
follows it with the id of another agent.

## Why
The branch's name is how people, the server and the CI job see whose change it is. Work of `a2` on a
branch of `a1` gets `a1`'s rights there, and mixes two changes.

## Example
With `pattern: \"feat/{agent}/{feature}\"`, agent `a2` commits on `feat/a1/search`, or on `my-fix`.

## How to get on
`git branch -m feat/a2/FEATURE` renames the current branch; `git switch -c feat/a2/FEATURE` starts
another where you are. At push: `git push REMOTE HEAD:refs/heads/feat/a2/FEATURE`. With `branch.regex`, the names
in the help are made after `branch.example`.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[],
    is_wanted: |plan| plan.branch.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let plan = context.plan;
    let (Some(branch), Some(names), Some(agent)) =
        (context.change.branch.as_deref(), &plan.branch, context.agent())
    else {
        return Ok(());
    };
    // The branch of another worktree is not to be changed from here.
    if context.facts.elsewhere.is_some() {
        return Ok(());
    }
    // An update of a protected branch is refused as such.
    let is_push = context.facts.event.is_push();
    if is_push && plan.protected(branch).is_some() {
        return Ok(());
    }
    let bearer = of_branch(plan, branch);
    if bearer == Some(agent) {
        return Ok(());
    }
    let is_deletion = context.change.update == Some(RefUpdate::Delete);
    let headline = match bearer {
        Some(other) => format!("the branch `{branch}` has the id of {other}, but you are {agent}"),
        None if is_deletion => return Ok(()),
        None => format!("the branch `{branch}` does not match the pattern of {agent}"),
    };
    // The agent's branch of the same last name is often there already.
    let wanted = match bearer {
        _ if plan.protected(branch).is_some() => names.own_name(agent, "work", ""),
        Some(other) => names.own_name(agent, branch, &format!("-from-{other}")),
        None => names.own_name(agent, branch, ""),
    };
    let wanted = quote(wanted.as_bytes());
    let remote = &plan.policy.remote.value;
    let local = quote(context.change.elsewhere.as_deref().unwrap_or("HEAD").as_bytes());
    findings.add(Draft {
        headline,
        help: match (is_push, is_deletion) {
            (_, true) => "leave the branch to its owner, or ask a maintainer".to_owned(),
            (true, false) => {
                format!("push it under your own name: git push {remote} {local}:refs/heads/{wanted}")
            }
            (false, false) if bearer.is_some() || plan.protected(branch).is_some() => {
                format!("continue on your own branch: git switch -c {wanted}")
            }
            (false, false) => format!("rename it: git branch -m {wanted}"),
        },
        owner: bearer.map(str::to_owned),
        span: plan.policy.branch.names().and_then(|names| names.span),
        ..Draft::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PreCommit, PrePush};
    use crate::facts::RefUpdate::{Create, Delete};
    use crate::rules::testing::Scene;

    fn on(branch: &str) -> Vec<String> {
        Scene::new(PreCommit, "a2").branch(branch).findings()
    }

    #[test]
    fn at_commit() {
        assert_eq!(on("feat/a2/x").len(), 0);
        assert_eq!(on("feat/a1/x"), ["error branch-name (a1)"]);
        assert_eq!(on("my-fix"), ["error branch-name"]);
        assert_eq!(on("main"), ["error branch-name"]);
        assert_eq!(on("feat/a9/x"), ["error branch-name"]);
    }

    #[test]
    fn no_branch_no_finding() {
        let scene = Scene::new(PreCommit, "a2").change(|change| change.branch = None);
        assert_eq!(scene.findings().len(), 0);
    }

    #[test]
    fn maintainers_name_branches_as_they_like() {
        assert_eq!(Scene::new(PreCommit, "").branch("hotfix").findings().len(), 0);
    }

    #[test]
    fn deleting_is_for_the_owner() {
        let delete = |branch| Scene::new(PrePush, "a2").pushed_to(branch, Delete).findings();
        assert_eq!(delete("feat/a2/x").len(), 0);
        assert_eq!(delete("old").len(), 0);
        assert_eq!(delete("feat/a1/x"), ["error branch-name (a1)"]);
    }

    #[test]
    fn a_protected_branch_is_another_rules_affair() {
        let scene = Scene::new(PrePush, "a2").pushed_to("main", Create);
        assert_eq!(scene.findings(), ["error protected-branch"]);
    }
}
