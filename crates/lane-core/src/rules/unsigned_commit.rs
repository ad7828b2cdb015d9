//! `unsigned-commit`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::{Level, Presence};

pub static RULE: Rule = Rule {
    id: "unsigned-commit",
    summary: "a commit without a signature, or with one that does not fit",
    docs: "\
## What it finds
A commit without a signature, where the policy says `history: { signatures: required }`. A signature by an SSH key is verified; where the policy lists
`signing_keys` of the agent whose change it is, it has to be by one of these, otherwise by any key. Of a GPG or X.509 signature it is looked at alone
whether it is there: no keyring is asked. Merges count as any other commit; commits that the remote has are not judged again. It binds maintainers too.

## Why
Anybody can write any name into a commit. A signature shows at least that its maker had the key.

## Example
With `signatures: required`, a commit in a worktree where `commit.gpgSign` is not set.

## How to get on
`git config gpg.format ssh`, `user.signingKey <the key's file>`, `commit.gpgSign true`; `git commit --amend --no-edit -S` signs the last commit,
`git rebase --exec 'git commit --amend --no-edit -S' BASE` all of a branch. `identity: { require: proven }` asks that agents' commits are signed with their listed keys, or
come from their accounts.
",
    level: Level::Error,
    at: &[Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Messages, Need::Signatures],
    is_wanted: |plan| plan.policy.history.signatures.value == Presence::Required,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let new = context.commits()?.iter().filter(|commit| !commit.is_published && !commit.is_pushed);
    for commit in new {
        let Some(why) = context.wrong_signature(commit.signature.get()?) else { continue };
        let (amend, rebase) =
            ("git commit --amend --no-edit -S", "git rebase --exec 'git commit --amend --no-edit -S'");
        let sign = context.reword_from(Some(commit.oid), amend, rebase);
        let help = context.first_step().unwrap_or_else(|| format!("sign it: {sign}"));
        findings.add(Draft {
            headline: format!("that {why}"),
            help,
            span: context.plan.policy.history.signatures.span,
            ..Draft::of_commit(commit)
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PrePush;
    use crate::rules::testing::Scene;
    use crate::signature::{Kind, Signature};

    #[test]
    fn signatures() {
        let found = |signature: Signature| {
            let policy = "version: 1\nhistory: { signatures: required }\n";
            Scene::new(PrePush, "").policy(policy).signed(7, signature).findings()
        };
        assert_eq!(found(Signature::None), ["error unsigned-commit @07"]);
        let bad = Signature::Invalid { reason: "does not fit".into(), key: None };
        assert_eq!(found(bad), ["error unsigned-commit @07"]);
        assert_eq!(found(Signature::OtherKind(Kind::OpenPgp)), [] as [&str; 0]);
        let policy = "version: 1\nhistory: { signatures: required }\n";
        let unread = Scene::new(PrePush, "").policy(policy).commit(7, "x", &[]);
        assert!(unread.findings()[0].starts_with("undecided: "));
    }
}
