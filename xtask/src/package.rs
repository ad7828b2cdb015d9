//! All that a release has for one target, from its programs.

use std::path::Path;
use std::process::Command;

use crate::archive::{self, Entry, Form};
use crate::args::{Options, needed};
use crate::project::Project;
use crate::sbom::Packages;
use crate::targets::{PROGRAMS, Target};
use crate::{notices, npm, read, sbom, wheel, write};

/// The programs of a target and what belongs to them.
#[derive(Debug)]
pub struct Package<'p> {
    /// The repository that they come from.
    pub project: &'p Project,
    /// What they were built for.
    pub target: &'static Target,
    /// The programs, `git-lane` first.
    pub programs: Vec<Entry>,
    /// Licences, README, changelog: what is to go with them everywhere.
    pub documents: Vec<Entry>,
    /// How archives are written.
    pub form: Form,
}

pub(crate) fn run(options: &Options, root: &Path) -> Result<String, String> {
    let target = Target::find(needed(options.target.as_ref(), "--target")?)?;
    let binaries = needed(options.binaries.as_ref(), "--binaries")?;
    let out = needed(options.out.as_ref(), "--out")?;
    let project = Project::read(root, options.repository.as_deref())?;
    let packages = Packages::read(&project, target)?;
    let package = Package {
        project: &project,
        target,
        programs: programs(&project, target, binaries)?,
        documents: documents(&project, &packages)?,
        form: Form { time: project.time, is_packed: !options.fast },
    };
    let mut files = vec![(target.sbom(), sbom::write(&project, target, &packages)?)];
    files.push((target.archive(), package.archive(&share(binaries, target)?)?));
    files.push((format!("pypi/{}", wheel::file(&project, target)?), wheel::write(&package)?));
    files.push((format!("npm/{}", npm::platform_file(&project, target)), npm::platform(&package)?));
    if options.fast {
        // What `release` writes for all targets, so that one of them can be tried alone.
        files.push((format!("npm/{}", npm::main_file(&project)), npm::main(&project)?));
    }
    let mut shown = String::new();
    for (name, bytes) in files {
        let path = out.join(&name);
        write(&path, &bytes)?;
        shown += &format!("{}\n", path.display());
    }
    Ok(shown)
}

impl Package<'_> {
    /// The archive: one folder, laid out as a prefix such as `~/.local` is, so that it can be unpacked right into one.
    fn archive(&self, share: &[Entry]) -> Result<Vec<u8>, String> {
        let below = |folder: &str, entries: &[Entry]| -> Vec<Entry> {
            let stem = self.target.stem();
            let place =
                |entry: &Entry| Entry { path: format!("{stem}/{folder}/{}", entry.path), ..entry.clone() };
            entries.iter().map(place).collect()
        };
        let entries = [
            below("bin", &self.programs),
            below("share", share),
            below("share/doc/git-lane", &self.documents),
        ]
        .concat();
        match self.target.is_windows() {
            true => archive::zip(&entries, self.form),
            false => archive::tar_gz(&entries, self.form),
        }
    }
}

/// Reads the programs, and sees that they are of this version, where this machine can run them.
fn programs(project: &Project, target: &Target, binaries: &Path) -> Result<Vec<Entry>, String> {
    let mut found = Vec::new();
    for name in PROGRAMS {
        let path = binaries.join(target.program(name));
        found.push(Entry::program(target.program(name), read(&path)?));
        if target.is_here() {
            let said = ask(&path, &["--version"])?;
            let wanted = format!("{name} {}\n", project.version);
            if said != wanted.as_bytes() {
                let said = String::from_utf8_lossy(&said).trim().to_owned();
                return Err(format!("{} says it is `{said}`, not `{}`", path.display(), wanted.trim()));
            }
        }
    }
    Ok(found)
}

fn documents(project: &Project, packages: &Packages) -> Result<Vec<Entry>, String> {
    let copied = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];
    let copied = copied.into_iter().map(|name| Ok(Entry::file(name, read(&project.root.join(name))?)));
    copied.chain([notices::write(packages).map(|text| Entry::file("LICENSES-OF-PARTS.txt", text))]).collect()
}

/// The manual and the completions, which the program writes itself: for Windows that of PowerShell alone.
fn share(binaries: &Path, target: &Target) -> Result<Vec<Entry>, String> {
    let lane = binaries.join(target.program("git-lane"));
    if !target.is_here() {
        return Err(format!(
            "{} cannot be run here, so that its manual cannot be written: pack it on a machine of its own",
            target.triple
        ));
    }
    let completion =
        |shell: &str, path: &str| Ok::<_, String>(Entry::file(path, ask(&lane, &["completions", shell])?));
    if target.is_windows() {
        return Ok(vec![completion("powershell", "powershell/git-lane.ps1")?]);
    }
    let mut found = vec![
        completion("bash", "bash-completion/completions/git-lane")?,
        completion("zsh", "zsh/site-functions/_git-lane")?,
        completion("fish", "fish/vendor_conf.d/git-lane.fish")?,
    ];
    let folder = std::env::temp_dir().join(format!("git-lane-man-{}", std::process::id()));
    let pages = manual(&lane, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    found.extend(pages?);
    Ok(found)
}

fn manual(lane: &Path, folder: &Path) -> Result<Vec<Entry>, String> {
    let name = folder.to_str().ok_or("the folder of temporary files has no name in UTF-8")?;
    ask(lane, &["mangen", name])?;
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let page = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Entry::file(format!("man/man1/{name}"), read(path)?))
    };
    files.iter().map(page).collect()
}

/// What a program writes to standard output.
fn ask(program: &Path, args: &[&str]) -> Result<Vec<u8>, String> {
    let ran = Command::new(program).args(args).output();
    let ran = ran.map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
        return Err(format!("{} {} failed: {said}", program.display(), args.join(" ")));
    }
    Ok(ran.stdout)
}
