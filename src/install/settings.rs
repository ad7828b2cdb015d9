//! What stands in our blocks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::block::{Block, split};
use super::ini::{self, items, quoted};
use super::os::{bytes_of, is_same_file, path_of, read};
use super::places::Places;
use lane_core::error::Error;
use lane_core::hooks::{self, CONFIGURED_AS};
use lane_core::policy::Plan;
use lane_core::report::quote;
use lane_git::Layout;
use lane_git::command::{command, run};

const EXTENSION: &str = "extensions.worktreeconfig";
const EXTENSION_ON: &str = "\n[extensions]\n\tworktreeConfig = true\n";

/// What is put before a line of the common configuration that moved to the main worktree's.
const MOVED: &str = "# git-lane moved this into config.worktree, as git-worktree(1) asks: ";

/// How a file of ours begins.
const WRITTEN: &str = "# Written by `git lane install`, removed by `git lane uninstall`";

/// The name of a worktree's own configuration file.
pub(crate) const OWN_CONFIG: &str = "config.worktree";

/// Whether git reads the worktrees' own configuration.
pub(crate) fn is_extension_on(common: &[u8]) -> bool {
    // As we write it, and nothing else about it: no need to read all of the text.
    let is_ours_alone = memchr::memmem::find(common, EXTENSION_ON.as_bytes()).is_some()
        && ini::count(common, "worktreeconfig") == 1;
    is_ours_alone || ini::is_true(common, EXTENSION)
}

/// The block of a worktree. git finds the scripts by the file that it includes; where the repository lies elsewhere than
/// now, there is no such file, and the path from the worktree's root counts.
pub(crate) fn hooks_block(places: &Places, root: &Path, name: &[u8], agent: Option<&str>) -> Vec<u8> {
    let mut text = b"[core]\n\thooksPath = ".to_vec();
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    text.extend(quoted(&bytes_of(&relative(&root, &places.portable))));
    text.push(b'\n');
    text.extend(include_line(places));
    text.extend(b"[lane]\n\tworktree = ");
    text.extend(quoted(name));
    if let Some(agent) = agent {
        text.extend(b"\n\tagent = ");
        text.extend(quoted(agent.as_bytes()));
    }
    text.push(b'\n');
    text
}

/// The lines by which a worktree's configuration includes where the scripts are.
pub(crate) fn include_line(places: &Places) -> Vec<u8> {
    [b"[include]\n\tpath = ".as_slice(), &quoted(&bytes_of(&places.worktree_config)), b"\n"].concat()
}

/// The path from one folder to another.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let mut base = from;
    let mut path = PathBuf::new();
    loop {
        match (to.strip_prefix(base), base.parent()) {
            (Ok(rest), _) => return path.join(rest),
            (Err(_), Some(parent)) => {
                base = parent;
                path.push("..");
            }
            (Err(_), None) => return to.to_owned(), // on another drive
        }
    }
}

/// What every worktree's configuration includes: where the scripts are as long as the repository stays where it is.
pub(crate) fn worktree_config(places: &Places) -> Vec<u8> {
    // Every hook reads and hashes this: it is kept short.
    let mut text = b"# git lane uninstall removes this.\n[core]\n\thooksPath = ".to_vec();
    text.extend(quoted(&bytes_of(&places.hooks)));
    text.push(b'\n');
    text
}

/// What the common configuration includes: the hooks of git 2.54 and newer, which no `core.hooksPath` and no hook manager
/// gets past. Each stands aside where git finds our script in its folder of hooks as well.
pub(crate) fn hooks_config(places: &Places) -> Vec<u8> {
    let mut text = format!("{WRITTEN}: hooks that git 2.54 and newer start. Only git follows the path to this\n# file: it begins with git's own folder, `%(prefix)`.\n").into_bytes();
    for name in hooks::names(|hook| hook.is_configured) {
        text.extend(format!("[hook \"{CONFIGURED_AS}{name}\"]\n\tevent = {name}\n\tcommand = ").bytes());
        text.extend(quoted(quote(&bytes_of(&places.configured.join(name))).as_bytes()));
        text.push(b'\n');
    }
    text
}

