//! What a release of git-lane consists of, and how each part of it is made: `cargo xtask`.
//!
//! Every channel gets the same programs, built once for each target. Nothing here builds or publishes: programs come from
//! `scripts/build` or `cargo build`, and `.github/workflows/release.yml` uploads what is written here. The same input gives the same bytes.

pub mod archive;
mod args;
pub mod homebrew;
pub mod notices;
pub mod npm;
pub mod package;
pub mod project;
pub mod release;
pub mod sbom;
pub mod targets;
pub mod wheel;
pub mod winget;

use std::path::Path;

pub use args::Options;

const USAGE: &str = "\
usage: cargo xtask package --target TRIPLE --binaries DIR --out DIR [--fast]
       cargo xtask release --dry-run [--artifacts DIR] [--tag TAG] [--repository OWNER/NAME]
       cargo xtask release --artifacts DIR --out DIR --tag TAG [--repository OWNER/NAME]

  package   pack the programs in DIR, built for TRIPLE, into all that a release has for that target
            --fast: store, do not compress; for tests
  release   from the packages of all targets, write what is common to them: the package `git-lane` for npm, a
            formula for Homebrew, manifests for winget, installers, checksums, notes
            --dry-run: write nothing, show everything that would be published and check that versions agree
";

/// Why a task failed, and what it has to show all the same.
#[derive(Debug)]
pub struct Failure {
    /// For standard output.
    pub shown: String,
    /// What went wrong.
    pub reason: String,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { shown: String::new(), reason }
    }
}

/// Does a task; gives the text for standard output. `root`: the folder of the repository.
///
/// # Errors
/// Unknown arguments, files that cannot be read or written, versions that do not agree.
pub fn run(args: &[String], root: &Path) -> Result<String, Failure> {
    let task = args.first().map_or("", String::as_str);
    let rest = args.get(1..).unwrap_or_default();
    match task {
        "package" => Ok(package::run(&Options::parse(rest)?, root)?),
        "release" => release::run(&Options::parse(rest)?, root),
        "" | "help" | "--help" | "-h" => Ok(USAGE.to_owned()),
        other => Err(format!("unknown task `{other}`\n{USAGE}").into()),
    }
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn read_text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Writes a file and the folders above it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
