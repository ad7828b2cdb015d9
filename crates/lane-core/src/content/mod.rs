//! What stands in the lines of a file: patterns of the policy, keys, what a merge left behind, line ends. A pure function
//! from bytes to hits; whoever reads the files says which of the lines are new.
//!
//! Each search is linear in the text: a pattern is asked once for the whole, and only where it is found line by line, so that
//! no line is looked at twice and no match goes on into the next one.

pub mod secrets;

use regex::bytes::{Regex, RegexBuilder};

use crate::facts::{Found, Hit};

/// How many bytes a compiled pattern may have, and how many it may use besides while it searches.
pub const MAX_PATTERN: usize = 2 << 20;

/// How many bytes a text may have whose lines are read.
pub const MAX_FILE: usize = 100_000_000;
/// How many lines of one file are named for one rule; the others are counted.
const NAMED: usize = 200;

/// What is looked for in lines.
#[derive(Clone, Copy)]
pub enum Pattern<'p> {
    /// What an expression finds.
    Regex(&'p Regex),
    /// Keys and tokens.
    Secrets,
}

/// An entry of the policy that is asked of a file.
#[derive(Clone, Copy)]
pub struct Asked<'p> {
    /// Its place under `content`.
    pub entry: usize,
    /// What it looks for.
    pub pattern: Pattern<'p>,
    /// A text that lets a line stand.
    pub marker: Option<&'p str>,
}

/// Compiles a pattern, for lines by themselves: `^` and `$` are the ends of a line.
///
/// # Errors
/// It is none, or would take too much memory.
pub fn compile_pattern(text: &str) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(text);
    builder.multi_line(true).crlf(true).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).build()
}

/// All that is asked about the lines of one file.
pub struct Scan<'a> {
    /// The policy's patterns, by their place under `content`.
    pub asked: Vec<Asked<'a>>,
    /// Whether conflict markers are looked for.
    pub markers: bool,
    /// Whether line ends of Windows are.
    pub line_ends: bool,
}

impl Scan<'_> {
    /// Whether anything is.
    pub fn is_nothing(&self) -> bool {
        self.asked.is_empty() && !self.markers && !self.line_ends
    }

    /// What is in a text, with the numbers of lines, from 1. Lines that were there before are among them.
    pub fn run(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for asked in &self.asked {
            let mut add = |line: Line<'_>, found: Found, shown: String| {
                let is_marked = asked.marker.is_some_and(|marker| contains(line.text, marker.as_bytes()));
                if !is_marked {
                    hits.push(hit(line, found, shown));
                }
            };
            match asked.pattern {
                Pattern::Secrets => secrets_in(text, |line, secret, shown| {
                    add(line, Found::Secret { entry: asked.entry, name: secret.name }, shown);
                }),
                Pattern::Regex(regex) if regex.is_match(text) => {
                    let matching = lines(text).filter(|line| regex.is_match(line.text));
                    matching.take(NAMED).for_each(|line| {
                        add(line, Found::Pattern { entry: asked.entry }, String::new());
                    });
                }
                Pattern::Regex(_) => {}
            }
        }
        if self.markers {
            let found = lines(text).filter(|line| is_marker(line.text)).take(NAMED);
            hits.extend(found.map(|line| hit(line, Found::ConflictMarker, String::new())));
        }
        if self.line_ends {
            let found = lines(text).filter(|line| line.ends_in_cr).take(NAMED);
            hits.extend(found.map(|line| hit(line, Found::LineEnd, String::new())));
        }
        hits
    }
}

/// A line without its end.
#[derive(Clone, Copy)]
struct Line<'t> {
    number: u64,
    text: &'t [u8],
    ends_in_cr: bool,
}

fn hit(line: Line<'_>, found: Found, shown: String) -> Hit {
    Hit { found, line: line.number, text_id: text_id(line.text), shown }
}

/// Tells lines apart by what they say, wherever they stand.
fn text_id(text: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(text);
    hasher.finish()
}

fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive(|byte| *byte == b'\n').zip(1..).map(|(line, number)| {
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        let ends_in_cr = body.len() < line.len() && body.ends_with(b"\r");
        Line { number, text: body.strip_suffix(b"\r").unwrap_or(body), ends_in_cr }
    })
}

