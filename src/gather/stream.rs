//! Which files commits change, as git's own plumbing says it: git-diff-tree(1), `--stdin`.
//!
//! One git is asked for many commits, and answers while other things are read. It is told the parents of each,
//! so that neither grafts nor replace refs change what it compares, and every commit has to be answered, in
//! order: whatever else comes is no answer at all, and the files are read in process instead.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::repository::Layout;
use super::repository::canonical;
use crate::facts::{FileChange, FileVersion, Oid, RepoPath};
use crate::locks::git;

/// How long git may take for one commit, or to begin.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many bytes of questions are sent at once.
const CHUNK: usize = 16 << 10;
/// What a server gives its hooks so that the objects of a push are found: git-receive-pack(1).
const OBJECTS: [&str; 3] =
    ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"];

/// A commit, and the files that it changes: for a merge, those that differ from every parent.
type Answer = (Oid, Vec<FileChange>);

/// A git that is asked for the files of commits.
pub(super) struct Stream {
    child: Child,
    asked: Vec<Oid>,
    chunk: Vec<u8>,
    questions: Option<Sender<Vec<u8>>>,
    /// Answers in order; `None` for what is none.
    answers: Receiver<Option<Answer>>,
}

impl Stream {
    /// Starts git; `None` where there is none.
    pub(super) fn start(layout: &Layout) -> Option<Self> {
        Self::run(diff_tree(layout))
    }

