//! `git-path`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::fold;
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "git-path",
    summary: "a path that git takes for its own, or that leads out of the repository",
    docs: "\
## What it finds
A path with a part that is `.git` under any of the names that other systems have for it (`.GIT`, `git~1`, `.git.`, `.git::$INDEX_ALLOCATION`),
that is `.`, `..` or nothing, or that has a backslash before such a part. git adds no such path by itself, and refuses to check one
out; a tree that is put together by hand can hold it. It binds maintainers too.

## Why
Where a checkout writes such a path, it writes into the repository's own folder, where hooks and configuration lie: whoever clones runs
what is in them.

## Example
`git mktree` makes a tree with a file `.GIT/hooks/post-checkout`.

## How to get on
Give the folder another name. `git lane drop -- PATH` takes it out of the commits.
",
    level: Level::Error,
    at: &[Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in
        context.touched()?.iter().filter(|touched| !touched.is_elsewhere && touched.brings_version())
    {
        if !is_of_git(&touched.path.0) {
            continue;
        }
        let draft = Draft {
            headline: "that a checkout would write into the repository's own folder, or outside of it"
                .to_owned(),
            help: context.take_out(touched),
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

/// Whether a part of a path is one that no tree may have.
fn is_of_git(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| matches!(byte, b'/' | b'\\'));
    parts.any(|part| match part.first() {
        None => !path.contains(&b'\\'),
        Some(b'.' | b'g' | b'G' | b' ' | 0x80..) => {
            let folded = fold::folded(part);
            matches!(&*folded, b"." | b".." | b".git" | b"git~1") || is_dots(part)
        }
        Some(_) => false,
    })
}

/// `..` and `.`, with what Windows leaves out at the end.
fn is_dots(part: &[u8]) -> bool {
    matches!(part, b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::is_of_git;
    use crate::facts::Event::{Ci, PrePush};
    use crate::rules::testing::Scene;

    #[test]
    fn names_of_git() {
        for path in [
            ".git/config",
            "a/.GIT/x",
            "git~1/x",
            "GIT~1",
            ".git./x",
            ".git ",
            ".git::$INDEX_ALLOCATION/x",
            "a/../b",
            "./a",
            "a\\..\\b",
            "a//b",
            ".g\u{200c}it/x",
        ] {
            assert!(is_of_git(path.as_bytes()), "{path}");
        }
        for path in
            [".gitignore", "a/.github/x", "git/x", ".gitx/a", "...", "a..b", "git~2x", "digit~1", "a\\b"]
        {
            assert!(!is_of_git(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn in_what_is_pushed() {
        for event in [PrePush, Ci] {
            assert_eq!(Scene::new(event, "").files(&["x/.GIT/hooks/a"]).of("git-path").len(), 1);
        }
    }
}
