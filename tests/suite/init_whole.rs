//! `git lane init` that does more than write a policy: the questions on a terminal, and the options that answer them.

use std::path::Path;

use crate::advice::sh;
use crate::support::terminal::Tmux;
use crate::support::{LANE, Scratch, Worktree};

/// A shop with two services, owners, a harness in use and a host.
fn shop() -> Scratch {
    let scratch = Scratch::empty();
    for (path, text) in [
        ("services/api/x", "1\n"),
        ("services/web/x", "1\n"),
        (".github/CODEOWNERS", "/services/api/ @org/api\n"),
        (".claude/settings.json", "{}\n"),
    ] {
        scratch.write(path, text);
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "one"]).ok();
    scratch.write("services/api/x", "2\n");
    scratch.write("services/web/x", "2\n");
    scratch.git(&["commit", "-q", "-a", "-m", "both"]).ok();
    let origin = scratch.home().join("github.com/shop.git");
    scratch.git(&["init", "-q", "--bare", "-b", "main", origin.to_str().unwrap()]).ok();
    scratch.git(&["remote", "add", "origin", origin.to_str().unwrap()]).ok();
    scratch
}

const WRITTEN: [&str; 3] = ["policy.yaml", ".github/workflows/policy.yml", ".claude/settings.local.json"];

fn written(scratch: &Scratch) -> Vec<&'static str> {
    let status = scratch.git(&["status", "--porcelain", "-uall", "--ignored"]).ok().out;
    let is_there = |path: &&str| status.contains(&format!(" {path}\n"));
    WRITTEN.into_iter().filter(is_there).collect()
}

#[test]
fn questions_are_asked_on_a_terminal_and_nothing_is_written_before_the_last() {
    let scratch = shop();
    let tree = scratch.main();
    let Some(tmux) = Tmux::start(&tree) else { return };
    let folder = Path::new(LANE).parent().unwrap().display().to_string();
    tmux.run(&["resize-window", "-t", "w", "-x", "100", "-y", "60"]);
    let start = |variables: &str| {
        format!("clear; PATH={folder}:$PATH {variables} git lane init; echo en''ded $? {variables}")
    };
    let ask = |question: &str, answer: &[&str]| {
        tmux.until(question, |screen| {
            screen.lines().rfind(|line| !line.trim().is_empty()).is_some_and(|line| line.contains(question))
        });
        tmux.keys(answer);
    };
    // Whoever goes away at the last question but one has changed nothing.
    for leave in ["C-c", "C-d"] {
        tmux.keys(&[&start(""), "Enter"]);
        ask("Into which branch are changes merged? [main]", &["none", "Enter"]);
        ask("Into which branch are changes merged? [main]", &["Enter"]);
        ask("Take the lanes from .github/CODEOWNERS? (n: divide the folders) [y/N]", &["Enter"]);
        ask("How many agents? [2]", &["many", "Enter"]);
        ask("How many agents? [2]", &["Enter"]);
        ask("Show the whole policy? [y/N]", &["n", "Enter"]);
        ask("Enforce it from the start? (n: only observe at first) [Y/n]", &["n", "Enter"]);
        ask("Install the git hooks in this worktree? [Y/n]", &["Enter"]);
        ask("Install the hooks of Claude Code? [Y/n]", &[leave]);
        tmux.until(leave, |screen| screen.contains("ended ") || screen.trim_end().ends_with(['#', '$']));
        assert_eq!(written(&scratch), [""; 0]);
        assert!(!scratch.root().join(".git/lane").exists());
    }
    tmux.keys(&[&start("NO_COLOR=1 TERM=dumb"), "Enter"]);
    ask("Into which branch", &["Enter"]);
    ask("Take the lanes", &["n", "Enter"]);
    ask("How many agents?", &["Enter"]);
    ask("Show the whole policy?", &["Enter"]);
    // The one change is in both lanes.
    tmux.until("tried", |screen| screen.contains("tried on the last 1 merged change: 1 would be refused"));
    ask("Enforce it from the start?", &["n", "Enter"]);
    ask("Install the git hooks", &["y", "Enter"]);
    ask("Install the hooks of Claude Code?", &["n", "Enter"]);
    ask("Write a job for GitHub, .github/workflows/policy.yml? [Y/n]", &["Enter"]);
    let said = tmux.until("done", |screen| screen.contains("ended 0"));
    assert!(said.contains("git push -u origin main") && said.contains("write `mode: enforce`"), "{said}");
    assert_eq!(written(&scratch), WRITTEN[..2]);
    let policy = std::fs::read_to_string(scratch.root().join("policy.yaml")).unwrap();
    assert!(policy.contains("\nmode: observe "), "{policy}");
    assert!(!policy.contains("harness:"), "no is no: {policy}");
    // And back, as it says.
    scratch.lane(&["uninstall", "--all"]).ok();
    std::fs::remove_file(scratch.root().join("policy.yaml")).unwrap();
    std::fs::remove_file(scratch.root().join(WRITTEN[1])).unwrap();
    assert_eq!(scratch.git(&["status", "--porcelain", "--ignored"]).ok().out, "");
    // Nobody sits at the terminal of a job, and an agent would wait for itself.
    for variables in ["CI=true", "CLAUDECODE=1", "AGENT_ID=a1"] {
        tmux.keys(&[&start(variables), "Enter"]);
        tmux.until(variables, |screen| screen.contains(&format!("ended 0 {variables}")));
        std::fs::remove_file(scratch.root().join("policy.yaml")).unwrap();
    }
}

