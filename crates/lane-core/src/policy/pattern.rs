//! gitignore patterns, as CODEOWNERS reads them: no `!`, no comments, paths as bytes.
//!
//! The language is the one of gitignore(5); `git check-ignore` is the oracle of the tests. It is our
//! own code, and not a glob library, because locks and `policy check` need patterns as data
//! (one pattern covering another), paths need not be UTF-8, and a hook cannot pay for compiling a
//! regular expression for each line of a policy: `benches/policy.rs` measures both.

use std::fmt;

use super::fold;

/// One part of a pattern between slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// `**`, or more stars: any number of folders.
    AnyDepth,
    /// A name with nothing special in it.
    Literal(Vec<u8>),
    /// A name with `*`, `?` or `[…]`.
    Wild(Vec<u8>),
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The parts, from the root; a pattern without a slash begins with [`Segment::AnyDepth`].
    pub segments: Vec<Segment>,
    /// Whether it matches folders only (it ended in a slash).
    pub folder_only: bool,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PatternError {
    /// What is wrong.
    pub reason: &'static str,
    /// What to write instead.
    pub help: &'static str,
}

const fn wrong(reason: &'static str, help: &'static str) -> PatternError {
    PatternError { reason, help }
}

impl Pattern {
    /// Compiles one pattern.
    ///
    /// # Errors
    /// A pattern that could never match, or that CODEOWNERS does not have.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.starts_with('!') {
            return Err(wrong(
                "patterns cannot be negated",
                "put the exception into its own area further down: the last matching area decides",
            ));
        }
        let body = text.strip_suffix('/').unwrap_or(text);
        let folder_only = body.len() < text.len();
        let rooted = body.strip_prefix('/').unwrap_or(body);
        if rooted.is_empty() {
            return Err(wrong("the pattern matches nothing", "write `*` for all"));
        }
        let anchored = body.contains('/');
        let mut segments = Vec::new();
        if !anchored {
            segments.push(Segment::AnyDepth);
        }
        for part in rooted.split('/') {
            let segment = Segment::new(part)?;
            if segment != Segment::AnyDepth || segments.last() != Some(&Segment::AnyDepth) {
                segments.push(segment);
            }
        }
        Ok(Self { segments, folder_only })
    }

    /// Whether it is its own folded form.
    pub(super) fn is_folded(&self) -> bool {
        self.segments.iter().all(|segment| match segment {
            Segment::AnyDepth => true,
            Segment::Literal(name) => fold::is_folded(name),
            Segment::Wild(text) => !text.iter().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()),
        })
    }

    /// The pattern for folded paths.
    pub(super) fn folded(&self) -> Self {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::AnyDepth => Segment::AnyDepth,
            Segment::Literal(name) => Segment::Literal(fold::folded(name).into_owned()),
            Segment::Wild(text) => Segment::Wild(fold::letters(text)),
        });
        Self { segments: segments.collect(), folder_only: self.folder_only }
    }

    /// Whether the pattern ends in `/**`: it has what is below a folder, but not the folder.
    pub fn is_below_only(&self) -> bool {
        self.segments.last() == Some(&Segment::AnyDepth) && self.segments.len() > 1
    }

    /// Whether it speaks of one folder by its name, `x/y/**` or `y/`, and not of whatever is in it.
    pub fn names_its_folder(&self) -> bool {
        let mut named = self.segments.iter().rev().skip_while(|segment| **segment == Segment::AnyDepth);
        (self.folder_only || self.is_below_only()) && matches!(named.next(), Some(Segment::Literal(_)))
    }

    /// Whether every path that `other` has is one that this pattern has too. May say no where the
    /// answer is yes, never the other way about.
    pub fn covers(&self, other: &Self) -> bool {
        // Two that stop below a folder are compared by their folders. (`a/**` does not have all of
        // `a/`: that one also has a submodule at `a`.)
        if !self.folder_only && self.segments == [Segment::AnyDepth] {
            return true;
        }
        if self.folder_only && self.segments.last() == Some(&Segment::AnyDepth) {
            return false;
        }
        let mut wide = self.segments.as_slice();
        if self.is_below_only() && other.is_below_only() {
            wide = &wide[..wide.len() - 1];
        } else if self.folder_only && !(other.is_below_only() || other.folder_only) {
            return self.covers_prefix_of(other);
        }
        let mut narrow = other.segments.as_slice();
        if other.is_below_only() {
            narrow = &narrow[..narrow.len() - 1];
        }
        covers(wide, narrow)
    }

    /// Whether a folder above everything that `other` has is matched.
    fn covers_prefix_of(&self, other: &Self) -> bool {
        let above = other.segments.len().saturating_sub(1);
        (1..=above).any(|len| covers_exactly(&self.segments, &other.segments[..len]))
    }
}

