//! `foreign-worktree`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "foreign-worktree",
    summary: "an edit in a worktree that is not the agent's own",
    docs: "\
## What it finds
A file that a coding agent is about to change in the main checkout, or in the worktree of another agent. Which agent it
is comes from the folder in which its session was started, not from the file. Only the hooks of harnesses ask
for this: at a commit, the worktree says whose it is.

## Why
An edit that lands in the wrong worktree is committed by whoever works there, or by nobody.

## Example
The session of `a2` was started in `../shop-a2`, and writes to `/home/me/shop/services/web/app.py`.

## How to get on
Make the same edit in your own worktree: the finding says where it is.
",
    level: Level::Error,
    at: &[Stage::Edit],
    binds_maintainers: false,
    needs: &[Need::Files],
    is_wanted: |plan| !plan.policy.agents.0.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(elsewhere) = &context.facts.elsewhere else {
        return Ok(());
    };
    let whose = match (&elsewhere.agent, elsewhere.is_main) {
        (Some(agent), _) => {
            let title = context.plan.policy.agent(agent).map(crate::policy::model::Agent::title);
            format!("in the worktree of {}", title.unwrap_or_else(|| agent.clone()))
        }
        (None, true) => "in the main checkout, which is not your worktree".to_owned(),
        (None, false) => "in a worktree that is not yours".to_owned(),
    };
    for touched in context.touched()? {
        // No line of the policy decides this.
        findings.add(Draft {
            headline: whose.clone(),
            help: format!("make the edit in your own worktree: {}", elsewhere.session_root),
            owner: elsewhere.agent.clone(),
            path: Some(touched.path.clone()),
            ..Draft::default()
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{Edit, PreCommit};
    use crate::facts::ForeignWorktree;
    use crate::rules::testing::Scene;

    fn at(event: crate::facts::Event, agent: Option<&str>) -> Vec<String> {
        let elsewhere = ForeignWorktree {
            agent: agent.map(str::to_owned),
            is_main: agent.is_none(),
            session_root: "/w/a2".to_owned(),
        };
        Scene::new(event, "a2")
            .files(&["services/rag_pipeline/x"])
            .elsewhere(elsewhere)
            .of("foreign-worktree")
    }

    #[test]
    fn only_edits_elsewhere() {
        assert_eq!(at(Edit, Some("a4")), ["error foreign-worktree services/rag_pipeline/x (a4)"]);
        assert_eq!(at(Edit, None), ["error foreign-worktree services/rag_pipeline/x"]);
        assert_eq!(at(PreCommit, Some("a4")).len(), 0);
        let scene = Scene::new(Edit, "a2").files(&["services/rag_pipeline/x"]);
        assert_eq!(scene.of("foreign-worktree").len(), 0);
    }
}
