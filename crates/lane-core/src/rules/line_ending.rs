//! `line-ending`

use super::hits::HitDraft;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Found, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "line-ending",
    summary: "a new line that ends as on Windows",
    docs: "\
## What it finds
A line that a change adds and that ends in a carriage return and a line feed, in a file that is new, or that has no such line yet. A file
whose lines ended so before is left alone, unless the attributes of the base say `text` or `eol` of it: git keeps line feeds alone
of such files. What the attributes call `-text` or binary is left alone too.

It is off unless the policy has a level for it: `rules: { line-ending: error }`. It binds maintainers too.

## Why
A file with other line ends differs in every line from what it was: it cannot be reviewed, and conflicts with all other changes.

## Example
An editor on Windows saves `app.py`, where the repository has no `.gitattributes`.

## How to get on
`git config core.autocrlf input` has git take out carriage returns; then `git add --renormalize PATH`, and commit again.
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
        let is_one = *found == Found::LineEnd;
        is_one.then(|| {
            HitDraft::of(
                "a carriage return",
                "end the lines with a line feed alone",
                context.level_span("line-ending"),
            )
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
        let rule = ("rules: { stale-base: warn }", "rules: { line-ending: warn }");
        let there = scene(Found::LineEnd, true).with(rule.0, rule.1);
        assert_eq!(there.of("line-ending"), ["warn line-ending docs/a"]);
        assert_eq!(scene(Found::LineEnd, false).with(rule.0, rule.1).findings(), [""; 0]);
    }
}
