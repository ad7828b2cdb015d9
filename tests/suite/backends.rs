//! Both backends give the same facts, on generated repositories.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::support::{POLICY, Ran, Scratch, Worktree};
use git_lane::gather::{Environment, Request, Subject, gather, policy_source};
use lane_core::facts::{Event, Fact, Facts, Oid, Unavailable};
use lane_git::{Git2Repository, ObjectWriter, Plumbing, Read, Repository};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Names that meet each other: files and folders, odd bytes, one that is not UTF-8.
const PATHS: [&[u8]; 10] = [
    b"services/rag_pipeline/a.py",
    b"services/revenue/b.py",
    b"services/common/c d.py",
    b"services/common",
    b"caf\xe9.txt",
    b"new\nline \"quoted\" .txt",
    "\u{fc}ml\u{e4}ut/x".as_bytes(),
    b"a",
    b"a/b",
    b"a/b/c",
];
const ATTRIBUTES: [&str; 3] = ["*.py -diff\n", "*.txt linguist-generated\n", "* binary\n*.py diff\n"];

/// What is done to a repository, step by step.
#[derive(Debug, Clone)]
enum Step {
    /// Writes so many lines.
    Write(usize, usize),
    Binary(usize),
    Delete(usize),
    Rename(usize, usize),
    Executable(usize),
    Link(usize),
    Submodule(usize),
    IntentToAdd(usize),
    Attributes(usize),
    /// Commits what is staged, and what is not with `-a`.
    Commit,
    Branch,
    /// Merges the branch before, keeping our side of what conflicts.
    Merge,
    Tag,
    Replace,
    Detach,
}

fn step() -> impl Strategy<Value = Step> {
    let path = || 0..PATHS.len();
    prop_oneof![
        6 => (path(), 0..40_usize).prop_map(|(path, lines)| Step::Write(path, lines)),
        1 => path().prop_map(Step::Binary),
        2 => path().prop_map(Step::Delete),
        2 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => path().prop_map(Step::Executable),
        1 => path().prop_map(Step::Link),
        1 => path().prop_map(Step::Submodule),
        1 => path().prop_map(Step::IntentToAdd),
        1 => (0..ATTRIBUTES.len()).prop_map(Step::Attributes),
        5 => Just(Step::Commit),
        2 => Just(Step::Branch),
        2 => Just(Step::Merge),
        1 => Just(Step::Tag),
        1 => Just(Step::Replace),
        1 => Just(Step::Detach),
    ]
}

fn named(path: usize) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(PATHS[path]))
}

struct Maker {
    tree: Worktree,
    dates: usize,
}

impl Maker {
    fn git<S: AsRef<OsStr>>(&mut self, args: &[S]) -> Ran {
        self.dates += 1;
        let date = format!("{} +0000", 1_767_323_045 + self.dates * 60);
        let mut command = self.tree.command("git");
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command.args(args).output().unwrap().into()
    }

