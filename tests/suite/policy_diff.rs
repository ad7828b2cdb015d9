//! What two policies say differently, on the files of a real repository.

use serde_json::json;

use crate::support::{POLICY, Scratch};

#[test]
fn the_policy_in_force_is_held_against_the_one_that_is_written() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let main = scratch.main();
    let same = main.lane(&["policy", "diff", "--exit-code"]).ok();
    same.says("refs/remotes/origin/main:policy.yaml -> policy.yaml: no difference in meaning, on 6 files");
    let text = POLICY
        .replace("max_age: 3h", "max_age: null")
        .replace("services: [orchestrator, celery_worker", "services: [celery_worker")
        .replace("services: [revenue,", "services: [orchestrator, revenue,")
        .replace("rules: { stale-base: warn }", "rules: { stale-base: warn, oversized-change: observe }")
        .replace("max_lines: 300", "max_lines: 500");
    main.write("policy.yaml", &text);
    let ran = main.lane(&["policy", "diff"]).ok();
    let ran = ran.says("Who may change what: 1 of 6 files").says("services/orchestrator/").says("a1 -> a4");
    let ran = ran.says("oversized-change  error -> observe").says("change.max_lines    300 -> 500");
    let ran = ran.says("agents.a1.services  - orchestrator");
    ran.does_not_say("agents.a2").does_not_say("Agents");
    main.lane(&["policy", "diff", "--exit-code"]).fails(1);
    let found =
        main.lane(&["policy", "diff", "main:policy.yaml", "policy.yaml", "--format", "json"]).ok().json();
    let schema = main.lane(&["policy", "schema", "--diff"]).ok().json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&found));
    assert_eq!((&found["old"], &found["new"]), (&json!("main:policy.yaml"), &json!("policy.yaml")));
    let row = json!({ "path": "services/orchestrator/", "files": 1, "of": 1, "before": "a1", "after": "a4" });
    assert_eq!((&found["paths"], &found["files"]), (&json!([row]), &json!(1)));
    // What is committed holds once more.
    main.lane(&["policy", "diff", "HEAD:policy.yaml", "main:", "--exit-code"]).ok();
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    let scratch = Scratch::new();
    let main = scratch.main();
    main.lane(&["policy", "diff", "nowhere.yaml"]).fails(2).says("no policy file nowhere.yaml");
    main.lane(&["policy", "diff", "main:lane.yaml"]).fails(2).says("no policy file main:lane.yaml");
    main.lane(&["policy", "diff", "gone:policy.yaml"]).fails(2).says("gone");
    main.write("policy.yaml", "version: 1\nagents: [\n");
    main.lane(&["policy", "diff"]).fails(2).says("policy.yaml");
}

#[test]
fn each_value_of_a_policy_has_its_origin() {
    let policy = "version: 1\nagents:\n  a1: { owns: [/docs/] }\n";
    let scratch = crate::support::Scratch::with_policy(policy);
    let ran = scratch.lane(&["policy", "show", "--origin"]).ok();
    ran.says("\ndefault  mode: enforce\n").says("\n3:16     agents.a1.owns[0]: /docs/\n");
    let json = scratch.lane(&["policy", "show", "--origin", "--format", "json"]).ok().json();
    assert_eq!(
        json["settings"][0],
        serde_json::json!({ "path": "version", "value": 1,
            "place": { "file": "refs/heads/main:policy.yaml", "line": 1, "column": 10 } })
    );
}
