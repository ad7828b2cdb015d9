//! The lines of a `.gitattributes` file.

use lane_core::policy::pattern::Segment;

/// git ignores larger files, and longer lines.
const MAX_FILE: usize = 100 * 1024 * 1024;
pub const MAX_LINE: usize = 2048;

/// What is said of one attribute for one path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// `attr`
    Set,
    /// `-attr`
    Unset,
    /// Nothing, or `!attr`.
    #[default]
    Unspecified,
    /// `attr=value`
    Value(Vec<u8>),
}

/// An attribute and its state.
pub type Assignment = (Vec<u8>, State);

/// A pattern and what it says.
#[derive(Debug, PartialEq)]
pub struct Rule {
    pub pattern: Vec<Segment>,
    pub assignments: Vec<Assignment>,
}

/// One line that says something.
#[derive(Debug, PartialEq)]
pub enum Line {
    Rule(Rule),
    Macro(Vec<u8>, Vec<Assignment>),
}

/// The lines of a file, those that git ignores left out.
pub fn parse(file: &[u8]) -> Vec<Line> {
    if file.len() >= MAX_FILE {
        return Vec::new();
    }
    // git reads the file as a C string.
    let end = file.iter().position(|b| *b == 0).unwrap_or(file.len());
    file[..end].split(|b| *b == b'\n').filter_map(parse_line).collect()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| is_blank(*b)).unwrap_or(text.len());
    text.split_at(end)
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| !is_blank(*b)).unwrap_or(text.len());
    &text[start..]
}

/// One line; `None` for a comment, and for what git ignores: one wrong word spoils its line.
fn parse_line(line: &[u8]) -> Option<Line> {
    let text = skip_blanks(line);
    if text.is_empty() || text[0] == b'#' || line.len() >= MAX_LINE {
        return None;
    }
    let (name, mut rest) = match unquote(text) {
        Some((name, rest)) => (name, rest),
        None => {
            let (name, rest) = split_word(text);
            (name.to_vec(), rest)
        }
    };
    let mut assignments = Vec::new();
    loop {
        let (word, after) = split_word(skip_blanks(rest));
        if word.is_empty() {
            break;
        }
        assignments.push(parse_assignment(word)?);
        rest = after;
    }
    match name.strip_prefix(b"[attr]") {
        Some(defined) if !defined.is_empty() => {
            let (defined, _) = split_word(skip_blanks(defined));
            is_attribute_name(defined).then(|| Line::Macro(defined.to_vec(), assignments))
        }
        _ => {
            let pattern = parse_pattern(&name)?;
            Some(Line::Rule(Rule { pattern, assignments }))
        }
    }
}

fn parse_assignment(word: &[u8]) -> Option<Assignment> {
    let (name, value) = match word.iter().position(|b| *b == b'=') {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    };
    let (name, state) = match (name.split_first(), value) {
        (Some((b'-', name)), _) => (name, State::Unset),
        (Some((b'!', name)), _) => (name, State::Unspecified),
        (_, Some(value)) => (name, State::Value(value.to_vec())),
        (_, None) => (name, State::Set),
    };
    is_attribute_name(name).then(|| (name.to_vec(), state))
}

fn is_attribute_name(name: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._".contains(b);
    !name.is_empty() && name[0] != b'-' && name.iter().all(allowed) && !name.starts_with(b"builtin_")
}

/// A pattern's parts; `None` for one that has no file: a negated one, or one of folders only. A slash
/// always parts, also in `[a/b]`, which could match no slash anyway.
fn parse_pattern(text: &[u8]) -> Option<Vec<Segment>> {
    if text.is_empty() || text[0] == b'!' || text.ends_with(b"/") {
        return None;
    }
    let segment = |part: &[u8]| {
        if part.iter().any(|b| b"*?[\\".contains(b)) {
            Segment::Wild(part.to_vec())
        } else {
            Segment::Literal(part.to_vec())
        }
    };
    if !text.contains(&b'/') {
        return Some(vec![Segment::AnyDepth, segment(text)]);
    }
    let mut segments = Vec::new();
    for part in text.strip_prefix(b"/").unwrap_or(text).split(|b| *b == b'/') {
        let is_any_depth = part.len() > 1 && part.iter().all(|b| *b == b'*');
        if !is_any_depth {
            segments.push(segment(part));
        } else if segments.last() != Some(&Segment::AnyDepth) {
            segments.push(Segment::AnyDepth);
        }
    }
    Some(segments)
}

/// A name in double quotes with escapes as C has them, and what follows it; `None` where it is not
/// one, and then the quote is part of a plain name.
fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?.iter();
    let mut name = Vec::new();
    loop {
        let byte = match *rest.next()? {
            b'"' => return Some((name, rest.as_slice())),
            b'\\' => match *rest.next()? {
                b'a' => 7,
                b'b' => 8,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 11,
                b'f' => 12,
                b'r' => b'\r',
                literal @ (b'\\' | b'"') => literal,
                high @ b'0'..=b'3' => {
                    let mut digit = || rest.next().filter(|b| (b'0'..=b'7').contains(b)).map(|b| b - b'0');
                    ((high - b'0') << 6) | (digit()? << 3) | digit()?
                }
                _ => return None,
            },
            byte => byte,
        };
        name.push(byte);
    }
}
