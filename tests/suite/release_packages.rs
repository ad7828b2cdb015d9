//! The wheel and the packages for npm, each installed from its file into an empty environment: what git starts from there judges, and
//! an upgrade or a removal leaves nothing that lets a commit through unjudged.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::release::{packed, target};
use crate::support::{Ran, Scratch, Worktree};

/// A repository whose hooks were installed by a program of a package, and that program.
struct Installed {
    scratch: Scratch,
    tree: Worktree,
    /// What is typed.
    command: PathBuf,
    /// What the hooks are to name.
    program: PathBuf,
}

impl Installed {
    fn install(&self) -> Ran {
        self.tree
            .command(self.command.to_str().unwrap())
            .args(["install", "--agent", "a2"])
            .output()
            .unwrap()
            .into()
    }

    fn script(&self) -> String {
        fs::read_to_string(self.scratch.root().join(".git/lane/hooks/pre-commit")).unwrap()
    }

    fn second_name(&self) -> PathBuf {
        self.scratch.root().join(".git/lane/bin/git-lane")
    }

    fn judges(&self) {
        self.tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok().does_not_say("missing");
        assert_eq!(self.tree.git(&["log", "-1", "--format=%s"]).out, "[A2] feat: a\n");
        self.tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
        self.refuses().does_not_say("missing");
    }

    fn refuses(&self) -> Ran {
        let ran = self.tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
        self.tree.git(&["reset", "-q", "--hard"]).ok();
        ran
    }

    /// From an installation on: `put` puts the package there (again), `remove` takes it away.
    fn holds_over(&self, put: &dyn Fn(), remove: &dyn Fn(), way_back: &str) {
        put();
        self.install().ok();
        assert!(
            self.script().contains(&format!("\nlane='{}'\n", self.program.display())),
            "{}",
            self.script()
        );
        let hook = fs::metadata(self.program.with_file_name("git-lane-hook")).unwrap();
        assert_eq!(
            fs::metadata(self.second_name()).unwrap().ino(),
            hook.ino(),
            "the smaller program starts them"
        );
        self.judges();
        // Another edition at the same place: it judges at once, without another installation of the hooks.
        put();
        let newer = fs::metadata(self.program.with_file_name("git-lane-hook")).unwrap();
        assert_ne!(newer.ino(), fs::metadata(self.second_name()).unwrap().ino());
        self.judges();
        // Nothing there: the second name judges, and says what is missing and how it comes back.
        remove();
        assert!(!self.program.exists());
        self.refuses().says(&format!("{} is missing", self.program.display())).says(way_back);
        // And where it could have none, as between file systems, the shell blocks with the same words.
        fs::remove_file(self.second_name()).unwrap();
        let script = self.scratch.home().join("script");
        fs::write(&script, self.script()).unwrap();
        let mut shell = self.tree.command("/bin/sh");
        let ran = Ran::from(shell.arg(&script).env("PATH", "/usr/bin:/bin").output().unwrap());
        ran.fails(2).says("pre-commit is blocked").says(&self.program.display().to_string()).says(way_back);
        self.tree.write("services/rag_pipeline/b.py", "x\n");
        self.tree.git(&["add", "-A"]).ok();
        let head = self.tree.head();
        assert_ne!(self.tree.git(&["commit", "-q", "-m", "feat: b"]).code, 0);
        assert_eq!(self.tree.head(), head, "nothing was committed");
        // The way back is one.
        self.tree.git(&["reset", "-q", "--hard"]).ok();
        put();
        self.install().ok();
        self.judges();
    }
}

fn installed(command: &str, program: &str) -> Installed {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let [command, program] = [command, program].map(|path| scratch.home().join(path));
    Installed { scratch, tree, command, program }
}

fn file_in(folder: &Path, start: &str) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).unwrap()
}

#[test]
fn the_wheel_in_an_empty_environment() {
    let Some(packed) = packed() else { return };
    let packages = &packed.packages;
    let wheel = file_in(&packages.join("pypi"), "git_lane-");
    let at = installed("env/bin/git-lane", "env/bin/git-lane");
    let home = at.scratch.home();
    at.scratch.run(&home, "python3", &["-m", "venv", "env"]).ok();
    let python = home.join("env/bin/python").to_str().unwrap().to_owned();
    let pip = |args: &[&str]| {
        let quiet = ["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];
        at.scratch.run(&home, &python, &[&quiet[..], args].concat()).ok();
    };
    let put = || pip(&["install", "--no-index", "--force-reinstall", wheel.to_str().unwrap()]);
    at.holds_over(&put, &|| pip(&["uninstall", "--yes", "git-lane"]), "git lane install");
    let shown = at.scratch.run(&home, &python, &["-m", "pip", "show", "--files", "git-lane"]);
    let version = format!("Version: {}\n", env!("CARGO_PKG_VERSION"));
    shown.ok().says(&version).says("  ../../../bin/git-lane-hook\n").says("/licenses/LICENSE-MIT\n");
}

#[test]
fn the_packages_for_npm_in_an_empty_project() {
    let Some(packed) = packed() else { return };
    let packages = &packed.packages;
    let target = target().unwrap();
    let [os, cpu] = target.npm;
    let program = format!("project/node_modules/@git-lane/{os}-{cpu}/bin/git-lane");
    let at = installed("project/node_modules/.bin/git-lane", &program);
    let project = at.scratch.home().join("project");
    fs::create_dir(&project).unwrap();
    if at.scratch.main().command("npm").arg("--version").output().is_err() {
        eprintln!("skipped: there is no npm here");
        return;
    }
    let version = env!("CARGO_PKG_VERSION");
    let files = [format!("git-lane-{os}-{cpu}-{version}.tgz"), format!("git-lane-{version}.tgz")];
    let files = files.map(|file| packages.join("npm").join(file).to_str().unwrap().to_owned());
    let npm = |args: &[&str]| {
        let quiet = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
        at.scratch.run(&project, "npm", &[args, &quiet[..]].concat()).ok();
    };
    let put = || {
        fs::write(project.join("package.json"), "{}").unwrap();
        let _ = fs::remove_dir_all(project.join("node_modules"));
        npm(&["install", &files[0], &files[1]]);
    };
    let remove = || npm(&["uninstall", "git-lane", &format!("@git-lane/{os}-{cpu}")]);
    at.holds_over(&put, &remove, "npx --yes git-lane install");
    // Exit codes and arguments go through.
    let run = |args: &[&str]| at.scratch.run(&at.tree.root, at.command.to_str().unwrap(), args);
    assert_eq!(run(&["rule", "no such rule"]).code, 2);
    assert_eq!(run(&["--version"]).ok().out, format!("git-lane {version}\n"));
    // Without the package of the platform, and on one that has none.
    fs::remove_dir_all(project.join(format!("node_modules/@git-lane/{os}-{cpu}"))).unwrap();
    run(&["--version"])
        .fails(2)
        .says(&format!("@git-lane/{os}-{cpu} is not installed"))
        .says("--include=optional");
    let strange = "Object.defineProperty(process, 'arch', { value: 'z80' }); require('./node_modules/git-lane/bin/git-lane.js')";
    let ran = at.scratch.run(&project, "node", &["-e", strange]);
    ran.fails(2).says(&format!("no program for {os}-z80; there are: linux-x64")).says("build it");
}
