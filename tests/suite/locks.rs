//! Locks of one repository, as commands and hooks show them.

use std::process::Stdio;
use std::time::Duration;

use crate::support::locks::{REF, two, with_locks};
use crate::support::{LANE, POLICY, Ran, Scratch, Worktree, stable};

/// What differs from run to run, times and places, taken out.
fn plain(text: &str, scratch: &Scratch) -> String {
    let text = stable(text, scratch);
    let mut out = String::new();
    for line in text.lines() {
        // Shortly before midnight the end of a lock has its day before it.
        let is_day = |word: &str| word.len() == 10 && word.parse::<jiff::civil::Date>().is_ok();
        let words = line.split(' ').filter(|word| !is_day(word)).map(|word| {
            let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
            if digits.len() == 5 && digits.as_bytes()[2] == b':' {
                word.replace(digits, "<time>")
            } else {
                word.to_owned()
            }
        });
        out.push_str(&words.collect::<Vec<_>>().join(" "));
        out.push('\n');
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    out.replace(&format!("({host}:"), "(<host>:").replace("1 h 59 min", "2 h")
}

#[test]
fn a_lock_is_taken_shown_and_given_back() {
    let (scratch, one, two) = two();
    let mut said = String::new();
    for (tree, args) in [
        (&one, &["locks"][..]),
        (&one, &["lock", "common", "--reason", "a new  pool"]),
        (&two, &["lock", "common"]),
        (&two, &["lock", "services/common/main.py"]),
        (&two, &["locks"]),
        (&two, &["unlock", "common"]),
        (&one, &["lock", "common", "--ttl", "90m"]),
        (&one, &["unlock", "services/common/main.py"]),
        (&one, &["unlock", "common"]),
        (&one, &["unlock", "common"]),
        (&one, &["lock", "common", "--renew"]),
        (&two, &["lock", "services/common/main.py"]),
        (&two, &["lock", "common", "--steal", "--reason", "mine"]),
        (&two, &["unlock", "--all"]),
        (&two, &["locks"]),
    ] {
        let ran = tree.lane(args);
        let who = tree.root.file_name().unwrap().to_str().unwrap();
        said.push_str(&format!("{who}$ git lane {} [{}]\n{}", args.join(" "), ran.code, ran.all()));
    }
    insta::assert_snapshot!(plain(&said, &scratch));
}

#[test]
fn a_path_inside_an_area() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "services/common/db/"]).ok().says("locked `services/common/db/`");
    two.lane(&["lock", "services/common/db/pool.py"])
        .fails(1)
        .says("which overlaps `services/common/db/pool.py`,");
    two.lane(&["lock", "common"]).fails(1);
    let below = Worktree { root: two.root.join("services/common"), home: two.home.clone() };
    below.lane(&["lock", "main.py"]).ok().says("locked `services/common/main.py`");
    two.commit("services/common/main.py", "x\n", "feat: x").ok();
    assert_eq!(trailer(&two), "services/common/main.py@2\n");
    two.commit("services/common/db/x.py", "x\n", "feat: x").fails(1).says("which a1 (MLOps) holds");
    two.git(&["reset", "-q", "--hard"]).ok();
    two.commit("services/common/other.py", "x\n", "feat: x").fails(1).says("`, which is not held");
    let locks = two.lane(&["locks", "--format", "json"]).ok().json();
    assert_eq!(locks["locks"].as_array().unwrap().len(), 2);
    let near = two.lane(&["locks", "services/common/db/y", "--format", "json"]).ok().json();
    assert_eq!(near["locks"].as_array().unwrap().len(), 1, "only what could be in the way");
}

/// The trailers of the last commit.
fn trailer(tree: &Worktree) -> String {
    tree.git(&["log", "-1", "--format=%(trailers:key=Lane-Lock,valueonly)"]).ok().out.trim_end().to_owned()
        + "\n"
}