    /// Makes room for a file, whatever is in its place or above it.
    fn clear(&self, path: usize) -> PathBuf {
        let place = self.tree.root.join(named(path));
        let mut above = self.tree.root.clone();
        for part in named(path).parent().into_iter().flat_map(Path::components) {
            above.push(part);
            if above.symlink_metadata().is_ok_and(|data| !data.is_dir()) {
                std::fs::remove_file(&above).unwrap();
            }
        }
        if place.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            std::fs::remove_dir_all(&place).unwrap();
        } else {
            let _ = std::fs::remove_file(&place);
        }
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    fn stage(&mut self) {
        self.git(&["add", "-A"]);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Write(path, lines) => {
                let text: String = (0..*lines).map(|line| format!("{} of {path}\n", line % 17)).collect();
                std::fs::write(self.clear(*path), text).unwrap();
                self.stage();
            }
            Step::Binary(path) => {
                std::fs::write(self.clear(*path), b"a\0b\n").unwrap();
                self.stage();
            }
            Step::Delete(path) => {
                self.clear(*path);
                self.stage();
            }
            Step::Rename(from, to) => {
                if let Ok(bytes) = std::fs::read(self.tree.root.join(named(*from))) {
                    self.clear(*from);
                    std::fs::write(self.clear(*to), bytes).unwrap();
                    self.stage();
                }
            }
            Step::Executable(path) => {
                use std::os::unix::fs::PermissionsExt;
                let place = self.tree.root.join(named(*path));
                if place.is_file() {
                    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
                    self.stage();
                }
            }
            Step::Link(path) => {
                std::os::unix::fs::symlink("../else\u{fc}where", self.clear(*path)).unwrap();
                self.stage();
            }
            Step::Submodule(path) => {
                self.clear(*path);
                self.stage();
                let entry = [format!("160000,{},", self.tree.head()).as_bytes(), PATHS[*path]].concat();
                let args: [&[u8]; 4] = [b"update-index", b"--add", b"--cacheinfo", &entry];
                self.git(&args.map(OsStr::from_bytes));
            }
            Step::IntentToAdd(path) => {
                std::fs::write(self.clear(*path), "intended\n").unwrap();
                let args: [&[u8]; 4] = [b"add", b"-N", b"--", PATHS[*path]];
                self.git(&args.map(OsStr::from_bytes));
            }
            Step::Attributes(which) => {
                self.tree.write(".gitattributes", ATTRIBUTES[*which]);
                self.stage();
            }
            Step::Commit => {
                self.git(&["commit", "-q", "--allow-empty", "-m", "[A2] x\n\nBody: caf\u{e9}"]);
            }
            Step::Branch => {
                self.git(&["commit", "-q", "--allow-empty", "-m", "before a branch"]);
                self.git(&["branch", "-q", "-f", "side"]);
                self.git(&["commit", "-q", "--allow-empty", "-m", "after a branch"]);
                self.git(&["checkout", "-q", "-B", "other"]);
                self.git(&["checkout", "-q", "side"]);
            }
            Step::Merge => {
                self.git(&["commit", "-q", "--allow-empty", "-m", "before a merge"]);
                self.git(&["merge", "-q", "--no-ff", "-X", "ours", "-m", "a merge", "other"]);
                if !self.git(&["ls-files", "-u"]).out.is_empty() {
                    self.stage();
                    self.git(&["commit", "-q", "-m", "a merge by hand"]);
                }
            }
            Step::Tag => {
                let name = format!("v{}", self.dates);
                self.git(&["tag", "-a", "-m", "a tag", &name]);
                self.git(&["tag", "-a", "-m", "a tag of a tag", &format!("{name}-2"), &name]);
            }
            Step::Replace => {
                self.git(&["replace", "-f", "HEAD", "main"]);
            }
            Step::Detach => {
                self.git(&["checkout", "-q", "--detach"]);
            }
        }
    }
}

fn hidden<T>(fact: &mut Fact<T>) {
    if let Fact::Unavailable(why) = fact {
        *why = Unavailable::new("it could not be read", "");
    }
}

/// Facts as text, without what is not said in both: the words of errors, the order of commits that have none.
fn told(facts: Read<Facts>) -> String {
    let Ok(mut facts) = facts else {
        return "unreadable".to_owned();
    };
    // Where history is damaged a walk may come upon that for the merge base, or not before the commits.
    if facts.changes.iter().any(|change| matches!(change.commits, Fact::Unavailable(_))) {
        return "unreadable".to_owned();
    }
    let mut unchanged = Vec::new();
    for change in &mut facts.changes {
        if let Fact::Known(commits) = &mut change.commits {
            commits.sort_by_key(|commit| commit.oid);
        }
        let mut paths: Vec<_> = change.unchanged.drain().collect();
        paths.sort();
        unchanged.push(paths);
        hidden(&mut change.commits);
        hidden(&mut change.files);
        hidden(&mut change.staged);
        hidden(&mut change.lines);
    }
    format!("{facts:#?}\n{unchanged:?}")
}

