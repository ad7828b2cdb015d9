//! What is common to all targets of a release, and a look at the whole before anything is published.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::args::{Options, needed};
use crate::project::Project;
use crate::targets::Target;
use crate::{Failure, homebrew, npm, read, sha256, wheel, winget, write};

/// The checksums of the files of a release on GitHub, as `sha256sum --check` reads them.
pub const SUMS: &str = "SHA256SUMS";

/// The notes of a release.
pub const NOTES: &str = "NOTES.md";

/// What downloads a release, checks and installs it; with places for the repository and the tag.
const INSTALLERS: [(&str, &str); 2] = [
    ("install-release.sh", include_str!("../installers/install-release.sh")),
    ("install-release.ps1", include_str!("../installers/install-release.ps1")),
];

/// Where files are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    GitHub,
    PyPi,
    Npm,
    Winget,
}

impl Channel {
    const ALL: [Self; 4] = [Self::GitHub, Self::PyPi, Self::Npm, Self::Winget];

    fn title(self, project: &Project) -> String {
        match self {
            Self::GitHub => format!("{}/releases/tag/{}", project.repository, project.tag()),
            Self::PyPi => "PyPI: git-lane".to_owned(),
            Self::Npm => "npm: git-lane, and @git-lane/… by platform".to_owned(),
            Self::Winget => format!("winget: {}", winget::identifier(project)),
        }
    }
}

/// The bytes of a file, and who makes it.
#[derive(Debug)]
enum Bytes {
    /// `package`, or for the sources on PyPI maturin; `None` where it is not there.
    Given(Option<Vec<u8>>),
    /// This task.
    Made(Vec<u8>),
    /// This task, once that is there which it is made of.
    Later,
}

#[derive(Debug)]
struct File {
    channel: Channel,
    /// Below the folder of the packages.
    path: String,
    bytes: Bytes,
}

/// What a release has.
#[derive(Debug)]
struct Release<'p> {
    project: &'p Project,
    files: Vec<File>,
}

pub(crate) fn run(options: &Options, root: &Path) -> Result<String, Failure> {
    let project = Project::read(root, options.repository.as_deref())?;
    let mut release = Release { project: &project, files: Vec::new() };
    release.gather(options.artifacts.as_deref())?;
    release.make()?;
    let mut wrong = project.mistakes(options.tag.as_deref())?;
    let tasks = project.tasks()?;
    if options.dry_run {
        let shown = release.shown(&wrong, &tasks);
        // Somebody who names a tag means to release it.
        let is_fine = wrong.is_empty() && (tasks.is_empty() || options.tag.is_none());
        let reason = || "this cannot be released: see above".to_owned();
        return if is_fine { Ok(shown) } else { Err(Failure { shown, reason: reason() }) };
    }
    needed(options.artifacts.as_ref(), "--artifacts")?;
    needed(options.tag.as_ref(), "--tag")?;
    let out = needed(options.out.as_ref(), "--out")?;
    wrong.extend(tasks);
    wrong.extend(release.missing().map(|path| format!("{path} is missing")));
    if !wrong.is_empty() {
        return Err(format!("this cannot be released:\n  {}", wrong.join("\n  ")).into());
    }
    let notes = project.notes()?.unwrap_or_default().into_bytes();
    let common = [(SUMS.to_owned(), release.sums().into_bytes()), (NOTES.to_owned(), notes)];
    let mut shown = String::new();
    for (path, bytes) in release.made().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).chain(common) {
        let path = out.join(path);
        write(&path, &bytes)?;
        let _ = writeln!(shown, "{}", path.display());
    }
    Ok(shown)
}

