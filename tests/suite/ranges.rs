//! Long ranges, whose commits git's own plumbing looks at: the same verdict with it, without it, and with one that
//! says anything else.
#![cfg(unix)]

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::server::Server;
use crate::support::{Ran, Scratch, Worktree};

const COMMITS: usize = 280;
const BRANCH: &str = "feat/a2/long";

/// A branch of a2 with many commits: the 60th goes abroad, the 61st takes it back, the 70th brings a submodule
/// and the 80th has a name that looks like output of git.
fn long_branch(tree: &Worktree) {
    let base = tree.git(&["rev-parse", "main"]).ok().out;
    let mut text = String::new();
    for at in 0..COMMITS {
        let message = format!("[A2] feat: part {at}\n");
        let _ = write!(
            text,
            "commit refs/heads/{BRANCH}\ncommitter T <t@example.com> {} +0000\ndata {}\n{message}",
            1_767_323_045 + at,
            message.len()
        );
        if at == 0 {
            let _ = writeln!(text, "from {}", base.trim());
        }
        let file = format!("M 100644 inline services/rag_pipeline/f{at}.py\ndata 2\nx\n\n");
        text.push_str(&match at {
            60 => "M 100644 inline services/revenue/api.py\ndata 2\nx\n\n".to_owned(),
            61 => "D services/revenue/api.py\n".to_owned(),
            70 => format!("M 160000 {} services/revenue/module\n", "1".repeat(40)),
            80 => "M 100644 inline \"services/revenue/:100644\\n\\377\"\ndata 2\nx\n\n".to_owned(),
            _ => file,
        });
        text.push('\n');
    }
    tree.write("../history", text);
    let ran =
        tree.command("sh").args(["-c", "git fast-import --quiet --force <../history"]).output().unwrap();
    Ran::from(ran).ok();
}

/// A folder with a `git` that is this script.
fn fake(home: &Path, name: &str, script: &str) -> String {
    let folder = home.join(name);
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("git");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

fn range(tree: &Worktree, env: &[(&str, &str)]) -> Ran {
    let args = ["check", "--range", &format!("main..{BRANCH}"), "--agent", "a2", "--format", "json"];
    tree.lane_env(&args, env)
}

#[test]
fn a_broken_git_changes_no_verdict() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    long_branch(&tree);
    let right = range(&tree, &[]).fails(1);
    let findings = right.json()["findings"].clone();
    let paths = findings.as_array().unwrap().iter().filter(|finding| finding["rule"] == "foreign-path");
    let paths: Vec<_> = paths.map(|finding| finding["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        ["\"services/revenue/:100644\\n\\377\"", "services/revenue/api.py", "services/revenue/module"]
    );
    assert_eq!(right.json()["stats"]["commits"], COMMITS);

    let log = scratch.home().join("log");
    let folders = std::env::var_os("PATH").unwrap();
    let real =
        std::env::split_paths(&folders).map(|folder| folder.join("git")).find(|path| path.exists()).unwrap();
    let real = format!("echo \"$@\" >>'{}'; exec '{}' \"$@\"", log.display(), real.display());
    let scripts = [
        ("watched", real.as_str()),
        ("dies", "exit 128"),
        ("silent", "cat >/dev/null"),
        ("echo", "cat"),
        ("killed", "kill -9 $$"),
        ("short", "head -c 3000 | tr '\\n' '\\0'"),
        ("closed", "exec 0<&- 1>&-; sleep 0.1"),
    ];
    for (name, script) in scripts {
        let path = fake(&scratch.home(), name, script);
        assert_eq!(range(&tree, &[("PATH", path.as_str())]), right, "{name}");
    }
    assert_eq!(range(&tree, &[("PATH", "/nowhere")]), right, "no git");
    let asked = std::fs::read_to_string(log).unwrap();
    assert!(asked.contains("diff-tree --stdin"), "git was asked: {asked}");
}

#[test]
fn configuration_hides_nothing() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    long_branch(&tree);
    let right = range(&tree, &[]).fails(1);
    for (key, value) in [
        ("diff.orderFile", "missing"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.relative", "true"),
        ("color.ui", "always"),
        ("log.showSignature", "true"),
        ("log.showRoot", "false"),
        ("log.diffMerges", "off"),
    ] {
        tree.git(&["config", key, value]).ok();
    }
    tree.git(&["replace", "-f", &format!("{BRANCH}~40"), &format!("{BRANCH}~100")]).ok();
    assert_eq!(range(&tree, &[]), right);
}

#[test]
fn the_edge_of_a_shallow_clone() {
    let scratch = Scratch::new();
    long_branch(&scratch.main());
    let url = format!("file://{}", scratch.root().display());
    let args = ["clone", "-q", "--no-single-branch", "--depth", "260", "-b", BRANCH, &url, "shallow"];
    scratch.run(&scratch.home(), "git", &args).ok();
    let tree = Worktree { root: scratch.home().join("shallow"), home: scratch.home() };
    let policy = scratch.root().join("policy.yaml");
    let args = |range| ["check", "--agent", "a2", "--policy", policy.to_str().unwrap(), "--range", range];
    tree.lane(&args("HEAD~259..HEAD")).fails(1).says("services/revenue/module").says("only in 2 commits");
    tree.lane(&args("origin/main..HEAD")).fails(2).says("this clone is shallow");
}

#[test]
fn a_long_push_is_seen_in_the_quarantine() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    long_branch(&tree);
    let trace = server.scratch.home().join("trace");
    let mut push = tree.command("git");
    push.args(["push", "-q", "origin", BRANCH]).env("GIT_TRACE2_EVENT", &trace);
    let ran = Ran::from(push.output().unwrap()).fails(1);
    ran.says("services/revenue/api.py").says("services/revenue/module").says("foreign-path");
    // A git that did not find the new objects would have ended with 128.
    let trace = std::fs::read_to_string(trace).unwrap();
    let of = |line: &&str| line.contains("\"diff-tree\"") && line.contains("\"start\"");
    let start = trace.lines().find(of).expect("git was asked");
    let sid = start.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
    let mut exits = trace.lines().filter(|line| line.contains(sid) && line.contains("\"event\":\"exit\""));
    assert!(exits.next().expect("it ended").contains("\"code\":0"), "{trace}");
}