/// The agent that a worktree's own block says, unless the block came with a copy: `git worktree add`
/// copies the configuration of the worktree that it is called in.
pub(crate) fn agent_in(body: &[u8], name: &[u8]) -> Option<String> {
    if ini::values(body, "lane.worktree").pop().is_some_and(|other| other != name) {
        return None;
    }
    ini::values(body, "lane.agent").pop().map(|agent| String::from_utf8_lossy(&agent).into_owned())
}

/// Whether this worktree's block was copied from another worktree, agent and all: `git worktree add`
/// does that. Then `lane.agent` says nothing about this one.
///
/// # Errors
/// The worktree's configuration cannot be read.
pub fn is_copied(layout: &Layout) -> Result<bool, Error> {
    let text = read(&layout.git_dir.join(OWN_CONFIG))?;
    let cut = split(text.as_deref(), Block::Hooks);
    let name = Places::of(layout).worktree_name(&layout.git_dir);
    Ok(ini::values(&cut.body, "lane.worktree").pop().is_some_and(|other| other != name))
}

/// The agent that a worktree is installed for; `None` where the hooks are not in force there.
///
/// # Errors
/// The worktree's configuration cannot be read.
pub fn installed_agent(layout: &Layout, git_dir: &Path) -> Result<Option<String>, Error> {
    let text = read(&git_dir.join(OWN_CONFIG))?;
    let cut = split(text.as_deref(), Block::Hooks);
    if !cut.is_present {
        return Ok(None);
    }
    // As git lists them, no link has to be followed for the name.
    let name = match git_dir.strip_prefix(&layout.common_dir) {
        Ok(name) if !name.as_os_str().is_empty() => bytes_of(name),
        _ => Places::of(layout).worktree_name(git_dir),
    };
    Ok(agent_in(&cut.body, &name))
}

/// The common configuration with our block, and what has to move to the main worktree's.
/// `hooks`: the path of the file of hooks, see [`hooks_config_for_git`].
pub(crate) fn common_with(hooks: &Path, text: &[u8], plan: &Plan) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let outside = split(Some(text), Block::Common).outside();
    let is_on_without_us = is_extension_on(&outside);
    let (text, moved) = if is_on_without_us { (text.to_vec(), Vec::new()) } else { move_out(text)? };
    let mut block = Vec::new();
    if !is_on_without_us {
        block.extend(EXTENSION_ON.trim_start().bytes());
    }
    block.extend(b"[lane]\n\tbase = ");
    block.extend(quoted(plan.policy.base.value.as_bytes()));
    block.extend(b"\n\tremote = ");
    block.extend(quoted(plan.policy.remote.value.as_bytes()));
    block.extend(b"\n[include]\n\tpath = ");
    block.extend(quoted(&bytes_of(hooks)));
    block.push(b'\n');
    Ok((split(Some(&text), Block::Common).with(Block::Common, &block, &|_| true), moved))
}

/// How long git may take to say where a path leads.
const PATIENCE: Duration = Duration::from_secs(10);

/// What git puts its own folder in place of at the beginning of a path: git-config(1), VALUES, pathname.
const PREFIX: &str = "%(prefix)";

/// The path of the file of hooks as only git follows it, where the git at hand does: up from its own folder to the root,
/// and down again. libgit2 takes it for a file that is not there, and so spares each hook what git alone has a use for: with
/// all hooks in it, reading the configuration took a third longer.
pub(crate) fn hooks_config_for_git(places: &Places) -> PathBuf {
    const UP: usize = 12;
    let detour = |path: &Path| {
        let up = std::iter::repeat_n("..", UP).collect::<PathBuf>();
        Some(Path::new(PREFIX).join(up).join(path.strip_prefix("/").ok()?))
    };
    let is_followed = || {
        let value = [b"lane.path=".as_slice(), &bytes_of(&detour(&places.common)?)].concat();
        let mut git = command(&places.common);
        git.arg("-c").arg(path_of(&value)).args(["config", "--get", "--type=path", "lane.path"]);
        let said = run(git, None, PATIENCE).ok()?.stdout_bytes;
        is_same_file(&path_of(said.strip_suffix(b"\n")?), &places.common).then_some(())
    };
    let path = &places.hooks_config;
    is_followed().and_then(|()| detour(path)).unwrap_or_else(|| path.clone())
}

