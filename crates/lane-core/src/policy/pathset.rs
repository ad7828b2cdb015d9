//! Many patterns matched at once: a trie over path segments, walked once for each path.
//!
//! Building costs a few map insertions for a pattern, matching does not grow with the number of
//! patterns unless they hold unusual wildcards at the same place.

use rustc_hash::FxHashMap;

use super::pattern::{Pattern, Segment};
use wild::WildcardEdges;

mod wild;

/// A set of patterns, each with the number it was added under.
#[derive(Debug, Default)]
pub struct PathSet {
    nodes: Vec<TrieNode>,
    fold: bool,
    /// Whether a short name of Windows stands for the long one.
    takes_short: bool,
}

type NodeId = usize;

#[derive(Debug, Default)]
struct TrieNode {
    literals: FxHashMap<Box<[u8]>, NodeId>,
    /// What few nodes have.
    unusual: Option<Box<WildcardEdges>>,
    any_depth: Option<NodeId>,
    is_any_depth: bool,
    ends: Vec<End>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    id: usize,
    folder_only: bool,
}

impl PathSet {
    /// An empty set; with `fold`, ASCII case does not matter (`core.ignoreCase`).
    pub fn new(fold: bool) -> Self {
        Self { nodes: vec![TrieNode::default()], fold, takes_short: false }
    }

