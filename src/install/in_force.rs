//! Whether git runs our hooks in a worktree. Whatever of git-lane still runs looks at this: hook managers write into the
//! folder that git names, which is ours, and other programs set `core.hooksPath`.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::block::{Block, split};
use super::os::{bytes_of, path_of, read, unreadable};
use super::places::{Places, expand};
use super::scripts::is_ours_to_run;
use super::settings::{OWN_CONFIG, include_line, is_extension_on};
use super::{ini, targets, verdict_notes};
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_core::hooks::{self, Hook};
use lane_core::report::quote;
use lane_core::text::help_block;
use lane_git::Layout;
use lane_git::worktrees::{Worktree, linked_of, main_of};

/// Why git does not run our hooks in a worktree, or not all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookGap {
    /// They were never installed there.
    NotInstalled,
    /// git does not read the settings of worktrees.
    ExtensionOff,
    /// `core.hooksPath` leads elsewhere.
    Elsewhere(PathBuf),
    /// `core.hooksPath` is gone.
    Removed,
    /// These scripts were replaced or removed.
    Scripts(Vec<&'static str>),
}

impl HookGap {
    /// The same as a sentence's end.
    pub fn words(&self) -> String {
        match self {
            Self::NotInstalled => "git-lane's hooks are not installed".to_owned(),
            Self::ExtensionOff => {
                "extensions.worktreeConfig is off, so git does not read the worktree's settings".to_owned()
            }
            Self::Elsewhere(folder) => {
                format!("core.hooksPath is {}, so git runs the hooks there", folder.display())
            }
            Self::Removed => "core.hooksPath was removed".to_owned(),
            Self::Scripts(names) if names.contains(&Event::PrePush.name()) => format!(
                "replaced or removed: {}; a git before 2.54 does not judge a plain git push then",
                names.join(", ")
            ),
            Self::Scripts(names) => format!("replaced or removed: {}", names.join(", ")),
        }
    }
}

/// The scripts of a folder of ours that are not ours any more, nor run ours, in the order in which git starts them.
pub fn replaced(layout: &Layout, folder: &Path) -> Vec<&'static str> {
    let is_replaced = |name: &&str| !is_script(folder, name) && !runs_ours(layout, folder, name);
    hooks::watched().map(|hook| hook.name).filter(is_replaced).collect()
}

/// Whether what stands where our script was runs it.
pub(crate) fn runs_ours(layout: &Layout, folder: &Path, name: &str) -> bool {
    verdict_notes::runs_ours(layout, name, &folder.join(name))
}

/// Those of some hooks of a folder of ours that are not our scripts. Some may run ours: see [`replaced`].
pub fn foreign(folder: &Path, hooks: impl Iterator<Item = &'static Hook>) -> Vec<&'static str> {
    hooks.map(|hook| hook.name).filter(|name| !is_script(folder, name)).collect()
}

/// Notes that the file which stands where our script was runs it. So do those that stand for the other ones, if they keep
/// ours under names that end alike.
pub fn note_runner(layout: &Layout, folder: &Path, name: &str) {
    let runner = folder.join(name);
    if verdict_notes::runs_ours(layout, name, &runner) {
        return;
    }
    verdict_notes::is_run_by(layout, name, &runner);
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let ends = names.filter_map(|file| {
        let end = file.to_str()?.strip_prefix(name).filter(|end| !end.is_empty())?.to_owned();
        is_script(folder, file.to_str()?).then_some(end)
    });
    for end in ends {
        for other in foreign(folder, hooks::watched()).into_iter().filter(|other| *other != name) {
            if is_script(folder, &format!("{other}{end}")) {
                verdict_notes::is_run_by(layout, other, &folder.join(other));
            }
        }
    }
}

/// Leaves out the scripts that may or may not be run: somebody keeps ours beside what stands in its
/// place, under a name that begins alike, and has not had a turn since.
pub fn without_untried(layout: &Layout, folder: &Path, lack: HookGap) -> Option<HookGap> {
    let HookGap::Scripts(mut names) = lack else {
        return Some(lack);
    };
    names.retain(|name| {
        verdict_notes::was_seen(layout, name, &folder.join(name)) || !is_kept_beside(folder, name)
    });
    (!names.is_empty()).then_some(HookGap::Scripts(names))
}

/// Notes that what stands where our script was is about to have its turn.
pub fn note_turn(layout: &Layout, folder: &Path, name: &str) {
    if !is_script(folder, name) && is_kept_beside(folder, name) {
        verdict_notes::is_seen(layout, name, &folder.join(name));
    }
}

fn is_kept_beside(folder: &Path, name: &str) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    files.filter_map(|file| file.into_string().ok()).any(|file| {
        file.strip_prefix(name).is_some_and(|end| end.starts_with('.')) && is_script(folder, &file)
    })
}

