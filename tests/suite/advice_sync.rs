//! What requests, sync, push and drop tell to type is typed here, in the state in which it is told.

use crate::advice::sh;
use crate::advice_errors::{leads_on, told};
use crate::support::locks::{Clones, two};
use crate::support::{POLICY, Scratch, Worktree};

const OWN: &str = "services/rag_pipeline/main.py";
const REQUEST: &str = "refs/lane/requests/r1";

fn ask(tree: &Worktree) {
    sh(tree, "git lane request submit --area migrations --reason x").ok();
}

fn answered(verb: &str) -> (Scratch, Worktree, Worktree) {
    let (scratch, one, two) = two();
    ask(&two);
    sh(&one, &format!("git lane request {verb}")).ok();
    (scratch, one, two)
}

#[test]
fn a_request_is_answered_as_its_messages_say() {
    let (_scratch, one, two) = two();
    let ran = sh(&two, "git lane request submit --area migrations --reason x").ok();
    leads_on(&two, &ran, &["git lane request show r1"], &[]);
    // Whoever asked does not answer; whoever answers does not take back.
    let ran = sh(&two, "git lane request accept r1").fails(1);
    assert_eq!(told(&ran.all()), ["git lane request show r1", "git lane request withdraw r1"]);
    let not_asked = sh(&one, "git lane request withdraw r1").fails(1);
    assert_eq!(told(&not_asked.all()), ["git lane request reject r1 --reason '…'"]);
    let third = sh(&two, "git lane request accept r1 --agent a3").fails(1);
    leads_on(&two, &third, &["git lane request list"], &[]);
    let unknown = sh(&two, "git lane request show r7").fails(2);
    leads_on(&two, &unknown, &["git lane request list --all"], &[]);
    // What the list says comes next, step by step.
    let next = |tree: &Worktree| {
        let list = tree.lane(&["request", "list", "--format", "json"]).ok().json();
        list["requests"][0]["next"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(&one), "git lane request accept r1");
    let ran = sh(&one, &next(&one)).ok();
    let done = "git lane request done r1 --commit HEAD";
    assert_eq!(told(&ran.all()), [done]);
    let again = sh(&one, "git lane request accept r1").fails(1);
    assert_eq!(told(&again.all()), [done]);
    let other = sh(&one, done).fails(2).says("does not change area");
    one.commit("services/orchestrator/alembic/7.sql", "x\n", "feat: costs").ok();
    let head = one.head();
    assert_eq!(next(&one), done);
    leads_on(&one, &other, &["git lane request done r1 --commit COMMIT"], &[("COMMIT", &head)]);
    let late = sh(&one, "git lane request accept r1").fails(1);
    assert_eq!(told(&late.all()), ["git lane request submit --area migrations --reason '…'"]);
    sh(&two, &told(&late.all())[0]).ok();
    // The two ways that end it otherwise.
    sh(&one, &told(&not_asked.all())[0].replace("r1", "r2")).ok();
    ask(&two);
    sh(&two, "git lane request withdraw r3").ok();
}

#[test]
fn a_done_request_is_committed_first() {
    let (_scratch, one, _two) = answered("accept r1");
    one.commit("services/orchestrator/alembic/7.sql", "x\n", "feat: costs").ok();
    sh(&one, "git lane request done r1 --commit HEAD").ok();
}

#[test]
fn a_ref_of_a_request_is_brought_back() {
    let (_scratch, one, two) = answered("accept r1");
    let last = one.git(&["rev-parse", REQUEST]).ok().out;
    one.git(&["update-ref", "-d", REQUEST]).ok();
    let ran = sh(&two, "git lane request show r1").fails(2);
    leads_on(&two, &ran, &[&format!("git update-ref {REQUEST} {}", last.trim())], &[]);
    sh(&two, "git lane request show r1").ok();
    // It holds no request, and nothing of it was noted.
    let head = one.head();
    let other = "refs/lane/requests/r5";
    one.git(&["update-ref", other, &head]).ok();
    let ran = sh(&two, "git lane request show r5").fails(2);
    leads_on(&two, &ran, &[&format!("git log {other}"), &format!("git update-ref -d {other} {head}")], &[]);
    one.git(&["symbolic-ref", other, "refs/heads/main"]).ok();
    let ran = sh(&two, "git lane request show r5").fails(2);
    leads_on(&two, &ran, &[&format!("git symbolic-ref -d {other}")], &[]);
}

#[test]
fn a_request_that_the_remote_lost_is_pushed_again_or_let_go() {
    for second in [false, true] {
        let clones = Clones::new();
        ask(&clones.two);
        clones.one.lane(&["request", "list"]).ok();
        clones.at_origin(&["update-ref", "-d", REQUEST]).ok();
        let ran = sh(&clones.one, "git lane request show r1").fails(2);
        let told = told(&ran.all());
        assert_eq!(told.len(), 2, "{}", ran.all());
        sh(&clones.one, &told[usize::from(second)]).ok();
        assert_eq!(sh(&clones.one, "git lane request show r1").code, if second { 2 } else { 0 });
    }
}

/// The base moves on, on the remote.
fn move_base(scratch: &Scratch, path: &str, text: &str) {
    scratch.main().sneak(path, text, "feat: the base moves on");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
}

#[test]
fn sync_says_how_it_can_be_done() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    move_base(&scratch, "base.txt", "base\n");
    tree.write(OWN, "edited\n");
    let ran = sh(&tree, "git lane sync").fails(1).says("not committed");
    leads_on(&tree, &ran, &["git lane sync --autostash"], &[]);
    tree.git(&["stash", "-q"]).ok();
    // On no branch, and on everybody's.
    tree.git(&["switch", "-q", "--detach"]).ok();
    let ran = sh(&tree, "git lane sync").fails(1).says("HEAD is detached");
    let both = ["git switch BRANCH", "git switch -c BRANCH"];
    assert_eq!(told(&ran.all()), both);
    sh(&tree, "git switch -c feat/a2/fresh").ok();
    sh(&tree, "git switch feat/a2/x").ok();
    sh(&tree, "git lane sync").ok();
    let main = scratch.main();
    let ran = sh(&main, "git lane sync").fails(1).says("` is a protected branch: it is not rebased");
    leads_on(&main, &ran, &["git switch -c BRANCH"], &[("BRANCH", "work")]);
    sh(&main, "git lane sync").ok();
}

