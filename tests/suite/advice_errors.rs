//! What errors and notes tell to type, and what leads on though no rule speaks: typed here in the state in which it is
//! told.

use crate::advice::{commands, sh};
use crate::support::{POLICY, Ran, Scratch, Worktree};

/// Types the commands that a message names, each of which has to succeed.
pub fn typed(tree: &Worktree, ran: &Ran) {
    let told = commands(&ran.all());
    assert!(!told.is_empty(), "{}", ran.all());
    for command in told {
        assert!(!command.contains(" && ") && !command.contains("; "), "{command}");
        let on = sh(tree, &command);
        assert_eq!(on.code, 0, "{command}\n{}\n{}", on.all(), ran.all());
    }
}

/// Types the commands of a message, which are these, in their order. `fill`: what stands in place of its placeholders.
#[track_caller]
pub fn leads_on(tree: &Worktree, ran: &Ran, expected: &[&str], fill: &[(&str, &str)]) {
    assert_eq!(told(&ran.all()), expected, "{}", ran.all());
    for command in expected {
        let command = fill.iter().fold((*command).to_owned(), |text, (from, to)| text.replace(from, to));
        let on = sh(tree, &command);
        assert_eq!(on.code, 0, "{command}\n{}\n{}", on.all(), ran.all());
    }
}

/// The commands of a text, of its help or not: what a line is, or has after a colon.
pub fn told(text: &str) -> Vec<String> {
    let is_command = |text: &str| ["git ", "unset ", "gh ", "mv "].iter().any(|word| text.starts_with(word));
    let lines = text.lines().map(|line| line.trim().trim_start_matches("help: "));
    let lines = lines
        .filter(|line| !["git-lane", "error", "warning", "note"].iter().any(|word| line.starts_with(word)));
    let command = |line: &str| {
        let told = line.split_once(": ").map_or(line, |(_, command)| command);
        [line, told].into_iter().find(|text| is_command(text)).map(str::to_owned)
    };
    lines.filter_map(command).collect()
}

/// The commits of a branch that the base does not have.
fn subjects(tree: &Worktree) -> Vec<String> {
    let log = tree.git(&["log", "--reverse", "--format=%s", "origin/main..HEAD"]).ok().out;
    log.lines().map(str::to_owned).collect()
}

/// An editor that puts a text in the place of all that there was.
fn replacing(scratch: &Scratch, text: &str) -> String {
    let path = scratch.home().join("replace");
    std::fs::write(&path, format!("printf '{text}' >\"$1\"\n")).unwrap();
    format!("sh {}", path.display())
}

#[test]
fn a_merge_that_brings_what_is_anothers_is_given_up_in_one_step() {
    let policy = POLICY.replace("merges: deny", "merges: allow");
    for policy in [POLICY, policy.as_str()] {
        let scratch = Scratch::with_policy(policy);
        scratch.add_origin();
        let tree = scratch.worktree("a2", "feat/a2/x");
        tree.lane(&["install", "--agent", "a2"]).ok();
        let other = scratch.worktree("a4", "feat/a4/x");
        other.sneak("services/revenue/new.py", "x\n", "[A4] feat: theirs");
        tree.commit("services/rag_pipeline/x.py", "x\n", "feat: mine").ok();
        tree.write("services/rag_pipeline/edit.py", "untracked\n");
        tree.write("services/rag_pipeline/x.py", "edited\n");
        let before = tree.head();
        let ran = tree.git(&["merge", "--no-edit", "feat/a4/x"]).fails(1).says("services/revenue/new.py");
        let told: Vec<String> =
            commands(&ran.all()).into_iter().filter(|it| it.starts_with("git merge")).collect();
        assert_eq!(told, ["git merge --abort"], "{}", ran.all());
        ran.does_not_say("git restore");
        sh(&tree, &told[0]).ok();
        assert_eq!(tree.head(), before);
        assert!(!tree.root.join("services/revenue/new.py").exists());
        assert_eq!(
            std::fs::read_to_string(tree.root.join("services/rag_pipeline/x.py")).unwrap(),
            "edited\n"
        );
        assert!(tree.root.join("services/rag_pipeline/edit.py").exists());
        tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    }
}

