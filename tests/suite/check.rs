//! `git lane check`, `who`, `rule` and `policy` on real repositories.

use crate::support::{LANE, POLICY, Scratch, Worktree, stable};

#[test]
fn a_report_as_text() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    for path in ["services/revenue/a.py", "services/revenue/b c.py", "services/common/db.py", "policy.yaml"] {
        tree.write(path, "x\n");
    }
    tree.write("notes.local", "x\n");
    tree.git(&["add", "-f", "-A"]).ok();
    let ran = tree.lane(&["check", "--staged", "--agent", "a2"]).fails(1);
    insta::assert_snapshot!(stable(&ran.out, &scratch));
}

#[test]
fn a_report_as_json_follows_its_schema() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.sneak("services/revenue/a.py", "x\n", "one");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] two");
    let ran = tree.lane(&["check", "--format", "json"]).fails(1);
    let schema = tree.lane(&["policy", "schema", "--report"]).ok().json();
    let report = ran.json();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(report["head"], tree.head());
    insta::assert_snapshot!(stable(&ran.out, &scratch));
}

#[test]
fn an_undecided_report_follows_its_schema_too() {
    let scratch = Scratch::with_policy("version: 1\nbse: main\n");
    let ran = scratch.lane(&["check", "--format", "json"]).fails(2);
    let schema = scratch.lane(&["policy", "schema", "--report"]).ok().json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&ran.json()), "{}", ran.out);
    assert_eq!(ran.json()["verdict"], "undecided");
}

#[test]
fn a_range_is_judged_commit_by_commit() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.sneak("services/revenue/new.py", "x\n", "[A2] one");
    let bad = tree.head();
    tree.git(&["rm", "-q", "services/revenue/new.py"]).ok();
    tree.git(&["commit", "-q", "-m", "[A2] take it back"]).ok();
    let ran =
        scratch.lane(&["check", "--range", "main..feat/a2/x", "--agent", "a2", "--format", "json"]).fails(1);
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["commit"], bad);
    assert_eq!(report["stats"]["files"], 0);
}

#[test]
fn another_policy_may_be_tried() {
    let scratch = Scratch::empty();
    scratch.main().commit("a/x", "x\n", "one").ok();
    scratch.main().commit("b/y", "y\n", "two").ok();
    scratch.write("try.yaml", "version: 1\nagents: {m: {owns: [a/]}, n: {owns: [b/]}}\n");
    scratch.lane(&["check"]).fails(2).says("no policy.yaml");
    let args = ["check", "--policy", "try.yaml", "--range", "HEAD~1..HEAD", "--agent"];
    scratch.lane(&[&args[..], &["n"]].concat()).ok();
    scratch.lane(&[&args[..], &["m"]].concat()).fails(1).says("in the lane of n");
    scratch.lane(&[&args[..], &["o"]].concat()).fails(2).says("unknown agent `o`");
}

#[test]
fn a_bare_repository_is_judged_by_objects() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.sneak("services/revenue/new.py", "x\n", "[A2] one");
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "repo", "bare.git"]).ok();
    let bare = scratch.home().join("bare.git");
    let range = ["check", "--range", "main..feat/a2/x", "--agent", "a2"];
    let told = scratch.run(&bare, LANE, &range).fails(1).says("services/revenue/new.py");
    let drop = "git lane drop --branch feat/a2/x -- services/revenue/new.py";
    told.says(drop);
    for args in [&["check"][..], &["check", "--worktree"], &["check", "--staged"]] {
        let ran = scratch.run(&bare, LANE, args).fails(2).says("bare repository").does_not_say("pass");
        ran.says("git lane check --range A..B");
    }
    let at = Worktree { root: bare.clone(), home: scratch.home() };
    crate::advice::sh(&at, drop).ok();
    scratch.run(&bare, LANE, &range).ok();
    scratch.run(&bare, LANE, &["check", "--staged"]).fails(2).says("bare repository");
}

#[test]
fn the_base_judges_and_not_the_branch() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let all = POLICY.replace("services: [viral_engine, rag_pipeline, vllm_service]", "owns: [\"*\"]");
    let all = all.replace("paths: [/policy.yaml, /policy.tests.yaml, /.github/, /hooks/]", "paths: [/none]");
    tree.sneak("policy.yaml", &all, "[A2] all mine");
    tree.sneak("services/revenue/a.py", "x\n", "[A2] mine too");
    tree.lane(&["check"])
        .fails(1)
        .says("protected-path")
        .says("foreign-path")
        .says("refs/heads/main:policy.yaml");
}