#[test]
fn options_answer_every_question() {
    let scratch = shop();
    let said = scratch.lane(&["init", "--yes"]).ok().says(&format!("wrote {}", WRITTEN[1])).out;
    assert_eq!(written(&scratch), WRITTEN);
    // Every command that it names, as it names it; the first refusal is a commit away.
    let (next, back) = said.split_once("to take it back").unwrap();
    let commands = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix("  git "))
            .map(|rest| format!("git {rest}"))
            .collect()
    };
    assert_eq!(commands(next).len(), 7, "{said}");
    assert!(said.contains("in the place of OWNER/git-lane@COMMIT, by its commit"), "{said}");
    for command in commands(next) {
        sh(&scratch.main(), &command).ok();
    }
    let a1 = Worktree { root: scratch.home().join("repo-a1"), home: scratch.home() };
    a1.write("services/web/x", "3\n");
    a1.git(&["commit", "-q", "-a", "-m", "feat: x"]).fails(1).says("error[foreign-path]");
    a1.lane(&["who", WRITTEN[1]]).ok().says("maintainers");
    commands(back).iter().for_each(|command| drop(sh(&scratch.main(), command).ok()));
    a1.git(&["commit", "-q", "-a", "-m", "feat: x"]).ok();
}

#[test]
fn programs_are_told_what_was_done() {
    let scratch = shop();
    let done = scratch.lane(&["init", "-y", "--format", "json"]).ok().json();
    assert_eq!(done["done"]["job"], WRITTEN[1]);
    assert_eq!(done["done"]["hooks"]["worktrees"][0]["state"], "created");
    assert_eq!(done["done"]["harnesses"][0]["harness"], "claude");
}

#[test]
fn only_what_is_asked_for_is_done() {
    for (args, expected) in [
        (&["init"][..], &WRITTEN[..1]),
        (&["init", "--ci", "github"], &WRITTEN[..2]),
        (&["init", "--harness", "auto"], &[WRITTEN[0], WRITTEN[2]]),
        (&["init", "--hooks", "--observe"], &WRITTEN[..1]),
    ] {
        let scratch = shop();
        scratch.lane(args).ok();
        assert_eq!(written(&scratch), expected, "{args:?}");
        let has_hooks = scratch.root().join(".git/lane/hooks").exists();
        assert_eq!(has_hooks, args.contains(&"--hooks"), "{args:?}");
        scratch.lane(&["policy", "check"]).ok().does_not_say("warning");
    }
}

