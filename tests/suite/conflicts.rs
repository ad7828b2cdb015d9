//! Forecasts of conflicts, held against git's own merge for every pair of branches.

use std::collections::BTreeSet;

use crate::support::{Scratch, Worktree, stable};
use serde_json::Value;

/// A text of many lines, so that renames are found.
fn text(seed: &str) -> String {
    (0..30).map(|number| format!("{seed} line {number}\n")).collect()
}

/// Branches that do to each other whatever branches do.
fn zoo() -> Scratch {
    let scratch = Scratch::new();
    for name in ["a", "b", "c", "dir/one", "dir/two", "dir/three", "other/x"] {
        scratch.write(&format!("{name}.txt"), &text(name));
    }
    scratch.write("run.sh", "#!/bin/sh\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "files"]).ok();
    let branch = |name: &str, steps: &dyn Fn(&Worktree)| {
        let tree = scratch.worktree(&name.replace('/', "-"), name);
        steps(&tree);
        tree.git(&["add", "-A"]).ok();
        tree.git(&["commit", "-q", "-m", name]).ok();
    };
    let edit = |tree: &Worktree, path: &str, with: &str| {
        let old = std::fs::read_to_string(tree.root.join(path)).unwrap();
        tree.write(path, old.replace("line 7\n", &format!("line {with}\n")));
    };
    branch("edit-one", &|tree| edit(tree, "a.txt", "one"));
    branch("edit-two", &|tree| edit(tree, "a.txt", "two"));
    branch("edit-far", &|tree| {
        let old = std::fs::read_to_string(tree.root.join("a.txt")).unwrap();
        tree.write("a.txt", old + "at the end\n");
    });
    branch("delete", &|tree| std::fs::remove_file(tree.root.join("a.txt")).unwrap());
    branch("rename", &|tree| {
        tree.git(&["mv", "a.txt", "moved.txt"]).ok();
    });
    branch("rename-elsewhere", &|tree| {
        tree.git(&["mv", "a.txt", "away.txt"]).ok();
    });
    branch("rename-folder", &|tree| {
        tree.git(&["mv", "dir", "renamed"]).ok();
    });
    branch("add-to-folder", &|tree| tree.write("dir/new.txt", text("new")));
    branch("add-one", &|tree| tree.write("new.txt", "one\n"));
    branch("add-two", &|tree| tree.write("new.txt", "two\n"));
    branch("add-same", &|tree| tree.write("new.txt", "one\n"));
    branch("file-as-folder", &|tree| tree.write("new.txt/below", "below\n"));
    branch("mode", &|tree| {
        tree.git(&["update-index", "--chmod=+x", "run.sh"]).ok();
        tree.command("chmod").args(["+x", "run.sh"]).status().unwrap();
    });
    branch("edit-script", &|tree| tree.write("run.sh", "#!/bin/sh\necho\n"));
    branch("link", &|tree| {
        std::fs::remove_file(tree.root.join("b.txt")).unwrap();
        std::os::unix::fs::symlink("c.txt", tree.root.join("b.txt")).unwrap();
    });
    branch("edit-linked", &|tree| edit(tree, "b.txt", "linked"));
    branch("odd", &|tree| tree.write("tab\tand \"quote\".txt", "one\n"));
    branch("odd-too", &|tree| tree.write("tab\tand \"quote\".txt", "two\n"));
    // A criss-cross: each of two branches has merged what the other was, so there are two merge bases.
    for (name, with) in [("cross-one", "left"), ("cross-two", "right")] {
        branch(name, &|tree| edit(tree, if with == "left" { "c.txt" } else { "other/x.txt" }, with));
    }
    let one = Worktree { root: scratch.home().join("cross-one"), home: scratch.home() };
    let two = Worktree { root: scratch.home().join("cross-two"), home: scratch.home() };
    let (left, right) = (one.head(), two.head());
    one.git(&["merge", "-q", "--no-edit", &right]).ok();
    two.git(&["merge", "-q", "--no-edit", &left]).ok();
    for (tree, with) in [(&one, "this"), (&two, "that")] {
        edit(tree, "dir/two.txt", with);
        tree.git(&["commit", "-q", "-am", with]).ok();
    }
    assert_eq!(one.git(&["merge-base", "--all", "cross-one", "cross-two"]).ok().out.lines().count(), 2);
    scratch
}

/// What git says of two commits: its exit code, and the files.
fn by_git(scratch: &Scratch, one: &str, two: &str) -> (&'static str, BTreeSet<String>) {
    let ran = scratch.git(&["merge-tree", "--write-tree", "--name-only", one, two]);
    match ran.code {
        0 => ("clean", BTreeSet::new()),
        1 => {
            let files = ran.out.lines().skip(1).take_while(|line| !line.is_empty());
            ("conflict", files.map(str::to_owned).collect())
        }
        _ => ("unknown", BTreeSet::new()),
    }
}

fn objects(scratch: &Scratch) -> String {
    scratch.git(&["count-objects", "-v"]).ok().out
}

#[test]
fn every_pair_is_what_git_says() {
    let scratch = zoo();
    let before = objects(&scratch);
    let found = scratch.lane(&["conflicts", "--format", "json"]).fails(1).json();
    assert_eq!(objects(&scratch), before, "nothing is written into the repository");
    let pairs = found["pairs"].as_array().unwrap();
    // 20 branches with a commit of their own, and the base.
    assert_eq!(pairs.len(), 21 * 20 / 2, "{pairs:#?}");
    let mut seen = BTreeSet::new();
    for pair in pairs {
        let [one, two] = [0, 1].map(|at| pair["tips"][at].as_str().unwrap());
        let files = pair["files"].as_array().unwrap().iter();
        let files: BTreeSet<String> = files.map(|file| file["path"].as_str().unwrap().to_owned()).collect();
        let (state, wanted) = by_git(&scratch, one, two);
        assert_eq!((pair["state"].as_str().unwrap(), files), (state, wanted), "{pair:#}");
        for file in pair["files"].as_array().unwrap() {
            seen.extend(
                file["kinds"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned()),
            );
        }
    }
    for kind in [
        "contents",
        "modify/delete",
        "rename/delete",
        "rename/rename",
        "file/directory",
        "distinct modes",
        "directory rename suggested",
    ] {
        assert!(seen.contains(kind), "no {kind} among {seen:?}");
    }
    let conflicts = pairs.iter().filter(|pair| pair["state"] == "conflict").count();
    assert_eq!(found["conflicts"], conflicts);
}

/// The path, with a git first that merges nothing.
fn without_merges(scratch: &Scratch) -> String {
    let path = std::env::var("PATH").unwrap();
    let folder = scratch.home().join("no-merges");
    std::fs::create_dir_all(&folder).unwrap();
    let real =
        std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.exists()).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' merge-tree '*) exit 70 ;; esac\nexec {} \"$@\"\n",
        real.display()
    );
    std::fs::write(folder.join("git"), script).unwrap();
    scratch.main().command("chmod").arg("+x").arg(folder.join("git")).status().unwrap();
    format!("{}:{path}", folder.display())
}