/// All that one backend says of a repository.
fn all(repo: &dyn Repository) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    let environment = Environment { now: 1_800_000_000, ..Environment::default() };
    let loaded = policy_source::find(repo).expect("a policy");
    let head = repo.head().expect("a HEAD");
    let base = loaded.base.as_ref().expect("a base").oid;
    let mut subjects = vec![
        (Event::CheckStaged, Subject::Staged),
        (Event::Check, Subject::Branch),
        (Event::Check, Subject::Worktree),
        (Event::CommitMsg, Subject::Made { is_amend: false }),
        (Event::CommitMsg, Subject::Made { is_amend: true }),
    ];
    for name in ["refs/heads/other", "refs/heads/side", "refs/heads/main"] {
        let tip = repo.find_ref(name).expect("refs");
        said.insert(name.to_owned(), format!("{tip:?} {:?}", repo.ref_target(name).expect("a ref")));
        for (from, to) in [(Some(base), tip), (tip, head.oid)] {
            if let (Some(from), Some(to)) = (from, to) {
                subjects.push((Event::Check, Subject::Range { from, to, elsewhere: None }));
            }
        }
    }
    for (event, subject) in subjects {
        let name = format!("{subject:?}");
        let request = Request { event, agent: None, branch: None, subject };
        said.insert(name, told(gather(repo, &environment, &loaded, &request)));
    }
    let names = repo.ref_names("refs/").expect("refs");
    let mut tips = repo.tips("refs/").expect("refs");
    tips.sort_unstable();
    for name in
        ["core.bare", "core.hooksPath", "Lane.Test", "branch.Odd.name.merge", "core.repositoryFormatVersion"]
    {
        said.insert(name.to_owned(), format!("{:?}", repo.config(name).expect("a configuration")));
    }
    for pattern in [r"^lane\.", r"^nothing\.", r"^branch\..*\.merge$"] {
        said.insert(pattern.to_owned(), format!("{:?}", repo.has_config(pattern).expect("a configuration")));
    }
    for name in &names {
        let mut commit = format!("{:?}", repo.find_ref(name).ok());
        if let Ok(Some(oid)) = repo.find_ref(name) {
            commit += &format!("{:?} {:?}", repo.commit(oid).ok(), repo.commit_bytes(oid).ok());
        }
        said.insert(format!("commit of {name}"), commit);
    }
    let nowhere = Oid::from_hex(&"12".repeat(20)).unwrap();
    said.insert("nowhere".to_owned(), format!("{} {:?}", repo.has(nowhere), repo.peel(nowhere).is_err()));
    said.insert("nothing".to_owned(), format!("{:?}", repo.find_ref("refs/heads/nothing").unwrap()));
    said.insert("HEAD".to_owned(), format!("{head:?} {:?}", repo.symbolic_ref("HEAD").unwrap()));
    said.insert("layout".to_owned(), format!("{:?} {}", repo.layout(), repo.is_shallow()));
    said.insert("refs".to_owned(), format!("{names:?} {tips:?}"));
    said.insert("blob".to_owned(), format!("{:?}", repo.blob_id(b"a\0b").unwrap()));
    said
}

fn same(folder: &Path) -> Result<(), TestCaseError> {
    let one = all(&Git2Repository::open_at(folder).expect("git2 opens it"));
    let two = all(&Plumbing::open_at(folder).expect("git opens it"));
    for (what, said) in &one {
        prop_assert_eq!(Some(said), two.get(what), "{}", what);
    }
    prop_assert_eq!(one.len(), two.len());
    Ok(())
}

#[test]
fn facts_are_the_same() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let steps = (proptest::collection::vec(step(), 4..28), proptest::collection::vec(step(), 0..4));
    runner
        .run(&steps, |(steps, last)| is_the_same_after(steps.iter().chain([&Step::Commit]).chain(&last)))
        .unwrap();
}

