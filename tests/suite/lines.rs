//! Line counts against `git diff --numstat -M` on repositories made by hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lane_core::facts::{FileChange, Lines, Oid};
use lane_git::{Git2Repository, Repository, lines, tree_diff::tree_diff};

/// A repository in a folder of its own, written by real git.
struct Repo {
    folder: tempfile::TempDir,
}

/// What one of the sides of a case has: path, mode, contents (for a submodule: the commit).
type Entry<'a> = (&'a str, &'a str, &'a [u8]);

const FILE: &str = "100644";
const EXEC: &str = "100755";
const LINK: &str = "120000";
const SUBMODULE: &str = "160000";
const COMMIT: &[u8] = b"1111111111111111111111111111111111111111";
const OTHER: &[u8] = b"2222222222222222222222222222222222222222";

impl Repo {
    fn new() -> Self {
        let repo = Self { folder: tempfile::tempdir().expect("a folder") };
        repo.git(&["init", "-q"], None);
        repo
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn git(&self, args: &[&str], input: Option<&[u8]>) -> Vec<u8> {
        use std::io::Write;
        let mut command = Command::new("git");
        scrub(&mut command, self.folder.path())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("git runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(input.unwrap_or_default()).expect("git reads");
        drop(pipe);
        let output = child.wait_with_output().expect("git ends");
        assert!(output.status.success(), "git {args:?}");
        output.stdout
    }

    fn id(&self, args: &[&str], input: &[u8]) -> String {
        let output = self.git(args, Some(input));
        String::from_utf8(output).expect("an id").trim().to_owned()
    }

    /// A commit of these entries alone.
    fn commit(&self, entries: &[Entry<'_>]) -> String {
        let mut index = Vec::new();
        for (path, mode, contents) in entries {
            let oid = match *mode {
                SUBMODULE => String::from_utf8_lossy(contents).into_owned(),
                _ => self.id(&["hash-object", "-w", "--stdin"], contents),
            };
            index.extend_from_slice(format!("{mode} {oid}\t{path}\0").as_bytes());
        }
        self.git(&["read-tree", "--empty"], None);
        self.git(&["update-index", "-z", "--index-info"], Some(&index));
        let tree = self.id(&["write-tree"], b"");
        self.id(&["commit-tree", &tree], b"a commit\n")
    }

    /// Our count, with `skipped` excluded.
    fn count(&self, old: &str, new: &str) -> Lines {
        let repo = Git2Repository::open_at(&self.path()).expect("a repository");
        let tree = |commit: &str| {
            let oid = Oid::from_hex(commit).expect("an id");
            Some(repo.commit(oid).expect("a commit").tree)
        };
        let (old, new) = (tree(old), tree(new));
        let files: Vec<FileChange> = tree_diff(&repo, old, new).expect("a diff");
        lines::count(&repo, &files, old, &|path| path == b"skipped").expect("a count")
    }

    /// Files, lines added and deleted, and binary files, as git says.
    fn numstat(&self, old: &str, new: &str) -> (usize, u64, u64, Vec<Vec<u8>>) {
        let source = format!("--attr-source={old}");
        let output = self.git(&[&source, "diff", "--numstat", "-M", "-z", old, new], None);
        let mut fields = output.split(|b| *b == 0);
        let (mut files, mut added, mut deleted, mut binary) = (0, 0, 0, Vec::new());
        while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
            let mut words = field.splitn(3, |b| *b == b'\t');
            let mut word = || words.next().expect("a word");
            let number = |word: &[u8]| String::from_utf8_lossy(word).parse::<u64>().ok();
            let (plus, minus, mut path) = (number(word()), number(word()), word());
            if path.is_empty() {
                fields.next();
                path = fields.next().expect("the new path");
            }
            files += 1;
            match (plus, minus) {
                (Some(plus), Some(minus)) => (added, deleted) = (added + plus, deleted + minus),
                _ => binary.push(path.to_vec()),
            }
        }
        (files, added, deleted, binary)
    }

    /// Compares both, there and back; gives our count of the way there.
    fn check(&self, name: &str, old: &[Entry<'_>], new: &[Entry<'_>]) -> Lines {
        let (old, new) = (self.commit(old), self.commit(new));
        let there = self.count(&old, &new);
        for (from, to, ours) in [(&old, &new, there.clone()), (&new, &old, self.count(&new, &old))] {
            let binary = ours.binary.iter().map(|path| path.0.clone()).collect();
            let ours = (ours.files, ours.added, ours.deleted, binary);
            assert_eq!(ours, self.numstat(from, to), "{name}: git diff --numstat -M {from} {to}");
        }
        there
    }
}

/// git as nobody has configured it.
fn scrub<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.current_dir(folder);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_ATTR_NOSYSTEM", "1").env("XDG_CONFIG_HOME", folder).env("HOME", folder);
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "A").env(format!("GIT_{who}_EMAIL"), "a@example.com");
        command.env(format!("GIT_{who}_DATE"), "1700000000 +0000");
    }
    command
}

