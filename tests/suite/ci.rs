//! `git lane ci`: what decides.

use crate::support::ci::Job;
use crate::support::{POLICY, stable};
use serde_json::{Value, json};

/// What the job says of the branch as it is, in a whole clone.
fn verdict(job: &Job) -> Value {
    job.push();
    let at = job.checkout(&[]);
    let payload = job.payload(|_| {});
    let ran = job.on_github(&at, &["--format", "json"], &payload, &[]);
    let report = ran.json();
    let codes = [("pass", 0), ("fail", 1), ("undecided", 2)];
    assert!(codes.contains(&(report["verdict"].as_str().unwrap(), ran.code)), "{report:#}");
    report
}

/// The rules that found an error.
fn errors(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut rules: Vec<&str> =
        findings.filter(|finding| finding["level"] == "error").map(|f| f["rule"].as_str().unwrap()).collect();
    rules.dedup();
    rules
}

#[test]
fn a_good_change_passes() {
    let job = Job::new();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    let report = verdict(&job);
    assert_eq!((&report["verdict"], &report["event"]), (&"pass".into(), &"ci".into()));
    assert_eq!((&report["agent"], &report["branch"]), (&"a2".into(), &"feat/a2/x".into()));
    assert_eq!(report["head"], job.rev("HEAD"));
    assert_eq!(report["policy"]["source"], "refs/remotes/origin/main:policy.yaml");
}

#[test]
fn a_change_that_would_loosen_its_own_rules_fails() {
    let job = Job::new();
    let loose = POLICY.replace("services: [viral_engine", "owns: ['**']\n    services: [viral_engine");
    assert_ne!(loose, POLICY);
    job.commit("policy.yaml", &loose, "[A2] feat: all is mine");
    job.commit("services/revenue/main.py", "mine\n", "[A2] feat: so is this");
    // The wide pattern also takes all others from the lane: a mistake in the policy that is proposed.
    assert_eq!(errors(&verdict(&job)), ["foreign-path", "policy-mistake", "protected-path"]);

    let job = Job::new();
    job.commit(".github/workflows/policy.yml", "on: never\n", "[A2] ci: no more");
    assert_eq!(errors(&verdict(&job)), ["protected-path"]);

    let job = Job::new();
    job.commit(".gitattributes", "*.rs -diff\n*.rs linguist-generated\n", "[A2] chore: quiet");
    job.commit("services/rag_pipeline/a.rs", &"line\n".repeat(400), "[A2] feat: a");
    let report = verdict(&job);
    assert_eq!(errors(&report), ["oversized-change"]);
    assert!(report["stats"]["counted"].as_u64().unwrap() > 400);

    let job = Job::new();
    job.commit("services/revenue/main.py", "mine\n", "[A2] feat: a");
    let bad = job.rev("HEAD");
    job.tree.git(&["revert", "--no-edit", "HEAD"]).ok();
    job.tree.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] fix: back"]).ok();
    let report = verdict(&job);
    assert_eq!(errors(&report), ["foreign-path"]);
    assert_eq!(report["findings"][0]["commit"], bad);
}

