//! `install`: everything is checked and written beside its place first, then put in place by
//! renaming. So a full disk changes nothing, and whoever is interrupted leaves the hooks of a
//! worktree either whole or not in force: the worktree's own configuration comes last.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::block::{Block, split};
use super::lockfile::LockedFile;
use super::outcome::{ChainedHooks, Outcome, State, WorktreeOutcome};
use super::places::{Places, previous_folder};
use super::scripts::{Kind, StagedScript, hooks_in, present, render, stage, stage_file};
use super::settings::{
    OWN_CONFIG, agent_in, common_with, hooks_block, hooks_config, hooks_config_for_git, is_extension_on,
    worktree_config,
};
use super::targets::{Target, check, check_binary, hooks_paths, is_same, targets, targets_at};
use super::{InstallOptions, manager, os, program};
use crate::gather::agent_in_file;
use lane_core::error::Error;
use lane_core::hooks;
use lane_core::policy::Plan;
use lane_core::policy::model::Unverified;
use lane_core::text::help_block;
use lane_git::Repository;

/// Installs the hooks into this worktree, or into all that the policy names.
///
/// # Errors
/// Something does not fit, or could not be read or written; then all is as it was.
pub fn install(repo: &dyn Repository, plan: &Plan, options: &InstallOptions) -> Result<Outcome, Error> {
    check(plan, options)?;
    let (targets, missing) = targets(repo, plan, options)?;
    apply(repo, plan, &options.binary, &targets, missing)
}

/// Installs the hooks into the worktrees of these agents, at these roots; also from a bare repository.
///
/// # Errors
/// Something does not fit, or could not be read or written; then all is as it was.
pub fn install_into(
    repo: &dyn Repository,
    plan: &Plan,
    binary: &Path,
    agents: &[(String, PathBuf)],
) -> Result<Outcome, Error> {
    check_binary(binary)?;
    apply(repo, plan, binary, &targets_at(repo.layout(), agents)?, Vec::new())
}

fn apply(
    repo: &dyn Repository,
    plan: &Plan,
    binary: &Path,
    targets: &[Target],
    missing: Vec<WorktreeOutcome>,
) -> Result<Outcome, Error> {
    let places = Places::of(repo.layout());
    let _guard = places.lock()?;

    let config = places.common.join("config");
    let common = os::read(&config)?.unwrap_or_default();
    let hooks = hooks_config_for_git(&places);
    let (planned, moved) = common_with(&hooks, &common, plan)?;
    let was_on = is_extension_on(&common);

    let mut names = hook_names(&places, plan)?;
    let mut worktrees = Vec::new();
    for target in targets {
        let chained = chained_hooks(repo, target, was_on)?;
        names.extend(chained.iter().flat_map(|chained| chained.hooks.clone()));
        let (root, agent) = (target.root.clone(), target.agent.clone());
        worktrees.push(WorktreeOutcome { root, agent, state: State::AlreadyThere, branch: None, chained });
    }

    // Whatever scripts are there already find the installed program by themselves.
    let program = program::link_starter(&places, binary);
    let scripts = scripts_of(&places, binary, program.as_deref(), &names)?;
    let own = stage_worktrees(&places, targets, &mut worktrees, &moved)?;
    // The lock that others want most is held for the shortest time, and not at all without need.
    let mut shared = None;
    if planned != common {
        let mut locked = LockedFile::open(&config)?;
        let text = locked.text.clone().unwrap_or_default();
        let (planned, moved_now) = common_with(&hooks, &text, plan)?;
        if moved_now != moved {
            return Err(Error::write(
                format!("{} was just changed by another process", config.display()),
                "rerun git lane install",
            ));
        }
        locked.stage(Some(planned))?;
        shared = Some(locked);
    }

    let is_refreshed = !scripts.is_empty() || shared.is_some();
    let mut notes = commit_scripts(scripts)?;
    commit_configs(own, shared, !moved.is_empty())?;
    for outcome in &mut worktrees {
        if outcome.state == State::AlreadyThere && is_refreshed {
            outcome.state = State::Updated;
        }
    }
    notes.extend(worktrees.iter().filter_map(contradiction));
    worktrees.extend(missing);
    Ok(Outcome { worktrees, notes })
}

/// The hooks that get a script: those of ours that this policy needs, and those of git's that stand in our folder already.
fn hook_names(places: &Places, plan: &Plan) -> Result<BTreeSet<String>, Error> {
    let is_guarded = plan.policy.history.unverified.value == Unverified::Deny;
    let own = hooks::names(|hook| hook.is_script || hook.is_guard && is_guarded);
    let present = present(&places.hooks)?.into_iter().map(|(name, _)| name);
    let present = present.filter(|name| hooks::of_git(name).is_some());
    Ok(own.into_iter().map(str::to_owned).chain(present).collect())
}

/// The configuration of each worktree, written beside its place, and whether it is that of the main one. `moved`: settings
/// that go from the common configuration to the main worktree's.
fn stage_worktrees(
    places: &Places,
    targets: &[Target],
    worktrees: &mut [WorktreeOutcome],
    moved: &[u8],
) -> Result<Vec<(bool, LockedFile)>, Error> {
    let mut own = Vec::new();
    for (target, outcome) in targets.iter().zip(worktrees) {
        let is_main = is_same(&target.git_dir, &places.common);
        own.push((is_main, stage_worktree(places, target, outcome, if is_main { moved } else { &[] })?));
    }
    if !moved.is_empty() && !own.iter().any(|(is_main, _)| *is_main) {
        let mut locked = LockedFile::open(&places.common.join(OWN_CONFIG))?;
        let text = with_moved(locked.text.as_deref(), moved);
        locked.stage(Some(text))?;
        own.push((true, locked));
    }
    Ok(own)
}