#[test]
fn an_editor_that_replaces_a_message_does_not_lose_its_tag() {
    let (scratch, tree) = Scratch::installed();
    for (text, subject) in [
        ("feat: replaced\\n", "[A2] feat: replaced"),
        ("feat: mine\\n\\nAgent: a2\\n", "feat: mine"),
        ("\\n# comment\\nfeat: below\\n", "[A2] feat: below"),
    ] {
        tree.write("services/rag_pipeline/own.py", text);
        tree.git(&["add", "-A"]).ok();
        let editor = replacing(&scratch, text);
        let ran = Ran::from(tree.command("git").env("GIT_EDITOR", editor).args(["commit"]).output().unwrap());
        ran.ok().does_not_say("git-lane");
        assert_eq!(tree.git(&["log", "-1", "--format=%s"]).out.trim(), subject);
    }
    // Another's tag is for somebody to see; and a message that says nothing is git's.
    for (text, code) in [("[A1] feat: theirs\\n", 1), ("\\n", 1)] {
        tree.write("services/rag_pipeline/own.py", "again\n");
        tree.git(&["add", "-A"]).ok();
        let editor = replacing(&scratch, text);
        Ran::from(tree.command("git").env("GIT_EDITOR", editor).args(["commit"]).output().unwrap())
            .fails(code);
    }
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn an_empty_message_stays_empty_and_can_be_said_later() {
    let (scratch, tree) = Scratch::installed();
    tree.write("services/rag_pipeline/own.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-m", ""]).fails(1);
    tree.git(&["commit", "-q", "--allow-empty-message", "-m", ""]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out.trim(), "");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("[untagged-message]");
    let told = commands(&ran.all());
    assert_eq!(told, ["git commit --amend --only"]);
    let editor = replacing(&scratch, "feat: said\\n");
    let mut git = tree.command("git");
    Ran::from(git.env("GIT_EDITOR", editor).args(["commit", "--amend", "--only"]).output().unwrap()).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(subjects(&tree), ["[A2] feat: said"]);
}

#[test]
fn drop_says_how_a_path_was_read() {
    let (_scratch, tree) = Scratch::installed();
    tree.sneak("services/revenue/x.py", "x\n", "[A2] x");
    let below = Worktree { root: tree.root.join("services/rag_pipeline"), home: tree.home.clone() };
    let ran = below.lane(&["drop", "services/revenue/x.py"]).fails(1);
    let ran = ran.says("changes services/rag_pipeline/services/revenue/x.py");
    assert_eq!(commands(&ran.all()), ["git lane drop -- :/services/revenue/x.py"]);
    typed(&below, &ran);
    tree.lane(&["drop", "services/revenue/x.py"]).fails(1).does_not_say("help:");
}

/// A repository before its first commit, with a policy in it.
fn unborn() -> (Scratch, Worktree) {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", POLICY);
    let main = scratch.main();
    (scratch, main)
}

#[test]
fn a_coding_agent_makes_the_first_commit_and_takes_a_lane_then() {
    let (_scratch, main) = unborn();
    main.lane(&["install"]).ok();
    for (command, code) in [("join a2", 2), ("setup a2", 1)] {
        let ran = sh(&main, &format!("CLAUDECODE=1 git lane {command}")).fails(code);
        let told = commands(&ran.all());
        assert_eq!(
            told,
            [
                "git add policy.yaml",
                "git commit -m 'chore: a policy for our agents'",
                &format!("git lane {command}")
            ]
        );
    }
    sh(&main, "CLAUDECODE=1 git lane doctor").fails(1).does_not_say("git push").does_not_say("git fetch");
    sh(&main, "git add policy.yaml").ok();
    let ran = sh(&main, "CLAUDECODE=1 git commit -m 'chore: a policy for our agents'").ok();
    assert!(commands(&ran.all()).contains(&"git lane join a2".to_owned()), "{}", ran.all());
    main.write("x", "x\n");
    main.git(&["add", "-A"]).ok();
    sh(&main, "CLAUDECODE=1 git commit -m 'feat: x'").fails(1).says("git lane join a2");
    sh(&main, "CLAUDECODE=1 git lane join a2").ok();
    sh(&main, "CLAUDECODE=1 git commit -m 'feat: x'").ok();
}

