//! Names of branches that a regular expression tells, with real repositories.

use crate::advice::{commands, sh};
use crate::support::{POLICY, Scratch};

/// The reference policy with an expression in place of its pattern.
fn policy(regex: &str, example: &str) -> String {
    let pattern = "pattern: \"feat/{agent}/{feature}\"";
    assert!(POLICY.contains(pattern));
    POLICY.replace(pattern, &format!("regex: '{regex}', example: '{example}'"))
}

#[test]
fn what_is_told_of_names_leads_on() {
    let any = policy("(feat|fix)/{agent}/[a-z0-9-]+", "fix/{agent}/{what}");
    let (scratch, tree) = Scratch::installed_with(&any.replace("branch: feat/", "branch: fix/"));
    tree.commit("services/rag_pipeline/a.py", "a\n", "feat: a").ok();
    for (branch, own) in
        [("My_Fix", "fix/a2/work"), ("fix/a1/x", "fix/a2/x-from-a1"), ("mine", "fix/a2/mine")]
    {
        tree.git(&["switch", "-q", "-c", branch]).ok();
        let commit = ["commit", "-q", "--allow-empty", "-m", "feat: b"];
        let ran = tree.git(&commit).fails(1).says("[branch-name]").says(own);
        let told = commands(&ran.all());
        assert_eq!(told.len(), 1, "{told:?}");
        sh(&tree, &told[0]).ok();
        tree.git(&commit).ok();
        tree.git(&["push", "-q", "origin", "HEAD"]).ok();
        let elsewhere = format!("HEAD:refs/heads/{branch}-2");
        let ran = tree.git(&["push", "-q", "origin", &elsewhere]).fails(1).says("[branch-name]");
        sh(&tree, &commands(&ran.all())[0]).ok();
    }
    let ran = tree.git(&["push", "-q", "origin", "HEAD:main"]).fails(1).says("[protected-branch]");
    sh(&tree, &commands(&ran.all())[0]).ok();
    tree.git(&["ls-remote", "origin"]).ok().says("refs/heads/fix/a2/work");
    // Branches of a stack begin in more than one way.
    tree.git(&["switch", "-q", "-c", "feat/a2/upper"]).ok();
    tree.sneak("services/rag_pipeline/b.py", "b\n", "[A2] feat: b");
    tree.lane(&["status"]).ok().says("fix/a2/mine");
    drop(scratch);
}

#[test]
fn a_lane_begins_on_a_branch_that_matches() {
    let ticket = policy("(feat|fix)/{agent}/SHOP-[0-9]+(-[a-z0-9-]+)?", "feat/{agent}/SHOP-1-cache");
    let ticket =
        ticket.replace("/main          #", "/SHOP-9        #").replace("    branch: feat/a2/main\n", "");
    let ticket = ticket
        .replace("branch: feat/a3/main", "branch: fix/a3/SHOP-3")
        .replace("feat/a4/main", "feat/a4/SHOP-4");
    let (before, steps) = ticket.split_once("\nprovision:\n").unwrap();
    let ticket = format!("{before}\n{}", steps.split_once("\n\n").unwrap().1);
    let scratch = Scratch::with_policy(&ticket);
    scratch.add_origin();
    scratch.lane(&["install"]).ok();
    scratch.lane(&["setup", "a2"]).ok();
    let a2 = scratch.home().join("wt-a2-genai");
    let ran = scratch.run(&a2, "git", &["branch", "--show-current"]);
    assert_eq!(ran.out, "feat/a2/SHOP-1-cache\n");
    let focus = std::fs::read_to_string(a2.join("AGENT_FOCUS.md")).unwrap();
    assert!(focus.contains("- branches match `(feat|fix)/{agent}/SHOP-"), "{focus}");

    let tree = scratch.worktree("other", "my-fix");
    let ran = tree.lane(&["join", "a2", "my-feature"]).fails(2).says("matches `(feat|fix)");
    let told = commands(&ran.all());
    assert_eq!(told, ["git lane join a2 feat/a2/SHOP-1-cache"]);
    sh(&tree, &told[0]).fails(2).says("is checked out in");
    tree.lane(&["join", "a2"]).ok().says("renamed the branch my-fix to feat/a2/SHOP-1-cache-2");
    let third = scratch.worktree("third", "third");
    third.lane(&["join", "a2", "SHOP-7"]).ok().says("to feat/a2/SHOP-7");
    third.git(&["commit", "-q", "--allow-empty", "-m", "feat: x"]).ok();
    // No number makes another name of the example.
    let short = Scratch::with_policy(&ticket.replace("(-[a-z0-9-]+)?", "").replace("SHOP-1-cache", "SHOP-1"));
    short.add_origin();
    short.worktree("one", "one").lane(&["join", "a2"]).ok().says("to feat/a2/SHOP-1");
    let two = short.worktree("two", "two");
    let told =
        commands(&two.lane(&["join", "a2"]).fails(2).says("no name like feat/a2/SHOP-1 is free").all());
    assert_eq!(told, ["git lane join a2 FEATURE"]);
    sh(&two, &told[0].replace("FEATURE", "SHOP-2")).ok().says("to feat/a2/SHOP-2");
}
