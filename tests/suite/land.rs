//! `git lane land` on real repositories: worktrees of one, clones with a bare remote between them, a bare repository itself.

use std::time::{Duration, Instant};

use crate::support::locks::Clones;
use crate::support::{LANE, POLICY, Ran, Scratch, Worktree};

const MARK: &str = "\nlocks:";

/// The reference policy with a section `land`.
pub fn policy(land: &str) -> String {
    POLICY.replacen(MARK, &format!("\nland: {{ {land} }}{MARK}"), 1)
}

pub fn clones(land: &str) -> Clones {
    Clones::with_policy(&policy(land), "remote: origin")
}

/// Worktrees of one repository without a remote, whose main worktree has `main` checked out.
pub fn worktrees(land: &str) -> (Scratch, Worktree, Worktree) {
    let scratch = Scratch::with_policy(&policy(land).replace("max_age: 3h", "max_age: null"));
    let one = scratch.worktree("a1", "feat/a1/x");
    let two = scratch.worktree("a2", "feat/a2/x");
    one.lane(&["install", "--agent", "a1"]).ok();
    two.lane(&["install", "--agent", "a2"]).ok();
    (scratch, one, two)
}

pub fn work(tree: &Worktree, service: &str, name: &str) {
    tree.commit(&format!("services/{service}/{name}.py"), "x = 1\n", &format!("feat: {name}")).ok();
}

fn subjects(tree: &Worktree, reference: &str) -> Vec<String> {
    tree.git(&["log", "--format=%s", reference]).ok().out.lines().map(str::to_owned).collect()
}

fn base(clones: &Clones) -> Vec<String> {
    let log = clones.at_origin(&["log", "--format=%s", "main"]).ok().out;
    log.lines().map(str::to_owned).collect()
}

fn state(ran: &Ran) -> String {
    ran.json()["state"].as_str().unwrap().to_owned()
}

/// Nothing temporary is left.
fn is_clean(tree: &Worktree) -> bool {
    let common = tree.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]).ok().out;
    let folder = std::path::Path::new(common.trim()).join("lane/land");
    let listed = tree.git(&["worktree", "list", "--porcelain"]).ok().out;
    !listed.contains("lane/land") && std::fs::read_dir(folder).map_or(0, Iterator::count) == 0
}

#[test]
fn branches_land_on_top_of_each_other() {
    let clones = clones("");
    let Clones { one, two, .. } = &clones;
    work(one, "orchestrator", "one");
    work(two, "rag_pipeline", "two");
    let said = one.lane(&["land"]).ok();
    assert!(said.out.starts_with("landed feat/a1/x on main: "), "{}", said.out);
    let ran = two.lane(&["land", "--format", "json"]).ok();
    assert_eq!((state(&ran), ran.json()["by"].clone()), ("landed".into(), "a2".into()));
    assert_eq!(base(&clones), ["[A2] feat: two", "[A1] feat: one", "first"]);
    assert_eq!(ran.json()["commit"], clones.at_origin(&["rev-parse", "main"]).out.trim());
    // The branch itself stays what it was, and the worktree too.
    assert_eq!(subjects(two, "origin/feat/a2/x"), ["[A2] feat: two", "first"]);
    assert_eq!(two.git(&["status", "--porcelain"]).ok().out, "");
    assert!(is_clean(one) && is_clean(two));
    // What follows is as it was said.
    two.lane(&["sync"]).ok();
    assert_eq!(two.head(), clones.at_origin(&["rev-parse", "main"]).out.trim());
    one.lane(&["land", "--list"]).ok().says("landed feat/a2/x on main").says("nothing waits to land");
    one.lane(&["land"]).ok().says("feat/a1/x is on main already");
    clones.at_origin(&["fsck", "--strict"]).ok();
}

#[test]
fn a_branch_on_the_base_keeps_its_commits() {
    let clones = clones("");
    work(&clones.one, "orchestrator", "one");
    clones.one.lane(&["land"]).ok();
    assert_eq!(clones.one.head(), clones.at_origin(&["rev-parse", "main"]).out.trim());
}

#[test]
fn first_come_first_served_whoever_lands() {
    let clones = clones("");
    let Clones { one, two, .. } = &clones;
    work(one, "orchestrator", "one");
    work(two, "rag_pipeline", "two");
    two.lane(&["land", "--no-wait"]).ok().says("feat/a2/x waits to land on main");
    two.lane(&["land", "--no-wait"]).ok().says("waits already");
    let waiting = one.lane(&["land", "--list", "--format", "json"]).ok().json();
    assert_eq!(waiting["queues"][0]["waiting"][0]["branch"], "feat/a2/x");
    one.lane(&["land", "--list"]).ok().says("nobody is at work");
    one.lane(&["land"]).ok();
    assert_eq!(base(&clones), ["[A1] feat: one", "[A2] feat: two", "first"]);
    one.lane(&["land", "--all"]).ok().says("nothing waits to land on main");
}