/// Puts scripts in their places. Notes of those that another program had overwritten.
fn commit_scripts(scripts: Vec<StagedScript>) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    for script in scripts {
        if let Some(kept) = script.commit()? {
            let kept = kept.display();
            notes.push(format!(
                "another program had overwritten a git-lane hook; its file now runs as {kept}"
            ));
        }
    }
    Ok(notes)
}

/// What moves to the main worktree's configuration is there before it leaves the common one; git does not read it
/// until then.
fn commit_configs(
    own: Vec<(bool, LockedFile)>,
    shared: Option<LockedFile>,
    has_moved: bool,
) -> Result<(), Error> {
    let (first, last): (Vec<_>, Vec<_>) = own.into_iter().partition(|(is_main, _)| *is_main && has_moved);
    let files = |all: Vec<(bool, LockedFile)>| all.into_iter().map(|(_, locked)| locked);
    files(first).chain(shared).chain(files(last)).try_for_each(LockedFile::commit)
}

/// What a worktree's file says of its agent, if that is another one: then nothing is decided there.
fn contradiction(tree: &WorktreeOutcome) -> Option<String> {
    let agent = tree.agent.as_ref()?;
    let other = agent_in_file(&tree.root).ok().flatten().filter(|other| other != agent)?;
    let root = tree.root.display();
    Some(format!(
        "{root}/.agent.env says AGENT_ID={other}, but this worktree now belongs to {agent}: hooks cannot decide until both agree\n{}",
        help_block(
            &format!("change the line to AGENT_ID={agent}\nor go back: git lane install --agent {other}"),
            false
        )
        .trim_end()
    ))
}

/// All files of ours that are missing or differ, written beside their places.
fn scripts_of(
    places: &Places,
    binary: &Path,
    program: Option<&Path>,
    names: &BTreeSet<String>,
) -> Result<Vec<StagedScript>, Error> {
    let texts = |kind: Kind, names: &mut dyn Iterator<Item = &str>| -> BTreeMap<String, Vec<u8>> {
        names.map(|name| (name.to_owned(), render(kind, name, binary, program))).collect()
    };
    let all = || names.iter().map(String::as_str);
    let mut staged = stage(places, &places.hooks, &texts(Kind::Folder, &mut all()))?;
    staged.extend(stage(places, &places.portable, &texts(Kind::Portable, &mut all()))?);
    let configured = texts(Kind::Configured, &mut hooks::names(|hook| hook.is_configured).into_iter());
    staged.extend(stage(places, &places.configured, &configured)?);
    staged.extend(stage_file(&places.worktree_config, &worktree_config(places))?);
    staged.extend(stage_file(&places.hooks_config, &hooks_config(places))?);
    Ok(staged)
}

/// The hooks that git runs here now, where they are not ours.
///
/// # Errors
/// The configuration cannot be read.
pub fn existing_hooks(repo: &dyn Repository) -> Result<Option<ChainedHooks>, Error> {
    let layout = repo.layout();
    let Some(root) = layout.worktree.clone() else { return Ok(None) };
    chained_hooks(repo, &Target { root, git_dir: layout.git_dir.clone(), agent: None }, false)
}

/// The hooks that were there before in a worktree.
fn chained_hooks(repo: &dyn Repository, target: &Target, is_on: bool) -> Result<Option<ChainedHooks>, Error> {
    let values = hooks_paths(repo, &target.git_dir, is_on)?;
    let folder = previous_folder(&values, &target.layout(repo.layout()));
    let hooks = hooks_in(&folder);
    if hooks.is_empty() {
        return Ok(None);
    }
    let manager = manager::recognise(&folder, &hooks);
    Ok(Some(ChainedHooks { manager, folder, hooks: hooks.into_iter().map(str::to_owned).collect() }))
}

fn stage_worktree(
    places: &Places,
    target: &Target,
    outcome: &mut WorktreeOutcome,
    moved: &[u8],
) -> Result<LockedFile, Error> {
    let mut locked = LockedFile::open(&own_config(&target.git_dir))?;
    let text =
        if moved.is_empty() { locked.text.clone() } else { Some(with_moved(locked.text.as_deref(), moved)) };
    let cut = split(text.as_deref(), Block::Hooks);
    let name = places.worktree_name(&target.git_dir);
    let agent = target.agent.clone().or_else(|| agent_in(&cut.body, &name));
    let settings = hooks_block(places, &target.root, &name, agent.as_deref());
    locked.stage(Some(cut.with(Block::Hooks, &settings, &|value| places.is_ours(value))))?;
    outcome.agent = agent;
    outcome.state = match (cut.is_present, locked.is_changed()) {
        (false, _) => State::Created,
        (true, true) => State::Updated,
        (true, false) => State::AlreadyThere,
    };
    Ok(locked)
}

/// The main worktree's configuration with what the common one may not hold any more.
fn with_moved(text: Option<&[u8]>, moved: &[u8]) -> Vec<u8> {
    let cut = split(text, Block::Moved);
    let settings = [cut.body.as_slice(), moved].concat();
    cut.with(Block::Moved, &settings, &|_| true)
}

fn own_config(git_dir: &Path) -> std::path::PathBuf {
    git_dir.join(OWN_CONFIG)
}
