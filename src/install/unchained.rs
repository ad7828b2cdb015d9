//! Whether no hook stands behind ours, told without opening the repository: the hooks that git starts for each transaction of
//! refs have mostly nothing else to do. Whatever is not as `git lane install` leaves it is looked at by [`super::chain`].

use std::path::{Path, PathBuf};

use super::ini;
use super::os::{is_executable, is_same_file, path_of, read};
use super::places::Places;
use super::settings::{OWN_CONFIG, worktree_config};
use lane_git::Layout;

/// What a text has to say to lead git to another folder of hooks.
const WORDS: [&str; 2] = ["hookspath", "include"];

/// Whether surely no hook was there before ours, nor was one written over it. `script`: ours, in the folder of all worktrees.
pub fn is_unchained(script: &Path, name: &str) -> bool {
    is_alone(script, name).unwrap_or(false)
}

/// `None`: it has to be looked at closely.
fn is_alone(script: &Path, name: &str) -> Option<bool> {
    let is_named = |name: &str| std::env::var_os(name).is_some();
    if !lane_os::HAS_FIRST_LINES
        || ["GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"].into_iter().any(is_named)
    {
        return None;
    }
    let folder = script.parent().filter(|folder| folder.is_absolute() && folder.ends_with("lane/hooks"))?;
    let common = folder.parent()?.parent()?.to_owned();
    let git_dir = std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from(".git"), PathBuf::from);
    if !is_same_file(&git_dir, &common) && !is_same_file(&git_dir.join("../.."), &common) {
        return None;
    }
    let layout = Layout { git_dir, common_dir: common, worktree: None };
    let places = Places::of(&layout);
    let own = read(&layout.git_dir.join(OWN_CONFIG)).ok()??;
    let included = read(&places.worktree_config).ok()??;
    let is_ours = is_own(&own, &places)
        && included == worktree_config(&places)
        && is_own(&read(&layout.common_dir.join("config")).ok()??, &places)
        && of_user().iter().all(|path| is_silent(path));
    let behind = [layout.common_dir.join("hooks"), places.backup];
    Some(is_ours && !behind.iter().any(|folder| is_executable(&folder.join(name))))
}

/// The files of the user and the machine, whichever of them git reads.
fn of_user() -> Vec<PathBuf> {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = path("HOME");
    let xdg = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let files = [
        Some(PathBuf::from("/etc/gitconfig")),
        path("GIT_CONFIG_SYSTEM"),
        path("GIT_CONFIG_GLOBAL"),
        home.map(|home| home.join(".gitconfig")),
        xdg.map(|folder| folder.join("git/config")),
    ];
    files.into_iter().flatten().collect()
}

/// Whether a file is not there, or says nothing of hooks.
fn is_silent(path: &Path) -> bool {
    let count = |text: &[u8]| WORDS.iter().map(|word| ini::count(text, word)).sum::<usize>();
    read(path).is_ok_and(|text| text.is_none_or(|text| count(&text) == 0))
}

/// Whether a file of this repository leads to no hooks but ours.
fn is_own(text: &[u8], places: &Places) -> bool {
    ini::items(text).into_iter().filter(|item| !item.is_header()).all(|item| {
        let path = path_of(item.value.as_deref().unwrap_or_default());
        match item.key.as_str() {
            "core.hookspath" => path.ends_with("lane/portable"),
            "include.path" => path == places.worktree_config || path.ends_with("lane/hooks.gitconfig"),
            key => !key.starts_with("includeif."),
        }
    })
}
