//! gitattributes(5), as a tree has them: never the working tree's, `$GIT_DIR/info/attributes` or the
//! configuration, so that whoever is judged has no say in them.
//!
//! `git --attr-source=<tree> check-attr` is the oracle. One pattern of a deeper folder beats all of a
//! shallower one, a later line beats an earlier one, a later word in a line beats an earlier one.

use std::collections::HashMap;

pub use super::attribute_file::State;
use super::attribute_file::{Assignment, Line, Rule, parse};
use super::raw_tree::RawTree;
use super::repository::{Read, Repository};
use lane_core::facts::{FileVersion, Oid};
use lane_core::policy::pattern::{Segment, wild_match};

const NAME: &[u8] = b".gitattributes";
/// How many bytes are searched for a NUL, which makes a file a binary one.
const SEARCHED: usize = 8000;
/// The only attributes that git-lane asks for.
const DIFF: &[u8] = b"diff";
const GENERATED: &[u8] = b"linguist-generated";

/// What is said of one path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathAttributes {
    /// `diff`: set means text, unset means binary, all else that the contents decide.
    pub diff: State,
    /// `linguist-generated`, or `linguist-generated=true`.
    pub is_generated: bool,
}

/// The attributes of one tree, read folder by folder as paths are asked for.
pub struct Attributes<'r> {
    repo: &'r dyn Repository,
    tree: Option<Oid>,
    folders: HashMap<Vec<u8>, Folder>,
    macros: HashMap<Vec<u8>, Vec<Assignment>>,
}

#[derive(Default)]
struct Folder {
    tree: Option<RawTree>,
    rules: Vec<Rule>,
}

impl<'r> Attributes<'r> {
    /// The attributes of a tree; `None` is the empty tree.
    pub fn new(repo: &'r dyn Repository, tree: Option<Oid>) -> Self {
        let binary = [b"diff".as_slice(), b"merge", b"text"];
        let binary = binary.map(|name| (name.to_vec(), State::Unset));
        Self {
            repo,
            tree,
            folders: HashMap::new(),
            macros: HashMap::from([(b"binary".to_vec(), binary.to_vec())]),
        }
    }

    /// What the tree says of a path, whether or not the tree has that path.
    ///
    /// # Errors
    /// A folder on the way, or its `.gitattributes`, cannot be read.
    pub fn of(&mut self, path: &[u8]) -> Read<PathAttributes> {
        let slashes = path.iter().enumerate().filter(|(_, b)| **b == b'/');
        let ends: Vec<usize> = slashes.map(|(at, _)| at).collect();
        self.load(&[], None)?;
        let mut parent = 0;
        for &end in &ends {
            self.load(&path[..end], Some(parent))?;
            parent = end;
        }
        let mut found = HashMap::new();
        for start in ends.iter().rev().map(|end| end + 1).chain([0]) {
            let Some(folder) = self.folders.get(&path[..start.saturating_sub(1)]) else {
                continue;
            };
            for rule in folder.rules.iter().rev() {
                if matches(&rule.pattern, &path[start..]) {
                    assign(&rule.assignments, &self.macros, &mut found);
                }
            }
        }
        let state = |name: &[u8]| found.get(name).copied().cloned().unwrap_or_default();
        let is_generated = match state(GENERATED) {
            State::Set => true,
            State::Value(value) => value == b"true",
            State::Unset | State::Unspecified => false,
        };
        Ok(PathAttributes { diff: state(DIFF), is_generated })
    }

