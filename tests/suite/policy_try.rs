//! A policy that is tried on what was merged before it was there.

use serde_json::json;

use crate::support::{Scratch, Worktree};

const POLICY: &str = "version: 1
agents:
  a1: { owns: [/web/] }
  a2: { owns: [/api/] }
areas:
  - { name: db, paths: [/db/], access: lock }
branch: { pattern: 'feat/{agent}/{feature}' }
message: { tag: ['[{AGENT}]'] }
change: { max_lines: 20 }
";

/// A repository without a policy: squashed changes, and one branch of a2 that was merged.
fn history() -> (Scratch, Worktree) {
    let scratch = Scratch::empty();
    let main = scratch.main();
    main.sneak("web/a", "a\n", "first");
    main.sneak("web/b", "b\n", "web: small (#1)");
    main.sneak("web/c", &"line\n".repeat(30), "web: large (#2)");
    main.sneak("api/a", "a\n", "api: a (#3)");
    main.write("web/d", "d\n");
    main.write("web/e", "e\n");
    main.git(&["add", "-A"]).ok();
    main.sneak("api/b", "b\n", "web: crosses lanes (#4)");
    main.sneak("db/a", "a\n", "db: a (#5)");
    main.sneak("db/b", "b\n", "db: b (#6)\n\nLane-Lock: db@1");
    main.git(&["switch", "-q", "-c", "feat/a2/x"]).ok();
    main.sneak("api/c", "c\n", "[A2] feat: c");
    main.sneak("api/d", "d\n", "feat: d");
    main.git(&["switch", "-q", "main"]).ok();
    main.git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7 from o/feat/a2/x", "feat/a2/x"]).ok();
    (scratch, main)
}

#[test]
fn the_last_changes_are_judged_where_no_policy_ever_was() {
    let (_scratch, main) = history();
    main.lane(&["policy", "try"]).fails(2).says("no policy file policy.yaml").says("git lane init");
    main.write("policy.yaml", POLICY);
    let (refs, files) = (main.git(&["for-each-ref"]).ok().out, main.git(&["status", "--porcelain"]).ok().out);
    let ran = main.lane(&["policy", "try"]).ok();
    let ran = ran.says("policy.yaml on the last 7 changes of main").says("4 would be refused");
    let ran = ran.says("oversized-change").says("foreign-path: api/b (in the lane of a2)");
    let ran = ran.says("web: crosses lanes (#4) (a1*, 3 lines, 3 files)").says("db: a (#5) (any agent*");
    // Who names an agent is held to everything.
    ran.says("Merge pull request #7 from o/feat/a2/x (a2, 2 lines, 2 files)").says("untagged-message");
    assert_eq!(main.git(&["for-each-ref"]).ok().out, refs);
    assert_eq!(main.git(&["status", "--porcelain"]).ok().out, files);

    let found = main.lane(&["policy", "try", "--format", "json"]).ok().json();
    let schema = main.lane(&["policy", "schema", "--try"]).ok().json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&found));
    let counts = ["judged", "refused", "warned", "undecided"].map(|key| found[key].as_u64().unwrap());
    assert_eq!(counts, [7, 4, 0, 0]);
    let change = |number: u64| {
        let all = found["changes"].as_array().unwrap();
        all.iter().find(|change| change["pull_request"] == number).unwrap()
    };
    assert_eq!((&change(4)["agent"], &change(4)["agent_by"]), (&json!("a1"), &json!("files")));
    assert_eq!((&change(7)["agent"], &change(7)["agent_by"]), (&json!("a2"), &json!("branch")));
    assert_eq!(change(5)["findings"][0]["rule"], "unlocked-path");
    // A change that names its lock is believed.
    assert_eq!((&change(6)["verdict"], &change(1)["verdict"]), (&json!("pass"), &json!("pass")));
}

#[test]
fn two_policies_are_compared_and_the_last_may_be_few() {
    let (_scratch, main) = history();
    main.write("policy.yaml", POLICY);
    main.write(
        "wide.yaml",
        POLICY.replace("max_lines: 20", "max_lines: 50").replace("[/web/]", "[/web/, /docs/]"),
    );
    let ran = main.lane(&["policy", "try", "wide.yaml", "--old", "policy.yaml"]).ok();
    ran.says("3 would be refused").says("policy.yaml would refuse 4: 0 are new, 1 are refused no more");
    main.lane(&["policy", "try", "--last", "2"])
        .ok()
        .says("on the last 2 changes")
        .says("1 would be refused");
    main.lane(&["policy", "try", "--as-written"]).ok().says("1 would be refused").does_not_say("*");
    // The same with one that observes: what it would refuse is asked.
    main.write("policy.yaml", POLICY.replace("version: 1", "version: 1\nmode: observe"));
    main.lane(&["policy", "try"]).ok().says("4 would be refused");
    main.lane(&["policy", "try", "--old"]).ok().says("4 would be refused");
}

#[test]
fn what_is_not_there_is_said() {
    let (_scratch, main) = history();
    main.write("policy.yaml", POLICY.replace("version: 1", "version: 1\nbase: trunk"));
    main.lane(&["policy", "try"]).fails(2).says("the base branch `trunk` does not exist");
    main.lane(&["policy", "try", "--last", "0"]).fails(2);
    main.lane(&["policy", "replay"]).fails(2).says("git lane policy try");
}

#[test]
fn a_shallow_clone_says_that_it_has_no_more() {
    let (scratch, main) = history();
    main.write("policy.yaml", POLICY);
    let (from, to) = (format!("file://{}", main.root.display()), scratch.home().join("shallow"));
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--depth", "4", &from, to.to_str().unwrap()]).ok();
    let policy = main.root.join("policy.yaml");
    let args = ["policy", "try", policy.to_str().unwrap()];
    let ran = scratch.run(&to, crate::support::LANE, &args).ok().says("a shallow clone");
    ran.says("git fetch --unshallow origin");
    scratch.run(&to, "git", &["fetch", "-q", "--unshallow", "origin"]).ok();
    scratch.run(&to, crate::support::LANE, &args).ok().says("the last 7 changes").does_not_say("shallow");
}
