//! What GitHub does in a repository: merges, and moves of branches that nobody may come in between.

use std::path::{Path, PathBuf};

use git2::{Commit, ErrorCode, Oid, Repository, Signature};

/// A bare repository, opened anew for each look: pushes change it from outside.
#[derive(Clone)]
pub struct Git(pub PathBuf);

impl Git {
    fn open(&self) -> Repository {
        Repository::open_bare(&self.0).unwrap_or_else(|error| panic!("{}: {error}", self.0.display()))
    }

    pub fn tip(&self, branch: &str) -> Option<Oid> {
        tip_in(&self.open(), branch)
    }

    /// The tips of pairs of branches.
    pub fn tips<'a>(
        &self,
        pairs: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Vec<(Option<Oid>, Option<Oid>)> {
        let repo = self.open();
        pairs.map(|(head, base)| (tip_in(&repo, head), tip_in(&repo, base))).collect()
    }

    pub fn has(&self, tip: Oid, commit: Oid) -> bool {
        tip == commit || self.open().graph_descendant_of(tip, commit).unwrap_or(false)
    }

    pub fn conflicts(&self, base: Oid, head: Oid) -> bool {
        let repo = self.open();
        let sides = (repo.find_commit(base).unwrap(), repo.find_commit(head).unwrap());
        repo.merge_commits(&sides.0, &sides.1, None).unwrap().has_conflicts()
    }

    /// The commit that a merge would make the tip of the base; `None` where they conflict.
    pub fn merge(&self, base: Oid, head: Oid, method: &str, title: &str, body: &str) -> Option<Oid> {
        let repo = self.open();
        let base = repo.find_commit(base).unwrap();
        let head = repo.find_commit(head).unwrap();
        let message = format!("{title}\n\n{body}");
        match method {
            "REBASE" => rebased(&repo, base, &head),
            "SQUASH" => merged(&repo, &base, &head, &[&base], message.trim_end()),
            _ => merged(&repo, &base, &head, &[&base, &head], message.trim_end()),
        }
    }

    /// Moves a branch, if it is where it should be.
    pub fn advance(&self, branch: &str, from: Oid, to: Oid) -> bool {
        let name = format!("refs/heads/{branch}");
        let repo = self.open();
        let moved = repo.reference_matching(&name, to, true, from, "merged");
        match moved {
            Ok(_) => true,
            Err(error) if [ErrorCode::Modified, ErrorCode::Locked].contains(&error.code()) => false,
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

fn tip_in(repo: &Repository, branch: &str) -> Option<Oid> {
    repo.refname_to_id(&format!("refs/heads/{branch}")).ok()
}

fn merged(
    repo: &Repository,
    base: &Commit<'_>,
    head: &Commit<'_>,
    parents: &[&Commit<'_>],
    message: &str,
) -> Option<Oid> {
    let mut index = repo.merge_commits(base, head, None).unwrap();
    if index.has_conflicts() {
        return None;
    }
    let tree = repo.find_tree(index.write_tree_to(repo).unwrap()).unwrap();
    let committer = Signature::now("GitHub", "noreply@github.com").unwrap();
    Some(repo.commit(None, &head.author(), &committer, message, &tree, parents).unwrap())
}

fn rebased<'a>(repo: &'a Repository, base: Commit<'a>, head: &Commit<'a>) -> Option<Oid> {
    let mut walk = repo.revwalk().unwrap();
    walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).unwrap();
    walk.push(head.id()).unwrap();
    walk.hide(base.id()).unwrap();
    let mut tip = base;
    for picked in walk {
        let picked = repo.find_commit(picked.unwrap()).unwrap();
        let mut index = repo.cherrypick_commit(&picked, &tip, 0, None).unwrap();
        if index.has_conflicts() {
            return None;
        }
        let tree = repo.find_tree(index.write_tree_to(repo).unwrap()).unwrap();
        let committer = Signature::now("GitHub", "noreply@github.com").unwrap();
        let message = picked.message().unwrap_or_default();
        let made = repo.commit(None, &picked.author(), &committer, message, &tree, &[&tip]).unwrap();
        tip = repo.find_commit(made).unwrap();
    }
    Some(tip.id())
}

/// Has a bare repository refuse pushes to a branch, as a ruleset does.
pub fn refuse_pushes(git: &Path, branch: &str, reason: &str) {
    let hook = git.join("hooks/pre-receive");
    let text = format!(
        "#!/bin/sh\nwhile read -r old new ref; do\n  if [ \"$ref\" = refs/heads/{branch} ]; then\n    \
         echo 'error: GH013: Repository rule violations found for refs/heads/{branch}.' >&2\n    \
         echo '- {reason}' >&2\n    exit 1\n  fi\ndone\n"
    );
    std::fs::create_dir_all(git.join("hooks")).unwrap();
    std::fs::write(&hook, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