/// A file of theirs is never written over, and a mistake is told before anything is done.
#[test]
fn what_is_there_stays() {
    let scratch = shop();
    scratch.write(WRITTEN[1], "theirs\n");
    scratch.lane(&["init", "--ci", "github", "--hooks"]).fails(2).says("already exists");
    scratch.lane(&["init", "--harness", "emacs", "--hooks"]).fails(2).says("unknown harness `emacs`");
    scratch.lane(&["init", "--base", "nope", "--yes"]).fails(2).says("there is no branch `nope`");
    scratch.write(WRITTEN[2], "{ no json\n");
    scratch.lane(&["init", "--harness", "claude", "--hooks"]).fails(2);
    assert!(!scratch.root().join("policy.yaml").exists() && !scratch.root().join(".git/lane/hooks").exists());
    std::fs::remove_file(scratch.root().join(WRITTEN[2])).unwrap();
    scratch.lane(&["init", "--yes"]).ok().does_not_say(&format!("wrote {}", WRITTEN[1]));
    assert_eq!(std::fs::read_to_string(scratch.root().join(WRITTEN[1])).unwrap(), "theirs\n");
}

#[test]
fn nothing_is_written_behind_a_link() {
    let scratch = shop();
    let outside = scratch.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, scratch.root().join(".gitlab")).unwrap();
    scratch.lane(&["init", "--ci", "gitlab"]).fails(2).says(".gitlab is no folder");
    assert!(!scratch.root().join("policy.yaml").exists() && outside.read_dir().unwrap().next().is_none());
}

/// What is written for a host is a job that its own reader takes.
#[test]
fn a_job_for_gitlab_says_what_is_left_to_do_and_is_no_agents_to_edit() {
    let scratch = shop();
    scratch
        .lane(&["init", "--ci", "gitlab", "--from", ".github/CODEOWNERS"])
        .ok()
        .says("wrote .gitlab/git-lane.yml")
        .says("then, add to .gitlab-ci.yml: include: [{ local: .gitlab/git-lane.yml }]");
    let text = std::fs::read_to_string(scratch.root().join(".gitlab/git-lane.yml")).unwrap();
    assert!(text.contains("git-lane ci --write gitlab=gl-code-quality.json"), "{text}");
    for path in [".gitlab/git-lane.yml", ".gitlab-ci.yml"] {
        scratch.lane(&["who", path]).ok().says("maintainers");
    }
}

/// Wherever it is run, the commands that it names are for there.
#[test]
fn the_next_commands_are_for_where_somebody_stands() {
    let scratch = shop();
    scratch.git(&["remote", "rename", "origin", "upstream"]).ok();
    scratch.git(&["push", "-q", "upstream", "main"]).ok();
    scratch.git(&["switch", "-q", "-c", "topic"]).ok();
    scratch.write(".gitignore", "*.yaml\n");
    scratch.write("staged", "x\n");
    scratch.git(&["add", "staged"]).ok();
    // A worktree for a hotfix is nobody's lane.
    scratch.worktree("hotfix", "hotfix/1");
    let services = Worktree { root: scratch.root().join("services"), home: scratch.home() };
    let said = sh(&services, &format!("'{LANE}' init --agents 2")).ok().out;
    let root = scratch.root().display().to_string();
    let landing: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("  git -C "))
        .filter(|line| !line.contains(" lane "))
        .collect();
    assert_eq!(landing[0], format!("{root} switch main"), "{said}");
    assert_eq!(landing[3], format!("{root} push -u upstream main"), "{said}");
    for command in landing {
        sh(&services, &format!("git -C {command}")).ok();
    }
    assert_eq!(scratch.git(&["show", "--name-only", "--format=", "upstream/main"]).ok().out, "policy.yaml\n");
    assert!(scratch.git(&["diff", "--cached", "--name-only"]).ok().out.contains("staged"));
    scratch.lane(&["policy", "check"]).ok().does_not_say("warning");
    let plain = shop();
    plain.worktree("hotfix", "hotfix/1");
    plain.lane(&["init"]).ok().says("2 agents").says("note: the worktree ../hotfix got no agent");
}
