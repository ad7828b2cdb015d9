//! Commit messages: subject and trailers.

use std::ops::Range;

use super::locks::LOCK_TRAILER;
use super::people::Person;

/// One commit message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The text after clean-up, bytes that are not UTF-8 replaced.
    pub text: String,
}

impl Message {
    /// The first paragraph on one line, as `%s` of git-log(1) has it, without blanks before it.
    pub fn subject(&self) -> String {
        let lines = self.lines().map(|line| line.trim_end_matches(BLANKS));
        let lines = lines.skip_while(|line| line.is_empty());
        let subject = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        subject.trim_start_matches(BLANKS).to_owned()
    }

    /// The text as `git commit --cleanup=whitespace` leaves it: no blanks at the ends of lines, no blank lines at the ends
    /// or one after another.
    pub fn tidy(&self) -> String {
        let mut tidy = String::with_capacity(self.text.len());
        let mut is_gap = false;
        for line in self.text.split('\n').map(|line| line.trim_end_matches(BLANKS)) {
            if line.is_empty() {
                is_gap = !tidy.is_empty();
                continue;
            }
            if !tidy.is_empty() {
                tidy.push_str(if is_gap { "\n\n" } else { "\n" });
            }
            is_gap = false;
            tidy.push_str(line);
        }
        tidy
    }

    /// Whether something stands below the subject that is no trailer.
    pub fn has_body(&self) -> bool {
        let tidy = self.tidy();
        let below = tidy.split("\n\n").count().saturating_sub(1);
        below > usize::from(!self.trailers().is_empty())
    }

    /// Those who signed it off, on lines of their own anywhere below the subject: what a host squashes has them in its midst.
    pub fn sign_offs(&self) -> Vec<Person> {
        const KEY: &str = "signed-off-by:";
        let is_blank = |line: &&str| is_blank(line);
        let below = self.text.lines().skip_while(is_blank).skip_while(|line| !is_blank(line));
        let signed =
            below.filter(|line| line.get(..KEY.len()).is_some_and(|key| key.eq_ignore_ascii_case(KEY)));
        signed.filter_map(|line| Person::of_ident(&line.as_bytes()[KEY.len()..])).collect()
    }

    /// The first line that is not blank.
    pub fn first_line(&self) -> &str {
        let mut lines = self.lines();
        let line = lines.find(|line| !is_blank(line)).unwrap_or("");
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// Whether git wrote it for a merge, or a host of repositories did.
    pub fn is_of_merge(&self) -> bool {
        const BEGINNINGS: [&str; 14] = [
            "Merge branch '",
            "Merge branches '",
            "Merge remote-tracking branch '",
            "Merge remote-tracking branches '",
            "Merge tag '",
            "Merge tags '",
            "Merge commit '",
            "Merge commits '",
            "Merge HEAD",
            // GitHub and Bitbucket Server, Gitea and Forgejo, Bitbucket, Azure DevOps
            "Merge pull request #",
            "Merge pull request '",
            "Merge pull request \"",
            "Merged in ",
            "Merged PR ",
        ];
        let line = self.first_line().trim_start();
        BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
    }

    /// The trailers, in order: the last paragraph if all of it has the form `Key: value`, a value going
    /// on in lines that begin with a blank.
    ///
    /// As `%(trailers)` of git-log(1) has them, with `#` for comments: trailers alone, or, where git itself wrote one of them, at
    /// least a quarter of trailers; never in the subject. Comments and what git says of conflicts may follow.
    pub fn trailers(&self) -> Vec<(&str, String)> {
        let lines: Vec<&str> = self.lines().collect();
        let block = trailer_lines(&lines);
        let mut trailers: Vec<(&str, String)> = Vec::new();
        let mut goes_on = false;
        for line in &lines[block] {
            if goes_on && line.starts_with(BLANKS) {
                if let Some((_, value)) = trailers.last_mut() {
                    *value = format!("{value} {}", line.trim_matches(BLANKS)).trim_matches(BLANKS).to_owned();
                }
                continue;
            }
            let trailer = trailer_of(line);
            goes_on = trailer.is_some();
            trailers.extend(trailer);
        }
        trailers
    }

    /// The lines, with the blanks at their ends.
    fn lines(&self) -> std::str::Split<'_, char> {
        self.text.strip_suffix('\n').unwrap_or(&self.text).split('\n')
    }

