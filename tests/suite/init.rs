//! `git lane init`: what it proposes for repositories of all kinds.

use crate::support::{Ran, Scratch};

/// A repository with these files, committed.
fn repository(files: &[(&str, &str)]) -> Scratch {
    let scratch = Scratch::empty();
    for (path, text) in files {
        scratch.write(path, text);
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "x"]).ok();
    scratch
}

/// Writes the policy, which has neither mistakes nor warnings, is proven, and gives each agent a file that git tracks.
#[track_caller]
fn init(scratch: &Scratch, args: &[&str]) -> Ran {
    let told = scratch.lane(&[&["init"], args].concat()).ok().does_not_say("warning");
    scratch.lane(&["policy", "check"]).ok().says("no mistakes").does_not_say("warning");
    scratch.lane(&["policy", "test"]).ok().says("all true");
    let policy = scratch.lane(&["policy", "show", "policy.yaml", "--format", "json"]).ok().json();
    for (id, agent) in policy["agents"].as_object().unwrap() {
        let lane = [&agent["services"], &agent["owns"]].map(|list| list.as_array().unwrap().len());
        assert!(lane.iter().sum::<usize>() > 0, "{id} has no lane");
    }
    told
}

#[test]
fn init_writes_a_policy_that_passes() {
    let scratch = Scratch::empty();
    for service in ["api", "billing", "common", "search"] {
        scratch.write(&format!("services/{service}/x"), "x\n");
    }
    scratch.write("services/api/alembic/env.py", "x\n");
    scratch.write("requirements.txt", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "x"]).ok();
    scratch.worktree("wt-a1-api", "feat/a1/main");
    scratch.worktree("wt-bot-x", "feat/bot/main");
    scratch.write("services/untracked/x", "x\n");
    let text = scratch.lane(&["init", "--stdout"]).ok().out;
    insta::assert_snapshot!(text);
    let told = init(&scratch, &["--agents", "3"]).says("3 agents, 3 services, 5 areas").all();
    insta::assert_snapshot!(told);
    scratch.lane(&["init"]).fails(2).says("already exists");
}

#[test]
fn a_push_is_next_only_where_there_is_a_remote() {
    for (remote, upstream, push) in [
        (false, false, None),
        (true, false, Some("\n  git push -u origin main\n")),
        (true, true, Some("\n  git push\n")),
    ] {
        let scratch = repository(&[("services/api/x", "x\n")]);
        if remote {
            scratch.git(&["remote", "add", "origin", "https://example.com/x.git"]).ok();
        }
        if upstream {
            scratch.git(&["config", "branch.main.remote", "origin"]).ok();
            scratch.git(&["config", "branch.main.merge", "refs/heads/main"]).ok();
        }
        let told = scratch.lane(&["init"]).ok().all();
        assert!(push.map_or(!told.contains("git push"), |push| told.contains(push)), "{told}");
    }
}

