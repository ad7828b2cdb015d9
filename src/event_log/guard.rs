//! One process at a time moves refs of a log; what it was about is written down, so that whoever comes after
//! one that was killed knows which lock file of git's is a leftover, and whose.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::machine::any_process;
use lane_core::facts::Oid;

/// Held while refs of a log are moved; released by the system when its holder dies, and shared with the
/// git that moves them, so that nobody comes in between while that one still runs.
#[derive(Debug)]
pub struct Guard {
    file: File,
    /// What those who were killed left, and whose it is is not known yet.
    left: Vec<Move>,
}

/// A ref that is about to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Move {
    name: String,
    new: Oid,
    /// Milliseconds since the epoch.
    at: u64,
}

/// How much earlier or later than what was written down a git can have made its lock file.
const EARLIER: u64 = 50;
const LATER: u64 = 2_000;
/// Commands of git that lock refs which are not their own.
const MOVERS: [&str; 7] =
    ["pack-refs", "gc", "maintenance", "update-ref", "fetch", "receive-pack", "symbolic-ref"];

impl Guard {
    /// Waits for the guard, for so long at the most. `None`: somebody stands still with it, or the file
    /// system has no such guards; then git's own locks alone decide, as they do in the end anyway.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn acquire(path: &Path, common_dir: &Path, limit: Duration) -> std::io::Result<Option<Self>> {
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let make = || path.parent().map_or(Ok(()), fs::create_dir_all);
        let mut file = open().or_else(|_| make().and_then(|()| open()))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < limit => {
                    sleep(Duration::from_micros(700));
                }
                Err(_) => return Ok(None),
            }
        }
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        let left: Vec<Move> = text.lines().filter_map(Move::parse).collect();
        let mut guard = Self { file, left: Vec::new() };
        if !left.is_empty() {
            guard.left = left.into_iter().filter(|left| !left.is_cleared_away(common_dir)).collect();
            guard.unmark();
        }
        Ok(Some(guard))
    }

    /// A handle for a child process to hold the guard by.
    pub(super) fn share(&self) -> Option<File> {
        self.file.try_clone().ok()
    }

    /// Writes down what is about to be done.
    pub(super) fn mark(&self, name: &str, new: Oid) {
        let at = millis(SystemTime::now());
        self.write(Some(&Move { name: name.to_owned(), new, at }));
    }

    /// It is done, or it was not.
    pub(super) fn unmark(&self) {
        self.write(None);
    }

    /// A guard that cannot say what it is about costs somebody a look at a leftover, and nothing else.
    fn write(&self, now: Option<&Move>) {
        let lines: Vec<String> = self.left.iter().chain(now).map(Move::line).collect();
        let mut file = &self.file;
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(lines.concat().as_bytes()));
    }
}

impl Move {
    fn line(&self) -> String {
        format!("{} {} {}\n", self.at, self.new, self.name)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let at = words.next()?.parse().ok()?;
        let new = Oid::from_hex(words.next()?)?;
        let name = words.next().filter(|name| name.starts_with("refs/"))?.to_owned();
        Some(Self { name, new, at })
    }

    /// Removes the lock file of a git that was killed at this; false where one lies there that may be
    /// another's.
    fn is_cleared_away(&self, common_dir: &Path) -> bool {
        let lock = lock_file(common_dir, &self.name);
        let Ok(data) = fs::symlink_metadata(&lock) else {
            return true;
        };
        let text = fs::read_to_string(&lock).unwrap_or_else(|_| "?".to_owned());
        let age = data.modified().map_or(0, millis);
        let is_of_then = (self.at.saturating_sub(EARLIER)..=self.at + LATER).contains(&age);
        // The value that was to be written is nobody else's. A git that was killed before it wrote anything
        // cannot be told from another one at work on the same ref but by that other one being alive.
        let is_ours = text.trim_end() == self.new.to_string()
            || (text.is_empty()
                && is_of_then
                && any_process(|words, at| is_mover(words) && is_at(at, common_dir)) == Some(false));
        is_ours && fs::remove_file(&lock).is_ok()
    }
}

/// Where git's file backend locks a ref: gitrepository-layout(5), lockfile.h.
pub(super) fn lock_file(common_dir: &Path, name: &str) -> PathBuf {
    common_dir.join(format!("{name}.lock"))
}