/// Lines that are told apart by a word and a number.
fn text(word: &str, lines: std::ops::Range<usize>) -> Vec<u8> {
    lines.flat_map(|n| format!("{word} {n} {}\n", n * 7919 % 1000).into_bytes()).collect()
}

fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text).replace('\n', "\r\n").into_bytes()
}

#[test]
fn plain_changes() {
    let repo = Repo::new();
    let long = text("a", 0..40);
    repo.check("added", &[], &[("a", FILE, &long), ("e", FILE, b"")]);
    repo.check("edited", &[("a", FILE, &long)], &[("a", FILE, &text("a", 3..45))]);
    repo.check("no line feed at the end", &[("a", FILE, b"a\nb\n")], &[("a", FILE, b"a\nb")]);
    repo.check("one line without line feed", &[], &[("a", FILE, b"a")]);
    repo.check(
        "mode",
        &[("a", FILE, b"a\n"), ("b", FILE, b"a\n")],
        &[("a", EXEC, b"a\n"), ("b", EXEC, b"b\n")],
    );
    repo.check("mode of a binary file", &[("a", FILE, b"a\0\n")], &[("a", EXEC, b"a\0\n")]);
    repo.check("binary", &[("a", FILE, b"a\0\n")], &[("a", FILE, b"b\0\n"), ("b", FILE, b"\0")]);
    repo.check("becomes binary", &[("a", FILE, b"a\n")], &[("a", FILE, b"b\0\n")]);
    let late = [vec![b'a'; 8000], vec![0]].concat();
    repo.check("NUL too late", &[("a", FILE, &late[1..])], &[("a", FILE, &late)]);
    repo.check("line ends", &[("a", FILE, &long)], &[("a", FILE, &crlf(&long))]);
    let binary = [b"\0".as_slice(), &text("a", 0..9000)].concat();
    let repeat = |repo: &Repo, name: &str| {
        repo.check(name, &[("a", FILE, &text("a", 0..3000))], &[("a", FILE, &text("a", 5..3100))]);
        repo.check(name, &[("a", FILE, &late)], &[("a", FILE, &binary), ("b", FILE, &text("b", 0..3000))]);
    };
    repeat(&repo, "longer than what is searched for a NUL");
    repo.git(&["config", "gc.auto", "0"], None);
    repo.git(
        &["tag", "-f", "all", &repo.commit(&[("a", FILE, &binary), ("b", FILE, &text("b", 0..3000))])],
        None,
    );
    repo.git(&["repack", "-qad"], None);
    repeat(&repo, "some of it in a pack");
}