#[test]
fn what_was_merged_before_is_not_merged_again() {
    let (scratch, two) = Scratch::installed();
    let one = scratch.worktree("a1", "feat/a1/x");
    two.commit("shared.txt", "two\n", "feat: two").ok();
    one.sneak("shared.txt", "one\n", "[A1] feat: one");
    let path = without_merges(&scratch);
    let told = |is_without: bool| {
        let args = ["conflicts", "--format", "json"];
        let env: &[(&str, &str)] = if is_without { &[("PATH", &path)] } else { &[] };
        scratch.main().lane_env(&args, env).json()["pairs"].clone()
    };
    let states = |pairs: &Value| -> Vec<String> {
        pairs.as_array().unwrap().iter().map(|pair| pair["state"].to_string()).collect()
    };
    assert!(states(&told(true)).contains(&"\"unknown\"".to_owned()), "the git that merges nothing is asked");
    let merged = told(false);
    assert_eq!(told(true), merged);
    // What git is told about merging decides, too.
    std::fs::write(scratch.root().join(".git/info/attributes"), "shared.txt merge=union\n").unwrap();
    assert_ne!(told(true), merged);
    std::fs::remove_file(scratch.root().join(".git/info/attributes")).unwrap();
    // A branch that moved is another merge, and damage is nothing that is known.
    let kept = scratch.root().join(".git/lane/merges");
    let whole = std::fs::read(&kept).unwrap();
    std::fs::write(&kept, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(told(false), merged);
    one.sneak("own.txt", "one\n", "[A1] feat: more");
    assert!(states(&told(true)).contains(&"\"unknown\"".to_owned()));
    // A driver of one's own may merge as it likes.
    scratch.git(&["config", "merge.mine.driver", "true"]).ok();
    std::fs::remove_file(&kept).unwrap();
    told(false);
    assert!(!kept.exists());
}

#[test]
fn told_in_text_and_by_exit_code() {
    let (scratch, two) = Scratch::installed();
    scratch.lane(&["conflicts"]).ok().says("all 0 pairs of branches merge");
    let one = scratch.worktree("a1", "feat/a1/x");
    two.commit("shared.txt", "two\n", "feat: two").ok();
    one.sneak("own.txt", "one\n", "[A1] feat: one");
    scratch.lane(&["conflicts"]).ok().says("all 3 pairs of branches merge");
    one.sneak("shared.txt", "one\n", "[A1] feat: two");
    let ran = one.lane(&["conflicts"]).fails(1);
    insta::assert_snapshot!(stable(&ran.all(), &scratch));
    // The bare base and a third branch have nothing to do with it.
    assert_eq!(one.lane(&["conflicts", "--format", "json"]).fails(1).json()["conflicts"], 1);
}

#[test]
fn a_worktree_that_is_gone_still_counts() {
    let (scratch, two) = Scratch::installed();
    let one = scratch.worktree("a1", "feat/a1/x");
    two.commit("shared.txt", "two\n", "feat: two").ok();
    one.sneak("shared.txt", "one\n", "[A1] feat: one");
    scratch.lane(&["conflicts"]).fails(1);
    let gone = scratch.home().join("gone");
    std::fs::rename(&two.root, &gone).unwrap();
    scratch.lane(&["conflicts"]).fails(1).says("a1 + a2 would conflict:").says("shared.txt");
    let status = scratch.lane(&["status", "--format", "json"]).ok().json();
    assert_eq!(status["conflicts"].as_array().unwrap().len(), 1, "{status:#}");
    // What HEAD says is not to be had: nobody can tell, and nobody says that all is well.
    let entry = scratch.git(&["rev-parse", "--git-common-dir"]).ok().out;
    let entry = scratch.root().join(entry.trim()).join("worktrees").join(two.root.file_name().unwrap());
    std::fs::write(entry.join("HEAD"), "garbage\n").unwrap();
    for is_back in [false, true] {
        if is_back {
            std::fs::rename(&gone, &two.root).unwrap();
        }
        scratch
            .lane(&["conflicts"])
            .fails(2)
            .says("all 1 pairs of the other branches merge")
            .says(": conflicts could not be determined:");
        let json = scratch.lane(&["conflicts", "--format", "json"]).fails(2).json();
        assert_eq!(json["unread"].as_array().unwrap().len(), 1, "{json:#}");
    }
}

#[test]
fn an_agent_that_works_elsewhere_is_known_by_its_branch() {
    let (scratch, two) = Scratch::installed();
    let three = scratch.worktree("elsewhere", "feat/a3/main");
    three.sneak("shared.txt", "three\n", "[A3] feat: three");
    three.git(&["push", "-q", "origin", "HEAD"]).ok();
    scratch.git(&["worktree", "remove", "--force", three.root.to_str().unwrap()]).ok();
    scratch.git(&["branch", "-q", "-D", "feat/a3/main"]).ok();
    two.commit("shared.txt", "two\n", "feat: two").ok();
    two.lane(&["conflicts"]).fails(1).says("a2 + a3 would conflict:").says("shared.txt (contents)");
    let status = two.lane(&["status", "--format", "json"]).ok().json();
    let line = status["lines"].as_array().unwrap().iter().find(|line| line["agent"] == "a3").unwrap();
    assert_eq!((&line["branch"], &line["worktree"]), (&"feat/a3/main".into(), &Value::Null));
}

#[test]
fn without_common_history_nobody_can_tell() {
    let scratch = Scratch::new();
    let one = scratch.worktree("a1", "feat/a1/x");
    one.git(&["checkout", "-q", "--orphan", "feat/a1/alone"]).ok();
    one.git(&["commit", "-q", "-m", "alone"]).ok();
    let two = scratch.worktree("a2", "feat/a2/x");
    two.sneak("x", "x\n", "[A2] x");
    let ran = scratch.lane(&["conflicts", "--format", "json"]).fails(2).json();
    let states: Vec<&Value> = ran["pairs"].as_array().unwrap().iter().map(|pair| &pair["state"]).collect();
    assert_eq!(states, ["unknown", "unknown", "clean"], "{ran:#}");
    scratch.lane(&["conflicts"]).fails(2).says("the two have no common history, so git cannot merge them");
    scratch.lane(&["status"]).ok().says("could not check");
}

#[test]
fn a_push_is_told_and_goes_through() {
    let (scratch, two) = Scratch::installed();
    let one = scratch.worktree("a1", "feat/a1/x");
    two.commit("shared.txt", "two\n", "feat: two").ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("conflict");
    one.sneak("shared.txt", "one\n", "[A1] feat: one");
    two.commit("more.txt", "more\n", "feat: more").ok();
    let ran = two.git(&["push", "-q", "origin", "HEAD"]).ok();
    insta::assert_snapshot!(stable(&ran.err, &scratch));
    // A temporary folder that cannot be written is in nobody's way.
    two.commit("again.txt", "again\n", "feat: again").ok();
    let pushed = two.command("git").args(["push", "-q", "origin", "HEAD"]).env("TMPDIR", "/nowhere").output();
    assert!(pushed.unwrap().status.success());
}
