//! `stale-base`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{RefUpdate, Stage, Unavailable, typed_ref};
use crate::policy::model::Level;
use crate::policy::scalar::format_duration;

pub static RULE: Rule = Rule {
    id: "stale-base",
    summary: "the base has commits older than `max_age` that the change lacks",
    docs: "\
## What it finds
A change that lacks commits of its base which are older than `history.max_age`. What counts is since when the
base has moved on without the change, not how old the last commit is that both have: right after
`git lane sync` there is nothing to warn of. A warning, unless the policy says otherwise.

## Why
The longer a branch stays away from its base, the more it conflicts: rebase every two or three hours.

## Example
With `max_age: 3h`, a branch that left `main` this morning, when `main` moved on before noon and it is four o'clock.

## How to get on
`git lane sync`, then `git lane push --force-with-lease`.
",
    level: Level::Warn,
    at: &[Stage::Commit, Stage::Push, Stage::Ci],
    binds_maintainers: false,
    needs: &[],
    is_wanted: |plan| plan.policy.history.max_age.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let (Some(moved), Some(left), Some(max_age)) =
        (context.change.base_moved, context.change.merge_base, &context.plan.policy.history.max_age)
    else {
        return Ok(());
    };
    let age = |since: i64| u64::try_from(context.facts.now - since).unwrap_or(0);
    if context.change.update == Some(RefUpdate::Delete) || age(moved) <= max_age.value.seconds {
        return Ok(());
    }
    let base = typed_ref(context.base_name());
    findings.add(Draft {
        headline: format!(
            "`{base}` got new commits more than {} ago, and this change branched off {} ago",
            max_age.value,
            format_duration(age(left.time))
        ),
        help: format!("{}git lane sync", context.switch()),
        span: max_age.span,
        ..Draft::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::rules::testing::Scene;

    fn after(seconds: i64, moved: Option<i64>) -> Scene {
        let scene = Scene::new(PreCommit, "a2").change(|change| change.base_moved = moved);
        scene.facts(|facts| facts.now = 1_000 + seconds)
    }

    #[test]
    fn old_and_left_behind() {
        assert_eq!(after(10_801, Some(1_000)).findings(), ["warn stale-base"]);
        assert_eq!(after(10_800, Some(1_000)).findings().len(), 0, "not yet old");
        assert_eq!(after(99_999, None).findings().len(), 0, "the base did not move, or only now");
        assert_eq!(after(-50, Some(1_000)).findings().len(), 0, "a clock set back");
    }

    #[test]
    fn it_names_the_base_of_the_change() {
        let scene = after(10_801, Some(1_000));
        let scene = scene.change(|change| change.base_ref = Some("refs/remotes/origin/release/1".into()));
        assert!(
            scene.headlines()[0].starts_with("`origin/release/1` got new commits"),
            "{:?}",
            scene.headlines()
        );
    }
}
