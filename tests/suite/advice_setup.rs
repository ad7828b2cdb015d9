//! What setup, teardown, join, install, doctor, status and init tell to type is typed here, in the state in which it is
//! told.
#![cfg(unix)]

use crate::advice::sh;
use crate::advice_errors::{leads_on, told};
use crate::support::setup::{Bare, policy};
use crate::support::{POLICY, Ran, Scratch, Worktree};

fn bare() -> (Bare, Worktree) {
    let bare = Bare::new(&policy(2, ""));
    bare.lane(&["setup"]).ok();
    let tree = bare.tree("a1");
    (bare, tree)
}

const PAST_HOOKS: [&str; 2] = ["-c", "core.hooksPath=/dev/null"];

fn quiet(tree: &Worktree, args: &[&str]) -> Ran {
    tree.git(&[&PAST_HOOKS[..], args].concat()).ok()
}

#[track_caller]
fn has(ran: &Ran, command: &str) {
    assert!(told(&ran.all()).contains(&command.to_owned()), "{command}\n{}", ran.all());
}

#[test]
fn teardown_is_refused_for_what_would_be_lost() {
    let (bare, tree) = bare();
    let at = &bare.at;
    let teardown = |code| bare.lane(&["teardown", "a1"]).fails(code);
    let place = tree.root.display().to_string();
    // Edits and new files, one after the other and both at once.
    tree.write("requirements.txt", "changed\n");
    let in_it = |command: &str| format!("git -C {place} {command}");
    leads_on(at, &teardown(1), &[&in_it("stash push")], &[]);
    tree.write("new.txt", "new\n");
    leads_on(at, &teardown(1), &[&in_it("stash push --include-untracked")], &[]);
    assert_eq!(tree.git(&["stash", "list"]).out.lines().count(), 2);
    // A lock, git's and ours.
    bare.lane(&["lock", "common", "--agent", "a1"]).ok();
    leads_on(at, &teardown(1), &["git lane unlock common --agent a1"], &[]);
    at.git(&["worktree", "lock", &place]).ok();
    leads_on(at, &teardown(1), &[&format!("git worktree unlock {place}")], &[]);
    // Commits on no branch: there, and remembered.
    for name in ["mine", "kept"] {
        tree.git(&["switch", "-q", "--detach"]).ok();
        quiet(&tree, &["commit", "-q", "--allow-empty", "-m", name]);
        if name == "mine" {
            has(&teardown(1), &in_it("switch -c BRANCH"));
            sh(at, &in_it("switch -q -c mine")).ok();
        }
        quiet(&tree, &["switch", "-q", "feat/a1/main"]);
    }
    let ran = teardown(1);
    let last = quiet(&tree, &["rev-parse", "--short=10", "HEAD@{1}"]).out;
    leads_on(at, &ran, &[&in_it(&format!("branch NAME {}", last.trim()))], &[("NAME", "kept")]);
    // It is elsewhere, or lost its `.git`.
    let there = bare.scratch.home().join("there").display().to_string();
    at.git(&["worktree", "move", &place, &there]).ok();
    leads_on(at, &teardown(2), &[&format!("git worktree move {there} {place}")], &[]);
    std::fs::remove_file(tree.root.join(".git")).unwrap();
    let repair = format!("git -C {} worktree repair", at.root.display());
    has(&bare.lane(&["setup", "a1"]).fails(1), &repair);
    let ran = teardown(1);
    assert_eq!(told(&ran.all()), [&repair, "git lane teardown a1"]);
    sh(at, &repair).ok();
    // A link, which git would not follow.
    let real = bare.scratch.home().join("real");
    std::fs::rename(&tree.root, &real).unwrap();
    std::os::unix::fs::symlink(&real, &tree.root).unwrap();
    let ran = teardown(2);
    let known = format!("git worktree repair {}", real.display());
    assert_eq!(told(&ran.all()), [&known, "git lane teardown a1"]);
    sh(at, &known).ok();
    std::fs::remove_file(&tree.root).unwrap();
    std::fs::rename(&real, &tree.root).unwrap();
    at.git(&["worktree", "repair", &place]).ok();
    // From inside, it goes from outside.
    let ran = tree.lane(&["teardown", "a1"]).fails(2).says("the current folder is in");
    assert_eq!(told(&ran.all()), ["git lane teardown a1"]);
    ran.says(&format!("leave it:\n          cd {}\n", at.root.display()));
    sh(&tree, &format!("cd {} && git lane teardown a1", at.root.display())).ok();
    assert!(!tree.root.exists());
}

