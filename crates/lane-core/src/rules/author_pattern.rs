//! `author-pattern`

use super::people::Role;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "author-pattern",
    summary: "a commit whose author's name or address does not match the pattern",
    docs: "\
## What it finds
A commit whose author has another address than the regular expression `author.email` matches, or another name than `author.name` does. A pattern may match
any part; `^` and `$` are the ends, `(?i)` in front has case make no difference. A `.mailmap` changes nothing. Merges count as any other commit;
commits that the remote has are not judged again. It binds maintainers too.

## Why
By the address people, hosts and statistics know whose work it is. A machine's own (`root@build-7`) leads nowhere, and stays for good.

## Example
With `author: { email: '@example\\.com$' }`, a commit on a new machine, where `user.email` was never set.

## How to get on
`git config user.email ADDRESS`, then commit again. `git commit --amend --no-edit --reset-author` makes the last commit one's own; the finding has the
command for several, which leaves those of others as they are. Work of somebody whom the policy does not take has to be landed by somebody it does take, or
needs another pattern.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::People],
    is_wanted: |plan| !plan.expressions.author.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    context.people_findings(Role::Author, &context.plan.expressions.author, findings)
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::facts::Fact;
    use crate::rules::testing::Scene;

    const KEY: &str = "version: 1\nauthor: { email: '@x\\.org$', name: '^[A-Z]' }\n";

    fn found(author: &str) -> Vec<String> {
        let scene = Scene::new(CommitMsg, "").policy(KEY).message("x").people(author, "nobody <n@y>");
        scene.headlines()
    }

    #[test]
    fn authors() {
        assert_eq!(found("Ada <ada@x.org>"), [] as [&str; 0]);
        assert_eq!(
            found("Ada <ada@x.org.y>"),
            ["the author's address `ada@x.org.y` does not match `@x\\.org$`"]
        );
        assert_eq!(found("ada <ada@x.org>"), ["the author's name `ada` does not match `^[A-Z]`"]);
        assert_eq!(found("ada <>").len(), 2);
    }

    #[test]
    fn at_push_the_commits_of_others_stay_theirs() {
        let scene = Scene::new(PrePush, "").policy(KEY);
        let scene = scene.people("Ada <ada@y>", "Bob <b@x.org>").commit(7, "x", &[]);
        let one = scene.helps();
        assert!(one[0].ends_with("git commit --amend --no-edit --reset-author --only"), "{one:?}");
        let scene = scene.people("Bob <b@x.org>", "Bob <b@x.org>").commit(8, "y", &[]);
        assert_eq!(scene.findings(), ["error author-pattern @07"]);
        let test = "test \"$(git log -1 --format=%ae)\" != \"ada@y\" || git commit";
        assert!(scene.helps()[0].contains(test), "{:?}", scene.helps());
        // What would be read by a shell is not shown to one.
        let scene = scene.people("Eve <$(rm)@y>", "Bob <b@x.org>").commit(9, "z", &[]);
        assert!(!scene.helps()[1].contains("rm"), "{:?}", scene.helps());
        let pushed = scene.change(|change| {
            if let Fact::Known(commits) = &mut change.commits {
                commits[0].is_pushed = true;
                commits[2].is_published = true;
            }
        });
        assert_eq!(pushed.findings().len(), 0);
    }
}
