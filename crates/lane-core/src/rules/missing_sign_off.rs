//! `missing-sign-off`

use super::messages::Said;
use super::{Context, Findings, Need, Rule};
use crate::facts::{People, Stage, Unavailable};
use crate::policy::model::{Level, Presence};

pub static RULE: Rule = Rule {
    id: "missing-sign-off",
    summary: "a message without a sign-off of its author or committer",
    docs: "\
## What it finds
A commit whose message has no line `Signed-off-by: NAME <ADDRESS>` with the address of its author or its committer, where the policy says
`message: { sign_off: required }`. Case makes no difference in addresses. What git or the host wrote for a merge is left alone, and commits
that the remote has are not judged again. It binds maintainers too.

## Why
By that line somebody says that they may give the work away: the [Developer Certificate of Origin](https://developercertificate.org/). Afterwards,
whoever wrote it has to be asked.

## Example
`git commit -m 'feat: cache'` without `-s`, or with the sign-off of somebody else alone.

## How to get on
`git commit -s` adds the line, with the address that `git var GIT_COMMITTER_IDENT` shows. `git commit --amend --no-edit -s` adds it to the last
commit, `git rebase --signoff BASE` to all of a branch.
",
    level: Level::Error,
    at: &[Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::Prose, Need::Parents, Need::People],
    is_wanted: |plan| plan.policy.message.sign_off.value == Presence::Required,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    // `git rebase --signoff` leaves merges as they are.
    let has_merges = context.change.commits.known().is_some_and(|all| all.iter().any(|one| one.parents > 1));
    let rebase = match has_merges {
        true => "git rebase --exec 'git commit --amend --no-edit --allow-empty -s'",
        false => "git rebase --signoff",
    };
    for own in context.own_messages()? {
        let People { author, committer } = context.people(own.commit)?;
        let signers = own.message.sign_offs();
        let is_by = |email: &str| signers.iter().any(|signer| signer.email.eq_ignore_ascii_case(email));
        if is_by(&author.email) || is_by(&committer.email) {
            continue;
        }
        let (made, committed) = match signers.first() {
            None => ("the message has no sign-off".to_owned(), "without a sign-off".to_owned()),
            Some(other) => (
                format!("the message has the sign-off of `{other}`, and none of its author or committer"),
                "without a sign-off of author or committer".to_owned(),
            ),
        };
        let said = Said {
            made,
            committed,
            fix: "sign it off with `-s`".to_owned(),
            span: context.plan.policy.message.sign_off.span,
            rewrite: Some(("git commit --amend --no-edit -s", rebase)),
        };
        context.message_finding(&own, said, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::rules::testing::Scene;

    const KEY: &str = "types: [], sign_off: required";

    #[test]
    fn sign_offs() {
        let found = |text: &str| {
            let scene = Scene::new(CommitMsg, "").with("types: []", KEY).message(text);
            scene.people("A <a@x>", "C <c@x>").of("missing-sign-off").len()
        };
        for good in [
            "x\n\nSigned-off-by: A <a@x>",
            "x\n\nsigned-off-by:  Another <C@X>  \r\n\r\nmore",
            "x\n\nSigned-off-by: B <b@x>\nSigned-off-by: A <a@x>",
        ] {
            assert_eq!(found(good), 0, "{good}");
        }
        for bad in [
            "x",
            "Signed-off-by: A <a@x>",
            "x\n\nSigned-off-by: A",
            "x\n\nSigned-off-by: B <b@x>",
            "x\n\n Signed-off-by: A <a@x>",
            "x\n\nNot-Signed-off-by: A <a@x>",
        ] {
            assert_eq!(found(bad), 1, "{bad}");
        }
    }

    #[test]
    fn at_push() {
        let scene = Scene::new(PrePush, "").with("types: []", KEY).people("A <a@x>", "C <c@x>");
        let scene = scene.commit(7, "x\n\nSigned-off-by: A <a@x>", &[]);
        assert_eq!(scene.findings().len(), 0, "{:?}", scene.findings());
        let scene = scene.commit(8, "y", &[]);
        assert_eq!(scene.findings(), ["error missing-sign-off @08"]);
        assert!(scene.helps()[0].contains("git rebase --signoff --autostash"));
    }
}
