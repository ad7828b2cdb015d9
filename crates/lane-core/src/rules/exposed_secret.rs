//! `exposed-secret`

use super::hits::HitDraft;
use super::{Context, Findings, Need, Rule};
use crate::facts::{Found, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "exposed-secret",
    summary: "a new line with a key or token of a well-known provider",
    docs: "\
## What it finds
A line that a change adds with a key or token that is told by its form: those of AWS, GitHub, GitLab, Slack, Stripe, Google, OpenAI, Anthropic, npm,
PyPI and others, and the first line of a private key. It is asked for with `content: secrets`, or with an entry `builtin: secrets`. What looks
like an example (`AKIAIOSFODNN7EXAMPLE`, `xxxx`) is left alone. Each commit is looked at, so that a key which a later commit takes out is
found too. The key itself is never shown. It binds maintainers too.

## Why
Whatever was pushed once has to be taken for known: keys in public repositories are tried within minutes.

## Example
An agent writes the token from its environment into a test.

## How to get on
Take it out of the file, and read it from the environment. Where it is in commits already: `git lane drop -- PATH` takes the file out of them and leaves your
edit. If it was ever pushed, revoke it first. A key that is none: ask a maintainer for a pattern under `except`, or for a `marker` that lets
a line stand.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Content],
    is_wanted: |plan| plan.policy.content.0.iter().any(|entry| entry.builtin.is_some()),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let rules = &context.plan.policy.content.0;
    context.hit_findings(findings, true, |found, shown| {
        let Found::Secret { entry, name } = found else { return None };
        let rule = rules.get(*entry)?;
        let span = rule.builtin.as_ref().and_then(|builtin| builtin.span);
        let what = if shown.ends_with('…') { format!("{name} ({shown})") } else { (*name).to_owned() };
        let fix = rule
            .message
            .as_ref()
            .map_or("take it out and read it from the environment", |message| &message.value);
        Some(HitDraft { what, fix: fix.to_owned(), span })
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
    fn a_key_is_never_shown() {
        let found = Found::Secret { entry: 0, name: "a GitHub token" };
        let scene = scene(found, true).with("version: 1\n", "version: 1\ncontent: secrets\n");
        assert_eq!(scene.of("exposed-secret"), ["error exposed-secret docs/a"]);
        assert_eq!(scene.headlines(), ["with a GitHub token (ghp_…) in lines 3, 7"]);
        assert_eq!(scene.of("forbidden-content"), [""; 0]);
    }

    #[test]
    fn of_a_commit_alone() {
        let found = Found::Secret { entry: 0, name: "a GitHub token" };
        let scene = scene(found, false).with("version: 1\n", "version: 1\ncontent: secrets\n");
        assert_eq!(scene.headlines(), ["with a GitHub token (ghp_…) in lines 3, 7 of commit 0303030303"]);
    }
}
