//! What this repository says of itself: its version, which stands in `Cargo.toml` alone, and whether everything agrees with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::read_text;

/// The repository.
#[derive(Debug)]
pub struct Project {
    /// Its folder.
    pub root: PathBuf,
    /// `workspace.package.version`.
    pub version: String,
    /// The description of the package `git-lane`.
    pub description: String,
    /// `workspace.package.license`: an SPDX expression.
    pub licence: String,
    /// `workspace.package.repository`, or what was given instead: the address of a repository on GitHub.
    pub repository: String,
    /// When the commit that is released was made, in seconds since 1970; `SOURCE_DATE_EPOCH` stands above it.
    pub time: u64,
    cargo: toml::Table,
}

impl Project {
    /// Reads it. `repository`: `owner/name`, for the one that `Cargo.toml` names.
    ///
    /// # Errors
    /// `Cargo.toml` cannot be read or lacks something, or git does not know the time.
    pub fn read(root: &Path, repository: Option<&str>) -> Result<Self, String> {
        let cargo = table(&root.join("Cargo.toml"))?;
        let text = |keys: &[&str]| {
            let found =
                keys.iter().try_fold(&toml::Value::Table(cargo.clone()), |at, key| at.get(key)).cloned();
            let found = found.as_ref().and_then(toml::Value::as_str).map(str::to_owned);
            found.ok_or_else(|| format!("Cargo.toml has no {}", keys.join(".")))
        };
        let repository = match repository {
            Some(name) if is_repository(name) => format!("https://github.com/{name}"),
            Some(name) => return Err(format!("`{name}` is not OWNER/NAME")),
            None => text(&["workspace", "package", "repository"])?,
        };
        Ok(Self {
            root: root.to_owned(),
            version: text(&["workspace", "package", "version"])?,
            description: text(&["package", "description"])?,
            licence: text(&["workspace", "package", "license"])?,
            repository,
            time: time(root)?,
            cargo,
        })
    }

    /// The tag of this version.
    pub fn tag(&self) -> String {
        format!("v{}", self.version)
    }

    /// The version as Python writes it (PEP 440): `0.2.0rc1` for `0.2.0-rc.1`.
    ///
    /// # Errors
    /// A pre-release that Python has no word for.
    pub fn python_version(&self) -> Result<String, String> {
        let Some((release, pre)) = self.version.split_once('-') else { return Ok(self.version.clone()) };
        let known = [("alpha.", "a"), ("beta.", "b"), ("rc.", "rc")];
        let found = known.iter().find_map(|(semver, python)| Some((python, pre.strip_prefix(semver)?)));
        let found = found.filter(|(_, number)| number.parse::<u32>().is_ok());
        let (word, number) = found.ok_or_else(|| {
            format!("{} has no form in Python: use -alpha.N, -beta.N or -rc.N", self.version)
        })?;
        Ok(format!("{release}{word}{number}"))
    }

    /// `owner/name` of the repository.
    pub fn slug(&self) -> &str {
        self.repository.trim_start_matches("https://github.com/")
    }

    /// The address that a file of the release is downloaded from.
    pub fn download(&self, file: &str) -> String {
        format!("{}/releases/download/{}/{file}", self.repository, self.tag())
    }

    /// What `CHANGELOG.md` says of this version: the text below `## <version>` or `## <version> - <date>`.
    ///
    /// # Errors
    /// It cannot be read. `None` where it does not say anything.
    pub fn notes(&self) -> Result<Option<String>, String> {
        let text = read_text(&self.root.join("CHANGELOG.md"))?;
        Ok(section(&text, &self.version))
    }

