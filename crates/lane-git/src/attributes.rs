//! gitattributes(5), as a tree has them: never the working tree's, `$GIT_DIR/info/attributes` or the
//! configuration, so that whoever is judged has no say in them.
//!
//! `git --attr-source=<tree> check-attr` is the oracle; gix-attributes reads and matches. One pattern of a deeper folder
//! beats all of a shallower one, a later line beats an earlier one, a later word in a line beats an earlier one.

use std::collections::HashMap;
use std::path::Path;

use bstr::ByteSlice;
use gix_attributes::search::{MetadataCollection, Outcome};
use gix_attributes::{Search, StateRef};
use gix_glob::pattern::Case;

use super::raw_tree::RawTree;
use super::repository::{Read, Repository};
use lane_core::facts::{FileVersion, Oid, Unavailable};

const NAME: &[u8] = b".gitattributes";
/// How many bytes are searched for a NUL, which makes a file a binary one.
pub const NUL_WITHIN: usize = 8000;
/// The only attributes that git-lane asks for.
const ASKED: [&str; 4] = ["diff", "linguist-generated", "text", "eol"];
/// The macro that git knows without being told.
const BUILT_IN: &[u8] = b"[attr]binary -diff -merge -text\n";
/// git ignores larger files, and longer lines.
const MAX_FILE: usize = 100 * 1024 * 1024;
const MAX_LINE: usize = 2048;

/// What is said of one attribute for one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// `attr`
    Set,
    /// `-attr`
    Unset,
    /// Nothing, `!attr`, or a value that means nothing here.
    #[default]
    Unspecified,
}

/// What is said of one path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathAttributes {
    /// `diff`: set means text, unset means binary, all else that the contents decide.
    pub diff: State,
    /// `linguist-generated`, or `linguist-generated=true`.
    pub is_generated: bool,
    /// `text` or `eol`: set means that git keeps its lines with line feeds alone, unset that it leaves them as they are.
    pub text: State,
}

/// The attributes of one tree, read folder by folder as paths are asked for.
pub struct Attributes<'r> {
    repo: &'r dyn Repository,
    tree: Option<Oid>,
    folders: HashMap<Vec<u8>, Option<RawTree>>,
    files: Files,
}

/// The files of attributes that were read: those of a folder before those of the folders in it.
#[derive(Default)]
struct Files {
    search: Search,
    names: MetadataCollection,
    found: Outcome,
}

impl<'r> Attributes<'r> {
    /// The attributes of a tree; `None` is the empty tree.
    pub fn new(repo: &'r dyn Repository, tree: Option<Oid>) -> Self {
        Self { repo, tree, folders: HashMap::new(), files: Files::default() }
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
        Ok(self.files.of(path))
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
            State::Unspecified => None,
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
                let above = self.folders.get(&folder[..len]).and_then(|above| above.as_ref());
                let mut entries = above.into_iter().flat_map(RawTree::entries);
                entries.find(|entry| entry.is_folder() && entry.name == name).map(|entry| entry.version.oid)
            }
        };
        let tree = tree.map(|oid| self.repo.raw_tree(oid)).transpose()?;
        // A link is read for its own text: git does not follow it, and does not skip it in a tree.
        let mut entries = tree.iter().flat_map(RawTree::entries);
        let own = entries.find(|e| e.name == NAME && !e.is_folder() && !e.version.is_submodule());
        if let Some(file) = own {
            let text = self.repo.blob(file.version.oid)?;
            self.files.add(folder, &text).map_err(|error| {
                let place = String::from_utf8_lossy(folder);
                Unavailable::new(
                    format!("the attributes of the folder `{place}` cannot be read: {error}"),
                    "give the folder a name in UTF-8",
                )
            })?;
        }
        self.folders.insert(folder.to_vec(), tree);
        Ok(())
    }
}