/// Each key, on its line; the lines before it are counted once.
fn secrets_in(text: &[u8], mut found: impl FnMut(Line<'_>, secrets::Secret, String)) {
    let (mut from, mut counted, mut number) = (0, 0, 1);
    for _ in 0..NAMED {
        let Some(secret) = secrets::find(text, from) else { return };
        number += text[counted..secret.start].iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = secret.start;
        let start = text[..secret.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = text[secret.start..].iter().position(|byte| *byte == b'\n');
        let end = end.map_or(text.len(), |at| secret.start + at);
        let line = Line { number, text: &text[start..end], ends_in_cr: false };
        found(line, secret, secrets::mask(text, secret));
        // One finding a line.
        from = end;
    }
}

/// Whether a line begins or ends one side of a conflict. What stands between two sides is a heading elsewhere.
fn is_marker(line: &[u8]) -> bool {
    [b"<<<<<<< ", b">>>>>>> ", b"||||||| "].iter().any(|start| line.starts_with(*start))
        || matches!(line, b"<<<<<<<" | b">>>>>>>")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(pattern: &str, text: &str) -> Vec<u64> {
        let regex = compile_pattern(pattern).expect("a pattern");
        let asked = Asked { entry: 0, pattern: Pattern::Regex(&regex), marker: Some("lane:allow") };
        let scan = Scan { asked: vec![asked], markers: false, line_ends: false };
        scan.run(text.as_bytes()).into_iter().map(|hit| hit.line).collect()
    }

    #[test]
    fn a_pattern_stays_in_its_line() {
        assert_eq!(scan("a\\s+b", "a\nb\na b\n"), [3]);
        assert_eq!(scan("^x$", "x\r\nax\nx"), [1, 3]);
        assert_eq!(scan("(?i)todo", "TODO lane:allow\n# todo\n"), [2]);
        assert_eq!(scan("\\bpass", "compass\npass"), [2]);
        assert_eq!(scan("a", "\u{0}\u{fffd}a"), [1]);
    }

    #[test]
    fn markers_of_conflicts() {
        let scan = Scan { asked: vec![], markers: true, line_ends: false };
        let text = b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\nTitle\n=======\n <<<<<<< a\n<<<<<<<<<< b\n";
        let found: Vec<u64> = scan.run(text).into_iter().map(|hit| hit.line).collect();
        assert_eq!(found, [1, 5]);
    }

    #[test]
    fn line_ends_of_windows() {
        let scan = Scan { asked: vec![], markers: false, line_ends: true };
        let found: Vec<u64> = scan.run(b"a\r\nb\nc\r\nd\r").into_iter().map(|hit| hit.line).collect();
        assert_eq!(found, [1, 3]);
    }

    #[test]
    fn keys_with_their_lines() {
        let key = format!("{}{}", "ghp_", "q7Zt2Kx9Wb4Rm8Yc3Hn6Vd5Pf1Lg0JsTkQaU");
        let asked = Asked { entry: 0, pattern: Pattern::Secrets, marker: None };
        let scan = Scan { asked: vec![asked], markers: false, line_ends: false };
        let hits = scan.run(format!("a\n{key} {key}\n\n  {key}").as_bytes());
        let found: Vec<(u64, &str)> = hits.iter().map(|hit| (hit.line, hit.shown.as_str())).collect();
        assert_eq!(found, [(2, "ghp_…"), (4, "ghp_…")]);
    }

    #[test]
    fn a_pattern_that_backtracks_elsewhere_is_linear() {
        let text = "a".repeat(100_000) + "b\n";
        assert_eq!(scan("^(a+)+$", &text), [] as [u64; 0]);
        assert_eq!(scan("(a*)*c", &text), [] as [u64; 0]);
    }

    #[test]
    fn a_pattern_that_would_take_too_much_memory_is_none() {
        assert!(compile_pattern("(?:[\\w]{1000}){1000}").is_err());
        assert!(compile_pattern("(a").is_err());
    }
}
