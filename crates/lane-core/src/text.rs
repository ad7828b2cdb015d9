//! Text on its way to people. Paths, reasons, records, what git says, what was typed: others chose it, and none of it
//! may steer a terminal, hide in a log, or turn the order of what stands beside it.
//!
//! Whatever is written to a terminal goes through [`sanitize`], where it is written and nowhere else: so a new message
//! need not think of it.

use std::borrow::Cow;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// Whether a character is a control character, turns the direction of writing, ends a line where no line feed does,
/// or takes no room at all: Unicode's categories Cc and Cf as far as they occur in a text that plays tricks.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Whether a text can be shown as it is: printable ASCII with line feeds and tabs, as most are.
fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
}

/// Whether a text has something in it that [`visible`] writes in another way.
pub fn has_hidden(text: &str) -> bool {
    !is_plain_ascii(text) && text.contains(|c| is_hidden(c) && c != '\n' && c != '\t')
}

/// A text with everything hidden written as Rust writes it in a literal: `\x1b`, `\u{202e}`. Line feeds and tabs stay,
/// and a carriage return before a line feed is part of the line's end.
pub fn visible(text: &str) -> Cow<'_, str> {
    if has_hidden(text) { Cow::Owned(escaped(text, None)) } else { Cow::Borrowed(text) }
}

/// A text on one line, everything hidden in it written out.
pub fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match visible(&words.join(" ")) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

/// A text of ours with texts of others in it, as it is written to a terminal or a log: [`visible`], but for
/// the colours of [`paint`].
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if has_hidden(text) {
        Cow::Owned(escaped(text, MARK.get().map(String::as_str)))
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON with everything hidden in its texts escaped, as JSON escapes it.
pub fn in_json(json: String) -> String {
    if !has_hidden(&json) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_hidden(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// What stands before a colour of ours until it is written. No text from outside can know it.
static MARK: OnceLock<String> = OnceLock::new();

fn mark() -> &'static str {
    MARK.get_or_init(|| format!("\x1b{:016x}[", RandomState::new().hash_one("git-lane")))
}

/// A text in a colour: the numbers of an ANSI escape, such as `1;31`.
pub fn paint(code: &str, text: &str) -> String {
    let mark = mark();
    format!("{mark}{code}m{text}{mark}0m")
}

/// How a command in a message begins.
const COMMANDS: [&str; 12] =
    ["git ", "gh ", "rm ", "mv ", "cd ", "ls ", "kill ", "fuser ", "chmod ", "unset ", "export ", "head "];

fn is_command(text: &str) -> bool {
    COMMANDS.iter().any(|word| text.starts_with(word))
}

/// What stands before a command in a line of a hint, with its colon, and the command.
fn around_command(line: &str) -> (&str, &str) {
    if is_command(line) {
        return ("", line);
    }
    let mut colons = line.match_indices(": ").map(|(at, _)| at);
    match colons.find(|at| is_command(&line[at + 2..])) {
        Some(at) => (&line[..=at], &line[at + 2..]),
        None => (line, ""),
    }
}

/// A hint as it stands below a message: `help:`, and each command alone on its line.
///
/// ```text
///   help: take the lock:
///           git lane lock common
///         then try again
/// ```
pub fn help_block(help: &str, color: bool) -> String {
    let label = if color { paint("1;32", "help:") } else { "help:".to_owned() };
    let mut out = String::new();
    let mut has_words = false;
    let mut push = |text: &str, indent: &str| {
        let label = if out.is_empty() { label.as_str() } else { "     " };
        let _ = writeln!(out, "  {label} {indent}{text}");
    };
    for line in help.lines() {
        let (words, command) = around_command(line.trim_start());
        if !words.is_empty() {
            has_words = true;
            push(words, "");
        }
        if !command.is_empty() {
            push(command, if has_words { "  " } else { "" });
        }
    }
    out
}

/// A text that was painted by somebody else, out of texts that were [`visible`] already.
pub fn painted(text: &str) -> String {
    text.replace("\x1b[", mark())
}

fn escaped(text: &str, mark: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = mark.and_then(|mark| rest.strip_prefix(mark)) {
            out.push_str("\x1b[");
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let _ = match c {
            '\r' if rest.starts_with('\n') => Ok(()),
            '\r' => out.write_str("\\r"),
            '\n' | '\t' => out.write_char(c),
            c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)),
            c if is_hidden(c) => write!(out, "{}", c.escape_unicode()),
            c => out.write_char(c),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_written_out() {
        assert_eq!(visible("a\u{1b}[2J\u{7}b\u{7f}\u{9b}31m"), "a\\x1b[2J\\x07b\\x7f\\u{9b}31m");
        assert_eq!(visible("x\u{202e}\u{200b}\u{feff}\u{e0041}y"), "x\\u{202e}\\u{200b}\\u{feff}\\u{e0041}y");
        assert_eq!(visible("one\r\ntwo\rthree\n\tfour"), "one\ntwo\\rthree\n\tfour");
        assert!(matches!(visible("zwölf … 🦀\n\t~"), Cow::Borrowed(_)));
        assert_eq!(plain("a\u{1b}[2Jb\n\nc \u{202e}d"), "a\\x1b[2Jb c \\u{202e}d");
    }

    #[test]
    fn each_command_of_a_hint_is_alone_on_its_line() {
        assert_eq!(help_block("git lane sync", false), "  help: git lane sync\n");
        assert_eq!(
            help_block("take the lock: git lane lock x\nthen try again\ngit push", false),
            "  help: take the lock:\n          git lane lock x\n        then try again\n          git push\n"
        );
        assert_eq!(
            help_block("`reword` it in: git rebase -i", false),
            "  help: `reword` it in:\n          git rebase -i\n"
        );
        assert_eq!(help_block("one of: a, b", false), "  help: one of: a, b\n");
    }

    #[test]
    fn only_our_own_colours_are_colours() {
        let text = format!("{} \u{1b}[31mred \u{1b}0000000000000000[31m\n", paint("1;31", "a\u{1b}[0mb"));
        assert_eq!(
            sanitize(&text),
            "\u{1b}[1;31ma\\x1b[0mb\u{1b}[0m \\x1b[31mred \\x1b0000000000000000[31m\n"
        );
        assert_eq!(sanitize(&painted("\u{1b}[2mx\u{1b}[0m")), "\u{1b}[2mx\u{1b}[0m");
    }

    #[test]
    fn json_stays_json() {
        let text = "a\u{202e}\u{7f}\u{e0041}\u{1b}b\n";
        let json = in_json(serde_json::to_string_pretty(&[text]).expect("JSON"));
        assert!(!has_hidden(&json), "{json}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).expect("the same"), [text]);
    }
}