/// `wide` matches everything at or above `narrow`.
fn covers(wide: &[Segment], narrow: &[Segment]) -> bool {
    if wide.last() == Some(&Segment::AnyDepth) {
        // `x/**` needs something below x.
        return (1..narrow.len()).any(|len| covers_exactly(&wide[..wide.len() - 1], &narrow[..len]));
    }
    (1..=narrow.len()).any(|len| covers_exactly(wide, &narrow[..len]))
}

/// Whether the whole of `narrow` is taken by the whole of `wide`.
fn covers_exactly(wide: &[Segment], narrow: &[Segment]) -> bool {
    takes_all(wide, narrow, |one, segment| one.covers(segment))
}

/// Whether segments take a whole row of names or other segments: `**` any number of them, and each other segment the one
/// that `takes` says. By places in the segments, once for each of the row: many `**` cost no more than the product.
pub(crate) fn takes_all<T>(
    segments: &[Segment],
    row: impl IntoIterator<Item = T>,
    takes: impl Fn(&Segment, &T) -> bool,
) -> bool {
    // Behind a `**` that takes nothing one stands without having taken anything.
    let enter = |places: &mut Vec<bool>| {
        for at in 0..segments.len() {
            if places[at] && segments[at] == Segment::AnyDepth {
                places[at + 1] = true;
            }
        }
    };
    let mut places = vec![false; segments.len() + 1];
    places[0] = true;
    enter(&mut places);
    for item in row {
        let mut next = vec![false; segments.len() + 1];
        for at in (0..segments.len()).filter(|at| places[*at]) {
            match &segments[at] {
                Segment::AnyDepth => next[at] = true,
                one if takes(one, &item) => next[at + 1] = true,
                _ => {}
            }
        }
        enter(&mut next);
        places = next;
    }
    places[segments.len()]
}

impl Segment {
    fn new(part: &str) -> Result<Self, PatternError> {
        match part {
            stars if stars.len() > 1 && stars.bytes().all(|byte| byte == b'*') => return Ok(Self::AnyDepth),
            "" => return Err(wrong("the pattern contains `//`", "write one slash")),
            "." | ".." => {
                return Err(wrong(
                    "the pattern contains `.` or `..`, which git paths never do",
                    "write the path from the repository's root",
                ));
            }
            _ => {}
        }
        let bytes = part.as_bytes();
        if !bytes.iter().any(|b| b"*?[\\".contains(b)) {
            return Ok(Self::Literal(bytes.to_vec()));
        }
        check_wild(bytes)?;
        Ok(Self::Wild(bytes.to_vec()))
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Wild(wild), Self::Literal(_) | Self::Wild(_)) if wild.iter().all(|b| *b == b'*') => true,
            (Self::Wild(wild), Self::Literal(name)) => wild_match(wild, name, false),
            _ => self == other && *self != Self::AnyDepth,
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyDepth => f.write_str("**"),
            Self::Literal(name) | Self::Wild(name) => f.write_str(&String::from_utf8_lossy(name)),
        }
    }
}

