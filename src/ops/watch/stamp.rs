//! Whether anything may have changed: what the file system says of refs and HEADs, without opening a repository.

use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// How deep refs lie at most.
const DEEP: usize = 32;

/// Something that is another once a ref or the HEAD of a worktree was written. git writes both by renaming a file into its place:
/// the time of a folder says so, and files need not be looked at one by one.
pub(super) fn of(common_dir: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in ["packed-refs", "HEAD", "reftable/tables.list", "config"] {
        file(&common_dir.join(name), &mut hasher);
    }
    folder(&common_dir.join("refs"), DEEP, &mut hasher);
    let worktrees = fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    let mut worktrees: Vec<_> = worktrees.map(|entry| entry.path()).collect();
    worktrees.sort();
    for path in worktrees {
        path.hash(&mut hasher);
        file(&path.join("HEAD"), &mut hasher);
    }
    hasher.finish()
}

fn file(path: &Path, hasher: &mut DefaultHasher) {
    stat(fs::metadata(path), hasher);
}

fn stat(metadata: std::io::Result<Metadata>, hasher: &mut DefaultHasher) {
    let Ok(metadata) = metadata else { return 0_u8.hash(hasher) };
    metadata.len().hash(hasher);
    metadata.modified().ok().hash(hasher);
    lane_os::file_id(&metadata).hash(hasher);
}

fn folder(path: &Path, deep: usize, hasher: &mut DefaultHasher) {
    stat(fs::metadata(path), hasher);
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let mut below: Vec<_> = entries.filter(is_folder).map(|entry| entry.path()).collect();
    below.sort();
    for path in below.into_iter().filter(|_| deep > 0) {
        path.hash(hasher);
        folder(&path, deep - 1, hasher);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::of;

    #[test]
    fn a_ref_that_is_written_or_deleted_and_a_head_that_moves() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path.with_extension("lock"), text).unwrap();
            std::fs::rename(path.with_extension("lock"), path).unwrap();
        };
        write("refs/heads/main", "1");
        let mut last = of(folder.path());
        assert_eq!(of(folder.path()), last);
        let mut differs = |change: &dyn Fn()| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            change();
            let now = of(folder.path());
            assert_ne!(std::mem::replace(&mut last, now), now);
        };
        differs(&|| write("refs/heads/main", "2"));
        differs(&|| write("refs/heads/feat/a1/x", "2"));
        differs(&|| write("refs/heads/feat/a1/x", "3"));
        differs(&|| std::fs::remove_file(folder.path().join("refs/heads/feat/a1/x")).unwrap());
        differs(&|| write("packed-refs", "x"));
        differs(&|| write("worktrees/a1/HEAD", "ref: refs/heads/main"));
        differs(&|| write("worktrees/a1/HEAD", "ref: refs/heads/other"));
        differs(&|| write("refs/lane/locks/common", "1"));
    }
}
