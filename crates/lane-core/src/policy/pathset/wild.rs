//! What leads on from a state for names with something special in them, however many patterns share the place.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::super::pattern::{class_match, wild_match};
use super::{NodeId, folded};

/// Up to how many texts are tried one after the other.
const FEW: usize = 12;

/// A text with wildcards, and the state behind it.
type Edge = (Box<[u8]>, NodeId);
type ByText<T> = FxHashMap<Box<[u8]>, T>;

/// Names with wildcards, each with the state that it leads to.
#[derive(Debug, Default)]
pub(super) struct WildcardEdges {
    /// `*.py`, by the literal end.
    suffixes: ByText<NodeId>,
    /// `test_*` and `test_*.py`, by the literal start, then by the end.
    prefixes: ByText<ByText<NodeId>>,
    /// All others.
    wild: ByText<NodeId>,
    /// Those by what a name must have, once they are many.
    index: OnceLock<LiteralIndex>,
}

/// Texts by the longest run of plain bytes in them: only those whose run is somewhere in a name need to be tried.
#[derive(Debug, Default)]
struct LiteralIndex {
    /// For each length of a run.
    by_length: Vec<(usize, ByText<Vec<Edge>>)>,
    /// Without any.
    rest: Vec<Edge>,
}

impl WildcardEdges {
    /// The state of a text, which is `fresh` if it has none yet.
    pub(super) fn state(&mut self, text: &[u8], fold: bool, fresh: NodeId) -> NodeId {
        let key = |bytes: &[u8]| -> Box<[u8]> { folded(bytes, fold).into() };
        *match (one_star(text), text) {
            (Some(0), [_, end @ ..]) => self.suffixes.entry(key(end)).or_insert(fresh),
            (Some(at), _) => {
                let ends = self.prefixes.entry(key(&text[..at])).or_default();
                ends.entry(key(&text[at + 1..])).or_insert(fresh)
            }
            (None, _) => {
                self.index.take();
                self.wild.entry(text.into()).or_insert(fresh)
            }
        }
    }

    /// Gives the states that a name leads to. `name` is folded with `fold`.
    pub(super) fn each(&self, name: &[u8], fold: bool, mut found: impl FnMut(NodeId)) {
        if !self.suffixes.is_empty() {
            for start in 0..=name.len() {
                if let Some(state) = self.suffixes.get(&name[start..]) {
                    found(*state);
                }
            }
        }
        if !self.prefixes.is_empty() {
            for at in 0..=name.len() {
                if let Some(ends) = self.prefixes.get(&name[..at]) {
                    each_end(ends, &name[at..], &mut found);
                }
            }
        }
        if self.wild.len() <= FEW {
            for (text, state) in &self.wild {
                if wild_match(text, name, fold) {
                    found(*state);
                }
            }
        } else {
            self.index.get_or_init(|| LiteralIndex::new(&self.wild, fold)).each(name, fold, found);
        }
    }
}

fn each_end(ends: &ByText<NodeId>, name: &[u8], found: &mut impl FnMut(NodeId)) {
    if ends.len() <= FEW {
        let matching = ends.iter().filter(|(end, _)| name.ends_with(end));
        matching.for_each(|(_, state)| found(*state));
    } else {
        (0..=name.len()).filter_map(|start| ends.get(&name[start..])).for_each(|state| found(*state));
    }
}

impl LiteralIndex {
    fn new(texts: &ByText<NodeId>, fold: bool) -> Self {
        let mut lengths: FxHashMap<usize, ByText<Vec<Edge>>> = FxHashMap::default();
        let mut rest = Vec::new();
        for (text, state) in texts {
            let run = longest_run(text);
            if run.is_empty() {
                rest.push((text.clone(), *state));
            } else {
                let of_length = lengths.entry(run.len()).or_default();
                of_length.entry(folded(&run, fold).into()).or_default().push((text.clone(), *state));
            }
        }
        Self { by_length: lengths.into_iter().collect(), rest }
    }

    fn each(&self, name: &[u8], fold: bool, mut found: impl FnMut(NodeId)) {
        let mut try_all = |texts: &[Edge]| {
            for (text, state) in texts {
                if wild_match(text, name, fold) {
                    found(*state);
                }
            }
        };
        try_all(&self.rest);
        for (length, runs) in &self.by_length {
            let mut tried: Vec<&[u8]> = Vec::new();
            for run in name.windows(*length) {
                if let Some(texts) = runs.get(run).filter(|_| !tried.contains(&run)) {
                    tried.push(run);
                    try_all(texts);
                }
            }
        }
    }
}

/// The longest run of bytes in a text that stand for themselves.
fn longest_run(text: &[u8]) -> Vec<u8> {
    let (mut longest, mut run) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < text.len() {
        let literal = match text[at] {
            b'*' | b'?' => None,
            b'[' => {
                at += class_match(&text[at..], 0, false).map_or(text.len(), |(_, len)| len - 1);
                None
            }
            b'\\' => {
                at += 1;
                text.get(at)
            }
            _ => text.get(at),
        };
        match literal {
            Some(byte) => run.push(*byte),
            None => longer(&mut longest, &mut run),
        }
        at += 1;
    }
    longer(&mut longest, &mut run);
    longest
}

fn longer(longest: &mut Vec<u8>, run: &mut Vec<u8>) {
    if run.len() > longest.len() {
        std::mem::swap(longest, run);
    }
    run.clear();
}

/// Where the star is in a pattern whose only special character is one star.
fn one_star(text: &[u8]) -> Option<usize> {
    let at = text.iter().position(|b| b"*?[\\".contains(b))?;
    let alone = text[at] == b'*' && !text[at + 1..].iter().any(|b| b"*?[\\".contains(b));
    alone.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs() {
        for (text, run) in [
            ("*abc*de*", "abc"),
            ("a*", "a"),
            ("**", ""),
            ("[abc]x[!]]yz", "yz"),
            ("\\*\\?a*bc", "*?a"),
            ("?a[[:digit:]]bb", "bb"),
            ("[a-z]*[0-9]", ""),
        ] {
            assert_eq!(longest_run(text.as_bytes()), run.as_bytes(), "{text}");
        }
    }

    #[test]
    fn many_are_found_as_few_are() {
        let texts: Vec<String> = (0..40)
            .flat_map(|n| [format!("*a{n}*b"), format!("x{n}*"), format!("x*{n}"), format!("*[{}]?", n % 10)])
            .chain(["*A*Z*".to_owned(), "\\**\\*".to_owned(), "*?".to_owned()])
            .collect();
        let names = ["a7b", "xa7yb", "a7a7b", "x3", "x33", "xx12", "5q", "aaz", "*b*", "b", ""];
        for fold in [false, true] {
            let mut edges = WildcardEdges::default();
            for (state, text) in texts.iter().enumerate() {
                edges.state(text.as_bytes(), fold, state);
            }
            for name in names {
                let mut found = Vec::new();
                edges.each(name.as_bytes(), fold, |state| found.push(texts[state].as_str()));
                found.sort_unstable();
                found.dedup();
                let mut wanted: Vec<&str> = texts.iter().map(String::as_str).collect();
                wanted.retain(|text| wild_match(text.as_bytes(), name.as_bytes(), fold));
                wanted.sort_unstable();
                wanted.dedup();
                assert_eq!(found, wanted, "{name} {fold}");
            }
        }
    }
}
