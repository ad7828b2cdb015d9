//! `git lane setup` on real repositories: made whole, run again, killed, two at once.
#![cfg(unix)]

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::Duration;

use crate::support::setup::{Bare, policy};
use crate::support::terminal::Tmux;
use crate::support::{LANE, Scratch, stable};

#[test]
fn from_a_bare_clone_to_four_worktrees_and_again() {
    let bare = Bare::new(&policy(4, "  - { name: stamp, run: \"echo $AGENT_ID $KEY >stamp.local\" }\n"));
    let before = bare.everything();
    let dry = bare.lane(&["setup", "--dry-run"]).ok().says("a4").says("would run stamp");
    assert!(bare.everything() == before, "a dry run changes nothing");
    insta::assert_snapshot!(stable(
        &dry.out.split("a2  ").next().unwrap().replace(env!("CARGO_MANIFEST_DIR"), ""),
        &bare.scratch
    ));
    bare.lane(&["setup"]).ok().says("created the worktree").says("ran stamp");
    for agent in ["a1", "a2", "a3", "a4"] {
        bare.assert_works(agent);
        let stamp = std::fs::read_to_string(bare.tree(agent).root.join("stamp.local")).unwrap();
        assert_eq!(stamp.trim(), agent);
    }
    let before = bare.everything();
    bare.lane(&["setup"]).ok().says("a3  ").says("nothing to do").does_not_say("made the");
    let after = bare.everything();
    let changed: Vec<_> = after.keys().filter(|path| after.get(*path) != before.get(*path)).collect();
    assert!(after == before, "{changed:?}");
    bare.lane(&["setup", "--dry-run"]).ok().does_not_say("would");
    bare.lane(&["setup", "--resume"]).ok().says("nothing to resume: no step failed, and none is left");
}

#[test]
fn forty_worktrees_with_one_command() {
    let bare = Bare::new(&policy(40, ""));
    bare.lane(&["setup"]).ok();
    for n in 1..=40 {
        let tree = bare.tree(&format!("a{n}"));
        assert_eq!(tree.git(&["config", "lane.agent"]).ok().out.trim(), format!("a{n}"));
        assert_eq!(tree.git(&["status", "--porcelain"]).ok().out, "");
    }
    bare.assert_works("a40");
}

#[test]
fn from_inside_a_plain_clone_and_only_who_is_named() {
    let scratch = Scratch::with_policy(&policy(2, ""));
    scratch.lane(&["setup", "a2"]).ok().says("a2  ").does_not_say("a1  ");
    assert!(!scratch.home().join("wt-a1").exists());
    let status = scratch.run(&scratch.home().join("wt-a2"), "git", &["status", "--porcelain"]).ok();
    assert_eq!(status.out, "");
    scratch.lane(&["setup", "a3"]).fails(2).says("unknown agent").says("did you mean");
}

#[test]
fn what_the_user_changed_stays() {
    let bare = Bare::new(
        &policy(1, "")
            .replace("areas:", "setup: { instructions: [AGENT_FOCUS.md, CLAUDE.local.md] }\nareas:"),
    );
    bare.lane(&["setup"]).ok().says("wrote CLAUDE.local.md");
    let tree = bare.tree("a1");
    let focus = tree.root.join("AGENT_FOCUS.md");
    std::fs::write(&focus, "mine\n").unwrap();
    std::fs::remove_file(tree.root.join("CLAUDE.local.md")).unwrap();
    bare.lane(&["setup"]).ok().says("note: AGENT_FOCUS.md").says("wrote CLAUDE.local.md");
    assert_eq!(std::fs::read_to_string(&focus).unwrap(), "mine\n");
    assert_eq!(tree.git(&["status", "--porcelain"]).ok().out, "");
    // What nobody changed follows the policy.
    std::fs::remove_file(&focus).unwrap();
    bare.lane(&["setup"]).ok();
    let text = policy(1, "").replace("Agent 1", "Another");
    bare.scratch.write("policy.yaml", &text);
    bare.scratch.git(&["commit", "-qam", "rename"]).ok();
    bare.at.git(&["fetch", "-q", "origin", "main:main"]).ok();
    bare.lane(&["setup"]).ok().says("updated .agent.env").says("updated AGENT_FOCUS.md");
    assert!(std::fs::read_to_string(&focus).unwrap().contains("Another"));
}

