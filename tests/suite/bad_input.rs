//! Bad input: a message with what, where and the next step, exit 2, and nothing changed.

use crate::support::{LANE, POLICY, Scratch};

#[test]
fn no_repository() {
    let scratch = Scratch::empty();
    scratch.run(&scratch.home(), LANE, &["check"]).fails(2).says("not a git repository").says("git lane -C");
    scratch.run(&scratch.home(), LANE, &["-C", "nowhere", "check"]).fails(2).says("cannot change to nowhere");
}

#[test]
fn no_policy() {
    let scratch = Scratch::empty();
    scratch.lane(&["check"]).fails(2).says("no policy.yaml").says("git lane init");
    scratch.lane(&["hook", "pre-commit"]).fails(2).says("nothing was committed");
}

#[test]
fn a_policy_that_is_no_plain_file() {
    let scratch = Scratch::empty();
    std::fs::create_dir(scratch.root().join("policy.yaml")).unwrap();
    scratch.lane(&["check"]).fails(2).says("policy.yaml is a folder");
    std::fs::remove_dir(scratch.root().join("policy.yaml")).unwrap();
    std::fs::write(scratch.home().join("outside.yaml"), POLICY).unwrap();
    std::os::unix::fs::symlink("../outside.yaml", scratch.root().join("policy.yaml")).unwrap();
    scratch.lane(&["check"]).fails(2).says("policy.yaml is a symbolic link");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "x"]).ok();
    scratch.lane(&["check"]).fails(2).says("refs/heads/main:policy.yaml is a symbolic link");
}

#[test]
fn a_policy_with_mistakes() {
    let policy = "version: 1\nbse: main\nagents:\n  a1: { ports: 9-1 }\n  a2: { services: [x] }\n\
                  areas: [{ name: c, paths: [\"[x\"], access: lokc }]\n";
    let scratch = Scratch::with_policy(policy);
    let ran = scratch.lane(&["policy", "check"]).fails(2).says("has 5 mistakes");
    insta::assert_snapshot!(ran.out);
    let json = scratch.lane(&["policy", "check", "--format", "json"]).fails(2).json();
    let places: Vec<(u64, u64)> = json["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["line"].as_u64().unwrap(), d["column"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [(2, 1), (4, 16), (5, 20), (6, 28), (6, 43)]);
    scratch.lane(&["hook", "pre-commit"]).fails(2).says("nothing was committed");
    scratch.lane(&["hook", "commit-msg", "policy.yaml"]).fails(2).says("5 mistakes");
    scratch.lane(&["check"]).fails(2).says("5 mistakes");
}

#[test]
fn identities() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane_env(&["check"], &[("AGENT_ID", "a22")])
        .fails(2)
        .says("unknown agent `a22` in refs/heads/main:policy.yaml (from the variable AGENT_ID)")
        .says("did you mean `a2`?");
    tree.write(".agent.env", "export AGENT_ID=a1\n");
    tree.lane_env(&["check"], &[("AGENT_ID", "a2")]).fails(2).says("says `a2`, but .agent.env says `a1`");
    tree.lane(&["check", "--agent", "A2"]).fails(2).says("did you mean `a2`?");
}

#[test]
fn ranges() {
    let scratch = Scratch::new();
    for (range, says) in [
        ("main", "`main` is not a range"),
        ("main..nowhere", "`nowhere` is not a commit here"),
        ("..", "check"),
        ("--x", "`--x` is not a range"),
    ] {
        let ran = scratch.lane(&["check", "--range", range]);
        assert_eq!(ran.code, if range == ".." { 0 } else { 2 }, "{}", ran.all());
        ran.says(says);
    }
    scratch.lane(&["check", "--staged", "--worktree"]).fails(2);
}

#[test]
fn a_base_that_does_not_exist() {
    let scratch = Scratch::empty();
    scratch.git(&["checkout", "-q", "-b", "feat/a1/x"]).ok();
    scratch.main().commit("policy.yaml", POLICY, "x").ok();
    scratch
        .lane(&["check"])
        .fails(2)
        .says("the base branch `main` does not exist")
        .says("git fetch origin +refs/heads/main:refs/remotes/origin/main");
}

