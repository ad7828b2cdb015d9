//! The journal of verdicts: what hooks note, what they never do because of it, and what becomes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{POLICY, Scratch, Worktree};

const OWN: &str = "services/rag_pipeline/a.py";
const FOREIGN: &str = "services/revenue/a.py";

fn journal(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".git/lane/journal")
}

/// Its records; one that is torn is none.
fn records(scratch: &Scratch) -> Vec<Value> {
    let text = |name: &str| fs::read_to_string(journal(scratch).with_file_name(name)).unwrap_or_default();
    let text = text("journal.1") + &text("journal");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("torn: {line}"))).collect()
}

fn verdicts(scratch: &Scratch) -> Vec<(String, String)> {
    let word = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
    records(scratch).iter().map(|record| (word(record, "event"), word(record, "verdict"))).collect()
}

fn refuse(tree: &Worktree) {
    tree.commit(FOREIGN, "x\n", "feat: b").fails(1).says("foreign-path");
    tree.git(&["reset", "-q"]).ok();
}

#[test]
fn hooks_note_what_they_refuse_and_what_passes() {
    let (scratch, tree) = Scratch::installed();
    refuse(&tree);
    tree.commit(OWN, "x\n", "a subject of mine").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    let payload = format!(
        r#"{{"hook_event_name":"PreToolUse","cwd":{0:?},"tool_name":"Write","tool_input":{{"file_path":"{0}/{FOREIGN}","content":"secret"}}}}"#,
        tree.root.display().to_string()
    );
    tree.lane_stdin(&["hook", "agent", "claude"], payload.as_bytes()).fails(2);
    let found = verdicts(&scratch);
    let expected = [
        ("pre-commit", "fail"),
        ("pre-commit", "pass"),
        ("commit-msg", "pass"),
        ("pre-push", "pass"),
        ("edit", "fail"),
    ];
    assert_eq!(found, expected.map(|(event, verdict)| (event.to_owned(), verdict.to_owned())));
    let text = fs::read_to_string(journal(&scratch)).unwrap();
    for private in
        ["subject of mine", "secret", "a.py", "rag_pipeline", "feat/a2", scratch.root().to_str().unwrap()]
    {
        assert!(!text.contains(private), "{private} is in the journal:\n{text}");
    }
    let keys: Vec<String> = records(&scratch)[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["at", "event", "verdict", "agent", "tree", "refused"]);
}

#[test]
fn the_report_says_what_became_of_it() {
    let (scratch, tree) = Scratch::installed();
    refuse(&tree);
    refuse(&tree);
    tree.commit(OWN, "x\n", "feat: a").ok();
    let report = tree.lane(&["report", "--format", "json"]).ok().json();
    let rule = &report["refusals"]["rules"][0];
    assert_eq!((&rule["rule"], &rule["count"]), (&"foreign-path".into(), &2.into()), "{report}");
    assert_eq!(rule["outcomes"], serde_json::json!({ "fixed": 1, "repeated": 1 }));
    assert_eq!(rule["agents"], serde_json::json!({ "a2": 2 }));
    let other = tree.lane(&["report", "--agent", "a1", "--format", "json"]).ok().json();
    assert_eq!(other["refusals"]["rules"], serde_json::json!([]));
    let text = tree.lane(&["report"]).ok();
    text.says("foreign-path").says("2 of ");
    // What is torn is counted, and hides nothing.
    let whole = fs::read_to_string(journal(&scratch)).unwrap();
    fs::write(journal(&scratch), format!("{whole}{{\"at\":17")).unwrap();
    let report = tree.lane(&["report", "--format", "json"]).ok().json();
    assert_eq!(
        (&report["refusals"]["torn"], &report["refusals"]["rules"][0]["count"]),
        (&1.into(), &2.into())
    );
    assert!(report["missing"].to_string().contains("1 record in the journal cannot be read"));
}