    /// The same without the prose between its first and its last paragraph, which no rule reads: a long history
    /// has more of it than of all else. Lines that begin with the key of locks stay, wherever they stand.
    #[must_use]
    pub fn without_prose(self) -> Self {
        let lines: Vec<&str> = self.lines().collect();
        let is_blank = |line: &&str| is_blank(line);
        let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
        let first_end = lines[first..].iter().position(is_blank).map_or(lines.len(), |at| first + at);
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1).max(first_end);
        let last = last_paragraph(&lines).start.max(first_end).min(end);
        let last = lines[last..end].iter().position(|line| !is_blank(line)).map_or(end, |gap| last + gap);
        let is_lock = |line: &&&str| line.trim().starts_with(LOCK_TRAILER);
        let mut kept: Vec<&str> = lines[first..first_end].to_vec();
        let parts =
            [lines[first_end..last].iter().filter(is_lock).collect(), lines[last..end].iter().collect()];
        for part in parts.iter().filter(|part: &&Vec<&&str>| !part.is_empty()) {
            kept.push("");
            kept.extend(part.iter().copied().copied());
        }
        Self { text: kept.join("\n") }
    }

    /// The values of the trailers with this key, compared without case as git does.
    pub fn trailer(&self, key: &str) -> Vec<String> {
        let trailers = self.trailers().into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        trailers.map(|(_, value)| value).collect()
    }
}

/// A subject without `fixup! ` and its like: they are gone once `git rebase --autosquash` has done its work.
pub fn without_fixup(mut subject: &str) -> &str {
    const WORDS: [&str; 3] = ["fixup! ", "squash! ", "amend! "];
    while let Some(rest) = WORDS.iter().find_map(|word| subject.strip_prefix(word)) {
        subject = rest;
    }
    subject
}

/// Whether git wrote a subject for `git revert`.
pub fn is_of_revert(subject: &str) -> bool {
    subject.starts_with("Revert \"") || subject.starts_with("Reapply \"")
}

/// What git takes for blanks, and nothing else.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_blank(line: &str) -> bool {
    line.trim_end_matches(BLANKS).is_empty()
}

/// Key and value of a trailer on one line.
fn trailer_of(line: &str) -> Option<(&str, String)> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end_matches([' ', '\t']);
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_key.then(|| (key, value.trim_matches(BLANKS).to_owned()))
}

/// How many of the lines somebody wrote: below them are comments, or what git says of conflicts. Scissors that are left in a message cut
/// nothing off, as they do for git: with another character for comments they are a line as any other, and a tag stands below them.
fn written_end(lines: &[&str]) -> usize {
    let (mut end, mut is_conflicts) = (None, false);
    for (at, line) in lines.iter().enumerate() {
        if *line == "Conflicts:" {
            is_conflicts = true;
        } else if !(line.starts_with('#') || line.is_empty() || is_conflicts && line.starts_with('\t')) {
            (end, is_conflicts) = (None, false);
            continue;
        }
        end = end.or(Some(at));
    }
    end.unwrap_or(lines.len())
}

/// The last paragraph that somebody wrote, with the comments below it; all of the title where there is no other.
fn last_paragraph(lines: &[&str]) -> Range<usize> {
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let end = first + written_end(&lines[first..]);
    let is_written = |line: &&str| !is_blank(line) && !line.starts_with('#');
    let last = lines[..end].iter().rposition(is_written).unwrap_or(0);
    let start = lines[first.min(last)..last].iter().rposition(|line| is_blank(line));
    start.map_or(first.min(last), |blank| first.min(last) + blank + 1)..end
}

