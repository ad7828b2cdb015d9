//! Where git does not run the hooks.

use super::Line;
use crate::facts::Unavailable;
use crate::gather::Repository;
use crate::install::in_force::{self, Lack};
use crate::install::is_same;
use crate::report::quote;

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
    for (tree, lack) in found {
        let is_main = tree.git_dir == layout.common_dir;
        if is_main && lack == Lack::NotInstalled {
            continue; // a maintainer's as a rule
        }
        let root = quote(tree.root.as_os_str().as_encoded_bytes());
        let help = format!("git lane -C {root} install");
        let note = match lack {
            Lack::Scripts(_) | Lack::ExtensionOff => {
                format!("hooks are not in force in any worktree: {}; {help}", lack.words())
            }
            _ => format!("hooks are not in force in {}: {}; {help}", tree.root.display(), lack.words()),
        };
        // All worktrees have the same scripts.
        let is_told = notes.iter().any(|told| {
            told.starts_with("hooks are not in force in any")
                && note.starts_with("hooks are not in force in any")
        });
        if !is_told {
            notes.push(note);
        }
        let is_its = |line: &&mut Line| line.root.as_ref().is_some_and(|root| is_same(root, &tree.root));
        if let Some(line) = lines.iter_mut().find(is_its) {
            line.hooks = Some(lack.words());
            let reason = format!("hooks are not in force: {}", lack.words());
            line.troubles.push(Unavailable::new(reason, help));
        }
    }
}
