//! Real repositories in temporary folders, and the library called in a process of its own: it looks
//! for the repository around the current folder, which threads share.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use git_lane::doctor;
use git_lane::gather::{Environment, policy_source};
use git_lane::install::{self, InstallOptions};
use lane_core::error::Error;
use lane_git::{Git2Repository, Repository};

pub const POLICY: &str = "version: 1\nagents:\n  a1:\n    owns: [one/]\n    worktree: ../wt-a1\n  a2:\n    owns: [two/]\n    worktree: ../wt-a2\n";

pub struct Sandbox {
    _dir: tempfile::TempDir,
    pub root: PathBuf,
}

impl Sandbox {
    /// An empty folder.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let this = Self { _dir: dir, root };
        write(&this.lane(), "#!/bin/sh\nexit 0\n");
        this
    }

    /// A repository `main` with the policy committed.
    pub fn with_repo() -> Self {
        let this = Self::new();
        this.git(&this.root, &["init", "-q", "-b", "main", "main"]);
        fs::write(this.main().join("policy.yaml"), POLICY).unwrap();
        this.git(&this.main(), &["add", "."]);
        this.git(&this.main(), &["commit", "-q", "-m", "Policy"]);
        this
    }

    pub fn main(&self) -> PathBuf {
        self.root.join("main")
    }

    /// The stand-in for the program: a shell script.
    pub fn lane(&self) -> PathBuf {
        self.root.join("it's bin/git-lane")
    }

    pub fn worktree(&self, name: &str) -> PathBuf {
        let path = self.root.join(name);
        self.git(&self.main(), &["worktree", "add", "-q", "-b", name, path.to_str().unwrap(), "main"]);
        path
    }

    /// A command that sees nothing of the machine's git configuration and of a hook's variables.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, dir: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("GIT_") || text.starts_with("LANE_") || text == "AGENT_ID" {
                command.env_remove(name);
            }
        }
        command.current_dir(dir).env("HOME", &self.root).env("LC_ALL", "C");
        command.env("GIT_CONFIG_GLOBAL", self.root.join(".gitconfig")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "T").env(format!("GIT_{who}_EMAIL"), "t@example.com");
            command.env(format!("GIT_{who}_DATE"), "2024-01-01T00:00:00Z");
        }
        command
    }

    pub fn git(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.command("git", dir).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Calls the library in another process; what it said, or the error with its help.
    pub fn lane_command(&self, dir: &Path, args: &[&str]) -> (Command, PathBuf) {
        let out = self.root.join(format!("out-{}", unique()));
        let mut command = self.command(std::env::current_exe().unwrap(), dir);
        command.args(["--exact", "support::install::child", "--nocapture", "-q"]);
        command.env("LANE_TEST_DO", args.join("\x1f")).env("LANE_TEST_OUT", &out);
        command.env("LANE_TEST_BINARY", self.lane());
        (command, out)
    }

    pub fn run(&self, dir: &Path, args: &[&str]) -> Result<String, String> {
        let (mut command, out) = self.lane_command(dir, args);
        result(command.output().unwrap(), &out)
    }

    pub fn install(&self, dir: &Path, args: &[&str]) -> String {
        self.run(dir, &[&["install"], args].concat()).unwrap()
    }

    pub fn uninstall(&self, dir: &Path) -> String {
        self.run(dir, &["uninstall"]).unwrap()
    }

    /// Every file of the git folder, apart from objects and what git rewrites on its own.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = BTreeMap::new();
        collect(&self.main().join(".git"), &mut files);
        files
    }
}

pub fn result(output: Output, out: &Path) -> Result<String, String> {
    let text = fs::read_to_string(out).unwrap_or_else(|_| {
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        panic!("the child said nothing\n{stdout}\n{stderr}")
    });
    text.strip_prefix("error: ").map_or_else(|| Ok(text.clone()), |error| Err(error.to_owned()))
}

fn unique() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if matches!(name.as_str(), "objects" | "index" | "logs") {
            continue;
        }
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        if path.is_dir() {
            files.insert(path.clone(), (mode, vec![]));
            collect(&path, files);
        } else {
            files.insert(path.clone(), (mode, fs::read(&path).unwrap()));
        }
    }
}

/// Writes an executable file.
pub fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the other process does; nothing in the first one.
#[test]
fn child() {
    let Ok(what) = std::env::var("LANE_TEST_DO") else {
        return;
    };
    let args: Vec<&str> = what.split('\x1f').collect();
    if args[0] == "hook" {
        std::process::exit(i32::from(hook(&args[1..])));
    }
    let text = match act(&args) {
        Ok(text) => text,
        Err(error) => format!("error: {error}\nhelp: {}", error.help().unwrap_or_default()),
    };
    match std::env::var("LANE_TEST_OUT").unwrap().as_str() {
        "-" => println!("{text}"),
        path => fs::write(path, text).unwrap(),
    }
}

fn act(args: &[&str]) -> Result<String, Error> {
    if args[0] == "doctor" {
        return Ok(examine());
    }
    let repo = Git2Repository::open()?;
    let all = args.contains(&"--all");
    if args[0] == "uninstall" {
        return Ok(install::uninstall(&repo, all)?.to_string());
    }
    let agent = args.iter().position(|arg| *arg == "--agent").map(|at| args[at + 1].to_owned());
    let binary = PathBuf::from(std::env::var_os("LANE_TEST_BINARY").unwrap());
    let loaded = policy_source::find(&repo)?;
    let outcome = install::install(&repo, &loaded.plan, &InstallOptions { agent, all, binary })?;
    Ok(outcome.to_string())
}

fn examine() -> String {
    let repo = Git2Repository::open();
    let repo = repo.as_ref().ok().map(|repo| repo as &dyn Repository);
    let none = Error::usage("no repository", "");
    let loaded = repo.map_or(Err(none), policy_source::find);
    let path = std::env::var_os("LANE_TEST_PATH").or_else(|| std::env::var_os("PATH"));
    let checks = doctor::examine(repo, loaded.as_ref(), &Environment::of_process(), path.as_deref());
    let line = |check: &doctor::Check| {
        let help = check.help.as_deref().unwrap_or("-");
        format!("{} {:?}: {} => {help}\n", check.name, check.state, check.detail)
    };
    checks.iter().map(line).collect()
}

/// The part of a hook that runs what was there before.
fn hook(args: &[&str]) -> u8 {
    let repo = Git2Repository::open().unwrap();
    let values = repo.config("core.hooksPath").unwrap();
    let chain = install::chain::previous_hooks(&values, repo.layout(), args[0]);
    let mut input = Vec::new();
    let is_fed = args[0] == "pre-push";
    if is_fed {
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut input).unwrap();
    }
    let rest: Vec<OsString> = args[1..].iter().map(OsString::from).collect();
    let turn = install::chain::Turn::begin(repo.layout(), args[0]).unwrap();
    install::chain::run_all(&chain, &rest, is_fed.then_some(&input), &turn).unwrap()
}

/// A stand-in that notes that it ran, then runs what was there before through the library.
pub fn chaining(log: &Path) -> String {
    let me = std::env::current_exe().unwrap();
    format!(
        "#!/bin/sh\nshift\necho \"ours $*\" >>'{}'\nIFS=$(printf '\\037')\nLANE_TEST_DO=\"hook$IFS$*\"\n\
         export LANE_TEST_DO\nexec '{}' --exact support::install::child --nocapture -q\n",
        log.display(),
        me.display()
    )
}
