//! Whether git runs our hooks here, and whether they run this program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Check;
use crate::install::block::{Block, split};
use crate::install::in_force::{self, HookGap};
use crate::install::os::{bytes_of, is_executable, is_same_file, read};
use crate::install::places::{Places, previous_folder};
use crate::install::program::{started_by, starter};
use crate::install::scripts::{Kind, binary_of, hooks_in, present, render};
use crate::install::settings::OWN_CONFIG;
use crate::install::targets::is_same;
use lane_core::error::Error;
use lane_core::hooks;
use lane_core::policy::Plan;
use lane_core::policy::model::Unverified;
use lane_core::report::quote;
use lane_git::worktrees::Worktree;
use lane_git::{Layout, Repository};

pub(super) const INSTALL: &str = "git lane install";
const HOOKS: &str = "hooks";
const OTHERS: &str = "hooks of other worktrees";
const SCRIPTS: &str = "scripts";
const BINARY: &str = "binary";
const LOCKS: &str = "lock files";

/// How old a lock must be before it is worth a word: git holds them for an instant.
const STALE: Duration = Duration::from_secs(10);

pub(super) fn examine(
    repo: &dyn Repository,
    variables: &[(OsString, OsString)],
) -> Result<Vec<Check>, Error> {
    let layout = repo.layout();
    let places = Places::of(layout);
    let values = repo.config("core.hooksPath")?;
    let lacks = in_force::survey(layout)?;
    let mut checks = vec![check_hooks_path(repo, &places, &lacks, variables)?];
    let scripts = present(&places.hooks)?;
    if places.hooks.is_dir() || places.worktree_config.is_file() {
        checks.extend(of_scripts(layout, &places, &scripts)?);
    }
    if !scripts.is_empty() {
        checks.extend(earlier(&values, repo, &scripts));
    }
    checks.extend(elsewhere(repo, &lacks));
    checks.extend(locks(&places, &layout.git_dir));
    Ok(checks)
}

/// Whether the guard that the policy asks for is installed, where anything is.
pub(super) fn guard(layout: &Layout, plan: &Plan) -> Option<Check> {
    let places = Places::of(layout);
    if plan.policy.history.unverified.value == Unverified::Allow || !places.hooks.is_dir() {
        return None;
    }
    let missing = hooks::names(|hook| hook.is_guard && !in_force::is_script(&places.hooks, hook.name));
    let said = format!("`history.unverified: deny` needs {}, which is not installed", missing.join(", "));
    (!missing.is_empty()).then(|| Check::problem(SCRIPTS, said, INSTALL))
}

/// Whether git looks for its hooks where ours are.
fn check_hooks_path(
    repo: &dyn Repository,
    places: &Places,
    lacks: &[(Worktree, HookGap)],
    variables: &[(OsString, OsString)],
) -> Result<Check, Error> {
    if let Some(name) = overriding(variables) {
        return Ok(Check::problem(
            HOOKS,
            format!("the variable {name} sets core.hooksPath, which overrides every configuration file"),
            format!("unset {name}"),
        ));
    }
    if repo.layout().worktree.is_none() {
        let detail = "a bare repository: each worktree has its own hooks; `git lane install --server` judges pushes to it";
        return Ok(Check::ok(HOOKS, detail));
    }
    let layout = repo.layout();
    let here = lacks.iter().find(|(tree, _)| is_same(&tree.git_dir, &layout.git_dir));
    let lack = match here {
        Some((_, lack)) => Some(lack),
        None => {
            let is_nowhere = !places.hooks.is_dir() && !places.worktree_config.is_file();
            is_nowhere.then_some(&HookGap::NotInstalled)
        }
    };
    let own = read(&layout.git_dir.join(OWN_CONFIG))?;
    let is_installed = split(own.as_deref(), Block::Hooks).is_present;
    Ok(match lack {
        None if is_installed => {
            Check::ok(HOOKS, format!("installed; the scripts are in {}", places.hooks.display()))
        }
        None => Check::warning(
            HOOKS,
            "core.hooksPath points to the scripts, but was not set by git lane install",
            INSTALL,
        ),
        Some(HookGap::NotInstalled) => {
            Check::problem(HOOKS, "git-lane's hooks are not installed in this worktree", INSTALL)
        }
        Some(lack @ HookGap::Elsewhere(_)) => Check::problem(
            HOOKS,
            format!("{}, not git-lane's; it was set after git lane install", lack.words()),
            format!("{INSTALL}\nthe hooks of that folder then run after git-lane's"),
        ),
        Some(lack) => Check::problem(HOOKS, lack.words(), INSTALL),
    })
}

/// The worktrees that lack hooks, apart from this one.
fn elsewhere(repo: &dyn Repository, lacks: &[(Worktree, HookGap)]) -> Vec<Check> {
    let layout = repo.layout();
    let others = lacks.iter().filter(|(tree, _)| !is_same(&tree.git_dir, &layout.git_dir));
    let check = |(tree, lack): &(Worktree, HookGap)| {
        let detail = format!("{}: {}", tree.root.display(), lack.words());
        let help = format!("git lane -C {} install", quote(&bytes_of(&tree.root)));
        // Whoever works in the main worktree is a maintainer as a rule.
        match lack {
            HookGap::NotInstalled if tree.git_dir == layout.common_dir => {
                Check::warning(OTHERS, detail, help)
            }
            _ => Check::problem(OTHERS, detail, help),
        }
    };
    others.map(check).collect()
}