#[test]
fn what_breaks_the_policy_on_the_base_does_not_land() {
    let clones = clones("");
    let two = &clones.two;
    two.sneak("services/orchestrator/main.py", "mine\n", "[A2] feat: theirs");
    two.git(&["push", "-q", "--no-verify", "origin", "HEAD"]).ok();
    let ran = two.lane(&["land"]).fails(1).says("the merged result breaks the policy");
    ran.says("error[foreign-path]").says("services/orchestrator/main.py");
    assert_eq!(state(&two.lane(&["land", "--format", "json"]).fails(1)), "refused");
    assert_eq!(base(&clones), ["first"]);
}

#[test]
fn commands_judge_the_merged_result() {
    // Each of the two is right by itself.
    let clones = clones(
        "run: ['test $(find services -name \"*.flag\" | wc -l) -le 1 || { echo \"two \\e[31mflags\"; exit 3; }']",
    );
    let Clones { one, two, .. } = &clones;
    one.commit("services/orchestrator/a.flag", "x\n", "feat: one").ok();
    two.commit("services/rag_pipeline/b.flag", "x\n", "feat: two").ok();
    one.lane(&["land"]).ok();
    let ran = two.lane(&["land"]).fails(1).says("failed with exit code 3 on the merged result").says("two ");
    assert!(!ran.all().contains('\u{1b}'), "{ran:?}");
    assert_eq!(base(&clones), ["[A1] feat: one", "first"]);
    assert!(is_clean(two));
}

#[test]
fn commands_know_what_lands_and_end_in_time() {
    let told = clones(
        "run: ['echo $LANE_LAND_BRANCH $LANE_LAND_BASE $LANE_LAND_COMMIT $(git rev-parse HEAD); exit 1']",
    );
    work(&told.one, "orchestrator", "one");
    let head = told.one.head();
    told.one.lane(&["land"]).fails(1).says(&format!("feat/a1/x main {head} {head}"));
    let slow = clones("run: ['sleep 300 & wait'], timeout: 1s");
    work(&slow.one, "orchestrator", "one");
    let started = Instant::now();
    slow.one.lane(&["land"]).fails(1).says("was ended after 1s on the merged result");
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(base(&slow), ["first"]);
}

#[test]
fn the_temporary_worktree_is_nobodys() {
    let looks = format!(
        "run: ['{LANE} status --format json > $HOME/seen; {LANE} lock common -q --agent a3; git status --porcelain > $HOME/left']"
    );
    let clones = clones(&looks);
    work(&clones.one, "orchestrator", "one");
    clones.one.lane(&["land"]).ok();
    let home = clones.scratch.home();
    let seen = std::fs::read_to_string(home.join("seen")).unwrap();
    assert!(seen.contains("feat/a1/x") && !seen.contains("lane/land"), "{seen}");
    assert_eq!(std::fs::read_to_string(home.join("left")).unwrap(), "");
}

#[test]
fn a_conflict_names_its_files_and_leads_on() {
    let clones = clones("");
    let Clones { one, two, .. } = &clones;
    for (tree, text) in [(one, "one\n"), (two, "two\n")] {
        let message = "feat: pin\n\nCoordinated-with: a3";
        tree.commit("requirements.txt", text, message).ok();
        tree.lane(&["push"]).ok();
    }
    one.lane(&["land"]).ok();
    two.lane(&["land"]).fails(1).says("conflicts with the base in requirements.txt").says("git lane sync");
    // As it says.
    two.lane(&["sync"]).fails(1);
    two.write("requirements.txt", "both\n");
    two.git(&["add", "requirements.txt"]).ok();
    two.git(&["rebase", "--continue"]).ok();
    two.lane(&["push", "--force-with-lease"]).ok();
    two.lane(&["land"]).ok();
    assert_eq!(clones.at_origin(&["show", "main:requirements.txt"]).ok().out, "both\n");
}

