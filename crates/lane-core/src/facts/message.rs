//! Commit messages: subject and trailers.

use super::locks::LOCK_TRAILER;
use super::people::Person;

/// One commit message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The text after clean-up, bytes that are not UTF-8 replaced.
    pub text: String,
}

impl Message {
    /// The first paragraph on one line, as `%s` of git-log(1) has it.
    pub fn subject(&self) -> String {
        let lines = self.text.lines().map(str::trim).skip_while(|line| line.is_empty());
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The text as `git commit --cleanup=whitespace` leaves it: no blanks at the ends of lines, no blank lines at the ends
    /// or one after another.
    pub fn tidy(&self) -> String {
        let mut tidy = String::with_capacity(self.text.len());
        let mut is_gap = false;
        for line in self.text.lines().map(str::trim_end) {
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
        let is_blank = |line: &&str| line.trim().is_empty();
        let below = self.text.lines().skip_while(is_blank).skip_while(|line| !is_blank(line));
        let signed =
            below.filter(|line| line.get(..KEY.len()).is_some_and(|key| key.eq_ignore_ascii_case(KEY)));
        signed.filter_map(|line| Person::of_ident(&line.as_bytes()[KEY.len()..])).collect()
    }

    /// The first line that is not blank.
    pub fn first_line(&self) -> &str {
        let mut lines = self.text.lines();
        lines.find(|line| !line.trim().is_empty()).unwrap_or("")
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
    /// Follows git-interpret-trailers(1): trailers alone, or, where git itself wrote one of them, at
    /// least a quarter of trailers; never in the subject.
    pub fn trailers(&self) -> Vec<(&str, String)> {
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        let Some(blank) = lines[..end].iter().rposition(|line| line.is_empty()) else {
            return Vec::new();
        };
        if lines[..blank].iter().all(|line| line.is_empty()) {
            return Vec::new();
        }
        let mut trailers: Vec<(&str, String)> = Vec::new();
        let (mut others, mut by_git, mut goes_on) = (0, false, false);
        for line in lines[blank + 1..end].iter().filter(|line| !line.starts_with('#')) {
            by_git |= line.starts_with("Signed-off-by: ") || line.starts_with("(cherry picked from commit ");
            if line.starts_with([' ', '\t']) {
                match trailers.last_mut() {
                    Some((_, value)) if goes_on => {
                        *value = format!("{value} {}", line.trim()).trim().to_owned();
                    }
                    _ => others += 1,
                }
                continue;
            }
            goes_on = false;
            match line.split_once(':') {
                Some((key, value)) if is_trailer_key(key.trim_end()) => {
                    trailers.push((key.trim_end(), value.trim().to_owned()));
                    goes_on = true;
                }
                _ if line.starts_with("(cherry picked from commit ") => {}
                _ => others += 1,
            }
        }
        let is_block = others == 0 || (by_git && trailers.len() * 3 >= others);
        if is_block { trailers } else { Vec::new() }
    }

    /// The same without the prose between its first and its last paragraph, which no rule reads: a long history
    /// has more of it than of all else. Lines that begin with the key of locks stay, wherever they stand.
    #[must_use]
    pub fn without_prose(self) -> Self {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_blank = |line: &&str| line.trim().is_empty();
        let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
        let first_end = lines[first..].iter().position(is_blank).map_or(lines.len(), |at| first + at);
        let end = lines.iter().rposition(|line| !is_blank(line)).map_or(0, |last| last + 1);
        let last = lines[..end].iter().rposition(is_blank).map_or(0, |blank| blank + 1).max(first_end);
        let is_lock = |line: &&&str| line.trim().starts_with(LOCK_TRAILER);
        let mut kept: Vec<&str> = lines[first..first_end].to_vec();
        let parts = [
            lines[first_end..last].iter().filter(is_lock).collect(),
            lines[last.min(end)..end].iter().collect(),
        ];
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

fn is_trailer_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
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
