//! `committer-pattern`

use super::people::Role;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "committer-pattern",
    summary: "a commit whose committer's name or address does not match the pattern",
    docs: "\
## What it finds
A commit whose committer has another address than the regular expression `committer.email` matches, or another name than `committer.name` does. A
pattern may match any part; `^` and `$` are the ends, `(?i)` in front has case make no difference. A `.mailmap` changes nothing. Merges count as any
other commit; commits that the remote has are not judged again. It binds maintainers too.

## Why
The author of a commit may be anybody, where patches of others are taken. The committer is who took them in.

## Example
With `committer: { email: '@example\\.com$' }`, a commit on a new machine, where `user.email` was never set. A commit that was made on GitHub's pages has
`noreply@github.com`.

## How to get on
`git config user.email ADDRESS`, then commit again. `git commit --amend --no-edit` makes the last commit again, `git rebase --force-rebase BASE` all of a branch;
authors stay who they are.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::People],
    is_wanted: |plan| !plan.expressions.committer.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    context.people_findings(Role::Committer, &context.plan.expressions.committer, findings)
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::rules::testing::Scene;

    const KEY: &str = "version: 1\ncommitter: { email: '@x\\.org$' }\n";

    #[test]
    fn committers() {
        let found = |committer: &str| {
            let scene = Scene::new(CommitMsg, "").policy(KEY).message("x");
            scene.people("nobody <n@y>", committer).findings().len()
        };
        assert_eq!(found("Ada <ada@x.org>"), 0);
        assert_eq!(found("Ada <ada@y>"), 1);
    }

    #[test]
    fn at_push() {
        let scene = Scene::new(PrePush, "").policy(KEY).people("Ada <ada@y>", "Bob <b@y>");
        let scene = scene.commit(7, "x", &[]).commit(8, "y", &[]);
        assert_eq!(scene.findings(), ["error committer-pattern @07", "error committer-pattern @08"]);
        assert!(scene.helps()[0].contains("git rebase --force-rebase --autostash"));
    }
}
