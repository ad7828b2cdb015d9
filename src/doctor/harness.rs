//! Whether the harnesses for which hooks were written still ask git-lane.

use std::path::{Path, PathBuf};

use super::Check;
use crate::harness::{codex_config, files_of, installed, missing_hooks};
use lane_core::harness::Harness;
use lane_git::Repository;
use lane_git::worktrees::worktrees;

const NAME: &str = "harness hooks";

/// Nothing where none were written.
pub(super) fn examine(repo: &dyn Repository) -> Vec<Check> {
    let found = match (installed(repo), missing_hooks(repo)) {
        (Ok(installed), Ok(lost)) => (installed, lost),
        (Err(error), _) | (_, Err(error)) => return vec![Check::error(NAME, &error)],
    };
    let (installed, lost) = found;
    let check = |harness: &&'static lane_core::harness::Harness| {
        let paths: Vec<String> = lost
            .iter()
            .filter(|(id, _)| *id == harness.id)
            .map(|(_, path)| path.display().to_string())
            .collect();
        if paths.is_empty() {
            return Check::ok(NAME, format!("{} asks git-lane before it edits a file", harness.name));
        }
        Check::problem(
            NAME,
            format!("{} does not ask git-lane: its hooks are gone from {}", harness.name, paths.join(", ")),
            format!("git lane install --harness {}", harness.id),
        )
    };
    let mut checks: Vec<Check> = installed.iter().map(check).collect();
    if installed.iter().any(|harness| harness.id == "codex") {
        checks.extend(codex(repo));
    }
    checks.extend(subfolder(repo, &installed));
    checks
}

/// Whether Codex runs our hooks, and lets git write in a linked worktree, as far as its configuration says.
fn codex(repo: &dyn Repository) -> Vec<Check> {
    let Some(config) = codex_config() else { return Vec::new() };
    let text = std::fs::read_to_string(&config).unwrap_or_default();
    let Ok(table) = text.parse::<toml::Table>() else {
        let mend = "fix it, then rerun: git lane doctor";
        return vec![Check::warning(NAME, format!("{} cannot be read as TOML", config.display()), mend)];
    };
    let mut checks = Vec::new();
    let states = table.get("hooks").and_then(|hooks| hooks.get("state")).and_then(toml::Value::as_table);
    let is_trusted = |path: &Path| {
        let before = format!("{}:pre_tool_use:", path.display());
        states
            .into_iter()
            .flatten()
            .any(|(key, state)| key.starts_with(&before) && state.get("trusted_hash").is_some())
    };
    for path in files_of(repo, "codex").unwrap_or_default().iter().filter(|path| !is_trusted(path)) {
        checks.push(Check::warning(
            NAME,
            format!("Codex skips the hooks in {} until they are trusted", path.display()),
            "start codex, type /hooks, and trust them",
        ));
    }
    let is_free = table.get("sandbox_mode").and_then(toml::Value::as_str) == Some("danger-full-access");
    let layout = repo.layout();
    let linked: Vec<PathBuf> = worktrees(layout)
        .unwrap_or_default()
        .into_iter()
        .map(|tree| tree.git_dir)
        .filter(|git_dir| *git_dir != layout.common_dir)
        .collect();
    if !is_free && !linked.is_empty() {
        let roots = table.get("sandbox_workspace_write").and_then(|section| section.get("writable_roots"));
        let roots: Vec<&str> = roots
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str)
            .collect();
        let wanted: Vec<&PathBuf> = linked.iter().chain([&layout.common_dir]).collect();
        if wanted.iter().any(|path| !roots.iter().any(|root| Path::new(root) == path.as_path())) {
            let all: Vec<String> =
                wanted.iter().map(|path| format!("{:?}", path.display().to_string())).collect();
            checks.push(Check::warning(
                NAME,
                "the sandbox of Codex keeps git from writing in linked worktrees: a commit or a lock fails there",
                format!(
                    "add to {}, then start codex again:\n[sandbox_workspace_write]\nwritable_roots = [{}]",
                    config.display(),
                    all.join(", ")
                ),
            ));
        }
    }
    checks
}

/// The harnesses that find hooks of a repository only where they are started at its root.
fn subfolder(repo: &dyn Repository, installed: &[&'static Harness]) -> Option<Check> {
    let root = repo.layout().worktree.as_ref()?.canonicalize().ok()?;
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    let blind = installed.iter().filter(|harness| ["gemini", "copilot"].contains(&harness.id));
    let blind: Vec<&&Harness> = blind.collect();
    let first = blind.first().filter(|_| here != root)?;
    let names: Vec<&str> = blind.iter().map(|harness| harness.name).collect();
    Some(Check::warning(
        NAME,
        format!("{} finds no hooks where it is started in this folder", names.join(" or ")),
        format!(
            "start it in {}\nor write its hooks for this user: git lane install --harness {} --user",
            root.display(),
            first.id
        ),
    ))
}
