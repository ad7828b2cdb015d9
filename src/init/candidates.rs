//! The folders that can be given to agents: packages of a workspace, services side by side, packages of their own, what
//! CODEOWNERS names, folders at the root, and, where these are fewer than wanted, parts of the largest.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use super::areas::{is_aside, is_common, is_reading};
use super::codeowners::Codeowners;
use super::files::{Files, above, name, parent};
use super::names::{counted, shown};

/// Folders in which teams keep one folder for each service.
const SERVICE_ROOTS: [&str; 9] =
    ["services", "apps", "packages", "crates", "modules", "components", "projects", "libs", "src"];
/// What the root of a package has in it, of languages whose workspaces are told above, and of others.
const PACKAGE_FILES: [&str; 12] = [
    "package.json",
    "Cargo.toml",
    "go.mod",
    "pyproject.toml",
    "setup.py",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "Gemfile",
    "composer.json",
    "mix.exs",
    "Package.swift",
];
/// Packages that no workspace lists are looked for this deep.
const DEEPEST_PACKAGE: usize = 4;
/// More folders than this make no policy that somebody reads: the largest are taken.
const MOST: usize = 1000;

/// Where a folder was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// In a workspace's manifest.
    Workspace(&'static str),
    /// Among services side by side, in this folder.
    Beside(String),
    /// By a manifest of its own.
    Package(&'static str),
    /// In CODEOWNERS.
    Codeowners(&'static str),
    /// At the root.
    Root,
    /// As a part of this folder.
    Part(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace(place) => f.write_str(place),
            Self::Beside(root) => write!(f, "folder in {}/", shown(root)),
            Self::Package(file) => write!(f, "has a {file}"),
            Self::Codeowners(place) => f.write_str(place),
            Self::Root => f.write_str("folder at the root"),
            Self::Part(folder) => write!(f, "part of {}/", shown(folder)),
        }
    }
}

/// Folders with where they were found; none lies in another.
pub type Candidates = BTreeMap<String, Found>;

/// What can be given away.
#[derive(Debug, Default)]
pub struct Structure {
    /// To one agent.
    pub candidates: Candidates,
    /// To nobody alone.
    pub common: BTreeSet<String>,
}

/// The folders that the repository itself tells apart. `packages`: of its workspaces.
pub fn structure(files: &Files<'_>, packages: Vec<(String, &'static str)>) -> Structure {
    let mut marks = Candidates::new();
    for (folder, place) in outermost(packages) {
        marks.insert(folder, Found::Workspace(place));
    }
    for root in SERVICE_ROOTS {
        let inside = files.folders_in(root);
        if inside.len() > 1 || inside.iter().any(|folder| is_common(name(folder))) {
            add(files, &mut marks, inside.iter().copied(), &Found::Beside(root.to_owned()));
        }
    }
    let own = PACKAGE_FILES
        .iter()
        .flat_map(|file| files.folders_with(file).map(move |folder| (folder.to_owned(), *file)));
    let own = own.filter(|(folder, _)| {
        let names: Vec<&str> = folder.split('/').collect();
        names.len() <= DEEPEST_PACKAGE && !names.iter().any(|name| is_aside(name) || is_reading(name))
    });
    for (folder, file) in outermost(own.collect()) {
        if !above(&folder).any(|above| marks.contains_key(above)) && !has_inside(&marks, &folder) {
            marks.entry(folder).or_insert(Found::Package(file));
        }
    }
    for folder in files.folders_in("") {
        if is_common(name(folder)) && !["lib", "libs"].contains(folder) && !has_inside(&marks, folder) {
            marks.entry((*folder).to_owned()).or_insert(Found::Root);
        }
    }
    let mut structure = Structure { candidates: marks, common: BTreeSet::new() };
    structure.set_common_aside(files);
    structure
}

impl Structure {
    /// Whether a folder is one of the candidates, or has one in it.
    pub fn has(&self, folder: &str) -> bool {
        self.candidates.contains_key(folder) || has_inside(&self.candidates, folder)
    }

    /// What everybody uses is common, unless it is most of what there is: then it is the product itself.
    fn set_common_aside(&mut self, files: &Files<'_>) {
        let all: usize = self.candidates.keys().map(|folder| files.count(folder)).sum();
        let is_set_aside = |folder: &String| {
            is_common(name(folder)) && files.count(folder) * 2 <= all.max(files.count("") / 2)
        };
        let common: Vec<String> =
            self.candidates.keys().filter(|folder| is_set_aside(folder)).cloned().collect();
        if common.len() < self.candidates.len() || self.candidates.len() == 1 {
            for folder in common {
                self.candidates.remove(&folder);
                self.common.insert(folder);
            }
        }
    }