/// Whether a process in a folder can be at work on a repository: in its git folder or a worktree of it, or where
/// that is unknown. What is told by `--git-dir` lies there too, as far as git's own commands start one another.
fn is_at(folder: Option<&Path>, common_dir: &Path) -> bool {
    let Some(folder) = folder else {
        return true;
    };
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let common_dir = real(common_dir);
    for parent in folder.ancestors() {
        let dot_git = parent.join(".git");
        if real(parent) == common_dir || real(&dot_git) == common_dir {
            return true;
        }
        // The worktree of some repository: gitrepository-layout(5).
        if let Ok(text) = fs::read_to_string(&dot_git) {
            let git_dir = parent.join(text.trim().trim_start_matches("gitdir: "));
            return real(&git_dir).starts_with(&common_dir);
        }
        if dot_git.is_dir() || parent.join("HEAD").is_file() {
            return false;
        }
    }
    false
}

fn is_mover(arguments: &[&[u8]]) -> bool {
    let [program, rest @ ..] = arguments else {
        return false;
    };
    let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut words = rest.iter();
    let command = loop {
        match words.next() {
            // git(1): options that take the next word.
            Some(&(b"-C" | b"-c" | b"--git-dir" | b"--work-tree" | b"--namespace")) => drop(words.next()),
            Some(word) if word.starts_with(b"-") => {}
            word => break word,
        }
    };
    name == b"git" && command.is_some_and(|word| MOVERS.iter().any(|mover| mover.as_bytes() == *word))
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "refs/lane/locks/0123";

    fn oid(digit: &str) -> Oid {
        Oid::from_hex(&digit.repeat(40)).expect("an id")
    }

    /// Whether a lock file is gone after the guard was taken; `entry`: what the last holder was about.
    fn is_cleared(entry: Option<&Move>, lock: &str) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lane/locks/guard");
        let file = lock_file(folder.path(), NAME);
        for parent in [&path, &file] {
            fs::create_dir_all(parent.parent().expect("a parent")).expect("a folder");
        }
        fs::write(&path, entry.map(Move::line).unwrap_or_default()).expect("an entry");
        fs::write(&file, lock).expect("a lock");
        let take = || Guard::acquire(&path, folder.path(), Duration::ZERO).expect("a guard").expect("free");
        let guard = take();
        guard.mark(NAME, oid("7"));
        guard.unmark();
        let kept = fs::read_to_string(&path).expect("a guard");
        assert_eq!(kept.lines().count(), usize::from(file.exists() && entry.is_some()), "{kept}");
        !file.exists()
    }

    fn entry(name: &str, at: u64) -> Move {
        Move { name: name.into(), new: oid("5"), at }
    }

    #[test]
    fn only_what_the_killed_one_was_about_is_cleared_away() {
        let now = millis(SystemTime::now());
        let value = format!("{}\n", oid("5"));
        assert!(is_cleared(Some(&entry(NAME, now)), &value), "its own value");
        assert!(is_cleared(Some(&entry(NAME, 5)), &value), "its own value, long ago");
        assert!(!is_cleared(None, &value), "nobody of ours was at it");
        assert!(!is_cleared(None, ""), "nobody of ours was at it");
        assert!(!is_cleared(Some(&entry(NAME, now)), &format!("{}\n", oid("6"))), "another's value");
        assert!(!is_cleared(Some(&entry(NAME, now - 60_000)), ""), "a file of much later");
    }

    #[test]
    fn entries() {
        let one = entry(NAME, 12);
        assert_eq!(Move::parse(one.line().trim_end()), Some(one));
        assert_eq!(Move::parse("12 5555 refs/x"), None);
    }

    #[test]
    fn where_a_process_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (repo, other) = (folder.path().join("repo/.git"), folder.path().join("other/.git"));
        let tree = folder.path().join("tree/below");
        for path in [&repo.join("worktrees/tree"), &other, &tree] {
            fs::create_dir_all(path).expect("a folder");
        }
        fs::write(folder.path().join("tree/.git"), format!("gitdir: {}/worktrees/tree\n", repo.display()))
            .expect("a file");
        let is = |path: &Path| is_at(Some(path), &repo);
        assert!(is(&repo) && is(&repo.join("worktrees")) && is(&folder.path().join("repo")) && is(&tree));
        assert!(!is(&other) && !is(&folder.path().join("other")) && !is(folder.path()));
        assert!(is_at(None, &repo), "could not be determined");
    }

    #[test]
    fn movers() {
        let is = |line: &str| is_mover(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        assert!(is("/usr/bin/git --git-dir=x pack-refs --all") && is("git gc"));
        assert!(is("git -C /x --git-dir /y update-ref a b"));
        assert!(!is("git lane lock gc") && !is("vim gc") && !is("git-lane lock gc") && !is("git"));
    }
}