#[test]
fn the_remote_tracking_base_stands_above_the_local_one() {
    let scratch = Scratch::new();
    scratch.add_origin();
    scratch.main().commit("policy.yaml", "version: 1\n", "an edit that nobody has reviewed").ok();
    scratch.lane(&["check", "-v"]).ok().says("refs/remotes/origin/main:policy.yaml");
}

#[test]
fn a_policy_may_name_another_base() {
    let policy = POLICY.replace("base: main", "base: trunk");
    let scratch = Scratch::with_policy(&policy);
    scratch.lane(&["check"]).fails(2).says("the base branch `trunk` does not exist");
    scratch.git(&["branch", "trunk"]).ok();
    scratch.lane(&["check", "-v"]).ok().says("refs/heads/trunk:policy.yaml");
}

#[test]
fn odd_paths_come_out_right() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    use std::os::unix::ffi::OsStrExt;
    let odd: [&[u8]; 4] = [b"a b", b"quote\"", b"new\nline", "ünï".as_bytes()];
    let folder = tree.root.join("services/revenue");
    for name in odd {
        std::fs::write(folder.join(std::ffi::OsStr::from_bytes(name)), "x\n").unwrap();
    }
    tree.git(&["add", "-A"]).ok();
    let report = tree.lane(&["check", "--staged", "--format", "json"]).fails(1).json();
    let paths: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    // git is the oracle for how a path is written.
    let shown = tree.git(&["-c", "core.quotePath=false", "diff", "--cached", "--name-only"]).ok().out;
    let mut expected: Vec<&str> = shown.lines().collect();
    expected.sort_unstable();
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    // The command that a report suggests works as it stands.
    let help = report["findings"][0]["help"].as_str().unwrap().lines().next().unwrap();
    let restore = help.split_once(": ").unwrap().1;
    let ran: crate::support::Ran = tree.command("sh").args(["-c", restore]).output().unwrap().into();
    ran.ok();
    let left = tree.lane(&["check", "--staged", "--format", "json"]).json();
    assert_eq!(left["findings"].as_array().unwrap().len(), 3);
}

#[test]
fn paths_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    std::fs::write(tree.root.join("services/revenue").join(name), "x\n").unwrap();
    tree.git(&["add", "-A"]).ok();
    let report = tree.lane(&["check", "--staged", "--format", "json"]).fails(1).json();
    let quoted = tree.git(&["diff", "--cached", "--name-only"]).ok().out;
    assert_eq!(report["findings"][0]["path"], quoted.trim_end(), "as git quotes it");
    let help = report["findings"][0]["help"].as_str().unwrap().lines().next().unwrap();
    let ran = tree.command("sh").args(["-c", help.split_once(": ").unwrap().1]).output().unwrap();
    crate::support::Ran::from(ran).ok();
    tree.lane(&["check", "--staged"]).ok();
}

#[test]
fn kinds_of_change() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.git(&["mv", "services/revenue/main.py", "services/rag_pipeline/taken.py"]).ok();
    tree.lane(&["check", "--staged"]).fails(1).says("services/revenue/main.py");
    tree.git(&["reset", "-q", "--hard"]).ok();
    tree.git(&["update-index", "--chmod=+x", "services/revenue/main.py"]).ok();
    tree.lane(&["check", "--staged"]).fails(1).says("services/revenue/main.py");
    tree.git(&["reset", "-q", "--hard"]).ok();
    let head = tree.head();
    let link = format!("160000,{head},services/revenue/sub");
    tree.git(&["update-index", "--add", "--cacheinfo", &link]).ok();
    tree.git(&["config", "submodule.services/revenue/sub.ignore", "all"]).ok();
    tree.lane(&["check", "--staged"]).fails(1).says("services/revenue/sub");
    tree.git(&["reset", "-q", "--hard"]).ok();
    std::os::unix::fs::symlink("main.py", tree.root.join("services/revenue/link")).unwrap();
    tree.git(&["add", "-A"]).ok();
    tree.lane(&["check", "--staged"]).fails(1).says("services/revenue/link");
}

#[test]
fn the_working_tree_can_be_judged() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.write("services/revenue/untracked.py", "x\n");
    tree.write("services/revenue/main.py", "changed\n");
    let before = tree.git(&["count-objects", "-v"]).ok().out;
    tree.lane(&["check", "--staged"]).ok();
    tree.lane(&["check", "--worktree"]).fails(1).says("2 files in the lane of a4");
    assert_eq!(tree.git(&["count-objects", "-v"]).ok().out, before, "nothing is written");
    tree.git(&["diff", "--cached", "--quiet"]).ok();
}

