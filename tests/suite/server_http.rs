//! The server's hooks behind a real web server, many pushes at a time, and hooks that are killed.

use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::support::server::http::Http;
use crate::support::server::{Server, commit, policy, push};
use crate::support::{LANE, Ran, Worktree};

fn over(server: &Server, tree: &Worktree, http: &Http, user: &str) {
    server.git(&["config", "http.receivepack", "true"]).ok();
    tree.git(&["remote", "set-url", "origin", &http.url(user)]).ok();
}

#[test]
fn over_http_with_accounts() {
    let server = Server::with(&policy().replace(
        "    worktree: ../wt-a2-genai\n",
        "    worktree: ../wt-a2-genai\n    identity: { accounts: [bot-2] }\n",
    ));
    let http = Http::serve(&server.scratch.home(), true);
    let tree = server.clone("c", "feat/a2/x");
    over(&server, &tree, &http, "bot-2");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).ok();
    let before = server.files();
    commit(&tree, "services/revenue/a.py", "feat: no tag");
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    push(&tree, &["HEAD:main"]).fails(1).says("remote: error[protected-branch]").says("you are a2");
    push(&tree, &["HEAD:refs/heads/feat/a1/x"]).fails(1).says("the account `bot-2` belongs to a2");
    assert_eq!(server.files(), before, "nothing is left behind");
    server.git(&["fsck", "--strict"]).ok();
    over(&server, &tree, &http, "alice");
    push(&tree, &["HEAD:main"]).ok();
}

#[test]
fn large_pushes_come_in_chunks() {
    let server = Server::new();
    let http = Http::serve(&server.scratch.home(), false);
    let tree = server.clone("c", "feat/a2/x");
    over(&server, &tree, &http, "");
    tree.git(&["config", "http.postBuffer", "65536"]).ok();
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..300_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let add = |path: &str| {
        tree.write(path, &noise);
        tree.git(&["add", path]).ok();
        tree.git(&["commit", "-q", "-m", "[A2] feat: data"]).ok();
    };
    add("services/revenue/data.bin");
    push(&tree, &["HEAD"]).fails(1).says("foreign-path");
    tree.git(&["reset", "-q", "--hard", "main"]).ok();
    add("services/rag_pipeline/data.bin");
    push(&tree, &["HEAD"]).ok();
    assert!(http.seen[0].load(Ordering::Relaxed) >= 2, "git sent chunks");
}

#[test]
fn fifty_pushes_at_a_time_are_each_judged_right() {
    let server = Server::new();
    let http = Http::serve(&server.scratch.home(), false);
    let tree = server.clone("c", "feat/a1/start");
    over(&server, &tree, &http, "");
    let lanes = [("a1", "orchestrator"), ("a2", "rag_pipeline"), ("a4", "revenue")];
    let mut good = vec!["refs/heads/main".to_owned()];
    let mut branches = Vec::new();
    for n in 0..50 {
        let (agent, own) = lanes[n % 3];
        let foreign = lanes[(n + 1) % 3].1;
        let branch = format!("feat/{agent}/n{n}");
        let tag = agent.to_uppercase();
        tree.git(&["switch", "-q", "-c", &branch, "main"]).ok();
        commit(&tree, &format!("services/{own}/n{n}.py"), &format!("[{tag}] feat: {n}"));
        // One half of them is wrong, in one of four ways.
        match n % 8 {
            1 => commit(&tree, &format!("services/{foreign}/n{n}.py"), &format!("[{tag}] feat: theirs {n}")),
            3 => commit(&tree, "policy.yaml", &format!("[{tag}] chore: policy {n}")),
            5 => commit(&tree, &format!("docs/n{n}.md"), &format!("docs: no tag {n}")),
            7 => commit(&tree, &format!("services/common/n{n}.py"), &format!("[{tag}] feat: no lock {n}")),
            _ => good.push(format!("refs/heads/{branch}")),
        }
        branches.push(branch);
    }
    let pushes: Vec<_> = branches
        .iter()
        .map(|branch| {
            let mut command = tree.command("git");
            command.args(["push", "-q", "origin", branch]);
            (branch, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        })
        .collect();
    for (branch, child) in pushes {
        let ran = Ran::from(child.wait_with_output().unwrap());
        let is_good = good.contains(&format!("refs/heads/{branch}"));
        assert_eq!(ran.code == 0, is_good, "{branch}: {}", ran.all());
        if !is_good {
            ran.says("nothing was pushed (pre-receive");
        }
    }
    good.sort();
    let there = server.git(&["for-each-ref", "--format=%(refname)"]).ok().out;
    assert_eq!(there.lines().collect::<Vec<_>>(), good);
    server.git(&["fsck", "--strict", "--no-dangling"]).ok();
    assert!(!server.files().keys().any(|path| path.to_string_lossy().contains("tmp_objdir")));
    // A fetch of so many is asked for in a compressed request.
    let reader = server.clone("reader", "x");
    reader.git(&["remote", "set-url", "origin", &http.url("")]).ok();
    reader.git(&["-c", "protocol.version=0", "fetch", "-q"]).ok();
    server.git(&["update-ref", "-d", "refs/heads/feat/a1/n0"]).ok();
    let other = crate::support::command("git", &server.scratch.home(), &server.scratch.home())
        .args(["-c", "protocol.version=0", "clone", "-q", &http.url(""), "another"])
        .output()
        .unwrap();
    Ran::from(other).ok();
    assert!(http.seen[1].load(Ordering::Relaxed) >= 1, "git compressed a request");
}

#[cfg(target_os = "linux")] // /proc tells which process is which
#[test]
fn a_hook_that_is_killed_lets_nothing_in() {
    let server = Server::new();
    // Another's hook, run by ours: its parent is the one that judges.
    server.hook(
        "hooks/pre-receive",
        "#!/bin/sh\nprintf '%s %s\\n' $PPID $$ > pids.new\nmv pids.new pids\nsleep 60\n",
    );
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: a");
    for signal in ["-9", "-15"] {
        let before = server.refs();
        let mut command = tree.command("git");
        command.args(["push", "origin", "HEAD"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let pids = server.root().join("pids");
        let started = Instant::now();
        while !pids.exists() {
            assert!(started.elapsed() < Duration::from_secs(30), "the hook did not run");
            std::thread::sleep(Duration::from_millis(10));
        }
        let text = std::fs::read_to_string(&pids).unwrap();
        let (lane, hook) = text.trim().split_once(' ').unwrap();
        let name = std::fs::read_to_string(format!("/proc/{lane}/cmdline")).unwrap();
        assert!(name.starts_with(LANE), "{name}");
        tree.command("kill").args([signal, lane]).status().unwrap();
        // What it started goes on, and keeps the pipe open.
        for child in children(hook) {
            tree.command("kill").args(["-9", &child]).status().unwrap();
        }
        tree.command("kill").args(["-9", hook]).status().unwrap();
        Ran::from(child.wait_with_output().unwrap()).fails(1).says("pre-receive hook declined");
        assert_eq!(server.refs(), before);
        assert!(server.git(&["count-objects"]).ok().out.starts_with(&objects(&server)));
        std::fs::remove_file(&pids).unwrap();
    }
    let left: Vec<_> =
        server.files().into_keys().filter(|path| path.to_string_lossy().contains("tmp_")).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

/// How many objects the refs of a repository lead to.
#[cfg(target_os = "linux")]
fn objects(server: &Server) -> String {
    server.git(&["rev-list", "--objects", "--all"]).ok().out.lines().count().to_string()
}

#[cfg(target_os = "linux")]
fn children(pid: &str) -> Vec<String> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(path).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}
