//! Scratch repositories for the command tests: real git, a scrubbed environment, fixed dates.

pub mod ci;
pub mod install;
pub mod locks;
pub mod server;
pub mod setup;
pub mod terminal;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const LANE: &str = env!("CARGO_BIN_EXE_git-lane");
pub const POLICY: &str = include_str!("../../../policy.yaml");

/// A folder that holds one repository and its worktrees, gone when it is dropped.
pub struct Scratch {
    folder: tempfile::TempDir,
}

/// What a command came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.all());
        self
    }

    #[track_caller]
    pub fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.all().contains(text), "no `{text}` in:\n{}", self.all());
        self
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.all().contains(text), "`{text}` in:\n{}", self.all());
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.all()))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command that sees nothing of whoever runs the tests.
pub fn command(program: impl AsRef<OsStr>, folder: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let keep =
            ["PATH", "TMPDIR", "LLVM_PROFILE_FILE", "LANE_GIT_BACKEND"].iter().any(|kept| name == *kept);
        if !keep {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", home.join("gitconfig"))
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.com")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.com")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_EDITOR", "true")
        .env("LC_ALL", "C");
    command
}

impl Scratch {
    /// An empty repository `repo` with the branch `main`, before its first commit.
    pub fn empty() -> Self {
        let scratch = Self { folder: tempfile::tempdir().unwrap() };
        // Nothing is tidied up while a test looks on.
        let quiet = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
        std::fs::write(scratch.home().join("gitconfig"), quiet).unwrap();
        scratch.run(&scratch.home(), "git", &["init", "-q", "-b", "main", "repo"]).ok();
        scratch
    }

    /// A repository with the reference policy and some services on `main`.
    pub fn new() -> Self {
        Self::with_policy(&POLICY.replace("max_age: 3h", "max_age: null"))
    }

    /// The same with another policy.
    pub fn with_policy(policy: &str) -> Self {
        let scratch = Self::empty();
        scratch.write("policy.yaml", policy);
        for service in ["orchestrator", "rag_pipeline", "revenue", "common"] {
            scratch.write(&format!("services/{service}/main.py"), &"line\n".repeat(20));
        }
        scratch.write("requirements.txt", "fastapi\n");
        scratch.git(&["add", "-A"]).ok();
        scratch.git(&["commit", "-q", "-m", "first"]).ok();
        scratch
    }

    /// The same with the hooks installed in a worktree of a2 on `feat/a2/x`, and a remote `origin`.
    pub fn installed() -> (Self, Worktree) {
        Self::installed_in(Self::new())
    }

    /// The same with another policy.
    pub fn installed_with(policy: &str) -> (Self, Worktree) {
        Self::installed_in(Self::with_policy(policy))
    }

    /// The same in a repository that is there.
    pub fn installed_in(scratch: Self) -> (Self, Worktree) {
        scratch.add_origin();
        let worktree = scratch.worktree("a2", "feat/a2/x");
        worktree.lane(&["install", "--agent", "a2"]).ok();
        (scratch, worktree)
    }

    pub fn add_origin(&self) {
        self.run(&self.home(), "git", &["init", "-q", "--bare", "-b", "main", "origin.git"]).ok();
        self.git(&["remote", "add", "origin", "../origin.git"]).ok();
        self.git(&["push", "-q", "origin", "main"]).ok();
        self.git(&["fetch", "-q", "origin"]).ok();
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn root(&self) -> PathBuf {
        self.home().join("repo")
    }

    pub fn main(&self) -> Worktree {
        Worktree { root: self.root(), home: self.home() }
    }

    pub fn worktree(&self, name: &str, branch: &str) -> Worktree {
        let root = self.home().join(name);
        self.git(&["worktree", "add", "-q", "-b", branch, root.to_str().unwrap()]).ok();
        Worktree { root, home: self.home() }
    }

    pub fn run(&self, folder: &Path, program: &str, args: &[&str]) -> Ran {
        let mut command = command(program, folder, &self.home());
        // A test beside this one may just hold a copy of the program open while it starts another.
        for _ in 0..100 {
            match command.args(args).output() {
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    command = self::command(program, folder, &self.home());
                }
                ran => return ran.unwrap().into(),
            }
        }
        panic!("{program} stays busy");
    }

    pub fn git(&self, args: &[&str]) -> Ran {
        self.main().git(args)
    }

    pub fn lane(&self, args: &[&str]) -> Ran {
        self.main().lane(args)
    }

    pub fn write(&self, path: &str, text: &str) {
        self.main().write(path, text);
    }
}

/// One worktree of a scratch repository.
#[derive(Clone)]
pub struct Worktree {
    pub root: PathBuf,
    pub home: PathBuf,
}

impl Worktree {
    pub fn command(&self, program: &str) -> Command {
        command(program, &self.root, &self.home)
    }

    pub fn git(&self, args: &[&str]) -> Ran {
        self.command("git").args(args).output().unwrap().into()
    }

    pub fn lane(&self, args: &[&str]) -> Ran {
        self.command(LANE).args(args).output().unwrap().into()
    }

    pub fn lane_env(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        self.command(LANE).args(args).envs(env.iter().copied()).output().unwrap().into()
    }

    /// Runs git-lane with something on standard input.
    pub fn lane_stdin(&self, args: &[&str], input: &[u8]) -> Ran {
        self.stdin(LANE, args, input)
    }

    /// Runs git with something on standard input.
    pub fn git_stdin(&self, args: &[&str], input: &[u8]) -> Ran {
        self.stdin("git", args, input)
    }

    fn stdin(&self, program: &str, args: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(program);
        command.args(args);
        with_input(command, input)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes, stages and tries to commit one file.
    pub fn commit(&self, path: &str, text: &str, message: &str) -> Ran {
        self.write(path, text);
        self.git(&["add", "-f", path]).ok();
        self.git(&["commit", "-q", "-m", message])
    }

    /// The same past the hooks.
    pub fn sneak(&self, path: &str, text: &str, message: &str) {
        self.write(path, text);
        self.git(&["add", "-f", path]).ok();
        self.git(&["commit", "-q", "--no-verify", "-m", message]).ok();
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).ok().out.trim().to_owned()
    }
}

/// Runs a command with something on standard input.
pub fn with_input(mut command: Command, input: &[u8]) -> Ran {
    use std::io::Write;
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

/// Replaces what differs from run to run.
pub fn stable(text: &str, scratch: &Scratch) -> String {
    let text = text.replace(scratch.home().to_str().unwrap(), "<home>");
    let mut out = String::new();
    for (at, word) in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).enumerate() {
        let _ = at;
        let (body, tail) = match word.char_indices().next_back() {
            Some((end, c)) if !c.is_ascii_alphanumeric() => word.split_at(end),
            _ => (word, ""),
        };
        let is_oid = (body.len() == 10 || body.len() == 40) && body.bytes().all(|b| b.is_ascii_hexdigit());
        out.push_str(if is_oid { "<oid>" } else { body });
        out.push_str(tail);
    }
    out
}
