//! The three manifests for winget, of the form 1.10: <https://github.com/microsoft/winget-cli/tree/master/schemas/JSON/manifests/v1.10.0>.

use crate::project::Project;
use crate::targets::{PROGRAMS, Target};

const FORM: &str = "1.10.0";

/// The identifier of the package.
pub fn identifier(project: &Project) -> String {
    let owner = project.slug().split('/').next().unwrap_or_default();
    format!("{owner}.git-lane")
}

/// The manifests by file name. `sum`: the SHA-256 of a file of the release.
///
/// # Errors
/// The archive for Windows is missing.
pub fn write(
    project: &Project,
    sum: impl Fn(&str) -> Result<String, String>,
) -> Result<Vec<(String, String)>, String> {
    let target =
        Target::released().find(|target| target.is_windows()).ok_or("there is no release for Windows")?;
    let archive = target.archive();
    let program = |name: &&str| {
        let file = target.program(name);
        format!("- RelativeFilePath: {}\\bin\\{file}\n  PortableCommandAlias: {name}\n", target.stem())
    };
    let programs: String = PROGRAMS.iter().map(program).collect();
    let installer = format!(
        "InstallerType: zip
NestedInstallerType: portable
NestedInstallerFiles:
{programs}Commands:
- git-lane
Dependencies:
  PackageDependencies:
  - PackageIdentifier: Git.Git
Installers:
- Architecture: x64
  InstallerUrl: {}
  InstallerSha256: {}
",
        project.download(&archive),
        sum(&archive)?.to_uppercase(),
    );
    let id = identifier(project);
    let manifest = |part: &str, kind: &str, body: &str| {
        let text = format!(
            "# yaml-language-server: $schema=https://aka.ms/winget-manifest.{kind}.{FORM}.schema.json
PackageIdentifier: {id}
PackageVersion: {}
{body}ManifestType: {kind}
ManifestVersion: {FORM}
",
            project.version
        );
        (format!("{id}{part}.yaml"), text)
    };
    Ok(vec![
        manifest("", "version", "DefaultLocale: en-US\n"),
        manifest(".installer", "installer", &installer),
        manifest(".locale.en-US", "defaultLocale", &about(project)),
    ])
}

/// What people are shown of it.
fn about(project: &Project) -> String {
    format!(
        "PackageLocale: en-US
Publisher: {owner}
PackageName: git-lane
PackageUrl: {url}
License: {licence}
LicenseUrl: {url}/blob/{tag}/LICENSE-MIT
ShortDescription: {description}
ReleaseNotesUrl: {url}/releases/tag/{tag}
Tags:
- git
- hooks
- policy
",
        owner = project.slug().split('/').next().unwrap_or_default(),
        url = project.repository,
        licence = project.licence,
        tag = project.tag(),
        description = project.description,
    )
}
