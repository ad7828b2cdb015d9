//! What a repository looks like to somebody who has never seen it.

use super::policy_source::default_base;
use super::repository::{FOLDER, Read, Repository, TreeEntry};
use super::worktrees::{head_of, worktrees};
use crate::facts::Oid;
use crate::init::Survey;
use crate::policy::relative;

/// Folders of migrations are looked for this deep.
const DEPTH: usize = 6;
/// Names of folders that hold database migrations and nothing else.
const MIGRATIONS: [&str; 2] = ["alembic", "migrations"];

/// Looks at the folders of HEAD and at the worktrees.
///
/// # Errors
/// HEAD's tree or the list of worktrees cannot be read.
pub fn survey(repo: &dyn Repository) -> Read<Survey> {
    let tree = match repo.head()?.oid {
        Some(oid) => Some(repo.commit(oid)?.tree),
        None => None,
    };
    let layout = repo.layout();
    let trees = worktrees(layout)?;
    let main = trees.first().map(|tree| tree.root.clone());
    let name =
        main.as_deref().and_then(|root| root.file_name()).map(|name| name.to_string_lossy().into_owned());
    let mut survey = Survey {
        name: name.unwrap_or_else(|| "wt".to_owned()),
        base: default_base(repo)?,
        ..Survey::default()
    };
    let mut migrations = [false; MIGRATIONS.len()];
    if let Some(tree) = tree {
        for entry in repo.tree(tree)? {
            let Ok(name) = String::from_utf8(entry.name.clone()) else {
                continue;
            };
            if entry.version.mode == FOLDER {
                let inner = repo.tree(entry.version.oid)?;
                find_migrations(repo, &inner, DEPTH, &mut migrations)?;
                let names = inner.iter().filter(|entry| entry.version.mode == FOLDER);
                let names = names.filter_map(|entry| String::from_utf8(entry.name.clone()).ok());
                let names = names.filter(|name| !name.starts_with('.')).collect();
                survey.folders.push((name.clone(), names));
                survey.top.push(format!("{name}/"));
            } else {
                survey.top.push(name);
            }
        }
    }
    let found = MIGRATIONS.iter().zip(migrations).filter(|(_, found)| *found);
    survey.migrations = found.map(|(name, _)| (*name).to_owned()).collect();
    if let Some(main) = main {
        for tree in trees.iter().skip(1) {
            let head = head_of(repo, &tree.git_dir).ok().and_then(|head| head.branch);
            let branch = head.and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned()));
            survey.worktrees.push((relative(&main, &tree.root), branch));
        }
    }
    Ok(survey)
}

fn find_migrations(
    repo: &dyn Repository,
    entries: &[TreeEntry],
    depth: usize,
    found: &mut [bool; MIGRATIONS.len()],
) -> Read<()> {
    for entry in entries.iter().filter(|entry| entry.version.mode == FOLDER) {
        if let Some(at) = MIGRATIONS.iter().position(|name| entry.name == name.as_bytes()) {
            found[at] = true;
        } else if depth > 1 {
            let inner: Oid = entry.version.oid;
            find_migrations(repo, &repo.tree(inner)?, depth - 1, found)?;
        }
    }
    Ok(())
}
