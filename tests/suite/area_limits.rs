//! `max_lines` and `max_files` of an area, on real repositories; git says how many lines there are.

use crate::advice::{commands, sh};
use crate::support::server::{Server, push};
use crate::support::{POLICY, Scratch, Worktree};

fn policy() -> String {
    let area = "areas:\n  - { name: infra, paths: [/infra/], access: open, max_lines: 20, max_files: 3 }";
    POLICY.replacen("areas:", area, 1).replace("max_age: 3h", "max_age: null")
}

fn installed() -> (Scratch, Worktree) {
    let scratch = Scratch::with_policy(&policy());
    scratch.write("infra/old.tf", &"old\n".repeat(12));
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "infra"]).ok();
    scratch.add_origin();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    (scratch, tree)
}

/// What git counts below `infra/`: lines added plus deleted, and files.
fn numstat(tree: &Worktree) -> (u64, usize) {
    let ran = tree.git(&["diff", "--cached", "--numstat", "-M", "origin/main", "--", "infra"]).ok();
    let of = |line: &str| line.split('\t').take(2).filter_map(|word| word.parse::<u64>().ok()).sum::<u64>();
    (ran.out.lines().map(of).sum(), ran.out.lines().count())
}

/// What is tried, the files that are written, and whether they may be committed.
type Case<'c> = (&'c str, &'c [(&'c str, String)], bool);

#[test]
fn lines_and_files_as_git_counts_them() {
    let (_scratch, tree) = installed();
    let text = |n: usize| "x\n".repeat(n);
    let cases: [Case<'_>; 6] = [
        ("as many as allowed", &[("infra/a.tf", text(20)), ("docs/a.md", text(100))], true),
        ("one more", &[("infra/a.tf", text(10)), ("infra/b.tf", text(11))], false),
        ("deleted ones count", &[("infra/old.tf", text(9))], false),
        ("three files", &[("infra/a", text(1)), ("infra/b", text(1)), ("infra/c", text(1))], true),
        (
            "four files, one of them binary",
            &[("infra/a", text(1)), ("infra/b", text(1)), ("infra/c", text(1)), ("infra/d", "\0".to_owned())],
            false,
        ),
        ("what is excluded does not count", &[("infra/a.lock", text(50))], true),
    ];
    for (name, files, passes) in cases {
        for (path, content) in files {
            tree.write(path, content);
        }
        tree.git(&["add", "-A", "."]).ok();
        let ran = tree.git(&["commit", "-q", "-m", "feat: infra"]);
        let (lines, files) = numstat(&tree);
        let is_within = lines <= 20 && files <= 3 || name.contains("excluded");
        assert_eq!((ran.code == 0, is_within), (passes, passes), "{name}: {lines} {files}\n{}", ran.all());
        if !passes {
            let over = if lines > 20 { format!("{lines} lines") } else { format!("{files} files") };
            ran.says("[oversized-change]").says(&format!("the change has {over} in the area `infra`"));
        }
        tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    }
    tree.lane(&["who", "infra/a.tf"]).ok().says("at most 20 lines and 3 files");
}

#[test]
fn a_rename_counts_as_git_pairs_it() {
    let (_scratch, tree) = installed();
    let commit = ["commit", "-q", "-m", "feat: moved"];
    // Moved out: twelve lines that nobody changed, and as many that are new.
    tree.git(&["mv", "infra/old.tf", "docs.tf"]).ok();
    tree.write("infra/new.tf", "x\n".repeat(12));
    tree.git(&["add", "-A"]).ok();
    tree.git(&commit).ok();
    // Written anew it is no rename: both sides count.
    tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    tree.git(&["rm", "-q", "infra/old.tf"]).ok();
    tree.write("docs.tf", "other\n".repeat(12));
    tree.write("infra/new.tf", "x\n".repeat(12));
    tree.git(&["add", "-A"]).ok();
    tree.git(&commit).fails(1).says("the change has 24 lines in the area `infra`");
}

#[test]
fn a_stack_a_server_and_ci_say_the_same() {
    let server = Server::with(&policy());
    let tree = server.clone("two", "feat/a2/x");
    for name in ["a", "b"] {
        tree.sneak(&format!("infra/{name}.tf"), &"x\n".repeat(15), &format!("[A2] feat: {name}"));
    }
    push(&tree, &["HEAD"]).fails(1).says("the change has 30 lines in the area `infra`");
    let ci = ["ci", "--base", "origin/main", "--head", "HEAD", "--branch", "feat/a2/x"];
    tree.lane(&ci).fails(1).says("the change has 30 lines in the area `infra`");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let told = commands(&tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("oversized-change").all());
    for command in &told {
        sh(&tree, command).ok();
    }
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.lane(&ci).ok();
    // The lower branch is one of the stack, and holds too much by itself.
    tree.commit("infra/c.tf", &"x\n".repeat(6), "feat: c")
        .fails(1)
        .says("the change has 21 lines in the area");
}