impl Release<'_> {
    /// What `package` is to have written, from the folder that it wrote to.
    fn gather(&mut self, artifacts: Option<&Path>) -> Result<(), String> {
        if let Some(folder) = artifacts.filter(|folder| !folder.is_dir()) {
            return Err(format!("{} is no folder", folder.display()));
        }
        let project = self.project;
        let mut paths = Vec::new();
        for target in Target::released() {
            paths.push((Channel::GitHub, target.archive()));
            paths.push((Channel::GitHub, target.sbom()));
            paths.push((Channel::PyPi, format!("pypi/{}", wheel::file(project, target)?)));
            paths.push((Channel::Npm, format!("npm/{}", npm::platform_file(project, target))));
        }
        paths.push((Channel::PyPi, format!("pypi/{}", wheel::sources(project)?)));
        for (channel, path) in paths {
            let found = artifacts.map(|folder| folder.join(&path)).filter(|path| path.is_file());
            let bytes = Bytes::Given(found.map(|path| read(&path)).transpose()?);
            self.files.push(File { channel, path, bytes });
        }
        Ok(())
    }

    /// What this task makes of it.
    fn make(&mut self) -> Result<(), String> {
        let project = self.project;
        let mut made: Vec<(Channel, String, Bytes)> = Vec::new();
        for (name, text) in INSTALLERS {
            let text = text.replace("@REPOSITORY@", project.slug()).replace("@TAG@", &project.tag());
            made.push((Channel::GitHub, name.to_owned(), Bytes::Made(text.into_bytes())));
        }
        made.push((
            Channel::Npm,
            format!("npm/{}", npm::main_file(project)),
            Bytes::Made(npm::main(project)?),
        ));
        let sums: BTreeMap<&str, String> = self.given().map(|(path, bytes)| (path, sha256(bytes))).collect();
        let sum = |path: &str| sums.get(path).cloned().ok_or_else(|| format!("{path} is missing"));
        let formula = homebrew::write(project, sum);
        made.push((
            Channel::GitHub,
            homebrew::FILE.to_owned(),
            formula.map_or(Bytes::Later, |text| Bytes::Made(text.into())),
        ));
        let manifests = winget::write(project, |path| Ok(sum(path).unwrap_or_default()))?;
        let is_there = Target::released()
            .filter(|target| target.is_windows())
            .all(|target| sum(&target.archive()).is_ok());
        made.extend(manifests.into_iter().map(|(name, text)| {
            let bytes = if is_there { Bytes::Made(text.into_bytes()) } else { Bytes::Later };
            (Channel::Winget, format!("winget/{name}"), bytes)
        }));
        self.files.extend(made.into_iter().map(|(channel, path, bytes)| File { channel, path, bytes }));
        Ok(())
    }

    fn given(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().filter_map(|file| match &file.bytes {
            Bytes::Given(Some(bytes)) => Some((file.path.as_str(), bytes.as_slice())),
            _ => None,
        })
    }

    fn made(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().filter_map(|file| match &file.bytes {
            Bytes::Made(bytes) => Some((file.path.as_str(), bytes.as_slice())),
            _ => None,
        })
    }

    fn missing(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .filter(|file| matches!(file.bytes, Bytes::Given(None)))
            .map(|file| file.path.as_str())
    }

    /// The lines of [`SUMS`], by name.
    fn sums(&self) -> String {
        let of_release =
            |path: &str| self.files.iter().any(|file| file.channel == Channel::GitHub && file.path == path);
        let lines: BTreeMap<_, _> = self
            .given()
            .chain(self.made())
            .filter(|(path, _)| of_release(path))
            .map(|(path, bytes)| (path, format!("{}  {path}\n", sha256(bytes))))
            .collect();
        lines.into_values().collect()
    }

    fn shown(&self, wrong: &[String], tasks: &[String]) -> String {
        let mut out = format!("git-lane {} ({})\n", self.project.version, self.project.tag());
        for channel in Channel::ALL {
            let _ = writeln!(out, "\n{}", channel.title(self.project));
            for file in self.files.iter().filter(|file| file.channel == channel) {
                let size = match &file.bytes {
                    Bytes::Given(Some(bytes)) | Bytes::Made(bytes) => size(bytes.len()),
                    Bytes::Given(None) => "not built yet".to_owned(),
                    Bytes::Later => "once all are".to_owned(),
                };
                let name = file.path.rsplit('/').next().unwrap_or_default();
                let _ = writeln!(out, "  {name:<104} {size:>13}");
            }
        }
        let (slug, version) = (self.project.slug().to_lowercase(), &self.project.version);
        let _ = writeln!(out, "\ncrates.io: lane-os, lane-core, lane-git, lane-github, git-lane {version}");
        let _ = writeln!(out, "container images: ghcr.io/{slug}:{version}, ghcr.io/{slug}:{version}-bare");
        for (title, lines) in [("wrong", wrong), ("to do before a release", tasks)] {
            if !lines.is_empty() {
                let _ = writeln!(out, "\n{title}:\n  {}", lines.join("\n  "));
            }
        }
        if wrong.is_empty() {
            let _ = writeln!(out, "\nversions agree: {version}");
        }
        out
    }
}

/// A size as a person reads it, in megabytes of 1,000,000 bytes as registries show it.
fn size(bytes: usize) -> String {
    let tenths = |unit: usize| (bytes * 10).div_ceil(unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", tenths(1_000) / 10, tenths(1_000) % 10),
        _ => format!("{}.{} MB", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
    }
}