#[test]
fn shallow_clones_say_how_to_deepen() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] one");
    scratch.main().commit("docs/a", "x\n", "second").ok();
    let url = format!("file://{}", scratch.root().display());
    scratch
        .run(&scratch.home(), "git", &["clone", "-q", "--depth=1", "--no-single-branch", &url, "shallow"])
        .ok();
    let shallow = scratch.home().join("shallow");
    scratch.run(&shallow, "git", &["checkout", "-q", "feat/a2/x"]).ok();
    scratch.run(&shallow, LANE, &["check"]).fails(2).says("shallow").says("git fetch --deepen");
    scratch.run(&shallow, "git", &["fetch", "-q", "--unshallow"]).ok();
    scratch.run(&shallow, LANE, &["check"]).ok();
}

#[test]
fn the_first_commit_is_judged() {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", POLICY);
    scratch.write(".agent.env", "export AGENT_ID=a1\n");
    scratch.git(&["checkout", "-q", "-b", "feat/a1/first"]).ok();
    scratch.git(&["add", "-A", "-f"]).ok();
    scratch.lane(&["check", "--staged"]).fails(1).says("local-file").says("protected-path");
}

#[test]
fn who() {
    let scratch = Scratch::new();
    let paths = ["services/revenue/x", "services/common/", "policy.yaml", "docs/x", "a/alembic/b", "x.local"];
    let ran = scratch.lane(&[&["who"], &paths[..]].concat()).ok();
    insta::assert_snapshot!(ran.out);
    let json = scratch.lane(&["who", "--format", "json", "services/revenue/x"]).ok().json();
    assert_eq!(json[0]["owners"][0], "a4");
    let below = scratch.root().join("services/revenue");
    scratch
        .run(&below, LANE, &["who", "x", "../common/y"])
        .ok()
        .says("services/revenue/x")
        .says("services/common/y");
    scratch.lane(&["who", "../elsewhere"]).fails(2).says("is outside this repository");
}

#[test]
fn rules_explain_themselves() {
    let scratch = Scratch::empty();
    scratch.lane(&["rule"]).ok().says("oversized-change");
    scratch.lane(&["rule", "stale-base"]).ok().says("## How to get on");
    scratch.lane(&["rule", "stalebase"]).fails(2).says("did you mean `stale-base`?");
}

#[test]
fn policy_commands() {
    let scratch = Scratch::new();
    scratch.lane(&["policy", "check"]).ok().says("no mistakes; 4 agents");
    scratch.lane(&["policy", "test"]).ok().says("all true");
    let shown = scratch.lane(&["policy", "show"]).ok().out;
    scratch.write("again.yaml", &shown);
    let again = scratch.lane(&["policy", "show", "again.yaml"]).ok().out;
    assert_eq!(shown.lines().skip(1).collect::<Vec<_>>(), again.lines().skip(1).collect::<Vec<_>>());
    scratch.write("policy.tests.yaml", "- a2 may change services/revenue/x\n- a1 may change docs/x\n");
    scratch
        .lane(&["policy", "test"])
        .fails(1)
        .says("FAILED  a2 may change services/revenue/x")
        .says("foreign-path");
    scratch.write("policy.tests.yaml", "- a9 may change x\n- a2 might\n");
    scratch.lane(&["policy", "test"]).fails(2).says("unknown agent `a9`").says("`a2 might` is not a test");
}

#[test]
fn trailers_are_gits_trailers() {
    use lane_core::facts::Message;
    let scratch = Scratch::empty();
    let messages = [
        "s\n\nAgent: a2\n",
        "s\r\n\r\nAgent: a2\r\n",
        "s\n\t\nAgent: a2\n",
        "s\n\nbody\n \nAgent: a2\n",
        "s\n\nAgent:\n a2\n",
        "s\n\nAgent: a2\n continued\n",
        "s\n\nAgent: a2\n# comment\nOther: b\n",
        "s\n\nAgent: a2\nprose\n",
        "s\n\nAgent: a2\nprose\nSigned-off-by: x\n",
        "s\n\nAgent : a2\n",
        "s\n\nAgent: a2\n\n\n",
        "s\nAgent: a2\n",
        "Agent: a2\n",
        "s\n\nprose: yes, this\nis prose\n",
        "s\n\nAgent: a2\n(cherry picked from commit 123)\n",
        "s\n\none\n\ntwo\n\nAgent: a2\nAgent: a3\n",
    ];
    for message in messages {
        std::fs::write(scratch.home().join("message"), message).unwrap();
        let parsed = scratch.git(&["interpret-trailers", "--parse", "../message"]).ok().out;
        let ours = Message { text: message.to_owned() };
        let ours: String = ours.trailers().iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        let theirs: Vec<&str> = parsed.lines().filter(|line| !line.starts_with("(cherry")).collect();
        assert_eq!(ours.lines().collect::<Vec<_>>(), theirs, "{message:?}");
    }
}

