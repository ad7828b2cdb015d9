//! The roots of workspaces: that of the repository, and folders near it whose manifests list packages.

use std::collections::BTreeSet;

use super::dependencies::Reader;
use super::files::{Files, TrackedPath, parent};
use super::{Text, workspaces};
use lane_core::facts::Unavailable;

/// Roots are not looked for in folders deeper than this.
const DEEPEST: usize = 2;

/// The root of a workspace, or of the repository.
pub(super) struct Root {
    /// Its folder; empty for that of the repository.
    pub folder: String,
    /// Its manifests, by their names.
    pub texts: Vec<Text>,
    /// The folders of its packages from the repository's root, each with where it is listed.
    pub listed: Vec<(String, &'static str)>,
}

/// All of them, that of the repository first. Manifests of that one that could not be read go to `unread`.
///
/// # Errors
/// The repository cannot be read.
pub(super) fn roots(
    files: &Files<'_>,
    read: &mut Reader<'_>,
    notes: &mut Vec<String>,
    unread: &mut Vec<String>,
) -> Result<Vec<Root>, Unavailable> {
    let texts = texts(String::new(), read)?;
    unread.extend(workspaces::unread(&texts));
    let listed = workspaces::packages(&texts, files, notes);
    let mut seen: BTreeSet<String> = listed.iter().map(|(folder, _)| folder.clone()).collect();
    let mut roots = vec![Root { folder: String::new(), texts, listed }];
    for folder in candidates(files) {
        let is_below = |known: &String| folder.starts_with(&format!("{known}/"));
        if seen.contains(folder) || seen.iter().any(is_below) {
            continue;
        }
        let texts = self::texts(folder.to_owned(), read)?;
        let prefix = format!("{folder}/");
        let own = files.tracked().iter().filter_map(|file| {
            Some(TrackedPath { path: file.path.strip_prefix(&prefix)?.to_owned(), kind: file.kind })
        });
        let own: Vec<TrackedPath> = own.collect();
        // What stands there without being a workspace says nothing.
        let listed = workspaces::packages(&texts, &Files::new(&own), &mut Vec::new());
        if !listed.is_empty() {
            let listed =
                listed.into_iter().map(|(below, place)| (format!("{prefix}{below}"), place)).collect();
            seen.insert(folder.to_owned());
            roots.push(Root { folder: folder.to_owned(), texts, listed });
        }
    }
    Ok(roots)
}

/// Folders that have a manifest, those above first.
fn candidates<'f>(files: &Files<'f>) -> Vec<&'f str> {
    let is_manifest = |name: &str| workspaces::MANIFESTS.iter().any(|manifest| manifest.file == name);
    let folders = files.tracked().iter().filter_map(|file| {
        let folder = parent(&file.path);
        let depth = folder.split('/').count();
        let name = file.path.rsplit('/').next()?;
        (!folder.is_empty() && depth <= DEEPEST && is_manifest(name)).then_some((depth, folder))
    });
    let folders: BTreeSet<(usize, &str)> = folders.collect();
    folders.into_iter().map(|(_, folder)| folder).collect()
}

fn texts(folder: String, read: &mut Reader<'_>) -> Result<Vec<Text>, Unavailable> {
    let mut texts = Vec::new();
    for manifest in &workspaces::MANIFESTS {
        let path =
            if folder.is_empty() { manifest.file.to_owned() } else { format!("{folder}/{}", manifest.file) };
        if let Some(content) = read(&path)? {
            texts.push(Text { path: manifest.file.to_owned(), content });
        }
    }
    Ok(texts)
}
