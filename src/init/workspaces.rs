//! The packages of a workspace: what its manifests list, and which folders that is.

use std::collections::{BTreeSet, HashSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::files::Files;
use super::names::{list, sanitize_name};
use super::{Text, cargo, go_work, package_json, pnpm, pyproject};

/// What a manifest lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Folders and globs, from the manifest's folder.
    pub include: Vec<String>,
    /// What of these is left out.
    pub exclude: Vec<String>,
}

/// A manifest at the root that may list packages.
pub struct Manifest {
    /// The file.
    pub file: &'static str,
    /// Where in it packages are listed, for comments.
    pub place: &'static str,
    /// The file that each package has.
    pub package: &'static str,
    /// Reads it; `None` where it lists none.
    read: fn(&str) -> Result<Option<Members>, String>,
}

/// All that are known, the ones that win first.
pub const MANIFESTS: [Manifest; 5] = [
    Manifest {
        file: "pnpm-workspace.yaml",
        place: "pnpm-workspace.yaml: packages",
        package: "package.json",
        read: pnpm::members,
    },
    Manifest {
        file: "package.json",
        place: "package.json: workspaces",
        package: "package.json",
        read: package_json::members,
    },
    Manifest {
        file: "Cargo.toml",
        place: "Cargo.toml: workspace",
        package: "Cargo.toml",
        read: cargo::members,
    },
    Manifest { file: "go.work", place: "go.work: use", package: "go.mod", read: go_work::members },
    Manifest {
        file: "pyproject.toml",
        place: "pyproject.toml: members",
        package: "pyproject.toml",
        read: pyproject::members,
    },
];

/// More globs than this are no workspace that somebody wrote.
const MOST_GLOBS: usize = 500;

/// What is wrong with manifests at the root that could not be read.
pub fn unread(texts: &[Text]) -> Vec<String> {
    let manifests = MANIFESTS.iter().filter_map(|manifest| {
        let text = texts.iter().find(|text| text.path == manifest.file)?;
        let why = match &text.content {
            Ok(text) => (manifest.read)(text).err()?,
            Err(why) => why.clone(),
        };
        Some(format!("{} could not be read: {}", manifest.file, sanitize_name(&why)))
    });
    manifests.collect()
}

/// The folders of a workspace's packages, each with where it is listed; and what could not be read.
pub fn packages(texts: &[Text], files: &Files<'_>, notes: &mut Vec<String>) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for manifest in &MANIFESTS {
        let Some(text) = texts.iter().find(|text| text.path == manifest.file) else { continue };
        let members =
            match text.content.as_deref().map_err(String::clone).and_then(|text| (manifest.read)(text)) {
                Ok(Some(members)) => members,
                Ok(None) => continue,
                Err(why) => {
                    notes.push(format!("{} was not read: {}", manifest.file, sanitize_name(&why)));
                    continue;
                }
            };
        for folder in expand_globs(&members, manifest, files, notes) {
            if seen.insert(folder.clone()) {
                found.push((folder, manifest.place));
            }
        }
    }
    found
}

/// The folders that a manifest means.
fn expand_globs(
    members: &Members,
    manifest: &Manifest,
    files: &Files<'_>,
    notes: &mut Vec<String>,
) -> BTreeSet<String> {
    let mut outside = Vec::new();
    let mut include = Globs::default();
    let mut exclude = Globs::default();
    for (texts, globs) in [(&members.include, &mut include), (&members.exclude, &mut exclude)] {
        for text in texts {
            match inside(text) {
                Some(path) => globs.add(path),
                None => outside.push(text.as_str()),
            }
        }
    }
    if !outside.is_empty() {
        let listed = list(&outside);
        notes.push(format!("{}: not a folder of this repository, ignored: {listed}", manifest.file));
    }
    let globs = (include.set(), exclude.set());
    let (Ok(included), Ok(excluded)) = globs else {
        notes.push(format!("{} was not read: its globs are too large", manifest.file));
        return BTreeSet::new();
    };
    let mut wrong: Vec<&str> = include.wrong.iter().chain(&exclude.wrong).map(String::as_str).collect();
    wrong.sort_unstable();
    if !wrong.is_empty() {
        notes.push(format!("{}: not a usable glob, ignored: {}", manifest.file, list(&wrong)));
    }
    let mut globbed: Vec<&str> =
        files.folders_with(manifest.package).filter(|folder| included.is_match(folder)).collect();
    if globbed.is_empty() && !include.globs.is_empty() {
        // Before there are manifests, folders have to do.
        globbed = files.folders().filter(|folder| included.is_match(folder)).collect();
    }
    let named = include.folders.iter().map(String::as_str).filter(|folder| files.count(folder) > 0);
    named
        .chain(globbed)
        .filter(|folder| !exclude.folders.contains(*folder) && !excluded.is_match(folder))
        .filter(|folder| !folder.split('/').any(|name| name == "node_modules"))
        .map(str::to_owned)
        .collect()
}

