//! What the packages of a workspace depend on, of one another: as Cargo, npm, pnpm, Yarn, uv, Poetry and go read it.

use std::collections::{BTreeSet, HashMap};

use super::files::Files;
use super::names::sanitize_name;
use super::roots::{Root, roots};
use super::{cargo, go_work, package_json, pyproject, workspaces};

/// A package as its manifest has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// What it is called, if it says so.
    pub name: Option<String>,
    /// What it depends on.
    pub wants: Vec<Wanted>,
}

/// A dependency as a manifest has it.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A folder, from the package's own.
    Path(String),
    /// A name, that of another package of the workspace or of none.
    Name(String),
}

/// A tool that has workspaces.
pub struct Tool {
    /// The file that each package has.
    pub manifest: &'static str,
    /// Files at the root that all packages are made with: manifests of workspaces, lock files, settings.
    pub global: &'static [&'static str],
    /// Whether the root can be a package whose files are all that no other package has.
    has_root: bool,
    /// Whether packages are found by their own names.
    is_by_name: bool,
    package: fn(&str) -> Result<Option<Package>, String>,
    names: fn(&str) -> Vec<(String, String)>,
}

fn no_names(_: &str) -> Vec<(String, String)> {
    Vec::new()
}

/// All that are known.
pub const TOOLS: [Tool; 4] = [
    Tool {
        manifest: "Cargo.toml",
        global: &[
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain",
            "rust-toolchain.toml",
            ".cargo/config",
            ".cargo/config.toml",
        ],
        has_root: true,
        is_by_name: false,
        package: cargo::package,
        names: cargo::names,
    },
    Tool {
        manifest: "package.json",
        global: &[
            "package.json",
            "package-lock.json",
            "npm-shrinkwrap.json",
            "pnpm-workspace.yaml",
            "pnpm-lock.yaml",
            ".npmrc",
            ".pnpmfile.cjs",
            "yarn.lock",
            ".yarnrc.yml",
            "bun.lock",
            "bun.lockb",
            "turbo.json",
            "turbo.jsonc",
            "nx.json",
            "lerna.json",
        ],
        has_root: false,
        is_by_name: true,
        package: package_json::package,
        names: no_names,
    },
    Tool {
        manifest: "pyproject.toml",
        global: &[
            "pyproject.toml",
            "uv.lock",
            "uv.toml",
            "poetry.lock",
            "pdm.lock",
            "Pipfile",
            "Pipfile.lock",
            "requirements.txt",
            "constraints.txt",
            ".python-version",
        ],
        has_root: true,
        is_by_name: true,
        package: pyproject::package,
        names: no_names,
    },
    Tool {
        manifest: "go.mod",
        global: &["go.work", "go.work.sum"],
        has_root: true,
        is_by_name: true,
        package: go_work::package,
        names: no_names,
    },
];

/// A package at its place, with what it depends on of the repository.
#[derive(Debug, PartialEq, Eq)]
pub struct Located {
    /// Its folder; empty for the root.
    pub folder: String,
    /// What it is called, or its folder.
    pub name: String,
    /// The tools, by their places in [`TOOLS`], each with the root of the workspace; at least one.
    pub tools: Vec<(usize, String)>,
    /// The folders of the packages that it depends on.
    pub depends: BTreeSet<String>,
}

impl Located {
    /// The file that describes it.
    pub fn manifest(&self) -> String {
        join(&self.folder, self.tools.first().map_or("", |(tool, _)| TOOLS[*tool].manifest))
    }
}

/// Where the text of a file comes from; `None` where there is no such file.
pub type Reader<'r> =
    dyn FnMut(&str) -> Result<Option<Result<String, String>>, lane_core::facts::Unavailable> + 'r;

