//! What git leaves of the text of a message file: the modes of `git commit --cleanup`, and comments.

use super::environment::Environment;
use super::invocation::Invocation;
use lane_git::{Read, Repository};

/// The line below which `git commit -v` writes the diff, after the comment character.
const SCISSORS: &str = " ------------------------ >8 ------------------------";
/// What git chooses from for `core.commentChar=auto`, the first one that begins no line.
const CANDIDATES: &str = "#;@!$%^&|:";

/// How git cleans a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleanup {
    /// What a comment begins with; `None`: unknown, and nothing is one.
    comment: Option<String>,
    /// Whether comments are taken away.
    strips: bool,
    /// Whether everything below the scissors is cut off.
    cuts: bool,
}

impl Cleanup {
    /// How the git that runs this hook will clean the text.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub(super) fn of(repo: &dyn Repository, environment: &Environment, raw: &str) -> Read<Self> {
        let has_editor = !environment.no_editor;
        let comment = comment(repo, environment, raw)?;
        let begins = |line: &str| comment.as_ref().is_some_and(|comment| line.starts_with(comment.as_str()));
        if !raw.lines().any(begins) {
            return Ok(Self { comment, strips: has_editor, cuts: has_editor });
        }
        let typed = Invocation::of_process();
        let strips = match mode(repo, environment)?.as_deref() {
            Some("strip") => true,
            Some("whitespace" | "verbatim" | "scissors") => false,
            // A squash in a rebase opens no editor, and git strips its own comments all the same.
            _ => has_editor || (raw.lines().next().is_some_and(begins) && is_squash(repo, raw)),
        };
        Ok(Self { comment, strips, cuts: has_editor || typed.is_verbose })
    }

    /// What is left of a text.
    pub fn clean(&self, raw: &str) -> String {
        let Some(comment) = self.comment.as_deref() else {
            return raw.lines().collect::<Vec<_>>().join("\n").trim().to_owned();
        };
        let is_cut = |line: &&str| self.cuts && line.strip_prefix(comment) == Some(SCISSORS);
        let lines = raw.lines().take_while(|line| !is_cut(line));
        let kept: Vec<&str> = lines.filter(|line| !self.strips || !line.starts_with(comment)).collect();
        kept.join("\n").trim().to_owned()
    }

    /// Whether a line would be taken for a comment, now or when the message is edited again.
    pub fn hides(&self, line: &str) -> bool {
        self.comment.as_ref().is_some_and(|comment| line.starts_with(comment.as_str()))
    }
}

/// The mode that was asked for: `strip`, `whitespace`, `verbatim`, `scissors`.
///
/// # Errors
/// The configuration cannot be read.
pub fn mode(repo: &dyn Repository, environment: &Environment) -> Read<Option<String>> {
    match &Invocation::of_process().cleanup {
        Some(mode) => Ok(Some(mode.clone())),
        None => value(repo, environment, "commit.cleanup"),
    }
}

/// The last value of a configuration key, the command line's before all others.
///
/// # Errors
/// The configuration cannot be read.
pub fn value(repo: &dyn Repository, environment: &Environment, key: &str) -> Read<Option<String>> {
    match environment.config(key) {
        Some(value) => Ok(Some(value.to_owned())),
        None => Ok(repo.config(key)?.pop()),
    }
}

/// What comments begin with in this file.
fn comment(repo: &dyn Repository, environment: &Environment, raw: &str) -> Read<Option<String>> {
    let char = value(repo, environment, "core.commentChar")?;
    // git knows this one from 2.45 on, and of the two the last one counts, in whatever file it stands.
    let string = value(repo, environment, "core.commentString")?;
    let named = [string, char].into_iter().flatten().filter(|text| !text.is_empty());
    let mut named: Vec<String> = named.collect();
    if let [first, second] = named.as_slice()
        && first != second
    {
        // What git itself wrote into the file tells which it is.
        let begun = |text: &&String| last_line(raw).is_some_and(|line| line.starts_with(text.as_str()));
        if let Some(used) = named.iter().find(begun).cloned() {
            named = vec![used];
        }
    }
    Ok(match named.first() {
        None => Some("#".to_owned()),
        Some(word) if word.eq_ignore_ascii_case("auto") => configured_mode(raw, environment.no_editor),
        Some(text) => Some(text.clone()),
    })
}

fn last_line(raw: &str) -> Option<&str> {
    raw.lines().rev().find(|line| !line.trim().is_empty())
}

/// The character that git chose for `auto`.
fn configured_mode(raw: &str, no_editor: bool) -> Option<String> {
    let candidate = |line: &str| line.chars().next().filter(|c| CANDIDATES.contains(*c));
    if no_editor {
        // The file is the message: git chose by it.
        let used = |c: &char| raw.lines().any(|line| line.starts_with(*c));
        let free = if raw.contains('#') { CANDIDATES.chars().find(|c| !used(c)) } else { Some('#') };
        return free.map(String::from);
    }
    let cut = raw.lines().find(|line| line.ends_with(SCISSORS)).and_then(candidate);
    // git's own comments end the file; a line such as `#12 fix` is none of these.
    let own = last_line(raw).filter(|line| {
        let mut rest = line.chars().skip(1);
        rest.next().is_none_or(|c| c == ' ' || c == '\t')
    });
    cut.or_else(|| own.and_then(candidate)).map(String::from)
}

/// Whether git puts several commits together in a rebase.
fn is_squash(repo: &dyn Repository, raw: &str) -> bool {
    raw.contains(" This is a combination of ")
        || repo.layout().git_dir.join("rebase-merge/current-fixups").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleanup(comment: &str, strips: bool) -> Cleanup {
        Cleanup { comment: Some(comment.into()), strips, cuts: true }
    }

    #[test]
    fn comments_and_scissors() {
        let raw = "\n# a\n\nx\n#b\ny\n# ------------------------ >8 ------------------------\ndiff\n";
        assert_eq!(cleanup("#", true).clean(raw), "x\ny");
        assert_eq!(cleanup("#", false).clean(raw), "# a\n\nx\n#b\ny");
        assert!(cleanup("//", true).clean(raw).ends_with("diff"));
        let kept = Cleanup { cuts: false, ..cleanup("#", false) };
        assert!(kept.clean(raw).ends_with("diff"), "nothing is cut without an editor");
    }

    #[test]
    fn what_auto_comes_to() {
        let of = |raw: &str, no_editor| configured_mode(raw, no_editor).unwrap_or_default();
        assert_eq!(of("x\n", true), "#");
        assert_eq!(of("#1 x\n", true), ";");
        assert_eq!(of("x #1\n", true), "#");
        assert_eq!(of("#1 x\n;\n", true), "@");
        assert_eq!(of("#1 x\n\n; Please\n;\n", false), ";");
        assert_eq!(of("#1 x\n; ------------------------ >8 ------------------------\n+#\n", false), ";");
        assert_eq!(of("#1 x\n", false), "", "whoever typed that deleted git's comments");
    }
}
