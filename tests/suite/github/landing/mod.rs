//! Merge queues, auto-merge and merges, over a real repository.

mod edges;
mod ways;

use std::path::PathBuf;

use git2::{Oid, Repository, Signature};
use lane_github::{Landing, MergeMethod, MergeRequest, PullState, PullStatus};

use super::stand_in::StandIn;
use super::stand_in::repo::{Check, Pull, Settings};

pub const NAME: &str = "o/n";

/// A bare repository with `main`, on a stand-in.
pub struct Stage {
    pub stand_in: StandIn,
    git: PathBuf,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join("n.git");
        Repository::init_bare(&git).unwrap();
        let stand_in = StandIn::start();
        stand_in.add(NAME, &git, settings);
        let stage = Self { stand_in, git, _folder: folder };
        stage.commit("main", None, "README", "x\n");
        stage
    }

    /// A commit on top of a branch, or of another where it is new.
    pub fn commit(&self, branch: &str, from: Option<&str>, path: &str, text: &str) -> Oid {
        let repo = Repository::open_bare(&self.git).unwrap();
        let tip = |name: &str| repo.refname_to_id(&format!("refs/heads/{name}")).ok();
        let parent = tip(branch).or_else(|| tip(from?)).map(|oid| repo.find_commit(oid).unwrap());
        let tree = parent.as_ref().map(|parent| parent.tree().unwrap());
        let mut tree = repo.treebuilder(tree.as_ref()).unwrap();
        tree.insert(path, repo.blob(text.as_bytes()).unwrap(), 0o100_644).unwrap();
        let tree = repo.find_tree(tree.write().unwrap()).unwrap();
        let author = Signature::now("A", "a@example.com").unwrap();
        let parents: Vec<_> = parent.iter().collect();
        let name = format!("refs/heads/{branch}");
        repo.commit(Some(&name), &author, &author, &format!("Change {path}"), &tree, &parents).unwrap()
    }

    /// A branch with one commit, and a pull request of it into `main`: its number and its head.
    pub fn pull(&self, branch: &str) -> (u64, String) {
        let head = self.commit(branch, Some("main"), branch, "x\n");
        let open = |repo: &mut super::stand_in::repo::Repo| repo.open_pull(branch, "main", branch, "", false);
        (self.stand_in.with(NAME, open).unwrap(), head.to_string())
    }

    pub fn change(&self, number: u64, change: impl FnOnce(&mut Pull)) {
        self.stand_in.with(NAME, |repo| change(repo.pulls.get_mut(&number).unwrap()));
    }

    pub fn checks(&self, state: Check) {
        self.stand_in.with(NAME, |repo| repo.other_checks = state);
    }

    pub fn github(&self) -> lane_github::GitHub {
        self.stand_in.github(NAME, "")
    }

    pub fn landing(&self, number: u64) -> (Landing, PullState) {
        let landing = self.github().landing("main", Some(number)).unwrap();
        let pull = landing.pull.clone().unwrap();
        (landing, pull)
    }

    pub fn main(&self) -> Oid {
        Repository::open_bare(&self.git).unwrap().refname_to_id("refs/heads/main").unwrap()
    }

    pub fn asked(&self) -> Vec<String> {
        self.stand_in.hub().asked.clone()
    }
}

pub fn with_queue() -> Settings {
    Settings { queue: Some("SQUASH".to_owned()), ..Settings::default() }
}

pub fn with_auto_merge() -> Settings {
    Settings { auto_merge: true, requires_checks: true, ..Settings::default() }
}

fn request(head: &str) -> MergeRequest<'_> {
    MergeRequest { head, method: MergeMethod::Squash, title: None, body: None }
}

fn merged(state: &PullState) -> bool {
    matches!(state.status, PullStatus::Merged { commit: Some(_) })
}
