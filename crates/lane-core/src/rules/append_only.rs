//! `append-only`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{CommitForm, Stage, Unavailable};
use crate::policy::model::{Access, Level};

pub static RULE: Rule = Rule {
    id: "append-only",
    summary: "a file changed or removed where files may only be added",
    docs: "\
## What it finds
A change by an agent that changes, removes or renames a file that the base has, in an area with `access: append`. New files may be
added by every agent, and changed until they are on the base.

## Why
A migration that was released has run somewhere: changing it changes nothing there, and another database gets something else.
The same holds for fragments of a changelog, records and fixtures that others rely on.

## Example
With `migrations/**` under `access: append`, agent `a2` edits `migrations/0007_cost.sql`, which is on `main`.

## How to get on
Write what is to be different as a new file. Take the other out of the commit (`git restore --staged -- PATH`) or out of the
commits that are made already (`git lane drop -- PATH`). A maintainer may change it.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Files],
    is_wanted: |plan| plan.has_area(Access::Append),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in context.touched()? {
        let Some(area) = touched.decision.area().filter(|area| area.access.value == Access::Append) else {
            continue;
        };
        // What the branch itself has added is new until it lands; what its commits undo is as it was.
        if !touched.was_present || !touched.in_whole {
            continue;
        }
        let does = if touched.is_present { "changed" } else { "removed" };
        let headline = format!("{does} in the area `{}`, where files may only be added", area.name.value);
        let new = "write what is new as a file of its own";
        let help = match context.facts.form {
            CommitForm::Edit => format!("leave it as it is, and {new}"),
            _ => format!("{}\nthen {new}", context.take_out(touched)),
        };
        context.path_finding(touched, Draft { headline, help, ..Draft::default() }, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{Ci, PreCommit, PrePush};
    use crate::facts::{Event, Fact, FileVersion};
    use crate::rules::testing::{Scene, oid};

    /// A file of `migrations/` whose versions before and after are there or not.
    fn found(event: Event, agent: &str, was: bool, is: bool) -> Vec<String> {
        let scene = Scene::new(event, agent)
            .with("areas:", "areas:\n  - { name: released, paths: [migrations/], access: append }")
            .files(&["migrations/1.sql"])
            .change(|change| {
                let version = |is: bool, n| is.then(|| FileVersion { mode: 0o100_644, oid: oid(n) });
                for files in [&mut change.files, &mut change.staged] {
                    if let Fact::Known(files) = files {
                        files
                            .iter_mut()
                            .for_each(|file| (file.old, file.new) = (version(was, 1), version(is, 2)));
                    }
                }
            });
        scene.of("append-only")
    }

    #[test]
    fn what_the_base_has_stays() {
        for event in [PreCommit, PrePush, Ci] {
            assert_eq!(found(event, "a2", true, true).len(), 1, "changed");
            assert_eq!(found(event, "a2", true, false).len(), 1, "removed");
            assert_eq!(found(event, "a2", false, true).len(), 0, "added");
            assert_eq!(found(event, "", true, true).len(), 0, "by a maintainer");
        }
    }
}