/// Both backends say the same of a repository after some steps, and of a clone of it that is cut off.
fn is_the_same_after<'s>(steps: impl Iterator<Item = &'s Step>) -> Result<(), TestCaseError> {
    let scratch = Scratch::with_policy(&POLICY.replace("max_age: 3h", "max_age: null"));
    scratch.git(&["config", "lane.test", "a"]).ok();
    scratch.git(&["config", "--add", "lane.test", "b"]).ok();
    scratch.git(&["config", "branch.Odd.name.merge", "refs/heads/x"]).ok();
    scratch.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]).ok();
    scratch.git(&["checkout", "-q", "-b", "other"]).ok();
    scratch.git(&["checkout", "-q", "-b", "side"]).ok();
    let mut maker = Maker { tree: scratch.main(), dates: 0 };
    steps.for_each(|step| maker.take(step));
    same(&scratch.root())?;
    let url = format!("file://{}", scratch.root().display());
    let args = ["clone", "-q", "--depth=3", "--no-single-branch", &url, "shallow"];
    if scratch.run(&scratch.home(), "git", &args).code == 0 {
        same(&scratch.home().join("shallow"))?;
    }
    Ok(())
}

#[test]
fn a_parent_that_was_cut_off_and_is_another_branch() {
    // Three commits on, the base is the parent at which the clone ends.
    let steps = [
        Step::Commit,
        Step::Detach,
        Step::Write(0, 7),
        Step::Submodule(3),
        Step::Commit,
        Step::Branch,
        Step::Executable(0),
    ];
    is_the_same_after(steps.iter()).unwrap();
}

#[test]
fn facts_before_the_first_commit_are_the_same() {
    let scratch = Scratch::with_policy(POLICY);
    scratch.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]).ok();
    scratch.git(&["checkout", "-q", "--orphan", "feat/a2/x"]).ok();
    same(&scratch.root()).unwrap();
    scratch.git(&["rm", "-q", "-r", "--cached", "."]).ok();
    same(&scratch.root()).unwrap();
    std::fs::remove_file(scratch.root().join(".git/index")).unwrap();
    same(&scratch.root()).unwrap();
}

#[test]
fn objects_are_written_the_same() {
    let scratch = Scratch::new();
    let writers: [&dyn ObjectWriter; 2] =
        [&Git2Repository::open_at(&scratch.root()).unwrap(), &Plumbing::open_at(&scratch.root()).unwrap()];
    let raw = scratch.git(&["cat-file", "commit", "HEAD"]).ok().out.replace("first", "another");
    let written = writers.map(|writer| {
        let blob = writer.write_blob(b"a\0b").unwrap();
        let tree = writer.write_tree_of("lock", blob).unwrap();
        (blob, tree, writer.write_empty_tree().unwrap(), writer.write_commit(raw.as_bytes()).unwrap())
    });
    assert_eq!(written[0], written[1]);
    scratch.git(&["fsck", "--strict"]).ok();
}

#[test]
fn reading_writes_nothing() {
    let scratch = Scratch::new();
    scratch.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]).ok();
    scratch.git(&["checkout", "-q", "-b", "feat/a2/x"]).ok();
    scratch.git(&["config", "core.splitIndex", "true"]).ok();
    scratch.write("services/revenue/new.py", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.write("services/revenue/newer.py", "x\n");
    let listed = || {
        let mut all = Vec::new();
        let mut folders = vec![scratch.root().join(".git")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let data = entry.metadata().unwrap();
                if data.is_dir() {
                    folders.push(entry.path());
                } else {
                    all.push((entry.path(), std::fs::read(entry.path()).unwrap()));
                }
            }
        }
        all.sort();
        all
    };
    let before = listed();
    all(&Plumbing::open_at(&scratch.root()).unwrap());
    assert!(listed() == before, "a file of the repository is another");
}