#[test]
fn an_index_that_is_corrupt() {
    let scratch = Scratch::new();
    let index = scratch.root().join(".git/index");
    let good = std::fs::read(&index).unwrap();
    for bad in [&b"garbage"[..], &good[..good.len() / 2], b""] {
        std::fs::write(&index, bad).unwrap();
        scratch.lane(&["check", "--staged"]).fails(2).says("index");
        assert_eq!(std::fs::read(&index).unwrap(), bad, "it is left as it was");
    }
}

#[test]
fn an_index_that_is_locked_is_read_all_the_same() {
    let scratch = Scratch::new();
    let lock = scratch.root().join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    scratch.lane(&["check", "--staged"]).ok();
    assert!(lock.exists());
}

#[test]
fn objects_that_are_missing() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] one");
    let oid = tree.git(&["rev-parse", "HEAD:services"]).ok().out;
    let oid = oid.trim();
    let path = scratch.root().join(".git/objects").join(&oid[..2]).join(&oid[2..]);
    std::fs::remove_file(path).unwrap();
    tree.lane(&["check"]).fails(2).says("cannot be read").says("git fsck");
}

#[test]
fn messages() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let file = tree.root.join("message");
    let path = file.to_str().unwrap();
    for (bytes, says) in [(&b"a\0b"[..], "binary"), (b"caf\xe9\n", "not UTF-8")] {
        std::fs::write(&file, bytes).unwrap();
        tree.lane(&["hook", "commit-msg", path]).fails(2).says(says).says("nothing was committed");
    }
    // What nobody wrote is git's to refuse.
    for empty in ["", "# a comment\n"] {
        std::fs::write(&file, empty).unwrap();
        assert_eq!(tree.lane(&["hook", "commit-msg", path]).ok().all(), "");
    }
    tree.git(&["config", "i18n.commitEncoding", "latin1"]).ok();
    std::fs::write(&file, b"[A2] caf\xe9\n").unwrap();
    tree.lane(&["hook", "commit-msg", path]).ok();
    tree.lane(&["hook", "commit-msg", "nowhere"]).fails(2).says("cannot be read");
    tree.lane(&["hook", "commit-msg"]).fails(2).says("no message file");
}

#[test]
fn push_lines_that_are_cut_short() {
    let scratch = Scratch::new();
    let head = scratch.main().head();
    for input in
        [format!("refs/heads/main {head} refs/heads/main"), format!("refs/heads/main {head}"), "x\n".into()]
    {
        let ran = scratch.main().lane_stdin(&["hook", "pre-push", "origin", "url"], input.as_bytes());
        ran.fails(2).says("incomplete line").says("nothing was pushed");
    }
    scratch.main().lane_stdin(&["hook", "pre-push", "origin", "url"], b"").ok();
}

#[test]
fn standard_output_that_is_full() {
    let scratch = Scratch::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = scratch.main().command(LANE).args(["check"]).stdout(full).output().unwrap();
    crate::support::Ran::from(ran).fails(2).says("standard output cannot be written");
}

#[test]
fn commands_that_are_mistyped() {
    let scratch = Scratch::new();
    scratch.lane(&["chekc"]).fails(2).says("check");
    scratch.lane(&["check", "--stagd"]).fails(2).says("--staged");
    scratch.lane(&[]).fails(2).says("Usage");
}

#[test]
#[cfg(unix)]
fn a_folder_that_was_removed_under_a_shell_is_named() {
    let scratch = Scratch::new();
    let (root, lane) = (scratch.root(), env!("CARGO_BIN_EXE_git-lane"));
    let line = format!("mkdir gone && cd gone && rmdir ../gone && '{lane}' who README.md");
    scratch
        .run(&root, "sh", &["-c", &line])
        .fails(2)
        .says("the current folder does not exist any more")
        .says("change to a folder that exists");
}