#[test]
fn a_worktree_with_a_submodule_goes_once_it_is_looked_at() {
    let (bare, tree) = bare();
    let source = bare.scratch.root().display().to_string();
    let add = ["-c", "protocol.file.allow=always", "submodule", "-q", "add", &source, "sub"];
    quiet(&tree, &add);
    quiet(&tree, &["commit", "-q", "-m", "a submodule"]);
    tree.git(&["update-ref", "refs/heads/main", "HEAD"]).ok();
    let ran = bare.lane(&["teardown", "a1"]).fails(1).says("submodules");
    let told = told(&ran.all());
    assert_eq!(told.len(), 2, "{}", ran.all());
    told.iter().for_each(|command| drop(sh(&bare.at, command).ok()));
    assert!(!tree.root.exists());
}

#[test]
fn a_step_that_failed_is_resumed() {
    let bare = Bare::new(&policy(1, "  - { name: ready, run: \"test -e ready.local\" }\n"));
    let ran = bare.lane(&["setup", "a1"]).fails(1).says("the step ready failed");
    bare.tree("a1").write("ready.local", "x\n");
    leads_on(&bare.at, &ran, &["git lane setup a1 --resume"], &[]);
}

#[test]
fn files_where_a_worktree_was_never_made_whole_are_moved_beside_it() {
    let bare = Bare::new(&policy(1, ""));
    let tree = bare.tree("a1");
    tree.write("mine.txt", "mine\n");
    tree.write(".git", "gitdir: /nowhere\n");
    let notes = bare.at.root.join("lane/setup");
    std::fs::create_dir_all(&notes).unwrap();
    std::fs::create_dir(bare.scratch.home().join("wt-a1.files")).unwrap();
    let note = format!("{{ \"adding\": \"{}\" }}", tree.root.display());
    std::fs::write(notes.join("a1.json"), note).unwrap();
    let ran = bare.lane(&["setup", "a1"]).fails(1).says("is an incomplete worktree");
    let (from, to) = (tree.root.display(), bare.scratch.home().join("wt-a1.files-2"));
    leads_on(&bare.at, &ran, &[&format!("mv {from} {}", to.display()), "git lane setup a1"], &[]);
    assert_eq!(std::fs::read_to_string(to.join("mine.txt")).unwrap(), "mine\n");
    bare.assert_works("a1");
}

#[test]
fn setup_fetches_the_base_that_a_narrow_clone_lacks() {
    let scratch = Scratch::with_policy(&policy(1, ""));
    scratch.add_origin();
    scratch.git(&["push", "-q", "origin", "main:other"]).ok();
    let clone = ["clone", "-q", "--single-branch", "-b", "other", "origin.git", "narrow"];
    scratch.run(&scratch.home(), "git", &clone).ok();
    let narrow = Worktree { root: scratch.home().join("narrow"), home: scratch.home() };
    let fetch = "git fetch origin main:refs/remotes/origin/main";
    has(&narrow.lane(&["doctor"]), fetch);
    let ran = narrow.lane(&["setup", "a1"]).fails(1);
    leads_on(&narrow, &ran, &[fetch, "git lane setup a1"], &[]);
}

#[test]
fn check_fetches_the_base_that_a_narrow_clone_lacks() {
    let scratch = Scratch::new();
    scratch.add_origin();
    scratch.git(&["push", "-q", "origin", "main:feat/a2/x"]).ok();
    let clone = ["clone", "-q", "--single-branch", "-b", "feat/a2/x", "origin.git", "narrow"];
    scratch.run(&scratch.home(), "git", &clone).ok();
    let narrow = Worktree { root: scratch.home().join("narrow"), home: scratch.home() };
    let ran = narrow.lane(&["check"]).fails(2);
    leads_on(&narrow, &ran, &["git fetch origin +refs/heads/main:refs/remotes/origin/main"], &[]);
    narrow.lane(&["check"]).ok();
}

