//! `large-file`

use std::collections::HashMap;

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{RepoPath, Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "large-file",
    summary: "a file larger than the policy allows",
    docs: "\
## What it finds
A file that a change adds or edits and that has more bytes than `files.max_size`, unless a pattern of `files.except` has it. Sizes are
those of git's objects: a file of Git LFS is as large as its pointer. Each commit is looked at, so that a file which a later commit
deletes is found too. It binds maintainers too.

## Why
Whatever was pushed once is in every clone for good. Hosts refuse files from some size on (GitHub: 100 MB), and only when
it is pushed.

## Example
With `max_size: 5MB`, a database dump of 40 MB.

## How to get on
`git restore --staged -- PATH` takes it out of the commit and leaves it on disk. Where it is in commits already:
`git lane drop -- PATH`. If it belongs into the repository, put it under Git LFS, or ask a maintainer for a pattern under
`files.except`.
",
    level: Level::Error,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Sizes],
    is_wanted: |plan| plan.policy.files.max_size.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(limit) = &context.plan.policy.files.max_size else { return Ok(()) };
    let sizes = context.change.sizes.get()?;
    if sizes.values().all(|size| *size <= limit.value.bytes) {
        return Ok(());
    }
    let mut large: HashMap<&RepoPath, u64> = HashMap::new();
    for file in context.file_changes() {
        let size = file.new.and_then(|version| sizes.get(&version.oid)).copied().unwrap_or_default();
        if size > limit.value.bytes {
            let known = large.entry(&file.path).or_default();
            *known = size.max(*known);
        }
    }
    for touched in context.touched()?.iter().filter(|touched| !touched.is_elsewhere) {
        if context.plan.files.is_excepted(&touched.path.0) {
            continue;
        }
        let Some(size) = large.get(touched.path) else { continue };
        let draft = Draft {
            headline: format!("of {}; the limit is {}", megabytes(*size), limit.value),
            help: context.take_out(touched),
            span: limit.span,
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

/// As people read it: `5.2 MB`, or bytes where that says no more.
fn megabytes(bytes: u64) -> String {
    if bytes < 1_000_000 {
        return format!("{bytes} bytes");
    }
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::Fact;
    use crate::rules::testing::{Scene, oid};

    fn scene(size: u64) -> Scene {
        let text = "version: 1\nfiles: { max_size: 5MB, except: ['*.onnx'] }\n";
        Scene::new(PreCommit, "")
            .with("version: 1\n", text)
            .change(|change| change.sizes = Fact::Known([(oid(9), size)].into()))
    }

    #[test]
    fn files_over_the_limit() {
        assert_eq!(scene(5_000_000).files(&["a.bin"]).of("large-file"), [""; 0]);
        let scene = scene(5_000_001).files(&["a.bin", "b.onnx"]);
        assert_eq!(scene.headlines(), ["of 5.1 MB; the limit is 5MB"]);
    }

    #[test]
    fn sizes_that_nobody_knows_do_not_pass() {
        let scene = scene(1).files(&["a.bin"]).change(|change| change.sizes = Fact::NotGathered);
        assert!(scene.findings()[0].starts_with("undecided: "));
    }
}
