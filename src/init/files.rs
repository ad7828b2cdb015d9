//! The files of a repository as folders: how many files lie in each, and how many of them are left for lanes.

use std::collections::HashMap;

use lane_core::policy::pathset::PathSet;

/// Folders are looked at this deep: whatever lies deeper counts for those above it.
const DEEPEST: usize = 12;

/// A file that git tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedPath {
    /// From the root.
    pub path: String,
    /// What it is.
    pub kind: Kind,
}

/// What a tracked path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A submodule.
    Submodule,
}

/// One folder.
#[derive(Debug, Default)]
struct Folder<'f> {
    files: usize,
    free: usize,
    weight: usize,
    folders: Vec<&'f str>,
}

/// All folders, by path; the root is the empty one.
#[derive(Debug)]
pub struct Files<'f> {
    tracked: &'f [TrackedPath],
    folders: HashMap<&'f str, Folder<'f>>,
    /// Sorted.
    paths: Vec<&'f str>,
}

impl<'f> Files<'f> {
    /// Sorts files into folders.
    pub fn new(tracked: &'f [TrackedPath]) -> Self {
        let mut files = Self { tracked, folders: HashMap::new(), paths: Vec::new() };
        files.folders.insert("", Folder::default());
        for file in tracked {
            let mut above = "";
            for folder in folders_of(file) {
                if !files.folders.contains_key(folder) {
                    files.folders.insert(folder, Folder::default());
                    if let Some(above) = files.folders.get_mut(above) {
                        above.folders.push(folder);
                    }
                }
                above = folder;
            }
            files.each_folder(file, |folder| folder.files += 1);
        }
        files.folders.values_mut().for_each(|folder| folder.folders.sort_unstable());
        files.paths = tracked.iter().map(|file| file.path.as_str()).collect();
        files.paths.sort_unstable();
        files
    }

    fn each_folder(&mut self, file: &'f TrackedPath, mut change: impl FnMut(&mut Folder<'f>)) {
        for folder in std::iter::once("").chain(folders_of(file)) {
            if let Some(folder) = self.folders.get_mut(folder) {
                change(folder);
            }
        }
    }

    /// Says what the areas have, and so what is free.
    pub fn assign(&mut self, areas: &PathSet) {
        self.folders.values_mut().for_each(|folder| (folder.free, folder.weight) = (0, 0));
        for file in self.tracked {
            if is_free(file, areas) {
                let weight = usize::from(!file.path.split('/').any(is_copy));
                self.each_folder(file, |folder| {
                    folder.free += 1;
                    folder.weight += weight;
                });
            }
        }
    }

    /// The tracked files.
    pub fn tracked(&self) -> &'f [TrackedPath] {
        self.tracked
    }

    /// How many files lie below a folder.
    pub fn count(&self, folder: &str) -> usize {
        self.folders.get(folder).map_or(0, |folder| folder.files)
    }

    /// How many of them no area has.
    pub fn free(&self, folder: &str) -> usize {
        self.folders.get(folder).map_or(0, |folder| folder.free)
    }

    /// How many of the free ones are copies, or were generated.
    pub fn uncounted(&self, folder: &str) -> usize {
        self.folders.get(folder).map_or(0, |folder| folder.free - folder.weight)
    }

    /// How much work they are: copies and what was generated are none.
    pub fn weight(&self, folder: &str) -> usize {
        self.folders.get(folder).map_or(0, |folder| folder.weight.max(1))
    }

    /// The folders in a folder, sorted, as whole paths.
    pub fn folders_in(&self, folder: &str) -> &[&'f str] {
        self.folders.get(folder).map_or(&[], |folder| &folder.folders)
    }

    /// All folders but the root, in no order.
    pub fn folders(&self) -> impl Iterator<Item = &'f str> {
        self.folders.keys().copied().filter(|folder| !folder.is_empty())
    }

    /// Whether a file of exactly this path is tracked.
    pub fn has(&self, path: &str) -> bool {
        self.paths.binary_search(&path).is_ok()
    }

    /// The folders that have a file of this name, but for the root.
    pub fn folders_with(&self, name: &str) -> impl Iterator<Item = &'f str> {
        self.tracked.iter().filter_map(move |file| {
            let (folder, last) = file.path.rsplit_once('/')?;
            (last == name).then_some(folder)
        })
    }
}

/// Whether a folder of this name has what nobody writes line by line.
fn is_copy(name: &str) -> bool {
    const COPIES: [&str; 9] = [
        "node_modules",
        "vendor",
        "third_party",
        "dist",
        "fixtures",
        "__fixtures__",
        "testdata",
        "snapshots",
        "__snapshots__",
    ];
    COPIES.contains(&name)
}

/// Whether no area has a file.
pub fn is_free(file: &TrackedPath, areas: &PathSet) -> bool {
    areas.last_match(file.path.as_bytes(), file.kind != Kind::File).is_none()
}

/// The folders that a file lies in, outermost first; a submodule is one itself.
fn folders_of(file: &TrackedPath) -> impl Iterator<Item = &str> {
    let path = file.path.as_str();
    let slashes = path.match_indices('/').map(|(at, _)| at);
    let itself = (file.kind == Kind::Submodule).then_some(path.len());
    slashes.chain(itself).take(DEEPEST).map(|end| &path[..end])
}

/// The folders above a path, innermost first; the root is not among them.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(end, _)| &path[..end])
}

/// The last name of a path.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder that a path lies in; empty for the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
pub(super) fn tracked(paths: &[&str]) -> Vec<TrackedPath> {
    let mut files: Vec<TrackedPath> =
        paths.iter().map(|path| TrackedPath { path: (*path).to_owned(), kind: Kind::File }).collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use lane_core::policy::pattern::Pattern;

    #[test]
    fn folders_are_counted() {
        let mut list = tracked(&["a/x", "a/b/y", "a/b/z", "c", "a-b/x"]);
        list.push(TrackedPath { path: "m/sub".into(), kind: Kind::Submodule });
        let mut files = Files::new(&list);
        assert_eq!(
            (files.count(""), files.count("a"), files.count("a/b"), files.count("m/sub")),
            (6, 3, 2, 1)
        );
        assert_eq!(files.folders_in(""), ["a", "a-b", "m"]);
        assert_eq!(files.folders_in("a"), ["a/b"]);
        assert!(files.has("a/b/y") && !files.has("a/b"));
        assert_eq!(files.folders_with("x").collect::<Vec<_>>(), ["a-b", "a"]);
        let mut areas = PathSet::new(false);
        areas.insert(&Pattern::new("/a/b/").expect("a pattern"), 0);
        files.assign(&areas);
        assert_eq!((files.free(""), files.free("a"), files.free("a/b")), (4, 1, 0));
    }

    #[test]
    fn deep_paths() {
        let deep = vec!["d"; 2000].join("/");
        let list = tracked(&[&deep]);
        let files = Files::new(&list);
        assert_eq!(files.count("d/d"), 1);
        assert_eq!(ancestors("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!((name("a/b"), parent("a/b"), parent("a")), ("b", "a", ""));
    }
}
