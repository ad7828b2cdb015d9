//! `foreign-path`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::Owner;
use crate::policy::model::{Access, Level};

pub static RULE: Rule = Rule {
    id: "foreign-path",
    summary: "a change in another agent's lane or area",
    docs: "\
## What it finds
A file that is added, changed, deleted or renamed in the lane of another agent, or in an area with
`access: owner` that another agent owns. Both sides of a rename count: taking a file out of a lane is
a change of that lane. A change that a later commit reverts is still found, in the commit.

## Why
Two agents that edit one service undo each other's work, and neither sees it until the merge.

## Example
With `services: [revenue]` in the lane of `a4`, agent `a2` may not commit `services/revenue/api.py`.

## How to get on
Leave the file to its owner: take it out of the commit with `git restore --staged -- PATH`, or out of
commits that are made already with `git lane drop -- PATH`, which keeps them and their messages. Both leave
your edit in the working tree. Then ask the owner for the change: `git lane request submit PATH
--reason '…'`, with `--file PATCH` if you have one, or `--area NAME` for an area. `git lane who PATH` says
who that is and which line of the policy decides.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Files],
    is_wanted: |plan| !plan.policy.agents.0.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in context.touched()? {
        let headline = match touched.decision.owner {
            Some(Owner::Lane(agent)) => format!("in the lane of {}", agent.title()),
            Some(Owner::Area(area)) if area.access.value == Access::Owner => {
                let plan = context.plan;
                let owners = area.owner.iter().map(|id| {
                    let agent = plan.policy.agent(&id.value);
                    agent.map_or_else(|| id.value.clone(), crate::policy::model::Agent::title)
                });
                let owners: Vec<String> = owners.collect();
                format!("in the area `{}`, which only {} may change", area.name.value, owners.join(" or "))
            }
            _ => continue,
        };
        if context.owns(touched) {
            continue;
        }
        let owners = touched.decision.owner_ids().join(", ");
        let what = match touched.decision.area() {
            Some(area) => format!("--area {}", area.name.value),
            None => "{paths}".to_owned(),
        };
        let ask = format!("git lane request submit {what} --reason '…'");
        let draft = Draft {
            headline,
            help: context.leave_to(touched, &owners, Some(&ask)),
            owner: Some(owners),
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PreCommit, PrePush};
    use crate::rules::testing::Scene;

    fn at_commit(agent: &str, path: &str) -> Vec<String> {
        Scene::new(PreCommit, agent).files(&[path]).of("foreign-path")
    }

    #[test]
    fn lanes() {
        let none: [&str; 0] = [];
        assert_eq!(at_commit("a2", "services/revenue/x"), ["error foreign-path services/revenue/x (a4)"]);
        assert_eq!(at_commit("a4", "services/revenue/x"), none);
        assert_eq!(at_commit("a2", "docs/x"), none);
        assert_eq!(at_commit("", "services/revenue/x"), none, "a maintainer");
    }

    #[test]
    fn areas_with_owners() {
        assert_eq!(
            at_commit("a2", "services/rag_pipeline/alembic/1.py"),
            ["error foreign-path services/rag_pipeline/alembic/1.py (a1)"]
        );
        assert_eq!(at_commit("a1", "services/rag_pipeline/alembic/1.py").len(), 0);
    }

    #[test]
    fn a_commit_that_was_taken_back_is_still_found() {
        let scene = Scene::new(PrePush, "a2").commit(7, "[A2] x", &["services/revenue/x"]);
        assert_eq!(scene.of("foreign-path"), ["error foreign-path services/revenue/x @07 (a4)"]);
    }

    #[test]
    fn the_message_is_not_its_affair() {
        let scene = Scene::new(CommitMsg, "a2").files(&["services/revenue/x"]).message("[A2] x");
        assert_eq!(scene.of("foreign-path").len(), 0);
    }
}