#[test]
fn a_shallow_clone_fetches_more() {
    for all in [false, true] {
        let scratch = Scratch::new();
        scratch.add_origin();
        let tree = scratch.worktree("a2", "feat/a2/x");
        tree.sneak("services/rag_pipeline/x.py", "x\n", "[A2] x");
        tree.sneak("services/rag_pipeline/y.py", "y\n", "[A2] y");
        tree.git(&["push", "-q", "origin", "HEAD"]).ok();
        scratch.main().sneak("base.txt", "x\n", "chore: x");
        scratch.git(&["push", "-q", "origin", "main"]).ok();
        let url = format!("file://{}", scratch.home().join("origin.git").display());
        let clone = ["clone", "-q", "--depth=1", "--no-single-branch", "-b", "feat/a2/x", &url, "shallow"];
        scratch.run(&scratch.home(), "git", &clone).ok();
        let shallow = Worktree { root: scratch.home().join("shallow"), home: scratch.home() };
        let ran = shallow.lane(&["check"]).fails(2);
        let both = ["git fetch --deepen=100 origin", "git fetch --unshallow origin"];
        assert_eq!(told(&ran.all())[..2], both, "{}", ran.all());
        sh(&shallow, both[usize::from(all)]).ok();
        shallow.lane(&["check"]).ok();
    }
}

#[test]
fn a_backend_that_cannot_read_is_left_to_git() {
    let scratch = Scratch::new();
    scratch.add_origin();
    scratch.main().sneak("base.txt", "x\n", "chore: x");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    let url = format!("file://{}", scratch.home().join("origin.git").display());
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--depth=1", &url, "shallow"]).ok();
    let shallow = Worktree { root: scratch.home().join("shallow"), home: scratch.home() };
    shallow.git(&["worktree", "add", "-q", "../linked"]).ok();
    let linked = Worktree { root: scratch.home().join("linked"), home: scratch.home() };
    let ran = sh(&linked, "LANE_GIT_BACKEND=git2 git lane who base.txt").fails(2);
    assert_eq!(told(&ran.all()), ["unset LANE_GIT_BACKEND", "git fetch --unshallow"]);
    sh(&linked, "export LANE_GIT_BACKEND=git2; unset LANE_GIT_BACKEND; git lane who base.txt").ok();
    sh(&linked, "git fetch -q --unshallow").ok();
    sh(&linked, "LANE_GIT_BACKEND=git2 git lane who base.txt").ok();
    let ran = sh(&linked, "LANE_GIT_BACKEND=gitoxide git lane who base.txt").fails(2);
    assert_eq!(told(&ran.all())[0], "unset LANE_GIT_BACKEND");
}

#[test]
fn join_is_told_another_feature_or_place() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    let ran = tree.lane(&["join", "a2", "a b"]).fails(2);
    assert_eq!(told(&ran.all()), ["git lane join a2 my-feature"]);
    scratch.git(&["branch", "feat/a2/taken"]).ok();
    let ran = tree.lane(&["join", "a2", "taken"]).fails(2);
    assert_eq!(told(&ran.all()), ["git switch feat/a2/taken", "git lane join a2 my-feature"]);
    let busy = scratch.worktree("busy", "feat/a2/busy");
    let ran = tree.lane(&["join", "a2", "busy"]).fails(2).says(&busy.root.display().to_string());
    leads_on(&tree, &ran, &["git lane join a2 my-feature"], &[]);
    // It is another's already.
    let ran = tree.lane(&["join", "a1"]).fails(2);
    assert_eq!(told(&ran.all()), ["git lane setup a1"], "{}", ran.all());
    let ran = sh(&busy, "AGENT_ID=a1 git lane join a2").fails(2);
    assert_eq!(told(&ran.all()), ["unset AGENT_ID"], "{}", ran.all());
}

#[test]
fn status_shows_the_way_to_worktrees_that_are_missing() {
    let (scratch, tree) = Scratch::installed();
    let cut = scratch.worktree("cut", "cut");
    std::fs::write(cut.root.join(".git"), "gitdir: /nowhere\n").unwrap();
    let ran = tree.lane(&["status", "-v"]).ok();
    let repair = format!("git -C {}/.git worktree repair", scratch.root().display());
    has(&ran, &repair);
    sh(&tree, &repair).ok();
    cut.git(&["status"]).ok();
    let gone = scratch.worktree("gone", "gone");
    let moved = scratch.home().join("moved");
    std::fs::rename(&gone.root, &moved).unwrap();
    let ran = tree.lane(&["status", "-v"]).ok();
    has(&ran, "git worktree repair NEW_PLACE");
    has(&ran, "git worktree prune");
    sh(&tree, &format!("git worktree repair {}", moved.display())).ok();
    let ran = sh(&tree, "CLAUDECODE=1 git lane status -v").ok();
    has(&ran, "git lane setup a1");
    // Hooks that are not there.
    scratch.worktree("bare-of-hooks", "feat/a3/x");
    let ran = tree.lane(&["doctor"]);
    let there = format!("git lane -C {}/bare-of-hooks install", scratch.home().display());
    has(&ran, &there);
    sh(&tree, &there).ok();
    // A coding agent without a lane.
    let plain = scratch.worktree("plain", "worktree-plain");
    let ran = sh(&plain, "CLAUDECODE=1 git lane status").ok();
    leads_on(&plain, &ran, &["git lane join ID"], &[("git lane join ID", "CLAUDECODE=1 git lane join a4")]);
}