#[test]
fn nothing_lands_but_what_was_asked_for() {
    let clones = clones("");
    let Clones { one, two, .. } = &clones;
    work(one, "orchestrator", "one");
    one.lane(&["land", "--no-wait"]).ok();
    work(one, "orchestrator", "more");
    one.lane(&["push"]).ok();
    two.lane(&["land", "--all"]).fails(1).says("feat/a1/x did not land").says("and is at");
    // Asked again, it has what it is now, at its old place.
    one.lane(&["land", "--no-wait"]).ok();
    work(one, "orchestrator", "again");
    one.lane(&["land"]).ok();
    assert_eq!(base(&clones), ["[A1] feat: again", "[A1] feat: more", "[A1] feat: one", "first"]);
    let queue = one.lane(&["land", "--list", "--format", "json"]).ok().json();
    assert_eq!(queue["queues"][0]["results"].as_array().unwrap().len(), 2);
}

#[test]
fn a_branch_lands_as_one_commit() {
    let clones = clones("squash: true");
    let one = &clones.one;
    one.commit("services/orchestrator/a.py", "a\n", "feat: one\n\nWhy.\n\nReviewed-by: R <r@example.com>")
        .ok();
    one.commit("services/orchestrator/b.py", "b\n", "feat: two").ok();
    one.lane(&["land"]).ok();
    let message = clones.at_origin(&["log", "-1", "--format=%an: %B", "main"]).ok().out;
    assert_eq!(
        message.trim_end(),
        "Test: [A1] feat: one\n\nWhy.\n\n* [A1] feat: two\n\nReviewed-by: R <r@example.com>"
    );
    assert_eq!(base(&clones), ["[A1] feat: one", "first"]);
    one.lane(&["sync"]).ok();
    assert_eq!(one.head(), clones.at_origin(&["rev-parse", "main"]).out.trim());
}

#[test]
fn a_base_that_others_move_meanwhile_is_taken_up() {
    // The command pushes to the base itself, once.
    let clones = clones(
        "run: ['test -e ../../../../moved || { touch ../../../../moved; git -C $HOME/clone-a2 push -q --no-verify origin HEAD:main; }']",
    );
    let Clones { one, two, .. } = &clones;
    work(one, "orchestrator", "one");
    work(two, "rag_pipeline", "two");
    one.lane(&["land"]).ok();
    assert_eq!(base(&clones), ["[A1] feat: one", "[A2] feat: two", "first"]);
}

#[test]
fn a_checked_out_base_moves_with_its_files() {
    let (scratch, one, two) = worktrees("");
    let main = scratch.main();
    work(&one, "orchestrator", "one");
    work(&two, "rag_pipeline", "two");
    main.write("notes.txt", "mine\n");
    main.write("services/common/main.py", "mine\n");
    one.lane(&["land"]).ok();
    two.lane(&["land"]).ok();
    assert_eq!(subjects(&main, "main"), ["[A2] feat: two", "[A1] feat: one", "first"]);
    assert_eq!(main.git(&["status", "--porcelain"]).ok().out, " M services/common/main.py\n?? notes.txt\n");
    assert!(main.root.join("services/rag_pipeline/two.py").is_file());
    // What would be overwritten is not.
    main.write("services/rag_pipeline/three.py", "mine\n");
    two.lane(&["sync"]).ok();
    work(&two, "rag_pipeline", "three");
    two.lane(&["land"]).fails(2).says("could not be moved").says("services/rag_pipeline/three.py");
    assert_eq!(std::fs::read_to_string(main.root.join("services/rag_pipeline/three.py")).unwrap(), "mine\n");
    assert_eq!(subjects(&main, "main")[0], "[A2] feat: two");
    std::fs::remove_file(main.root.join("services/rag_pipeline/three.py")).unwrap();
    two.lane(&["land"]).ok();
    assert_eq!(subjects(&main, "main")[0], "[A2] feat: three");
    assert!(is_clean(&main));
}

#[test]
fn a_bare_repository_lands_on_its_own() {
    let clones = clones("run: ['test -f policy.yaml']");
    work(&clones.one, "orchestrator", "one");
    work(&clones.two, "rag_pipeline", "two");
    clones.one.lane(&["push"]).ok();
    clones.two.lane(&["push"]).ok();
    let origin = Worktree { root: clones.origin(), home: clones.scratch.home() };
    origin.lane(&["land", "feat/a2/x"]).ok();
    origin.lane(&["land", "feat/a1/x"]).ok();
    assert_eq!(base(&clones), ["[A1] feat: one", "[A2] feat: two", "first"]);
    assert!(is_clean(&origin));
    origin.lane(&["land", "feat/a9/none"]).fails(2).says("there is no branch `feat/a9/none`");
}