    /// An empty set of folded patterns, for folded paths: see [`super::fold`].
    pub fn of_folded() -> Self {
        Self { takes_short: true, ..Self::new(false) }
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// Adds a pattern under a number.
    pub fn insert(&mut self, pattern: &Pattern, id: usize) {
        let mut at = 0;
        for segment in &pattern.segments {
            at = self.child(at, segment);
        }
        self.nodes[at].ends.push(End { id, folder_only: pattern.folder_only });
    }

    fn child(&mut self, at: NodeId, segment: &Segment) -> NodeId {
        let fresh = self.nodes.len();
        let fold = self.fold;
        let key = |bytes: &[u8]| -> Box<[u8]> { folded(bytes, fold).into() };
        let node = &mut self.nodes[at];
        let id = match segment {
            Segment::AnyDepth => *node.any_depth.get_or_insert(fresh),
            Segment::Literal(name) => *node.literals.entry(key(name)).or_insert(fresh),
            Segment::Wild(text) => node.unusual.get_or_insert_default().state(text, fold, fresh),
        };
        if id == fresh {
            self.nodes.push(TrieNode { is_any_depth: *segment == Segment::AnyDepth, ..TrieNode::default() });
        }
        id
    }

    /// Calls `found` with the number of each pattern that has the path, in no particular order and
    /// possibly more than once. `is_folder`: the path itself is a folder (or a submodule).
    pub fn each_match(&self, path: &[u8], is_folder: bool, mut found: impl FnMut(usize)) {
        let path = folded(path, self.fold);
        let mut active: Vec<NodeId> = Vec::with_capacity(8);
        self.enter(0, &mut active);
        let mut next: Vec<NodeId> = Vec::with_capacity(8);
        let mut rest: &[u8] = &path;
        while !rest.is_empty() {
            let len = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
            let name = &rest[..len];
            rest = rest.get(len + 1..).unwrap_or_default();
            let is_folder = is_folder || !rest.is_empty();
            for &id in &active {
                self.step(id, name, &mut next);
            }
            for &id in &next {
                // A `**` at the end of a pattern is a match only once it has taken a name, which
                // `step` alone can do: `enter` adds it to the states after this.
                for end in &self.nodes[id].ends {
                    if is_folder || !end.folder_only {
                        found(end.id);
                    }
                }
            }
            active.clear();
            for &id in &next {
                self.enter(id, &mut active);
            }
            next.clear();
        }
    }

    /// The highest number among the patterns that have the path.
    pub fn last_match(&self, path: &[u8], is_folder: bool) -> Option<usize> {
        let mut last = None;
        self.each_match(path, is_folder, |id| last = last.max(Some(id)));
        last
    }

    /// Adds a state, and the `**` behind it that takes no name yet.
    fn enter(&self, id: NodeId, active: &mut Vec<NodeId>) {
        if !active.contains(&id) {
            active.push(id);
        }
        if let Some(deep) = self.nodes[id].any_depth
            && !active.contains(&deep)
        {
            active.push(deep);
        }
    }

    fn step(&self, id: NodeId, name: &[u8], next: &mut Vec<NodeId>) {
        let node = &self.nodes[id];
        let mut add = |id: NodeId| {
            if !next.contains(&id) {
                next.push(id);
            }
        };
        if node.is_any_depth {
            add(id);
        }
        if let Some(child) = node.literals.get(name) {
            add(*child);
        }
        if self.takes_short && name.contains(&b'~') {
            let longs = node.literals.iter().filter(|(long, _)| super::fold::is_short_of(name, long));
            longs.for_each(|(_, child)| add(*child));
        }
        if let Some(unusual) = &node.unusual {
            unusual.each(name, self.fold, add);
        }
    }
}

fn folded(bytes: &[u8], fold: bool) -> std::borrow::Cow<'_, [u8]> {
    if fold { bytes.to_ascii_lowercase().into() } else { bytes.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(pattern: &str, path: &str) -> bool {
        let mut set = PathSet::new(false);
        set.insert(&Pattern::new(pattern).expect("a pattern"), 7);
        let (path, is_folder) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        set.last_match(path.as_bytes(), is_folder) == Some(7)
    }

    macro_rules! cases {
        ($($name:ident: $pattern:literal, [$($yes:literal),*], [$($no:literal),*];)*) => {$(
            #[test]
            fn $name() {
                $(assert!(has($pattern, $yes), "{} has {}", $pattern, $yes);)*
                $(assert!(!has($pattern, $no), "{} does not have {}", $pattern, $no);)*
            }
        )*};
    }

    cases! {
        a_name_at_any_depth: "a.txt", ["a.txt", "x/a.txt", "x/a.txt/y"], ["b/a.txt2"];
        anchored_by_a_slash: "x/a.txt", ["x/a.txt", "x/a.txt/b"], ["y/x/a.txt"];
        anchored_by_the_first_slash: "/a", ["a", "a/b"], ["b/a"];
        a_folder_only: "helm/", ["helm/x", "a/helm/x", "helm/"], ["helm"];
        all_below: "services/common/**", ["services/common/a", "services/common/a/b"], ["services/common"];
        as_many_stars: "a/***/b", ["a/b", "a/x/y/b"], ["b"];
        in_the_middle: "a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/x/b/c"], ["b", "a/xb"];
        at_both_ends: "**/alembic/**", ["alembic/a", "x/alembic/a/b"], ["alembic", "x/alembics/a"];
        suffix: "*.local", ["a.local", "x/.local", "x.local/y"], ["a.locals"];
        prefix: "test_*", ["test_", "a/test_x"], ["atest_"];
        infix: "test_*.py", ["test_.py", "a/test_x.py", "test_.py.py"], ["test.py", "test_py", "atest_.py", "test_.pyc"];
        both_ends_of_a_name_are_its_own: "ab*ba", ["abba", "ab/abxba/c"], ["aba", "abb"];
        star_stays_in_a_folder: "src/*.rs", ["src/a.rs"], ["src/b/a.rs"];
        everything: "*", ["a", "a/b"], [];
        an_escaped_star: "a\\*", ["a*"], ["ab"];
    }

    #[test]
    fn the_last_of_many_wins() {
        let mut set = PathSet::new(true);
        for (id, text) in ["*", "src/**", "*.RS", "src/x/"].iter().enumerate() {
            set.insert(&Pattern::new(text).expect("a pattern"), id);
        }
        assert_eq!(set.last_match(b"README", false), Some(0));
        assert_eq!(set.last_match(b"SRC/a.c", false), Some(1));
        assert_eq!(set.last_match(b"src/a.rs", false), Some(2));
        assert_eq!(set.last_match(b"src/x/a.rs", false), Some(3));
    }
}
