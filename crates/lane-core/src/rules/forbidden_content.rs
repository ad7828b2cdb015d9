//! `forbidden-content`

use super::hits::HitDraft;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Found, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "forbidden-content",
    summary: "a new line with something that the policy forbids",
    docs: "\
## What it finds
A line that a change adds and that a pattern of `content` finds, in the files that the entry looks at. Lines are those that `git diff` shows
as added, renames followed; each is matched by itself, so that `^` and `$` are its ends. Binary files are left alone, and text files of
more than 100 MB cannot be decided. Each commit is looked at, so that a line which a later commit takes out is found too. It binds
maintainers too.

## Why
What a team has agreed not to write is found when it is written, and not in review: internal host names, debug output, words that
mark unfinished work.

## Example
With `content: [{ name: no-print, pattern: '^\\s*print\\(', in: [\"services/**\"], message: use the logger }]`, a line `print(user)`.

## How to get on
Change the line, and `git add` the file again. Where it is in commits already: `git lane drop -- PATH` takes the file out of them and leaves your
edit; change the line and commit it again. Where the entry has a `marker`, that text on the line lets it stand; or ask a maintainer for
a pattern under `except`.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Content],
    is_wanted: |plan| plan.policy.content.0.iter().any(|entry| entry.pattern.is_some()),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let rules = &context.plan.policy.content.0;
    context.hit_findings(findings, true, |found, _| {
        let Found::Pattern { entry } = found else { return None };
        let rule = rules.get(*entry)?;
        let name = rule.name.as_ref().map_or("content", |name| &name.value);
        let fix = rule.message.as_ref().map_or("change the line", |message| &message.value);
        let span = rule.pattern.as_ref().and_then(|pattern| pattern.span);
        Some(HitDraft { what: format!("`{name}`"), fix: fix.to_owned(), span })
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::{Content, Fact, Found, RepoPath};
    use crate::rules::testing::Scene;

    fn scene(found: Found, in_whole: bool) -> Scene {
        Scene::new(PreCommit, "").found("docs/a", found, in_whole)
    }

    const POLICY: &str =
        "version: 1\ncontent: [{ name: no-print, pattern: print, message: use the logger }]\n";

    #[test]
    fn lines_of_one_file_are_one_finding() {
        let scene = scene(Found::Pattern { entry: 0 }, true).with("version: 1\n", POLICY);
        assert_eq!(scene.of("forbidden-content"), ["error forbidden-content docs/a"]);
        assert_eq!(scene.headlines(), ["with `no-print` in lines 3, 7"]);
        assert!(scene.helps()[0].starts_with("use the logger, "), "{:?}", scene.helps());
    }

    #[test]
    fn of_a_commit_alone() {
        let scene = scene(Found::Pattern { entry: 0 }, false).with("version: 1\n", POLICY);
        assert_eq!(scene.of("forbidden-content"), ["error forbidden-content docs/a @03"]);
    }

    #[test]
    fn a_file_that_nobody_read_does_not_pass() {
        let scene = Scene::new(PreCommit, "").files(&["docs/a"]).with("version: 1\n", POLICY);
        let unread = vec![(RepoPath(b"docs/a".to_vec()), 200_000_000)];
        let scene =
            scene.change(|change| change.content = Fact::Known(Content { unread, ..Content::default() }));
        assert!(scene.findings()[0].starts_with("undecided: docs/a "), "{:?}", scene.findings());
    }
}
