//! A bare clone with a policy of its own, and the worktrees that `git lane setup` makes beside it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{LANE, Ran, Scratch, Worktree};

/// A policy of so many agents, with these steps.
pub fn policy(agents: u16, steps: &str) -> String {
    let mut text = String::from("version: 1\nservices: { paths: \"services/{service}/**\" }\nagents:\n");
    for n in 1..=agents {
        let port = 21_000 + n * 10;
        text.push_str(&format!(
            "  a{n}:\n    name: Agent {n}\n    services: [s{n}]\n    worktree: ../wt-a{n}\n    \
             branch: feat/a{n}/main\n    ports: {port}-{}\n    database: {{ schema: agent_a{n} }}\n    \
             memory: 2GB\n    env: {{ KEY: \"${{KEY_A{n}}}\" }}\n    limits: {{ tpm: {n} }}\n",
            port + 4
        ));
    }
    text.push_str(
        "areas:\n  - { name: common, paths: [common/], access: lock }\n  \
         - { name: local, paths: [AGENT_FOCUS.md, .agent.env, \"*.local\", .locks/], access: never }\n\
         branch: { pattern: \"feat/{agent}/{feature}\", protected: [main] }\n",
    );
    if !steps.is_empty() {
        text.push_str(&format!("provision:\n{steps}"));
    }
    text
}

pub struct Bare {
    pub scratch: Scratch,
    pub at: Worktree,
}

impl Bare {
    /// `bare.git`, cloned from a repository with this policy and some files.
    pub fn new(policy: &str) -> Self {
        let scratch = Scratch::with_policy(policy);
        for n in 0..40 {
            scratch.write(&format!("data/{n}.txt"), &format!("{n}\n").repeat(4_000));
        }
        scratch.git(&["add", "-A"]).ok();
        scratch.git(&["commit", "-q", "-m", "data"]).ok();
        scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "repo", "bare.git"]).ok();
        let at = Worktree { root: scratch.home().join("bare.git"), home: scratch.home() };
        Self { scratch, at }
    }

    pub fn lane(&self, args: &[&str]) -> Ran {
        self.at.lane(args)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.at.command(LANE);
        command.args(args);
        command
    }

    pub fn tree(&self, agent: &str) -> Worktree {
        Worktree { root: self.scratch.home().join(format!("wt-{agent}")), home: self.scratch.home() }
    }

    /// Every file of the git folder and of the worktrees, with when it was changed.
    pub fn everything(&self) -> BTreeMap<PathBuf, (u32, std::time::SystemTime, Vec<u8>)> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(self.scratch.home()).unwrap() {
            collect(&entry.unwrap().path(), &mut files);
        }
        files
    }

    /// A worktree that is whole: on its branch, clean, with hooks that judge, and local files.
    #[track_caller]
    pub fn assert_works(&self, agent: &str) {
        let tree = self.tree(agent);
        let branch = tree.git(&["symbolic-ref", "--short", "HEAD"]).ok().out;
        assert_eq!(branch.trim(), format!("feat/{agent}/main"));
        assert_eq!(tree.git(&["status", "--porcelain"]).ok().out, "", "{agent}");
        assert_eq!(tree.git(&["ls-files", "-d", "-m"]).ok().out, "", "{agent}");
        assert_eq!(tree.git(&["config", "lane.agent"]).ok().out.trim(), agent);
        tree.git(&["config", &format!("branch.feat/{agent}/main.merge")]).fails(1);
        for file in [".agent.env", "AGENT_FOCUS.md"] {
            assert!(tree.root.join(file).is_file(), "{agent}: {file}");
        }
        tree.lane(&["who", "policy.yaml"]).ok();
        tree.commit("common/x", "x\n", "feat: x").fails(1).says("unlocked-path").says(agent);
        tree.git(&["rm", "-q", "-f", "common/x"]).ok();
        let worktrees = self.at.git(&["worktree", "list", "--porcelain"]).ok().out;
        assert!(!worktrees.contains("prunable") && !worktrees.contains("locked"), "{worktrees}");
    }
}

fn collect(path: &Path, files: &mut BTreeMap<PathBuf, (u32, std::time::SystemTime, Vec<u8>)>) {
    let data = std::fs::symlink_metadata(path).unwrap();
    if data.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| collect(&entry.unwrap().path(), files));
    } else {
        let bytes = std::fs::read(path).unwrap_or_default();
        files.insert(path.to_owned(), (data.permissions().mode(), data.modified().unwrap(), bytes));
    }
}