/// Turns `core.bare = true` and `core.worktree` of the common configuration into comments. With
/// `extensions.worktreeConfig`, git would apply them to every worktree.
fn move_out(text: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let is_bare = ini::is_true(text, "core.bare");
    let mut changed = Vec::new();
    let mut moved = Vec::new();
    let mut at = 0;
    for item in items(text) {
        if !(item.key == "core.worktree" || item.key == "core.bare" && is_bare) {
            continue;
        }
        let lines = &text[item.range.clone()];
        if !item.alone || lines.trim_ascii_end().contains(&b'\n') {
            let key = &item.key;
            return Err(Error::usage(
                format!("{key} is set in the common configuration, so worktrees cannot have their own hooks"),
                format!(
                    "move it, as git-worktree(1) describes under CONFIGURATION FILE: \
                     git config extensions.worktreeConfig true\n\
                     then, in the main worktree: git config --worktree {key} \"$(git config --local {key})\"\n\
                     and: git config --local --unset-all {key}"
                ),
            ));
        }
        changed.extend(&text[at..item.range.start]);
        changed.extend(MOVED.as_bytes());
        changed.extend(lines);
        moved.extend(lines);
        if !lines.ends_with(b"\n") {
            moved.push(b'\n');
        }
        at = item.range.end;
    }
    changed.extend(&text[at..]);
    if moved.is_empty() {
        return Ok((changed, moved));
    }
    Ok((changed, [b"[core]\n".as_slice(), &moved].concat()))
}

/// The common configuration without our block. `keep`: worktrees have configuration of their own
/// that is not ours, so the extension has to stay on, and what moved has to stay where it is.
pub(crate) fn common_without(text: &[u8], keep: bool) -> Vec<u8> {
    let cut = split(Some(text), Block::Common);
    let keep = keep && is_extension_on(&cut.body);
    let mut text = cut.without(Block::Common, &|_| true).unwrap_or_default();
    if keep {
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend(EXTENSION_ON.trim_start().bytes());
    }
    let mut restored = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(MOVED.as_bytes()) {
            Some(_) if keep => {}
            Some(rest) => restored.extend(rest),
            None => restored.extend(line),
        }
    }
    restored
}

#[cfg(test)]
mod tests {
    use super::{common_without, move_out, relative, split};
    use crate::install::block::Block;
    use std::path::Path;

    #[test]
    fn moved_lines_come_back() {
        let text = b"[core]\n\tbare = true\n\tfilemode = true\n\tworktree = ../x";
        let (changed, moved) = move_out(text).unwrap();
        assert_eq!(moved, b"[core]\n\tbare = true\n\tworktree = ../x\n");
        assert!(!crate::install::ini::is_true(&changed, "core.bare"));
        let with =
            split(Some(&changed), Block::Common).with(Block::Common, b"[lane]\n\tbase = m\n", &|_| true);
        assert_eq!(common_without(&with, false), text);
    }

    #[test]
    fn paths_from_one_folder_to_another() {
        let of = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(of("/w/repo", "/w/repo/.git/lane/portable"), ".git/lane/portable");
        assert_eq!(of("/w/a/b", "/w/repo/.git"), "../../repo/.git");
        assert_eq!(of("/", "/r/.git"), "r/.git");
    }

    #[test]
    fn what_cannot_be_moved_is_refused() {
        assert!(move_out(b"[core] bare = true\n").is_err());
        assert!(move_out(b"[core]\nworktree = a\\\nb\n").is_err());
        assert_eq!(move_out(b"[core] bare = false\n").unwrap().1, b"");
    }
}
