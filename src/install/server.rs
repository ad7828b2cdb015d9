//! `install --server`: the hook of a bare repository that judges what is pushed to it.
//!
//! A host that runs every file of a folder (Gitea and Forgejo, GitLab) gets one more file there. Elsewhere a
//! folder of our own is put in force by `core.hooksPath` in the repository's configuration, which also goes
//! before a global one; each hook that was there is run after ours where it lies, and no file of anybody's is
//! touched.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::block::{Block, split};
use super::chain::previous_hook;
use super::ini::{self, quoted};
use super::lockfile::LockedFile;
use super::os::{self, bytes_of, make_executable, unwritable};
use super::outcome::{ChainedHooks, Outcome, State, WorktreeOutcome};
use super::places::{Places, previous_folder};
use super::scripts::{bears_marker, binary_of, hooks_in, present, render_server, stage};
use super::settings::OWN_CONFIG;
use super::{manager, targets};
use crate::served;
use lane_core::error::Error;
use lane_core::facts::{Event, Unavailable};
use lane_core::hooks;
use lane_git::worktrees::worktrees;
use lane_git::{Layout, Repository};

/// Our file in a folder of a host.
const FILE: &str = "git-lane";

/// What `git lane install --server` was asked for.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The hook that judges: `pre-receive`, or `update`.
    pub hook: &'static str,
    /// The absolute path of the program that the scripts start.
    pub binary: PathBuf,
}

/// Installs the hook of a server into a bare repository.
///
/// # Errors
/// The repository is not bare, or something could not be read or written; then all is as it was.
pub fn install_server(repo: &dyn Repository, options: &ServerOptions) -> Result<Outcome, Error> {
    check(repo, options)?;
    let layout = repo.layout();
    let places = Places::of_server(layout);
    let _guard = places.lock()?;
    match host_folder(repo, options.hook)? {
        Some(folder) => {
            let was_there = taken_away(layout, Some(&folder))?;
            into_folder(layout, &places, &folder, options, was_there)
        }
        None => activate(repo, &places, options),
    }
}

/// Takes the hook of a server away again; every byte of what was there before stays as it was.
///
/// # Errors
/// Something could not be read or written.
pub fn uninstall_server(repo: &dyn Repository) -> Result<Outcome, Error> {
    let layout = repo.layout();
    let places = Places::of_server(layout);
    let _guard = places.lock()?;
    let mut is_removed = taken_away(layout, None)?;
    let config = places.common.join("config");
    let mut locked = LockedFile::open(&config)?;
    let cut = split(locked.text.as_deref(), Block::Server);
    if cut.is_present {
        is_removed = true;
        locked.stage(cut.without(Block::Server, &is_ours))?;
        locked.commit()?;
    } else {
        drop(locked);
    }
    for (name, _) in present(&places.hooks)? {
        let path = places.hooks.join(name);
        fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
    }
    let state = if is_removed { State::Removed } else { State::NotInstalled };
    Ok(outcome(layout, state, None))
}

/// Whether a value of `core.hooksPath` leads to the scripts of a server.
pub(crate) fn is_ours(value: &[u8]) -> bool {
    os::path_of(value).ends_with(served::FOLDER)
}

fn check(repo: &dyn Repository, options: &ServerOptions) -> Result<(), Error> {
    let layout = repo.layout();
    if layout.worktree.is_some() {
        return Err(Error::usage(
            "this is a worktree: --server is for a bare repository that others push to",
            "for the bare one: git lane -C REPOSITORY.git install --server\nfor this worktree: git lane install --agent ID",
        ));
    }
    targets::check_binary(&options.binary)?;
    let own = os::read(&layout.git_dir.join(OWN_CONFIG))?.unwrap_or_default();
    if !ini::values(&own, "core.hookspath").is_empty() {
        return Err(Error::usage(
            format!(
                "{OWN_CONFIG} of the repository sets core.hooksPath, which takes precedence over the installed hooks"
            ),
            "move it into the common configuration: git config --worktree --unset-all core.hooksPath\n\
             and: git config core.hooksPath FOLDER",
        ));
    }
    Ok(())
}