    /// All that does not agree with the version, or with the tag that is to be released.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn mistakes(&self, tag: Option<&str>) -> Result<Vec<String>, String> {
        let mut found = self.versions()?;
        if let Some(tag) = tag.filter(|tag| *tag != self.tag()) {
            found.push(format!(
                "the tag is {tag}, but Cargo.toml has the version {}: {}",
                self.version,
                self.tag()
            ));
        }
        Ok(found)
    }

    /// What is to be done before a release: empty where one may be made.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn tasks(&self) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let named = self.cargo["workspace"]["package"].get("repository").and_then(toml::Value::as_str);
        let named = named.unwrap_or("none");
        if named != self.repository {
            found.push(format!("Cargo.toml: `repository` is {named}, not {}", self.repository));
        }
        if self.notes()?.is_none() {
            found.push(format!("CHANGELOG.md has no section `## {0}` or `## {0} - DATE`", self.version));
        }
        Ok(found)
    }

    /// Files that have another version. One that takes its version from `Cargo.toml` cannot.
    fn versions(&self) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut hold = |place: &str, has: Option<&str>| {
            if has != Some(self.version.as_str()) {
                found.push(format!("{place} has {}, not {}", has.unwrap_or("no version"), self.version));
            }
        };
        let inherits = |cargo: &toml::Table| {
            cargo["package"].get("version").and_then(|version| version.get("workspace")).is_some()
        };
        let lock = table(&self.root.join("Cargo.lock"))?;
        let locked = lock.get("package").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        for (place, cargo) in self.crates()? {
            let name = cargo["package"].get("name").and_then(toml::Value::as_str).unwrap_or_default();
            let version = cargo["package"].get("version").and_then(toml::Value::as_str);
            hold(&place, version.or_else(|| inherits(&cargo).then_some(self.version.as_str())));
            let ours = |package: &&toml::Value| {
                package.get("source").is_none()
                    && package.get("name").and_then(toml::Value::as_str) == Some(name)
            };
            let locked = locked.iter().find(ours).and_then(|package| package.get("version")?.as_str());
            hold(&format!("Cargo.lock ({name})"), locked);
        }
        let shared = self.cargo["workspace"].get("dependencies").and_then(toml::Value::as_table);
        for (name, wanted) in shared.into_iter().flatten().filter(|(_, wanted)| wanted.get("path").is_some())
        {
            hold(
                &format!("Cargo.toml (workspace.dependencies.{name})"),
                wanted
                    .get("version")
                    .and_then(toml::Value::as_str)
                    .map(|version| version.trim_start_matches('=')),
            );
        }
        Ok(found)
    }

    /// The manifests of the workspace, and where they lie.
    fn crates(&self) -> Result<Vec<(String, toml::Table)>, String> {
        let mut found = vec![("Cargo.toml".to_owned(), self.cargo.clone())];
        let folder = self.root.join("crates");
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
        let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        names.sort();
        let folders = names.iter().map(|name| format!("crates/{}", name.display()));
        for folder in folders.chain(["xtask".to_owned()]) {
            let place = format!("{folder}/Cargo.toml");
            found.push((place.clone(), table(&self.root.join(&place))?));
        }
        Ok(found)
    }
}

fn table(path: &Path) -> Result<toml::Table, String> {
    read_text(path)?.parse().map_err(|error| format!("{}: {error}", path.display()))
}

fn is_repository(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    name.split_once('/').is_some_and(|(owner, name)| is_word(owner) && is_word(name))
}

fn time(root: &Path) -> Result<u64, String> {
    let said = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(said) => said,
        Err(_) => {
            let log = ["-c", "log.showSignature=false", "log", "-1", "--format=%ct"];
            let ran = Command::new("git").args(log).current_dir(root).output();
            let ran = ran.map_err(|error| format!("git cannot be started: {error}"))?;
            String::from_utf8_lossy(&ran.stdout).into_owned()
        }
    };
    let seconds = said.trim().parse();
    seconds.map_err(|_| "the time of the release is unknown: set SOURCE_DATE_EPOCH, or commit".to_owned())
}

/// The section of a version in a changelog, without its heading.
fn section(text: &str, version: &str) -> Option<String> {
    let is_heading = |line: &str| {
        let title = line.strip_prefix("## ").map(|title| title.trim().trim_start_matches('['));
        let rest = title.and_then(|title| title.strip_prefix(version));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" - ") || rest.starts_with(']'))
    };
    let body: Vec<&str> = text
        .lines()
        .skip_while(|line| !is_heading(line))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .collect();
    let body = body.join("\n");
    Some(body.trim()).filter(|body| !body.is_empty()).map(|body| format!("{body}\n"))
}

#[cfg(test)]
mod tests {
    use super::{is_repository, section};

    #[test]
    fn a_changelog_has_sections() {
        let text = "# Changelog\n\n## Unreleased\n\n- a\n\n## 0.2.0 - 2026-01-02\n\n- b\n- c\n\n## [0.1.0]\n- d\n\n## 0.0.1\n";
        assert_eq!(section(text, "0.2.0").as_deref(), Some("- b\n- c\n"));
        assert_eq!(section(text, "0.1.0").as_deref(), Some("- d\n"));
        for none in ["0.2", "0.3.0", "0.0.1", ""] {
            assert_eq!(section(text, none), None, "{none}");
        }
    }

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        assert!(is_repository("a-b/git-lane") && is_repository("a/b.c_d"));
        assert!(
            !["a", "a/", "/b", "a/b/c", "a/b c", "https://github.com/a/b"].into_iter().any(is_repository)
        );
    }
}
