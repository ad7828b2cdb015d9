//! `stale-base`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{RefUpdate, Stage, Unavailable};
use crate::policy::model::Level;
use crate::policy::scalar::in_words;

pub static RULE: Rule = Rule {
    id: "stale-base",
    summary: "the base moved on, and the merge base is older than `max_age`",
    docs: "\
## What it finds
A change whose merge base is older than `history.max_age` while the base has newer commits. A warning,
unless the policy says otherwise.

## Why
The longer a branch stays away from its base, the more it conflicts: rebase every two or three hours.

## Example
With `max_age: 3h`, a branch that left `main` this morning, when `main` has moved since.

## How to get on
`git fetch origin main && git rebase origin/main`, then `git push --force-with-lease`.
",
    level: Level::Warn,
    at: &[Stage::Commit, Stage::Push, Stage::Ci],
    binds_maintainers: false,
    needs: &[],
    is_wanted: |plan| plan.policy.history.max_age.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let policy = &context.plan.policy;
    let (Some(base), Some(merge_base), Some(max_age)) =
        (context.change.base, context.change.merge_base, &policy.history.max_age)
    else {
        return Ok(());
    };
    let age = u64::try_from(context.facts.now - merge_base.time).unwrap_or(0);
    if context.change.update == Some(RefUpdate::Delete)
        || base == merge_base.oid
        || age <= max_age.value.seconds
    {
        return Ok(());
    }
    let (remote, name) = (&policy.remote.value, &policy.base.value);
    findings.add(Draft {
        headline: format!("`{name}` has moved on, and this change left it {} ago", in_words(age)),
        help: format!("git fetch {remote} {name} && git rebase {remote}/{name}"),
        span: max_age.span,
        ..Draft::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::rules::testing::{Scene, oid};

    fn after(seconds: i64, base: u8) -> Vec<String> {
        let scene = Scene::new(PreCommit, "a2").change(|change| change.base = Some(oid(base)));
        scene.facts(|facts| facts.now = 1_000 + seconds).findings()
    }

    #[test]
    fn old_and_left_behind() {
        assert_eq!(after(10_801, 5), ["warn stale-base"]);
        assert_eq!(after(10_800, 5).len(), 0, "not yet old");
        assert_eq!(after(99_999, 1).len(), 0, "the base did not move");
        assert_eq!(after(-50, 5).len(), 0, "a clock set back");
    }
}
