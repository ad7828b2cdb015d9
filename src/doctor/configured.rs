//! Whether the git at hand starts the hooks that the configuration names, as git 2.54 and newer do.

use std::path::Path;
use std::time::Duration;

use super::Check;
use super::hooks::INSTALL;
use crate::install::places::Places;
use lane_core::hooks;
use lane_git::Repository;
use lane_git::command::{CommandOutput, in_worktree, run};

const NAME: &str = "configured hooks";

/// How long git may take to list its hooks.
const LIMIT: Duration = Duration::from_secs(10);

/// Nothing where none are installed.
pub(super) fn examine(repo: &dyn Repository) -> Option<Check> {
    let layout = repo.layout();
    let root = layout.worktree.as_ref()?;
    if !Places::of(layout).configured.is_dir() {
        return None;
    }
    let mut wrong = Vec::new();
    let mut helps = Vec::new();
    for name in hooks::names(|hook| hook.is_configured) {
        let listed = match ask(root, &["hook", "list", "--allow-unknown-hook-name", name]) {
            // With none it says so, and fails.
            Some(ran) if ran.ok || !is_unknown(&ran) => ran.stdout,
            _ => return Some(of_an_older_git(root)),
        };
        if hooks::is_configured(name, &listed) {
            continue;
        }
        let ours = format!("{}{name}", hooks::CONFIGURED_AS);
        match disabled(root, &ours, name) {
            Some((key, scope)) => {
                wrong.push(format!("{key} is false for {name}"));
                helps.push(match scope.as_str() {
                    "command" => "clear the variable: unset GIT_CONFIG_COUNT".to_owned(),
                    scope => format!("git config --{scope} --unset-all {key}"),
                });
            }
            None => {
                wrong.push(format!("git finds no {ours}"));
                helps.push(INSTALL.to_owned());
            }
        }
    }
    helps.sort_unstable();
    helps.dedup();
    Some(match wrong.as_slice() {
        [] => Check::ok(NAME, "git starts all of them, whatever core.hooksPath says"),
        _ => Check::problem(NAME, wrong.join("; "), helps.join("\n")),
    })
}

/// No finding by itself: the scripts of the hooks folder do the same.
fn of_an_older_git(root: &Path) -> Check {
    let version = ask(root, &["--version"]).map(|ran| ran.stdout.trim().to_owned()).unwrap_or_default();
    let version = if version.is_empty() { "this git".to_owned() } else { version };
    Check::ok(
        NAME,
        format!(
            "{version} starts none (2.54 and newer do): where another program replaces pre-push, plain pushes are not judged"
        ),
    )
}

/// Whether git knows no such command or option.
fn is_unknown(ran: &CommandOutput) -> bool {
    ["usage: ", "unknown subcommand", "is not a git command"]
        .iter()
        .any(|words| ran.error_text().contains(words))
}

/// The setting that keeps git from starting one of our hooks, and where it is.
fn disabled(root: &Path, ours: &str, event: &str) -> Option<(String, String)> {
    [ours, event].into_iter().find_map(|name| {
        let key = format!("hook.{name}.enabled");
        let ran =
            ask(root, &["config", "--show-scope", "--type=bool", "--get", &key]).filter(|ran| ran.ok)?;
        let (scope, value) = ran.stdout.trim().split_once('\t')?;
        (value == "false").then(|| (key, scope.to_owned()))
    })
}

fn ask(root: &Path, args: &[&str]) -> Option<CommandOutput> {
    let mut git = in_worktree(root);
    git.args(args);
    run(git, None, LIMIT).ok()
}
