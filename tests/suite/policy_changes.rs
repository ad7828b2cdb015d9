//! Policies that say less than they seem to: what `policy check` warns of, and what may not be committed.

use crate::support::{Scratch, Worktree};

/// A policy that fits the repository of [`scratch`].
const POLICY: &str = "\
version: 1
base: main
services: { paths: \"src/{service}/**\" }
agents:
  a1: { services: [checkoutservice], worktree: ../wt-a1 }
  a2: { services: [web], worktree: ../wt-a2 }
areas:
  - { name: protos, paths: [/protos/], access: lock }
  - { name: policy, paths: [/policy.yaml, /policy.tests.yaml], access: maintainer }
  - { name: local, paths: [.agent.env], access: never }
branch: { pattern: \"feat/{agent}/{feature}\", protected: [main] }
tests:
  - a2 may not change src/checkoutservice/x
";

fn scratch(policy: &str) -> Scratch {
    let scratch = Scratch::empty();
    for path in ["src/checkoutservice/a.go", "src/web/b.go", "protos/demo.proto"] {
        scratch.write(path, "x\n");
    }
    scratch.write("policy.yaml", policy);
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.add_origin();
    scratch
}

fn with_hooks(policy: &str) -> (Scratch, Worktree) {
    let scratch = scratch(policy);
    scratch.lane(&["install"]).ok();
    let main = scratch.main();
    (scratch, main)
}

#[test]
fn a_policy_is_held_against_the_repository() {
    let scratch = scratch(POLICY);
    scratch.lane(&["policy", "check"]).ok().says("no mistakes; 2 agents, 3 areas").does_not_say("warning");
    scratch.lane(&["policy", "test"]).ok().does_not_say("warning");
    let wrong = POLICY.replace("[checkoutservice]", "[checkoutservise]").replace("/protos/", "/proto/");
    scratch.write("policy.yaml", &wrong);
    for command in ["check", "test"] {
        let ran = scratch.lane(&["policy", command]);
        let ran = if command == "check" { ran.ok() } else { ran.fails(1) };
        ran.says("warning: the service `checkoutservise` does not exist")
            .says("[policy.yaml:5:20]")
            .says("did you mean `checkoutservice`?")
            .says("warning: `/proto/` matches no file")
            .says("did you mean `/protos/`?");
    }
    let told = scratch.lane(&["policy", "check", "--format", "json"]).ok().json();
    assert_eq!(told["diagnostics"].as_array().unwrap().len(), 0);
    assert_eq!(told["warnings"][0]["line"], 5);
    // What is not committed yet is there all the same, and a policy for another repository is not held against this one.
    scratch.write("src/checkoutservise/new.go", "x\n");
    scratch.lane(&["policy", "check"]).ok().does_not_say("checkoutservise` does not");
    std::fs::write(scratch.home().join("elsewhere.yaml"), &wrong).unwrap();
    scratch.lane(&["policy", "check", "../elsewhere.yaml"]).ok().does_not_say("warning");
    scratch.lane(&["policy", "check", "-q"]).ok().does_not_say("warning");
}

#[test]
fn worktrees_are_held_against_those_that_are_there() {
    let scratch = scratch(POLICY);
    scratch.git(&["worktree", "add", "-q", "-b", "feat/a1/x", "../wt-a1"]).ok();
    scratch.git(&["worktree", "add", "-q", "-b", "feat/a2/x", "../wt-a2-web"]).ok();
    scratch.lane(&["policy", "check"]).ok().says("no worktree at `../wt-a2`").says("git lane setup a2");
    scratch.write("policy.yaml", &POLICY.replace("../wt-a2", "../wt-a2-wbe"));
    scratch.lane(&["policy", "check"]).ok().says("did you mean `../wt-a2-web`?");
}

#[test]
fn branches_and_remotes_are_held_against_those_that_are_there() {
    let scratch = scratch(POLICY);
    scratch.lane(&["policy", "check"]).ok().does_not_say("warning");
    for (from, to, said) in [
        ("base: main", "base: mian", "no branch `mian` in this repository"),
        ("[main]", "[main, maim]", "did you mean `main`?"),
        ("base: main", "base: main\nremote: upstream", "no remote `upstream` in this repository"),
    ] {
        scratch.write("policy.yaml", &POLICY.replace(from, to));
        scratch.lane(&["policy", "check"]).ok().says("warning: ").says(said);
    }
}

#[test]
fn whoever_removes_the_policy_is_told_what_follows() {
    let (_scratch, main) = with_hooks(POLICY);
    main.git(&["rm", "-q", "policy.yaml"]).ok();
    let removed = "that is removed: without a policy nothing can be decided";
    let ran = main.git(&["commit", "-q", "-m", "chore: no policy"]).ok().says(removed);
    let ran = ran.says("git lane uninstall --all");
    main.git(&["push", "-q", "origin", "HEAD:main"]).ok().says(removed);
    assert_eq!(crate::advice_errors::told(&ran.all()), ["git lane uninstall --all"]);
    crate::advice::sh(&main, "git lane uninstall --all").ok();
    main.git(&["commit", "-q", "--allow-empty", "-m", "chore: none"]).ok();
}

#[test]
fn a_policy_with_a_mistake_is_not_committed() {
    let (_scratch, main) = with_hooks(POLICY);
    for line in ["areass: []", "  - { name: [", "change: { max_lines: many }"] {
        let before = main.head();
        main.commit("policy.yaml", &format!("{POLICY}{line}\n"), "chore: policy")
            .fails(1)
            .says("error[policy-mistake]: 1 file with a mistake at policy.yaml:1")
            .says("git lane policy check\n")
            .says("git add -- policy.yaml");
        assert_eq!(main.head(), before);
        main.lane(&["policy", "check"]).fails(2);
    }
    // The way out is the one that is told.
    main.write("policy.yaml", POLICY.replace("[main]", "[main, \"release/*\"]"));
    main.lane(&["policy", "check"]).ok();
    main.git(&["add", "--", "policy.yaml"]).ok();
    main.git(&["commit", "-q", "-m", "chore: policy"]).ok();
    main.git(&["push", "-q", "origin", "main"]).ok();
}

#[test]
fn a_policy_whose_tests_fail_is_not_committed() {
    let (_scratch, main) = with_hooks(POLICY);
    main.commit("policy.yaml", &POLICY.replace("a2 may not", "a2 may"), "chore: policy")
        .fails(1)
        .says("policy.yaml:13:5: `a2 may change src/checkoutservice/x`: foreign-path")
        .says("git lane policy test");
    main.lane(&["policy", "test"]).fails(1);
    main.git(&["checkout", "-q", "HEAD", "--", "policy.yaml"]).ok();
    main.commit("policy.tests.yaml", "- a1 may change src/web/x\n", "chore: tests")
        .fails(1)
        .says("policy.tests.yaml:1:3: `a1 may change src/web/x`: foreign-path");
    main.commit("policy.tests.yaml", "- a1 may not change src/web/x\n", "chore: tests").ok();
    // By a change of the policy, the tests beside it fail too.
    let moved = POLICY.replace("[checkoutservice]", "[checkoutservice, web]").replace("[web]", "[]");
    main.commit("policy.yaml", &moved, "chore: policy").fails(1).says("policy.tests.yaml:1:3");
}

#[test]
fn a_policy_with_a_mistake_is_not_pushed() {
    let (_scratch, main) = with_hooks(POLICY);
    main.git(&["switch", "-q", "-c", "policy"]).ok();
    main.sneak("policy.yaml", &format!("{POLICY}areass: []\n"), "chore: policy");
    main.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("policy.yaml:14:1: unknown key `areass`");
    main.lane(&["check"]).fails(1).says("policy-mistake");
    main.write("policy.yaml", POLICY.replace("[main]", "[main, next]"));
    main.git(&["commit", "-q", "-m", "chore: mend it", "--", "policy.yaml"]).ok();
    main.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn the_first_policy_is_looked_at_too() {
    let scratch = Scratch::empty();
    scratch.write("a", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.write("policy.yaml", POLICY);
    scratch.lane(&["install"]).ok();
    let main = scratch.main();
    main.commit("policy.yaml", &format!("{POLICY}areass: []\n"), "chore: policy")
        .fails(1)
        .says("policy.yaml:14:1");
    // What is staged counts, not what is edited meanwhile.
    main.write("policy.yaml", POLICY);
    main.git(&["commit", "-q", "-m", "chore: policy"]).fails(1).says("policy.yaml:14:1");
    main.git(&["add", "policy.yaml"]).ok();
    main.git(&["commit", "-q", "-m", "chore: policy"]).ok();
}

#[test]
fn a_maintainer_mends_a_broken_policy_and_an_agent_does_not() {
    let (scratch, main) = with_hooks(POLICY);
    let broken = format!("{POLICY}areass: []\n");
    main.sneak("policy.yaml", &broken, "chore: policy");
    main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    main.commit("other", "x\n", "chore: other").fails(1).says("policy.yaml:14:1");
    main.git(&["rm", "-q", "--cached", "other"]).ok();
    let agent = scratch.worktree("wt-a2", "feat/a2/x");
    agent.git(&["config", "extensions.worktreeConfig", "true"]).ok();
    agent.git(&["config", "--worktree", "lane.agent", "a2"]).ok();
    agent.commit("policy.yaml", POLICY, "[A2] chore: mend").fails(1).says("policy.yaml:14:1");
    agent.git(&["config", "--worktree", "--unset", "lane.agent"]).ok();
    agent.git(&["commit", "-q", "-m", "[A2] chore: mend"]).fails(1).says("policy.yaml:14:1");
    main.commit("policy.yaml", &format!("{POLICY}agentss: {{}}\n"), "chore: worse").fails(1).says("agentss");
    main.commit("policy.yaml", POLICY, "chore: mend").ok().says("this change fixes it");
    main.git(&["push", "-q", "origin", "main"]).ok().says("this change fixes it");
    main.commit("other", "x\n", "chore: other").ok();
}

#[test]
fn a_maintainer_mends_a_file_that_is_no_policy() {
    let break_it: [fn(&std::path::Path); 3] = [
        |file| std::fs::write(file, b"version: 1\n# \xff\n").unwrap(),
        |file| std::os::unix::fs::symlink("README.md", file).unwrap(),
        |file| std::fs::write(file, "#".repeat(17_000_000)).unwrap(),
    ];
    for break_it in break_it {
        let (scratch, main) = with_hooks(POLICY);
        let file = scratch.root().join("policy.yaml");
        std::fs::remove_file(&file).unwrap();
        break_it(&file);
        main.git(&["add", "policy.yaml"]).ok();
        main.git(&["commit", "-q", "-m", "chore: break it"]).fails(1).says("policy.yaml");
        main.git(&["commit", "-q", "--no-verify", "-m", "chore: break it"]).ok();
        main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        main.commit("other", "x\n", "chore: other").fails(1).says("nothing was committed");
        main.git(&["rm", "-q", "--cached", "other"]).ok();
        std::fs::remove_file(&file).unwrap();
        main.commit("policy.yaml", POLICY, "chore: mend").ok().says("this change fixes it");
        main.git(&["push", "-q", "origin", "main"]).ok().says("this change fixes it");
        main.commit("other", "x\n", "chore: other").ok();
    }
}

#[test]
fn it_is_said_which_policy_was_read() {
    let (_scratch, main) = with_hooks(POLICY);
    for args in [&["who", "protos/demo.proto"][..], &["check"], &["policy", "show"]] {
        main.lane(args).ok().does_not_say("using the policy from");
    }
    // Line ends are the checkout's own.
    main.write("policy.yaml", POLICY.replace('\n', "\r\n"));
    main.lane(&["who", "protos/demo.proto"]).ok().does_not_say("using the policy from");
    main.write("policy.yaml", POLICY.replace("access: lock", "access: open"));
    for args in [&["who", "protos/demo.proto"][..], &["check"], &["policy", "show"]] {
        main.lane(args).ok().says(
            "note: using the policy from refs/remotes/origin/main:policy.yaml; policy.yaml in the working tree differs, and applies once it is on origin/main",
        );
    }
    let ran = main.lane(&["who", "protos/demo.proto", "--format", "json"]).ok();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()[0]["policy_source"],
        "refs/remotes/origin/main:policy.yaml"
    );
    assert!(
        main.lane(&["check", "--format", "json"]).ok().json()["notes"][0]
            .as_str()
            .unwrap()
            .contains("differs")
    );
    main.lane(&["who", "protos/demo.proto", "-q"]).ok().does_not_say("using the policy from");
    main.lane(&["check", "--policy", "policy.yaml"]).ok().does_not_say("using the policy from");
    // What cannot be read is no reason to say nothing, nor to fail.
    std::fs::remove_file(main.root.join("policy.yaml")).unwrap();
    std::fs::create_dir(main.root.join("policy.yaml")).unwrap();
    main.lane(&["who", "protos/demo.proto"]).ok().says("using the policy from");
}

#[test]
fn check_names_what_it_did_not_judge() {
    let (_scratch, main) = with_hooks(POLICY);
    assert_eq!(main.lane(&["check", "--format", "json"]).ok().json()["not_judged"]["count"], 0);
    main.write("src/web/b.go", "edited\n");
    main.write("new file", "x\n");
    main.write("staged", "x\n");
    main.git(&["add", "staged"]).ok();
    main.lane(&["check"])
        .ok()
        .says("note: 2 files are not judged: unstaged edits and untracked files\n    src/web/b.go\n    new file\n")
        .says("help: judge them too:\n          git lane check --worktree");
    main.lane(&["check", "--worktree"]).ok().does_not_say("not judged");
    main.lane(&["check", "--staged"]).ok().does_not_say("not judged");
    main.lane(&["check", "-q"]).ok().does_not_say("not judged");
    for n in 0..120 {
        main.write(&format!("many/{n}"), "x\n");
    }
    main.lane(&["check"])
        .ok()
        .says("122 files are not judged")
        .says("… and 112 more (git status lists them all)");
    let told = main.lane(&["check", "--format", "json"]).ok().json();
    assert_eq!(told["not_judged"]["count"], 122);
    assert_eq!(told["not_judged"]["files"].as_array().unwrap().len(), 100);
}

#[test]
fn conflicting_identities_are_told_once() {
    let (_scratch, main) = with_hooks(POLICY);
    main.git(&["config", "lane.agent", "a1"]).ok();
    let ran = main.lane_env(&["check"], &[("AGENT_ID", "a2")]).fails(2).says("could not decide");
    assert_eq!(ran.all().matches("the variable AGENT_ID says `a2`").count(), 1, "{}", ran.all());
}