/// The folder of which a host runs every file at this hook.
fn host_folder(repo: &dyn Repository, hook: &str) -> Result<Option<PathBuf>, Error> {
    let common = &repo.layout().common_dir;
    let custom = common.join("custom_hooks");
    let is_gitlab = custom.is_dir() || !repo.config("gitlab.fullpath")?.is_empty();
    if is_gitlab {
        return Ok(Some(custom.join(format!("{hook}.d"))));
    }
    let delegated = common.join("hooks").join(format!("{hook}.d"));
    Ok(delegated.is_dir().then_some(delegated))
}

fn into_folder(
    layout: &Layout,
    places: &Places,
    folder: &Path,
    options: &ServerOptions,
    was_there: bool,
) -> Result<Outcome, Error> {
    let target = folder.join(FILE);
    let present = os::read(&target)?;
    if present.as_ref().is_some_and(|text| !bears_marker(text)) {
        return Err(Error::usage(
            format!("{} exists, and was not written by git-lane", target.display()),
            "check what it is, and rename it",
        ));
    }
    let made = match &present {
        Some(text) => made_in(text),
        None => missing(folder),
    };
    let mut text = render_server(options.hook, &options.binary, " --alone");
    text.extend(format!("# folders made for it: {made}\n").as_bytes());
    let state = match &present {
        Some(present) if *present == text && os::is_executable(&target) => State::AlreadyThere,
        Some(_) => State::Updated,
        None if was_there => State::Updated,
        None => State::Created,
    };
    if state != State::AlreadyThere {
        // A host may run whatever it finds there at any moment: it is written elsewhere first.
        let beside = places.lane.join(format!(".server.{}", std::process::id()));
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
            file.write_all(&text)?;
            make_executable(&file)?;
            file.sync_all()?;
            fs::create_dir_all(folder)?;
            fs::rename(&beside, &target)
        };
        if let Err(error) = write() {
            let _ = fs::remove_file(&beside);
            return Err(unwritable(&target, &error));
        }
    }
    let mut done = outcome(layout, state, None);
    done.notes.push(format!("the host runs {} along with its own hooks", target.display()));
    Ok(done)
}

/// How many folders have to be made for one to be there.
fn missing(folder: &Path) -> usize {
    folder.ancestors().take_while(|folder| !folder.exists()).count()
}

