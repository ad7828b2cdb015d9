//! Local files, kept out of every worktree's status: `info/exclude` of the common git folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::files;
use super::state::unwritable;
use crate::gather::LoadedPolicy;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::model::Access;
use lane_git::Layout;
use lane_git::worktrees::worktrees;

const BEGIN: &str = "# >>> git-lane: files that stay local";
/// What the first line of our block ends in where the line before it had no end.
const UNENDED: &str = " (before: no last newline)";
const END: &str = "# <<< git-lane";

/// What the policy and `setup` itself keep local, as gitignore patterns.
pub(super) fn lines(loaded: &LoadedPolicy, layout: &Layout, roots: &[(String, PathBuf)]) -> Vec<String> {
    let policy = &loaded.plan.policy;
    let never = policy.areas.iter().filter(|area| area.access.value == Access::Never);
    let mut lines: Vec<String> = never.flat_map(|area| &area.paths).map(|path| path.value.clone()).collect();
    let own = files::names(policy).into_iter().filter(|name| !lines.contains(name));
    let own: Vec<String> = own.map(|name| format!("/{name}")).collect();
    lines.extend(own);
    lines.push(format!("/{}*", files::BESIDE));
    // A worktree inside the main one would show up there as files that nobody added.
    let main = worktrees(layout).ok().and_then(|present| present.into_iter().next());
    if let Some(main) = main.filter(|main| main.git_dir == layout.common_dir) {
        let main = fs::canonicalize(&main.root).unwrap_or(main.root);
        let inside = roots.iter().filter_map(|(_, root)| root.strip_prefix(&main).ok());
        let inside = inside.filter_map(Path::to_str).filter(|path| !path.is_empty());
        lines.extend(inside.map(|path| format!("/{}/", literal(path))));
    }
    lines
}

/// A path as a pattern that means nothing else: gitignore(5).
fn literal(path: &str) -> String {
    path.chars().flat_map(|c| "\\*?[".contains(c).then_some('\\').into_iter().chain([c])).collect()
}

/// The text with these lines in our block; `None` where all are there.
fn with(text: &str, lines: &[String]) -> Option<(String, Vec<String>)> {
    let known: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut new: Vec<String> = lines.iter().filter(|line| !known.contains(&line.as_str())).cloned().collect();
    new.dedup();
    if new.is_empty() {
        return None;
    }
    let added: String = new.iter().map(|line| format!("{line}\n")).collect();
    // Lines of other agents stay: a block only grows.
    if let Some(begin) = text.find(BEGIN)
        && let Some(end) = text[begin..].find(END).map(|at| begin + at)
    {
        return Some((format!("{}{added}{}", &text[..end], &text[end..]), new));
    }
    let is_ended = text.is_empty() || text.ends_with('\n');
    let (gap, before) = if is_ended { ("", "") } else { ("\n", UNENDED) };
    Some((format!("{text}{gap}{BEGIN}{before}\n{added}{END}\n"), new))
}

/// The text without our block, and the lines that were in it; `None` where there is none.
fn without(text: &str) -> Option<(String, Vec<String>)> {
    let begin = text.find(BEGIN)?;
    let inner = begin + text[begin..].find('\n')? + 1;
    let stop = inner + text[inner..].find(END)?;
    let rest = text[stop..].find('\n').map_or(text.len(), |at| stop + at + 1);
    let mut head = &text[..begin];
    if text[begin..inner].contains(UNENDED) && rest == text.len() {
        head = head.strip_suffix('\n').unwrap_or(head);
    }
    let lines = text[inner..stop].lines().map(str::to_owned).collect();
    Some((format!("{head}{}", &text[rest..]), lines))
}

/// Takes our block away; the lines that were in it.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn remove(common_dir: &Path) -> Result<Vec<String>, Error> {
    let path = common_dir.join("info/exclude");
    let Some((text, lines)) = without(&read(&path)?) else {
        return Ok(Vec::new());
    };
    let path = fs::canonicalize(&path).unwrap_or(path);
    // Where no file was, there is none again.
    let written = if text.is_empty() {
        fs::remove_file(&path)
    } else {
        lane_git::state_file::replace(&path, text.as_bytes())
    };
    written.map_err(|error| unwritable(&path, &error))?;
    Ok(lines)
}

/// What would be added, for people.
///
/// # Errors
/// The file cannot be read.
pub(super) fn missing(common_dir: &Path, lines: &[String]) -> Result<Option<String>, Error> {
    let text = read(&common_dir.join("info/exclude"))?;
    Ok(with(&text, lines).map(|(_, new)| format!("ignore through info/exclude: {}", new.join(", "))))
}

/// Adds what is missing; what was added, for people.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn ensure(common_dir: &Path, lines: &[String]) -> Result<Option<String>, Error> {
    let path = common_dir.join("info/exclude");
    if with(&read(&path)?, lines).is_none() {
        return Ok(None);
    }
    // Two who set up different agents write the same file.
    let guard = common_dir.join("lane/setup/exclude.lock");
    let _guard = lane_git::state_file::locked(&guard).map_err(|error| unwritable(&guard, &error))?;
    let Some((text, new)) = with(&read(&path)?, lines) else {
        return Ok(None);
    };
    let folder = common_dir.join("info");
    // A link of the user's stays one.
    let path = fs::canonicalize(&path).unwrap_or(path);
    let beside = folder.join("exclude.lane-new");
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&beside, text))
        .and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| unwritable(&path, &error))?;
    Ok(Some(format!("ignored through info/exclude: {}", new.join(", "))))
}

fn read(path: &Path) -> Result<String, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            let reason = format!("{} cannot be read: {error}", path.display());
            Err(Unavailable::new(reason, "check what it is, and its permissions").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{with, without};

    #[test]
    fn every_byte_comes_back() {
        for text in ["", "*.o\n", "*.o", "# x\n\n", "a\n# >>> other\n"] {
            let (with, _) = with(text, &["a b".to_owned(), "/c".to_owned()]).expect("lines");
            assert_eq!(without(&with), Some((text.to_owned(), vec!["a b".to_owned(), "/c".to_owned()])));
            assert_eq!(
                without(&format!("{with}later\n")).map(|(text, _)| text.ends_with("later\n")),
                Some(true)
            );
        }
        assert_eq!(without("a\n"), None);
    }

    #[test]
    fn a_block_that_grows() {
        let lines = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (one, _) = with("*.o", &lines(&["a", "b"])).expect("lines");
        assert_eq!(
            one,
            "*.o\n# >>> git-lane: files that stay local (before: no last newline)\na\nb\n# <<< git-lane\n"
        );
        assert_eq!(with(&one, &lines(&["b", "*.o"])), None);
        let (two, new) = with(&one, &lines(&["b", "c"])).expect("a line");
        assert_eq!((two.contains("\nb\nc\n# <<<"), new), (true, lines(&["c"])));
    }
}
