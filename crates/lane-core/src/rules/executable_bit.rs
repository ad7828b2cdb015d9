//! `executable-bit`

use super::{Context, Findings, Need, Rule};
use crate::facts::{Form, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "executable-bit",
    summary: "a script that cannot be run, or a text that can",
    docs: "\
## What it finds
A file that a change adds or whose mode it changes: one that begins with `#!` and is not executable, and a text that is executable and
does not begin with `#!`. Binary files and files without content are left alone.

It is off unless the policy has a level for it: `rules: { executable-bit: error }`. It binds maintainers too.

## Why
A script without its bit fails where it is first called, mostly in CI. Files that come from Windows or an archive have the bit all alike.

## Example
An agent writes `scripts/deploy` with `#!/bin/sh`, and commits it as mode 100644.

## How to get on
`git update-index --chmod=+x PATH` (or `--chmod=-x`) changes the bit of what is staged, on any system; then commit again.
",
    level: Level::Off,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Content],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    context.form_findings(findings, "executable-bit", |form| {
        let (headline, sign) = match form {
            Form::NotExecutable => ("that begins with `#!` and is not executable", '+'),
            Form::Executable => ("that is executable and does not begin with `#!`", '-'),
            Form::LinksOut => return None,
        };
        let change = format!("git update-index --chmod={sign}x -- {{paths}}");
        Some((headline, format!("change the mode of what is staged: {change}"), change))
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::{Content, Fact, Form, RepoPath};
    use crate::rules::testing::Scene;

    #[test]
    fn both_ways() {
        let forms = vec![
            (RepoPath(b"docs/a".to_vec()), Form::NotExecutable),
            (RepoPath(b"docs/b".to_vec()), Form::Executable),
            (RepoPath(b"docs/c".to_vec()), Form::LinksOut),
        ];
        let scene = Scene::new(PreCommit, "")
            .files(&["docs/a", "docs/b", "docs/c"])
            .change(|change| change.content = Fact::Known(Content { forms, ..Content::default() }))
            .with("rules: { stale-base: warn }", "rules: { executable-bit: warn }");
        assert_eq!(scene.of("executable-bit"), ["warn executable-bit docs/a", "warn executable-bit docs/b"]);
    }
}