    /// Takes away what has nothing left that an agent could change.
    pub fn keep_free(&mut self, files: &Files<'_>, notes: &mut Vec<String>) {
        self.candidates.retain(|folder, _| files.free(folder) > 0);
        // A policy cannot name them.
        let before = self.candidates.len() + self.common.len();
        self.candidates.retain(|folder, _| !folder.contains(char::is_control));
        self.common.retain(|folder| !folder.contains(char::is_control));
        let unnamed = before - self.candidates.len() - self.common.len();
        if unnamed > 0 {
            let folders = counted(unnamed, "folder");
            notes.push(format!(
                "{folders} with control characters in the name: in no lane, and so open to all"
            ));
        }
        let more = self.candidates.len().saturating_sub(MOST);
        if more > 0 {
            let mut sizes: Vec<_> =
                self.candidates.keys().map(|folder| (files.weight(folder), folder.clone())).collect();
            sizes.sort();
            for (_, folder) in &sizes[..more] {
                self.candidates.remove(folder);
            }
            notes.push(format!(
                "{more} small packages are in no lane, and so open to all: there are over {MOST}"
            ));
        }
    }

    /// Looks for more folders, until there are `wanted`.
    pub fn widen(&mut self, files: &Files<'_>, codeowners: Option<&Codeowners>, wanted: usize) {
        if self.candidates.len() < wanted {
            if let Some(codeowners) = codeowners {
                let named = codeowners.folders(files);
                let named: Vec<&str> = named.iter().map(String::as_str).collect();
                self.add_free(files, &named, &Found::Codeowners(codeowners.place));
            }
            let top = files.folders_in("").iter().copied();
            let top: Vec<&str> = top.filter(|folder| !is_aside(folder) && !is_reading(folder)).collect();
            self.add_free(files, &top, &Found::Root);
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
            self.add_free(files, &top, &Found::Root);
        }
    }

    fn add_free(&mut self, files: &Files<'_>, folders: &[&str], found: &Found) {
        let common = &self.common;
        let is_common =
            |folder: &str| common.contains(folder) || above(folder).any(|above| common.contains(above));
        let free: Vec<&str> =
            folders.iter().copied().filter(|folder| files.free(folder) > 0 && !is_common(folder)).collect();
        let is_codeowners = matches!(found, Found::Codeowners(_));
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
                add(files, &mut self.candidates, rest, &Found::Part(outer.clone()));
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
            self.candidates.insert(part.to_owned(), Found::Part(at.to_owned()));
        }
        self.common.extend(common.into_iter().map(str::to_owned));
        true
    }
}

/// Adds folders that lie in no other. Around what is there already, they are divided.
fn add<'f>(files: &Files<'f>, marks: &mut Candidates, folders: impl Iterator<Item = &'f str>, found: &Found) {
    let mut todo: Vec<(&str, Found)> = folders.map(|folder| (folder, found.clone())).collect();
    while let Some((folder, found)) = todo.pop() {
        if marks.contains_key(folder) || above(folder).any(|above| marks.contains_key(above)) {
            continue;
        }
        if has_inside(marks, folder) {
            let part = Found::Part(folder.to_owned());
            let parts = files.folders_in(folder).iter().filter(|part| !is_aside(name(part)));
            todo.extend(parts.map(|inner| (*inner, part.clone())));
        } else if !name(folder).starts_with('.') {
            marks.insert(folder.to_owned(), found);
        }
    }
}

fn has_inside(marks: &Candidates, folder: &str) -> bool {
    inside(marks, folder).next().is_some()
}

/// The candidates below a folder.
pub fn inside<'c>(marks: &'c Candidates, folder: &str) -> impl Iterator<Item = &'c str> + use<'c> {
    let start = format!("{folder}/");
    let from = marks.range(start.clone()..).map(|(inner, _)| inner.as_str());
    from.take_while(move |inner| inner.starts_with(&start))
}

fn is_inside(inner: &str, outer: &str) -> bool {
    above(inner).any(|above| above == outer)
}

/// Those that lie in no other of them.
fn outermost<T>(folders: Vec<(String, T)>) -> Vec<(String, T)> {
    let all: HashSet<String> = folders.iter().map(|(folder, _)| folder.clone()).collect();
    folders.into_iter().filter(|(folder, _)| !above(folder).any(|above| all.contains(above))).collect()
}

