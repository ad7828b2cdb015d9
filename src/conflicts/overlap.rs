//! Which pairs of commits cannot conflict, told by the paths that each side changes.

use std::collections::HashMap;
use std::rc::Rc;

use lane_core::facts::{FileChange, Oid, Unavailable};
use lane_git::tree_diff::tree_diff;
use lane_git::{Read, Repository};

/// Tells pairs that need no merge from those that do; what each side changes is read once.
pub(super) struct OverlapFilter<'a> {
    repo: &'a dyn Repository,
    sides: HashMap<(Oid, Oid), Rc<Side>>,
}

/// What one side changes since the merge base. A rename is a deletion and an addition.
struct Side {
    /// Sorted by path.
    files: Vec<FileChange>,
    adds: bool,
    may_rename: bool,
}

impl Side {
    fn new(files: Vec<FileChange>) -> Self {
        let adds = files.iter().any(|file| file.old.is_none());
        let deletes = files.iter().any(|file| file.new.is_none());
        Self { files, adds, may_rename: adds && deletes }
    }

    fn has(&self, path: &[u8]) -> bool {
        self.files.binary_search_by(|file| file.path.0.as_slice().cmp(path)).is_ok()
    }

    /// Whether the other side touches a path of this one, or a file where this one has a folder.
    fn meets(&self, other: &Self) -> bool {
        other.files.iter().any(|file| {
            let path = &file.path.0;
            let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            self.has(path) || slashes.map(|(at, _)| &path[..at]).any(|folder| self.has(folder))
        })
    }
}

impl<'a> OverlapFilter<'a> {
    pub fn new(repo: &'a dyn Repository) -> Self {
        Self { repo, sides: HashMap::new() }
    }

    /// Whether a merge of two commits might stop. False: it cannot.
    ///
    /// # Errors
    /// They share no history, or it cannot be read.
    pub fn may_conflict(&mut self, one: Oid, two: Oid) -> Read<bool> {
        let bases = self.repo.merge_bases(one, two)?;
        let base = match bases.as_slice() {
            [] => {
                return Err(Unavailable::new(
                    "the two have no common history, so git cannot merge them",
                    "was one of them started from another repository? To see where each begins: git log --max-parents=0 ONE OTHER",
                ));
            }
            [base] => *base,
            // Then git merges the bases first, and what the sides change depends on what comes of that.
            _ => return Ok(true),
        };
        if base == one || base == two {
            return Ok(false);
        }
        let (one, two) = (self.side(base, one)?, self.side(base, two)?);
        // A file that one side adds to a folder which the other side renames is moved after it, or not.
        let follows = (one.may_rename && two.adds) || (two.may_rename && one.adds);
        Ok(follows || one.meets(&two) || two.meets(&one))
    }

    fn side(&mut self, base: Oid, tip: Oid) -> Read<Rc<Side>> {
        if let Some(side) = self.sides.get(&(base, tip)) {
            return Ok(Rc::clone(side));
        }
        let tree = |oid| Ok::<_, Unavailable>(Some(self.repo.commit(oid)?.tree));
        let side = Rc::new(Side::new(tree_diff(self.repo, tree(base)?, tree(tip)?)?));
        self.sides.insert((base, tip), Rc::clone(&side));
        Ok(side)
    }
}
