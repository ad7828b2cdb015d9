//! `git lane check --format github|sarif|gitlab`, held against what the platforms publish.

use crate::support::{Ran, Scratch, Worktree, stable};
use serde_json::Value;

/// A worktree of a2 with files in the lane of a4, odd names among them, and a commit without a tag.
fn trespassing() -> (Scratch, Worktree) {
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new();
    scratch.git(&["remote", "add", "origin", "https://user:hush@example.com/o/r.git"]).ok();
    let tree = scratch.worktree("a2", "feat/a2/x");
    let odd: [&[u8]; 5] =
        [b"100%,a:b.py", b"new\nline.py", b"caf\xe9.py", b"@all|`x`<b>.py", "ünï.py".as_bytes()];
    for name in odd {
        std::fs::write(tree.root.join("services/revenue").join(std::ffi::OsStr::from_bytes(name)), "x\n")
            .unwrap();
    }
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", "no tag, 100%: @everyone [x](https://evil.example) | <b>"]).ok();
    (scratch, tree)
}

/// Errors that come before any verdict.
fn before_a_verdict(format: &str) -> Vec<Ran> {
    let broken = Scratch::with_policy("version: 1\nbse: main\n");
    let nowhere = Scratch::empty();
    let home = nowhere.home();
    let args = ["check", "--format", format];
    vec![
        broken.lane(&args).fails(2),
        nowhere.run(&home, crate::support::LANE, &args).fails(2),
        nowhere.run(&home, crate::support::LANE, &[&args[..], &["-C", "missing"]].concat()).fails(2),
    ]
}

fn errors(schema: &str, instance: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn sarif_follows_the_published_schema() {
    let schema = include_str!("../schemas/sarif-2.1.0.json");
    let (_scratch, tree) = trespassing();
    let mut reports = vec![tree.lane(&["check", "--format", "sarif"]).fails(1)];
    reports.push(Scratch::new().lane(&["check", "--format", "sarif"]).ok());
    reports.extend(before_a_verdict("sarif"));
    for ran in &reports {
        let log = ran.json();
        assert_eq!(errors(schema, &log), Vec::<String>::new(), "{log:#}");
        let run = &log["runs"][0];
        assert_eq!(run["invocations"][0]["executionSuccessful"], ran.code != 2);
        assert_eq!(run["invocations"][0]["exitCode"], ran.code);
        assert_eq!(run["results"].as_array().unwrap().is_empty(), ran.code == 0);
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }
    let run = &reports[0].json()["runs"][0];
    assert_eq!(run["versionControlProvenance"][0]["repositoryUri"], "https://example.com/o/r.git");
    assert_eq!(run["versionControlProvenance"][0]["revisionId"], tree.head());
    assert!(!reports[0].out.contains("hush"));
    let uris: Vec<&str> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    for uri in
        ["services/revenue/100%25%2Ca%3Ab.py", "services/revenue/new%0Aline.py", "services/revenue/caf%E9.py"]
    {
        assert!(uris.contains(&uri), "{uris:?}");
    }
}

#[test]
fn gitlab_takes_the_report() {
    let schema = include_str!("../schemas/gitlab-codeclimate.json");
    let (_scratch, tree) = trespassing();
    let mut reports = vec![tree.lane(&["check", "--format", "gitlab"]).fails(1)];
    reports.push(Scratch::new().lane(&["check", "--format", "gitlab"]).ok());
    reports.extend(before_a_verdict("gitlab"));
    for ran in &reports {
        let issues = ran.json();
        let issues = issues.as_array().unwrap();
        assert_eq!(issues.is_empty(), ran.code == 0);
        let mut prints = std::collections::HashSet::new();
        for issue in issues {
            assert_eq!(errors(schema, issue), Vec::<String>::new(), "{issue:#}");
            assert!(prints.insert(issue["fingerprint"].as_str().unwrap().to_owned()), "{issue:#}");
            // What the documentation asks for on top.
            let severities = ["info", "minor", "major", "critical", "blocker"];
            assert!(severities.contains(&issue["severity"].as_str().unwrap()));
            assert!(!issue["check_name"].as_str().unwrap().is_empty());
            let path = issue["location"]["path"].as_str().unwrap();
            assert!(!path.is_empty() && !path.starts_with(['/', '.']), "{path}");
            assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        }
    }
    let issues = reports[0].json();
    let tagless =
        issues.as_array().unwrap().iter().find(|issue| issue["check_name"] == "untagged-message").unwrap();
    assert_eq!(tagless["location"]["path"], "policy.yaml");
    let line = usize::try_from(tagless["location"]["lines"]["begin"].as_u64().unwrap()).unwrap();
    assert!(crate::support::POLICY.lines().nth(line - 1).unwrap().starts_with("message:"), "{line}");
}

#[test]
fn fingerprints_stay_when_work_goes_on() {
    let (_scratch, tree) = trespassing();
    let prints = |tree: &Worktree| -> Vec<String> {
        let issues = tree.lane(&["check", "--format", "gitlab"]).fails(1).json();
        issues
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["fingerprint"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = prints(&tree);
    tree.sneak("services/revenue/main.py", "moved\n\n\nlines\n", "another without");
    tree.git(&["commit", "-q", "--amend", "--no-edit", "--date=2026-02-03T00:00:00Z", "--no-verify"]).ok();
    let after = prints(&tree);
    assert!(before.iter().all(|print| after.contains(print)) && after.len() > before.len());
    // A rebase gives every commit another id.
    tree.command("git")
        .args(["rebase", "-q", "--force-rebase", "main"])
        .env("GIT_COMMITTER_DATE", "2026-03-03T00:00:00Z")
        .output()
        .unwrap();
    let mut rebased = prints(&tree);
    let mut after = after;
    rebased.sort();
    after.sort();
    assert_eq!(rebased, after);
}

#[test]
fn github_is_told_by_commands_and_a_summary() {
    let (scratch, tree) = trespassing();
    let file = scratch.home().join("summary.md");
    std::fs::write(&file, "what was there").unwrap();
    let env = [("GITHUB_STEP_SUMMARY", file.to_str().unwrap())];
    let ran = tree.lane_env(&["check", "--format", "github"], &env).fails(1);
    insta::assert_snapshot!(stable(&ran.out, &scratch));
    let summary = std::fs::read_to_string(&file).unwrap();
    let summary = summary.strip_prefix("what was there\n").unwrap();
    let outside: String = summary.split("```").step_by(2).collect();
    assert!(!outside.contains("@all") && !outside.contains("<b>"), "{summary}");
    insta::assert_snapshot!(stable(summary, &scratch));
}

#[test]
fn a_summary_that_cannot_be_written_changes_nothing() {
    let scratch = Scratch::new();
    let env = [("GITHUB_STEP_SUMMARY", "/nowhere/at/all.md")];
    let args = ["check", "--format", "github"];
    scratch
        .main()
        .lane_env(&args, &env)
        .ok()
        .says("the summary was not written")
        .says("); the verdict is unaffected");
    // A full one is left alone: GitHub would drop all of it.
    let full = scratch.home().join("full.md");
    std::fs::write(&full, "x".repeat(1 << 20)).unwrap();
    let env = [("GITHUB_STEP_SUMMARY", full.to_str().unwrap())];
    scratch.main().lane_env(&args, &env).ok().says("the summary of this step is full");
    assert_eq!(std::fs::metadata(&full).unwrap().len(), 1 << 20);
    // Without the variable there is none.
    scratch.lane(&args).ok().does_not_say("note");
}

#[test]
fn what_comes_before_a_verdict_is_an_error_on_github() {
    let all = before_a_verdict("github");
    assert!(
        all[0].out.starts_with("::error file=policy.yaml,line=2,title=git-lane could not decide::"),
        "{}",
        all[0].out
    );
    for ran in &all {
        assert!(ran.out.starts_with("::error "), "{}", ran.out);
        assert_eq!(ran.err, "");
    }
}

#[test]
fn other_commands_do_not_know_these_formats() {
    let scratch = Scratch::new();
    for format in ["github", "sarif", "gitlab"] {
        for args in [&["who", "x"][..], &["policy", "check"], &["rule"], &["locks"], &["doctor"]] {
            let ran = scratch.lane(&[args, &["--format", format]].concat()).fails(2);
            assert_eq!(ran.out, "");
            ran.says(&format!("cannot report as `{format}`")).says("use --format text or --format json; github, sarif and gitlab are for `git lane check` and `git lane ci`");
        }
    }
}