impl Files {
    /// Takes in the file of a folder.
    fn add(&mut self, folder: &[u8], file: &[u8]) -> std::io::Result<()> {
        if file.len() >= MAX_FILE {
            return Ok(());
        }
        if self.search.num_pattern_lists() == 0 && !folder.is_empty() {
            self.add(b"", b"")?;
        }
        // Whatever stands before the file: git does not pass over a byte order mark in a tree's file.
        let is_first = self.search.num_pattern_lists() == 0;
        let mut text = if is_first { BUILT_IN.to_vec() } else { b"\n".to_vec() };
        // git reads the file as a C string, and makes nothing of a line that is too long.
        let end = memchr::memchr(0, file).unwrap_or(file.len());
        let mut at = 0;
        while at < end {
            let line_end = memchr::memchr(b'\n', &file[at..end]).map_or(end, |length| at + length);
            if line_end - at < MAX_LINE {
                text.extend_from_slice(&file[at..line_end]);
                text.push(b'\n');
            }
            at = line_end + 1;
        }
        let path = folder.to_path_lossy().join(".gitattributes");
        let (root, names) = (Some(Path::new("")), &mut self.names);
        self.search.add_patterns_buffer(&text, path, root, names, folder.is_empty())?;
        self.found.initialize_with_selection(&self.names, ASKED);
        Ok(())
    }

    fn of(&mut self, path: &[u8]) -> PathAttributes {
        let mut attributes = PathAttributes::default();
        self.found.reset();
        self.search.pattern_matching_relative_path(path.as_bstr(), Case::Sensitive, None, &mut self.found);
        for found in self.found.iter_selected() {
            match (found.assignment.name.as_str(), found.assignment.state) {
                ("diff", StateRef::Set) => attributes.diff = State::Set,
                ("diff", StateRef::Unset) => attributes.diff = State::Unset,
                ("diff", _) => {}
                ("text", StateRef::Unset) => attributes.text = State::Unset,
                ("text" | "eol", StateRef::Set | StateRef::Value(_)) if attributes.text != State::Unset => {
                    attributes.text = State::Set;
                }
                ("text" | "eol", _) => {}
                (_, StateRef::Value(value)) => attributes.is_generated = value.as_bstr() == "true",
                (_, state) => attributes.is_generated = state == StateRef::Set,
            }
        }
        attributes
    }
}

/// Whether a mode is that of a plain file, executable or not.
pub fn is_regular(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// Whether contents that no attribute decides on are binary: there is a NUL near the start.
pub fn has_nul(bytes: &[u8]) -> bool {
    bytes.iter().take(NUL_WITHIN).any(|b| *b == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(file: &str, path: &str) -> State {
        let mut files = Files::default();
        files.add(b"", file.as_bytes()).unwrap();
        files.of(path.as_bytes()).diff
    }

    #[test]
    fn a_file_of_a_deeper_folder() {
        let mut files = Files::default();
        files.add(b"a", b"[attr]gen -diff\n*.rs gen\n/*.png binary\n").unwrap();
        assert_eq!(files.of(b"a/b.png").diff, State::Unset, "git knows that macro itself");
        assert_eq!(files.of(b"a/b/c.png").diff, State::Unspecified);
        assert_eq!(files.of(b"b.png").diff, State::Unspecified);
        assert_eq!(files.of(b"a/b.rs").diff, State::Unspecified, "macros are the root's alone");
        files.add(b"a/b", b"\xef\xbb\xbf*.png diff\n*.x diff=y linguist-generated=true\n").unwrap();
        assert_eq!(files.of(b"a/b/c.png").diff, State::Unspecified, "the mark is part of the pattern");
        let wanted = PathAttributes { is_generated: true, ..PathAttributes::default() };
        assert_eq!(files.of(b"a/b/c.x"), wanted);
    }

    fn has(pattern: &str, path: &str) -> bool {
        diff(&format!("{pattern} diff"), path) == State::Set
    }

    #[test]
    fn states_of_an_attribute() {
        assert_eq!(diff("*.rs diff", "a/b.rs"), State::Set);
        assert_eq!(diff("*.rs\t-diff\r", "b.rs"), State::Unset);
        assert_eq!(diff("*.rs diff=rust", "b.rs"), State::Unspecified);
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
        assert_eq!(diff("*.rs binary", "b.rs"), State::Unset);
        assert_eq!(diff("[attr]binary diff\n*.rs binary", "b.rs"), State::Set);
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
        let mut bytes = vec![b'a'; NUL_WITHIN];
        assert!(!has_nul(&bytes));
        bytes.push(0);
        assert!(!has_nul(&bytes));
        bytes[NUL_WITHIN - 1] = 0;
        assert!(has_nul(&bytes));
    }
}