/// The folder that services lie in side by side, if they all do, but for single ones of other names elsewhere.
pub fn service_root(candidates: &Candidates) -> Option<&str> {
    let mut parents: BTreeMap<&str, usize> = BTreeMap::new();
    for folder in candidates.keys() {
        *parents.entry(parent(folder)).or_default() += 1;
    }
    let mut several = parents.into_iter().filter(|(folder, count)| *count > 1 && !folder.is_empty());
    let root = several.next().map(|(folder, _)| folder)?;
    let has_namesake = |folder: &String| {
        parent(folder) != root && candidates.contains_key(&format!("{root}/{}", name(folder)))
    };
    let is_told =
        several.next().is_none() && !root.contains(['{', '}']) && !candidates.keys().any(has_namesake);
    is_told.then_some(root)
}

#[cfg(test)]
mod tests {
    use super::super::files::tracked;
    use super::*;
    use crate::policy::pathset::PathSet;

    fn widened(paths: &[&str], packages: &[&str], wanted: usize) -> (Vec<String>, Vec<String>) {
        let list = tracked(paths);
        let mut files = Files::new(&list);
        let packages = packages.iter().map(|folder| ((*folder).to_owned(), "workspace")).collect();
        let mut structure = structure(&files, packages);
        files.take(&PathSet::new(false));
        structure.keep_free(&files, &mut Vec::new());
        structure.widen(&files, None, wanted);
        (structure.candidates.into_keys().collect(), structure.common.into_iter().collect())
    }

    #[test]
    fn packages_and_what_lies_beside_them() {
        let (folders, common) = widened(
            &[
                "packages/a/x",
                "packages/group/b/x",
                "packages/group/c/x",
                "packages/utils/x",
                "docs/x",
                "web/package.json",
            ],
            &["packages/a", "packages/group/b", "packages/group/b/test/inner"],
            2,
        );
        assert_eq!(folders, ["packages/a", "packages/group/b", "packages/group/c", "web"]);
        assert_eq!(common, ["packages/utils"]);
    }

    #[test]
    fn folders_at_the_root_where_nothing_else_is_told() {
        let (folders, common) =
            widened(&["api/x", "web/x", "docs/x", "tests/x", ".github/x", "shared/x"], &[], 2);
        assert_eq!((folders, common), (vec!["api".to_owned(), "web".to_owned()], vec!["shared".to_owned()]));
        let (folders, _) = widened(&["api/x", "docs/x", "tests/x"], &[], 2);
        assert_eq!(folders, ["api", "docs"], "who writes the docs may be another");
        let (folders, _) = widened(&["api/x", "tests/x"], &[], 2);
        assert_eq!(folders, ["api"], "tests go with what they test");
    }

    #[test]
    fn one_package_is_divided() {
        let paths = [
            "src/shop/cart/x",
            "src/shop/pay/x",
            "src/shop/utils/x",
            "src/shop/main.py",
            "tests/x",
            "setup.py",
        ];
        let (folders, common) = widened(&paths, &[], 2);
        assert_eq!(
            (folders, common),
            (vec!["src/shop/cart".to_owned(), "src/shop/pay".to_owned()], vec!["src/shop/utils".to_owned()])
        );
        let (folders, _) = widened(&["src/shop/a.py", "src/shop/b.py"], &[], 4);
        assert_eq!(folders, ["src"], "there is nothing to divide it by");
    }

    #[test]
    fn a_core_that_is_all_there_is_belongs_to_somebody() {
        let big: Vec<String> = (0..9).map(|at| format!("crates/core/{at}")).collect();
        let mut paths: Vec<&str> = big.iter().map(String::as_str).collect();
        paths.push("crates/a/x");
        assert_eq!(widened(&paths, &[], 2).0, ["crates/a", "crates/core"]);
    }

    #[test]
    fn one_place_for_services() {
        let root = |folders: &[&str]| {
            let candidates = folders.iter().map(|folder| ((*folder).to_owned(), Found::Root)).collect();
            service_root(&candidates).map(str::to_owned)
        };
        assert_eq!(root(&["services/a", "services/b", "web"]).as_deref(), Some("services"));
        assert_eq!(root(&["services/a", "services/web", "web"]), None, "which web is meant?");
        assert_eq!(root(&["apps/web", "apps/x", "packages/web", "packages/y"]), None);
        assert_eq!(root(&["a", "b"]), None);
        assert_eq!(root(&["x{y/a", "x{y/b"]), None);
    }
}
