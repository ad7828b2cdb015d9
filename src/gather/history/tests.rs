//! Both ways to find the files of commits give the same, on histories of all kinds, and nothing that a broken git
//! says is taken for an answer.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use lane_git::Git2Repository;

/// Names that are odd in some way: to a parser of lines, to one of words, to one of UTF-8, to a sort.
const NAMES: &[&[u8]] = &[
    b"a",
    b"a-b",
    b"a.b",
    b"ab",
    b"new\nline",
    b"\xff\xfe",
    b":100644 100644",
    b"0123456789abcdef0123456789abcdef01234567",
    b" \t\"\\",
];
const MODES: &[&str] = &["100644", "100755", "120000", "160000"];

/// A path of `NAMES`, and its mode of `MODES` and content; `None`: deleted.
type Edit = (Vec<usize>, Option<(usize, u8)>);

/// A commit to be made: which earlier ones are its parents, and what happens to which paths.
#[derive(Debug, Clone)]
struct Made {
    parents: Vec<prop::sample::Index>,
    edits: Vec<Edit>,
}

fn made() -> impl Strategy<Value = Made> {
    let path = prop::collection::vec(0..NAMES.len(), 1..4);
    let edit = (path, prop::option::weighted(0.8, (0..MODES.len(), 0..3_u8)));
    // Few parents are the rule; octopuses and new roots come up, too.
    let parents = prop_oneof![
        1 => Just(0_usize), 6 => Just(1), 4 => Just(2), 1 => Just(3), 1 => Just(4)
    ];
    let parents = parents.prop_flat_map(|count| prop::collection::vec(any::<prop::sample::Index>(), count));
    (parents, prop::collection::vec(edit, 0..6)).prop_map(|(parents, edits)| Made { parents, edits })
}

pub(super) fn git(folder: &Path, args: &[&str], input: &[u8]) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "advice.graftFileDeprecated=false"]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "t").env(format!("GIT_{role}_EMAIL"), "t@example.com");
    }
    command.current_dir(folder).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("git");
    child.stdin.take().expect("a pipe").write_all(input).expect("input");
    let output = child.wait_with_output().expect("git");
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The stream of git-fast-import(1) that makes these commits.
fn import(history: &[Made]) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, made) in history.iter().enumerate() {
        let mark = at + 1;
        // A file says which commit it was, so that no two of them are one.
        let _ = write!(text, "reset refs/heads/b{at}\n\ncommit refs/heads/b{at}\nmark :{mark}\n");
        let _ = write!(text, "committer T <t@example.com> {mark} +0000\ndata 1\nm\n");
        let mut parents: Vec<usize> = Vec::new();
        for parent in made.parents.iter().filter(|_| at > 0).map(|index| index.index(at) + 1) {
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        for (nth, parent) in parents.iter().enumerate() {
            let _ = writeln!(text, "{} :{parent}", if nth == 0 { "from" } else { "merge" });
        }
        for (path, edit) in &made.edits {
            let path = path.iter().map(|name| NAMES[*name]).collect::<Vec<_>>().join(&b'/');
            let quoted: String = path.iter().map(|byte| format!("\\{byte:03o}")).collect();
            let _ = match edit {
                None => writeln!(text, "D \"{quoted}\""),
                Some((3, content)) => {
                    let commit = format!("{content}").repeat(40).replace('0', "a");
                    writeln!(text, "M 160000 {commit} \"{quoted}\"")
                }
                Some((mode, content)) => {
                    write!(text, "M {} inline \"{quoted}\"\ndata 1\n{content}\n", MODES[*mode])
                }
            };
        }
        text.push(b'\n');
    }
    text
}

/// All commits, the files of each streamed and compared in process.
fn both_ways(folder: &Path) -> Vec<(Oid, Vec<FileChange>, Vec<FileChange>)> {
    let repo = Git2Repository::open_at(folder).expect("a repository");
    let tips = repo.tips("refs/heads/").expect("branches");
    let oids = repo.commits(&tips, &[]).expect("commits");
    let mut stream = Stream::with_batches(repo.layout(), (1000, 100_000), 3);
    let mut both = Vec::new();
    for oid in oids {
        let raw = repo.commit(oid).expect("a commit");
        stream.ask(oid, &raw.parents);
        both.push((oid, Vec::new(), files_of(&repo, &raw).expect("files")));
    }
    assert!(stream.finish(|at, files| both[at].1 = files), "git answers");
    both
}