/// A path of a manifest from the root; `None` for what lies outside, or is the root itself.
fn inside(text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with('/') || text.contains(['\\', '\0']) || text.get(1..3) == Some(":/") {
        return None;
    }
    let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    (!names.contains(&"..")).then(|| names.join("/"))
}

/// Folders by name, and globs.
#[derive(Debug, Default)]
struct Globs {
    folders: HashSet<String>,
    globs: Vec<globset::Glob>,
    wrong: Vec<String>,
}

impl Globs {
    fn add(&mut self, path: String) {
        if !path.contains(['*', '?', '[', '{']) {
            // The root is a package, too, but no lane among others.
            if !path.is_empty() {
                self.folders.insert(path);
            }
            return;
        }
        let glob = GlobBuilder::new(&path).literal_separator(true).build();
        match glob {
            Ok(glob) if self.globs.len() < MOST_GLOBS => self.globs.push(glob),
            _ => self.wrong.push(path),
        }
    }

    fn set(&self) -> Result<GlobSet, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for glob in &self.globs {
            set.add(glob.clone());
        }
        set.build()
    }
}

/// The first line of what a parser says.
pub(super) fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().find(|line| !line.trim().is_empty()).unwrap_or("it is broken").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::files::tracked;
    use super::*;

    fn members_of(texts: &[(&str, &str)], paths: &[&str]) -> (Vec<String>, Vec<String>) {
        let texts: Vec<Text> = texts
            .iter()
            .map(|(path, text)| Text { path: (*path).to_owned(), content: Ok((*text).to_owned()) })
            .collect();
        let list = tracked(paths);
        let mut notes = Vec::new();
        let found = packages(&texts, &Files::new(&list), &mut notes);
        (found.into_iter().map(|(folder, _)| folder).collect(), notes)
    }

    const JS: [&str; 6] = [
        "package.json",
        "packages/a/package.json",
        "packages/b/package.json",
        "packages/b/test/fixture/package.json",
        "packages/node_modules/c/package.json",
        "packages/none/readme",
    ];

    #[test]
    fn globs_find_packages() {
        let (folders, notes) =
            members_of(&[("package.json", r#"{"workspaces": ["packages/*", "./gone"]}"#)], &JS);
        assert_eq!(folders, ["packages/a", "packages/b"]);
        assert!(notes.is_empty(), "{notes:?}");
        let (folders, _) = members_of(
            &[("pnpm-workspace.yaml", "packages: ['packages/**', '!**/test/**', '!packages/a']")],
            &JS,
        );
        assert_eq!(folders, ["packages/b"]);
        let (folders, _) = members_of(&[("package.json", r#"{"workspaces": ["packages/{a,none}/"]}"#)], &JS);
        assert_eq!(folders, ["packages/a"], "a glob means folders that have a package");
        let (folders, _) = members_of(&[("package.json", r#"{"workspaces": ["packages/none"]}"#)], &JS);
        assert_eq!(folders, ["packages/none"], "a name means itself");
        let (folders, _) = members_of(&[("Cargo.toml", "[workspace]\nmembers = [\"packages/*\"]")], &JS);
        assert_eq!(folders, ["packages/a", "packages/b", "packages/none"], "none has a Cargo.toml");
    }

    #[test]
    fn what_is_hostile_is_left_out_and_named() {
        let text = r#"{"workspaces": ["../x", "/etc", "a\\b", "C:/x", "packages/\u001b[31m", "packages/[", ".", ""]}"#;
        let (folders, notes) = members_of(&[("package.json", text)], &JS);
        assert_eq!(folders, [] as [&str; 0]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("`../x`, `/etc`") && !notes.concat().contains('\u{1b}'), "{notes:?}");
        let many: Vec<String> = (0..100_000).map(|at| format!("\"p{at}/*\"")).collect();
        let (folders, notes) =
            members_of(&[("package.json", &format!("{{\"workspaces\": [{}]}}", many.join(",")))], &JS);
        assert!(folders.is_empty() && notes.len() == 1, "{}", notes.len());
        assert!(notes[0].len() < 300, "{notes:?}");
    }

    #[test]
    fn what_is_broken_is_named() {
        let broken = [
            ("package.json", "{"),
            ("Cargo.toml", "[workspace"),
            ("pyproject.toml", "="),
            ("go.work", "use ("),
        ];
        let (folders, notes) = members_of(&broken, &JS);
        assert!(folders.is_empty());
        assert_eq!(notes.len(), broken.len(), "{notes:?}");
        assert!(
            notes.iter().all(|note| note.contains("was not read: ") && !note.contains('\n')),
            "{notes:?}"
        );
        let (folders, notes) = members_of(&[("pnpm-workspace.yaml", "packages: [")], &JS);
        assert!(folders.is_empty() && notes.len() == 1, "{notes:?}");
    }
}