#[test]
fn nothing_of_the_users_is_in_the_way_of_anything() {
    let bare = Bare::new(&policy(2, ""));
    let mine = bare.scratch.home().join("wt-a1/mine.txt");
    std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
    std::fs::write(&mine, "mine").unwrap();
    bare.at.git(&["branch", "feat/a2/main", "main~1"]).ok();
    let tip = bare.at.git(&["rev-parse", "feat/a2/main"]).ok().out;
    bare.lane(&["setup"])
        .fails(1)
        .says("a1: ")
        .says("exists, but is not a worktree of this repository")
        .says("move it");
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    bare.assert_works("a2");
    assert_eq!(bare.at.git(&["rev-parse", "feat/a2/main"]).ok().out, tip, "a branch that was there stays");
    // A worktree whose folder somebody removed is made anew, on its branch.
    std::fs::remove_dir_all(bare.tree("a2").root).unwrap();
    bare.lane(&["setup", "a2"]).ok();
    bare.assert_works("a2");
}

#[test]
fn two_at_once() {
    let bare = Bare::new(&policy(6, "  - { name: count, run: \"echo once >>count.local; sleep 0.3\" }\n"));
    let start = |ids: &[&str]| {
        let mut command = bare.command(&[&["setup"], ids].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let all = [start(&[]), start(&[]), start(&["a5", "a2"])];
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for agent in ["a1", "a2", "a3", "a4", "a5", "a6"] {
        bare.assert_works(agent);
        let count = std::fs::read_to_string(bare.tree(agent).root.join("count.local")).unwrap();
        assert_eq!(count, "once\n", "{agent}");
    }
    let config = bare.at.git(&["config", "-l", "--local"]).ok().out;
    assert_eq!(config.matches("extensions.worktreeconfig").count(), 1, "{config}");
}

#[test]
fn the_lock_of_a_branch_that_a_killed_git_left_is_cleared_away() {
    let bare = Bare::new(&policy(1, ""));
    let start = bare.at.git(&["rev-parse", "main"]).ok().out;
    let state = bare.at.root.join("lane/setup");
    std::fs::create_dir_all(&state).unwrap();
    for left in ["", start.as_str()] {
        let lock = bare.at.root.join("refs/heads/feat/a1/main.lock");
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(&lock, left).unwrap();
        let adding = serde_json::json!({ "adding": bare.tree("a1").root });
        std::fs::write(state.join("a1.json"), adding.to_string()).unwrap();
        bare.lane(&["setup"]).ok();
        bare.assert_works("a1");
        assert!(!lock.exists());
        bare.at.git(&["worktree", "remove", "--force", bare.tree("a1").root.to_str().unwrap()]).ok();
        bare.at.git(&["branch", "-q", "-D", "feat/a1/main"]).ok();
        let _ = std::fs::remove_file(state.join("a1.json"));
    }
}

#[test]
fn a_config_lock_of_another_git_is_waited_for() {
    let bare = Bare::new(&policy(2, ""));
    let lock = bare.at.root.join("config.lock");
    std::fs::write(&lock, "").unwrap();
    let child = bare.command(&["setup"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    std::fs::remove_file(&lock).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    bare.assert_works("a1");
}

/// Killed with all that it started, or alone, after so many milliseconds; then run again.
fn killed(millis: u64, with_children: bool) {
    let bare = Bare::new(&policy(3, "  - { name: slow, run: \"sleep 0.4; echo $AGENT_ID >slow.local\" }\n"));
    let mut command = bare.command(&["setup"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(millis));
    let id = child.id().to_string();
    let whom = if with_children { format!("-{id}") } else { id };
    let _ = bare.at.command("kill").args(["-9", "--", &whom]).stderr(Stdio::null()).status().unwrap();
    child.wait().unwrap();
    bare.lane(&["setup"]).ok();
    for agent in ["a1", "a2", "a3"] {
        bare.assert_works(agent);
        let text = std::fs::read_to_string(bare.tree(agent).root.join("slow.local")).unwrap();
        assert_eq!(text.trim(), agent, "after {millis} ms");
    }
    assert!(
        !bare
            .at
            .root
            .join("lane/setup")
            .read_dir()
            .unwrap()
            .flatten()
            .any(|entry| { std::fs::read_to_string(entry.path()).unwrap_or_default().contains("adding") })
    );
}

#[test]
fn killed_at_any_point_and_run_again() {
    for millis in [2, 12, 20, 30, 45, 60, 90, 130, 200, 320] {
        killed(millis, true);
    }
}

#[test]
fn killed_alone_while_its_children_go_on() {
    for millis in [15, 40, 75, 250] {
        killed(millis, false);
    }
}

/// What `git worktree add` leaves when it is killed, made by hand, one for each moment of it.
#[test]
fn every_moment_of_a_killed_git() {
    for moment in ["locked", "gitdir", "pointer", "head", "half", "index"] {
        let bare = Bare::new(&policy(1, ""));
        let tree = bare.tree("a1");
        let path = tree.root.to_str().unwrap();
        bare.at.git(&["worktree", "add", "-q", "--no-track", "-b", "feat/a1/main", path, "main"]).ok();
        let entry = bare.at.root.join("worktrees/wt-a1");
        std::fs::write(entry.join("locked"), "initializing").unwrap();
        let files = || std::fs::read_dir(&tree.root).unwrap().flatten().map(|entry| entry.path());
        let empty = || {
            for path in files().filter(|path| !path.ends_with(".git")) {
                if path.is_dir() {
                    std::fs::remove_dir_all(path).unwrap()
                } else {
                    std::fs::remove_file(path).unwrap()
                }
            }
            std::fs::remove_file(entry.join("index")).unwrap();
        };
        match moment {
            "locked" => {
                empty();
                std::fs::remove_dir_all(&tree.root).unwrap();
                for name in ["gitdir", "HEAD", "commondir", "ORIG_HEAD"] {
                    let _ = std::fs::remove_file(entry.join(name));
                }
            }
            "gitdir" => {
                empty();
                std::fs::remove_file(tree.root.join(".git")).unwrap();
                std::fs::remove_file(entry.join("HEAD")).unwrap();
            }
            "pointer" => {
                empty();
                std::fs::remove_file(entry.join("commondir")).unwrap();
            }
            "head" => {
                empty();
                std::fs::write(entry.join("HEAD"), format!("{}\n", "0".repeat(40))).unwrap();
            }
            "half" => {
                std::fs::rename(entry.join("index"), entry.join("index.lock")).unwrap();
                std::fs::write(tree.root.join("data/7.txt"), "7\n7\n7").unwrap();
                std::fs::write(tree.root.join("data/8.txt"), "").unwrap();
                std::fs::remove_file(tree.root.join("requirements.txt")).unwrap();
            }
            // All is checked out; HEAD was about to be written.
            _ => std::fs::write(entry.join("HEAD.lock"), "").unwrap(),
        }
        let notes = bare.at.root.join("lane/setup");
        std::fs::create_dir_all(&notes).unwrap();
        std::fs::write(notes.join("a1.json"), format!("{{ \"adding\": \"{path}\" }}")).unwrap();
        bare.lane(&["setup"]).ok();
        bare.assert_works("a1");
        let left = ["locked", "HEAD.lock"].map(|name| entry.join(name).exists());
        assert_eq!(left, [false; 2], "{moment}");
    }
}

#[test]
fn a_failing_step_is_named_and_gone_on_with() {
    let steps = "  - { name: first, run: \"echo one >>first.local\" }\n  \
                 - { name: build, run: \"seq 1 50; echo no such thing >&2; test -e ok.local || exit 3\" }\n  \
                 - { name: last, run: \"touch last.local\" }\n";
    let bare = Bare::new(&policy(2, steps));
    let ran = bare.lane(&["setup"]).fails(1);
    let ran = ran.says("a1: the step build failed (exit code 3)").says("| no such thing").says("| 50");
    let ran = ran.does_not_say("| 12\n").says("git lane setup a1 --resume").says("lane/logs/a1/build.log");
    insta::assert_snapshot!(
        stable(ran.err.split("error: a2").next().unwrap(), &bare.scratch)
            .lines()
            .filter(|line| !line.starts_with('a'))
            .collect::<Vec<_>>()
            .join("\n")
    );
    let log = std::fs::read_to_string(bare.at.root.join("lane/logs/a1/build.log")).unwrap();
    assert!(log.starts_with("1\n2\n") && log.ends_with("no such thing\n"), "{log}");
    assert!(!bare.tree("a1").root.join("last.local").exists());
    std::fs::write(bare.tree("a1").root.join("ok.local"), "").unwrap();
    bare.lane(&["setup", "a1", "--resume"]).ok().says("ran build").says("ran last").does_not_say("ran first");
    assert_eq!(std::fs::read_to_string(bare.tree("a1").root.join("first.local")).unwrap(), "one\n");
    let json = bare.lane(&["setup", "--resume", "--format", "json"]).fails(1).json();
    assert_eq!(
        (json[0]["agent"].as_str(), json[0]["steps"][1]["state"].as_str()),
        (Some("a2"), Some("failed"))
    );
}

#[test]
fn a_step_that_waits_for_a_variable() {
    let bare = Bare::new(&policy(
        1,
        "  - { name: schema, run: \"echo $DATABASE_URL >url.local\", when: DATABASE_URL }\n",
    ));
    bare.lane(&["setup"]).ok().says("skipped schema: DATABASE_URL is not set");
    bare.at.lane_env(&["setup"], &[("DATABASE_URL", "postgresql://h/d")]).ok().says("ran schema");
    let url = std::fs::read_to_string(bare.tree("a1").root.join("url.local")).unwrap();
    assert_eq!(url, "postgresql://h/d?options=-csearch_path%3Dagent_a1%2Cpublic\n");
    let env = std::fs::read_to_string(bare.tree("a1").root.join(".agent.env")).unwrap();
    assert!(!env.contains("//h/d"), "no address, which may hold a password, is written down:\n{env}");
}

#[test]
fn secrets_stay_out_of_what_is_kept_and_shown() {
    let steps = "  - { name: build, run: \"echo key=$KEY url=$DATABASE_URL home=$HOME; exit 3\" }\n";
    let bare = Bare::new(&policy(1, steps));
    let outside = [("KEY_A1", "s3cr3t key"), ("DATABASE_URL", "postgresql://me:pa%73s@h/d")];
    let ran = bare.at.lane_env(&["setup"], &outside).fails(1).says("key=*** url=postgresql://me:***@h/d");
    assert!(!ran.out.contains("s3cr3t") && !ran.err.contains("pa%73s"), "{}", ran.err);
    let log = std::fs::read_to_string(bare.at.root.join("lane/logs/a1/build.log")).unwrap();
    assert!(log.starts_with("key=*** url=postgresql://me:***@h/d?options="), "{log}");
    assert!(log.contains(&format!("home={}", bare.scratch.home().display())), "{log}");
}

#[test]
fn a_worktree_that_was_moved_or_is_broken_is_not_made_anew() {
    let bare = Bare::new(&policy(2, ""));
    bare.lane(&["setup"]).ok();
    let (home, root) = (bare.scratch.home(), bare.tree("a1").root);
    std::fs::rename(&root, home.join("moved")).unwrap();
    bare.lane(&["setup", "a1"]).fails(1).says("was moved to").says("git worktree move");
    bare.lane(&["setup", "--resume"]).fails(1).says("was moved to");
    std::fs::rename(home.join("moved"), &root).unwrap();
    bare.lane(&["setup", "--resume"]).ok().does_not_say("a2");
    bare.lane(&["setup", "--resume"]).ok().says("no step failed");
    let head = bare.at.root.join("worktrees/wt-a1/HEAD");
    let text = std::fs::read_to_string(&head).unwrap();
    std::fs::write(&head, "garbage\n").unwrap();
    bare.lane(&["setup"]).fails(1).says("wt-a1").says("HEAD");
    bare.tree("a2").lane(&["doctor"]).says("wt-a1");
    std::fs::write(&head, text).unwrap();
    bare.tree("a2").lane(&["doctor"]).says(", all intact");
    bare.assert_works("a1");
}

#[test]
fn worktrees_inside_the_main_one_with_odd_names() {
    let scratch = Scratch::with_policy(&policy(1, "").replace("../wt-a1", "'w/t [x]*'"));
    scratch.lane(&["setup"]).ok();
    assert_eq!(scratch.git(&["status", "--porcelain"]).ok().out, "");
}

#[test]
fn bars_on_a_terminal() {
    let wait = "while test ! -e ../go; do sleep 0.05; done";
    let steps = format!("  - {{ name: first, run: \"true\" }}\n  - {{ name: second, run: \"{wait}\" }}\n");
    let bare = Bare::new(&policy(2, &steps));
    let Some(tmux) = Tmux::start(&bare.at) else { return };
    tmux.keys(&[&format!("clear; {LANE} setup; echo code $?"), "Enter"]);
    tmux.until("at the second step", |screen| {
        let is_at = |agent: &str| {
            let mut lines = screen.lines().map(str::trim);
            lines.any(|line| line.starts_with(agent) && line.contains("] 1/2 second"))
        };
        is_at("a1 [=") && is_at("a2 [=")
    });
    std::fs::write(bare.scratch.home().join("go"), "").unwrap();
    let after = tmux.until("done", |screen| screen.contains("code 0"));
    assert!(!after.contains('[') && after.matches("ran second").count() == 2, "{after}");
}

#[test]
fn taken_ports_are_named() {
    let (listener, port) =
        (22_000..30_000).find_map(|port| Some((TcpListener::bind(("127.0.0.1", port)).ok()?, port))).unwrap();
    let text = policy(1, "").replace("ports: 21010-21014", &format!("ports: {port}-{}", port + 1));
    let bare = Bare::new(&text);
    let me = format!("(pid {})", std::process::id());
    bare.lane(&["setup", "--dry-run"]).ok().says(&format!("port {port} is taken by")).says(&me);
    bare.lane(&["setup"]).ok().says(&format!("port {port} is taken by")).says(&me);
    let tree = bare.tree("a1");
    tree.lane(&["doctor"]).says(&format!("{port} is taken by")).says(&me);
    assert_eq!(tree.lane(&["port", "api"]).ok().out, format!("{}\n", port + 1));
    assert_eq!(
        tree.lane(&["port", "api"]).ok().out,
        format!("{}\n", port + 1),
        "`git lane port SERVICE` prints a stable port for a service"
    );
    tree.lane(&["port", "db"]).fails(2).says("no port of").says(&me);
    drop(listener);
    assert_eq!(tree.lane(&["port", "db"]).ok().out, format!("{port}\n"));
    tree.lane(&["port", "more"]).fails(2).says(&format!("api {}", port + 1));
}

#[test]
fn new_indexes_are_later_than_their_files() {
    let bare = Bare::new(&policy(2, ""));
    bare.lane(&["setup"]).ok();
    let second = |path: &std::path::Path| {
        let time = std::fs::metadata(path).unwrap().modified().unwrap();
        time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    };
    for agent in ["a1", "a2"] {
        let tree = bare.tree(agent);
        let index = tree.git(&["rev-parse", "--path-format=absolute", "--git-path", "index"]).ok().out;
        let files = tree.git(&["ls-files"]).ok().out;
        let last = files.lines().map(|file| second(&tree.root.join(file))).max().unwrap();
        assert!(
            second(std::path::Path::new(index.trim())) > last,
            "else git reads the files again each time"
        );
    }
}