    /// What the attributes say of a file's lines: `Some(true)` that there are none, `Some(false)` that
    /// it is text, `None` that its contents decide. Only regular files have attributes.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn is_binary(&mut self, path: &[u8], version: FileVersion) -> Read<Option<bool>> {
        if !is_regular(version.mode) {
            return Ok(None);
        }
        Ok(match self.of(path)?.diff {
            State::Set => Some(false),
            State::Unset => Some(true),
            State::Unspecified | State::Value(_) => None,
        })
    }

    /// Reads a folder once. `parent`: how many bytes of `folder` name the one above.
    fn load(&mut self, folder: &[u8], parent: Option<usize>) -> Read<()> {
        if self.folders.contains_key(folder) {
            return Ok(());
        }
        let tree = match parent {
            None => self.tree,
            Some(len) => {
                let name = if len == 0 { folder } else { &folder[len + 1..] };
                let above = self.folders.get(&folder[..len]).and_then(|above| above.tree.as_ref());
                let mut entries = above.into_iter().flat_map(RawTree::entries);
                entries.find(|entry| entry.is_folder() && entry.name == name).map(|entry| entry.version.oid)
            }
        };
        let tree = tree.map(|oid| self.repo.raw_tree(oid)).transpose()?;
        // A link is read for its own text: git does not follow it, and does not skip it in a tree.
        let mut entries = tree.iter().flat_map(RawTree::entries);
        let own = entries.find(|e| e.name == NAME && !e.is_folder() && !e.version.is_submodule());
        let mut rules = Vec::new();
        if let Some(file) = own {
            for line in parse(&self.repo.blob(file.version.oid)?) {
                match line {
                    Line::Rule(rule) => rules.push(rule),
                    Line::Macro(name, assignments) if parent.is_none() => {
                        self.macros.insert(name, assignments);
                    }
                    Line::Macro(..) => {}
                }
            }
        }
        self.folders.insert(folder.to_vec(), Folder { tree, rules });
        Ok(())
    }
}

/// Whether a mode is that of a plain file, executable or not.
pub fn is_regular(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// Whether contents that no attribute decides on are binary: there is a NUL near the start.
pub fn has_nul(bytes: &[u8]) -> bool {
    bytes.iter().take(SEARCHED).any(|b| *b == 0)
}

/// Takes over what is not decided yet, the last word first. A macro that is set stands for its words.
fn assign<'a>(
    assignments: &'a [Assignment],
    macros: &'a HashMap<Vec<u8>, Vec<Assignment>>,
    found: &mut HashMap<&'a [u8], &'a State>,
) {
    let mut todo: Vec<&Assignment> = assignments.iter().collect();
    while let Some((name, state)) = todo.pop() {
        if found.contains_key(name.as_slice()) {
            continue;
        }
        found.insert(name, state);
        if *state == State::Set
            && let Some(meant) = macros.get(name)
        {
            todo.extend(meant);
        }
    }
}

