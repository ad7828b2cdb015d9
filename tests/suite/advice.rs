//! What a finding or an error tells to type next is typed here, in the state in which it is told: it leads on, and
//! loses nothing.

use crate::support::{POLICY, Ran, Scratch, Worktree};

/// The commands that a message names: what follows `: ` in its lines of help, as it is printed.
pub fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_help = false;
    for line in text.lines() {
        in_help = line.starts_with("  help: ") || (in_help && line.starts_with("        "));
        let Some(line) = line.get(8..).filter(|_| in_help).map(str::trim_start) else { continue };
        let is_command = |text: &str| ["git ", "rm ", "unset "].iter().any(|word| text.starts_with(word));
        if is_command(line) {
            found.push(line.to_owned());
        } else if let Some((_, command)) = line.split_once(": ").filter(|(_, command)| is_command(command)) {
            found.push(command.to_owned());
        }
    }
    found
}

/// Types a command as a shell reads it.
pub fn sh(tree: &Worktree, script: &str) -> Ran {
    let lane = std::path::Path::new(crate::support::LANE).parent().unwrap();
    let path = format!("{}:{}", lane.display(), std::env::var("PATH").unwrap());
    tree.command("sh").env("PATH", path).args(["-c", script]).output().unwrap().into()
}

/// Two agents with worktrees beside the main one, which `git lane setup` makes.
fn with_worktrees() -> Scratch {
    let policy = "version: 1\nservices: { paths: \"services/{service}/**\" }\nagents:\n  \
                  a1: { services: [revenue], worktree: ../wt-a1, branch: feat/a1/main }\n  \
                  a2: { services: [rag_pipeline], worktree: ../wt-a2, branch: feat/a2/main }\n\
                  branch: { pattern: \"feat/{agent}/{feature}\", protected: [main] }\n";
    Scratch::with_policy(policy)
}

#[test]
fn setup_tells_how_a_worktree_that_was_moved_comes_back() {
    let scratch = with_worktrees();
    scratch.lane(&["setup"]).ok();
    let away = scratch.home().join("some where");
    scratch.git(&["worktree", "move", "../wt-a1", away.to_str().unwrap()]).ok();
    std::fs::write(away.join("note"), "kept\n").unwrap();
    scratch.lane(&["setup", "--dry-run"]).says(", but the policy has");
    let ran = scratch.lane(&["setup"]).fails(1).says("the worktree of a1 is").does_not_say("switch");
    for command in commands(&ran.all()) {
        sh(&scratch.main(), &command).ok();
    }
    assert_eq!(std::fs::read_to_string(scratch.home().join("wt-a1/note")).unwrap(), "kept\n");
    scratch.lane(&["setup"]).ok().says("nothing to do");
    // The folder moved, and git does not know.
    std::fs::rename(scratch.home().join("wt-a1"), scratch.home().join("elsewhere")).unwrap();
    let ran = scratch.lane(&["setup"]).fails(1).says("was moved to");
    for command in commands(&ran.all()) {
        sh(&scratch.main(), &command).ok();
    }
    scratch.lane(&["setup"]).ok().says("nothing to do");
}

#[test]
fn setup_tells_what_to_switch_where_the_main_worktree_has_the_branch() {
    let scratch = with_worktrees();
    scratch.git(&["switch", "-q", "-c", "feat/a1/main"]).ok();
    let ran = scratch.lane(&["setup"]).fails(1).says("is checked out in the main worktree");
    let told = commands(&ran.all());
    assert_eq!(told.len(), 2, "{told:?}");
    for command in told {
        sh(&scratch.main(), &command).ok();
    }
}