/// The variable that sets the hooks path for everything that runs with it.
fn overriding(variables: &[(OsString, OsString)]) -> Option<String> {
    let is_set = |(name, value): &&(OsString, OsString)| {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy().to_ascii_lowercase());
        match name.as_ref() {
            "GIT_CONFIG_PARAMETERS" => value.contains("core.hookspath"),
            name => name.starts_with("GIT_CONFIG_KEY_") && value == "core.hookspath",
        }
    };
    variables.iter().find(is_set).map(|(name, _)| match name.to_string_lossy() {
        name if name.starts_with("GIT_CONFIG_KEY_") => "GIT_CONFIG_COUNT".to_owned(),
        name => name.into_owned(),
    })
}

/// Whether the scripts are whole, and start this program.
fn of_scripts(layout: &Layout, places: &Places, scripts: &[(String, Vec<u8>)]) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    let mut wrong = Vec::new();
    let mut renamed = 0;
    for name in hooks::names(|hook| hook.is_script) {
        let path = places.hooks.join(name);
        match read(&path)? {
            None => wrong.push(format!("{name} is missing")),
            Some(_) if scripts.iter().any(|(script, _)| script == name) => {}
            // A manager starts ours under another name.
            Some(_) if in_force::runs_ours(layout, &places.hooks, name) => renamed += 1,
            Some(_) => {
                wrong.push(format!("{name} was replaced by another program"));
            }
        }
    }
    let mut binaries: Vec<PathBuf> = Vec::new();
    for (name, text) in scripts.iter().filter(|(name, _)| hooks::of_git(name).is_some()) {
        let binary = binary_of(text);
        let program = started_by(text);
        if binary
            .as_ref()
            .is_none_or(|binary| render(Kind::Folder, name, binary, program.as_deref()) != *text)
        {
            wrong.push(format!("{name} was modified, or is of another version"));
        } else if let Some(program) = program.filter(|program| !is_executable(program)) {
            wrong
                .push(format!("{name} is started by {}, which does not exist: it blocks", program.display()));
        } else if !is_executable(&places.hooks.join(name)) {
            wrong.push(format!("{name} is not executable"));
        }
        binaries.extend(binary.filter(|binary| !binaries.contains(binary)));
    }
    checks.push(if wrong.is_empty() {
        Check::ok(SCRIPTS, format!("{} scripts, all intact", scripts.len() + renamed))
    } else {
        Check::problem(SCRIPTS, wrong.join("; "), INSTALL)
    });
    checks.extend(binaries.iter().map(|binary| of_binary(binary, INSTALL)));
    let starts = |binary: &Path| {
        is_same_file(&places.program, binary) || is_same_file(&places.program, &starter(binary))
    };
    let is_earlier = |binary: &&PathBuf| is_executable(binary) && !starts(binary);
    if places.program.exists()
        && let Some(binary) = binaries.iter().find(is_earlier)
    {
        checks.push(Check::warning(
            BINARY,
            format!(
                "{} was reinstalled since: each hook starts the previous program, which starts the new one",
                binary.display()
            ),
            format!("{INSTALL} makes them start it directly"),
        ));
    }
    Ok(checks)
}

pub(super) fn of_binary(binary: &Path, install: &str) -> Check {
    let shown = binary.display();
    if !is_executable(binary) {
        return Check::problem(
            BINARY,
            format!("the scripts start {shown}, which is missing or not executable: they block everything"),
            install,
        );
    }
    match std::env::current_exe() {
        Ok(this) if !is_same(&this, binary) => Check::warning(
            BINARY,
            format!("the scripts start {shown}, but this is {}", this.display()),
            format!("{install} makes them start this one"),
        ),
        _ => Check::ok(BINARY, format!("the scripts start {shown}")),
    }
}

/// Hooks that came into the earlier folder after the installation: ours hide them.
fn earlier(values: &[String], repo: &dyn Repository, scripts: &[(String, Vec<u8>)]) -> Option<Check> {
    let folder = previous_folder(values, repo.layout());
    let hooks = hooks_in(&folder);
    let hidden = |name: &&str| !scripts.iter().any(|(script, _)| script == name);
    let hidden: Vec<&str> = hooks.into_iter().filter(hidden).collect();
    let detail = format!("git no longer runs {} of {}", hidden.join(", "), folder.display());
    (!hidden.is_empty()).then(|| Check::warning("earlier hooks", detail, INSTALL))
}

/// Locks that a killed process left behind.
fn locks(places: &Places, git_dir: &Path) -> Vec<Check> {
    let locks = [places.common.join("config.lock"), git_dir.join("config.worktree.lock")];
    let mut checks = Vec::new();
    for lock in locks {
        let Ok(modified) = std::fs::metadata(&lock).and_then(|data| data.modified()) else {
            continue;
        };
        let age = SystemTime::now().duration_since(modified).unwrap_or_default();
        if age >= STALE {
            checks.push(Check::problem(
                LOCKS,
                format!(
                    "{} is {} s old: a git process was killed while writing, and blocks all others",
                    lock.display(),
                    age.as_secs()
                ),
                format!("if no git process is running: rm {}", quote(&bytes_of(&lock))),
            ));
        }
    }
    checks
}