#[test]
fn kinds_of_files() {
    let repo = Repo::new();
    repo.check("link", &[], &[("l", LINK, b"target")]);
    repo.check("link moved", &[("l", LINK, b"target")], &[("l", LINK, b"other")]);
    repo.check("file to link", &[("l", FILE, b"a\nb\n")], &[("l", LINK, b"target")]);
    repo.check("same text as link", &[("l", FILE, b"target")], &[("l", LINK, b"target")]);
    repo.check("binary to link", &[("l", FILE, b"a\0")], &[("l", LINK, b"target")]);
    repo.check("link renamed", &[("l", LINK, b"target")], &[("m", LINK, b"target")]);
    repo.check("link to file elsewhere", &[("l", LINK, b"target")], &[("m", FILE, b"target")]);
    let path = b"a/long/path/to/some/target/of/a/link";
    repo.check("link renamed and edited", &[("l", LINK, path)], &[("m", LINK, &path[1..])]);
    repo.check("submodule", &[], &[("s", SUBMODULE, COMMIT)]);
    repo.check("submodule moves on", &[("s", SUBMODULE, COMMIT)], &[("s", SUBMODULE, OTHER)]);
    repo.check("submodule renamed", &[("s", SUBMODULE, COMMIT)], &[("t", SUBMODULE, COMMIT)]);
    repo.check("submodule to file", &[("s", SUBMODULE, COMMIT)], &[("s", FILE, b"a\nb\n")]);
    repo.check(
        "file to folder",
        &[("s", FILE, b"a\nb\n")],
        &[("s/a", FILE, b"a\nb\n"), ("s/b", FILE, b"c\n")],
    );
}

#[test]
fn renames() {
    let repo = Repo::new();
    let (a, b) = (text("a", 0..60), text("b", 0..60));
    let edited = |text: &[u8]| [b"new\n", &text[40..], b"more\n"].concat();
    let lines = repo.check("edited", &[("a", FILE, &a)], &[("b", FILE, &edited(&a))]);
    assert_eq!(lines.files, 1);
    repo.check("identical", &[("a", FILE, &a)], &[("x/b", EXEC, &a)]);
    repo.check("binary", &[("a", FILE, b"a\0b")], &[("b", FILE, b"a\0b")]);
    repo.check("swapped", &[("a", FILE, &a), ("b", FILE, &b)], &[("a", FILE, &b), ("b", FILE, &a)]);
    let swapped = [("x/a", FILE, edited(&b)), ("x/b", FILE, edited(&a))];
    let swapped: Vec<Entry<'_>> =
        swapped.iter().map(|(path, mode, text)| (*path, *mode, text.as_slice())).collect();
    repo.check("moved and swapped", &[("a", FILE, &a), ("b", FILE, &b)], &swapped);
    repo.check("line ends", &[("a", FILE, &a)], &[("b", FILE, &crlf(&a))]);
    repo.check(
        "empty files",
        &[("a", FILE, b""), ("x/b", FILE, b"")],
        &[("y/b", FILE, b""), ("c", FILE, b"")],
    );
    repo.check("empty and not", &[("a", FILE, b"")], &[("b", FILE, b"b\n")]);
    repo.check("one line", &[("a", FILE, b"abcdefgh")], &[("b", FILE, b"abcdefghi")]);
    let long = vec![b'x'; 1000];
    repo.check("no lines", &[("a", FILE, &long)], &[("b", FILE, &long[..600])]);
    for kept in 20..45 {
        let rest = [&text("a", 0..kept)[..], &text("c", kept..60)].concat();
        repo.check("near a threshold", &[("x/a", FILE, &a)], &[("b", FILE, &rest)]);
        repo.check(
            "near a threshold, one name",
            &[("x/a", FILE, &a)],
            &[("a", FILE, &rest), ("b", FILE, &edited(&a))],
        );
    }
}

#[test]
fn many_files_of_one_name() {
    let repo = Repo::new();
    let build = |prefix: &str, from: usize| -> Vec<(String, Vec<u8>)> {
        let files = (0..12).map(|n| {
            let own = text(&format!("own {}", n % 5), 0..n * 4);
            let common = text("common", from..30);
            (format!("{prefix}{}/mod.rs", (n * 5 + from) % 12), [common, own].concat())
        });
        files.collect()
    };
    let entries = |files: &[(String, Vec<u8>)]| -> (String, String) {
        let (old, new) = (build("a", 0), files);
        let borrow = |files: &[(String, Vec<u8>)]| {
            let entries: Vec<Entry<'_>> =
                files.iter().map(|(p, t)| (p.as_str(), FILE, t.as_slice())).collect();
            repo.commit(&entries)
        };
        (borrow(&old), borrow(new))
    };
    for from in 0..12 {
        let (old, new) = entries(&build("b", from));
        let ours = repo.count(&old, &new);
        let (files, added, deleted, _) = repo.numstat(&old, &new);
        assert_eq!((ours.files, ours.added, ours.deleted), (files, added, deleted), "{from} lines less");
    }
}

