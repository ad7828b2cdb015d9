//! Whether two patterns can have a path in common, decided exactly, with such a path as the proof.
//!
//! A pattern is a small automaton over names, and a name with wildcards one over bytes. Both questions
//! are a breadth-first search through the pairs of places that two automata can be at together, so the
//! work grows with the product of the two lengths, however many stars there are.
//!
//! Whether the path is a plain file or a folder by itself (a link, a submodule) makes no difference:
//! what is below a path that both have is a plain file that both have.

use std::collections::HashSet;
use std::hash::Hash;

use super::pattern::{Pattern, Segment, class_match, wild_match};

impl Pattern {
    /// Whether the pattern has a path: it matches the path or a folder above it. The answer of a
    /// [`PathSet`](super::pathset::PathSet) with this pattern alone. `is_folder`: the path itself is a
    /// folder (or a submodule); `fold`: ASCII case does not matter (`core.ignoreCase`).
    pub fn matches(&self, path: &[u8], is_folder: bool, fold: bool) -> bool {
        let mut places = vec![0];
        let mut rest = path;
        while !rest.is_empty() {
            let len = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
            let name = &rest[..len];
            rest = rest.get(len + 1..).unwrap_or_default();
            let mut next = Vec::new();
            for place in places {
                for (segment, to) in self.moves(place) {
                    if !next.contains(&to) && segment.matches(name, fold) {
                        next.push(to);
                    }
                }
            }
            if next.contains(&self.segments.len()) && (!self.folder_only || is_folder || !rest.is_empty()) {
                return true;
            }
            places = next;
        }
        false
    }

    /// Whether some path could be under both patterns. `fold`: ASCII case does not matter
    /// (`core.ignoreCase`).
    ///
    /// `.`, `..` and names with a NUL do not count, as git has no such names. `.git` does: of names
    /// that git refuses by its own rules, the answer may be yes where the truth is no.
    pub fn intersects(&self, other: &Self, fold: bool) -> bool {
        self.common_path(other, fold).is_some()
    }

    /// A path that both patterns have, as that of a plain file; none where they cannot have one.
    pub fn common_path(&self, other: &Self, fold: bool) -> Option<Vec<u8>> {
        let is_end = |places| places == (self.segments.len(), other.segments.len());
        let names = search((0, 0), is_end, |(one, two)| {
            pairs(self.moves(one), other.moves(two))
                .filter_map(|((one, at), (two, other))| Some((common_name(one, two, fold)?, (at, other))))
                .collect()
        })?;
        let mut path = names.join(&b'/');
        if !self.matches(&path, false, fold) || !other.matches(&path, false, fold) {
            // The path has to be a folder: what is in it is under both, whatever it is.
            path.extend_from_slice(b"/x");
        }
        Some(path)
    }

    /// A path that the pattern has, as that of a plain file; none where it cannot have one. Nearly always the
    /// pattern itself shows one, and it need not be searched for.
    pub fn example(&self, fold: bool) -> Option<Vec<u8>> {
        let names: Vec<Vec<u8>> = self.segments.iter().map(Segment::example).collect();
        let mut path = names.join(&b'/');
        if self.folder_only {
            path.extend_from_slice(b"/x");
        }
        let is_example = names.iter().all(|name| is_name(name)) && self.matches(&path, false, fold);
        if is_example { Some(path) } else { self.common_path(self, fold) }
    }

    /// From a place between the segments, what can take the next name, and the place after it. At the
    /// end everything below is taken, and a `**` that ends the pattern has to take one name to get there.
    fn moves(&self, mut place: usize) -> Vec<(&Segment, usize)> {
        let mut moves = Vec::with_capacity(2);
        while place + 1 < self.segments.len() && self.segments[place] == Segment::AnyDepth {
            moves.push((&Segment::AnyDepth, place));
            place += 1;
        }
        moves.push(match self.segments.get(place) {
            Some(segment) => (segment, place + 1),
            None => (&Segment::AnyDepth, place),
        });
        moves
    }
}

impl Segment {
    /// Whether the segment can take this one name.
    fn matches(&self, name: &[u8], fold: bool) -> bool {
        match self {
            Self::AnyDepth => true,
            Self::Literal(literal) => literal == name || (fold && literal.eq_ignore_ascii_case(name)),
            Self::Wild(wild) => wild_match(wild, name, fold),
        }
    }
}

impl Segment {
    /// A name that the segment most likely takes: each star and each set as one letter.
    fn example(&self) -> Vec<u8> {
        match self {
            Self::AnyDepth => b"x".to_vec(),
            Self::Literal(name) => name.clone(),
            Self::Wild(wild) => {
                wild.iter().map(|byte| if matches!(byte, b'*' | b'?') { b'x' } else { *byte }).collect()
            }
        }
    }
}

/// A name that both segments can take.
fn common_name(one: &Segment, two: &Segment, fold: bool) -> Option<Vec<u8>> {
    match (one, two) {
        (Segment::Literal(name), other) | (other, Segment::Literal(name)) => {
            (other.matches(name, fold) && is_name(name)).then(|| name.clone())
        }
        (Segment::Wild(one), Segment::Wild(two)) => common_wild(&tokens(one, fold), &tokens(two, fold)),
        (Segment::Wild(wild), Segment::AnyDepth) | (Segment::AnyDepth, Segment::Wild(wild)) => {
            common_wild(&tokens(wild, fold), &[Token::Star])
        }
        (Segment::AnyDepth, Segment::AnyDepth) => Some(b"x".to_vec()),
    }
}

fn is_name(name: &[u8]) -> bool {
    name != b"." && name != b".." && !name.is_empty() && !name.contains(&0)
}