    fn run(mut command: Command) -> Option<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (questions, to_ask) = channel::<Vec<u8>>();
        let (answered, answers) = channel();
        std::thread::spawn(move || {
            if let Some(mut stdin) = stdin {
                // Where git is gone its answers are missing, which is seen there.
                while let Ok(chunk) = to_ask.recv()
                    && stdin.write_all(&chunk).is_ok()
                {}
            }
        });
        std::thread::spawn(move || {
            if let Some(stdout) = stdout {
                read(BufReader::with_capacity(CHUNK, stdout), &answered);
            }
        });
        Some(Self { child, asked: Vec::new(), chunk: Vec::new(), questions: Some(questions), answers })
    }

    /// Asks for the files of a commit, held against these parents.
    pub(super) fn ask(&mut self, commit: Oid, parents: &[Oid]) {
        self.asked.push(commit);
        let line = std::iter::once(&commit).chain(parents).map(Oid::to_string).collect::<Vec<_>>().join(" ");
        self.chunk.extend_from_slice(line.as_bytes());
        self.chunk.push(b'\n');
        if self.chunk.len() >= CHUNK {
            self.send();
        }
    }

    fn send(&mut self) {
        if let Some(questions) = &self.questions {
            // What cannot be sent is not answered either.
            let _ = questions.send(std::mem::take(&mut self.chunk));
        }
    }

    /// Gives the files of each commit that was asked for, in that order, as they come; whether all of them did.
    /// What `each` was given counts for nothing if not.
    pub(super) fn finish(mut self, mut each: impl FnMut(usize, Vec<FileChange>)) -> bool {
        self.send();
        self.questions = None;
        let mut at = 0;
        loop {
            match self.answers.recv_timeout(PATIENCE) {
                Ok(Some((oid, files))) if self.asked.get(at) == Some(&oid) => each(at, files),
                Err(RecvTimeoutError::Disconnected) => break,
                Ok(_) | Err(RecvTimeoutError::Timeout) => return false,
            }
            at += 1;
        }
        at == self.asked.len() && self.child.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Nothing is left of it, however it ended; one that was waited for is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plumbing alone: what the configuration says of logs and diffs is not for it.
fn diff_tree(layout: &Layout) -> Command {
    let mut command = git::command(&layout.git_dir);
    for name in OBJECTS {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // Trees that a partial clone lacks are not fetched for this. Older gits know the second variable alone.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    command.args(["--no-replace-objects", "--no-pager", "diff-tree", "--stdin", "--raw", "-r", "-c", "-z"]);
    command.args(["--root", "--always", "--no-renames", "--no-color", "--ignore-submodules=none"]);
    command
}

/// Reads all answers: each is the commit's id, then the files. Ends with the first that is none.
fn read(mut output: impl BufRead, answers: &Sender<Option<Answer>>) {
    let mut field = Vec::new();
    let mut current: Option<Answer> = None;
    loop {
        field.clear();
        match output.read_until(0, &mut field) {
            Ok(0) => break,
            Ok(_) if field.pop() == Some(0) => {}
            _ => {
                let _ = answers.send(None);
                return;
            }
        }
        let is_right = if field.first() == Some(&b':') {
            current.as_mut().is_some_and(|(_, files)| read_file(&field, &mut output, files).is_some())
        } else {
            let next = std::str::from_utf8(&field).ok().and_then(Oid::from_hex);
            let is_right = next.is_some();
            let before = std::mem::replace(&mut current, next.map(|oid| (oid, Vec::new())));
            before.is_none_or(|answer| answers.send(Some(sorted(answer))).is_ok()) && is_right
        };
        if !is_right {
            let _ = answers.send(None);
            return;
        }
    }
    if let Some(answer) = current {
        let _ = answers.send(Some(sorted(answer)));
    }
}

fn sorted((oid, mut files): Answer) -> Answer {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // They are kept for all commits until the last is here.
    files.shrink_to_fit();
    (oid, files)
}

/// One file: "RAW OUTPUT FORMAT" and "DIFF FORMAT FOR MERGES" of git-diff-tree(1). A colon, a mode and an object
/// for each parent, then a mode and an object of the commit itself, modes first.
fn read_file(head: &[u8], output: &mut impl BufRead, files: &mut Vec<FileChange>) -> Option<()> {
    let parents = head.iter().take_while(|byte| **byte == b':').count();
    let words: Vec<&str> = std::str::from_utf8(&head[parents..]).ok()?.split(' ').collect();
    let sides = parents + 1;
    if words.len() != 2 * sides + 1 {
        return None;
    }
    let versions: Option<Vec<Option<FileVersion>>> =
        words[..sides].iter().zip(&words[sides..]).map(|(mode, oid)| version(mode, oid)).collect();
    let mut path = Vec::new();
    output.read_until(0, &mut path).ok()?;
    if path.pop() != Some(0) || path.is_empty() {
        return None;
    }
    path.shrink_to_fit();
    let versions = versions?;
    let (new, olds) = versions.split_last()?;
    // Modes that git takes for one another are no difference.
    if olds.iter().all(|old| old != new) {
        files.push(FileChange { path: RepoPath(path), old: *olds.first()?, new: *new });
    }
    Some(())
}

/// `Some(None)`: no such file.
fn version(mode: &str, oid: &str) -> Option<Option<FileVersion>> {
    let mode = u32::from_str_radix(mode, 8).ok()?;
    let oid = Oid::from_hex(oid)?;
    match (mode, oid.is_zero()) {
        (0, true) => Some(None),
        (0, false) | (_, true) => None,
        _ => Some(Some(FileVersion { mode: canonical(mode), oid })),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    /// What is made of a git that is this script; asked for the files of two commits.
    fn told(script: &str) -> Option<Vec<String>> {
        let mut command = Command::new("sh");
        // In full, or digits that follow are taken for part of it.
        let script = script.replace(r"\0", r"\000");
        command.args(["-c", &script]).env("ONE", ONE).env("TWO", TWO).env("NONE", NONE);
        let mut stream = Stream::run(command).expect("sh");
        for oid in [ONE, TWO] {
            stream.ask(Oid::from_hex(oid).expect("an id"), &[]);
        }
        let mut told = Vec::new();
        let is_all = stream.finish(|at, files| {
            told.extend(files.iter().map(|file| format!("{at} {}", file.path)));
        });
        is_all.then_some(told)
    }

    #[test]
    fn answers() {
        let file = r":000000 100644 $NONE $ONE A\0b\0:100644 100644 $ONE $TWO M\0a\0";
        let told = |script: &str| told(&format!("cat >/dev/null; {script}"));
        let right = format!(r#"printf "$ONE\0{file}$TWO\0""#);
        assert_eq!(told(&right), Some(vec!["0 a".to_owned(), "0 b".to_owned()]));
        assert_eq!(told(r#"printf "$ONE\0$TWO\0""#), Some(vec![]), "commits that change nothing");
        let merge = r":::100644 100644 000000 100644 $ONE $TWO $NONE $NONE MMA\0a\0";
        assert_eq!(told(&format!(r#"printf "$ONE\0$TWO\0{merge}""#)), None, "a mode without an object");
        let merge = r":::100644 100644 000000 000000 $ONE $TWO $NONE $NONE DDD\0a\0";
        assert_eq!(
            told(&format!(r#"printf "$ONE\0$TWO\0{merge}""#)),
            Some(vec![]),
            "one parent lacks it, too"
        );
        let merge = r"::100644 100644 100755 $ONE $TWO $TWO MM\0a\0";
        assert_eq!(told(&format!(r#"printf "$ONE\0$TWO\0{merge}""#)), Some(vec!["1 a".to_owned()]));
    }

    #[test]
    fn what_is_no_answer() {
        let fails = [
            ("exit 0", "nothing"),
            ("exit 1", "an error"),
            (r#"printf "$ONE\0$TWO\0"; exit 1"#, "an error after the last commit"),
            (r#"printf "$ONE\0""#, "a commit too few"),
            (r#"printf "$ONE\0$TWO\0$ONE\0""#, "a commit too many"),
            (r#"printf "$TWO\0$ONE\0""#, "another order"),
            (r#"printf "$ONE\0$TWO""#, "cut short"),
            (r#"printf "$ONE\0:100644 100644 $ONE $TWO M\0a"; exit 0"#, "cut short in a path"),
            (r#"printf "$ONE\0:100644 100644 $ONE $TWO M\0""#, "no path"),
            (r#"printf "$ONE\0:100644 $ONE $TWO M\0a\0$TWO\0""#, "a mode too few"),
            (r#"printf "$ONE\0:100644 100x44 $ONE $TWO M\0a\0$TWO\0""#, "no mode"),
            (r#"printf ":100644 100644 $ONE $TWO M\0a\0$ONE\0$TWO\0""#, "a file of no commit"),
            (r#"printf "gpg: Good signature\n$ONE\0$TWO\0""#, "words"),
            (r#"cat"#, "an echo"),
        ];
        for (script, what) in fails {
            assert_eq!(told(&format!("cat >/dev/null & wait; {script}")), None, "{what}");
            assert_eq!(told(script), None, "{what}, while it is being asked");
        }
        assert!(Stream::run(Command::new("/no/such/git")).is_none());
    }
}
