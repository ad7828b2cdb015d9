//! What the messages of `git lane land` say is to be done, done in the state in which they say it.

use std::time::{Duration, Instant};

use crate::advice::{commands, sh};
use crate::land::{clones, work};
use crate::support::LANE;
use crate::support::locks::Clones;
use crate::support::{Ran, Worktree};

/// Types the command that stands after some words of a help.
fn follow(tree: &Worktree, ran: &Ran, words: &str) -> Ran {
    let (all, words) = (ran.all(), words.trim_end_matches(": "));
    let rest = all.split_once(words).unwrap_or_else(|| panic!("no `{words}` in:\n{all}")).1;
    let command = rest.trim_start_matches(':').trim().lines().next().unwrap().trim();
    assert!(commands(&all).iter().any(|named| named == command), "{command} in:\n{all}");
    sh(tree, command)
}

#[test]
fn what_waits_is_listed_landed_and_withdrawn() {
    let clones = clones("");
    let Clones { one, two, .. } = &clones;
    work(one, "orchestrator", "one");
    let asked = one.lane(&["land", "--no-wait"]).ok();
    follow(one, &asked, "see how it stands: ").ok().says("waits    feat/a1/x");
    let listed = one.lane(&["land", "--list"]).ok();
    let withdrawn = one.lane(&["land", "--withdraw"]).ok();
    assert!(withdrawn.out.contains("no longer waits"));
    one.lane(&["land", "--no-wait"]).ok();
    follow(one, &listed, "land what waits: ").ok().says("landed feat/a1/x");
    one.lane(&["land", "--no-wait"]).ok();
    follow(one, &asked, "land what waits: ").ok().says("is on main already");
    let again = two.lane(&["land", "--withdraw", "feat/a2/x"]).fails(2);
    follow(two, &again, "list the queue: ").ok().says("nothing waits");
}

#[test]
fn a_branch_is_named_or_found() {
    let clones = clones("");
    let one = &clones.one;
    work(one, "orchestrator", "one");
    one.lane(&["push"]).ok();
    let none = one.lane(&["land", "feat/a1/none"]).fails(2);
    follow(one, &none, "list the branches: ").ok().says("feat/a1/x");
    one.git(&["switch", "-q", "--detach"]).ok();
    one.lane(&["land", "--withdraw"]).fails(2).says("git lane land --withdraw BRANCH");
    one.lane(&["land"]).fails(2).says("git lane land BRANCH");
    one.lane(&["land", "feat/a1/x", "--no-wait"]).ok();
    one.lane(&["land", "--withdraw", "feat/a1/x"]).ok();
    one.git(&["switch", "-q", "feat/a1/x"]).ok();
    // What it has by then.
    one.lane(&["land", "--no-wait"]).ok();
    work(one, "orchestrator", "more");
    one.lane(&["push"]).ok();
    clones.two.lane(&["land", "--all"]).fails(1);
    let result = one.lane(&["land", "--list", "--format", "json"]).ok().json();
    let help = result["queues"][0]["results"][0]["help"].as_str().unwrap();
    assert_eq!(help, "land what it has now: git lane land feat/a1/x");
    one.lane(&["land", "feat/a1/x"]).ok().says("go on from there");
}

#[test]
fn an_interrupted_landing_goes_on() {
    let clones = clones("run: ['test -e $HOME/go || { touch $HOME/here; sleep 60; }']");
    let Clones { one, scratch, .. } = &clones;
    work(one, "orchestrator", "one");
    let mut interrupted = Vec::new();
    for _ in 0..2 {
        let (here, started) = (scratch.home().join("here"), Instant::now());
        let _ = std::fs::remove_file(&here);
        let mut command = one.command(LANE);
        let lander = command.arg("land").stderr(std::process::Stdio::piped()).spawn().unwrap();
        while !here.exists() && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        one.command("kill").args(["-INT", &lander.id().to_string()]).status().unwrap();
        let ran: Ran = lander.wait_with_output().unwrap().into();
        assert_eq!(ran.code, 130, "{}", ran.all());
        interrupted.push(ran);
    }
    follow(one, &interrupted[0], "or take it out: ").ok().says("no longer waits");
    one.lane(&["land", "--no-wait"]).ok();
    std::fs::write(scratch.home().join("go"), "").unwrap();
    follow(one, &interrupted[1], "go on: ").ok().says("landed feat/a1/x");
}

#[test]
fn a_base_that_never_stands_still() {
    let clones = clones(
        "run: ['git -C $HOME/clone-a2 commit -q --no-verify --allow-empty -m other && git -C $HOME/clone-a2 push -q --no-verify origin HEAD:main']",
    );
    let one = &clones.one;
    work(one, "orchestrator", "one");
    let ran = one.lane(&["land"]).fails(2).says("others moved `main` each time");
    one.git(&["fetch", "-q"]).ok();
    follow(one, &ran, "see who pushes to it: ").ok().says("other");
}

#[test]
fn whoever_lands_has_a_name() {
    let clones = clones("squash: true");
    let one = &clones.one;
    work(one, "orchestrator", "one");
    work(one, "orchestrator", "two");
    one.lane(&["push"]).ok();
    one.git(&["config", "user.useConfigOnly", "true"]).ok();
    let nameless = || {
        let mut command = one.command(LANE);
        command.arg("land").env_remove("GIT_COMMITTER_NAME").env_remove("GIT_COMMITTER_EMAIL");
        let ran: Ran = command.output().unwrap().into();
        ran
    };
    nameless().fails(2).says("git config user.name NAME").says("git config user.email ADDRESS");
    one.git(&["config", "user.name", "NAME"]).ok();
    one.git(&["config", "user.email", "ADDRESS"]).ok();
    nameless().ok();
}