/// A name that both match; not the shortest where a longer one reads better: `a.rs`, and not `.rs`.
fn common_wild(one: &[Token], two: &[Token]) -> Option<Vec<u8>> {
    let begun = |tokens: &[Token]| match tokens {
        [Token::Star, ..] => [&[Token::One(Bytes::ALL)], tokens].concat(),
        _ => tokens.to_vec(),
    };
    let shortest = shortest_name(one, two)?;
    Some(shortest_name(&begun(one), &begun(two)).unwrap_or(shortest))
}

/// The third part of a state tells `.` and `..` from real names: how many dots the name is so far, 3 for
/// any other name, 0 for none yet.
fn shortest_name(one: &[Token], two: &[Token]) -> Option<Vec<u8>> {
    let is_named = |(at, other, dots)| dots == 3 && is_end(&one[at..]) && is_end(&two[other..]);
    search((0, 0, 0), is_named, |(at, other, dots)| {
        pairs(token_moves(one, at), token_moves(two, other))
            .flat_map(|((one, at), (two, other))| {
                let both = one.and(two);
                let dot = both.has(b'.').then_some((b'.', (at, other, 3.min(dots + 1))));
                both.other_than_dot().map(|byte| (byte, (at, other, 3))).into_iter().chain(dot)
            })
            .collect()
    })
}

/// A part of a name with wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// `*`.
    Star,
    /// One byte of a set: `?`, `[…]` or a literal.
    One(Bytes),
}

/// A set of bytes, one bit for each. `/` and NUL are in none: no name has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bytes([u128; 2]);

impl Bytes {
    const ALL: Self = Self([!(1 | 1 << b'/'), !0]);
    const NONE: Self = Self([0, 0]);

    fn of(is_in: impl Fn(u8) -> bool) -> Self {
        (0..=255).filter(|byte| is_in(*byte)).fold(Self::NONE, |set, byte| set.or(Self::one(byte)))
    }

    fn one(byte: u8) -> Self {
        let mut halves = [0, 0];
        halves[usize::from(byte >> 7)] = 1 << (byte & 127);
        Self(halves).and(Self::ALL)
    }

    fn and(self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }

    fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    fn has(self, byte: u8) -> bool {
        self.0[usize::from(byte >> 7)] >> (byte & 127) & 1 == 1
    }

    /// A byte of the set that is not a dot; one that reads well, if there is one.
    fn other_than_dot(self) -> Option<u8> {
        if self == Self::NONE {
            return None;
        }
        (b'a'..=b'z').chain(b'!'..=b'~').chain(1..=255).find(|byte| *byte != b'.' && self.has(*byte))
    }
}

/// The parts of a name with wildcards, read as [`wild_match`] reads them.
fn tokens(wild: &[u8], fold: bool) -> Vec<Token> {
    let literal = |byte: &u8| {
        let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
        let folded = Bytes::one(lower).or(Bytes::one(upper));
        Token::One(if fold { folded } else { Bytes::one(*byte) })
    };
    // What never ends, `[a` or a lone `\`, matches nothing.
    let nothing = Token::One(Bytes::NONE);
    let mut tokens = Vec::new();
    let mut rest = wild;
    while let Some(byte) = rest.first() {
        let (token, len) = match byte {
            b'*' => (Token::Star, 1),
            b'?' => (Token::One(Bytes::ALL), 1),
            b'\\' => rest.get(1).map_or((nothing, 1), |escaped| (literal(escaped), 2)),
            b'[' => class_match(rest, 0, fold).map_or((nothing, 1), |(_, len)| {
                let is_in = |b| class_match(rest, b, fold).is_some_and(|(is_in, _)| is_in);
                (Token::One(Bytes::of(is_in)), len)
            }),
            _ => (literal(byte), 1),
        };
        rest = &rest[len..];
        if token != Token::Star || tokens.last() != Some(&Token::Star) {
            tokens.push(token);
        }
    }
    tokens
}

/// From a place between the tokens, which bytes can come next, and the place after them.
fn token_moves(tokens: &[Token], mut place: usize) -> Vec<(Bytes, usize)> {
    let mut moves = Vec::with_capacity(2);
    if tokens.get(place) == Some(&Token::Star) {
        moves.push((Bytes::ALL, place));
        place += 1;
    }
    if let Some(Token::One(bytes)) = tokens.get(place) {
        moves.push((*bytes, place + 1));
    }
    moves
}

/// Whether nothing more is needed: stars do not follow each other.
fn is_end(rest: &[Token]) -> bool {
    matches!(rest, [] | [Token::Star])
}

/// Each of the one with each of the other.
fn pairs<A: Copy, B: Copy>(one: Vec<A>, two: Vec<B>) -> impl Iterator<Item = (A, B)> {
    one.into_iter().flat_map(move |a| two.clone().into_iter().map(move |b| (a, b)))
}

/// The labels on a shortest way from `start` to an end. No state is visited twice.
fn search<S: Copy + Eq + Hash, L>(
    start: S,
    is_end: impl Fn(S) -> bool,
    edges: impl Fn(S) -> Vec<(L, S)>,
) -> Option<Vec<L>> {
    let mut seen = HashSet::from([start]);
    // Each state with the one before it and the label between them; what is behind `at` is the queue.
    let mut reached = vec![(start, None)];
    let mut at = 0;
    while at < reached.len() {
        let state = reached[at].0;
        if is_end(state) {
            let mut labels = Vec::new();
            while let Some((before, label)) = reached[at].1.take() {
                labels.push(label);
                at = before;
            }
            labels.reverse();
            return Some(labels);
        }
        for (label, next) in edges(state) {
            if seen.insert(next) {
                reached.push((next, Some((at, label))));
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests;