#[test]
fn an_agent_without_a_worktree_gets_one() {
    let policy =
        POLICY.replace("    worktree: ../wt-a3-analytics\n", "").replace("max_age: 3h", "max_age: null");
    let scratch = Scratch::with_policy(&policy);
    let ran = scratch.lane(&["status", "-v"]).ok();
    let commands = ["git worktree add PATH BRANCH", "git lane install --agent ID"];
    commands.iter().for_each(|command| has(&ran, command));
    scratch.git(&["branch", "feat/a3/main"]).ok();
    sh(&scratch.main(), "git worktree add ../wt-a3 feat/a3/main").ok();
    sh(&scratch.main(), "cd ../wt-a3 && git lane install --agent a3").ok();
}

#[test]
fn install_says_where_it_belongs() {
    let scratch = Scratch::new();
    scratch.add_origin();
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "repo", "bare.git"]).ok();
    let bare = Worktree { root: scratch.home().join("bare.git"), home: scratch.home() };
    let main = scratch.main();
    let ran = main.lane(&["install", "--server"]).fails(2);
    let both = ["git lane -C REPOSITORY.git install --server", "git lane install --agent ID"];
    leads_on(&main, &ran, &both, &[("REPOSITORY.git", "../bare.git"), ("ID", "a1")]);
    bare.lane(&["uninstall", "--server"]).ok();
    let ran = bare.lane(&["install"]).fails(2);
    leads_on(&bare, &ran, &["git lane install --server"], &[]);
    let ran = bare.lane(&["uninstall"]).fails(2);
    leads_on(&bare, &ran, &["git lane uninstall --all"], &[]);
    // A worktree of the policy that is not there.
    let ran = main.lane(&["install", "--all"]).ok();
    has(&ran, "git lane setup a2");
    // The worktree's file says somebody else.
    main.write(".agent.env", "AGENT_ID=a4\n");
    let ran = main.lane(&["install", "--agent", "a1"]).ok();
    has(&ran, "git lane install --agent a4");
    sh(&main, "git lane install --agent a4").ok();
    // What stands in the common configuration in one line with others.
    let (other, tree) = Scratch::installed();
    tree.lane(&["uninstall", "--all"]).ok();
    let config = other.root().join(".git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    let root = other.root().display().to_string();
    std::fs::write(&config, text.replace("[core]\n", &format!("[core] worktree = {root}\n"))).unwrap();
    let ran = other.lane(&["install", "--agent", "a1"]).fails(2).says("core.worktree");
    let commands = [
        "git config extensions.worktreeConfig true",
        "git config --worktree core.worktree \"$(git config --local core.worktree)\"",
        "git config --local --unset-all core.worktree",
    ];
    leads_on(&other.main(), &ran, &commands, &[]);
    other.lane(&["install", "--agent", "a1"]).ok();
}

#[test]
fn a_server_with_a_folder_of_its_own() {
    let scratch = Scratch::new();
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "repo", "bare.git"]).ok();
    let bare = Worktree { root: scratch.home().join("bare.git"), home: scratch.home() };
    bare.git(&["config", "extensions.worktreeConfig", "true"]).ok();
    bare.git(&["config", "--worktree", "core.hooksPath", "own-hooks"]).ok();
    let ran = bare.lane(&["install", "--server"]).fails(2);
    let both = ["git config --worktree --unset-all core.hooksPath", "git config core.hooksPath FOLDER"];
    leads_on(&bare, &ran, &both, &[("FOLDER", "own-hooks")]);
    bare.lane(&["install", "--server"]).ok();
}