#[test]
fn as_annotations_and_a_summary() {
    let job = Job::new();
    job.commit("services/revenue/a,b:100%.py", "x\n", "feat: a");
    job.push();
    let at = job.checkout(&[]);
    let summary = job.file("summary.md");
    let env = [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let payload = job.payload(|payload| payload["pull_request"]["title"] = json!("feat: x"));
    let ran = job.on_github(&at, &[], &payload, &env).fails(1);
    insta::assert_snapshot!(stable(&ran.out, &job.scratch));
    assert!(std::fs::read_to_string(&summary).unwrap().starts_with("## ❌ git-lane: fail"));
}

#[test]
fn one_report_in_all_its_forms() {
    let job = Job::new();
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    let args = ["--write", "sarif=lane.sarif", "--write", "gitlab=gl.json", "--format", "text"];
    let ran = job.on_github(&at, &args, &job.payload(|_| {}), &[]).fails(1);
    assert!(ran.out.contains("::error "), "{}", ran.out);
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(at.root.join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("lane.sarif")["runs"][0]["results"][0]["ruleId"], "foreign-path");
    assert_eq!(read("gl.json")[0]["check_name"], "foreign-path");
    at.lane(&["ci", "--base", "main", "--write", "pdf=x"]).fails(2).says("`pdf` is no format");
    at.lane(&["ci", "--base", "main", "--write", "sarif=no/such/folder"]).fails(2).says("cannot be written");
}

#[test]
fn the_head_is_judged_and_not_the_merge_that_is_checked_out() {
    let job = Job::new();
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: a");
    job.push();
    // The base takes the file away again in its own name, so that the merge looks harmless.
    let at = job.checkout(&[]);
    at.git(&["checkout", "-q", "--detach", "origin/main"]).ok();
    at.git(&["merge", "-q", "--no-ff", "--no-commit", "-s", "ours", "origin/feat/a2/x"]).ok();
    at.git(&["commit", "-q", "-m", "Merge"]).ok();
    let ran = job.on_github(&at, &["--format", "json"], &job.payload(|_| {}), &[]).fails(1);
    assert_eq!(ran.json()["head"], job.rev("HEAD"));
    assert_eq!(errors(&ran.json()), ["foreign-path"]);
}

#[test]
fn what_is_not_here_is_never_a_pass() {
    let job = Job::new();
    for n in 0..5 {
        job.commit("services/rag_pipeline/a.py", &format!("{n}\n"), "[A2] feat: a");
    }
    job.push();
    let payload = job.payload(|_| {});
    let branch = ["--branch", "feat/a2/x"];
    // Only the tip: no base, then no merge base.
    let at = job.checkout(&[&["--depth", "1", "--single-branch"], &branch[..]].concat());
    let ran = job.on_github(&at, &[], &payload, &[]).fails(2);
    ran.says("the base of pull request 7 (`main`) is not available here").says("`fetch-depth: 0`");
    let fetch = "+refs/heads/main:refs/remotes/origin/main";
    at.git(&["fetch", "-q", "--depth", "1", "origin", fetch]).ok();
    job.on_github(&at, &[], &payload, &[]).fails(2).says("this clone is shallow").says("--deepen");
    at.git(&["fetch", "-q", "--unshallow", "origin", "feat/a2/x", fetch]).ok();
    job.on_github(&at, &[], &payload, &[]).ok();
    // The tip alone is missing.
    let at = job.checkout(&["--single-branch", "--branch", "main"]);
    let ran = job.on_github(&at, &[], &payload, &[]).fails(2).says("the tip of pull request 7");
    let line = ran.all();
    assert!(line.contains("git fetch --no-tags origin 'refs/pull/7/head'"), "{line}");
    // So does an error speak that comes before any verdict.
    let json = job.on_github(&at, &["--format", "sarif"], &payload, &[]).fails(2).json();
    assert_eq!(json["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn a_base_that_moved_on_is_the_base() {
    let job = Job::new();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    let payload = job.payload(|_| {});
    // A stricter policy lands after the event, and before it is run again.
    let strict =
        POLICY.replace("max_age: 3h", "max_age: null").replace("max_lines: 300", "max_lines: 1, warn_at: 1");
    let strict = strict.replace(", warn_at: 240", "");
    job.scratch.write("policy.yaml", &strict);
    job.scratch.write("services/rag_pipeline/b.py", "x\n");
    job.scratch.git(&["add", "-A"]).ok();
    job.scratch.git(&["commit", "-q", "--no-verify", "-m", "stricter"]).ok();
    job.scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    job.commit("services/rag_pipeline/c.py", "x\nx\n", "[A2] feat: c");
    job.push();
    let at = job.checkout(&[]);
    let payload = job
        .payload(|new| new["pull_request"]["base"]["sha"] = payload["pull_request"]["base"]["sha"].clone());
    let report = job.on_github(&at, &["--format", "json"], &payload, &[]).fails(1).json();
    assert_eq!(errors(&report), ["oversized-change"]);
    // The other way round: the clone is older than the event.
    at.git(&["update-ref", "refs/remotes/origin/main", "origin/main~1"]).ok();
    let payload = job.payload(|new| new["pull_request"]["base"]["sha"] = json!(job.rev("main")));
    let report = job.on_github(&at, &["--format", "json"], &payload, &[]).fails(1).json();
    assert_eq!(errors(&report), ["oversized-change"]);
}

#[test]
fn a_base_that_nobody_protects_does_not_speak_for_itself() {
    let job = Job::new();
    let loose = POLICY.replace("services: [viral_engine", "owns: ['**']\n    services: [viral_engine");
    job.commit("policy.yaml", &loose, "[A2] feat: all is mine");
    job.push();
    job.tree.git(&["push", "-q", "--no-verify", "origin", "HEAD:refs/heads/feat/a2/base"]).ok();
    job.commit("services/revenue/main.py", "mine\n", "[A2] feat: so is this");
    job.push();
    let at = job.checkout(&[]);
    let onto = |payload: &mut Value| {
        payload["pull_request"]["base"] =
            json!({ "ref": "feat/a2/base", "sha": job.rev("HEAD~1"), "repo": { "full_name": "o/r" } });
    };
    let report = job.on_github(&at, &["--format", "json"], &job.payload(onto), &[]).fails(1).json();
    assert_eq!(errors(&report), ["foreign-path"]);
    assert_eq!(report["policy"]["source"], "refs/remotes/origin/main:policy.yaml");
    assert_eq!(report["stats"]["commits"], 1);
}

#[test]
fn a_first_policy_is_judged_by_itself() {
    let job = Job::new();
    job.scratch.git(&["rm", "-q", "policy.yaml"]).ok();
    job.scratch.git(&["commit", "-q", "--no-verify", "-m", "no policy"]).ok();
    job.scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    job.tree.git(&["reset", "-q", "--hard", "main"]).ok();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    job.on_github(&at, &[], &job.payload(|_| {}), &[]).fails(2).says("nor in the change");
    job.commit("policy.yaml", POLICY, "[A2] feat: a policy");
    job.push();
    let at = job.checkout(&[]);
    let ran = job.on_github(&at, &[], &job.payload(|_| {}), &[]).fails(1);
    ran.says("has no policy yet: pull request 7 is judged by its own").says("protected-path");
}

#[test]
fn a_merge_queue() {
    let job = Job::new();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    // With merges, the host puts one of its own on top.
    at.git(&["checkout", "-q", "--detach", "origin/main"]).ok();
    at.git(&["merge", "-q", "--no-ff", "-m", "Merge pull request #7", "origin/feat/a2/x"]).ok();
    let payload = |head: &str| {
        json!({ "action": "checks_requested", "repository": { "full_name": "o/r", "default_branch": "main" },
            "merge_group": { "head_sha": head, "base_sha": job.rev("main"), "base_ref": "refs/heads/main",
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-0123" } })
    };
    let merge = at.git(&["rev-parse", "HEAD"]).ok().out.trim().to_owned();
    let report = job.on_github(&at, &["--format", "json"], &payload(&merge), &[]).ok().json();
    assert_eq!((&report["head"], &report["agent"]), (&job.rev("HEAD").into(), &"a2".into()));
    // With squashes, the commit is the change.
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: foreign");
    job.push();
    at.git(&["fetch", "-q", "origin"]).ok();
    at.git(&["checkout", "-q", "--detach", "origin/main"]).ok();
    at.git(&["merge", "-q", "--squash", "origin/feat/a2/x"]).ok();
    at.git(&["commit", "-q", "-m", "[A2] feat: x (#7)"]).ok();
    let squash = at.git(&["rev-parse", "HEAD"]).ok().out.trim().to_owned();
    let report = job.on_github(&at, &["--format", "json"], &payload(&squash), &[]).fails(1).json();
    assert_eq!(errors(&report), ["foreign-path"]);
}

#[test]
fn title_branch_commits_and_author_have_to_agree() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace(
        "unidentified: maintainer",
        "unidentified: maintainer\npull_request: { labels: [auto-merge] }",
    );
    let policy = policy.replacen(
        "    ports: 8180-8199",
        "    identity: { github: [rag-bot] }\n    ports: 8180-8199",
        1,
    );
    let job = Job::with_policy(&policy);
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    let judged = |change: fn(&mut Value)| {
        let ran = job.on_github(&at, &["--format", "json"], &job.payload(change), &[]);
        let report = ran.json();
        let rules: Vec<String> = errors(&report).into_iter().map(str::to_owned).collect();
        (rules.join(" "), report["identity"].as_str().unwrap().to_owned())
    };
    let good = |payload: &mut Value| payload["pull_request"]["labels"] = json!([{ "name": "auto-merge" }]);
    // Who pushed it, only GitHub itself could tell.
    assert_eq!(judged(good), (String::new(), "claimed".into()));
    assert_eq!(judged(|_| {}).0, "pull-request-label");
    assert_eq!(
        judged(|payload| {
            payload["pull_request"]["labels"] = json!([{ "name": "auto-merge" }]);
            payload["pull_request"]["title"] = json!("[A1] feat: x");
        })
        .0,
        "pull-request-title"
    );
    let (rules, identity) = judged(|payload| {
        payload["pull_request"]["labels"] = json!([{ "name": "auto-merge" }]);
        payload["pull_request"]["user"] = json!({ "login": "mallory" });
    });
    assert_eq!((rules.as_str(), identity.as_str()), ("identity", "claimed"));
    // Another branch's name, by the account of a2.
    let (rules, _) = judged(|payload| {
        payload["pull_request"]["labels"] = json!([{ "name": "auto-merge" }]);
        payload["pull_request"]["head"]["ref"] = json!("feat/a1/x");
    });
    assert_eq!(rules, "branch-name");
}

#[test]
fn what_the_environment_or_the_change_says_of_itself_is_no_identity() {
    let job = Job::new();
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: a");
    job.commit(".agent.env", "AGENT_ID=a4\n", "[A2] chore: I am another");
    job.push();
    let at = job.checkout(&[]);
    at.git(&["checkout", "-q", "feat/a2/x"]).ok();
    let ran = job.on_github(&at, &["--format", "json"], &job.payload(|_| {}), &[("AGENT_ID", "a4")]).fails(1);
    assert_eq!(
        (&ran.json()["agent"], errors(&ran.json())),
        (&"a2".into(), vec!["foreign-path", "local-file"])
    );
}

#[test]
fn on_gitlab() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null");
    let policy = policy.replacen("    ports: 8180", "    identity: { accounts: [rag] }\n    ports: 8180", 1);
    let job = Job::with_policy(&policy);
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    let head = job.rev("HEAD");
    let env = [
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feat/a2/x"),
        ("CI_MERGE_REQUEST_TITLE", "feat: a"),
        ("CI_COMMIT_SHA", head.as_str()),
        ("CI_DEFAULT_BRANCH", "main"),
    ];
    let issues = at.lane_env(&["ci", "--format", "gitlab"], &env).fails(1).json();
    let names: Vec<&str> =
        issues.as_array().unwrap().iter().map(|i| i["check_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["foreign-path", "pull-request-title"]);
    let report = at.lane_env(&["ci", "--author", "rag", "--format", "json"], &env).fails(1).json();
    assert_eq!((&report["agent"], &report["identity"]), (&"a2".into(), &"proven".into()));
    at.lane_env(&["ci", "--publish"], &env).fails(2).says("--publish needs a GitHub job");
    at.lane_env(&["ci"], &env[..1])
        .fails(2)
        .says("this pipeline is not for a merge request: no change to judge");
}

#[test]
fn of_several_merge_bases_none_is_chosen() {
    let job = Job::new();
    // Two branches, each merged into main; the change stands on one of them and merges the other away.
    let git = |args: &[&str]| job.tree.git(args).ok();
    let dated = |date: &str, args: &[&str]| {
        let env = [("GIT_COMMITTER_DATE", date), ("GIT_AUTHOR_DATE", date)];
        let ran = job.tree.command("git").args(args).envs(env).output().unwrap();
        assert!(ran.status.success(), "{args:?}");
    };
    let branch = |name: &str, file: &str, date: &str| {
        git(&["switch", "-q", "-c", name, "main"]);
        job.tree.write(file, "x\n");
        git(&["add", "-A"]);
        dated(date, &["commit", "-q", "--no-verify", "-m", "a maintainer's"]);
    };
    for (first, second) in
        [("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")]
    {
        branch("s1", "services/rag_pipeline/s1.py", first);
        branch("s2", "services/revenue/s2.py", second);
        job.scratch.git(&["merge", "-q", "--no-ff", "-m", "m1", "s1"]).ok();
        job.scratch.git(&["merge", "-q", "--no-ff", "-m", "m2", "s2"]).ok();
        job.scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        let merge = |strategy: &[&str]| {
            git(&["switch", "-q", "-C", "feat/a2/x", "s1"]);
            git(&[&["merge", "-q", "--no-verify", "-m", "[A2] chore: merge"], strategy, &["s2"]].concat());
            job.commit("services/rag_pipeline/own.py", "x\n", "[A2] feat: own");
            let report = verdict(&job);
            errors(&report).iter().filter(|rule| **rule == "foreign-path").count()
        };
        assert_eq!(merge(&["-s", "ours"]), 1, "it takes away what main has");
        assert_eq!(merge(&[]), 0, "it takes nothing away");
        job.scratch.git(&["reset", "-q", "--hard", "HEAD~2"]).ok();
        job.scratch.git(&["push", "-q", "-f", "--no-verify", "origin", "main"]).ok();
        git(&["branch", "-q", "-D", "s1", "s2"]);
    }
}

#[test]
fn no_branch_takes_the_place_of_the_base() {
    let job = Job::new();
    let loose = POLICY.replace("services: [viral_engine", "owns: ['**']\n    services: [viral_engine");
    job.commit("policy.yaml", &loose, "[A2] feat: all is mine");
    let main = job.rev("main");
    let push = |name: &str| {
        job.tree.git(&["push", "-q", "--no-verify", "origin", &format!("HEAD:refs/heads/{name}")]).ok()
    };
    push("origin/main");
    push(&main);
    job.commit("services/revenue/main.py", "mine\n", "[A2] feat: so is this");
    job.push();
    let at = job.checkout(&[]);
    for base in ["main", "origin/main", "refs/remotes/origin/main", main.as_str()] {
        let args =
            ["ci", "--base", base, "--head", "origin/feat/a2/x", "--branch", "feat/a2/x", "--format", "json"];
        let report = at.lane(&args).fails(1).json();
        assert_eq!(errors(&report), ["foreign-path", "policy-mistake", "protected-path"], "{base}");
    }
    at.lane(&["ci", "--base", "elsewhere"]).fails(2).says("git fetch --no-tags origin");
}

#[test]
fn a_lock_that_was_never_taken_is_none() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("remote: null", "remote: origin");
    let job = Job::with_policy(&policy);
    job.tree.lane(&["install", "--agent", "a2"]).ok();
    let judged = |trailer: &str| {
        job.tree.git(&["reset", "-q", "--hard", "main"]).ok();
        let message = format!("[A2] feat: a\n\nLane-Lock: {trailer}");
        job.commit("services/common/a.py", "x\n", &message);
        let report = verdict(&job);
        let words: Vec<String> =
            report["findings"].as_array().unwrap().iter().map(|f| f["message"].to_string()).collect();
        (errors(&report).join(" "), words.join(" "))
    };
    for forged in ["common@7", "services/common/a.py@7", "*/**@7"] {
        let (rules, words) = judged(forged);
        assert!(rules == "unlocked-path" && words.contains("never taken"), "{forged}: {words}");
    }
    job.tree.lane(&["lock", "common"]).ok();
    job.tree.lane(&["unlock", "common"]).ok();
    assert_eq!(judged("common@1").0, "");
    // A squash keeps it somewhere in its text.
    assert_eq!(judged("common@1\n\n* and more words").0, "");
    assert_eq!(judged("common@2").0, "unlocked-path");
}

#[test]
fn what_keeps_it_from_a_verdict_is_written_too() {
    let job = Job::new();
    job.scratch.write("policy.yaml", "version: 1\nbse: main\n");
    job.scratch.git(&["commit", "-q", "-a", "--no-verify", "-m", "a mistake"]).ok();
    job.scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&[]);
    let summary = job.file("summary.md");
    let env = [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let ran = job.on_github(&at, &["--write", "gitlab=gl.json"], &job.payload(|_| {}), &env).fails(2);
    assert!(ran.out.contains("::error file=policy.yaml,line=2"), "{}", ran.out);
    assert!(std::fs::read_to_string(at.root.join("gl.json")).unwrap().contains("bse"));
    assert!(std::fs::read_to_string(&summary).unwrap().contains("could not decide"));
}

#[test]
fn no_tag_takes_the_place_of_a_branch() {
    let job = Job::new();
    job.commit("services/revenue/main.py", "mine\n", "[A2] feat: theirs");
    job.push();
    let tags = [
        "HEAD:refs/tags/main",
        "HEAD:refs/tags/origin/main",
        "main:refs/tags/feat/a2/x",
        "main:refs/tags/origin/feat/a2/x",
    ];
    job.tree.git(&[&["push", "-q", "--no-verify", "origin"][..], &tags].concat()).ok();
    let at = job.checkout(&[]);
    at.git(&["fetch", "-q", "--tags"]).ok();
    let judge = |base: &str, head: &str| {
        at.lane(&["ci", "--base", base, "--head", head, "--branch", "feat/a2/x", "--format", "json"])
            .fails(1)
            .json()
    };
    // There is no local branch of the name at first: then the remote's is meant.
    for has_branch in [false, true] {
        if has_branch {
            at.git(&["branch", "-f", "feat/a2/x", "refs/remotes/origin/feat/a2/x"]).ok();
        }
        for base in ["main", "origin/main", "refs/remotes/origin/main"] {
            for head in ["feat/a2/x", "origin/feat/a2/x", "refs/remotes/origin/feat/a2/x", "feat/a2/x~0"] {
                assert_eq!(errors(&judge(base, head)), ["foreign-path"], "{base} {head} {has_branch}");
            }
        }
    }
}

#[test]
fn by_hand() {
    let job = Job::new();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    let ci = |args: &[&str]| job.tree.lane(&[&["ci"], args].concat());
    ci(&["--base", "main", "--branch", "feat/a2/x", "--title", "[A2] a"]).ok().says("pass (ci, a2)");
    ci(&["--base", "main", "--branch", "feat/a2/x", "--title", "a"]).fails(1).says("pull-request-title");
    ci(&["--base", "main", "--head", "HEAD", "--agent", "a4"]).fails(1).says("foreign-path");
    ci(&["--base", "main", "--agent", "a9"]).fails(2).says("unknown agent `a9`");
    ci(&[])
        .fails(2)
        .says("no change to judge: not in a GitHub or GitLab job, and no ends given")
        .says("git lane check");
    ci(&["--base", "nowhere"]).fails(2).says("nowhere");
}

#[test]
fn a_change_of_many_commits_and_files() {
    let job = Job::new();
    // More than GitHub's own API lists: 250 commits, 3,000 files.
    let mut stream = String::new();
    let base = job.rev("HEAD");
    for n in 0..260 {
        let from = if n == 0 { format!("from {base}\n") } else { String::new() };
        stream.push_str(&format!(
            "commit refs/heads/feat/a2/x\ncommitter x <x@y> 1700000000 +0000\ndata 12\n[A2] feat: x\n{from}"
        ));
        for file in 0..12 {
            stream.push_str(&format!("M 100644 inline services/rag_pipeline/{n}/{file}.py\ndata 2\nx\n\n"));
        }
        if n == 130 {
            stream.push_str("M 100644 inline services/revenue/hidden.py\ndata 2\nx\n\n");
        }
    }
    let mut child = job
        .tree
        .command("git")
        .args(["fast-import", "--quiet", "--force"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let report = verdict(&job);
    assert_eq!(errors(&report), ["foreign-path", "oversized-change"]);
    assert_eq!((&report["stats"]["commits"], &report["stats"]["files"]), (&260.into(), &3121.into()));
}
