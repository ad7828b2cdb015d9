//! Which services a change touches, and their tests, on real repositories.

use std::time::{Duration, Instant};

use crate::support::{LANE, Ran, Scratch, Worktree};
use serde_json::Value;

/// Services of two lanes and of none, an area that two of them use, one that all share, and one of maintainers.
fn policy(rest: &str) -> String {
    format!(
        "version: 1\nservices:\n  paths: \"services/{{service}}/**\"\n  depends: {{ web: [api], api: [common], jobs: [web, jobs] }}\n\
         agents:\n  a1: {{ services: [web] }}\n  a2: {{ services: [api, gone] }}\n\
         areas:\n  - {{ name: common, paths: [\"services/common/**\"], access: lock }}\n  \
         - {{ name: shared, paths: [/schema/], access: coordinate }}\n  \
         - {{ name: policy, paths: [/policy.yaml, /.github/], access: maintainer }}\n{rest}"
    )
}

fn repository(rest: &str) -> Scratch {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", &policy(rest));
    for service in ["web", "api", "jobs", "free", "common"] {
        scratch.write(&format!("services/{service}/main.py"), &format!("{service}\n").repeat(20));
    }
    scratch.write("schema/x.sql", "x\n");
    scratch.write("README.md", "x\n");
    scratch.write(".github/x.yml", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch
}

fn services(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let list = json["services"].as_array().unwrap().iter();
    list.map(|one| one["service"].as_str().unwrap().to_owned()).collect()
}

fn affected(tree: &Worktree, path: &str) -> Vec<String> {
    tree.write(path, "changed\n");
    tree.git(&["add", "-A"]).ok();
    let found = services(&tree.lane(&["affected", "--format", "json"]).ok());
    tree.git(&["reset", "-q", "--hard"]).ok();
    found
}

#[test]
fn by_folders_areas_and_what_the_policy_declares() {
    let scratch = repository("");
    let tree = scratch.worktree("wt", "feat/x");
    let all = ["api", "free", "jobs", "web"];
    assert_eq!(affected(&tree, "services/web/main.py"), ["jobs", "web"]);
    assert_eq!(affected(&tree, "services/api/new.py"), ["api", "jobs", "web"]);
    assert_eq!(affected(&tree, "services/common/main.py"), ["api", "jobs", "web"], "not `free`");
    assert_eq!(affected(&tree, "services/free/main.py"), ["free"]);
    assert_eq!(affected(&tree, "schema/x.sql"), all, "nobody says who uses it");
    assert_eq!(affected(&tree, "requirements.txt"), all, "all may be built with it");
    for path in ["README.md", ".github/x.yml"] {
        assert_eq!(affected(&tree, path), [""; 0], "{path}");
    }
}

#[test]
fn reasons_are_shown() {
    let scratch = repository("");
    let tree = scratch.worktree("wt", "feat/x");
    tree.write("services/common/main.py", "changed\n");
    tree.write("README.md", "changed\n");
    tree.git(&["add", "-A"]).ok();
    tree.write("services/free/main.py", "not staged\n");
    let ran = tree.lane(&["affected"]).ok();
    assert_eq!(
        ran.out,
        "api (services/api, lane of a2): depends on common: services/common/main.py\n\
         jobs (services/jobs): depends on web, which depends on api, which depends on common: services/common/main.py\n\
         web (services/web, lane of a1): depends on api, which depends on common: services/common/main.py\n\
         3 of 4 services affected by 2 changed files; 1 in no service\n"
    );
    ran.says("note: 1 unstaged or untracked file not included").says("git lane affected --worktree");
    let ran = tree.lane(&["affected", "--worktree", "--format", "json"]).ok();
    assert_eq!(services(&ran), ["api", "free", "jobs", "web"]);
    let web = &ran.json()["services"][3];
    assert_eq!(web["because"]["chain"], serde_json::json!(["web", "api", "common"]));
    assert_eq!(web["because"]["declared"][0], "services.depends");
    assert_eq!((&web["lane"], &web["path"]), (&Value::from("a1"), &Value::from("services/web")));
    assert_eq!(ran.json()["elsewhere"], serde_json::json!(["README.md"]));
    let ran = tree.lane(&["affected", "--staged", "--quiet"]).ok();
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (3, ""));
}

