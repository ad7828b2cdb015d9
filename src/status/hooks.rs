//! Where git does not run the hooks.

use std::path::Path;
use std::time::Duration;

use super::Line;
use crate::install::in_force::{self, HookGap};
use crate::install::is_same;
use lane_core::facts::{Event, Unavailable};
use lane_core::hooks;
use lane_core::report::quote;
use lane_git::Repository;
use lane_git::command::{in_worktree, run};

/// How long git may take to list its hooks.
const LIMIT: Duration = Duration::from_secs(10);

/// Says it in the line of each worktree that lacks hooks, and once below.
pub(super) fn fill(repo: &dyn Repository, lines: &mut [Line], notes: &mut Vec<String>) {
    let layout = repo.layout();
    let found = match in_force::survey(layout) {
        Ok(found) => found,
        Err(error) => {
            notes.push(format!("hooks could not be checked: {error}"));
            return;
        }
    };
    let mut is_reported = false;
    for (tree, lack) in found {
        let is_main = tree.git_dir == layout.common_dir;
        if is_main && lack == HookGap::NotInstalled {
            continue; // a maintainer's as a rule
        }
        let root = quote(tree.root.as_os_str().as_encoded_bytes());
        let help = format!("git lane -C {root} install");
        if is_configured(&tree.root) {
            notes.push(format!(
                "hooks in {} are run only by git 2.54 and newer: {}; {help}",
                tree.root.display(),
                lack.words()
            ));
            continue;
        }
        // All worktrees have the same scripts.
        let is_of_all = matches!(lack, HookGap::Scripts(_) | HookGap::ExtensionOff);
        if !is_of_all {
            let root = tree.root.display();
            notes.push(format!("hooks are not in force in {root}: {}; {help}", lack.words()));
        } else if !is_reported {
            notes.push(format!("hooks are not in force in any worktree: {}; {help}", lack.words()));
            is_reported = true;
        }
        let is_its = |line: &&mut Line| line.root.as_ref().is_some_and(|root| is_same(root, &tree.root));
        if let Some(line) = lines.iter_mut().find(is_its) {
            line.hooks = Some(lack.words());
            let reason = format!("hooks are not in force: {}", lack.words());
            line.troubles.push(Unavailable::new(reason, help));
        }
    }
}

/// Whether the git that is found here starts our hooks there from its configuration, whatever the folder of hooks says. One
/// before 2.54 knows of none, and of no such command.
fn is_configured(root: &Path) -> bool {
    let mut git = in_worktree(root);
    let hook = Event::PreCommit.name();
    git.args(["hook", "list", hook]);
    let names = run(git, None, LIMIT).ok().filter(|ran| ran.ok).map(|ran| ran.stdout).unwrap_or_default();
    hooks::is_configured(hook, &names)
}