#[test]
fn who_may_land_what() {
    let clones = clones("");
    let Clones { one, two, scratch, .. } = &clones;
    work(one, "orchestrator", "one");
    one.lane(&["push"]).ok();
    two.git(&["fetch", "-q"]).ok();
    two.lane(&["land", "feat/a1/x"]).fails(2).says("is a branch of a1, but you are a2");
    two.lane(&["land", "main"]).fails(2).says("is a protected branch");
    one.lane(&["land", "--no-wait"]).ok();
    two.lane(&["land", "--withdraw", "feat/a1/x"]).fails(2).says("asked for by a1");
    one.lane(&["land", "--withdraw"]).ok().says("no longer waits");
    one.lane(&["land", "--withdraw"]).fails(2).says("does not wait to land");
    two.lane(&["land", "--all"]).ok();
    assert_eq!(base(&clones), ["first"]);
    // Without the section agents do not, and maintainers may.
    let none = Clones::with("remote: origin");
    work(&none.one, "orchestrator", "one");
    none.one.lane(&["land"]).fails(2).says("it has no `land`").says("git lane pr");
    none.one.lane(&["push"]).ok();
    none.scratch.git(&["fetch", "-q", "origin"]).ok();
    none.scratch.lane(&["land", "feat/a1/x"]).ok();
    assert_eq!(base(&none), ["[A1] feat: one", "first"]);
    drop(scratch.home());
}

#[test]
fn a_stack_lands_from_below() {
    let clones = clones("");
    let one = &clones.one;
    work(one, "orchestrator", "lower");
    one.lane(&["push"]).ok();
    one.git(&["switch", "-q", "-c", "feat/a1/upper"]).ok();
    work(one, "orchestrator", "upper");
    one.lane(&["land"]).fails(2).says("based on `feat/a1/x`, which has not landed");
    one.lane(&["land", "--no-wait", "feat/a1/x"]).ok();
    one.lane(&["land"]).ok();
    assert_eq!(base(&clones), ["[A1] feat: upper", "[A1] feat: lower", "first"]);
}

#[test]
fn a_killed_lander_holds_nobody_up() {
    let clones = clones("run: ['test -e $HOME/go || { touch $HOME/here; sleep 60; }']");
    let Clones { one, two, scratch, .. } = &clones;
    work(one, "orchestrator", "one");
    work(two, "rag_pipeline", "two");
    let mut lander = one.command(LANE).arg("land").spawn().unwrap();
    let (here, started) = (scratch.home().join("here"), Instant::now());
    while !here.exists() && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    lander.kill().unwrap();
    lander.wait().unwrap();
    std::fs::write(scratch.home().join("go"), "").unwrap();
    assert_eq!(base(&clones), ["first"]);
    // Whoever comes next lands what the other left, first.
    two.lane(&["land"]).ok();
    assert_eq!(base(&clones), ["[A2] feat: two", "[A1] feat: one", "first"]);
    // And what it left in its own clone goes with its next landing.
    assert!(!is_clean(one));
    work(one, "orchestrator", "more");
    one.lane(&["land"]).ok();
    assert!(is_clean(one));
}

#[test]
fn an_unfinished_worktree_is_told_of_and_kept() {
    let clones = clones("");
    let one = &clones.one;
    work(one, "orchestrator", "one");
    one.write("services/orchestrator/two.py", "y\n");
    one.lane(&["land"]).ok().says("1 file has uncommitted changes, which do not land");
    assert_eq!(one.git(&["status", "--porcelain"]).ok().out, "?? services/orchestrator/two.py\n");
    one.git(&["switch", "-q", "--detach"]).ok();
    one.lane(&["land"]).fails(2).says("HEAD is detached");
}

#[test]
fn a_release_branch_is_landed_on_by_what_was_cut_from_it() {
    let clones = clones("");
    let one = &clones.one;
    clones.at_origin(&["branch", "release/1.0", "main"]).ok();
    work(&clones.two, "rag_pipeline", "two");
    clones.two.lane(&["land"]).ok();
    one.git(&["fetch", "-q"]).ok();
    one.git(&["switch", "-q", "--no-track", "-c", "feat/a1/fix", "origin/release/1.0"]).ok();
    work(one, "orchestrator", "fix");
    one.lane(&["land", "--base", "release/1.0"]).ok().says("on release/1.0");
    let log = clones.at_origin(&["log", "--format=%s", "release/1.0"]).ok().out;
    assert_eq!(log.lines().collect::<Vec<_>>(), ["[A1] feat: fix", "first"]);
}
