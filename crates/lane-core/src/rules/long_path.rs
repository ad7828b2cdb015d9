//! `long-path`

use super::{Context, Draft, Findings, Need, Rule, TouchedPath};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "long-path",
    summary: "a path longer than the policy allows",
    docs: "\
## What it finds
A file that a change adds whose path has more bytes than `files.max_path`. It binds maintainers too.

## Why
Windows takes no path of more than 260 characters unless told otherwise, the folder of the checkout included; other
tools stop sooner.

## Example
With `max_path: 200`, a generated test fixture below twelve folders.

## How to get on
Give it a shorter name: `git mv OLD NEW` where it is staged. Where it is in commits already: `git lane drop -- PATH`, then
rename it and commit it again.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files],
    is_wanted: |plan| plan.policy.files.max_path.is_some(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(limit) = &context.plan.policy.files.max_path else { return Ok(()) };
    for touched in context.touched()?.iter().filter(|touched| !touched.is_elsewhere) {
        let length = touched.path.0.len();
        if length as u64 <= limit.value || !is_added(context, touched) {
            continue;
        }
        let draft = Draft {
            headline: format!("whose path has {length} bytes; the limit is {}", limit.value),
            help: format!("give it a shorter name, or leave it out:\n{}", context.take_out(touched)),
            span: limit.span,
            ..Draft::default()
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

/// Whether something brings the path that was not there before.
fn is_added(context: &Context<'_>, touched: &TouchedPath<'_>) -> bool {
    let mut files = context.file_changes().filter(|file| file.path == *touched.path);
    files.any(|file| file.old.is_none() && file.new.is_some())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::rules::testing::Scene;

    #[test]
    fn paths_over_the_limit() {
        let scene = |path: &str| {
            let text = "version: 1\nfiles: { max_path: 20 }\n";
            Scene::new(PreCommit, "").with("version: 1\n", text).files(&[path]).of("long-path")
        };
        assert_eq!(scene(&"a".repeat(20)), [""; 0]);
        assert_eq!(scene(&"a".repeat(21)).len(), 1);
        assert_eq!(scene(&"é".repeat(11)).len(), 1);
    }
}