#[test]
fn a_policy_can_do_without() {
    let policy =
        POLICY.replace("max_age: 3h", "max_age: null").replace("integration: 95% }", "journal: off }");
    assert!(policy.contains("journal: off"));
    let scratch = Scratch::with_policy(&policy);
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install"]).ok();
    refuse(&tree);
    assert!(!journal(&scratch).exists());
    let report = tree.lane(&["report"]).ok();
    report.says("the policy keeps no journal").says("metrics: { journal: on }");
    tree.lane(&["doctor"]).says("verdicts are not noted");
}

#[test]
fn it_goes_with_the_hooks() {
    let (scratch, tree) = Scratch::installed();
    refuse(&tree);
    fs::write(journal(&scratch).with_file_name("journal.1"), "").unwrap();
    tree.lane(&["doctor"]).says("hooks note their verdicts");
    tree.lane(&["uninstall", "--all"]).ok();
    assert!(!scratch.root().join(".git/lane").exists(), "nothing is left");
}

#[test]
fn nothing_that_is_wrong_with_it_changes_a_verdict() {
    let (scratch, tree) = Scratch::installed();
    let file = journal(&scratch);
    let victim = scratch.home().join("victim");
    fs::write(&victim, "as it was").unwrap();
    let try_both = |what: &str| {
        tree.commit(FOREIGN, "x\n", "feat: b").fails(1).says("foreign-path").does_not_say("journal");
        tree.git(&["reset", "-q"]).ok();
        tree.commit(OWN, &format!("{what}\n"), "feat: a").ok().does_not_say("journal");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "as it was", "{what}");
    };
    fs::create_dir(&file).unwrap();
    try_both("a folder");
    fs::remove_dir(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        symlink(&victim, &file).unwrap();
        try_both("a link");
        tree.lane(&["doctor"]).says("is not a plain file");
        tree.lane(&["report"]).ok().says("the journal of verdicts cannot be read");
        fs::remove_file(&file).unwrap();
        symlink("/dev/full", &file).unwrap();
        try_both("a full disk behind a link");
        fs::remove_file(&file).unwrap();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        try_both("a file that cannot be written");
    }
}

/// As at a busy moment: two hundred hooks at once, and the file becomes full in their midst.
#[test]
fn two_hundred_hooks_at_once_lose_nothing() {
    const HOOKS: usize = 200;
    let (scratch, tree) = Scratch::installed();
    refuse(&tree);
    let first = fs::read_to_string(journal(&scratch)).unwrap();
    // Four megabytes but for a hundred records.
    let room = 100 * first.len();
    let old = first.repeat(((4 << 20) - room) / first.len());
    fs::write(journal(&scratch), &old).unwrap();
    tree.write(FOREIGN, "x\n");
    tree.git(&["add", "-A"]).ok();
    let mut running = Vec::new();
    for _ in 0..HOOKS {
        let mut hook = tree.command(env!("CARGO_BIN_EXE_git-lane"));
        hook.args(["hook", "pre-commit"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        running.push(hook.spawn().unwrap());
    }
    let mut codes: BTreeMap<Option<i32>, usize> = BTreeMap::new();
    for mut hook in running {
        *codes.entry(hook.wait().unwrap().code()).or_default() += 1;
    }
    assert_eq!(codes, BTreeMap::from([(Some(1), HOOKS)]));
    assert!(journal(&scratch).with_file_name("journal.1").exists(), "it did not become full");
    assert_eq!(records(&scratch).len(), old.lines().count() + HOOKS);
}

#[test]
fn a_rebase_that_stops_is_noted() {
    let (scratch, tree) = Scratch::installed();
    tree.commit(OWN, "mine\n", "feat: a").ok();
    scratch.write(OWN, "theirs\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "--no-verify", "-m", "theirs"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    let stopped = tree.lane(&["sync"]);
    assert_ne!(stopped.code, 0, "{}", stopped.all());
    let conflict = records(&scratch).into_iter().find(|record| record["verdict"] == "conflict").unwrap();
    assert_eq!((&conflict["agent"], &conflict["files"][0]), (&"a2".into(), &OWN.into()));
    tree.git(&["rebase", "--abort"]).ok();
    let report = tree.lane(&["report", "--format", "json"]).ok().json();
    assert!(report["conflicts"]["resolved"].to_string().contains("\"rebase\""), "{}", report["conflicts"]);
}
