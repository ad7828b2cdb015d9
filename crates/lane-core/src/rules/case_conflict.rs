//! `case-conflict`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "case-conflict",
    summary: "a name that is another file of the tree where case makes no difference",
    docs: "\
## What it finds
A file that a change adds beside another file or folder whose name differs by case alone, by its Unicode form, or by a dot at the end.

It is off unless the policy has a level for it: `rules: { case-conflict: error }`. It binds maintainers too.

## Why
On Windows and macOS the two are one file: a checkout writes one over the other, and git shows a change that nobody made.

## Example
The tree has `docs/Setup.md`, and a change adds `docs/setup.md`.

## How to get on
Give it another name, or rename the other one in the same change: `git mv docs/Setup.md docs/setup.md`.
",
    level: Level::Off,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Twins],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let twins = context.change.twins.get()?;
    if twins.is_empty() {
        return Ok(());
    }
    let touched = context.touched()?;
    for (path, other) in twins {
        let Some(touched) = touched.iter().find(|touched| touched.path == path && !touched.is_elsewhere)
        else {
            continue;
        };
        let draft = Draft {
            headline: format!("that is the same as {other} where case and Unicode form make no difference"),
            span: context.level_span("case-conflict"),
            help: format!("give it another name, or leave it out:\n{}", context.take_out(touched)),
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::{Fact, RepoPath};
    use crate::rules::testing::Scene;

    fn scene() -> Scene {
        let path = |name: &str| RepoPath(name.into());
        let twins = vec![(path("docs/setup.md"), path("docs/Setup.md"))];
        Scene::new(PreCommit, "").files(&["docs/setup.md"]).change(|change| change.twins = Fact::Known(twins))
    }

    #[test]
    fn only_where_the_policy_says_so() {
        assert_eq!(scene().of("case-conflict"), [""; 0]);
        let scene = scene().with("rules: { stale-base: warn }", "rules: { case-conflict: error }");
        assert_eq!(scene.of("case-conflict"), ["error case-conflict docs/setup.md"]);
    }
}
