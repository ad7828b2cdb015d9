//! Coding agents without a lane, and `git lane join`, which gives them one.

use std::path::PathBuf;

use crate::support::{POLICY, Ran, Scratch, Worktree};

const HARNESS: (&str, &str) = ("CLAUDECODE", "1");

/// A repository with hooks in its main worktree, and a worktree as a harness makes it.
fn with_harness() -> (Scratch, Worktree) {
    let scratch = Scratch::new();
    scratch.add_origin();
    let origin = scratch.home().join("origin.git");
    scratch.git(&["remote", "set-url", "origin", origin.to_str().unwrap()]).ok();
    scratch.lane(&["install"]).ok();
    let tree = harness_tree(&scratch, "x");
    (scratch, tree)
}

fn harness_tree(scratch: &Scratch, name: &str) -> Worktree {
    let root = scratch.root().join(".claude/worktrees").join(name);
    let branch = format!("worktree-{name}");
    scratch.git(&["worktree", "add", "-q", "-b", &branch, root.to_str().unwrap(), "main"]).ok();
    Worktree { root, home: scratch.home() }
}

/// git, as an agent runs it in its harness.
fn git_as_agent(tree: &Worktree, args: &[&str]) -> Ran {
    tree.command("git").args(args).env(HARNESS.0, HARNESS.1).output().unwrap().into()
}

fn branch(tree: &Worktree) -> String {
    tree.git(&["branch", "--show-current"]).ok().out.trim().to_owned()
}