#[test]
fn a_worktree_is_made_though_the_post_checkout_hook_fails() {
    let scratch = with_worktrees();
    let hook = scratch.root().join(".git/hooks/post-checkout");
    std::fs::write(&hook, "#!/bin/sh\necho no such tool >&2\nexit 127\n").unwrap();
    scratch.run(&scratch.root(), "chmod", &["+x", hook.to_str().unwrap()]).ok();
    scratch.lane(&["setup"]).ok().says("the post-checkout hook").says("no such tool");
    scratch.lane(&["setup"]).ok().does_not_say("post-checkout");
    for agent in ["a1", "a2"] {
        let tree = Worktree { root: scratch.home().join(format!("wt-{agent}")), home: scratch.home() };
        assert_eq!(tree.git(&["config", "lane.agent"]).out.trim(), agent);
        assert_eq!(tree.git(&["status", "--porcelain"]).out, "");
    }
}

/// Everything that could be lost: commits by author, date and message, what is staged, and the working tree.
fn commits(tree: &Worktree) -> String {
    tree.git(&["log", "--format=%an %ae %at %cn %ct %B", "--reverse", "origin/main..HEAD"]).ok().out
}

#[test]
fn drop_leaves_every_commit_and_every_edit() {
    let (_scratch, tree) = Scratch::installed();
    for (at, odd) in
        ["a b.py", "it's.py", "-x.py", ":(top)y.py", "new\nline.py", "[a]*.py"].iter().enumerate()
    {
        tree.write(&format!("services/rag_pipeline/{at}.py"), "own\n");
        tree.write(&format!("services/revenue/{odd}"), "foreign\n");
        tree.git(&["add", "-A"]).ok();
        let date = format!("2026-03-0{}T10:00:00 +0100", at + 1);
        let message = format!("[A2] feat: number {at}\n\nBody of {at}.");
        let author = ["--author", "Ada <ada@example.com>", "--date", &date];
        tree.git(&[&["commit", "-q", "--no-verify", "-m", &message], author.as_slice()].concat()).ok();
    }
    let before = commits(&tree);
    // Edits of all kinds, some of a path that is taken out.
    tree.write("services/rag_pipeline/0.py", "edited\n");
    tree.write("services/rag_pipeline/staged.py", "staged\n");
    tree.git(&["add", "services/rag_pipeline/staged.py"]).ok();
    tree.write("services/revenue/a b.py", "edited again\n");
    tree.write("untracked", "x\n");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    let told = commands(&ran.all());
    assert!(told[0].starts_with("git lane drop -- "), "{told:?}");
    let below = Worktree { root: tree.root.join("services/rag_pipeline"), home: tree.home.clone() };
    sh(&tree, &told[0]).ok().says("6 files").says("6 rewritten commits");
    assert_eq!(commits(&tree), before);
    assert_eq!(tree.git(&["log", "--format=%h", "origin/main..", "--", "services/revenue"]).out, "");
    let status = tree.git(&["status", "--porcelain", "-uall"]).out;
    assert!(
        status.starts_with(" M services/rag_pipeline/0.py\nA  services/rag_pipeline/staged.py\n"),
        "{status}"
    );
    assert_eq!(status.matches("?? ").count(), 7, "{status}");
    let kept = std::fs::read_to_string(tree.root.join("services/revenue/a b.py")).unwrap();
    assert_eq!(kept, "edited again\n");
    assert_eq!(
        tree.git(&["show", "ORIG_HEAD:services/revenue/a b.py"]).out,
        "foreign\n",
        "the commit's is there"
    );
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    // From a subfolder, a path that was pushed meanwhile, past the hooks.
    tree.sneak("services/revenue/b.py", "x\n", "[A2] more");
    tree.git(&["push", "-q", "--no-verify", "origin", "HEAD"]).ok();
    tree.sneak("services/rag_pipeline/c.py", "x\n", "[A2] most");
    let ran = below.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    let told = commands(&ran.all());
    assert_eq!(told[0], "git lane drop -- :/services/revenue/b.py");
    sh(&below, &told[0]).ok().says("origin has the old branch");
    assert_eq!(told[1], "git lane push --force-with-lease");
    sh(&below, &told[1]).ok();
}