/// Whether git finds our script of this name in a folder.
pub fn is_script(folder: &Path, name: &str) -> bool {
    is_ours_to_run(&folder.join(name))
}

/// The folder of scripts that a hook was started from. `hooks_paths`: all values of `core.hooksPath`. `None` where nothing
/// is installed: somebody starts the hook in another way.
pub fn folder_of(hooks_paths: &[String], layout: &Layout) -> Option<PathBuf> {
    let lane = layout.common_dir.join("lane");
    let portable = hooks_paths.last().is_some_and(|value| Path::new(value).ends_with("lane/portable"));
    let folder = lane.join(if portable { "portable" } else { "hooks" });
    folder.is_dir().then_some(folder)
}

/// Whether a value of `core.hooksPath` names a folder of ours, and no variable of git's names another. `root`: of the worktree.
pub fn is_folder(hooks_path: &str, root: &Path, folder: &Path) -> bool {
    expand(hooks_path, root) == folder && !is_overridden()
}

/// The last `core.hooksPath` of a worktree's own configuration, with the files that it includes.
fn own_hooks_path(text: &[u8]) -> Option<Vec<u8>> {
    let mut last = None;
    for item in ini::items(text) {
        match (item.key.as_str(), item.value) {
            ("core.hookspath", Some(value)) => last = Some(value),
            ("include.path", Some(value)) => {
                let included = read(&path_of(&value)).ok().flatten().unwrap_or_default();
                last = ini::values(&included, "core.hookspath").pop().or(last);
            }
            _ => {}
        }
    }
    last
}

/// What is looked at for every worktree, and found once.
struct Survey<'a> {
    layout: &'a Layout,
    /// As the layout spells them: links in their path are followed where that makes a difference.
    spelled: Places,
    places: OnceCell<Places>,
    /// The common configuration.
    common: Vec<u8>,
    is_on: bool,
    /// Whether the file is there that each worktree's configuration includes.
    is_included: bool,
    /// What all worktrees lack whose hooks are ours.
    scripts: Option<HookGap>,
    /// The line by which a worktree's configuration includes where they are.
    include: Vec<u8>,
}