/// The packages of a repository: those that a workspace lists, at the root or near it, those in `folders`, and whatever these depend on
/// by a path. Manifests that could not be read go to `unread`.
///
/// # Errors
/// The repository cannot be read.
pub fn packages(
    files: &Files<'_>,
    folders: &[String],
    read: &mut Reader<'_>,
    notes: &mut Vec<String>,
    unread: &mut Vec<String>,
) -> Result<Vec<Located>, lane_core::facts::Unavailable> {
    let roots = roots(files, read, notes, unread)?;
    let mut found = Vec::new();
    for root in &roots {
        // A service belongs to the nearest workspace around it.
        let is_nearest = |folder: &&String| {
            let holds =
                |root: &&Root| root.folder.is_empty() || folder.starts_with(&format!("{}/", root.folder));
            roots.iter().filter(holds).max_by_key(|root| root.folder.len()).map(|root| &root.folder)
                == Some(&root.folder)
        };
        let services: Vec<String> = folders.iter().filter(is_nearest).cloned().collect();
        for (at, tool) in TOOLS.iter().enumerate() {
            let of_tool = |place: &str| {
                workspaces::MANIFESTS.iter().any(|one| one.place == place && one.package == tool.manifest)
            };
            let listed = root.listed.iter().filter(|(_, place)| of_tool(place));
            let mut open: Vec<String> = listed.map(|(folder, _)| folder.clone()).collect();
            let is_workspace = !open.is_empty();
            open.extend(services.iter().cloned());
            if tool.has_root && (is_workspace || tool.manifest == "Cargo.toml" && root.folder.is_empty()) {
                open.push(root.folder.clone());
            }
            let text = root.texts.iter().find(|text| text.path == tool.manifest);
            let text = text.and_then(|text| text.content.as_ref().ok());
            let names = text.map(|text| (tool.names)(text)).unwrap_or_default();
            found.extend(of_one_tool((at, &root.folder), open, names, read, unread)?);
        }
    }
    // A folder is one package, with the dependencies of all tools.
    let mut packages: Vec<Located> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for package in found {
        if let Some(at) = places.get(&package.folder) {
            packages[*at].depends.extend(package.depends);
            packages[*at].tools.extend(package.tools);
        } else {
            places.insert(package.folder.clone(), packages.len());
            packages.push(package);
        }
    }
    let known: BTreeSet<String> = places.into_keys().collect();
    for package in &mut packages {
        package.depends.retain(|folder| known.contains(folder) && *folder != package.folder);
    }
    Ok(packages)
}

fn of_one_tool(
    (tool, root): (usize, &str),
    mut open: Vec<String>,
    names: Vec<(String, String)>,
    read: &mut Reader<'_>,
    unread: &mut Vec<String>,
) -> Result<Vec<Located>, lane_core::facts::Unavailable> {
    let Tool { manifest, package, is_by_name, .. } = &TOOLS[tool];
    let mut by_name: HashMap<String, String> =
        names.into_iter().filter_map(|(name, path)| Some((name, inside(root, &path)?))).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let path = join(&folder, manifest);
        let read = match read(&path)? {
            None => continue,
            Some(text) => text.and_then(|text| package(&text)),
        };
        let package = match read {
            Ok(Some(package)) => package,
            Ok(None) => continue,
            Err(why) => {
                unread.push(format!("{path} could not be read: {}", sanitize_name(&why)));
                Package::default()
            }
        };
        let paths = package.wants.iter().filter_map(|wanted| match wanted {
            Wanted::Path(path) => inside(&folder, path),
            Wanted::Name(name) => by_name.get(name).cloned(),
        });
        open.extend(paths);
        if let (true, Some(name)) = (is_by_name, &package.name) {
            by_name.entry(name.clone()).or_insert_with(|| folder.clone());
        }
        found.push((folder, package));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let located = found.into_iter().map(|(folder, package)| {
        let depends = package.wants.iter().filter_map(|wanted| match wanted {
            Wanted::Path(path) => inside(&folder, path),
            Wanted::Name(name) => by_name.get(name).cloned(),
        });
        let depends = depends.collect();
        let name =
            package.name.unwrap_or_else(|| if folder.is_empty() { ".".into() } else { folder.clone() });
        Located { folder, name, tools: vec![(tool, root.to_owned())], depends }
    });
    Ok(located.collect())
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A path from a folder, from the root; `None` where it leads out of the repository.
fn inside(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests;