#[test]
fn bad_input() {
    let (scratch, one, _two) = two();
    for (args, says) in [
        (&["lock", "comon"][..], "did you mean `common`?"),
        (&["lock", "nowhere"], "areas with locks: common"),
        (&["lock", "shared"], "the area `shared` needs no lock: it is coordinated"),
        (&["lock", "requirements.txt"], "`requirements.txt` needs no lock"),
        (&["lock", "services/revenue/main.py"], "in the lane of a4 (Platform)"),
        (&["lock", "**/*.py"], "reaches beyond the area `common`"),
        (&["lock", "services/common/[x"], "`[` is never closed"),
        (&["lock", "../../x"], "is outside this repository"),
        (&["lock", ""], "the name of an area"),
        (&["lock", "common", "--ttl", "0s"], "a duration must be longer than zero"),
        (&["lock", "common", "--ttl", "365d"], "allows at most 1d (`locks.max_ttl`)"),
        (&["lock", "common", "--ttl", "soon"], "such as 90m"),
        (&["lock", "common", "--steal"], "--reason"),
        (&["lock", "common", "--renew", "--wait", "1m"], "cannot be used with"),
        (&["lock", "common", "--pid", "4194305"], "no process 4194305 is running"),
        (&["lock", "common", "--agent", "a9"], "unknown agent `a9`"),
        (&["lock"], "required"),
        (&["unlock"], "required"),
        (&["unlock", "comon"], "did you mean `common`?"),
        (&["locks", "comon"], "did you mean `common`?"),
    ] {
        one.lane(args).fails(2).says(says);
    }
    one.lane_env(&["lock", "common"], &[("LANE_PID", "me")]).fails(2).says("unset LANE_PID");
    scratch
        .lane(&["lock", "common"])
        .fails(2)
        .says("locks belong to agents, but no agent works here")
        .says("--agent a1");
    assert_eq!(one.git(&["for-each-ref", "refs/lane"]).out, "", "nothing on disk changed");
    assert!(!one.root.join(".locks").exists());
}

#[test]
fn several_are_taken_together_or_not_at_all() {
    let (_scratch, one, two) = two();
    two.lane(&["lock", "services/common/z.py"]).ok();
    one.lane(&["lock", "services/common/a.py", "services/common/z.py"])
        .fails(1)
        .says("`services/common/z.py` is held");
    let held = one.lane(&["locks", "--format", "json"]).ok().json();
    assert_eq!(held["locks"][0]["agent"], "a2");
    assert_eq!(held["locks"].as_array().unwrap().len(), 1);
    one.lane(&["locks", "--log"]).ok().says("another lock of the same command was refused");
}

#[test]
fn commits_bear_the_generation() {
    let (_scratch, _one, two) = two();
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    assert_eq!(two.git(&["log", "-1", "--format=%B"]).out, "[A2] feat: a\n\nLane-Lock: common@1\n\n");
    two.commit("services/rag_pipeline/a.py", "x\n", "feat: no lock was needed").ok();
    assert_eq!(trailer(&two), "\n");
    // An amended commit bears it if it touches the area, and bears the newest one.
    two.write("services/common/b.py", "x\n");
    two.git(&["add", "-A"]).ok();
    two.git(&["commit", "-q", "--amend", "--no-edit"]).ok();
    assert_eq!(trailer(&two), "common@1\n");
    two.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
    two.git(&["commit", "-q", "--amend", "--no-edit"]).ok();
    assert_eq!(trailer(&two), "common@2\n", "what it had before counts too");
    two.git(&["commit", "-q", "--amend", "-m", "feat: another text", "--trailer", "Coordinated-with: a1"])
        .ok();
    assert_eq!(
        two.git(&["log", "-1", "--format=%B"]).out,
        "[A2] feat: another text\n\nCoordinated-with: a1\nLane-Lock: common@2\n\n"
    );
    // So it does if the message is a new one and something else comes along.
    two.write("services/rag_pipeline/b.py", "x\n");
    two.git(&["commit", "-q", "-a", "--amend", "-m", "feat: and more"]).ok();
    assert_eq!(trailer(&two), "common@2\n");
    two.git(&["commit", "-q", "--amend", "-m", "feat: another text"]).ok();
    assert_eq!(trailer(&two), "common@2\n");
    // A message that nobody wrote stays one that says nothing.
    two.write("services/common/c.py", "x\n");
    two.git(&["add", "-A"]).ok();
    two.git(&["commit", "-q"]).fails(1);
    let edit = |script: &str| -> Ran {
        two.command("git").args(["commit", "-q"]).env("GIT_EDITOR", script).output().unwrap().into()
    };
    edit("sh -c 'sed -i \"1s/$/feat: by hand/\" \"$1\"' -").ok();
    assert_eq!(two.git(&["log", "-1", "--format=%B"]).out, "[A2] feat: by hand\n\nLane-Lock: common@2\n\n");
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    two.lane(&["unlock", "common"]).ok();
    two.git(&["push", "-q", "origin", "HEAD~1:refs/heads/feat/a2/part"]).ok();
    two.lane(&["check"]).ok();
}