#[test]
fn drop_works_on_other_branches_and_without_one() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["switch", "-q", "-c", "feat/a2/$other"]).ok();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] bad");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] good");
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    tree.write("services/rag_pipeline/main.py", "edited\n");
    let ran = tree.git(&["push", "-q", "origin", "feat/a2/$other"]).fails(1);
    sh(&tree, &commands(&ran.all())[0]).ok();
    tree.git(&["push", "-q", "origin", "feat/a2/$other"]).ok();
    assert_eq!(tree.git(&["status", "--porcelain"]).out, " M services/rag_pipeline/main.py\n");
    tree.git(&["stash", "-q"]).ok();
    tree.git(&["switch", "-q", "--detach"]).ok();
    tree.sneak("services/revenue/a.py", "x\n", "[A2] bad");
    let push = ["push", "-q", "origin", "HEAD:refs/heads/feat/a2/detached"];
    let ran = tree.git(&push).fails(1);
    sh(&tree, &commands(&ran.all())[0]).ok();
    tree.git(&push).ok();
    assert_eq!(tree.git(&["status", "--porcelain"]).out, "?? services/revenue/a.py\n");
    // Nothing is done where it would be somebody else's, or in the middle of something.
    tree.lane(&["drop", "--branch", "none", "x"]).fails(2).says("unknown branch `none`");
    tree.lane(&["drop", "--branch", "main", "x"]).fails(2).says("is checked out in");
    tree.lane(&["drop", "services/rag_pipeline/none.py"]).fails(1).says(": nothing to drop");
    tree.git(&["switch", "-q", "feat/a2/$other"]).ok();
    tree.sneak("services/revenue/b.py", "x\n", "[A2] bad");
    tree.git(&["merge", "-q", "--no-ff", "--no-commit", "feat/a2/x~0"]);
    std::fs::write(tree.root.join("conflict"), "x\n").unwrap();
    let git_dir = tree.git(&["rev-parse", "--absolute-git-dir"]).ok().out;
    std::fs::write(std::path::Path::new(git_dir.trim()).join("MERGE_HEAD"), tree.head() + "\n").unwrap();
    tree.lane(&["drop", "services/revenue/b.py"]).fails(2).says("a merge is in progress");
}

