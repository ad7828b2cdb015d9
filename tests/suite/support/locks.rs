//! Repositories with a lock `common`, for the tests of locks.

use std::path::PathBuf;

use crate::support::{POLICY, Ran, Scratch, Worktree};

/// The last part of the name of the ref of `common`.
pub const PART: &str = "d66298e124bee0fb";
/// Its ref.
pub const REF: &str = "refs/lane/locks/d66298e124bee0fb";

/// Worktrees of a1 and a2 with hooks, and a remote; locks may live as short as a second.
pub fn two() -> (Scratch, Worktree, Worktree) {
    with_locks("ttl: 2h, min_ttl: 1s, grace: 1s")
}

pub fn with_locks(locks: &str) -> (Scratch, Worktree, Worktree) {
    with_policy(POLICY, locks)
}

pub fn with_policy(policy: &str, locks: &str) -> (Scratch, Worktree, Worktree) {
    let policy = policy.replace("max_age: 3h", "max_age: null").replace("ttl: 2h, remote: null", locks);
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let one = scratch.worktree("a1", "feat/a1/x");
    let two = scratch.worktree("a2", "feat/a2/x");
    one.lane(&["install", "--agent", "a1"]).ok();
    two.lane(&["install", "--agent", "a2"]).ok();
    (scratch, one, two)
}

/// Two clones and one bare repository between them, which has the locks.
pub struct Clones {
    pub scratch: Scratch,
    pub one: Worktree,
    pub two: Worktree,
}

impl Clones {
    pub fn new() -> Self {
        Self::with("remote: origin")
    }

    pub fn with(locks: &str) -> Self {
        Self::with_policy(POLICY, locks)
    }

    pub fn with_policy(policy: &str, locks: &str) -> Self {
        let locks = format!("ttl: 2h, min_ttl: 1s, grace: 1s, {locks}");
        let policy = policy.replace("max_age: 3h", "max_age: null").replace("ttl: 2h, remote: null", &locks);
        let scratch = Scratch::with_policy(&policy);
        scratch.add_origin();
        let (one, two) = (clone(&scratch, "a1"), clone(&scratch, "a2"));
        Self { scratch, one, two }
    }

    pub fn origin(&self) -> PathBuf {
        self.scratch.home().join("origin.git")
    }

    pub fn at_origin(&self, args: &[&str]) -> Ran {
        self.scratch.run(&self.origin(), "git", args)
    }

    /// What the remote has of the work of agents.
    pub fn pushed(&self) -> String {
        self.at_origin(&["for-each-ref", "--format=%(refname)", "refs/heads/feat"]).ok().out
    }

    /// Writes the lock of `common` anew, as if another machine had done so.
    pub fn rewrite(&self, edit: impl Fn(&str) -> String) {
        let name = format!("refs/lane/locks/{PART}");
        let tree = self.at_origin(&["rev-parse", &format!("{name}^{{tree}}")]).ok().out;
        let message = self.at_origin(&["log", "-1", "--format=%B", &name]).ok().out;
        let edited = edit(message.trim_end());
        assert_ne!(edited, message.trim_end());
        let new = self.at_origin(&["commit-tree", tree.trim(), "-p", &name, "-m", &edited]).ok().out;
        self.at_origin(&["update-ref", &name, new.trim()]).ok();
    }
}

pub fn clone(scratch: &Scratch, agent: &str) -> Worktree {
    let root = scratch.home().join(format!("clone-{agent}"));
    scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", root.to_str().unwrap()]).ok();
    let tree = Worktree { root, home: scratch.home() };
    tree.git(&["switch", "-q", "-c", &format!("feat/{agent}/x")]).ok();
    tree.lane(&["install", "--agent", agent]).ok();
    tree
}

/// Puts a hook of the user's own beside ours.
pub fn hook(tree: &Worktree, file: &std::path::Path, script: &str) {
    std::fs::write(file, format!("#!/bin/sh\n{script}\n")).unwrap();
    tree.command("chmod").args(["+x", file.to_str().unwrap()]).status().unwrap();
}

/// Runs what a message says is to be typed: the rest of the line after some words.
pub fn follow(tree: &Worktree, ran: &Ran, words: &str) -> Ran {
    let all = ran.all();
    let lines: Vec<&str> = all.lines().collect();
    let words = words.trim_end().trim_end_matches(':');
    let at = lines
        .iter()
        .position(|line| line.contains(words))
        .unwrap_or_else(|| panic!("no `{words}` in:\n{all}"));
    // A help has its command on the line below its words.
    let rest = lines[at].split_once(words).unwrap().1.trim_start_matches(':').trim();
    let command = if rest.is_empty() { lines[at + 1].trim() } else { rest };
    tree.command("sh").args(["-c", command]).output().unwrap().into()
}