#[test]
fn an_agent_without_a_lane_is_refused_and_gets_on() {
    let (scratch, tree) = with_harness();
    tree.write("services/rag_pipeline/a.py", "a\n");
    tree.git(&["add", "-A"]).ok();
    let ran = git_as_agent(&tree, &["commit", "-m", "feat: a"]).fails(1);
    ran.says("error[identity]").says("CLAUDECODE is set").says("git lane join a2");
    tree.lane_env(&["check"], &[HARNESS]).fails(1).says("git lane join a2");
    tree.lane_env(&["lock", "common"], &[HARNESS]).fails(2).says("git lane join a1");
    tree.lane_env(&["request", "submit", "services/revenue/main.py", "--reason", "x"], &[HARNESS])
        .fails(2)
        .says("git lane join a2");
    tree.lane_env(&["doctor"], &[HARNESS]).says("is set), but has no lane");
    // A human at the same terminal is not affected, nor is what is pushed past the hooks of a commit let out.
    let human = tree.git(&["commit", "-q", "-m", "feat: a"]).ok();
    human.does_not_say("identity");
    git_as_agent(&tree, &["push", "-q", "origin", "HEAD"]).fails(1).says("error[identity]");
    git_as_agent(&tree, &["push", "-q", "origin", ":main"]).fails(1).says("error[identity]");
    tree.git(&["reset", "-q", "--soft", "HEAD~"]).ok();

    tree.lane_env(&["join", "a2"], &[HARNESS]).ok().says("renamed the branch worktree-x to feat/a2/x");
    git_as_agent(&tree, &["commit", "-q", "-m", "feat: a"]).ok();
    tree.git(&["log", "-1", "--format=%B"]).ok().says("[A2] feat: a");
    git_as_agent(&tree, &["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(scratch.git(&["branch", "--show-current"]).out.trim(), "main");
}

#[test]
fn whoever_names_no_agent_is_told_which_there_are() {
    let (_scratch, tree) = with_harness();
    let told = tree.lane(&["join"]).fails(2).says("git lane join a1   # ").all();
    let command = told.lines().find(|line| line.contains("join a3")).unwrap();
    let command = command.trim().trim_start_matches("help: ").trim_start_matches("git lane ");
    tree.lane(&command.split('#').next().unwrap().split_whitespace().collect::<Vec<_>>()).ok();
    assert_eq!(branch(&tree), "feat/a3/x");
}

#[test]
fn every_word_of_the_policy() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null");
    for (words, code) in [
        ("unidentified: { agent: maintainer }", 0),
        ("unidentified: { human: maintainer, agent: deny }", 1),
        ("unidentified: maintainer\nidentity: { harness: ['!CLAUDECODE'] }", 0),
        ("unidentified: { human: deny, agent: maintainer }", 1),
    ] {
        let policy = policy.lines().map(|line| if line.starts_with("unidentified:") { words } else { line });
        let scratch = Scratch::with_policy(&policy.collect::<Vec<_>>().join("\n"));
        scratch.add_origin();
        scratch.main().lane_env(&["check"], &[HARNESS]).fails(code);
        scratch
            .main()
            .lane_env(&["check"], &[("MY_AGENT", "1")])
            .fails(i32::from(words.contains("human: deny")));
    }
    let added = policy.replace("version: 1\n", "version: 1\nidentity: { harness: [MY_AGENT] }\n");
    let scratch = Scratch::with_policy(&added);
    scratch.add_origin();
    scratch.main().lane_env(&["check"], &[("MY_AGENT", "1")]).fails(1).says("MY_AGENT is set");
    scratch.main().lane_env(&["check"], &[("MY_AGENT", "")]).ok();
}

#[test]
fn nothing_is_lost() {
    let (_scratch, tree) = with_harness();
    tree.write("services/rag_pipeline/a.py", "committed\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "--no-verify", "-m", "[A2] feat: a"]).ok();
    tree.git(&["push", "-q", "--no-verify", "-u", "origin", "HEAD"]).ok();
    tree.write("services/rag_pipeline/a.py", "staged\n");
    tree.git(&["add", "-A"]).ok();
    tree.write("services/rag_pipeline/a.py", "edited\n");
    tree.write("notes.txt", "not added\n");
    let before = (tree.head(), tree.git(&["status", "--porcelain"]).out, tree.git(&["diff", "--cached"]).out);

    tree.write(".agent.env", "export MINE=1\n");
    let dry = tree.lane(&["join", "a2", "--dry-run"]).ok();
    dry.says("would rename the branch worktree-x to feat/a2/x").says("would install the hooks, as a2");
    assert_eq!(branch(&tree), "worktree-x");
    let ran = tree.lane(&["join", "a2"]).ok();
    let ran =
        ran.says("renamed the branch").says("wrote AGENT_FOCUS.md").says(".agent.env was not written by");
    ran.says("origin still has it as worktree-x");

    let after = (tree.head(), tree.git(&["status", "--porcelain"]).out, tree.git(&["diff", "--cached"]).out);
    assert_eq!(before, after);
    assert_eq!(std::fs::read_to_string(tree.root.join(".agent.env")).unwrap(), "export MINE=1\n");
    tree.git(&["config", "branch.feat/a2/x.merge"]).ok().says("refs/heads/feat/a2/x");
    tree.git(&["config", "--worktree", "lane.agent"]).ok().says("a2");

    // Again, and nothing happens.
    let again = tree.lane(&["join", "a2"]).ok();
    assert!(
        again.out.starts_with(&format!("a2  {} on feat/a2/x: nothing to do", tree.root.display())),
        "{}",
        again.out
    );
    let json = tree.lane(&["join", "a2", "--format", "json"]).ok().json();
    assert_eq!((&json["branch"], &json["changes"]), (&"feat/a2/x".into(), &serde_json::json!([])));
}

#[test]
fn where_there_is_no_branch_to_rename() {
    let (scratch, _) = with_harness();
    // As Codex makes them.
    let root: PathBuf = scratch.home().join("codex/1");
    scratch.git(&["worktree", "add", "-q", "--detach", root.to_str().unwrap(), "main"]).ok();
    let tree = Worktree { root, home: scratch.home() };
    tree.write("services/rag_pipeline/a.py", "edited\n");
    tree.git(&["add", "-A"]).ok();
    tree.lane(&["join", "a2"]).ok().says("created the branch feat/a2/work");
    tree.git(&["status", "--porcelain"]).ok().says("A  services/rag_pipeline/a.py");

    // The base stays where it is; the main worktree is told what it means.
    let main = scratch.git(&["rev-parse", "main"]).out;
    scratch.write("requirements.txt", "mine\n");
    let ran = scratch.lane(&["join", "a2"]).ok();
    ran.says("created the branch feat/a2/work-2").says("main is unchanged").says("this is the main worktree");
    assert_eq!(scratch.git(&["rev-parse", "main"]).out, main);
    scratch.git(&["diff", "--stat"]).ok().says("requirements.txt");
    scratch.git(&["config", "--worktree", "--unset", "lane.agent"]).ok();
}

#[test]
fn what_is_refused_says_the_next_step() {
    let (scratch, tree) = with_harness();
    tree.lane(&["join", "a9"]).fails(2).says("a9");
    tree.lane(&["join", "a2", "a b"]).fails(2).says("is not a valid branch name");
    scratch.git(&["branch", "feat/a2/y"]).ok();
    tree.lane(&["join", "a2", "y"]).fails(2).says("git switch feat/a2/y");
    scratch.git(&["branch", "feat/a2/x"]).ok();
    tree.lane(&["join", "a2", "x"]).fails(2).says("the branch feat/a2/x already exists");
    // A name that nobody typed gives way.
    tree.lane(&["join", "a2", "--dry-run"]).ok().says("feat/a2/x-2");
    assert_eq!(branch(&tree), "worktree-x");

    tree.lane_env(&["join", "a2"], &[("AGENT_ID", "a1")]).fails(2).says("unset AGENT_ID");
    tree.git(&["switch", "-q", "-c", "feat/a1/z"]).ok();
    tree.lane(&["join", "a2"]).fails(2).says("git lane join a1");
    tree.git(&["switch", "-q", "worktree-x"]).ok();
    tree.lane(&["join", "a2", "z"]).ok();
    tree.lane(&["join", "a1"]).fails(2).says("says that this worktree is `a2`'s");
    tree.lane(&["join", "a2", "w"]).fails(2).says("git switch -c feat/a2/w");
    tree.git(&["switch", "-q", "-c", "feat/a2/w"]).ok();
    tree.lane(&["join", "a2", "w"]).ok().says("updated AGENT_FOCUS.md");
    tree.lane(&["join", "a2", "w"]).ok().says("nothing to do");

    // In the middle of something.
    let other = harness_tree(&scratch, "r");
    other.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", "one"]).ok();
    other
        .command("git")
        .args(["rebase", "-q", "-i", "HEAD~"])
        .env("GIT_SEQUENCE_EDITOR", "sed -i s/pick/edit/")
        .output()
        .unwrap();
    other.lane(&["join", "a3"]).fails(2).says("a rebase is in progress").says("git rebase --continue");
    other.git(&["rebase", "--abort"]).ok();
    other.lane(&["join", "a3"]).ok().says("feat/a3/r");
    // The policy's own worktree of another agent.
    let own = scratch.worktree("wt-a1-mlops", "worktree-q");
    let named = scratch.git(&["show", "main:policy.yaml"]).out;
    if named.contains("../wt-a1-mlops") {
        own.lane(&["join", "a2"]).fails(2).says("is a1's");
    }
}

#[test]
fn names_that_shadow_are_not_taken() {
    let (_scratch, tree) = with_harness();
    tree.git(&["tag", "worktree-x", "HEAD"]).ok();
    tree.git(&["tag", "feat/a2/x", "HEAD"]).ok();
    tree.lane(&["join", "a2"]).ok().says("feat/a2/x-2");
    assert_eq!(branch(&tree), "feat/a2/x-2");
}