#[test]
fn sync_of_a_bare_repository_is_of_its_worktrees() {
    let (scratch, _tree) = Scratch::installed();
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--bare", "origin.git", "bare.git"]).ok();
    let bare = Worktree { root: scratch.home().join("bare.git"), home: scratch.home() };
    let ran = sh(&bare, "git lane sync").fails(2);
    leads_on(&bare, &ran, &["git lane sync --all"], &[]);
}

#[test]
fn sync_does_not_flatten_a_merge() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    tree.commit("services/rag_pipeline/y.py", "y\n", "feat: y").ok();
    tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    tree.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    tree.git(&["merge", "-q", "-m", "[A2] merge", "feat/a2/y"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    let ran = sh(&tree, "git lane sync").fails(1).says("is a merge");
    leads_on(&tree, &ran, &["git rebase --rebase-merges --update-refs refs/remotes/origin/main"], &[]);
    assert_eq!(tree.git(&["log", "-1", "--format=%P"]).out.split(' ').count(), 2);
}

#[test]
fn edits_that_do_not_fit_are_had_back() {
    let (scratch, tree) = Scratch::installed();
    move_base(&scratch, OWN, "base\n");
    tree.write(OWN, "edited\n");
    let ran = sh(&tree, "git lane sync --autostash").fails(1).says("safe in the stash");
    let both = ["git add -- FILE", "git stash drop"];
    assert_eq!(told(&ran.all()), both, "{}", ran.all());
    tree.write(OWN, "both\n");
    leads_on(&tree, &ran, &both, &[("FILE", OWN)]);
    assert_eq!(std::fs::read_to_string(tree.root.join(OWN)).unwrap(), "both\n");
}

#[test]
fn sync_of_all_says_what_is_left_to_whoever_works_there() {
    let (scratch, tree) = Scratch::installed();
    let other = scratch.worktree("other", "feat/a1/x");
    other.write("new.txt", "x\n");
    other.git(&["add", "-A"]).ok();
    tree.commit(OWN, "own\n", "feat: own").ok();
    move_base(&scratch, OWN, "base\n");
    let gone = scratch.worktree("gone", "feat/a3/x");
    let elsewhere = scratch.home().join("elsewhere");
    std::fs::rename(&gone.root, &elsewhere).unwrap();
    let ran = sh(&tree, "git lane sync --all").fails(1);
    let told = told(&ran.all());
    let here = format!("git -C {} lane sync", tree.root.display());
    for command in ["git worktree repair NEW_PLACE", "git worktree prune", "git lane sync", &here] {
        assert!(told.contains(&command.to_owned()), "{command}: {told:?}\n{}", ran.all());
    }
    sh(&tree, &format!("git worktree repair {}", elsewhere.display())).ok();
    sh(&tree, "git worktree prune").ok();
    assert!(tree.git(&["worktree", "list"]).ok().out.contains("/elsewhere "));
    // It stops there as it did for all, and is gone on with.
    sh(&tree, &here).fails(1).says("git rebase --continue");
    other.git(&["commit", "-q", "--no-verify", "-m", "x"]).ok();
    sh(&other, "git lane sync").ok();
}

#[test]
fn a_stack_is_rebased_from_below() {
    let (scratch, tree) = Scratch::installed();
    tree.git(&["branch", "-m", "feat/a2/lower"]).ok();
    tree.commit("services/rag_pipeline/lower.py", "x\n", "feat: lower").ok();
    tree.lane(&["push"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/upper"]).ok();
    tree.commit("services/rag_pipeline/upper.py", "x\n", "feat: upper").ok();
    // Pushed, and not here: nobody rewrites it in passing.
    tree.git(&["branch", "-q", "-D", "feat/a2/lower"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    let ran = sh(&tree, "git lane sync").ok().says("that both lack");
    let commands =
        ["git switch feat/a2/lower", "git lane sync --push", "git switch feat/a2/upper", "git lane sync"];
    leads_on(&tree, &ran, &commands, &[]);
    assert_eq!(tree.git(&["rev-list", "--count", "HEAD..origin/main"]).out.trim(), "0");
    assert_eq!(tree.git(&["rev-list", "--count", "origin/main..HEAD"]).out.trim(), "2");
}

#[test]
fn a_stack_that_is_here_is_rebased_and_pushed_together() {
    let (scratch, tree) = Scratch::installed();
    tree.git(&["branch", "-m", "feat/a2/lower"]).ok();
    tree.commit("services/rag_pipeline/lower.py", "x\n", "feat: lower").ok();
    tree.lane(&["push"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/upper"]).ok();
    tree.commit("services/rag_pipeline/upper.py", "x\n", "feat: upper").ok();
    tree.lane(&["push"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    let ran = sh(&tree, "git lane sync").ok().says("with it: `feat/a2/lower`; was ");
    leads_on(&tree, &ran, &["git lane push --stack --force-with-lease"], &[]);
    let there = |name: &str| tree.git(&["rev-parse", &format!("refs/remotes/origin/{name}")]).ok().out;
    assert_eq!(there("feat/a2/upper").trim(), tree.head());
    assert_eq!(there("feat/a2/lower"), tree.git(&["rev-parse", "HEAD~1"]).ok().out);
    // The lower one is amended, and not pushed: a push and a pull request of the upper one say so.
    tree.git(&["switch", "-q", "feat/a2/lower"]).ok();
    tree.write("services/rag_pipeline/lower.py", "y\n");
    tree.git(&["commit", "-qa", "--amend", "--no-edit"]).ok();
    tree.git(&["switch", "-q", "feat/a2/upper"]).ok();
    sh(&tree, "git lane pr --yes").fails(2).says("git lane sync");
    sh(&tree, "git lane sync").ok().says("rebased `feat/a2/upper` on feat/a2/lower");
    let ran = sh(&tree, "git lane push").fails(1).says("which this branch is based on, is not pushed");
    assert_eq!(told(&ran.all())[0], "git lane push --stack --force-with-lease");
    let ran = sh(&tree, "git lane pr --yes").fails(2).says("which is not pushed as it is here");
    assert_eq!(told(&ran.all())[0], "git lane push --stack --force-with-lease");
    sh(&tree, "git lane push --stack --force-with-lease").ok();
    assert_eq!(there("feat/a2/lower"), tree.git(&["rev-parse", "HEAD~1"]).ok().out);
    sh(&tree, "git lane status")
        .ok()
        .says("stack of a2 on main:\n  * feat/a2/upper  +1\n  o feat/a2/lower  +1\n");
}

#[test]
fn what_others_pushed_to_the_branch_is_taken_in() {
    let (scratch, tree) = Scratch::installed();
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
    tree.lane(&["push"]).ok();
    let clone = Worktree { root: scratch.home().join("clone"), home: scratch.home() };
    scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", "clone"]).ok();
    clone.git(&["switch", "-q", "feat/a2/x"]).ok();
    clone.sneak("services/rag_pipeline/b.py", "x\n", "[A2] feat: b");
    clone.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.commit("services/rag_pipeline/c.py", "x\n", "feat: c").ok();
    let ran = tree.lane(&["push"]).fails(1).says("the remote has other commits on this branch");
    let others = [
        "git log HEAD..refs/remotes/origin/feat/a2/x",
        "git rebase --autostash refs/remotes/origin/feat/a2/x",
        "git lane sync",
    ];
    assert_eq!(told(&ran.all())[1..], others, "{}", ran.all());
    others.iter().for_each(|command| drop(sh(&tree, command).ok()));
    tree.lane(&["push"]).ok();
    assert_eq!(tree.git(&["rev-list", "--count", "origin/main..HEAD"]).out.trim(), "3");
}

#[test]
fn a_push_from_no_branch_makes_one() {
    let (_scratch, tree) = Scratch::installed();
    tree.git(&["switch", "-q", "--detach"]).ok();
    let ran = tree.lane(&["push"]).fails(2);
    leads_on(&tree, &ran, &["git switch -c BRANCH"], &[("BRANCH", "feat/a2/fresh")]);
    tree.commit(OWN, "own\n", "feat: own").ok();
    tree.lane(&["push"]).ok();
    tree.git(&["switch", "-q", "--detach"]).ok();
    let ran = tree.lane(&["pr"]);
    assert_eq!(told(&ran.all()), ["git switch BRANCH"], "{}", ran.all());
    sh(&tree, "git switch feat/a2/fresh").ok();
}

#[test]
fn drop_says_where_a_branch_is_and_pushes_it_again() {
    let (scratch, tree) = Scratch::installed();
    let ran = tree.lane(&["drop", "--branch", "none", "x"]).fails(2);
    leads_on(&tree, &ran, &["git branch --list"], &[]);
    tree.sneak("services/revenue/x.py", "x\n", "[A2] feat: x");
    tree.git(&["push", "-q", "--no-verify", "origin", "HEAD"]).ok();
    let ran = scratch.lane(&["drop", "--branch", "feat/a2/x", "services/revenue/x.py"]).fails(2);
    let there = format!("git -C {} lane drop …", tree.root.display());
    assert_eq!(told(&ran.all()), std::slice::from_ref(&there));
    tree.sneak(OWN, "own\n", "[A2] feat: own");
    let ran = sh(&scratch.main(), &there.replace('…', "services/revenue/x.py")).ok();
    let was = told(&ran.all())[0].clone();
    let both = [&*was, "git lane push --force-with-lease"];
    leads_on(&tree, &ran, &both, &[("PATH", "services/revenue/x.py")]);
}

#[test]
fn commits_of_a_local_base_are_left_out() {
    for is_shadowed in [false, true] {
        let (scratch, tree) = Scratch::installed();
        if is_shadowed {
            // git takes the names for these.
            tree.git(&["tag", "main"]).ok();
            tree.git(&["tag", "origin/main"]).ok();
        }
        let main = if is_shadowed { "refs/heads/main" } else { "main" };
        let base = if is_shadowed { "refs/remotes/origin/main" } else { "origin/main" };
        scratch.main().sneak("base.txt", "base\n", "chore: base");
        tree.git(&["rebase", "-q", "refs/heads/main"]).ok();
        tree.commit(OWN, "own\n", "feat: own").ok();
        tree.write("services/rag_pipeline/new.py", "untracked\n");
        let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
        let (push, out) =
            (format!("git push origin {main}"), format!("git rebase --autostash --onto {base} {main}"));
        assert_eq!(told(&ran.all()), [push.as_str(), &out], "{}", ran.all());
        sh(&tree, &out).ok();
        tree.git(&["push", "-q", "origin", "HEAD"]).ok();
        let log = tree.git(&["log", "--format=%s", "refs/remotes/origin/main..HEAD"]);
        assert_eq!(log.out, "[A2] feat: own\n");
        // The other way is a maintainer's.
        sh(&scratch.main(), &push).ok();
    }
}

#[test]
fn a_refusal_names_the_page_of_its_rule() {
    let (_scratch, tree) = Scratch::installed();
    let ran = tree.commit("services/revenue/x.py", "x\n", "feat: x").fails(1);
    let page = "git lane rule foreign-path";
    assert!(ran.all().contains(&format!("; more: {page}\n")), "{}", ran.all());
    sh(&tree, page).ok().says("foreign-path");
    let ran = tree.lane(&["foreign-path"]).fails(2);
    leads_on(&tree, &ran, &[page], &[]);
}

#[test]
fn am_leaves_a_patch_out() {
    let (_scratch, tree) = Scratch::installed();
    tree.commit(OWN, "own\n", "feat: own").ok();
    tree.git(&["format-patch", "-q", "-1", "-o", "../patches"]).ok();
    tree.git(&["reset", "-q", "--keep", "HEAD~1"]).ok();
    tree.commit(OWN, "other\n", "feat: other").ok();
    sh(&tree, "git am -q ../patches/*").fails(128);
    let ran = tree.lane(&["sync"]).fails(1).says("git am is in progress");
    assert_eq!(told(&ran.all()), ["git am --continue", "git am --skip", "git am --abort"]);
    sh(&tree, "git am --skip").ok();
    tree.lane(&["sync"]).ok();
}

#[test]
fn files_of_a_merge_are_taken_out_of_it() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    move_base(&scratch, "base.txt", "base\n");
    tree.sneak("services/revenue/old.py", "x\n", "[A2] feat: old");
    // What a commit has already comes out of the merge, and what `-a` takes stays in the working tree.
    tree.git(&["merge", "-q", "--no-commit", "origin/main"]).ok();
    let ran = tree.git(&["commit", "-q", "-m", "[A2] merge"]).fails(1).says("services/revenue/old.py");
    let told = told(&ran.all());
    assert!(told[0].starts_with("git restore --staged --source="), "{}", ran.all());
    sh(&tree, &told[0]).ok();
    assert!(tree.root.join("services/revenue/old.py").exists());
    tree.git(&["commit", "-q", "-m", "[A2] merge"]).ok();
}

#[test]
fn a_merge_of_everything_leaves_a_file_out() {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.commit(OWN, "own\n", "feat: own").ok();
    move_base(&scratch, "base.txt", "base\n");
    tree.git(&["merge", "-q", "--no-commit", "origin/main"]).ok();
    tree.write("services/revenue/main.py", "foreign\n");
    tree.write(OWN, "own again\n");
    let ran = tree.git(&["commit", "-q", "-a", "-m", "[A2] merge"]).fails(1).says("services/revenue/main.py");
    let told = told(&ran.all());
    assert!(told[0].starts_with("git add -u -- "), "{}", ran.all());
    sh(&tree, &told[0]).ok();
    tree.git(&["commit", "-q", "-m", "[A2] merge"]).ok();
    assert_eq!(tree.git(&["status", "--porcelain"]).out, " M services/revenue/main.py\n");
}
