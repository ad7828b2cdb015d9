//! The licences of what the programs are made of, which their authors want to go with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::sbom::Packages;

/// Each text once, under the packages that have it.
///
/// # Errors
/// A package's folder or one of its licences cannot be read.
pub fn write(packages: &Packages) -> Result<Vec<u8>, String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for package in packages.linked() {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {} ({})", text("name"), text("version"), licence(package));
        let folder = Path::new(text("manifest_path")).parent().unwrap_or(Path::new("."));
        let mut found = texts_in(folder)?;
        // libgit2 itself, in the package that builds it.
        found.extend(texts_in(&folder.join("libgit2"))?);
        if found.is_empty() {
            without.push(name.clone());
        }
        for text in found {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    let mut out = String::from("git-lane is built from these packages. Their licences:\n");
    let mut all: Vec<_> = texts.into_iter().map(|(text, names)| (names, text)).collect();
    all.sort();
    for (names, text) in all {
        let _ = write!(out, "\n{}\n{}\n\n{}\n", "=".repeat(78), names.join("\n"), text.trim());
    }
    if !without.is_empty() {
        let _ = write!(out, "\n{}\nWithout a text of their own:\n{}\n", "=".repeat(78), without.join("\n"));
    }
    Ok(out.into_bytes())
}

fn licence(package: &Value) -> &str {
    package["license"].as_str().unwrap_or("see below")
}

/// The texts of licences in a folder, with ends of lines as they are here. None where there is no such folder.
fn texts_in(folder: &Path) -> Result<Vec<String>, String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let is_licence = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file()
            && ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| name.starts_with(start))
    };
    let mut files: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_licence(path)).collect();
    files.sort();
    let text =
        |path: &std::path::PathBuf| Ok(String::from_utf8_lossy(&crate::read(path)?).replace("\r\n", "\n"));
    files.iter().map(text).collect()
}