#[track_caller]
fn agree(folder: &Path) -> usize {
    let both = both_ways(folder);
    for (oid, streamed, compared) in &both {
        assert_eq!(streamed, compared, "{oid}");
    }
    both.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn streamed_files_are_those_compared_in_process(history in prop::collection::vec(made(), 1..24)) {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        git(folder, &["init", "-q", "--bare", "."], b"");
        git(folder, &["fast-import", "--quiet", "--force"], &import(&history));
        for (key, value) in [
            ("diff.orderFile", "missing"), ("diff.renames", "copies"), ("diff.ignoreSubmodules", "all"),
            ("diff.submodule", "log"), ("diff.relative", "true"), ("diff.noPrefix", "true"), ("color.ui", "always"),
            ("log.showSignature", "true"), ("log.diffMerges", "first-parent"), ("core.quotePath", "true"),
        ] {
            git(folder, &["config", key, value], b"");
        }
        prop_assert_eq!(agree(folder), history.len());
    }
}

/// A line of commits `b` to `f`, each with a file of its own.
fn line(folder: &Path) -> Vec<String> {
    git(folder, &["init", "-q", "--bare", "."], b"");
    let edit = |at| (vec![at], Some((0, 1)));
    let history: Vec<Made> = (0..4).map(|at| Made { parents: vec![], edits: vec![edit(at)] }).collect();
    let mut text = String::from_utf8_lossy(&import(&history)).into_owned();
    for at in 1..4 {
        text = text.replacen(
            &format!("{} +0000\ndata 1\nm\n", at + 1),
            &format!("{} +0000\ndata 1\nm\nfrom :{at}\n", at + 1),
            1,
        );
    }
    git(folder, &["fast-import", "--quiet"], text.as_bytes());
    (0..4).map(|at| git(folder, &["rev-parse", &format!("b{at}")], b"")).collect()
}

#[test]
fn replace_refs_hide_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let oids = line(folder.path());
    git(folder.path(), &["replace", &oids[3], &oids[0]], b"");
    let both = both_ways(folder.path());
    assert!(both.iter().all(|(_, streamed, compared)| streamed == compared && streamed.len() == 1));
    assert_eq!(both.len(), 4);
}

#[test]
fn grafts_hide_nothing_that_is_seen_in_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let oids = line(folder.path());
    let grafts = format!("{}\n{} {}\n", oids[1], oids[3], oids[1]);
    std::fs::create_dir_all(folder.path().join("info")).expect("a folder");
    std::fs::write(folder.path().join("info/grafts"), grafts).expect("grafts");
    assert_eq!(agree(folder.path()), 4);
}

#[test]
fn modes_of_old_are_no_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    git(folder, &["init", "-q", "--bare", "."], b"");
    let blob = git(folder, &["hash-object", "-w", "--stdin"], b"x");
    let raw = Oid::from_hex(&blob).expect("an id");
    let mut parent: Option<String> = None;
    for mode in ["100664", "100644", "100600", "100755"] {
        let bytes = [mode.as_bytes(), b" a\0", raw.as_bytes()].concat();
        let tree = git(folder, &["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], &bytes);
        let mut args = vec!["commit-tree", "-m", mode, &tree];
        args.extend(parent.iter().flat_map(|parent| ["-p", parent.as_str()]));
        parent = Some(git(folder, &args, b""));
    }
    git(folder, &["update-ref", "refs/heads/b", &parent.expect("a commit")], b"");
    assert_eq!(agree(folder), 4);
    let counts: Vec<usize> = both_ways(folder).iter().map(|(_, streamed, _)| streamed.len()).collect();
    assert_eq!(counts, [1, 0, 0, 1], "only what git takes for another mode is a change");
}
