//! Packages for npm: one for each platform, which holds the programs, and `git-lane`, which depends on all of them as
//! optional ones, so that npm takes the one that fits (`os` and `cpu` of its `package.json`). Nothing runs at the installation.

use serde_json::{Value, json};

use crate::archive::{self, Entry, Form};
use crate::package::Package;
use crate::project::Project;
use crate::targets::Target;

/// What starts the program.
const LAUNCHER: &[u8] = include_bytes!("../npm/git-lane.js");

/// The name of the package for a platform.
pub fn name(target: &Target) -> String {
    format!("@git-lane/{}", target.npm.join("-"))
}

/// The file of a platform's package, named as `npm pack` does.
pub fn platform_file(project: &Project, target: &Target) -> String {
    format!("git-lane-{}-{}.tgz", target.npm.join("-"), project.version)
}

/// The file of `git-lane`.
pub fn main_file(project: &Project) -> String {
    format!("git-lane-{}.tgz", project.version)
}

/// The package of a platform.
///
/// # Errors
/// It cannot be written.
pub fn platform(package: &Package) -> Result<Vec<u8>, String> {
    let (project, target) = (package.project, package.target);
    let [os, cpu] = target.npm;
    let mut about = about(project, &name(target), &format!("The programs of git-lane for {os} on {cpu}"));
    about["os"] = json!([os]);
    about["cpu"] = json!([cpu]);
    // Yarn would leave them in a zip, out of which no program is started.
    about["preferUnplugged"] = true.into();
    let place = |entry: &Entry| Entry { path: format!("package/bin/{}", entry.path), ..entry.clone() };
    let documents = package.documents.iter().filter(|entry| entry.path.starts_with("LICENSE"));
    let mut entries = vec![Entry::file("package/package.json", text(&about)?)];
    entries.extend(documents.map(|entry| Entry { path: format!("package/{}", entry.path), ..entry.clone() }));
    entries.extend(package.programs.iter().map(place));
    archive::tar_gz(&entries, package.form)
}

/// The package `git-lane`, which has no program of its own.
///
/// # Errors
/// A document cannot be read, or it cannot be written.
pub fn main(project: &Project) -> Result<Vec<u8>, String> {
    let mut about = about(project, "git-lane", &project.description);
    about["bin"] = json!({ "git-lane": "bin/git-lane.js" });
    about["engines"] = json!({ "node": ">=16" });
    about["keywords"] = json!(["git", "hooks", "policy", "worktree", "agents"]);
    let platforms = Target::released().map(|target| (name(target), Value::from(project.version.as_str())));
    about["optionalDependencies"] = Value::Object(platforms.collect());
    let mut entries = vec![Entry::file("package/package.json", text(&about)?)];
    for document in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        entries.push(Entry::file(format!("package/{document}"), crate::read(&project.root.join(document))?));
    }
    entries.push(Entry::program("package/bin/git-lane.js", LAUNCHER));
    archive::tar_gz(&entries, Form { time: project.time, is_packed: true })
}

fn about(project: &Project, name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "version": project.version,
        "description": description,
        "license": project.licence,
        "homepage": project.repository,
        "repository": { "type": "git", "url": format!("git+{}.git", project.repository) },
    })
}

fn text(about: &Value) -> Result<Vec<u8>, String> {
    let text = serde_json::to_string_pretty(about).map_err(|error| error.to_string())?;
    Ok(format!("{text}\n").into_bytes())
}