#[test]
fn drop_keeps_merges_and_signatures() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let key = scratch.home().join("key");
    let made = scratch.run(&scratch.home(), "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "key"]);
    if made.code != 0 {
        return;
    }
    tree.git(&["config", "gpg.format", "ssh"]).ok();
    tree.git(&["config", "user.signingKey", key.to_str().unwrap()]).ok();
    tree.write("services/revenue/main.py", "foreign\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--no-verify", "-S", "-m", "[A2] größer"]).ok();
    scratch.main().sneak("services/revenue/main.py", "its owner's\n", "[A4] x");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["merge", "-q", "--no-verify", "-s", "ours", "-m", "[A2] take main in", "origin/main"]).ok();
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] good");
    let before = commits(&tree);
    tree.lane(&["drop", "services/revenue/main.py"])
        .ok()
        .says("1 commit signed again")
        .says("is now empty and keeps its message:");
    assert_eq!(commits(&tree), before);
    assert_eq!(
        tree.git(&["show", "HEAD:services/revenue/main.py"]).out,
        "its owner's\n",
        "as the base has it"
    );
    let signed = tree.git(&["log", "--format=%H", "--grep", "größer"]).ok().out;
    assert!(
        tree.git(&["cat-file", "commit", signed.trim()]).out.contains("gpgsig -----BEGIN SSH SIGNATURE-----")
    );
    assert_eq!(tree.git(&["log", "-1", "--format=%P", "--grep", "take main in"]).out.split(' ').count(), 2);
    tree.git(&["fsck", "--no-dangling"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

/// What a merge makes by itself is found in memory; what is dropped has to be written all the same.
#[test]
fn drop_writes_what_a_merge_is_made_of() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    scratch.main().sneak("docs/main.md", "moves on\n", "chore: main moves on");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: x").ok();
    tree.git(&["merge", "-q", "--no-commit", "origin/main"]).ok();
    tree.write("services/revenue/evil.py", "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--no-verify", "-m", "[A2] take main in"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("git lane drop -- services/revenue/evil.py");
    tree.lane(&["drop", "--", "services/revenue/evil.py"]).ok();
    tree.git(&["fsck", "--no-dangling"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(tree.git(&["log", "-1", "--format=%P"]).out.split(' ').count(), 2, "still a merge");
}

#[test]
fn drop_does_not_guess() {
    let (_scratch, tree) = Scratch::installed();
    // A folder in the place of a file of the base.
    tree.git(&["rm", "-q", "requirements.txt"]).ok();
    tree.sneak("requirements.txt/a", "x\n", "[A2] folder");
    let head = tree.head();
    tree.lane(&["drop", "requirements.txt"])
        .fails(2)
        .says("cannot be restored: the commits have a file where it has a folder, or the reverse");
    assert_eq!(tree.head(), head);
    tree.lane(&["drop", "requirements.txt", "requirements.txt/a"]).ok();
    assert_eq!(tree.git(&["diff", "origin/main", "HEAD"]).ok().out, "");
    // And the reverse.
    tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    tree.git(&["rm", "-q", "-r", "services/revenue"]).ok();
    tree.sneak("services/revenue", "x\n", "[A2] file");
    tree.lane(&["drop", "services/revenue/main.py", "services/revenue"]).ok();
    assert_eq!(tree.git(&["diff", "origin/main", "HEAD"]).ok().out, "");
    // What is staged alone, and nowhere else, stays staged.
    tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    tree.sneak("services/revenue/a.py", "one\n", "[A2] bad");
    tree.write("services/revenue/a.py", "two\n");
    tree.git(&["add", "-A"]).ok();
    tree.write("services/revenue/a.py", "three\n");
    let ran = tree.lane(&["--format", "json", "drop", "services/revenue/a.py"]).ok().json();
    assert_eq!((ran["needs_force"].clone(), ran["commits"][0]["empty"].clone()), (false.into(), true.into()));
    assert_eq!(tree.git(&["show", ":services/revenue/a.py"]).out, "two\n");
    assert_eq!(std::fs::read_to_string(tree.root.join("services/revenue/a.py")).unwrap(), "three\n");
}

/// A state in which something is refused.
struct Row {
    /// The rule that refuses it.
    rule: &'static str,
    /// What brings the state about, line by line.
    state: &'static str,
    /// What is refused, and passes in the end.
    refused: &'static str,
}

const fn row(rule: &'static str, state: &'static str, refused: &'static str) -> Row {
    Row { rule, state, refused }
}

/// Writes and stages a file of one's own and one of a4.
const BOTH: &str = "echo own >services/rag_pipeline/own.py; echo x >services/revenue/x.py; git add -A";
const COMMIT: &str = "git commit -q -m 'feat: it'";
const PUSH: &str = "git push -q origin HEAD";
/// Edits of all kinds beside what is pushed.
const DIRTY: &str = "echo e >>services/rag_pipeline/main.py; echo s >services/rag_pipeline/staged.py; \
                     git add services/rag_pipeline/staged.py; echo u >services/rag_pipeline/untracked.py";

const ROWS: &[Row] = &[
    row("foreign-path", BOTH, COMMIT),
    row(
        "foreign-path",
        "echo a >>services/revenue/main.py; echo b >>services/rag_pipeline/main.py",
        "git commit -q -a -m 'feat: it'",
    ),
    row("foreign-path", "echo a >>services/revenue/main.py", "git commit -q -am 'feat: it'"),
    row("foreign-path", BOTH, "git commit -q -m 'feat: it' services/rag_pipeline services/revenue"),
    row(
        "foreign-path",
        "git commit -q --allow-empty -m 'feat: first'; echo x >services/revenue/x.py; git add -A",
        "git commit -q --amend --no-edit",
    ),
    row("foreign-path", BOTH, "cd services/rag_pipeline && git commit -q -m 'feat: it'"),
    row(
        "foreign-path",
        "echo x >'services/revenue/a b.py'; echo x >\"services/revenue/it's.py\"; echo x >'services/revenue/[a]*.py'; \
         echo x >services/rag_pipeline/own.py; printf x >\"$(printf 'services/revenue/new\\012line.py')\"; git add -A",
        COMMIT,
    ),
    row(
        "foreign-path",
        "for n in $(seq 30); do echo x >services/revenue/$n.py; done; echo x >services/rag_pipeline/own.py; git add -A",
        COMMIT,
    ),
    row(
        "foreign-path",
        "git switch -q --orphan feat/a2/new; mkdir -p services/rag_pipeline services/revenue; \
         echo own >services/rag_pipeline/own.py; echo x >services/revenue/x.py; git add -A; echo more >>services/revenue/x.py",
        COMMIT,
    ),
    row(
        "foreign-path",
        "echo x >services/revenue/x.py; echo x >services/revenue/staged.py; git add services/revenue/staged.py",
        "git lane check --worktree",
    ),
    row(
        "foreign-path",
        "echo x >services/revenue/x.py; git add -A; git commit -q --no-verify -m '[A2] feat: one'; \
         echo x >services/rag_pipeline/own.py; git add -A",
        COMMIT,
    ),
    row(
        "foreign-path",
        "for n in 1 2 3; do echo $n >services/rag_pipeline/$n.py; echo $n >services/revenue/$n.py; git add -A; \
         git commit -q --no-verify -m \"[A2] feat: number $n\"; done; echo e >>services/rag_pipeline/main.py",
        PUSH,
    ),
    row(
        "protected-path",
        "echo '# x' >>policy.yaml; echo own >services/rag_pipeline/own.py; git add -A",
        COMMIT,
    ),
    row(
        "protected-path",
        "echo '# x' >>policy.yaml; git commit -q --no-verify -am '[A2] feat: policy'",
        PUSH,
    ),
    row(
        "local-file",
        "echo 1 >-x.local; echo own >services/rag_pipeline/own.py; git add -A; echo 2 >-x.local",
        COMMIT,
    ),
    row("local-file", "echo 1 >x.local; git add -A; git commit -q --no-verify -m '[A2] feat: local'", PUSH),
    row(
        "untagged-message",
        "echo 1 >services/rag_pipeline/1.py; git add -A; git -c core.hooksPath=/dev/null commit -q -m 'feat: x'",
        PUSH,
    ),
    row(
        "untagged-message",
        "for n in 1 2; do echo $n >services/rag_pipeline/$n.py; git add -A; \
         git -c core.hooksPath=/dev/null commit -q -m \"feat: number $n\"; done",
        PUSH,
    ),
    row(
        "untagged-message",
        "git switch -q -c feat/a2/other; for n in 1 2; do echo $n >services/rag_pipeline/$n.py; git add -A; \
         git -c core.hooksPath=/dev/null commit -q -m \"feat: number $n\"; done; git switch -q feat/a2/x",
        "git push -q origin feat/a2/other",
    ),
    // What is staged already comes along with `-i`.
    row(
        "foreign-path",
        "echo x >services/revenue/x.py; git add -A; echo own >>services/rag_pipeline/main.py",
        "git commit -q -i -m 'feat: it' services/rag_pipeline/main.py",
    ),
    row(
        "foreign-path",
        "echo x >services/revenue/x.py; git add -A; echo own >>services/rag_pipeline/main.py; \
         echo y >>services/revenue/main.py",
        "git commit -q -i -m 'feat: it' services/rag_pipeline services/revenue",
    ),
    row(
        "merge-commit",
        "git -C ../repo commit -q --allow-empty -m 'feat: main'; git -C ../repo push -q origin main; \
         echo own >services/rag_pipeline/own.py; git add -A; git commit -q -m 'feat: own'; git merge -q -m '[A2] merge' origin/main",
        PUSH,
    ),
    row("branch-name", "git switch -q -c my-fix; echo own >services/rag_pipeline/own.py; git add -A", COMMIT),
    row(
        "branch-name",
        "git switch -q -c feat/a1/x; echo own >services/rag_pipeline/own.py; git add -A",
        COMMIT,
    ),
    row("unlocked-path", "echo x >services/common/x.py; git add -A", COMMIT),
];

/// Rules that ask for a name, an editor, a host or another policy, each with the test of this program that types what
/// they say.
const ELSEWHERE: &[(&str, &str)] = &[
    ("append-only", "a_released_file_stays_and_a_new_one_is_added"),
    ("case-conflict", "what_is_told_of_files_leads_on"),
    ("conflict-marker", "what_is_told_of_staged_lines_leads_on"),
    ("executable-bit", "what_is_told_of_staged_lines_leads_on"),
    ("exposed-secret", "a_push_has_what_a_later_commit_took_out"),
    ("forbidden-content", "what_is_told_of_staged_lines_leads_on"),
    ("forbidden-file", "what_is_told_of_files_leads_on"),
    ("git-path", "a_tree_that_git_does_not_check_out"),
    ("large-file", "what_is_told_of_files_leads_on"),
    ("line-ending", "what_is_told_of_staged_lines_leads_on"),
    ("long-path", "what_is_told_of_files_leads_on"),
    ("outside-link", "what_is_told_of_files_leads_on"),
    ("foreign-worktree", "an_edit_in_another_worktree_is_made_in_ones_own"),
    ("identity", "a_coding_agent_without_a_lane_joins_one"),
    ("message-format", "a_message_of_no_type_is_written_anew"),
    ("message-length", "what_is_told_of_messages_leads_on"),
    ("message-pattern", "what_is_told_of_messages_leads_on"),
    ("author-pattern", "what_is_told_of_people_leads_on"),
    ("committer-pattern", "what_is_told_of_people_leads_on"),
    ("missing-approval", "what_is_told_of_approvals_leads_on"),
    ("missing-body", "what_is_told_of_messages_leads_on"),
    ("missing-sign-off", "what_is_told_of_sign_offs_leads_on"),
    ("oversized-change", "a_change_that_is_too_large_goes_in_parts"),
    ("policy-mistake", "a_policy_with_a_mistake_is_mended"),
    ("protected-tag", "what_is_told_of_tags_leads_on"),
    ("protected-branch", "what_was_meant_for_main_becomes_a_branch"),
    ("pull-request-label", "a_pull_request_is_edited_and_passes"),
    ("pull-request-title", "a_pull_request_is_edited_and_passes"),
    ("stale-base", "a_stale_branch_is_synced"),
    ("uncoordinated-path", "somebody_is_named_who_was_told"),
    ("unsigned-commit", "what_is_told_of_signatures_leads_on"),
    ("unowned-path", "a_file_of_nobody_goes_into_the_lane"),
];

#[test]
fn every_rule_is_tried_here_or_elsewhere() {
    let tried: std::collections::BTreeSet<&str> = ROWS.iter().map(|row| row.rule).collect();
    for id in lane_core::rules::ids() {
        let elsewhere = ELSEWHERE.iter().find(|(rule, _)| *rule == id);
        assert!(tried.contains(id) != elsewhere.is_some(), "{id}");
        let test = elsewhere.map(|(_, test)| format!("fn {test}()"));
        let texts = [
            include_str!("advice_rules.rs"),
            include_str!("approvals.rs"),
            include_str!("content.rs"),
            include_str!("metadata.rs"),
        ];
        assert!(test.is_none_or(|test| texts.iter().any(|text| text.contains(&test))), "{id}");
    }
}

/// All files of a worktree that are not git's or git-lane's own.
fn files(tree: &Worktree) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![tree.root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name == ".git" || name == ".locks") {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), std::fs::read(&path).unwrap())),
            }
        }
    }
    found
}