#[test]
fn both_sides_of_a_rename_and_what_is_removed() {
    let scratch = repository("");
    let tree = scratch.worktree("wt", "feat/x");
    tree.git(&["mv", "services/web/main.py", "services/free/moved.py"]).ok();
    tree.git(&["commit", "-q", "-m", "move"]).ok();
    let ran = tree.lane(&["affected", "--format", "json"]).ok();
    assert_eq!(services(&ran), ["free", "jobs"], "`web` has no files any more");
    assert_eq!(ran.json()["removed"], serde_json::json!(["web"]));
    tree.lane(&["affected"]).ok().says("web: removed\n");
    let other = scratch.worktree("other", "feat/y");
    other.git(&["rm", "-rq", "services/free"]).ok();
    other
        .lane(&["affected"])
        .ok()
        .says("free: removed\n")
        .says("0 of 3 services affected by 1 changed file\n");
    // What another one did meanwhile is not of this change.
    scratch.main().commit("services/api/main.py", "main\n", "main");
    assert_eq!(services(&tree.lane(&["affected", "--format", "json"]).ok()), ["free", "jobs"]);
    let ran = scratch.lane(&["affected", "--range", "main..feat/x", "--format", "json"]).ok();
    assert_eq!(services(&ran), ["free", "jobs"]);
    scratch.lane(&["affected", "--range", "main"]).fails(2);
    let bare = scratch.home().join("bare.git");
    scratch.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]).ok();
    scratch.run(&bare, LANE, &["affected"]).fails(2).says("git lane affected --range A..B");
    let ran = scratch.run(&bare, LANE, &["affected", "--range", "main..feat/x", "--format", "json"]).ok();
    assert_eq!(services(&ran), ["free", "jobs"]);
}

#[test]
fn as_jobs() {
    let scratch = repository("");
    let tree = scratch.worktree("wt", "feat/x");
    let none = tree.lane(&["affected", "--format", "github-matrix"]).ok();
    assert_eq!(none.out, "{\"include\":[]}\n");
    tree.lane(&["affected", "--format", "gitlab"]).ok().says("no-affected-services:\n");
    tree.commit("services/web/main.py", "x\n", "x").ok();
    let some = tree.lane(&["affected", "--format", "github-matrix"]).ok();
    assert_eq!(
        some.out,
        "{\"include\":[{\"service\":\"jobs\",\"path\":\"services/jobs\"},{\"service\":\"web\",\"path\":\"services/web\"}]}\n"
    );
    let pipeline = tree.lane(&["affected", "--format", "gitlab"]).ok();
    let yaml: Value = serde_yaml::from_str(&pipeline.out).unwrap();
    assert_eq!(yaml["affected"]["parallel"]["matrix"][1]["SERVICE_PATH"], "services/web");
    assert_eq!(yaml["include"][0]["local"], "/.gitlab/affected.yml");
    tree.lane(&["status", "--format", "github-matrix"])
        .fails(2)
        .says("github-matrix is for `git lane affected`");
}

