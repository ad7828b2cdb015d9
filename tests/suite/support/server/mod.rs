//! Bare repositories that judge what is pushed to them, and a web server in front of them.

pub mod http;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::{LANE, POLICY, Ran, Scratch, Worktree};

/// A bare repository `origin.git` with the server's hook, and clones of it that have no hooks at all.
pub struct Server {
    pub scratch: Scratch,
}

impl Server {
    pub fn new() -> Self {
        Self::with(&policy())
    }

    pub fn with(policy: &str) -> Self {
        let this = Self::without_hook(policy);
        this.lane(&["install", "--server"]).ok();
        this
    }

    pub fn without_hook(policy: &str) -> Self {
        let scratch = Scratch::with_policy(policy);
        scratch.add_origin();
        Self { scratch }
    }

    /// An empty bare repository with the hook.
    pub fn empty() -> Self {
        let scratch = Scratch::new();
        scratch.run(&scratch.home(), "git", &["init", "-q", "--bare", "-b", "main", "origin.git"]).ok();
        scratch.git(&["remote", "add", "origin", "../origin.git"]).ok();
        let this = Self { scratch };
        this.lane(&["install", "--server"]).ok();
        this
    }

    pub fn root(&self) -> PathBuf {
        self.scratch.home().join("origin.git")
    }

    pub fn git(&self, args: &[&str]) -> Ran {
        self.scratch.run(&self.root(), "git", args)
    }

    pub fn lane(&self, args: &[&str]) -> Ran {
        self.scratch.run(&self.root(), LANE, args)
    }

    /// A clone without hooks, on a new branch.
    pub fn clone(&self, name: &str, branch: &str) -> Worktree {
        let root = self.scratch.home().join(name);
        let url = format!("file://{}", self.root().display());
        self.scratch.run(&self.scratch.home(), "git", &["clone", "-q", &url, root.to_str().unwrap()]).ok();
        let tree = Worktree { root, home: self.scratch.home() };
        tree.git(&["switch", "-q", "-c", branch]).ok();
        tree
    }

    /// All refs and what they hold.
    pub fn refs(&self) -> String {
        self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]).ok().out
    }

    /// Every file of the repository and what it holds.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.root(), &mut files);
        files
    }

    /// A hook of somebody else's.
    pub fn hook(&self, path: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

pub fn policy() -> String {
    POLICY.replace("max_age: 3h", "max_age: null")
}

/// A policy in which a1 and a2 have the accounts `bot-1` and `bot-2`, and records lie on the server.
pub fn with_accounts(policy: &str) -> String {
    let mut policy = policy.replace("ttl: 2h, remote: null", "ttl: 2h, remote: origin");
    for (worktree, account) in [("../wt-a1-mlops", "bot-1"), ("../wt-a2-genai", "bot-2")] {
        let line = format!("    worktree: {worktree}\n");
        policy = policy.replace(&line, &format!("{line}    identity: {{ accounts: [{account}] }}\n"));
    }
    policy
}

/// A push of some refs.
pub fn push(tree: &Worktree, refs: &[&str]) -> Ran {
    tree.git(&[&["push", "origin"], refs].concat())
}

/// The same for an account, as GitLab tells its hooks.
pub fn push_as(tree: &Worktree, account: &str, refs: &[&str]) -> Ran {
    let mut command = tree.command("git");
    command.args([&["push", "origin"], refs].concat()).env("GL_USERNAME", account);
    command.output().unwrap().into()
}

/// A path of one file with contents, committed past whatever hooks there are.
pub fn commit(tree: &Worktree, path: &str, message: &str) {
    tree.sneak(path, &format!("{message}\n"), message);
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.insert(path.clone(), Vec::new());
            collect(&path, files);
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}
