//! `protected-path`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::{Access, Level};

pub static RULE: Rule = Rule {
    id: "protected-path",
    summary: "the policy, hooks or CI files changed by an agent",
    docs: "\
## What it finds
A change by an agent in an area with `access: maintainer`.

## Why
Whoever is judged must not write the law. The verdict is given by the base's policy in any case, but
once merged, an edit would bind everybody.

## Example
Agent `a3` widens its own lane in `policy.yaml`.

## How to get on
Take the file out of the commit (`git restore --staged -- PATH`) or out of the commits that are made already
(`git lane drop -- PATH`), and ask a maintainer for the change.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Files],
    is_wanted: |plan| plan.has_area(Access::Maintainer),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in context.touched()? {
        let Some(area) = touched.decision.area() else {
            continue;
        };
        if area.access.value == Access::Maintainer {
            let draft = Draft {
                headline: format!("in the area `{}`, which only maintainers may change", area.name.value),
                help: context.leave_to(touched, "a maintainer", None),
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

    #[test]
    fn agents_may_not() {
        let scene =
            Scene::new(PreCommit, "a3").files(&["policy.yaml", ".github/workflows/ci.yml", "x/policy.yaml"]);
        assert_eq!(
            scene.findings(),
            ["error protected-path .github/workflows/ci.yml", "error protected-path policy.yaml"]
        );
    }

    #[test]
    fn maintainers_may() {
        assert_eq!(Scene::new(PreCommit, "").files(&["policy.yaml"]).findings().len(), 0);
    }
}
