//! More folders, where a repository itself tells apart fewer than there are to be agents.

use std::collections::HashSet;

use super::areas::{is_aside, is_common, is_reading};
use super::candidates::{Origin, Structure, add};
use super::codeowners::Codeowners;
use super::files::{Files, ancestors, name};

impl Structure {
    /// Looks for more folders, until there are `wanted`.
    pub fn widen(&mut self, files: &Files<'_>, codeowners: Option<&Codeowners>, wanted: usize) {
        if self.candidates.len() < wanted {
            if let Some(codeowners) = codeowners {
                let named = codeowners.folders(files);
                let named: Vec<&str> = named.iter().map(String::as_str).collect();
                self.add_free(files, &named, &Origin::Codeowners(codeowners.place));
            }
            let top = files.folders_in("").iter().copied();
            let top: Vec<&str> = top.filter(|folder| !is_aside(folder) && !is_reading(folder)).collect();
            self.add_free(files, &top, &Origin::Root);
        }
        let mut whole = HashSet::new();
        while self.candidates.len() < wanted {
            let splittable = self.candidates.keys().filter(|folder| !whole.contains(*folder));
            let Some(largest) = splittable.max_by_key(|folder| files.weight(folder)).cloned() else { break };
            if !self.split(files, &largest) {
                whole.insert(largest);
            }
        }
        if self.candidates.len() < wanted {
            let top = files.folders_in("").iter().copied();
            let mut top: Vec<&str> = top.filter(|folder| is_reading(folder)).collect();
            top.sort_by_key(|folder| std::cmp::Reverse(files.weight(folder)));
            top.truncate(wanted - self.candidates.len());
            self.add_free(files, &top, &Origin::Root);
        }
    }

    fn add_free(&mut self, files: &Files<'_>, folders: &[&str], found: &Origin) {
        let common = &self.common;
        let is_common =
            |folder: &str| common.contains(folder) || ancestors(folder).any(|above| common.contains(above));
        let free: Vec<&str> =
            folders.iter().copied().filter(|folder| files.free(folder) > 0 && !is_common(folder)).collect();
        let is_codeowners = matches!(found, Origin::Codeowners(_));
        if is_codeowners {
            // Its folders may be parts of others: those become parts.
            let inner: Vec<String> = free.iter().map(|folder| (*folder).to_owned()).collect();
            let outer: Vec<String> = self
                .candidates
                .keys()
                .filter(|folder| inner.iter().any(|inner| is_inside(inner, folder)))
                .cloned()
                .collect();
            for outer in outer {
                self.candidates.remove(&outer);
                add(
                    files,
                    &mut self.candidates,
                    free.iter().copied().filter(|inner| is_inside(inner, &outer)),
                    found,
                );
                let rest = files.folders_in(&outer).iter().copied();
                add(files, &mut self.candidates, rest, &Origin::Part(outer.clone()));
            }
        }
        // The innermost first: what lies above them is divided around them.
        let mut free = free;
        free.sort_by_key(|folder| (std::cmp::Reverse(folder.matches('/').count()), *folder));
        for folder in free {
            add(files, &mut self.candidates, std::iter::once(folder), found);
        }
        self.candidates.retain(|folder, _| files.free(folder) > 0 && !is_common(folder));
    }

    /// Puts the parts of a folder in its place, where it has some. Tests and tools stay open: they go with what they are for.
    fn split(&mut self, files: &Files<'_>, folder: &str) -> bool {
        let mut at = folder;
        let (parts, common) = loop {
            let inside = files.folders_in(at).iter().copied();
            let inside = inside
                .filter(|part| files.free(part) > 0 && !is_aside(name(part)) && !is_reading(name(part)));
            let (common, parts): (Vec<&str>, Vec<&str>) = inside.partition(|part| is_common(name(part)));
            match parts[..] {
                [only] if common.is_empty() => at = only,
                _ => break (parts, common),
            }
        };
        if parts.len() < 2 {
            return false;
        }
        self.candidates.remove(folder);
        for part in parts {
            self.candidates.insert(part.to_owned(), Origin::Part(at.to_owned()));
        }
        self.common.extend(common.into_iter().map(str::to_owned));
        true
    }
}

fn is_inside(inner: &str, outer: &str) -> bool {
    ancestors(inner).any(|above| above == outer)
}
