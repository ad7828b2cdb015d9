//! What `git lane report` says where history is cut off, empty, odd, or of one agent alone.

use serde_json::{Value, json};

use crate::report_history::{Made, busy, lines};
use crate::support::{LANE, Ran, Scratch, command};

/// What of history could not be read.
pub fn unread(report: &Value) -> Vec<&str> {
    let all = report["missing"].as_array().unwrap().iter().map(|missing| missing["what"].as_str().unwrap());
    all.filter(|what| ["changes", "sizes", "conflicts", "branches", "forecast"].contains(what)).collect()
}

fn subjects(report: &Value) -> Vec<&str> {
    report["changes"].as_array().unwrap().iter().map(|change| change["subject"].as_str().unwrap()).collect()
}

fn missing(report: &Value) -> String {
    report["missing"].to_string()
}

#[test]
fn of_one_agent() {
    let report = busy().report(&["--agent", "a2"]);
    assert_eq!(subjects(&report), ["Merge pull request #8 from team/feat/a2/y"]);
    assert_eq!(report["agents"].as_array().unwrap().len(), 1);
    let agent = &report["agents"][0];
    assert_eq!(
        (&agent["merged"], &agent["conflicts"], &agent["per_active_day"]),
        (&json!(1), &json!(1), &json!(1.0))
    );
    let waivers = json!([{"rule": "stale-base", "count": 1, "agents": {"a2": 1}, "reasons": ["away"]}]);
    assert_eq!(report["waivers"], waivers);
    assert_eq!(report["contested"][0]["path"], "common/x.py");
    assert_eq!(report["branches"], json!([]));
    busy().scratch.lane(&["report", "--agent", "a9"]).fails(2).says("unknown agent `a9`");
}

#[test]
fn sizes_and_branches() {
    let made = busy();
    let report = made.report(&[]);
    let first = &report["changes"][1];
    // Generated lines are lines, and none that the limit is held against; binary files have none.
    assert_eq!((&first["lines"], &first["counted"], &first["files"]), (&json!(405), &json!(5), &json!(3)));
    assert_eq!((&report["sizes"]["oversized"], &report["sizes"]["limit"]), (&json!(0), &json!(300)));
    let branch = &report["branches"][0];
    assert_eq!((&branch["branch"], &branch["agent"]), (&json!("feat/a4/open"), &json!("a4")));
    assert_eq!((&branch["behind"], &branch["ahead"]), (&json!(1), &json!(1)));
    assert_eq!(branch["stale_since"], report["changes"][6]["merged_at"]);
    assert_eq!(report["conflicts"]["resolved"][0]["agents"], json!(["a2"]));
    assert_eq!(report["conflicts"]["resolved"][0]["files"], json!(["common/x.py"]));
}

#[test]
fn a_shallow_clone_says_what_it_does_not_know() {
    let made = busy();
    let home = made.scratch.home();
    let from = format!("file://{}", made.main().display());
    made.scratch.run(&home, "git", &["clone", "-q", "--depth", "3", &from, "cut"]).ok();
    let mut lane = command(LANE, &home.join("cut"), &home);
    let report = Ran::from(lane.args(["report", "--since", "9000d", "--format", "json"]).output().unwrap())
        .ok()
        .json();
    assert!(missing(&report).contains("git fetch --unshallow origin"), "{}", missing(&report));
    // The commit at the edge is no change of all files.
    assert_eq!(subjects(&report), ["docs", "docs: more"]);
}

#[test]
fn without_a_base_there_is_no_zero() {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", "version: 1\n");
    let report = scratch.lane(&["report", "--policy", "policy.yaml", "--format", "json"]).ok().json();
    assert!(missing(&report).contains("the base branch `main` does not exist"), "{}", missing(&report));
    assert_eq!((&report["changes"], &report["conflicts"]["per_week"]), (&json!([]), &Value::Null));
    scratch.lane(&["report", "--policy", "none.yaml"]).fails(2).says("no policy file none.yaml");
}

#[test]
fn what_a_clock_dates_later_than_now_is_told() {
    let made = Made::new();
    let commit = |time: &str, text: &str| {
        made.scratch.write("f", text);
        made.scratch.git(&["add", "f"]).ok();
        let mut git = made.scratch.main().command("git");
        git.env("GIT_COMMITTER_DATE", time).env("GIT_AUTHOR_DATE", time);
        assert!(git.args(["commit", "-q", "-m", text]).status().unwrap().success());
    };
    commit("2099-01-01T00:00:00Z", "ahead");
    commit("1970-01-01T00:00:01Z", "behind");
    commit("2026-04-01T00:00:00Z", "after");
    let report = made.report(&[]);
    assert_eq!(subjects(&report), ["first", "after"]);
    assert!(missing(&report).contains("1 commit is dated later than now"), "{}", missing(&report));
    made.scratch.git(&["log", "--first-parent", "--format=%h %ci %cn"]).ok().says("2099-01-01");
    made.scratch.lane(&["report", "--since", "2w"]).ok();
}

