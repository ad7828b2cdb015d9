//! `local-file`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{CommitForm, Stage, Unavailable};
use crate::policy::model::{Access, Level};
use crate::policy::{Plan, Spanned, fold};

pub static RULE: Rule = Rule {
    id: "local-file",
    summary: "a file that must stay local",
    docs: "\
## What it finds
A file under an area with `access: never`, or one of `setup.instructions`, that a change adds or edits. Deleting one that was committed
by mistake is right, and passes.

## Why
`.agent.env` and its like hold one agent's identity, ports and keys. Committed, they reach every other
worktree and override what is there.

## Example
`git add -A` takes `AGENT_FOCUS.md` along.

## How to get on
`git restore --staged -- PATH` takes it out of the commit and leaves it on disk; a line in
`.git/info/exclude` keeps it out. Where it is in commits already: `git lane drop -- PATH`.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files],
    is_wanted: |plan| plan.has_area(Access::Never) || plan.policy.setup.instructions.iter().any(is_written),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in context.touched()? {
        if touched.access() != Some(Access::Never) && !is_instruction(context.plan, &touched.path.0) {
            continue;
        }
        let commits = &touched.commits;
        let brings = |path| {
            let of_path = move |file: &&crate::facts::FileChange| &file.path == path;
            commits.iter().any(|commit| commit.files.iter().filter(of_path).any(|file| file.new.is_some()))
        };
        if !touched.is_present && !brings(touched.path) {
            continue;
        }
        let is_untracked = context.facts.form == CommitForm::Worktree && touched.commits.is_empty();
        let draft = Draft {
            headline: "that must stay local".to_owned(),
            help: if is_untracked {
                // It is in use: putting it aside would take it away from whatever reads it.
                "keep it out of your commits; a line in .git/info/exclude hides it from git".to_owned()
            } else {
                context.take_out(touched)
            },
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

/// Instructions that the policy names stay local, like `AGENT_FOCUS.md`, whether an area says so or not.
fn is_instruction(plan: &Plan, path: &[u8]) -> bool {
    let named = plan.policy.setup.instructions.iter().filter(|name| is_written(name));
    let path = fold::folded(path);
    named.map(|name| fold::folded(name.value.as_bytes())).any(|name| name == path)
}

fn is_written(name: &Spanned<String>) -> bool {
    name.span.is_some()
}

#[cfg(test)]
mod tests {
    use crate::facts::{Event::PreCommit, Fact};
    use crate::rules::testing::Scene;

    #[test]
    fn local_files_at_any_depth() {
        let scene =
            Scene::new(PreCommit, "a2").files(&["x/AGENT_FOCUS.md", "notes.local", ".locks/.common-lock-a2"]);
        assert_eq!(scene.findings().len(), 3);
    }

    #[test]
    fn maintainers_too() {
        assert_eq!(
            Scene::new(PreCommit, "").files(&[".agent.env"]).findings(),
            ["error local-file .agent.env"]
        );
    }

    #[test]
    fn instructions_that_the_policy_names() {
        let scene = Scene::new(PreCommit, "a2")
            .with("version: 1\n", "version: 1\nsetup: { instructions: [CLAUDE.local.md] }\n");
        assert_eq!(scene.files(&["CLAUDE.local.md"]).findings(), ["error local-file CLAUDE.local.md"]);
    }

    #[test]
    fn deleting_one_is_right() {
        let scene = Scene::new(PreCommit, "a2").files(&[".agent.env"]).change(|change| {
            for files in [&mut change.files, &mut change.staged] {
                if let Fact::Known(files) = files {
                    files[0].old = files[0].new.take();
                }
            }
        });
        assert_eq!(scene.findings().len(), 0);
    }
}
