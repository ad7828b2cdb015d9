//! The tree of the policy in force, kept in the common git folder, so that the three hooks of each commit need not parse
//! the same text again.
//!
//! Only the tree of a policy without mistakes is kept, so that it need not be looked through for them again either.
//! It serves the hooks of commits alone. Whoever can write it could as well take away the hooks themselves; what
//! leaves the machine, and what a server or a CI job judges, is judged by the text. A tree with which anything is wrong
//! is not believed: the text is parsed instead.

use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use rustc_hash::FxHasher;

use lane_core::facts::Oid;
use lane_core::policy::{self, Plan, PolicyError, Source, Tree};
use lane_git::Layout;
use lane_git::state_file;

/// The file's name below the common git folder.
pub const KEPT: &str = "lane/parsed-policy";

/// What the file begins with. Another version may parse otherwise.
const HEAD: &str = concat!("git-lane ", env!("CARGO_PKG_VERSION"), " parsed policy 3 ");

/// Whether a parsed policy may stand for its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheUse {
    /// The one that is kept, if it is of this text; else it is kept from now on.
    Kept,
    /// The text is parsed.
    Afresh,
}

/// A parsed policy that is not kept yet.
pub(super) struct UncachedPolicy {
    path: PathBuf,
    head: String,
    tree: Tree,
}

impl UncachedPolicy {
    /// Keeps it in place of the one before. Where that cannot be, or git-lane has no folder yet, the next hook parses again.
    pub(super) fn keep(self) {
        let body = self.tree.to_bytes();
        let _ = state_file::replace(&self.path, &[self.head.as_bytes(), &checksum(&body), &body].concat());
    }
}

/// Reads, compiles and checks a policy: see [`policy::load`]. `oid`: of its text. What is to be kept of it from now on
/// comes with it.
///
/// # Errors
/// All mistakes of the text at once.
pub(super) fn load(
    layout: &Layout,
    source: Source,
    oid: Oid,
    fold: bool,
    parsed: CacheUse,
) -> Result<(Plan, Option<UncachedPolicy>), PolicyError> {
    // What asks for a file that is not there has the same id as what asks for none.
    let is_whole = source.parts.as_ref().is_none_or(|parts| parts.mistakes.is_empty());
    if parsed == CacheUse::Afresh || !is_whole {
        return Ok((policy::load(source, fold)?, None));
    }
    let path = layout.common_dir.join(KEPT);
    let head = head_of(oid, fold);
    let source = match read(&path, &head, &source.text) {
        Some(tree) => match policy::compile_again(&tree, source, fold) {
            Ok(plan) => return Ok((plan, None)),
            Err(error) => *error.text,
        },
        None => source,
    };
    let tree = Tree::parse(&source)?;
    let plan = policy::compile(&tree, source, fold)?;
    Ok((plan, Some(UncachedPolicy { path, head, tree })))
}

fn head_of(oid: Oid, fold: bool) -> String {
    format!("{HEAD}{oid} {}\n", if fold { "ignores case" } else { "as spelled" })
}

/// So that a file half written when a machine went down is none.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish().to_be_bytes()
}

fn read(path: &Path, head: &str, text: &str) -> Option<Tree> {
    // Larger than the tree of such a text can be.
    let most = head.len() + size_of::<u64>() + Tree::most_bytes(text);
    if fs::metadata(path).ok()?.len() > most as u64 {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (sum_of, body) = bytes.strip_prefix(head.as_bytes())?.split_first_chunk::<8>()?;
    if *sum_of != checksum(body) {
        return None;
    }
    Tree::from_bytes(body, text)
}