#[test]
fn odd_histories_are_read_as_git_reads_them() {
    let made = Made::new();
    for name in ["x", "y", "z"] {
        made.branch(name);
        made.edit(&format!("{name}.py"), &lines(name, 3), name);
    }
    made.git(&["switch", "-q", "main"]).ok();
    made.git(&["merge", "-q", "-m", "all", "x", "y", "z"]).ok();
    // Criss-cross: each has merged the other.
    made.git(&["switch", "-q", "-c", "p"]).ok();
    made.edit("p.py", "p\n", "p");
    made.git(&["switch", "-q", "-c", "q", "main"]).ok();
    made.edit("q.py", "q\n", "q");
    let tip = made.git(&["rev-parse", "p"]).ok().out;
    made.git(&["merge", "-q", "-m", "q takes p", tip.trim()]).ok();
    made.git(&["switch", "-q", "p"]).ok();
    made.git(&["merge", "-q", "-m", "p takes q", "q~1"]).ok();
    made.merge("p", 1);
    made.merge("q", 2);
    let report = made.report(&[]);
    let told: Vec<_> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["commits"].as_u64(), change["lines"].as_u64()))
        .collect();
    // The first of the three was a fast-forward.
    assert_eq!(told[1..], [(Some(1), Some(3)), (Some(2), Some(6)), (Some(3), Some(2)), (Some(1), Some(0))]);
    assert_eq!(report["conflicts"]["resolved"], json!([]));
    assert_eq!(unread(&report), Vec::<&str>::new());
    // A replaced commit counts as it is stored.
    let (old, new) = (made.git(&["rev-parse", "main~1"]).ok().out, made.git(&["rev-parse", "main"]).ok().out);
    made.git(&["replace", new.trim(), old.trim()]).ok();
    let again = made.report(&[]);
    assert_eq!(again["changes"], report["changes"]);
}

#[test]
fn a_rebase_that_stopped_is_a_conflict() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/main.py", "mine\n", "[A2] mine").ok();
    scratch.main().sneak("services/rag_pipeline/main.py", "theirs\n", "theirs");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.lane(&["sync"]).fails(1);
    let report = tree.lane(&["report", "--since", "9000d", "--format", "json"]).ok().json();
    let resolved = &report["conflicts"]["resolved"];
    assert_eq!(
        (&resolved[0]["kind"], &resolved[0]["agents"]),
        (&json!("rebase"), &json!(["a2"])),
        "{resolved}"
    );
    assert_eq!(resolved[0]["files"], json!(["services/rag_pipeline/main.py"]));
}

#[test]
fn what_was_counted_is_kept_and_removed_with_the_hooks() {
    let made = busy();
    let kept = made.main().join(".git/lane/report-history");
    let plain = made.report(&[]);
    assert!(!kept.exists(), "a repository that is only looked at gets no file");
    made.scratch.lane(&["install"]).ok();
    let first = made.report(&[]);
    let bytes = std::fs::read(&kept).unwrap();
    let again = made.report(&[]);
    std::fs::write(&kept, &bytes[..bytes.len() / 2]).unwrap();
    let damaged = made.report(&[]);
    for section in ["/changes", "/conflicts/resolved", "/contested", "/agents", "/sizes", "/lane_cuts"] {
        for other in [&first, &again, &damaged] {
            assert_eq!(plain.pointer(section), other.pointer(section), "{section}");
        }
    }
    made.scratch.lane(&["uninstall"]).ok();
    assert!(!kept.exists());
}

#[test]
fn lanes_that_are_cut_wrong() {
    let made = Made::new();
    for number in 0..6 {
        made.scratch.write("services/one/schema/user.py", &lines("field", number + 1));
        made.scratch.write("services/two/main.py", &lines("use", number + 1));
        made.commit(&format!("feat: field {number} (#{})", number + 1));
        made.edit(
            "services/one/main.py",
            &lines("own", number),
            &format!("fix: own {number} (#{})", number + 20),
        );
        made.edit(
            "services/three/main.py",
            &lines("own", number),
            &format!("fix: three {number} (#{})", number + 40),
        );
    }
    let report = made.report(&[]);
    let cut = &report["lane_cuts"][0];
    assert_eq!(
        (&cut["path"], &cut["lane"], &cut["with"]),
        (&json!("services/one/schema/user.py"), &json!("a1"), &json!("a2"))
    );
    assert_eq!((&cut["changes"], &cut["together"], &cut["own"]), (&json!(6), &json!(6), &json!(0)));
    assert!(cut["proposal"].as_str().unwrap().contains("access: owner, owner: a2"), "{cut}");
    assert_eq!(report["lane_cuts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_pipe_in_place_of_a_cache_is_not_waited_for() {
    let scratch = Scratch::new();
    let lane = scratch.root().join(".git/lane");
    std::fs::create_dir_all(&lane).unwrap();
    for name in ["report-history", "github-jobs.json", "journal"] {
        let made = std::process::Command::new("mkfifo").arg(lane.join(name)).status();
        assert!(made.unwrap().success());
    }
    scratch.main().lane(&["report", "--since", "5000w"]).ok().says("1 change merged");
}