/// Which of the lines are those of the trailers. Counted from below, as git does: what begins with a blank belongs to what stands
/// above it.
fn trailer_lines(lines: &[&str]) -> Range<usize> {
    let block = last_paragraph(lines);
    if lines[..block.start].iter().all(|line| is_blank(line)) {
        return 0..0;
    }
    let (mut trailers, mut others, mut continued, mut is_of_git) = (0, 0, 0, false);
    for line in lines[block.clone()].iter().rev().filter(|line| !is_blank(line)) {
        if line.starts_with('#') {
            others += std::mem::take(&mut continued);
        } else if line.starts_with("Signed-off-by: ") || line.starts_with("(cherry picked from commit ") {
            (trailers, continued, is_of_git) = (trailers + 1, 0, true);
        } else if line.starts_with(BLANKS) {
            continued += 1;
        } else if trailer_of(line).is_some() {
            (trailers, continued) = (trailers + 1, 0);
        } else {
            others += 1 + std::mem::take(&mut continued);
        }
    }
    others += continued;
    let is_block = others == 0 && trailers > 0 || is_of_git && trailers * 3 >= others;
    if is_block { block } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message { text: text.into() }
    }

    #[test]
    fn trailers_are_the_last_paragraph() {
        let text = message("subject\n\nbody: no\n\nAgent: a1\nCoordinated-with:  a2 \n");
        let expected = [("Agent", "a1".to_owned()), ("Coordinated-with", "a2".to_owned())];
        assert_eq!(text.trailers(), expected);
        assert_eq!(text.trailer("agent"), ["a1"]);
        assert!(message("Agent: a1").trailers().is_empty());
        assert!(message("s\n\nAgent: a1\nand then prose").trailers().is_empty());
        assert_eq!(message("s\n\nAgent: a1\nprose\nSigned-off-by: x").trailer("Agent"), ["a1"]);
    }

    #[test]
    fn trailers_are_those_of_git() {
        let agent = |text: &str| message(text).trailer("Agent");
        for text in [
            "s\n\nAgent: a1\n\n# Conflicts:\n#\ta.rs\n",
            "s\n\nAgent: a1\n\nConflicts:\n\ta.rs\n",
            "s\n\n1\n2\n3\n4\n5\n6\n7\nAgent: a1\n(cherry picked from commit 1)\n(cherry picked from commit 2)\n",
        ] {
            assert_eq!(agent(text), ["a1"], "{text:?}");
        }
        assert_eq!(
            agent("s\n\n# ------------------------ >8 ------------------------\n\nprose\n\nAgent: a1\n"),
            ["a1"]
        );
        for text in [
            "s\n\nAgent: a1\n# a comment ends the value\n goes on\n",
            "s\n\nprose\n\u{a0}\nAgent: a1\n",
            "s\n\n goes on from nothing\nAgent: a1\n",
        ] {
            assert!(agent(text).is_empty(), "{text:?}");
        }
        assert_eq!(message("s\n\nKey\u{a0}: x\n").trailers(), []);
        assert_eq!(message("s\n\nprose\nprose\nprose\nSigned-off-by: \n").trailers().len(), 1);
    }

    #[test]
    fn subjects_are_those_of_git() {
        assert_eq!(message("\n \n  two \n  lines\r\n\nbody").subject(), "two   lines");
        assert_eq!(message("\u{a0}\nx").subject(), "\u{a0} x");
    }

    #[test]
    fn bodies() {
        for text in
            ["s\n\nbody", "s\n\nbody\n\nAgent: a1", "s\r\n\r\nbody\r\n", "s\n\nnot: a trailer\nbut prose"]
        {
            assert!(message(text).has_body(), "{text:?}");
        }
        for text in
            ["", "s", "s\non two lines\n", "s\n\nAgent: a1\n", "s\r\n\r\n\r\nAgent: a1\r\n", "s\n \n\t\n"]
        {
            assert!(!message(text).has_body(), "{text:?}");
        }
    }

    #[test]
    fn tidy_text() {
        assert_eq!(message("\n\na \r\n\r\n \n\tb\n\n").tidy(), "a\n\n\tb");
        assert_eq!(without_fixup("fixup! amend! fix: x"), "fix: x");
    }

    #[test]
    fn what_is_condensed_says_the_same() {
        let text =
            message("\n\n[A1] subject\non two lines\n\nprose\nLane-Lock: x@1\n\nmore\n\nAgent: a1\n\n");
        assert_eq!(text.without_prose().text, "[A1] subject\non two lines\n\nLane-Lock: x@1\n\nAgent: a1");
        assert_eq!(message("one\n").without_prose().text, "one");
        assert_eq!(message(" \n").without_prose().text, "");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_rules_read_is_lost(
            lines in proptest::collection::vec(
                proptest::sample::select(vec![
                    "", "", " \t", "[A1] subject", "prose", "Agent: a1", " goes on", "Lane-Lock: x@1", " Lane-Lock: y@2",
                    "Signed-off-by: x", "(cherry picked from commit 1)", "# Lane-Lock: z@3", "Agent : a2\r",
                ]), 0..14,
            ),
        ) {
            let whole = message(&lines.join("\n"));
            let condensed = whole.clone().without_prose();
            proptest::prop_assert_eq!(whole.subject(), condensed.subject());
            proptest::prop_assert_eq!(whole.first_line(), condensed.first_line());
            proptest::prop_assert_eq!(whole.trailers(), condensed.trailers());
            proptest::prop_assert_eq!(whole.lock_lines(), condensed.lock_lines());
            proptest::prop_assert_eq!(condensed.clone().without_prose(), condensed);
        }
    }
}
