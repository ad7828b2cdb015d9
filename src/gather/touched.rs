//! Which files a change touches, and nothing else of it.

use super::change::Subject;
use super::change_base::BaseChoice;
use super::collector::Collector;
use super::environment::Environment;
use super::policy_source::{Base, LoadedPolicy};
use super::root::Root;
use super::stack::Stacks;
use lane_core::facts::{Event, FileChange, Oid};
use lane_git::{Read, Repository};

/// What a change touches.
#[derive(Debug, Default)]
pub struct Touched {
    /// Its files; a renamed one stands at both of its places.
    pub files: Vec<FileChange>,
    /// What it would be merged as; `None` is the empty tree.
    pub tree: Option<Oid>,
    /// The branch that it is compared with, unless that is a commit that was named.
    pub base: Option<String>,
}

/// The files that a change touches: what it adds to the merge base, as it is judged. `subject`: a range, the branch, what is
/// staged, or the working tree.
///
/// # Errors
/// A tree or history cannot be read, or there is no base.
pub fn touched(
    repo: &dyn Repository,
    environment: &Environment,
    loaded: &LoadedPolicy,
    subject: &Subject,
) -> Read<Touched> {
    let collector = Collector {
        repo,
        environment,
        plan: &loaded.plan,
        base: loaded.base.as_ref(),
        needs: Vec::new(),
        event: Event::Check,
        stacks: Stacks::default(),
    };
    repo.budget().begin(repo, false);
    let touched = of_subject(&collector, subject);
    repo.budget().end();
    touched
}

fn of_subject(collector: &Collector<'_>, subject: &Subject) -> Read<Touched> {
    let repo = collector.repo;
    if let Subject::Range { from, to, .. } = subject {
        let base = Base { reference: String::new(), oid: *from };
        let root = collector.root_at(base, repo.merge_base(*from, &[*to])?, Vec::new())?;
        let tree = Some(repo.commit(*to)?.tree);
        let files = match repo.merge_bases(*from, *to)?.len() {
            0 | 1 => collector.whole(&root, tree)?,
            _ => collector.effect(*from, *to)?,
        };
        return Ok(Touched { files, tree, base: None });
    }
    let head = repo.head()?;
    let tree = match subject {
        Subject::Worktree => Some(repo.worktree_tree()?),
        _ => collector.index_tree()?,
    };
    if let Subject::Staged = subject {
        return Ok(Touched { files: collector.staged_files(&head, tree)?, tree, base: None });
    }
    let root = match head.oid {
        None => Root::default(),
        Some(oid) => {
            let tips: Vec<Oid> = std::iter::once(oid).chain(collector.merge_heads()?).collect();
            collector.root(collector.base, &tips, BaseChoice::Nearest)?
        }
    };
    let base = root.base.as_ref().map(|base| base.reference.clone());
    Ok(Touched { files: collector.whole(&root, tree)?, tree, base })
}
