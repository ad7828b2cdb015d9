//! The tree that an index was last written as: our reading, which looks at few bytes, against libgit2's of the whole file.
//!
//! Input: an index without the checksum at its end.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::LazyLock;

use lane_core::facts::Oid;
use lane_git::cached_tree;
use sha1::{Digest, Sha1};
use tempfile::TempDir;

/// Where libgit2 finds the index, and a repository for the trees that it writes.
struct Place {
    _folder: TempDir,
    index: PathBuf,
    repo: git2::Repository,
}

impl Place {
    fn new() -> Self {
        let folder = super::scratch().expect("a folder");
        let repo = git2::Repository::init_bare(folder.path()).expect("a repository");
        // Trees of hostile indexes name objects that are nowhere.
        git2::opts::strict_object_creation(false);
        {
            let odb = repo.odb().expect("objects");
            odb.add_new_mempack_backend(999).expect("a place in memory");
        }
        Self { index: folder.path().join("index"), _folder: folder, repo }
    }
}

thread_local! {
    static PLACE: LazyLock<Place> = const { LazyLock::new(Place::new) };
}

/// Runs the target.
pub fn run(input: &[u8]) {
    let sum = Sha1::digest(input);
    let bytes = [input, &sum].concat();
    let read = |guess| cached_tree(Cursor::new(&bytes), guess).ok().flatten();
    let found = read(None);
    // A wrong guess is not believed, and a right one saves the walk.
    let guess = input.first().map(|byte| u64::from(*byte) * 7);
    let _ = read(guess);
    let Some(found) = found else { return };
    assert!(found.extensions >= 12 && found.extensions < bytes.len() as u64);
    assert_eq!(read(Some(found.extensions)), Some(found), "from where it was found");
    let same = PLACE.with(|place| theirs(place, &bytes));
    if let Some(Ok(theirs)) = same {
        assert_eq!(theirs, found.tree, "libgit2 finds another tree");
    }
    let has_end = input.windows(8).any(|window| window == b"EOIE\0\0\0\x18");
    // git believes where entries end without looking at them, and has no tree for one that is not merged.
    assert!(has_end || !matches!(same, Some(Err(()))), "libgit2 finds what is not merged");
}

/// What libgit2 would write. `None`: it is no index to it; an error: paths are not merged.
fn theirs(place: &Place, bytes: &[u8]) -> Option<Result<Oid, ()>> {
    std::fs::write(&place.index, bytes).expect("it is written");
    let mut index = git2::Index::open(&place.index).ok()?;
    match index.write_tree_to(&place.repo) {
        Ok(oid) => Oid::from_bytes(oid.as_bytes()).map(Ok),
        Err(error) if error.code() == git2::ErrorCode::Unmerged => Some(Err(())),
        Err(_) => None,
    }
}