impl<'a> Survey<'a> {
    /// `None` where git-lane is installed nowhere. `seen`: what [`replaced`] found in a folder of ours, so that nobody looks twice.
    fn of(layout: &'a Layout, seen: Option<(&Path, &[&'static str])>) -> Result<Option<Self>, Error> {
        let spelled = Places::below(&layout.common_dir);
        let is_included = spelled.worktree_config.is_file();
        // Somebody may have taken the folder away, and with it all scripts.
        if !is_included && !spelled.hooks.is_dir() {
            return Ok(None);
        }
        let common = read(&spelled.common.join("config"))?.unwrap_or_default();
        let is_on = is_extension_on(&common);
        let scripts = match seen {
            Some((folder, names)) if folder == spelled.hooks => lack_of(names.to_vec()),
            _ => scripts_of(layout, &spelled.hooks),
        };
        let include = include_line(&spelled);
        let places = OnceCell::new();
        Ok(Some(Self { layout, spelled, places, common, is_on, is_included, scripts, include }))
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(self.layout))
    }

    /// What a worktree lacks; nothing of one that is gone.
    fn gap_of(&self, git_dir: PathBuf) -> Result<Option<(Worktree, HookGap)>, Error> {
        let own = read(&git_dir.join(OWN_CONFIG))?.unwrap_or_default();
        if self.is_on && self.is_included && self.scripts.is_none() && self.is_whole(&own) {
            return Ok(None); // as nearly always: nothing but that file was read
        }
        let is_main = git_dir == self.layout.common_dir;
        let tree = if is_main { main_of(self.layout) } else { linked_of(git_dir) };
        let Some(tree) = tree.filter(|tree| is_main || tree.root.is_dir()) else {
            return Ok(None);
        };
        Ok(self.lack(&own, &tree).map(|lack| (tree, lack)))
    }

    /// Whether nothing behind our include could say otherwise.
    fn is_whole(&self, own: &[u8]) -> bool {
        let is_last = |include: &[u8]| {
            memchr::memmem::rfind(own, include).is_some_and(|at| {
                let rest = own[at + include.len()..].to_ascii_lowercase();
                let has = |word: &[u8]| memchr::memmem::find(&rest, word).is_some();
                !has(b"hookspath") && !has(b"include")
            })
        };
        is_last(&self.include)
            || !own.is_empty()
                && self.places().common != self.spelled.common
                && is_last(&include_line(self.places()))
    }

    fn lack(&self, own: &[u8], tree: &Worktree) -> Option<HookGap> {
        let is_installed = !own.is_empty() && split(Some(own), Block::Hooks).is_present;
        let value = own_hooks_path(own).filter(|_| self.is_on);
        let value = value.or_else(|| ini::values(&self.common, "core.hookspath").pop());
        let folder = value.as_deref().map(|value| expand(&String::from_utf8_lossy(value), &tree.root));
        match folder {
            Some(folder) if folder == self.places().hooks => self.scripts.clone(),
            Some(folder) if self.places().is_ours(&bytes_of(&folder)) && folder.is_dir() => {
                scripts_of(self.layout, &folder)
            }
            _ if !is_installed => Some(HookGap::NotInstalled),
            _ if !self.is_on => Some(HookGap::ExtensionOff),
            Some(_) => value.as_deref().map(path_of).map(HookGap::Elsewhere),
            None => Some(HookGap::Removed),
        }
    }
}

fn scripts_of(layout: &Layout, folder: &Path) -> Option<HookGap> {
    lack_of(replaced(layout, folder))
}

fn lack_of(names: Vec<&'static str>) -> Option<HookGap> {
    Some(names).filter(|names| !names.is_empty()).map(HookGap::Scripts)
}

/// What each worktree lacks, the main one first; nothing of those that lack nothing, and nothing where git-lane is
/// installed nowhere.
///
/// # Errors
/// The worktrees cannot be listed, or a configuration cannot be read.
pub fn survey(layout: &Layout) -> Result<Vec<(Worktree, HookGap)>, Error> {
    survey_with(layout, None)
}