#[test]
fn a_workspace_of_packages() {
    let scratch = repository(&[
        ("package.json", r#"{ "workspaces": ["apps/*", "packages/*", "!packages/old"] }"#),
        ("package-lock.json", "{}"),
        ("apps/web/package.json", "{}"),
        ("apps/web/a.ts", "x"),
        ("apps/api/package.json", "{}"),
        ("packages/web/package.json", "{}"),
        ("packages/utils/package.json", "{}"),
        ("tools/x", "x"),
        (".github/CODEOWNERS", "* @org/all\n/apps/api @org/back\n/packages/web @org/back\n"),
    ]);
    let text = scratch.lane(&["init", "--stdout"]).ok().out;
    insta::assert_snapshot!(text);
    init(&scratch, &[]).says("3 agents, 3 paths");
}

#[test]
fn the_policy_as_json_is_the_policy() {
    let scratch = repository(&[("services/a/x", "x"), ("services/b/x", "x"), ("Cargo.toml", "[workspace")]);
    let json = scratch.lane(&["init", "--stdout", "--format", "json"]).ok();
    assert_eq!(json.json()["agents"]["a2"]["services"], serde_json::json!(["b"]));
    scratch.write("other.yaml", &json.out);
    scratch.lane(&["policy", "check", "other.yaml"]).ok();
    assert_eq!(scratch.lane(&["policy", "show", "other.yaml", "--format", "json"]).ok().out, json.out);
    let told = scratch.lane(&["init", "--format", "json"]).ok().json();
    assert_eq!(told["file"], "policy.yaml");
    assert_eq!(told["lanes"][0]["agent"], "a1");
    assert_eq!(told["lanes"][0]["folders"][0]["path"], "services/a");
    assert_eq!(told["lanes"][0]["files"], 1);
    assert_eq!(told["warnings"], serde_json::json!([]));
    assert!(told["notes"][0].as_str().unwrap().starts_with("Cargo.toml was not read: "), "{told}");
}

#[test]
fn agents_that_nothing_is_left_for_are_not_proposed() {
    let scratch = repository(&[("main.py", "x"), ("util.py", "x"), ("README.md", "x")]);
    init(&scratch, &["--agents", "3"]).says("1 agent, 1 path").says("note: 3 agents asked for, 1 proposed: ");
    let scratch = repository(&[("api/x", "x"), ("web/x", "x"), ("docs/x", "x"), ("tests/x", "x")]);
    init(&scratch, &["--agents", "5"])
        .says("3 agents, 3 paths")
        .says("note: 5 agents asked for, 3 proposed: ");
    let scratch = Scratch::empty();
    scratch.lane(&["init"]).ok().says("1 agent, 1 path").says("git tracks no files here yet");
    scratch.lane(&["policy", "check"]).ok().does_not_say("warning");
}

#[test]
fn what_is_staged_counts_and_what_lies_about_does_not() {
    let scratch = Scratch::empty();
    for folder in ["services/a", "services/b", "services/stray"] {
        scratch.write(&format!("{folder}/x"), "x");
    }
    scratch.git(&["add", "services/a", "services/b"]).ok();
    init(&scratch, &["--agents", "4"]).says("2 agents, 2 services").does_not_say("stray");
}

#[test]
fn hostile_manifests_and_names() {
    let scratch = repository(&[
        ("package.json", r#"{ "workspaces": ["../../etc/*", "/etc", "p/\u001b[31m*", "p/[", "p/*"] }"#),
        ("p/a/package.json", "{}"),
        ("p/b: c #\" '{}/package.json", "{}"),
        ("p/\u{1b}[31mred/package.json", "{}"),
        ("p/\u{202e}rtl/package.json", "{}"),
        ("pyproject.toml", "[[[["),
        ("go.work", "use (\n"),
        ("pnpm-workspace.yaml", "packages: [*x]\n"),
    ]);
    let text = scratch.lane(&["init", "--stdout"]).ok().out;
    let told = init(&scratch, &[]).says("pyproject.toml was not read").says("go.work was not read").all();
    for text in [text, told] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn a_manifest_that_is_a_link_is_not_followed() {
    let scratch = repository(&[("a/x", "x"), ("b/x", "x")]);
    std::os::unix::fs::symlink("/etc/passwd", scratch.root().join("package.json")).unwrap();
    std::os::unix::fs::symlink("a", scratch.root().join("linked")).unwrap();
    scratch.git(&["add", "-A"]).ok();
    let told = init(&scratch, &[]).says("package.json was not read: it is a symbolic link").all();
    assert!(told.contains("a1 (1 file): a\n") && told.contains("a2 (1 file): b\n"), "{told}");
}

#[test]
fn lanes_are_about_equal() {
    let mut files = Vec::new();
    for (service, size) in
        [("a", 40), ("b", 30), ("c", 25), ("d", 20), ("e", 15), ("f", 10), ("g", 5), ("h", 5)]
    {
        files.extend((0..size).map(|at| format!("services/{service}/{at}")));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|path| (path.as_str(), "x")).collect();
    let scratch = repository(&files);
    let told = scratch.lane(&["init", "--agents", "3", "--format", "json"]).ok().json();
    let sizes: Vec<u64> =
        told["lanes"].as_array().unwrap().iter().map(|lane| lane["files"].as_u64().unwrap()).collect();
    assert!(sizes.iter().all(|size| (45..=55).contains(size)), "{sizes:?}");
}

#[test]
fn a_bare_repository_with_worktrees() {
    let scratch = repository(&[("services/a/x", "x"), ("services/b/x", "x")]);
    let bare = scratch.home().join("shop.git");
    scratch.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]).ok();
    let lane = |folder: &std::path::Path, args: &[&str]| scratch.run(folder, crate::support::LANE, args);
    lane(&bare, &["init"]).fails(2).says("git lane init --stdout");
    lane(&bare, &["init", "--stdout"]).ok().says("worktree: \"../shop-a2\"");
    for (folder, branch) in [("wt-a1", "feat/a1/main"), ("wt-a2", "feat/a2/main")] {
        scratch
            .run(&bare, "git", &["worktree", "add", "-q", "-b", branch, &format!("../{folder}"), "main"])
            .ok();
    }
    let told = lane(&scratch.home().join("wt-a1"), &["init", "--stdout"]).ok();
    told.says("worktree: \"../wt-a1\"").says("worktree: \"../wt-a2\"");
}