#[test]
fn join_goes_on_from_a_branch_without_a_commit() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    tree.git(&["switch", "-q", "--orphan", "fresh"]).ok();
    tree.lane(&["join", "a2"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
}

#[test]
fn a_plain_push_works_once_a_pushed_branch_is_renamed() {
    let scratch = Scratch::new();
    scratch.add_origin();
    let tree = scratch.worktree("w", "worktree-w");
    tree.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: x").ok();
    tree.git(&["push", "-q", "-u", "origin", "worktree-w"]).ok();
    tree.lane(&["join", "a2"]).ok();
    tree.git(&["push", "-q"]).ok();
    tree.git(&["rev-parse", "--verify", "-q", "refs/remotes/origin/feat/a2/w"]).ok();
    // What was pushed under the old name and is made anew is replaced under the new one.
    let other = scratch.worktree("v", "worktree-v");
    other.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
    other.git(&["push", "-q", "-u", "origin", "worktree-v"]).ok();
    other.lane(&["join", "a2"]).ok();
    let ran = other.git(&["push", "-q"]).fails(1).says("[untagged-message]");
    typed(&other, &ran);
    other.git(&["push", "-q"]).ok();
}

#[test]
fn join_says_what_to_do_in_the_middle_of_something() {
    let scratch = Scratch::new();
    let other = scratch.worktree("other", "other");
    other.sneak("services/rag_pipeline/main.py", "other\n", "other");
    other.git(&["format-patch", "-q", "-1", "-o", "../patches"]).ok();
    let in_between = |name: &str, stop: &str, resolve: &str, helps: &[&str]| {
        let tree = scratch.worktree(name, &format!("worktree-{name}"));
        tree.sneak("services/rag_pipeline/main.py", &format!("{name}\n"), name);
        assert_ne!(sh(&tree, stop).code, 0, "{stop}");
        let ran = tree.lane(&["join", "a2"]).fails(2);
        let told = commands(&ran.all());
        let expected: Vec<String> = helps.iter().map(|help| (*help).to_owned()).collect();
        assert_eq!(told, [expected, vec!["git lane join a2".to_owned()]].concat());
        sh(&tree, &told[told.len() - 2]).ok();
        assert_eq!(tree.git(&["status", "--porcelain"]).out, "");
        assert_ne!(sh(&tree, stop).code, 0, "{stop}");
        sh(&tree, resolve).ok();
        sh(&tree, &told[0]).ok();
        sh(&tree, "git lane join a2").ok();
    };
    let solve = "echo both >services/rag_pipeline/main.py; git add -A";
    in_between(
        "am",
        "git am -q ../patches/*",
        solve,
        &["git am --continue", "git am --skip", "git am --abort"],
    );
    in_between("merge", "git merge -q other", solve, &["git merge --continue", "git merge --abort"]);
    in_between("rebase", "git rebase -q other", solve, &["git rebase --continue", "git rebase --abort"]);
    in_between(
        "pick",
        "git cherry-pick other",
        solve,
        &["git cherry-pick --continue", "git cherry-pick --abort"],
    );
    in_between(
        "revert",
        "git revert --no-edit HEAD~1",
        solve,
        &["git revert --continue", "git revert --abort"],
    );
}

#[test]
fn a_push_without_a_remote_says_how_to_have_one() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
    scratch.run(&scratch.home(), "git", &["init", "-q", "--bare", "-b", "main", "origin.git"]).ok();
    for command in ["push", "pr"] {
        let ran = tree.lane(&[command]).fails(2).does_not_say("fatal");
        let told = commands(&ran.all());
        assert_eq!(told, ["git remote add origin URL", &format!("git lane {command}"), "git remote -v"]);
    }
    sh(&tree, "git remote add origin ../origin.git").ok();
    tree.lane(&["push"]).ok();
}

#[test]
fn a_conflict_of_sync_is_gone_on_with_command_by_command() {
    let (scratch, tree) = Scratch::installed();
    for (tree, message) in [(&scratch.main(), "chore: main"), (&tree, "[A2] own")] {
        tree.write("services/rag_pipeline/a b.py", message);
        tree.sneak("services/rag_pipeline/main.py", message, message);
        tree.git(&["add", "-A"]).ok();
        tree.git(&["commit", "-q", "--amend", "--no-verify", "--no-edit"]).ok();
    }
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    for folder in ["", "services/rag_pipeline"] {
        let below = Worktree { root: tree.root.join(folder), home: tree.home.clone() };
        let before = tree.head();
        let ran = below.lane(&["sync"]).fails(1);
        let told = commands(&ran.all());
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("git add -- "), "{told:?}");
        if folder.is_empty() {
            sh(&below, &told[2]).ok();
            assert_eq!(tree.head(), before);
            continue;
        }
        sh(&below, "echo both >main.py; echo both >'a b.py'").ok();
        sh(&below, &told[0]).ok();
        sh(&below, &told[1]).ok();
    }
    assert_eq!(tree.git(&["rev-list", "--count", "HEAD..origin/main"]).out.trim(), "0");
}

/// A rebase on the base would make the release's commits one's own.
#[test]
fn a_merge_of_a_release_branch_is_taken_out_alone() {
    let (scratch, tree) = Scratch::installed();
    let release = scratch.worktree("release", "release/1");
    for n in 1..4 {
        release.sneak(&format!("services/revenue/{n}.py"), "x\n", "fix: on release");
    }
    release.git(&["push", "-q", "origin", "release/1"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.commit("services/rag_pipeline/one.py", "x\n", "feat: one").ok();
    // Seen at once, and seen at the push, with commits on top.
    let ran = tree.git(&["merge", "-m", "[A2] merge", "origin/release/1"]).ok().says("[merge-commit]");
    typed(&tree, &ran);
    assert_eq!(subjects(&tree), ["[A2] feat: one"]);
    tree.git(&["merge", "-q", "-m", "[A2] merge", "origin/release/1"]).ok();
    tree.commit("services/rag_pipeline/two.py", "x\n", "feat: two").ok();
    tree.write("services/rag_pipeline/one.py", "edited\n");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("[merge-commit]");
    typed(&tree, &ran);
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(subjects(&tree), ["[A2] feat: one", "[A2] feat: two"]);
    assert_eq!(tree.git(&["status", "--porcelain"]).out, " M services/rag_pipeline/one.py\n");
    // On a branch that is not checked out.
    tree.git(&["stash", "-q"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/other"]).ok();
    tree.git(&["merge", "-q", "-m", "[A2] merge", "origin/release/1"]).ok();
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    let ran = tree.git(&["push", "-q", "origin", "feat/a2/other"]).fails(1).says("[merge-commit]");
    typed(&tree, &ran);
    tree.git(&["push", "-q", "origin", "feat/a2/other"]).ok();
}

#[test]
fn the_version_is_shown() {
    let scratch = Scratch::new();
    let main = scratch.main();
    let ran = main.lane(&["version"]).fails(2);
    typed(&main, &ran);
}
