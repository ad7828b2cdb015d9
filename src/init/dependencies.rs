//! What the packages of a workspace depend on, of one another: as Cargo, npm, pnpm, Yarn, uv, Poetry and go read it.

use std::collections::{BTreeSet, HashMap};

use super::files::Files;
use super::names::sanitize_name;
use super::{Text, cargo, go_work, package_json, pyproject, workspaces};

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
    /// The tool, by its place in [`TOOLS`].
    pub tool: usize,
    /// The folders of the packages that it depends on.
    pub depends: BTreeSet<String>,
}

impl Located {
    /// The file that describes it.
    pub fn manifest(&self) -> String {
        join(&self.folder, TOOLS[self.tool].manifest)
    }
}

/// Where the text of a file comes from; `None` where there is no such file.
pub type Reader<'r> =
    dyn FnMut(&str) -> Result<Option<Result<String, String>>, lane_core::facts::Unavailable> + 'r;

/// The packages of a repository: those that a workspace at the root lists, those in `folders`, and whatever these depend on
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
    let mut texts = Vec::new();
    for manifest in &workspaces::MANIFESTS {
        if let Some(content) = read(manifest.file)? {
            texts.push(Text { path: manifest.file.to_owned(), content });
        }
    }
    unread.extend(workspaces::unread(&texts));
    let listed = workspaces::packages(&texts, files, notes);
    let mut found = Vec::new();
    for (at, tool) in TOOLS.iter().enumerate() {
        let of_tool = |place: &str| {
            workspaces::MANIFESTS.iter().any(|one| one.place == place && one.package == tool.manifest)
        };
        let mut open: Vec<String> =
            listed.iter().filter(|(_, place)| of_tool(place)).map(|(folder, _)| folder.clone()).collect();
        let is_workspace = !open.is_empty();
        open.extend(folders.iter().cloned());
        if tool.has_root && (is_workspace || tool.manifest == "Cargo.toml") {
            open.push(String::new());
        }
        let root =
            texts.iter().find(|text| text.path == tool.manifest).and_then(|text| text.content.as_ref().ok());
        let names = root.map(|text| (tool.names)(text)).unwrap_or_default();
        found.extend(of_one_tool(at, open, names, read, unread)?);
    }
    // A folder is one package: that of the first tool, with the dependencies of all.
    let mut packages: Vec<Located> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for package in found {
        if let Some(at) = places.get(&package.folder) {
            packages[*at].depends.extend(package.depends);
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
    tool: usize,
    mut open: Vec<String>,
    names: Vec<(String, String)>,
    read: &mut Reader<'_>,
    unread: &mut Vec<String>,
) -> Result<Vec<Located>, lane_core::facts::Unavailable> {
    let Tool { manifest, package, is_by_name, .. } = &TOOLS[tool];
    let mut by_name: HashMap<String, String> =
        names.into_iter().filter_map(|(name, path)| Some((name, inside("", &path)?))).collect();
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
        Located { folder, name, tool, depends }
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
mod tests {
    use super::super::files::tracked;
    use super::*;

    fn located(texts: &[(&str, &str)], folders: &[&str]) -> (Vec<String>, Vec<String>) {
        let paths: Vec<&str> = texts.iter().map(|(path, _)| *path).collect();
        let list = tracked(&paths);
        let mut notes = Vec::new();
        let folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        let mut read = |path: &str| {
            let text = texts.iter().find(|(name, _)| *name == path);
            Ok(text.map(|(_, text)| Ok((*text).to_owned())))
        };
        let found =
            packages(&Files::new(&list), &folders, &mut read, &mut Vec::new(), &mut notes).expect("readable");
        let words = found.iter().map(|one| {
            let depends: Vec<&str> = one.depends.iter().map(String::as_str).collect();
            format!("{} at {}: {}", one.name, one.folder, depends.join(" "))
        });
        (words.collect(), notes)
    }

    #[test]
    fn cargo() {
        let (found, notes) = located(
            &[
                (
                    "Cargo.toml",
                    "[package]\nname = \"root\"\n[dependencies]\na = { workspace = true }\n[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\na = { path = \"crates/a\" }\n[patch.crates-io]\nb = { path = \"crates/b\" }\n",
                ),
                (
                    "crates/a/Cargo.toml",
                    "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\nserde = \"1\"\n",
                ),
                (
                    "crates/b/Cargo.toml",
                    "[package]\nname = \"b\"\n[dev-dependencies]\nc = { path = \"../../other/c\" }\nout = { path = \"../../../out\" }\n",
                ),
                ("other/c/Cargo.toml", "[package]\nname = \"c\"\n"),
            ],
            &[],
        );
        assert_eq!(
            found,
            ["root at : crates/a", "a at crates/a: crates/b", "b at crates/b: other/c", "c at other/c: "]
        );
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn npm() {
        let (found, notes) = located(
            &[
                ("package.json", r#"{"name": "root", "workspaces": ["packages/*"]}"#),
                (
                    "packages/web/package.json",
                    r#"{"name": "@x/web", "dependencies": {"@x/ui": "workspace:*", "react": "1"}}"#,
                ),
                ("packages/ui/package.json", r#"{"name": "@x/ui", "devDependencies": {"@x/web": "^1"}}"#),
                ("packages/odd/package.json", "{"),
            ],
            &[],
        );
        assert_eq!(
            found,
            [
                "packages/odd at packages/odd: ",
                "@x/ui at packages/ui: packages/web",
                "@x/web at packages/web: packages/ui"
            ]
        );
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("packages/odd/package.json could not be read"), "{notes:?}");
    }

    #[test]
    fn uv_and_go_and_folders_of_services() {
        let (found, _) = located(
            &[
                (
                    "pyproject.toml",
                    "[project]\nname = \"root\"\n[tool.uv.workspace]\nmembers = [\"libs/*\"]\n",
                ),
                ("libs/a/pyproject.toml", "[project]\nname = \"My_A\"\ndependencies = [\"b\"]\n"),
                ("libs/b/pyproject.toml", "[project]\nname = \"b\"\n"),
                ("services/s/pyproject.toml", "[project]\nname = \"s\"\ndependencies = [\"my.a\"]\n"),
                ("go.work", "use (\n./cmd\n./lib\n)\n"),
                ("cmd/go.mod", "module example.com/cmd\nrequire example.com/lib v0.0.0\n"),
                ("lib/go.mod", "module example.com/lib\n"),
            ],
            &["services/s"],
        );
        assert_eq!(
            found,
            [
                "root at : ",
                "my-a at libs/a: libs/b",
                "b at libs/b: ",
                "s at services/s: libs/a",
                "example.com/cmd at cmd: lib",
                "example.com/lib at lib: ",
            ]
        );
    }
}