/// The same. `seen`: a folder of scripts, and what [`replaced`] found in it.
///
/// # Errors
/// As [`survey`].
pub fn survey_with(
    layout: &Layout,
    seen: Option<(&Path, &[&'static str])>,
) -> Result<Vec<(Worktree, HookGap)>, Error> {
    let Some(survey) = Survey::of(layout, seen)? else {
        return Ok(Vec::new());
    };
    let list = layout.common_dir.join("worktrees");
    let mut git_dirs = Vec::new();
    for entry in fs::read_dir(&list).into_iter().flatten() {
        git_dirs.push(entry.map_err(|error| unreadable(&list, &error))?.path());
    }
    git_dirs.sort();
    let all = std::iter::once(layout.common_dir.clone()).chain(git_dirs);
    all.filter_map(|git_dir| survey.gap_of(git_dir).transpose()).collect()
}

/// Whether git starts our script of this name in the worktree of a layout, or what stands in its place does. What cannot
/// be read is not in force.
pub fn is_in_force(layout: &Layout, name: &str) -> bool {
    let Ok(Some(survey)) = Survey::of(layout, None) else {
        return false;
    };
    // Only this worktree: what the others lack is nothing to it.
    let is_there = match survey.gap_of(layout.git_dir.clone()) {
        Ok(None) => true,
        Ok(Some((_, HookGap::Scripts(names)))) => !names.contains(&name),
        Ok(Some(_)) | Err(_) => false,
    };
    is_there && !is_overridden()
}

/// What people are told of the worktrees that lack something, in the worktree of a layout. `is_own`: whether this
/// worktree counts as well. A main worktree without hooks is a maintainer's, and nothing to speak of.
pub fn warnings(layout: &Layout, found: &[(Worktree, HookGap)], is_own: bool) -> String {
    let mut text = String::new();
    for (tree, lack) in found {
        if tree.git_dir == layout.common_dir && *lack == HookGap::NotInstalled {
            continue;
        }
        let is_here = targets::is_same(&tree.git_dir, &layout.git_dir);
        // All worktrees have the same scripts: whoever has them here has said so.
        let is_shared = matches!(lack, HookGap::Scripts(_) | HookGap::ExtensionOff);
        if is_here && !is_own || !is_here && is_shared {
            continue;
        }
        let (place, help) = match is_here {
            // Whose worktree it is going to be, nobody has said yet.
            true if *lack == HookGap::NotInstalled => {
                let help = "for an agent: git lane join ID\nfor a maintainer: git lane install";
                ("this worktree".to_owned(), help.to_owned())
            }
            true => ("this worktree".to_owned(), "git lane install".to_owned()),
            false => {
                let root = quote(&bytes_of(&tree.root));
                (tree.root.display().to_string(), format!("git lane -C {root} install"))
            }
        };
        let _ = writeln!(text, "warning: git-lane's hooks are not in force in {place}: {}", lack.words());
        text.push_str(&help_block(&help, false));
    }
    text
}

/// Whether a variable sets the hooks path, or anything at all that git takes for configuration.
pub(super) fn is_overridden() -> bool {
    std::env::vars_os().any(|(name, value)| {
        let name = name.to_string_lossy();
        let value = || value.to_string_lossy().to_ascii_lowercase();
        name == "GIT_CONFIG_PARAMETERS" && value().contains("core.hookspath")
            || name.starts_with("GIT_CONFIG_KEY_") && value() == "core.hookspath"
    })
}

/// Whether the git that started this process finds our script of this name as well, and starts it next. It looks where
/// git looks: `core.hooksPath`, from the folder that both run in.
pub fn is_started_by_folder(name: &str) -> bool {
    if is_overridden() {
        return false;
    }
    let found = || {
        let git_dir = std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from(".git"), PathBuf::from);
        let git_dir = match fs::read(&git_dir) {
            Ok(pointer) => path_of(pointer.strip_prefix(b"gitdir: ")?.trim_ascii_end()),
            Err(_) => git_dir,
        };
        let common = match fs::read(git_dir.join("commondir")) {
            Ok(common) => git_dir.join(path_of(common.trim_ascii_end())),
            Err(_) => git_dir.clone(),
        };
        let common = fs::read(common.join("config")).ok()?;
        let own = fs::read(git_dir.join(OWN_CONFIG)).ok().filter(|_| is_extension_on(&common));
        let value = own.as_deref().and_then(own_hooks_path);
        let value = value.or_else(|| ini::values(&common, "core.hookspath").pop())?;
        Some(expand(&String::from_utf8_lossy(&value), Path::new("")))
    };
    found().is_some_and(|folder| is_script(&folder, name))
}
