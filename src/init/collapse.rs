//! Many folders of one lane as the one that they lie in.

use std::collections::{BTreeMap, BTreeSet};

use super::Folder;
use super::candidates::{self, Candidates};
use super::files::{Files, ancestors};

/// Fewer folders in one are listed by themselves.
const FEW: usize = 3;

/// Writes one folder for many in it, where a lane has all that are in it and little else lies there.
pub fn collapse(
    mut folders: Vec<Folder>,
    files: &Files<'_>,
    all: &Candidates,
    root: Option<&str>,
) -> Vec<Folder> {
    loop {
        let mut parents: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for folder in &folders {
            for above in ancestors(&folder.path)
                .filter(|above| root.is_none_or(|root| root != *above && !is_below(root, above)))
            {
                let (count, files) = parents.entry(above.to_owned()).or_default();
                *count += 1;
                *files += folder.files;
            }
        }
        let is_whole = |(parent, (count, inside)): &(&String, &(usize, usize))| {
            let there = candidates::inside(all, parent).count();
            let is_all = folders
                .iter()
                .filter(|folder| is_below(&folder.path, parent))
                .map(|folder| folder.count)
                .sum::<usize>()
                == there;
            *count >= FEW && is_all && inside * 10 >= files.free(parent) * 8
        };
        let Some(parent) = parents.iter().find(is_whole).map(|(parent, _)| parent.clone()) else {
            return folders;
        };
        let (inside, mut rest): (Vec<Folder>, Vec<Folder>) =
            folders.into_iter().partition(|folder| is_below(&folder.path, &parent));
        let sources: BTreeSet<&str> = inside.iter().map(|folder| folder.source.as_str()).collect();
        let sources = sources.into_iter().collect::<Vec<_>>().join("; ");
        let count = inside.iter().map(|folder| folder.count).sum();
        let owners = inside[0]
            .owners
            .clone()
            .filter(|_| inside.iter().all(|folder| folder.owners == inside[0].owners));
        rest.push(Folder {
            files: files.free(&parent),
            uncounted: files.uncounted(&parent),
            source: sources,
            owners,
            count,
            path: parent,
        });
        rest.sort_by(|one, two| one.path.cmp(&two.path));
        folders = rest;
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