#[test]
fn a_branch_that_was_pushed_may_be_rebased_while_another_has_the_lock() {
    let (scratch, one, two) = two();
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    two.lane(&["unlock", "common"]).ok();
    one.lane(&["lock", "common"]).ok();
    two.lane(&["check"]).ok();
    scratch.main().commit("docs/x", "x\n", "more").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    two.git(&["rebase", "-q", "origin/main"]).ok();
    two.lane(&["check"]).ok();
    two.git(&["push", "-q", "--force-with-lease", "origin", "HEAD"]).ok();
    // What comes on top is new.
    two.sneak("services/common/a.py", "y\n", "[A2] y");
    two.lane(&["check"]).fails(1).says("which a1 (MLOps) holds");
    two.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] z"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).fails(1).says(&two.head()[..10]);
}

#[test]
fn parts_of_an_area_are_asked_for_by_their_names() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "services/common/main.py"]).ok();
    let ran = two.commit("services/common/new.py", "x\n", "feat: x").fails(1);
    ran.says("git lane lock services/common/new.py");
    two.lane(&["lock", "services/common/new.py", "services/common/more.py"]).ok();
    two.git(&["commit", "-q", "-m", "feat: x"]).ok();
    two.lane(&["unlock", "common"]).ok().says("released `services/common/more.py`, `services/common/new.py`");
    two.lane(&["unlock", "--all"]).ok().says("a2 holds nothing");
    two.lane(&["locks", "--log"]).ok().says("generation 3 of a2 (services/common/new.py) was released");
    two.lane(&["lock", "common", "--steal", "--reason", " "]).fails(2).says("--steal needs --reason");
    // From below, as it is suggested there.
    let below = Worktree { root: two.root.join("services"), home: two.home.clone() };
    below.write("common/new.py", "y\n");
    below.git(&["commit", "-q", "-a", "-m", "x"]).fails(1).says("git lane lock :/services/common/new.py");
    below.lane(&["lock", ":/services/common/new.py"]).ok();
}

#[test]
fn whoever_was_robbed_is_told() {
    let (_scratch, one, two) = two();
    two.lane(&["lock", "common"]).ok();
    one.lane(&["lock", "common", "--steal", "--reason", "hotfix"]).ok();
    two.lane(&["locks"]).ok().says("generation 1 of a2 was stolen");
    two.commit("services/common/a.py", "x\n", "feat: a")
        .fails(1)
        .says("it was stolen from you: generation 1 of a2");
}

#[test]
fn a_tag_that_is_a_trailer_and_a_lock_are_one_block() {
    let policy = POLICY
        .replace("max_age: 3h", "max_age: null")
        .replace("[\"[{AGENT}]\", \"Agent: {agent}\"]", "[\"Agent: {agent}\"]");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let two = scratch.worktree("a2", "feat/a2/x");
    two.lane(&["install", "--agent", "a2"]).ok();
    two.lane(&["lock", "common"]).ok();
    two.write("services/common/a.py", "x\n");
    two.git(&["add", "-A"]).ok();
    let script = "sh -c 'sed -i \"1s/$/feat: by hand/\" \"$1\"' -";
    let edit: Ran =
        two.command("git").args(["commit", "-q"]).env("GIT_EDITOR", script).output().unwrap().into();
    edit.ok();
    assert_eq!(
        two.git(&["log", "-1", "--format=%B"]).out,
        "feat: by hand\n\nAgent: a2\nLane-Lock: common@1\n\n"
    );
}