/// The words of all commits of all branches that the base does not have.
fn messages(tree: &Worktree) -> Vec<String> {
    let log = tree.git(&[
        "log",
        "--branches",
        "HEAD",
        "--not",
        "origin/main",
        "--no-merges",
        "--format=%an%ad%B%x00",
    ]);
    log.out.split('\0').map(|text| text.trim().replacen("[A2] ", "", 1)).collect()
}

fn goes_on(row: &Row, dirty: &str) {
    let (_scratch, tree) = Scratch::installed();
    // Bare `git commit --amend` has nobody to edit.
    sh(&tree, &format!("{}\n{dirty}", row.state)).ok();
    let (mut kept, mut said) = (files(&tree), messages(&tree));
    said.sort();
    for round in 0.. {
        let ran = sh(&tree, row.refused);
        let what = format!("{}: {} {dirty}\nround {round}\n{}", row.rule, row.refused, ran.all());
        let told = commands(&ran.all());
        if ran.code == 0 || (round > 0 && ran.all().contains("nothing to commit")) {
            assert!(round > 0, "{what}");
            break;
        }
        assert!(round < 3 && (round > 0 || ran.all().contains(&format!("[{}]", row.rule))), "{what}");
        for command in &told {
            let is_last = *command == "git stash pop" || command.starts_with("git lane unlock");
            // In the folder where it was told; compound commands are for nobody.
            let folder =
                row.refused.split_once(" && ").map(|(cd, _)| format!("{cd} && ")).unwrap_or_default();
            assert!(!command.contains(" && ") && !command.contains("; "), "{what}");
            if !is_last {
                let on = sh(&tree, &format!("{folder}{command}"));
                assert_eq!(on.code, 0, "{command}\n{}\n{what}", on.all());
            }
        }
        if told.iter().all(|command| command.starts_with("git lane request")) {
            break; // there is nothing to go on with
        }
    }
    if sh(&tree, "git stash list").out.contains("WIP") {
        sh(&tree, "git stash pop -q").ok();
    }
    for (path, text) in std::mem::take(&mut kept) {
        assert_eq!(
            std::fs::read(&path).ok(),
            Some(text),
            "{}: {} lost {}",
            row.rule,
            row.refused,
            path.display()
        );
    }
    let after = messages(&tree);
    for message in said {
        assert!(after.contains(&message), "{}: {} lost {message}: {after:?}", row.rule, row.refused);
    }
}

