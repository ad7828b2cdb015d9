//! `conflict-marker`

use super::hits::HitDraft;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Found, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "conflict-marker",
    summary: "a new line that a merge left behind",
    docs: "\
## What it finds
A line that a change adds and that begins one side of a conflict, or ends it: `<<<<<<< `, `||||||| `, `>>>>>>> `. A line of `=======` alone is a
heading in some formats, and is left alone.

It is off unless the policy has a level for it: `rules: { conflict-marker: error }`. It binds maintainers too. Binary files are left
alone, and text files of more than 100 MB cannot be decided.

## Why
`git add` takes a file for resolved, whatever is in it.

## Example
After `git merge`, an agent stages everything and commits, with `<<<<<<< HEAD` in one file.

## How to get on
Resolve the conflict in the file, and `git add` it again.
",
    level: Level::Off,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Content],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    context.hit_findings(findings, false, |found, _| {
        let is_one = *found == Found::ConflictMarker;
        is_one.then(|| {
            HitDraft::of("a conflict marker", "resolve the conflict", context.level_span("conflict-marker"))
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::Found;
    use crate::rules::testing::Scene;

    fn scene(found: Found, in_whole: bool) -> Scene {
        Scene::new(PreCommit, "").found("docs/a", found, in_whole)
    }

    #[test]
    fn in_what_the_change_comes_to() {
        let rule = ("rules: { stale-base: warn }", "rules: { conflict-marker: error }");
        let there = scene(Found::ConflictMarker, true).with(rule.0, rule.1);
        assert_eq!(there.headlines(), ["with a conflict marker in lines 3, 7"]);
        assert_eq!(scene(Found::ConflictMarker, false).with(rule.0, rule.1).findings(), [""; 0]);
        assert_eq!(scene(Found::ConflictMarker, true).findings(), [""; 0]);
    }
}