#[test]
fn what_was_committed_under_a_lock_may_be_pushed_after_it_was_given_back() {
    let (_scratch, one, two) = two();
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["unlock", "common"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    // By hand without the trailer it needs the lock at push, and so does a forged generation.
    two.sneak("services/common/b.py", "x\n", "[A2] b\n\nLane-Lock: common@9");
    two.git(&["push", "-q", "origin", "HEAD"])
        .fails(1)
        .says("generation 9 of the lock `common`, which was never taken");
    one.lane(&["lock", "common"]).ok();
    one.lane(&["unlock", "common"]).ok();
    two.git(&["commit", "-q", "--no-verify", "--amend", "-m", "[A2] b\n\nLane-Lock: common@2"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("which belonged to a1 (MLOps)");
    two.git(&["reset", "-q", "--soft", "HEAD~1"]).ok();
    two.git(&["commit", "-q", "--no-verify", "-m", "[A2] b"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("`, which is not held");
}

#[test]
fn a_push_under_a_stolen_lock_is_refused_and_the_trail_names_the_thief() {
    let (scratch, one, two) = two();
    two.lane(&["lock", "common", "--reason", "pool"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    one.lane(&["lock", "common", "--steal", "--reason", "production is down"])
        .ok()
        .says("generation 1 of a2 was stolen");
    let ran = two.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    insta::assert_snapshot!(plain(&ran.err, &scratch));
    two.lane(&["push"]).fails(1).says("which a1 (MLOps) stole");
    assert_eq!(two.git(&["ls-remote", "origin", "refs/heads/feat/*"]).out, "", "nothing was pushed");
    let log = two.lane(&["locks", "--log", "--format", "json"]).ok().json();
    assert_eq!((&log[0]["kind"], &log[0]["agent"]), (&"steal".into(), &"a1".into()));
    assert_eq!(log[0]["reason"], "production is down");
    assert_eq!(
        log[0]["from"][0],
        serde_json::json!({"agent": "a2", "scope": "common", "generation": 1, "cause": "stolen"})
    );
    two.lane(&["locks", "--log", "common"])
        .ok()
        .says("a1 steals common@2: \"production is down\"; generation 1 of a2 was stolen");
    // The way on that was named, to the end.
    one.lane(&["unlock", "common"]).ok();
    let steps: Vec<&str> = ran.err.lines().map(str::trim).filter(|line| line.starts_with("git ")).collect();
    let script = steps.join("\n").replace("git lane ", "\"$LANE\" ").replace("git rebase", "git rebase -q");
    let on: Ran = two.command("sh").args(["-ec", &script]).env("LANE", LANE).output().unwrap().into();
    on.ok();
    assert_eq!(trailer(&two), "common@3\n");
    assert!(two.git(&["ls-remote", "origin", "refs/heads/feat/a2/x"]).out.contains(&two.head()));
}

#[test]
fn markers_tell_the_truth_in_every_worktree() {
    let (scratch, one, two) = two();
    one.lane(&["lock", "common", "--reason", "pool"]).ok();
    two.lane(&["lock", "services/common/x.py"]).fails(1);
    for root in [&one.root, &two.root, &scratch.root()] {
        let text = std::fs::read_to_string(root.join(".locks/.common-lock-a1")).unwrap();
        assert!(text.contains("a1 holds common (generation 1)") && text.contains("why: pool"), "{text}");
        let tree = Worktree { root: root.clone(), home: scratch.home() };
        assert_eq!(tree.git(&["status", "--short"]).out, "", "markers are no untracked files");
    }
    // What is shown is no claim, wherever it is copied from or touched.
    std::fs::remove_file(two.root.join(".locks/.common-lock-a1")).unwrap();
    two.lane(&["locks"]).ok();
    assert!(two.root.join(".locks/.common-lock-a1").exists(), "`locks` mends them");
    // Killed while it wrote the file that hides them, and after it had released: the same again mends both.
    let marker = std::fs::read(one.root.join(".locks/.common-lock-a1")).unwrap();
    std::fs::write(one.root.join(".locks/.gitignore"), "").unwrap();
    one.lane(&["lock", "common"]).ok();
    assert_eq!(one.git(&["status", "--short"]).out, "");
    one.lane(&["unlock", "common"]).ok();
    std::fs::write(two.root.join(".locks/.common-lock-a1"), marker).unwrap();
    one.lane(&["unlock", "common"]).ok().says("nothing to release");
    for root in [&one.root, &two.root, &scratch.root()] {
        assert!(!root.join(".locks/.common-lock-a1").exists());
    }
    // A file or a link of the user's is left alone.
    std::fs::remove_dir_all(scratch.root().join(".locks")).unwrap();
    std::os::unix::fs::symlink(scratch.home(), scratch.root().join(".locks")).unwrap();
    one.lane(&["lock", "common"]).ok();
    assert!(!scratch.home().join(".common-lock-a1").exists());
}

#[test]
fn a_claim_by_hand_stays_valid_beside_the_locks_in_git() {
    let (_scratch, one, two) = two();
    two.write(".locks/.common-lock-a2", "");
    one.lane(&["lock", "common"])
        .fails(1)
        .says("is held by a2 (GenAI)")
        .says("claimed manually")
        .says(".locks/.common-lock-a2");
    one.lane(&["lock", "services/common/a.py", "--wait", "1s"]).fails(1);
    two.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    one.lane(&["locks"]).ok().says("common: a2 (GenAI) manually");
    let shown = std::fs::read_to_string(one.root.join(".locks/.common-lock-a2")).unwrap();
    assert!(shown.contains("a2 claimed common manually in"), "{shown}");
    assert_eq!(
        std::fs::read_to_string(two.root.join(".locks/.common-lock-a2")).unwrap(),
        "",
        "their own stays"
    );
    // Its own lock takes its place, and giving that back takes the file away.
    two.lane(&["lock", "common"]).ok();
    assert!(
        std::fs::read_to_string(two.root.join(".locks/.common-lock-a2")).unwrap().contains("generation 1")
    );
    two.lane(&["unlock", "common"]).ok();
    assert!(!two.root.join(".locks/.common-lock-a2").exists());
    two.write(".locks/.common-lock-a2", "");
    two.lane(&["unlock", "common"]).ok().says("removed the marker of");
    one.lane(&["lock", "common"]).ok();
}

#[test]
fn a_claim_by_hand_that_a_commit_relies_on_is_a_lock_until_its_file_is_removed() {
    let (_scratch, one, two) = two();
    let file = one.root.join(".locks/.common-lock-a1");
    let trailer =
        |tree: &Worktree| tree.git(&["log", "-1", "--format=%(trailers:key=Lane-Lock,valueonly)"]).out;
    one.write(".locks/.common-lock-a1", "");
    one.commit("services/rag_pipeline/a.py", "x\n", "feat: a");
    one.git(&["reset", "-q"]).ok();
    one.lane(&["locks", "--log"]).ok().says("no lock was ever taken here");
    one.commit("services/common/a.py", "x\n", "feat: a").ok();
    assert_eq!(trailer(&one).trim(), "common@1");
    let shown = std::fs::read_to_string(&file).unwrap();
    assert!(shown.contains("a1 holds common (generation 1)"), "{shown}");
    assert!(shown.contains(&format!("remove this file in {} to release it", one.root.display())), "{shown}");
    let held = one.lane(&["locks", "--format", "json"]).ok().json();
    assert_eq!(held["locks"][0]["by_hand"], one.root.display().to_string());
    assert_eq!(held["markers"].as_array().unwrap().len(), 0);
    two.commit("services/common/a.py", "y\n", "feat: a").fails(1).says("which a1 (MLOps) holds");
    // A copy in another worktree gives nothing back, and another commit is made under the same generation.
    std::fs::remove_file(two.root.join(".locks/.common-lock-a1")).unwrap();
    two.lane(&["lock", "common"]).fails(1);
    one.commit("services/common/b.py", "x\n", "feat: b").ok();
    assert_eq!(trailer(&one).trim(), "common@1");
    std::fs::remove_file(&file).unwrap();
    one.git(&["push", "-q", "origin", "HEAD"]).ok().says("released `common` of a1");
    one.lane(&["locks"]).ok().says("common: free");
    assert!(!file.exists() && !two.root.join(".locks/.common-lock-a1").exists());
    // Nobody has it now; whoever touches a file next has the next generation, by the commit alone.
    one.commit("services/common/a.py", "z\n", "feat: z").fails(1).says("`, which is not held");
    two.write(".locks/.common-lock-a2", "");
    two.git(&["commit", "-q", "-m", "feat: a"]).ok();
    assert_eq!(trailer(&two).trim(), "common@2");
    // The next commit of another agent finds out by itself that the file is gone.
    std::fs::remove_file(two.root.join(".locks/.common-lock-a2")).unwrap();
    one.write(".locks/.common-lock-a1", "");
    one.git(&["commit", "-q", "-m", "feat: z"]).ok().says("released `common` of a2");
    assert_eq!(trailer(&one).trim(), "common@3");
    // A lock taken by a command is no longer held by the file.
    one.lane(&["lock", "common"]).ok();
    std::fs::remove_file(&file).unwrap();
    one.lane(&["locks"]).ok().says("common: a1 (MLOps)");
    assert!(file.exists());
}

#[test]
fn of_two_claims_by_hand_the_first_one_holds() {
    let (scratch, one, two) = two();
    one.write(".locks/.common-lock-a1", "");
    std::thread::sleep(Duration::from_millis(20)); // within one second
    two.write(".locks/.common-lock-a2", "");
    two.lane(&["lock", "common"]).fails(1).says("is held by a1 (MLOps)").says("claimed manually");
    one.lane(&["locks"])
        .ok()
        .says("common: a1 (MLOps) manually")
        .says("of a2 (GenAI) has no effect: a1 was first");
    two.lane(&["lock", "common", "--steal", "--reason", "gone"]).ok().says("stole `common`");
    two.lane(&["locks", "--log"])
        .ok()
        .says("a2 steals common@1: \"gone\"; the manual claim of a1 was stolen");
    two.lane(&["unlock", "common"]).ok();
    one.lane(&["unlock", "common"]).ok();
    // A time to come does not make a claim last longer.
    let path = two.root.join(".locks/.common-lock-a2");
    two.write(".locks/.common-lock-a2", "");
    scratch.run(&scratch.home(), "touch", &["-d", "+3 days", path.to_str().unwrap()]).ok();
    let held = two.lane(&["locks", "--format", "json"]).ok().json();
    let since: String = serde_json::from_value(held["markers"][0]["since"].clone()).unwrap();
    let now = Ran::from(two.command("date").args(["-u", "+%Y-%m-%dT"]).output().unwrap()).out;
    assert!(since.starts_with(now.trim()), "{since}");
    // What looks like a claim and is none is told.
    two.write(".locks/.comon-lock-a2", "");
    two.write(".locks/.common-lock-A2", "");
    two.write(".locks/common-lock-a2", "");
    two.lane(&["locks"])
        .ok()
        .says("unknown area `comon`; did you mean `common`?")
        .says("unknown agent `A2` in policy.yaml; did you mean `a2`?")
        .says("must start with a dot");
}

#[test]
fn a_marker_that_was_touched_in_vain_is_told_at_once() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    two.write(".locks/.common-lock-a2", "");
    two.lane(&["locks"])
        .ok()
        .says(".locks/.common-lock-a2 of a2 (GenAI) has no effect: the lock of a1 takes precedence");
    // By the next commit, whatever it is about.
    two.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok().says(
        "warning[unlocked-path]: your .locks/.common-lock-a2 has no effect: a1 (MLOps) holds a lock there",
    );
    two.commit("services/common/a.py", "x\n", "feat: a").fails(1).says("which a1 (MLOps) holds");
}

#[test]
fn a_lock_ends_by_its_time() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common", "--ttl", "2s"]).ok();
    two.lane(&["lock", "common"]).fails(1);
    std::thread::sleep(Duration::from_millis(2_050));
    one.commit("services/common/a.py", "x\n", "feat: a").fails(1).says("`, which is not held");
    one.lane(&["locks"]).ok().says("common: free");
    two.lane(&["lock", "common"]).ok().says("generation 1 of a1 had expired");
    one.lane(&["lock", "common", "--renew"]).fails(1).says("is held by a2");
    two.lane(&["locks", "--log"]).ok().says("a2 takes common@2; generation 1 of a1 had expired");
}

#[test]
fn a_lock_whose_process_is_gone_may_be_taken_over_after_a_grace() {
    let (_scratch, one, two) = with_locks("ttl: 2h, min_ttl: 1s, grace: 3s");
    let mut holder = one.command("sleep").arg("60").spawn().unwrap();
    let pid = holder.id().to_string();
    one.lane_env(&["lock", "common"], &[("LANE_PID", &pid)]).ok();
    two.lane(&["locks"]).ok().says(&format!("process {pid}"));
    two.lane(&["lock", "common", "--wait", "1s"]).fails(1);
    holder.kill().unwrap();
    holder.wait().unwrap();
    two.lane(&["lock", "common"]).fails(1).says("from now; its process has ended)");
    let held = two.lane(&["locks", "--format", "json"]).ok().json();
    assert_eq!(held["locks"][0]["state"], "orphaned");
    two.lane(&["lock", "common", "--wait", "20s"]).ok().says("was left by a process that no longer runs");
    two.lane(&["locks", "--log"]).ok().says("generation 1 of a1 was left by a process");
}

#[test]
fn who_waits_first_is_served_first() {
    let (scratch, one, two) = two();
    let three = scratch.worktree("a3", "feat/a3/x");
    one.lane(&["lock", "common"]).ok();
    let wait = |tree: &Worktree, agent: &str| {
        let mut command = tree.command(LANE);
        command.args(["lock", "common", "--wait", "1m", "--agent", agent]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let queued =
            |text: &str| text.contains(&format!("\"agent\": \"{agent}\",\n          \"scope\": \"common\""));
        while !queued(&one.lane(&["locks", "--format", "json"]).ok().out) {
            std::thread::sleep(Duration::from_millis(10));
        }
        child
    };
    let mut second = wait(&two, "a2");
    let third = wait(&three, "a3");
    one.lane(&["locks"]).ok().says("in the queue: a2 (common), then a3 (common)");
    one.lane(&["lock", "services/common/x", "--renew"]).fails(1);
    one.lane(&["unlock", "common"]).ok();
    assert!(second.wait().unwrap().success());
    one.lane(&["lock", "common"]).fails(1).says("held by a2");
    two.lane(&["unlock", "common"]).ok();
    let third = Ran::from(third.wait_with_output().unwrap()).ok();
    assert!(third.err.contains("waiting for `common`: a1 (MLOps), one before you"), "{}", third.err);
    assert!(third.out.contains("generation 3"), "{}", third.out);
    // Somebody who was killed while waiting is in nobody's way.
    let mut killed = wait(&two, "a2");
    killed.kill().unwrap();
    killed.wait().unwrap();
    three.lane(&["unlock", "common", "--agent", "a3"]).ok();
    one.lane(&["lock", "common"]).ok();
    one.lane(&["locks"]).ok().does_not_say("in the queue");
}

#[test]
fn a_newcomer_does_not_pass_those_who_wait() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    let mut command = two.command(LANE);
    command.args(["lock", "common", "--wait", "1m"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut waiter = command.spawn().unwrap();
    while !one.lane(&["locks"]).ok().out.contains("in the queue") {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Stopped, it is alive and does not take what it is offered.
    let signal = |name: &str| one.command("kill").args([name, &waiter.id().to_string()]).output().unwrap();
    signal("-STOP");
    one.lane(&["unlock", "common"]).ok();
    one.lane(&["lock", "common"])
        .fails(1)
        .says("is free, but a2 is first in the queue")
        .says("join the queue");
    signal("-CONT");
    assert!(waiter.wait().unwrap().success());
}

#[test]
fn a_full_disk_changes_nothing() {
    let (_scratch, one, _two) = two();
    one.lane(&["lock", "common"]).ok();
    let before = one.git(&["rev-parse", REF]).ok().out;
    // No file may grow any more, which is what a full disk looks like to a program.
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {LANE} unlock common");
    let ran: Ran = one.command("sh").args(["-c", &script]).output().unwrap().into();
    ran.fails(2).says("cannot be written");
    assert_eq!(one.git(&["rev-parse", REF]).ok().out, before);
    one.lane(&["unlock", "common"]).ok();
}

#[test]
fn git_finds_nothing_wrong_with_locks_and_keeps_them() {
    let (scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
    scratch.git(&["fsck", "--strict"]).ok();
    scratch.git(&["gc", "-q", "--prune=now"]).ok();
    one.lane(&["lock", "common"]).fails(1).says("held by a2");
    two.lane(&["unlock", "common"]).ok();
    one.lane(&["lock", "common"]).ok().says("generation 3");
    assert_eq!(one.git(&["rev-list", "--count", REF]).ok().out, "5\n");
    // Hooks that install and uninstall leave the locks where they are.
    scratch.lane(&["uninstall", "--all"]).ok();
    assert!(!scratch.root().join(".git/lane").exists());
    one.lane(&["locks"]).ok().says("common: a1 (MLOps)");
}

#[test]
fn what_is_held_with_no_commit_for_long_is_told() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common", "--ttl", "8s"]).ok();
    one.lane(&["locks"]).ok().does_not_say("no commit under it");
    std::thread::sleep(Duration::from_millis(4_100));
    one.lane(&["locks"]).ok().says("no commit under it for ").says("if done: git lane unlock common");
    two.lane(&["locks"]).ok().says("no commit under it for ").does_not_say("; if done: git lane unlock");
}

#[test]
fn one_who_stands_still_with_the_guard_is_in_nobody_s_way_for_long() {
    let (scratch, one, _two) = two();
    one.lane(&["lock", "common"]).ok();
    let guard = std::fs::File::open(scratch.root().join(".git/lane/locks/guard")).unwrap();
    guard.lock().unwrap();
    one.lane(&["unlock", "common"]).ok();
    one.lane(&["locks", "--log"]).ok().says("a1 releases common@1");
}

/// Worktrees of all four agents.
fn four(scratch: &Scratch, one: Worktree, two: Worktree) -> [Worktree; 4] {
    let more = ["a3", "a4"].map(|agent| {
        let tree = scratch.worktree(agent, &format!("feat/{agent}/x"));
        tree.lane(&["install", "--agent", agent]).ok();
        tree
    });
    let [three, four] = more;
    [one, two, three, four]
}

/// Every event of the lock, oldest first, played again: one holder at a time, generations that rise by one.
#[track_caller]
fn audit(tree: &Worktree) -> usize {
    let log = tree.lane(&["locks", "--log", "--format", "json"]).ok().json();
    let (mut generation, mut holder) = (0, None);
    for event in log.as_array().unwrap().iter().rev() {
        let who = (event["agent"].as_str().unwrap().to_owned(), event["generation"].as_u64().unwrap());
        match event["kind"].as_str().unwrap() {
            "take" => {
                generation += 1;
                assert_eq!(who.1, generation);
                let ended: Vec<_> = event["from"].as_array().into_iter().flatten().collect();
                let is_ended = |(agent, number): &(String, u64)| {
                    ended
                        .iter()
                        .any(|loser| loser["agent"] == agent.as_str() && loser["generation"] == *number)
                };
                let is_free = holder.as_ref().is_none_or(|old| is_ended(old) || old.0 == who.0);
                assert!(is_free, "{who:?} took what {holder:?} had");
                holder = Some(who);
            }
            "renew" => assert_eq!(holder.as_ref(), Some(&who)),
            "release" => assert_eq!(holder.take(), Some(who)),
            _ => {}
        }
    }
    log.as_array().unwrap().len()
}

#[test]
fn worktrees_that_all_want_one_lock() {
    let (scratch, one, two) = two();
    let trees = four(&scratch, one, two);
    let counter = scratch.home().join("counter");
    std::fs::write(&counter, "0").unwrap();
    std::thread::scope(|scope| {
        for tree in &trees {
            scope.spawn(|| {
                for _ in 0..5 {
                    tree.lane(&["lock", "common", "--wait", "2m", "-q"]).ok();
                    let value: u64 = std::fs::read_to_string(&counter).unwrap().parse().unwrap();
                    std::thread::sleep(Duration::from_millis(3));
                    std::fs::write(&counter, (value + 1).to_string()).unwrap();
                    tree.lane(&["unlock", "common", "-q"]).ok();
                }
            });
        }
    });
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "20", "no update is lost");
    let events = audit(&trees[0]);
    assert_eq!(trees[0].git(&["rev-list", "--count", REF]).ok().out.trim(), events.to_string());
}

#[test]
fn killed_at_any_instant_a_lock_is_taken_or_it_is_not() {
    let (scratch, one, two) = two();
    let trees = four(&scratch, one, two);
    for round in 0_u64..24 {
        // One is killed somewhere on its way, sooner or later; its git goes on, or was killed with it.
        let tree = &trees[usize::try_from(round % 4).unwrap()];
        let mut command = tree.command("setsid");
        command.args([LANE, "lock", "common", "-q"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_micros(300 + round * 431));
        let group = if round % 2 == 0 { child.id().to_string() } else { format!("-{}", child.id()) };
        let _ = tree.command("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
        child.wait().unwrap();
        // It gets on: its own lock is found, or taken now.
        tree.lane(&["lock", "common", "-q", "--wait", "20s"]).ok();
        tree.lane(&["locks"]).ok().says("common: a");
        tree.lane(&["unlock", "common", "-q"]).ok();
    }
    audit(&trees[0]);
    trees[0].git(&["fsck", "--strict"]).ok();
}