/// How many were made for a script of ours.
fn made_in(text: &[u8]) -> usize {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().find_map(|line| line.strip_prefix("# folders made for it: "));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Our files in the folders of a host.
pub(crate) fn files(layout: &Layout) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for path in served::host_files(&layout.common_dir) {
        if os::read(&path)?.is_some_and(|text| bears_marker(&text)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Takes our file out of every folder of a host, apart from one. Whether one was there.
fn taken_away(layout: &Layout, but: Option<&Path>) -> Result<bool, Error> {
    let mut found = false;
    for path in files(layout)? {
        if path.parent() == but {
            continue;
        }
        let text = os::read(&path)?.unwrap_or_default();
        fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        found = true;
        for folder in path.ancestors().skip(1).take(made_in(&text)) {
            // Somebody else's file keeps it there.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    Ok(found)
}

/// Puts a folder of scripts in force.
fn activate(repo: &dyn Repository, places: &Places, options: &ServerOptions) -> Result<Outcome, Error> {
    let layout = repo.layout();
    let folder = previous_folder(&repo.config("core.hooksPath")?, layout);
    let before = hooks_in(&folder);
    let mut names: Vec<String> =
        hooks::names(|hook| hook.is_on_server).iter().chain(&before).map(|name| (*name).to_owned()).collect();
    names.extend(present(&places.hooks)?.into_iter().map(|(name, _)| name));
    let update = Event::Update.name();
    let has_idle_update = options.hook != update && !before.contains(&update);
    names.retain(|name| name != update || !has_idle_update);
    let texts: BTreeMap<String, Vec<u8>> = names
        .into_iter()
        .map(|name| {
            let flags = if name == options.hook { "" } else { " --pass" };
            let text = render_server(&name, &options.binary, flags);
            (name, text)
        })
        .collect();
    let scripts = stage(places, &places.hooks, &texts)?;
    let config = places.common.join("config");
    let mut locked = LockedFile::open(&config)?;
    let cut = split(locked.text.as_deref(), Block::Server);
    let mut settings = b"[core]\n\thooksPath = ".to_vec();
    settings.extend(quoted(&hooks_path(layout, places)?));
    settings.push(b'\n');
    locked.stage(Some(cut.with(Block::Server, &settings, &is_ours)))?;
    let state = match (cut.is_present, locked.is_changed() || !scripts.is_empty()) {
        (false, _) => State::Created,
        (true, true) => State::Updated,
        (true, false) => State::AlreadyThere,
    };
    for script in scripts {
        script.commit()?;
    }
    if has_idle_update {
        remove_own(&places.hooks.join(update))?;
    }
    locked.commit()?;
    let chained = (!before.is_empty()).then(|| ChainedHooks {
        manager: manager::recognise(&folder, &before),
        folder,
        hooks: before.into_iter().map(str::to_owned).collect(),
    });
    Ok(outcome(layout, state, chained))
}

/// Removes a script of ours, if it is there.
fn remove_own(path: &Path) -> Result<(), Error> {
    if os::read(path)?.is_some_and(|text| bears_marker(&text)) {
        fs::remove_file(path).map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

/// Sees to it that git starts an `update` hook that came after the installation. git starts `update` once for each ref of a
/// push, which costs as much as the whole verdict; so our folder has a script of that name only where there is a hook to
/// pass it on to, and `pre-receive`, which git starts before, looks whether there is one now.
///
/// # Errors
/// Ours cannot be written: git would leave that hook out.
pub fn pass_on_update(layout: &Layout, hooks_paths: &[String]) -> Result<(), Error> {
    let folder = layout.common_dir.join(served::FOLDER);
    let update = Event::Update.name();
    let script = folder.join(update);
    let Some(hook) = previous_hook(hooks_paths, layout, update).filter(|_| !os::is_executable(&script))
    else {
        return Ok(());
    };
    let own = os::read(&folder.join(Event::PreReceive.name()))?;
    let Some(binary) = own.as_deref().filter(|text| bears_marker(text)).and_then(binary_of) else {
        return Ok(());
    };
    let text = render_server(update, &binary, " --pass");
    // Not as installers name theirs: one that begins now would take it for what is left of a killed one.
    let beside = folder.join(format!(".{update}.pass.{}", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(&text)?;
        make_executable(&file)?;
        fs::rename(&beside, &script)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        let what = format!(
            "git would leave out {}: {} cannot be written: {error}",
            hook.display(),
            script.display()
        );
        Unavailable::new(what, "a server administrator can put it in force: run `git lane install --server`")
            .into()
    })
}

/// git takes a relative path from the folder that the hook runs in, which is the bare repository itself: it
/// may be moved. Worktrees of it would look elsewhere.
fn hooks_path(layout: &Layout, places: &Places) -> Result<Vec<u8>, Error> {
    Ok(if worktrees(layout)?.is_empty() {
        served::FOLDER.as_bytes().to_vec()
    } else {
        bytes_of(&places.hooks)
    })
}

fn outcome(layout: &Layout, state: State, chained: Option<ChainedHooks>) -> Outcome {
    let root = layout.git_dir.clone();
    Outcome {
        worktrees: vec![WorktreeOutcome { root, agent: None, state, branch: None, chained }],
        notes: Vec::new(),
    }
}
