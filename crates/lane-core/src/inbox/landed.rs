//! Work that landed on the base under a lock.

use super::notice::mark;
use super::{BASE_MOVED, Notice};
use crate::facts::{Oid, RepoPath};
use crate::report::quote;

/// What landed under one lock of an agent.
pub struct Landing<'a> {
    /// The holder.
    pub agent: &'a str,
    /// What the lock is on.
    pub scope: &'a str,
    /// The base's name.
    pub base: &'a str,
    /// The files that the holder's branch does not have as the base has them, each with the base's version.
    pub files: &'a [(RepoPath, Option<Oid>)],
    /// When the newest of it was committed, in seconds since the epoch, and by whom.
    pub newest: Option<(i64, String)>,
}

/// How many files are named.
pub(super) const SHOWN: usize = 3;

/// The first files by their names, and how many more there are.
pub(super) fn files_in_words<'p>(paths: impl ExactSizeIterator<Item = &'p RepoPath>) -> String {
    let more = paths.len().saturating_sub(SHOWN);
    let names: Vec<String> = paths.take(SHOWN).map(|path| quote(&path.0)).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

impl Landing<'_> {
    /// The notice of it; `None` where nothing is missing. `now`: the time, where no commit tells one.
    pub fn notice(&self, now: i64) -> Option<Notice> {
        if self.files.is_empty() {
            return None;
        }
        let marks = self.files.iter().map(|(path, version)| {
            let version = version.map(|oid| oid.to_string()).unwrap_or_default();
            mark(&BASE_MOVED, &[self.agent.as_bytes(), self.scope.as_bytes(), &path.0, version.as_bytes()])
        });
        let (at, by) = self.newest.clone().unwrap_or((now, String::new()));
        let files = files_in_words(self.files.iter().map(|(path, _)| path));
        let text = format!("{} has newer work under your lock on `{}`: {files}", self.base, self.scope);
        let notice = Notice::new(&BASE_MOVED, Some(self.agent), at, marks.collect()).by(&by);
        Some(notice.says(self.scope, &text, "git lane sync".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_a_file_is_told_once() {
        let file = |path: &str, oid: &str| (RepoPath(path.into()), Oid::from_hex(oid));
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let notice = |files: &[(RepoPath, Option<Oid>)]| {
            let newest = Some((7, "Ada".to_owned()));
            Landing { agent: "a1", scope: "common", base: "main", files, newest }.notice(9)
        };
        assert_eq!(notice(&[]), None);
        let first = notice(&[file("x/a\nb", &one)]).expect("a notice");
        assert_eq!(first.text, "main has newer work under your lock on `common`: \"$(printf 'x/a\\012b')\"");
        assert_eq!((first.time, first.by.as_deref()), (7, Some("Ada")));
        assert_ne!(first.marks, notice(&[file("x/a\nb", &two)]).expect("a notice").marks);
        assert_eq!(
            notice(&[file("a", &one), file("b", &one), file("c", &one), file("d", &one)])
                .expect("one")
                .marks
                .len(),
            4
        );
    }
}