/// Whether a pattern has exactly this path; unlike in gitignore(5), a folder's pattern has nothing
/// of what is below the folder.
fn matches(pattern: &[Segment], path: &[u8]) -> bool {
    let names: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = match (pattern.get(p), names.get(n)) {
            (None, None) => return true,
            (Some(Segment::AnyDepth), name) if p + 1 == pattern.len() => return name.is_some(),
            (Some(Segment::AnyDepth), _) => {
                p += 1;
                retry = Some((p, n));
                continue;
            }
            (Some(Segment::Literal(literal)), Some(name)) => literal == name,
            (Some(Segment::Wild(wild)), Some(name)) => wild_match(wild, name, false),
            (Some(_), None) => return false,
            (None, Some(_)) => false,
        };
        match retry {
            _ if fits => (p, n) = (p + 1, n + 1),
            Some((at, from)) => {
                (p, n) = (at, from + 1);
                retry = Some((at, from + 1));
            }
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::attribute_file::MAX_LINE;
    use super::*;

    fn states(file: &str, path: &str) -> HashMap<String, State> {
        let (mut rules, mut macros) = (Vec::new(), HashMap::new());
        for line in parse(file.as_bytes()) {
            match line {
                Line::Rule(rule) => rules.push(rule),
                Line::Macro(name, meant) => _ = macros.insert(name, meant),
            }
        }
        let mut found = HashMap::new();
        for rule in rules.iter().rev().filter(|rule| matches(&rule.pattern, path.as_bytes())) {
            assign(&rule.assignments, &macros, &mut found);
        }
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        found.into_iter().map(|(name, state)| (text(name), state.clone())).collect()
    }

    fn diff(file: &str, path: &str) -> State {
        states(file, path).remove("diff").unwrap_or_default()
    }

    fn has(pattern: &str, path: &str) -> bool {
        diff(&format!("{pattern} diff"), path) == State::Set
    }

    #[test]
    fn states_of_an_attribute() {
        assert_eq!(diff("*.rs diff", "a/b.rs"), State::Set);
        assert_eq!(diff("*.rs\t-diff\r", "b.rs"), State::Unset);
        assert_eq!(diff("*.rs diff=rust", "b.rs"), State::Value(b"rust".to_vec()));
        assert_eq!(diff("*.rs -diff\nb.* !diff", "b.rs"), State::Unspecified);
        assert_eq!(diff("*.rs -diff=x", "b.rs"), State::Unset);
        assert_eq!(diff("* -diff\n*.rs diff", "b.rs"), State::Set, "the last line decides");
        assert_eq!(diff("* -diff diff", "b.rs"), State::Set, "the last word decides");
    }

    #[test]
    fn patterns() {
        for (pattern, path) in [
            ("b.rs", "a/b.rs"),
            ("/b.rs", "b.rs"),
            ("a/*.rs", "a/b.rs"),
            ("**/b.rs", "b.rs"),
            ("a/**", "a/b/c"),
            ("a/**/c", "a/c"),
            ("a/**/c/**/e", "a/c/x/c/d/e"),
            ("**", "a/b"),
            ("\"b c\"", "a/b c"),
            ("\"b\\143\\\"\"", "bc\""),
            ("\"b", "\"b"),
            ("[ab]?", "x/b1"),
            ("\\!b", "!b"),
        ] {
            assert!(has(pattern, path), "{pattern} has {path}");
        }
        for (pattern, path) in [
            ("a", "a/b.rs"),
            ("a/", "a/b.rs"),
            ("/b.rs", "a/b.rs"),
            ("a/*", "a/b/c"),
            ("a/**", "a"),
            ("b.rs/", "b.rs"),
            ("!b.rs", "b.rs"),
            ("#b", "#b"),
            ("a/b", "x/a/b"),
        ] {
            assert!(!has(pattern, path), "{pattern} does not have {path}");
        }
    }

    #[test]
    fn macros() {
        assert_eq!(diff("[attr]gen -diff linguist-generated\n*.rs gen", "b.rs"), State::Unset);
        assert_eq!(diff("[attr]gen -diff\n*.rs diff gen", "b.rs"), State::Unset);
        assert_eq!(diff("[attr]gen -diff\n*.rs gen diff", "b.rs"), State::Set);
        assert_eq!(diff("[attr]gen -diff\n*.rs -gen", "b.rs"), State::Unspecified);
        assert_eq!(diff("[attr]a b\n[attr]b a -diff\n*.rs a", "b.rs"), State::Unset);
        assert_eq!(diff("[attr] -diff", "b.rs"), State::Unspecified);
    }

    #[test]
    fn a_wrong_word_spoils_its_line() {
        assert_eq!(diff("* -diff\n* diff b@d", "b.rs"), State::Unset);
        assert_eq!(diff("* -diff\n* diff =x", "b.rs"), State::Unset);
        assert_eq!(diff(&format!("* -diff\n* diff{}", " ".repeat(MAX_LINE)), "b.rs"), State::Unset);
        assert_eq!(diff("* -diff\n\0\n* diff", "b.rs"), State::Unset, "nothing is read after a NUL");
    }

    #[test]
    fn a_nul_near_the_start_makes_a_file_binary() {
        let mut bytes = vec![b'a'; SEARCHED];
        assert!(!has_nul(&bytes));
        bytes.push(0);
        assert!(!has_nul(&bytes));
        bytes[SEARCHED - 1] = 0;
        assert!(has_nul(&bytes));
    }
}
