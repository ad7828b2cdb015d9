//! `oversized-change`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "oversized-change",
    summary: "added plus deleted lines of the whole change over the limit",
    docs: "\
## What it finds
A change whose added and deleted lines, from the merge base on, are more than `change.max_lines`; a
warning from `change.warn_at` on. Lines are what `git diff --numstat -M` counts with the attributes of
the base. Files under `change.exclude`, and those that the base marks `linguist-generated`, do not
count; binary files have no lines.

## Why
A change that nobody can read in one sitting is not reviewed, and conflicts with everybody's.

## Example
With `max_lines: 300`, a branch that adds 280 lines and deletes 60.

## How to get on
Split it: push a first part of it as a branch of its own, and go on from there when it is merged.
Commit generated files apart, or have a maintainer add them to `change.exclude`.
",
    level: Level::Error,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Lines],
    is_wanted: |plan| plan.policy.change.max_lines.is_some() || plan.policy.change.warn_at.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let limits = &context.plan.policy.change;
    let lines = context.change.lines.get()?;
    let over = |limit: &crate::policy::Spanned<u64>| lines.counted > limit.value;
    let reached = |limit: &crate::policy::Spanned<u64>| lines.counted >= limit.value;
    let (limit, at_most) = match (&limits.max_lines, &limits.warn_at) {
        (Some(max), _) if over(max) => (max, None),
        (_, Some(warn)) if reached(warn) => (warn, Some(Level::Warn)),
        _ => return Ok(()),
    };
    let most = lines.largest.iter().take(3);
    let most: Vec<String> = most.map(|(path, lines)| format!("{path} ({lines})")).collect();
    let headline = match (&limits.max_lines, at_most) {
        (Some(max), Some(_)) => {
            format!("the whole change has {} lines; the limit is {}", lines.counted, max.value)
        }
        _ => format!("the whole change has {} lines, more than the {} allowed", lines.counted, limit.value),
    };
    findings.add(Draft {
        headline,
        help: format!(
            "split it: push a part as a change of its own first; most lines are in {}",
            most.join(", ")
        ),
        span: limit.span,
        at_most,
        ..Draft::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PreCommit};
    use crate::facts::{Fact, Lines};
    use crate::rules::testing::Scene;

    fn lines(counted: u64) -> Vec<String> {
        let lines = Lines { counted, ..Lines::default() };
        Scene::new(PreCommit, "a2").change(|change| change.lines = Fact::Known(lines)).findings()
    }

    #[test]
    fn limits() {
        assert_eq!(lines(239).len(), 0);
        assert_eq!(lines(240), ["warn oversized-change"]);
        assert_eq!(lines(300), ["warn oversized-change"]);
        assert_eq!(lines(301), ["error oversized-change"]);
    }

    #[test]
    fn lines_that_nobody_counted_do_not_pass() {
        let scene = Scene::new(PreCommit, "a2").change(|change| change.lines = Fact::NotGathered);
        assert!(scene.findings()[0].starts_with("undecided: "));
    }

    #[test]
    fn the_message_hook_does_not_ask() {
        let scene =
            Scene::new(CommitMsg, "a2").message("[A2] x").change(|change| change.lines = Fact::NotGathered);
        assert_eq!(scene.findings().len(), 0);
    }
}
