//! A wheel for PyPI that holds the programs as they are: what maturin makes of `bindings = "bin"`, without building them again.
//! The form is that of <https://packaging.python.org/en/latest/specifications/binary-distribution-format/>.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::Digest as _;

use crate::archive::{self, Entry};
use crate::package::Package;
use crate::project::Project;
use crate::targets::Target;

/// The file of a target's wheel.
///
/// # Errors
/// The version has no form in Python.
pub fn file(project: &Project, target: &Target) -> Result<String, String> {
    Ok(format!("git_lane-{}-py3-none-{}.whl", project.python_version()?, target.wheel))
}

/// The file of the sources, which maturin packs.
///
/// # Errors
/// The version has no form in Python.
pub fn sources(project: &Project) -> Result<String, String> {
    Ok(format!("git_lane-{}.tar.gz", project.python_version()?))
}

/// The wheel.
///
/// # Errors
/// It cannot be written.
pub fn write(package: &Package) -> Result<Vec<u8>, String> {
    let version = package.project.python_version()?;
    let stem = format!("git_lane-{version}");
    let below = |folder: &str, entry: &Entry| Entry {
        path: format!("{stem}.{folder}/{}", entry.path),
        ..entry.clone()
    };
    // Installers write the programs in this order: git-lane-hook is not to be the older one.
    let mut entries: Vec<_> = package.programs.iter().map(|entry| below("data/scripts", entry)).collect();
    let is_licence = |entry: &&Entry| entry.path.starts_with("LICENSE");
    entries
        .extend(package.documents.iter().filter(is_licence).map(|entry| below("dist-info/licenses", entry)));
    entries.push(Entry::file(format!("{stem}.dist-info/METADATA"), metadata(package, &version)));
    entries.push(Entry::file(format!("{stem}.dist-info/WHEEL"), about(package.target)));
    let record = format!("{stem}.dist-info/RECORD");
    let mut lines = String::new();
    for entry in &entries {
        let sum = BASE64_URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&entry.bytes));
        lines += &format!("{},sha256={sum},{}\n", entry.path, entry.bytes.len());
    }
    lines += &format!("{record},,\n");
    entries.push(Entry::file(record, lines));
    archive::zip(&entries, package.form)
}

fn metadata(package: &Package, version: &str) -> String {
    let project = package.project;
    let licences = package.documents.iter().filter(|entry| entry.path.starts_with("LICENSE"));
    let licences: String = licences.map(|entry| format!("License-File: {}\n", entry.path)).collect();
    let readme = package.documents.iter().find(|entry| entry.path == "README.md");
    let readme = readme.map_or_else(String::new, |entry| String::from_utf8_lossy(&entry.bytes).into_owned());
    format!(
        "Metadata-Version: 2.4\nName: git-lane\nVersion: {version}\nSummary: {}\nLicense-Expression: {}\n{licences}\
         Requires-Python: >=3.7\nProject-URL: Repository, {}\nProject-URL: Changelog, {}/blob/main/CHANGELOG.md\n\
         Description-Content-Type: text/markdown; charset=UTF-8\n\n{readme}",
        project.description, project.licence, project.repository, project.repository,
    )
}

fn about(target: &Target) -> String {
    let tags = target.wheel.split('.').map(|platform| format!("Tag: py3-none-{platform}\n"));
    let tags: String = tags.collect();
    format!("Wheel-Version: 1.0\nGenerator: git-lane xtask\nRoot-Is-Purelib: false\n{tags}")
}