#[test]
fn a_workspace_says_what_depends_on_what() {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", "version: 1\nagents: { a1: { owns: [\"crates/**\"] } }\n");
    scratch.write("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n");
    scratch.write("Cargo.lock", "");
    let package = |name: &str, rest: &str| {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        scratch.write(&format!("crates/{name}/Cargo.toml"), &text);
        scratch.write(&format!("crates/{name}/src/lib.rs"), "");
    };
    package("app", "[dependencies]\ncore = { path = \"../core\" }\n");
    package("core", "");
    package("tool", "");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    let tree = scratch.worktree("wt", "feat/x");
    assert_eq!(affected(&tree, "crates/core/src/lib.rs"), ["app", "core"]);
    assert_eq!(affected(&tree, "Cargo.lock"), ["app", "core", "tool"]);
    // The change itself decides what it is built of.
    tree.write(
        "crates/tool/Cargo.toml",
        "[package]\nname = \"tool\"\n[build-dependencies]\ncore = { path = \"../core\" }\n",
    );
    assert_eq!(affected(&tree, "crates/core/src/lib.rs"), ["app", "core", "tool"]);
    // Without one of the manifests nobody can say it.
    tree.commit("crates/app/Cargo.toml", "[package", "broken").ok();
    tree.lane(&["affected"]).fails(2).says("crates/app/Cargo.toml could not be read");
}

#[test]
fn only_the_tests_of_what_is_affected_run() {
    let scratch = repository(
        "tests:\n  run: \"echo testing {service} in {path}; cat {path}/main.py | head -n 1; test {service} != api\"\n  sentences: [a1 may change services/web/x]\n",
    );
    let tree = scratch.worktree("wt", "feat/x");
    tree.lane(&["policy", "test"]).ok();
    tree.lane(&["test"]).ok().says("nothing to test");
    tree.write("services/web/main.py", "not staged\n");
    let ran = tree.lane(&["test"]).ok().does_not_say("testing");
    ran.says("web   passed in ").says("jobs  passed in ").says("2 passed, 0 failed, of 4 services");
    tree.lane(&["test", "--verbose"])
        .ok()
        .says("--- web: passed")
        .says("testing web in services/web\nnot staged\n");
    let ran = tree.lane(&["test", "api", "web"]).fails(1);
    assert!(ran.out.contains("--- api: failed in ") && !ran.out.contains("testing web"), "{}", ran.out);
    let ran = ran.says("testing api in services/api\napi\n").says("1 passed, 1 failed, of 4 services");
    let log = ran.out.lines().find(|line| line.trim().ends_with("/lane/logs/tests/api.log")).unwrap().trim();
    assert_eq!(std::fs::read_to_string(log).unwrap(), "testing api in services/api\napi\n");
    let json = tree.lane(&["test", "--all", "-j", "2", "--format", "json"]).fails(1).json();
    let results: Vec<&str> =
        json["services"].as_array().unwrap().iter().map(|one| one["result"].as_str().unwrap()).collect();
    assert_eq!(
        (json["verdict"].as_str(), results),
        (Some("fail"), vec!["failed", "passed", "passed", "passed"])
    );
    tree.lane(&["test", "wbe"]).fails(2).says("unknown service `wbe`").says("did you mean `web`?");
    tree.lane(&["test", "--all", "web"]).fails(2);
}

#[test]
fn tests_have_the_environment_of_the_agent_and_a_command_of_their_own() {
    let scratch = repository(
        "tests: { run: { web: \"echo agent $AGENT_ID, $LANE_SERVICE_PATH; pwd\" }, cwd: \"{path}\" }\n",
    );
    let tree = scratch.worktree("wt", "feat/a1/x");
    tree.git(&["config", "extensions.worktreeConfig", "true"]).ok();
    tree.git(&["config", "--worktree", "lane.agent", "a1"]).ok();
    let ran = tree.lane(&["test", "--all", "--verbose"]).ok();
    let ran = ran.says("agent a1, services/web\n").says("/wt/services/web\n");
    ran.says("free  no tests in the policy").says("1 passed, 0 failed, of 4 services");
    let other = repository("");
    other.lane(&["test"]).fails(2).says("does not say how services are tested");
}

#[test]
fn the_command_is_that_of_the_base() {
    let scratch = repository("tests: { run: \"echo of the base\" }\n");
    let tree = scratch.worktree("wt", "feat/x");
    tree.write("policy.yaml", policy("tests: { run: \"echo of the branch\" }\n"));
    let ran = tree.lane(&["test", "web"]).ok().says("of the base\n").does_not_say("of the branch\n");
    ran.says("policy.yaml in the working tree differs");
    tree.lane(&["test", "web", "--policy", "policy.yaml"]).ok().says("of the branch\n");
}

#[test]
fn names_are_no_commands() {
    let scratch = repository("tests: { run: \"echo {service}; touch {path}/ran\" }\n");
    let tree = scratch.worktree("wt", "feat/x");
    let odd = "$(touch pwned); it's";
    tree.write(&format!("services/{odd}/main.py"), "x\n");
    tree.lane(&["test", odd]).ok().says(&format!("{odd}\n"));
    assert!(tree.root.join("services").join(odd).join("ran").exists() && !tree.root.join("pwned").exists());
    tree.write("policy.yaml", policy("tests: { run: \"echo '{service}'\" }\n"));
    let ran = tree.lane(&["test", odd, "--policy", "policy.yaml"]).fails(2);
    ran.says("write {service} without quotes around it");
    tree.lane(&["test", "web", "--policy", "policy.yaml"]).ok().says("web\n");
}

/// Whether a process that wrote its id to a file is gone, soon.
fn is_gone(tree: &Worktree, file: &str) -> bool {
    let id = std::fs::read_to_string(tree.root.join(file)).unwrap();
    (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    })
}

#[test]
fn a_command_ends_by_its_time_with_all_that_it_started() {
    let scratch = repository(
        "tests: { run: \"sleep 300 & echo $! >../{service}.pid; echo waiting; wait\", timeout: 1s }\n",
    );
    let tree = scratch.worktree("wt", "feat/x");
    let started = Instant::now();
    let ran = tree.lane(&["test", "web", "api"]).fails(1).says("web  timed out after 1.").says("waiting\n");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    ran.says("0 passed, 2 failed");
    assert!(is_gone(&tree, "../web.pid") && is_gone(&tree, "../api.pid"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_all_commands_and_begins_no_more() {
    let scratch = repository(
        "tests: { run: \"trap '' TERM; sleep 300 & echo $! >../{service}.pid; wait; sleep 300\" }\n",
    );
    let tree = scratch.worktree("wt", "feat/x");
    let mut command = tree.command(LANE);
    command.args(["test", "web", "api", "free", "-j", "2"]).stdout(std::process::Stdio::piped());
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let is_written =
        |name: &str| std::fs::read_to_string(tree.root.join(name)).is_ok_and(|text| text.ends_with('\n'));
    while !is_written("../web.pid") || !is_written("../api.pid") {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = child.id().to_string();
    tree.command("kill").args(["-INT", &id]).status().unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    let ran = ran.fails(130).says("web   interrupted").says("free  interrupted");
    ran.says("0 passed, 3 failed");
    assert!(is_gone(&tree, "../web.pid") && is_gone(&tree, "../api.pid"));
    assert!(!tree.root.join("../free.pid").exists());
}