fn check_wild(pattern: &[u8]) -> Result<(), PatternError> {
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 == pattern.len() => {
                return Err(wrong("the pattern ends with a single `\\`", "write `\\\\` for a backslash"));
            }
            b'\\' => at += 2,
            b'[' => {
                let Some((_, len)) = class_match(&pattern[at..], b'a', false) else {
                    return Err(wrong("`[` is never closed", "close it with `]`, or write `\\[`"));
                };
                at += len;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// Whether a name matches a pattern without slashes: `*`, `?`, `[…]` and `\`, as wildmatch has them.
pub fn wild_match(pattern: &[u8], name: &[u8], fold: bool) -> bool {
    let same = |a: u8, b: u8| a == b || (fold && a.eq_ignore_ascii_case(&b));
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => {
                class_match(&pattern[p..], name[n], fold).and_then(|(matched, len)| matched.then_some(len))
            }
            Some(b'\\') => pattern.get(p + 1).and_then(|literal| same(*literal, name[n]).then_some(2)),
            Some(literal) => same(*literal, name[n]).then_some(1),
            None => None,
        };
        match (step, star) {
            (Some(len), _) => {
                p += len;
                n += 1;
            }
            (None, Some((at, from))) => {
                p = at + 1;
                n = from + 1;
                star = Some((at, from + 1));
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// Matches one byte against a bracket expression at the start of `pattern`: whether it matched, and
/// the expression's length. `None` where it is not closed.
pub(super) fn class_match(pattern: &[u8], byte: u8, fold: bool) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let mut at = if negated { 2 } else { 1 };
    let first = at;
    let mut matched = false;
    loop {
        match *pattern.get(at)? {
            b']' if at > first => return Some((matched != negated, at + 1)),
            b'[' if pattern.get(at + 1) == Some(&b':') => {
                let len = pattern[at + 2..].iter().position(|b| *b == b']')?;
                let name = pattern[at + 2..at + 2 + len].strip_suffix(b":")?;
                matched |= named_class(name, byte, fold)?;
                at += len + 3;
            }
            _ => {
                let (low, next) = class_byte(pattern, at)?;
                let is_range =
                    pattern.get(next) == Some(&b'-') && pattern.get(next + 1).is_some_and(|b| *b != b']');
                let (high, next) = if is_range { class_byte(pattern, next + 1)? } else { (low, next) };
                // git takes the first of a range for itself before it sees the range: `[z-a]` has `z`.
                let within = |b: u8| b == low || low <= b && b <= high;
                matched |= within(byte)
                    || (fold && (within(byte.to_ascii_lowercase()) || within(byte.to_ascii_uppercase())));
                at = next;
            }
        }
    }
}

fn class_byte(pattern: &[u8], at: usize) -> Option<(u8, usize)> {
    match *pattern.get(at)? {
        b'\\' => Some((*pattern.get(at + 1)?, at + 2)),
        byte => Some((byte, at + 1)),
    }
}

fn named_class(name: &[u8], byte: u8, fold: bool) -> Option<bool> {
    Some(match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => byte == b' ' || byte == b'\t',
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase() || (fold && byte.is_ascii_uppercase()),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"upper" => byte.is_ascii_uppercase() || (fold && byte.is_ascii_lowercase()),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// `text` as a pattern that matches it and nothing else.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(wide: &str, narrow: &str) -> bool {
        let pattern = |text| Pattern::new(text).expect("a pattern");
        pattern(wide).covers(&pattern(narrow))
    }

    #[test]
    fn wildcards() {
        assert!(wild_match(b"*.local", b"a.local", false));
        assert!(wild_match(b"*.local", b".local", false));
        assert!(!wild_match(b"*.local", b"a.locale", false));
        assert!(wild_match(b"a*b*c", b"aXbYbZc", false));
        assert!(wild_match(b"[a-c]?[!x]", b"b1y", false));
        assert!(wild_match(b"[[:digit:]]\\*", b"4*", false));
        assert!(wild_match(b"*.LOCAL", b"a.local", true));
        assert!(wild_match(b"[z-a]", b"z", false) && !wild_match(b"[z-a]", b"b", false));
        assert!(!wild_match(b"", b"a", false));
    }

    #[test]
    fn coverage() {
        assert!(covers("services/**", "services/a1/**"));
        assert!(covers("services/", "services/a1/**"));
        assert!(covers("services/**", "services/a1/"));
        assert!(covers("*.py", "/a/b.py"));
        assert!(covers("*", "a/b/**"));
        assert!(covers("**/alembic/**", "/a/alembic/**"));
        assert!(covers("helm/", "/helm/x.yaml"));
        assert!(covers("a/**", "a/**"));
        assert!(!covers("services/a1/**", "services/**"));
        assert!(!covers("services/**", "services"));
        assert!(!covers("helm/", "helm"));
        assert!(!covers("a/*", "a/**"), "a/* does have a/b/c, as a folder, but not by its name alone");
        assert!(!covers("/a", "b/a"));
    }

    #[test]
    fn many_folders_at_any_depth_are_covered_quickly() {
        assert!(!covers(&format!("{}b", "**/a/".repeat(40)), &format!("/{}c/b", "a/".repeat(80))));
        assert!(covers(&format!("{}b", "**/a/".repeat(40)), &format!("/{}b", "a/".repeat(80))));
    }

    #[test]
    fn what_is_no_pattern() {
        for text in ["!a", "/", "a//b", "../a", "./a", "[a", "a\\"] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
    }
}
