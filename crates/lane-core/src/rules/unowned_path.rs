//! `unowned-path`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::{Level, Unowned};

pub static RULE: Rule = Rule {
    id: "unowned-path",
    summary: "a path in no lane and no area, where `unowned` is not `allow`",
    docs: "\
## What it finds
A path that no lane and no area of the policy has, where the policy says `unowned: warn` or
`unowned: deny`.

## Why
A policy that does not mention a folder lets everyone change it. Some teams want each new folder to be
assigned first.

## Example
With `unowned: deny`, agent `a2` adds `scripts/migrate.sh`, and no line of the policy has `scripts/`.

## How to get on
Put the file where your lane is, or ask a maintainer to add its folder to the policy.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Files],
    is_wanted: |plan| plan.policy.unowned.value != Unowned::Allow,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let unowned = &context.plan.policy.unowned;
    for touched in context.touched()? {
        if touched.decision.owner.is_none() {
            let draft = Draft {
                headline: "in no lane and no area".to_owned(),
                help: "move it into your lane (see `git lane policy show`), or ask a maintainer to assign the folder in the policy"
                    .to_owned(),
                span: unowned.span,
                at_most: (unowned.value == Unowned::Warn).then_some(Level::Warn),
                ..Draft::default()
            };
            context.path_finding(touched, draft, findings);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::rules::testing::Scene;

    fn with(unowned: &str) -> Vec<String> {
        Scene::new(PreCommit, "a2")
            .with("unowned: allow", &format!("unowned: {unowned}"))
            .files(&["scripts/x.sh", "services/rag_pipeline/x.py"])
            .findings()
    }

    #[test]
    fn as_the_policy_says() {
        assert_eq!(with("allow").len(), 0);
        assert_eq!(with("warn"), ["warn unowned-path scripts/x.sh"]);
        assert_eq!(with("deny"), ["error unowned-path scripts/x.sh"]);
    }
}
