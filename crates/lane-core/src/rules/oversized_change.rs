//! `oversized-change`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{CommitForm, Lines, RepoPath, Stage, Unavailable, typed_ref};
use crate::policy::model::Level;
use crate::policy::{Plan, Spanned};

pub static RULE: Rule = Rule {
    id: "oversized-change",
    summary: "added plus deleted lines of the whole change over the limit",
    docs: "\
## What it finds
A change whose added and deleted lines, from the merge base on, are more than `change.max_lines`; a
warning from `change.warn_at` on. Lines are what `git diff --numstat -M` counts with the attributes of
the base. Files under `change.exclude`, and those that the base marks `linguist-generated`, do not
count; binary files have no lines.

An area may have a limit of its own, for lines or for files: `max_lines: 50`, `max_files: 5`. What the change has in the area is
counted in the same way; a renamed file counts where it was and where it is.

Before an edit it is a warning at most, for the model of a coding agent to read.

## Why
A change that is too long to read in one sitting is not reviewed, and conflicts with all others.

## Example
With `max_lines: 300`, a branch that adds 280 lines and deletes 60. With `{ name: infra, paths: [/infra/], access: open, max_lines: 50 }`,
one that changes 51 lines there.

## How to get on
Split it: push a first part as a separate branch, and continue on top of it at once: the size of a change counts from
the pushed branch of the same agent that it is based on, as long as each branch of the stack keeps to the limit. All
other rules hold for all of it. While a commit is refused, push what is committed (`git push origin HEAD`), begin the next
branch (`git switch -c feat/a2/next`; what is staged stays staged) and commit again. Where too much is committed
already, push the first commits as a separate branch (`git push origin COMMIT:refs/heads/feat/a2/first`), then
push again. When the lower branch is merged, squashed or not, `git lane sync` puts the upper one on the base without it.
In a job the lower branches count that are fetched: `git fetch origin '+refs/heads/*:refs/remotes/origin/*'`.
Commit generated files separately, or ask a maintainer to add them to `change.exclude`.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Lines],
    is_wanted: Plan::limits_size,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let lines = context.change.lines.get()?;
    whole(context, lines, findings);
    for (area, there) in context.plan.areas_over(lines) {
        let name = &area.name.value;
        for (limit, count, what) in
            [(&area.max_lines, there.lines, "lines"), (&area.max_files, there.files, "files")]
        {
            if let Some(limit) = limit.as_ref().filter(|limit| count > limit.value) {
                let headline = format!(
                    "the change has {count} {what} in the area `{name}`, more than the {} allowed there",
                    limit.value
                );
                add(
                    context,
                    Size { headline, limit, from: &there.counted_from, largest: &there.largest },
                    None,
                    findings,
                );
            }
        }
    }
    Ok(())
}

fn whole(context: &Context<'_>, lines: &Lines, findings: &mut Findings) {
    let limits = &context.plan.policy.change;
    let over = |limit: &Spanned<u64>| lines.counted > limit.value;
    let reached = |limit: &Spanned<u64>| lines.counted >= limit.value;
    let (limit, at_most) = match (&limits.max_lines, &limits.warn_at) {
        (Some(max), _) if over(max) => (max, None),
        (_, Some(warn)) if reached(warn) => (warn, Some(Level::Warn)),
        _ => return,
    };
    let headline = match (&limits.max_lines, at_most) {
        (Some(max), Some(_)) => {
            format!("the whole change has {} lines; the limit is {}", lines.counted, max.value)
        }
        _ => format!("the whole change has {} lines, more than the {} allowed", lines.counted, limit.value),
    };
    let size = Size { headline, limit, from: &lines.counted_from, largest: &lines.largest };
    add(context, size, at_most, findings);
}

/// A limit that is reached, and what by.
struct Size<'a> {
    headline: String,
    limit: &'a Spanned<u64>,
    from: &'a Option<String>,
    largest: &'a [(RepoPath, u64)],
}

fn add(context: &Context<'_>, size: Size<'_>, at_most: Option<Level>, findings: &mut Findings) {
    let most = size.largest.iter().take(3);
    let most: Vec<String> = most.map(|(path, lines)| format!("{path} ({lines})")).collect();
    // The edit that makes it smaller is one, too: the commit is refused.
    let at_most = if context.facts.form == CommitForm::Edit { Some(Level::Warn) } else { at_most };
    let from = size.from.as_deref().map(typed_ref);
    let headline =
        from.map_or(size.headline.clone(), |from| format!("{}, counted from {from}", size.headline));
    findings.add(Draft {
        headline,
        help: format!("{}\nmost lines are in {}", next_step(context), most.join(", ")),
        span: size.limit.span,
        at_most,
        ..Draft::default()
    });
}

/// How to go on while the first part waits to be reviewed.
fn next_step(context: &Context<'_>) -> String {
    if let Some(step) = context.propose_elsewhere() {
        return step;
    }
    let change = context.change;
    if context.facts.form == CommitForm::Edit {
        let next = change.lines.known().and_then(|lines| lines.next.as_deref()).unwrap_or("BRANCH");
        return format!(
            "commit a part of it, and push it: git lane push\n\
             then continue on top of it: git switch -c {next}\n\
             the change is counted from the pushed branch"
        );
    }
    let remote = &context.plan.policy.remote.value;
    let lines = change.lines.known();
    let next = lines.and_then(|lines| lines.next.as_deref());
    let is_commit = context.facts.event.stages() == [Stage::Commit];
    let is_begun = change.head.is_some() && change.head != change.merge_base.map(|base| base.oid);
    match (lines.and_then(|lines| lines.split), next) {
        (Some(split), Some(next)) => format!(
            "push the first part as a separate branch: git push {remote} {split}:refs/heads/{next}\n\
             then push again: this change is counted from there"
        ),
        (None, Some(next)) if is_commit && is_begun => format!(
            "push the committed part: git push {remote} HEAD\n\
             then continue on top of it: git switch -c {next}\n\
             and commit again: the change is counted from the pushed branch"
        ),
        _ if is_commit => {
            "commit a part of it first (git restore --staged -- PATH unstages a file, your edit stays), push it, and continue on a new branch on top of it"
                .to_owned()
        }
        _ => "split it: push a part as a separate branch first, and continue on top of it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{Ci, CommitMsg, PreCommit, PrePush, PreReceive};
    use crate::facts::{AreaLines, Fact, Lines};
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

    fn in_area(event: crate::facts::Event, limits: &str, lines: u64, files: u64) -> Vec<String> {
        let infra = AreaLines { area: "infra".into(), lines, files, ..AreaLines::default() };
        let lines = Lines { counted: lines, areas: vec![infra], ..Lines::default() };
        let area = format!("areas:\n  - {{ name: infra, paths: [/infra/], access: open, {limits} }}");
        Scene::new(event, "a2")
            .with("areas:", &area)
            .change(|change| change.lines = Fact::Known(lines))
            .findings()
    }

    #[test]
    fn limits_of_an_area() {
        for event in [PreCommit, PrePush, PreReceive, Ci] {
            assert_eq!(in_area(event, "max_lines: 50", 50, 9).len(), 0);
            assert_eq!(in_area(event, "max_lines: 50", 51, 9), ["error oversized-change"]);
            assert_eq!(in_area(event, "max_files: 2", 200, 2).len(), 0);
            assert_eq!(in_area(event, "max_files: 2", 3, 3), ["error oversized-change"]);
            assert_eq!(in_area(event, "max_files: 2, max_lines: 2", 3, 3).len(), 2);
        }
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
