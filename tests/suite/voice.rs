//! The words that people read: docs/style.md.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::advice_commands::{messages, sources};
use crate::layers::files;
use crate::support::Scratch;

/// What no message, help text or page says, and what it says instead.
const DIALECT: &[(&str, &str)] = &[
    (r"\bis no agent\b", "unknown agent `x`, is not an agent"),
    (r"\bno agent of\b", "unknown agent `x` in policy.yaml"),
    (
        r"` is no (test|list|port|remote|commit|branch|form|place|name|scope|plain file|maintainer)\b",
        "is not a …",
    ),
    (r"\bnobody can tell\b|\bnobody could tell\b|\bnobody can say\b", "… could not be determined"),
    (r"\bput that right\b", "fix this"),
    (r"\bg[ia]ves? back\b|\bgiven back\b|\bgives? (it|them|that) back\b", "release, return"),
    (r"\bnothing to say against\b", "no findings"),
    (r"\bdoes not go on .* by itself\b", "rebase stopped"),
    (r"\btheft\b|\bthief\b", "--steal, stolen"),
    (r"\bwhoever runs\b", "a server administrator"),
    (r"\bleave (it|them|`?--?[a-z-]+`?) away\b", "omit"),
    (r"\bbears?\b", "has"),
    (r"\bbore\b", "had"),
    (r"\bnobody's\b|\beverybody's\b", "of no agent, shared"),
    (r"\bthereby\b", "so"),
    (r"\banew\b", "again"),
    (r"\bbeyond repair\b", "damaged"),
    (r"\bhalf made\b", "incomplete"),
    (r"\bstands? on\b", "is based on, is up to date with"),
    (r"\bis there already\b", "already exists"),
    (r"\blook at (its|the) permissions\b", "check its permissions"),
    (r"\bmake room\b", "free some disk space"),
    (r"\bhave a maintainer\b", "ask a maintainer to"),
    (r"\bwent? round\b", "circular"),
];

/// These words in a text, where they stand and what to say instead.
fn dialect(text: &str) -> Vec<String> {
    static WORDS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let word = |(pattern, instead): &(&str, &'static str)| {
            (Regex::new(&format!("(?i){pattern}")).unwrap(), *instead)
        };
        DIALECT.iter().map(word).collect()
    });
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = WORDS.iter().filter_map(|(pattern, instead)| {
        let at = pattern.find(&flat)?;
        let start = flat[..at.start()].char_indices().rev().nth(30).map_or(0, |(at, _)| at);
        Some(format!("…{} (say: {instead})", &flat[start..at.end()]))
    });
    found.collect()
}

/// All files of the sources, and what they say.
fn source_texts() -> Vec<(PathBuf, String)> {
    let all = sources().into_iter().flat_map(|folder| files(&folder));
    all.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|word| word == "md")).collect()
}

#[test]
fn no_message_speaks_a_dialect() {
    let mut found = Vec::new();
    for (path, text) in messages(&sources()) {
        found.extend(dialect(&text).into_iter().map(|words| format!("{}: {words}", path.display())));
    }
    assert!(found.is_empty(), "docs/style.md says how: {found:#?}");
}

#[test]
fn no_page_speaks_a_dialect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let folders = ["docs", "docs/agents", "docs/adr", "skills/git-lane"];
    let all = folders.iter().flat_map(|folder| pages(&root.join(folder))).chain([root.join("README.md")]);
    // The page that lists the words has them all.
    for path in all.filter(|path| !path.ends_with("style.md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        // By paragraphs: words may be on two lines.
        let words = text.split("\n\n").flat_map(dialect);
        found.extend(words.map(|words| format!("{}: {words}", path.display())));
    }
    assert!(found.is_empty(), "docs/style.md says how: {found:#?}");
}

#[test]
fn no_help_text_speaks_a_dialect() {
    let scratch = Scratch::new();
    let pages = scratch.home().join("man");
    scratch.lane(&["mangen", pages.to_str().unwrap()]).ok();
    let mut found = Vec::new();
    for path in std::fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&path).unwrap().replace('\\', "");
        found.extend(dialect(&text).into_iter().map(|words| format!("{}: {words}", path.display())));
    }
    assert!(found.is_empty(), "docs/style.md says how: {found:#?}");
}

#[test]
fn no_comment_speaks_a_dialect() {
    let mut found = Vec::new();
    for (path, text) in source_texts() {
        let words = comments(&text).into_iter().flat_map(|comment| dialect(&comment));
        found.extend(words.map(|words| format!("{}: {words}", path.display())));
    }
    assert!(found.is_empty(), "docs/style.md says how: {found:#?}");
}

/// The comments of a text, each of which may have several lines.
fn comments(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in text.lines() {
        let comment = line.trim_start().strip_prefix("//").or_else(|| Some(line.split_once(" // ")?.1));
        match (comment, found.last_mut()) {
            (Some(comment), Some(last)) => {
                last.push_str(comment.trim_start_matches(['/', '!']));
                last.push('\n');
            }
            _ => found.push(String::new()),
        }
    }
    found
}

/// Findings are held to a help by `Scene` of the rules' own tests, which runs each of them.
#[test]
fn no_error_is_without_a_next_step() {
    let constructors = ["Error::usage(", "Error::write(", "Error::refused(", "Unavailable::new("];
    let mut found = Vec::new();
    for (path, text) in source_texts() {
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        for constructor in constructors {
            for (at, _) in text.match_indices(constructor) {
                let call = arguments(&text[at + constructor.len()..]);
                let last = call.trim().trim_end_matches(',').rsplit(',').next().unwrap_or_default().trim();
                if matches!(last, "\"\"" | "String::new()" | "\"\".to_owned()") || !call.contains(',') {
                    found.push(format!("{}: {constructor}{call})", path.display()));
                }
            }
        }
        // The one place that says so is where another error is taken over as it is.
        let is_own = path.ends_with("fact.rs") || path.ends_with("error.rs");
        if text.contains("without_help(") && !is_own {
            found.push(format!("{}: without_help", path.display()));
        }
    }
    assert!(found.is_empty(), "an error says what to do next: {found:#?}");
}

/// A call's arguments, up to the parenthesis that closes it.
fn arguments(text: &str) -> &str {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted && depth == 0 => return &text[..at],
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    text
}

#[test]
fn errors_warnings_and_notes_have_one_prefix_each() {
    let mut found = Vec::new();
    for (path, text) in messages(&sources()) {
        let is_old = ["git-lane: note:", "git-lane: error:", "git-lane: warning:", "git-lane: refused:"]
            .iter()
            .any(|prefix| text.contains(prefix));
        if is_old || text.starts_with("warn[") {
            found.push(format!("{}: {text}", path.display()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
