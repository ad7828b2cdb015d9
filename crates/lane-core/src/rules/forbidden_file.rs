//! `forbidden-file`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "forbidden-file",
    summary: "a file that the policy forbids by its path",
    docs: "\
## What it finds
A file that a change adds or edits and that a pattern of `files.forbid` or an extension of `files.extensions` has, unless one of
`files.except` has it too. Case makes no difference: `*.pem` has `KEY.PEM`, `exe` has `SETUP.EXE`. Deleting one passes. It binds maintainers too; what the base has already is left alone until
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
    is_wanted: |plan| !plan.policy.files.forbid.is_empty() || !plan.policy.files.extensions.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    for touched in context.touched()?.iter().filter(|touched| !touched.is_elsewhere) {
        let (rules, files) = (&context.plan.files, &context.plan.policy.files);
        let (path, is_folder) = (&touched.path.0, touched.is_folder);
        let by_pattern = rules.forbidden(path, is_folder).map(|at| &files.forbid[at]);
        let by_extension = || rules.forbidden_extension(path, is_folder).map(|at| &files.extensions[at]);
        let Some(pattern) = by_pattern.or_else(by_extension) else { continue };
        if !touched.brings_version() {
            continue;
        }
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
    fn files_by_extension() {
        let files = "files: { extensions: [exe, .min.js], except: [services/rag_pipeline/fixtures/] }";
        let scene = |path: &str| {
            let scene = Scene::new(PreCommit, "a2");
            scene
                .with("version: 1\n", &format!("version: 1\n{files}\n"))
                .files(&[path])
                .of("forbidden-file")
                .len()
        };
        for path in [
            "services/rag_pipeline/SETUP.EXE",
            "services/rag_pipeline/a.min.js",
            "services/rag_pipeline/.exe",
        ] {
            assert_eq!(scene(path), 1, "{path}");
        }
        for path in ["exe", "a.exe/b", "a.exec", "min.js", "fixtures/a.exe"] {
            assert_eq!(scene(&format!("services/rag_pipeline/{path}")), 0, "{path}");
        }
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
