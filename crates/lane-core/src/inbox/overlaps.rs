//! Conflicts to come.

use super::landed::files_in_words;
use super::notice::mark;
use super::{CONFLICT, Notice};
use crate::facts::RepoPath;

/// Two sides of a merge that would stop.
pub struct Overlap<'a> {
    /// The agent that is told.
    pub agent: Option<&'a str>,
    /// One side, as people call it.
    pub one: &'a str,
    /// The other.
    pub two: &'a str,
    /// Whether the other side is the branch that the first is to be merged into.
    pub is_base: bool,
    /// The files.
    pub files: &'a [RepoPath],
    /// When the newer of the two tips was committed, in seconds since the epoch: since then it is so.
    pub since: i64,
}

impl Overlap<'_> {
    /// The notice of it.
    pub fn notice(&self) -> Notice {
        // It is the same whoever of the two is told.
        let (low, high) = if self.one <= self.two { (self.one, self.two) } else { (self.two, self.one) };
        let marks =
            self.files.iter().map(|path| mark(&CONFLICT, &[low.as_bytes(), high.as_bytes(), &path.0]));
        let mut marks: Vec<String> = marks.collect();
        if marks.is_empty() {
            marks.push(mark(&CONFLICT, &[low.as_bytes(), high.as_bytes()]));
        }
        let files = files_in_words(self.files.iter());
        let files = if files.is_empty() { files } else { format!(": {files}") };
        let text = format!("{} and {} would conflict if merged now{files}", self.one, self.two);
        let next = if self.is_base { "git lane sync" } else { "git lane conflicts" };
        Notice::new(&CONFLICT, self.agent, self.since, marks).by(self.two).says(
            self.two,
            &text,
            next.to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_for_both_sides() {
        let files = [RepoPath("a".into()), RepoPath("b".into())];
        let of = |one, two, files: &[RepoPath]| {
            Overlap { agent: Some(one), one, two, is_base: false, files, since: 5 }.notice()
        };
        let (one, two) = (of("a1", "a2", &files), of("a2", "a1", &files));
        assert_eq!(one.marks, two.marks);
        assert_eq!(one.text, "a1 and a2 would conflict if merged now: a, b");
        assert_eq!((two.by.as_deref(), two.next.as_str()), (Some("a1"), "git lane conflicts"));
        assert!(one.marks.starts_with(&of("a1", "a2", &files[..1]).marks), "one file more is new");
    }
}