#[test]
fn what_is_told_leads_on_and_loses_nothing() {
    for row in ROWS {
        goes_on(row, "true");
    }
}

#[test]
fn edits_beside_it_are_not_touched() {
    for row in ROWS.iter().filter(|row| row.refused == PUSH) {
        goes_on(row, DIRTY);
    }
}

#[test]
fn a_commit_that_is_named_again_keeps_its_message() {
    let (_scratch, tree) = Scratch::installed();
    sh(&tree, "echo a >>services/revenue/main.py; echo b >>services/rag_pipeline/main.py").ok();
    let ran = sh(&tree, "git commit -qam \"feat: it's\" -m 'Body $x'").fails(1);
    if cfg!(target_os = "linux") {
        sh(&tree, &commands(&ran.all())[0]).ok();
        assert_eq!(tree.git(&["log", "-1", "--format=%B"]).out.trim(), "[A2] feat: it's\n\nBody $x");
    }
    assert_eq!(tree.git(&["status", "--porcelain"]).out, " M services/revenue/main.py\n");
}

#[test]
fn a_push_of_a_rewritten_branch_names_one_way() {
    let (_scratch, tree) = Scratch::installed();
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] one");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.git(&["commit", "-q", "--amend", "-m", "[A2] two"]).ok();
    let ran = tree.lane(&["push"]).fails(1).does_not_say("git pull").says("if you rewrote it");
    sh(&tree, &commands(&ran.all())[0]).ok();
}
