//! `forbidden-file`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "forbidden-file",
    summary: "a file that the policy forbids by its path",
    docs: "\
## What it finds
A file that a change adds or edits and that a pattern of `files.forbid` has, unless one of `files.except` has it too. Case makes no
difference: `*.pem` has `KEY.PEM`. Deleting one passes. It binds maintainers too; what the base has already is left alone until
somebody edits it.

## Why
Keys, databases, archives and folders of dependencies get in with `git add -A`, and stay in history for good.

## Example
`git add -A` takes `node_modules/` along, where the policy has `files: { forbid: [node_modules/, \"*.pem\"] }`.

## How to get on
`git restore --staged -- PATH` takes it out of the commit and leaves it on disk; a line in `.gitignore` keeps it out. Where it is in
commits already: `git lane drop -- PATH`. If it belongs there, ask a maintainer for a pattern under `files.except`.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files],
    is_wanted: |plan| !plan.policy.files.forbid.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in context.touched()?.iter().filter(|touched| !touched.is_elsewhere) {
        let Some(at) = context.plan.files.forbidden(&touched.path.0, touched.is_folder) else { continue };
        if !touched.brings_version() {
            continue;
        }
        let pattern = &context.plan.policy.files.forbid[at];
        let draft = Draft {
            headline: format!("that `{}` forbids", pattern.value),
            help: context.take_out(touched),
            span: pattern.span,
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::Fact;
    use crate::rules::testing::Scene;

    fn scene(agent: &str, paths: &[&str]) -> Scene {
        let files = "files: { forbid: ['*.pem', node_modules/], except: [services/rag_pipeline/fixtures/] }";
        Scene::new(PreCommit, agent).with("version: 1\n", &format!("version: 1\n{files}\n")).files(paths)
    }

    #[test]
    fn files_by_name_and_folder() {
        let paths = ["services/rag_pipeline/KEY.PEM", "services/rag_pipeline/node_modules/a.js"];
        assert_eq!(scene("a2", &paths).of("forbidden-file").len(), 2);
        assert_eq!(scene("", &paths).of("forbidden-file").len(), 2, "maintainers too");
    }

    #[test]
    fn what_may_be_there() {
        let paths = ["services/rag_pipeline/fixtures/a.pem", "services/rag_pipeline/pem", "node_modules"];
        assert_eq!(scene("", &paths).of("forbidden-file"), [""; 0]);
    }

    #[test]
    fn deleting_one_is_right() {
        let scene = scene("", &["a.pem"]).change(|change| {
            for files in [&mut change.files, &mut change.staged] {
                if let Fact::Known(files) = files {
                    files[0].old = files[0].new.take();
                }
            }
        });
        assert_eq!(scene.of("forbidden-file"), [""; 0]);
    }
}
