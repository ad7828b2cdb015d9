//! The folders that can be given to agents: packages of a workspace, services side by side, packages of their own, what
//! CODEOWNERS names, folders at the root, and, where these are fewer than wanted, parts of the largest.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use super::areas::{is_aside, is_common, is_reading};
use super::files::{Files, ancestors, name, parent};
use super::names::{counted, sanitize_name};

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

/// Fewer groups of packages than this cannot be divided evenly.
const FEWEST_GROUPS: usize = 12;

/// Where a folder was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
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

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace(place) => f.write_str(place),
            Self::Beside(root) => write!(f, "folder in {}/", sanitize_name(root)),
            Self::Package(file) => write!(f, "has a {file}"),
            Self::Codeowners(place) => f.write_str(place),
            Self::Root => f.write_str("folder at the root"),
            Self::Part(folder) => write!(f, "part of {}/", sanitize_name(folder)),
        }
    }
}

/// Folders with where they were found; none lies in another.
pub type Candidates = BTreeMap<String, Origin>;

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
        marks.insert(folder, Origin::Workspace(place));
    }
    for root in SERVICE_ROOTS {
        let inside = files.folders_in(root);
        if inside.len() > 1 || inside.iter().any(|folder| is_common(name(folder))) {
            add(files, &mut marks, inside.iter().copied(), &Origin::Beside(root.to_owned()));
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
        if !ancestors(&folder).any(|above| marks.contains_key(above)) && !has_inside(&marks, &folder) {
            marks.entry(folder).or_insert(Origin::Package(file));
        }
    }
    for folder in files.folders_in("") {
        if is_common(name(folder)) && !["lib", "libs"].contains(folder) && !has_inside(&marks, folder) {
            marks.entry((*folder).to_owned()).or_insert(Origin::Root);
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
                "{folders} with control characters in the name: in no lane, so open to everyone"
            ));
        }
        self.gather_groups(files);
        let more = self.candidates.len().saturating_sub(MOST);
        if more > 0 {
            let mut sizes: Vec<_> =
                self.candidates.keys().map(|folder| (files.weight(folder), folder.clone())).collect();
            sizes.sort();
            for (_, folder) in &sizes[..more] {
                self.candidates.remove(folder);
            }
            notes.push(format!(
                "{more} small packages are in no lane, so open to everyone: there are over {MOST}"
            ));
        }
    }

    /// Takes the folders that packages lie in, where there are too many packages.
    fn gather_groups(&mut self, files: &Files<'_>) {
        while self.candidates.len() > MOST {
            let groups =
                self.candidates.iter().map(|(folder, found)| (parent(folder).to_owned(), found.clone()));
            let groups: Candidates =
                outermost(groups.filter(|(group, _)| !group.is_empty()).collect()).into_iter().collect();
            let all: usize = self.candidates.keys().map(|folder| files.free(folder)).sum();
            let inside: usize = groups.keys().map(|group| files.free(group)).sum();
            // Of what lies beside the packages, little may come with them.
            if groups.len() < FEWEST_GROUPS || inside * 8 > all * 10 {
                return;
            }
            self.candidates = groups;
        }
    }
}

/// Adds folders that lie in no other. Around what already exists, they are divided.
pub fn add<'f>(
    files: &Files<'f>,
    marks: &mut Candidates,
    folders: impl Iterator<Item = &'f str>,
    found: &Origin,
) {
    let mut todo: Vec<(&str, Origin)> = folders.map(|folder| (folder, found.clone())).collect();
    while let Some((folder, found)) = todo.pop() {
        if marks.contains_key(folder) || ancestors(folder).any(|above| marks.contains_key(above)) {
            continue;
        }
        if has_inside(marks, folder) {
            let part = Origin::Part(folder.to_owned());
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

/// Those that lie in no other of them.
fn outermost<T>(folders: Vec<(String, T)>) -> Vec<(String, T)> {
    let all: HashSet<String> = folders.iter().map(|(folder, _)| folder.clone()).collect();
    folders.into_iter().filter(|(folder, _)| !ancestors(folder).any(|above| all.contains(above))).collect()
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
    use lane_core::policy::pathset::PathSet;

    fn widened(paths: &[&str], packages: &[&str], wanted: usize) -> (Vec<String>, Vec<String>) {
        let list = tracked(paths);
        let mut files = Files::new(&list);
        let packages = packages.iter().map(|folder| ((*folder).to_owned(), "workspace")).collect();
        let mut structure = structure(&files, packages);
        files.assign(&PathSet::new(false));
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
            let candidates = folders.iter().map(|folder| ((*folder).to_owned(), Origin::Root)).collect();
            service_root(&candidates).map(str::to_owned)
        };
        assert_eq!(root(&["services/a", "services/b", "web"]).as_deref(), Some("services"));
        assert_eq!(root(&["services/a", "services/web", "web"]), None, "which web is meant?");
        assert_eq!(root(&["apps/web", "apps/x", "packages/web", "packages/y"]), None);
        assert_eq!(root(&["a", "b"]), None);
        assert_eq!(root(&["x{y/a", "x{y/b"]), None);
    }
}