#[test]
fn attributes_of_the_base() {
    let repo = Repo::new();
    let (long, shorter) = (text("a", 0..30), text("a", 4..30));
    let (old, new): (Entry<'_>, Entry<'_>) = (("x/a.rs", FILE, &long), ("x/a.rs", FILE, &shorter));
    let binary = |lines: &Lines| lines.binary.len() == 1;
    let nul = [long.as_slice(), b"\0"].concat();
    for (file, is_binary) in [
        ("*.rs -diff", true),
        ("*.rs binary", true),
        ("x/** -diff", true),
        ("*.rs diff=rust", false),
        ("*.rs -diff\nx/*.rs !diff", false),
        ("[attr]hidden -diff\n*.rs hidden", true),
        ("x -diff", false),
        ("x/ -diff", false),
        ("!*.rs -diff", false),
        ("\"x/a.\\162s\" -diff", true),
        ("*.rs -diff b@d", false),
        ("x/[ab].r? -diff", true),
        ("/*.rs -diff", false),
        ("**/*.rs -diff\r", true),
    ] {
        let attributes: Entry<'_> = (".gitattributes", FILE, file.as_bytes());
        let lines = repo.check(file, &[attributes, old], &[attributes, new]);
        assert_eq!(binary(&lines), is_binary, "{file}");
        let lines = repo.check("in the branch alone", &[old], &[attributes, new]);
        assert!(!binary(&lines), "{file} of the branch decides nothing");
        let deeper: Entry<'_> = ("x/.gitattributes", FILE, b"a.rs diff");
        let lines = repo.check("a deeper file", &[attributes, deeper, old], &[("x/a.rs", FILE, &nul)]);
        assert!(!lines.binary.iter().any(|path| path.0 == b"x/a.rs"), "{file}, but diff below");
        repo.check("a rename", &[attributes, old], &[attributes, ("y/b.txt", FILE, &shorter)]);
        repo.check("a rename, line ends", &[attributes, old], &[attributes, ("y/b.rs", FILE, &crlf(&long))]);
    }
}

#[test]
fn what_counts() {
    let repo = Repo::new();
    let attributes: Entry<'_> = (
        ".gitattributes",
        FILE,
        b"*.lock linguist-generated\n*.gen linguist-generated=true\nno.lock -linguist-generated\n",
    );
    let old = [attributes, ("gone", FILE, b"x\ny\n")];
    let new = [
        attributes,
        ("a.lock", FILE, b"1\n"),
        ("b.gen", FILE, b"1\n"),
        ("no.lock", FILE, b"1\n2\n3\n"),
        ("skipped", FILE, b"1\n"),
        ("plain", FILE, b"1\n2\n3\n4\n"),
    ];
    let lines = repo.check("generated and excluded", &old, &new);
    assert_eq!((lines.added, lines.deleted, lines.counted), (10, 2, 9));
    let largest: Vec<String> = lines.largest.iter().map(|(path, lines)| format!("{path} {lines}")).collect();
    assert_eq!(largest, ["plain 4", "no.lock 3", "gone 2"]);
    let mut branch = new;
    branch[0].2 = b"* linguist-generated\n";
    assert_eq!(repo.check("a branch that declares", &old, &branch).counted, 9 + 4);
}

#[test]
fn a_file_that_is_missing_is_no_zero() {
    let repo = Repo::new();
    let (old, new) = (repo.commit(&[]), repo.commit(&[("a", FILE, b"gone soon\n")]));
    let blob = repo.id(&["rev-parse", &format!("{new}:a")], b"");
    let object = repo.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    std::fs::remove_file(object).expect("a loose object");
    let git = Git2Repository::open_at(&repo.path()).expect("a repository");
    let tree = |commit: &str| Some(git.commit(Oid::from_hex(commit)?).ok()?.tree);
    let files = tree_diff(&git, tree(&old), tree(&new)).expect("a diff");
    assert!(lines::count(&git, &files, tree(&old), &|_| false).is_err());
}