#[test]
fn init_is_gone_on_with_as_it_says() {
    let scratch = Scratch::empty();
    for service in ["one", "two"] {
        scratch.write(&format!("services/{service}/main.py"), &"line\n".repeat(20));
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.add_origin();
    scratch.git(&["branch", "-q", "-u", "origin/main"]).ok();
    let ran = scratch.lane(&["init"]).ok();
    let commands = [
        "git lane policy check",
        "git lane policy test",
        "git lane policy try",
        "git add policy.yaml",
        "git commit -m 'chore: a policy for our agents' -- policy.yaml",
        "git push",
        "git lane setup",
    ];
    leads_on(&scratch.main(), &ran, &commands, &[]);
    let ran = scratch.lane(&["init"]).fails(2).says("already exists");
    leads_on(&scratch.main(), &ran, &["git lane init --stdout", "git lane install"], &[]);
}

#[test]
fn init_names_the_hooks_where_there_are_worktrees() {
    let scratch = Scratch::empty();
    for service in ["one", "two"] {
        scratch.write(&format!("services/{service}/main.py"), &"line\n".repeat(20));
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.add_origin();
    scratch.git(&["branch", "-q", "-u", "origin/main"]).ok();
    for agent in ["a1", "a2"] {
        scratch.worktree(&format!("wt-{agent}"), &format!("feat/{agent}/main"));
    }
    let ran = scratch.lane(&["init"]).ok().says("install hooks in the worktrees:\n  git lane install --all");
    told(&ran.all()).iter().for_each(|command| drop(sh(&scratch.main(), command).ok()));
    let tree = Worktree { root: scratch.home().join("wt-a1"), home: scratch.home() };
    assert_eq!(tree.git(&["config", "lane.agent"]).ok().out.trim(), "a1");
}

#[test]
fn ports_are_given_and_given_back() {
    let policy = POLICY.replace("ports: 8180-8199", "ports: 28181-28181");
    let scratch = Scratch::with_policy(&policy.replace("max_age: 3h", "max_age: null"));
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let ran = tree.lane(&["port", " "]).fails(2);
    leads_on(&tree, &ran, &["git lane port api"], &[]);
    let ran = tree.lane(&["port", "web"]).fails(2).says("no port of");
    leads_on(&tree, &ran, &["git lane port SERVICE --release"], &[("SERVICE", "api")]);
    let ran = tree.lane(&["port", "web", "--release"]).fails(2);
    leads_on(&tree, &ran, &["git lane port web"], &[]);
    let taken = std::net::TcpListener::bind("127.0.0.1:28181");
    let ran = tree.lane(&["port", "web"]).ok();
    if taken.is_ok() {
        assert_eq!(told(&ran.all()), ["git lane port web --release"]);
        sh(&tree, "git lane port web --release").ok();
    }
}

#[test]
fn commands_that_are_none_or_elsewhere() {
    let (scratch, tree) = Scratch::installed();
    let outside = Worktree { root: scratch.home(), home: scratch.home() };
    let ran = outside.lane(&["status"]).fails(2).says("not a git repository");
    assert_eq!(told(&ran.all()), ["git lane -C FOLDER …"]);
    sh(&outside, "git lane -C a2 status").ok();
    let ran = tree.lane(&["status", "--watch"]).fails(2);
    leads_on(&tree, &ran, &["git lane status --format json"], &[]);
    let ran = tree.lane(&["ci"]).fails(2);
    let both = ["git lane ci --base main --head HEAD --branch feat/a1/x", "git lane check"];
    leads_on(&tree, &ran, &both, &[]);
    let ran = sh(&tree, "GITLAB_CI=true git lane ci").fails(2);
    assert_eq!(told(&ran.all()), ["git lane ci --base A --head B"], "{}", ran.all());
    sh(&tree, "git lane ci --base main --head HEAD").ok();
    tree.write("services/rag_pipeline/new.py", "x\n");
    let ran = tree.lane(&["check"]).ok();
    leads_on(&tree, &ran, &["git lane check --worktree"], &[]);
    let ran = sh(&tree, "GIT_CONFIG_PARAMETERS=\"'core.hooksPath=/x'\" git lane doctor");
    has(&ran, "unset GIT_CONFIG_PARAMETERS");
    let ran = sh(&tree, "AGENT_ID=a1 git lane doctor").fails(1);
    has(&ran, "unset AGENT_ID");
    has(&ran, "git lane install --agent ID");
    sh(&tree, "git lane install --agent a2").ok();
}
