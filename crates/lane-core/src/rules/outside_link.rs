//! `outside-link`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Form, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "outside-link",
    summary: "a symbolic link that leads out of the repository",
    docs: "\
## What it finds
A symbolic link that a change adds or edits and whose target is absolute, or climbs beyond the root of the repository.

It is off unless the policy has a level for it: `rules: { outside-link: error }`. It binds maintainers too.

## Why
On another machine it leads nowhere, or to a file that whoever made the link has chosen: a tool that writes through it writes there.

## Example
`ln -s /etc/passwd config/users`, or `ln -s ../../other/secrets .env`.

## How to get on
Link to a file of the repository, by a relative path, or leave the link out: `git restore --staged -- PATH`.
",
    level: Level::Off,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Content],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let content = context.change.content.get()?;
    let touched = context.touched()?;
    for (path, _) in content.forms.iter().filter(|(_, form)| *form == Form::LinksOut) {
        let Some(touched) = touched.iter().find(|touched| touched.path == path) else { continue };
        let draft = Draft {
            headline: "that is a link out of the repository".to_owned(),
            help: context.take_out(touched),
            span: context.level_span("outside-link"),
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::{Content, Fact, Form, RepoPath};
    use crate::rules::testing::Scene;

    #[test]
    fn only_where_the_policy_says_so() {
        let forms = vec![(RepoPath(b"docs/c".to_vec()), Form::LinksOut)];
        let scene = || Scene::new(PreCommit, "").files(&["docs/c"]);
        let scene = || {
            scene().change(|change| {
                change.content = Fact::Known(Content { forms: forms.clone(), ..Content::default() })
            })
        };
        assert_eq!(scene().findings(), [""; 0]);
        let scene = scene().with("rules: { stale-base: warn }", "rules: { outside-link: error }");
        assert_eq!(scene.of("outside-link"), ["error outside-link docs/c"]);
    }
}