#[test]
fn the_staged_tree_is_the_one_that_git_writes() {
    use lane_git::{Git2Repository, staged_tree};
    let scratch = Scratch::new();
    let index = scratch.root().join(".git/index");
    let ours = || {
        let repo = Git2Repository::open_at(&scratch.root()).unwrap();
        staged_tree(&repo, &index).unwrap().unwrap().to_string()
    };
    let gits = || scratch.git(&["write-tree"]).ok().out.trim().to_owned();
    let head = scratch.git(&["rev-parse", "HEAD:requirements.txt"]).ok().out;
    let long = format!("100644,{},deep/{}", head.trim(), vec!["x".repeat(200); 20].join("/"));
    for version in ["2", "3", "4"] {
        scratch.git(&["update-index", "--force-write-index", "--index-version", version]).ok();
        for step in 0..5 {
            match step {
                0 => {}
                1 => scratch.write(&format!("new{version}"), "x\n"),
                2 => scratch.write("services/revenue/main.py", &format!("{version}\n")),
                3 => drop(scratch.git(&["update-index", "--add", "--cacheinfo", &long]).ok()),
                _ => {
                    scratch.write(&format!("later{version}"), "x\n");
                    scratch.git(&["add", "-N", &format!("later{version}")]).ok();
                }
            }
            if step == 1 || step == 2 {
                scratch.git(&["add", "new*", "services"]).ok();
            }
            let before = ours(); // the TREE extension is stale here
            let theirs = gits(); // and up to date after this, except for what is only intended
            assert_eq!(before, theirs, "version {version}, step {step}");
            assert_eq!(ours(), theirs, "version {version}, step {step}");
        }
        scratch.git(&["reset", "-q", "--hard"]).ok();
    }
}

#[test]
fn a_range_means_branches_and_not_tags() {
    let (scratch, tree) = Scratch::installed();
    let main = tree.git(&["rev-parse", "main"]).ok().out.trim().to_owned();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] feat: theirs");
    for tag in ["main", "origin/main", "feat/a2/y"] {
        tree.git(&["tag", tag, "HEAD"]).ok();
    }
    tree.git(&["tag", "feat/a2/x", &main]).ok();
    for range in [
        "main..feat/a2/x",
        "origin/main..HEAD",
        "main..",
        "refs/heads/main...feat/a2/x",
        "feat/a2/x~1..feat/a2/x",
    ] {
        tree.lane(&["check", "--range", range]).fails(1).says("foreign-path");
    }
    // What means no branch is a tag.
    tree.lane(&["check", "--range", "feat/a2/y~1..feat/a2/y"]).fails(1).says("foreign-path");
    tree.lane(&["check", "--range", "refs/tags/main..HEAD"]).ok();
    // What is advised works while such a tag is there.
    scratch.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", "moves on"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "refs/heads/main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.git(&["merge", "-q", "--no-verify", "-m", "[A2] merge", "refs/remotes/origin/main"]).ok();
    tree.lane(&["check"]).fails(1).says("git rebase --autostash refs/remotes/origin/main");
    tree.lane(&["sync"]).ok();
    let merged = tree.git(&["merge-base", "HEAD", "refs/remotes/origin/main"]).ok().out;
    assert_eq!(merged, tree.git(&["rev-parse", "refs/remotes/origin/main"]).ok().out);
}

#[test]
fn whose_a_path_is_elsewhere() {
    let scratch = Scratch::new();
    let ran = scratch.lane(&["who", "services/Revenue/x.py"]).ok();
    ran.says("anyone: it is in no lane and no area")
        .says("is in their lane; that of the same file where case");
    scratch.lane(&["who", "services/revenue/x.py"]).ok().does_not_say("elsewhere").does_not_say("where case");
}
