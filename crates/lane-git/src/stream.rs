//! Which files commits change, as git's own plumbing says it: git-diff-tree(1), `--stdin`.
//!
//! Git is asked for many commits, and answers while other things are read. It is told the parents of each,
//! so that neither grafts nor replace refs change what it compares, and every commit has to be answered, in
//! order: whatever else comes is no answer at all, and the files are read in process instead.
//!
//! A git keeps what it has read of each commit for as long as it runs. So none is asked for more than a part of a long
//! history, and some run at a time.

use std::io::{BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::Duration;

use super::repository::Layout;
use crate::command;
use lane_core::facts::{FileChange, Oid};

mod answers;

/// How long git may take for one commit, or to begin. After that they are read in process, where it is seen when they are
/// too many.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many bytes of questions are sent at once.
const CHUNK: usize = 16 << 10;
/// How many commits one git is asked for.
const PART: usize = 512;
/// How much memory one git may have for itself: twice what it keeps of packs by itself, `core.deltaBaseCacheLimit`.
const MEMORY: u64 = 192 << 20;
/// How many gits run at a time, where there are as many processors.
const MOST: usize = 4;
/// What a server gives its hooks so that the objects of a push are found: git-receive-pack(1).
const OBJECTS: [&str; 3] =
    ["GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"];

/// A commit, and the files that it changes: for a merge, those that differ from every parent.
type Answer = (Oid, Vec<FileChange>);

/// Gits that are asked for the files of commits.
pub struct Stream {
    crew: Arc<WorkerPool>,
    part: usize,
    asked: Vec<Oid>,
    chunk: Vec<u8>,
    /// Questions of the last part.
    questions: Option<Sender<Vec<u8>>>,
    parts: Vec<PendingBatch>,
    workers: usize,
    to_do: Option<Sender<Part>>,
}

/// A part of the questions, before its git is started.
struct Part {
    questions: Receiver<Vec<u8>>,
    /// In order; `None` for what is no answer.
    answers: Sender<Option<Answer>>,
}

/// A part as it is waited for.
struct PendingBatch {
    /// How many commits were asked for before it.
    begin: usize,
    answers: Receiver<Option<Answer>>,
}

/// What the threads share, each of which runs one git after the other.
struct WorkerPool {
    start: Box<dyn Fn() -> Command + Send + Sync>,
    to_do: Mutex<Receiver<Part>>,
    /// Those that run; `None` once nobody waits for them any more.
    running: Mutex<Option<Vec<Child>>>,
    left: RemainingBudget,
}

/// How much more all answers together may have.
struct RemainingBudget {
    files: AtomicUsize,
    bytes: AtomicUsize,
}

impl RemainingBudget {
    /// Takes one file's share; `None` where there is none left.
    fn spend(&self, path: &[u8]) -> Option<()> {
        let less = |left: &AtomicUsize, by: usize| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(by)).ok()
        };
        less(&self.files, 1)?;
        less(&self.bytes, path.len()).map(|_| ())
    }
}

impl Stream {
    /// Nothing is started before the first question. `left`: how many files, and bytes of paths, there may be.
    pub fn new(layout: &Layout, left: (usize, usize)) -> Self {
        Self::with_batches(layout, left, PART)
    }

    /// `part`: how many commits one git is asked for.
    pub fn with_batches(layout: &Layout, left: (usize, usize), part: usize) -> Self {
        let layout = layout.clone();
        Self::of(part, left, move || diff_tree(&layout))
    }

    fn of(
        part: usize,
        (files, bytes): (usize, usize),
        start: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        let (to_do, parts) = channel();
        let crew = WorkerPool {
            start: Box::new(start),
            to_do: Mutex::new(parts),
            running: Mutex::new(Some(Vec::new())),
            left: RemainingBudget { files: files.into(), bytes: bytes.into() },
        };
        Self {
            crew: Arc::new(crew),
            part,
            asked: Vec::new(),
            chunk: Vec::new(),
            questions: None,
            parts: Vec::new(),
            workers: std::thread::available_parallelism().map_or(1, |count| count.get().min(MOST)),
            to_do: Some(to_do),
        }
    }

    /// Asks for the files of a commit, held against these parents.
    pub fn ask(&mut self, commit: Oid, parents: &[Oid]) {
        if self.asked.len().is_multiple_of(self.part) {
            self.begin_part();
        }
        self.asked.push(commit);
        let line = std::iter::once(&commit).chain(parents).map(Oid::to_string).collect::<Vec<_>>().join(" ");
        self.chunk.extend_from_slice(line.as_bytes());
        self.chunk.push(b'\n');
        if self.chunk.len() >= CHUNK {
            self.send();
        }
    }

    fn begin_part(&mut self) {
        self.send();
        let (questions, to_ask) = channel();
        let (answered, answers) = channel();
        self.questions = Some(questions);
        self.parts.push(PendingBatch { begin: self.asked.len(), answers });
        if self.parts.len() <= self.workers {
            let crew = Arc::clone(&self.crew);
            // Where the system gives no thread for the first, there are no answers; else those before take all parts.
            if Builder::new().spawn(move || crew.work()).is_err() && self.parts.len() == 1 {
                self.to_do = None;
            }
        }
        if let Some(to_do) = &self.to_do {
            // The other end is held as long as this one.
            let _ = to_do.send(Part { questions: to_ask, answers: answered });
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
    pub fn finish(mut self, mut each: impl FnMut(usize, Vec<FileChange>)) -> bool {
        self.send();
        self.questions = None;
        self.to_do = None;
        let mut at = 0;
        for part in &self.parts {
            if at != part.begin {
                return false; // the one before ended too soon, or too late
            }
            loop {
                match part.answers.recv_timeout(PATIENCE) {
                    Ok(Some((oid, files))) if self.asked.get(at) == Some(&oid) => each(at, files),
                    Err(RecvTimeoutError::Disconnected) => break,
                    Ok(_) | Err(RecvTimeoutError::Timeout) => return false,
                }
                at += 1;
            }
        }
        at == self.asked.len()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Nothing is left of them, however they ended; one that was waited for is not there to be killed.
        let running = self.crew.running.lock().ok().and_then(|mut running| running.take());
        for mut child in running.into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl WorkerPool {
    fn work(&self) {
        loop {
            let part = match self.to_do.lock() {
                Ok(to_do) => to_do.recv(),
                Err(_) => return,
            };
            let Ok(Part { questions, answers }) = part else {
                return; // no part is left
            };
            if self.answer(questions, &answers).is_none() {
                let _ = answers.send(None);
            }
        }
    }

    /// Runs one git; `None` where there is none, where nobody waits for it, or where it fails.
    fn answer(&self, questions: Receiver<Vec<u8>>, answers: &Sender<Option<Answer>>) -> Option<()> {
        let mut command = (self.start)();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let (id, mut stdin, stdout) = {
            let mut running = self.running.lock().ok()?;
            let running = running.as_mut()?;
            let mut child = command.spawn().ok()?;
            lane_os::limit_child(&child, MEMORY);
            let (id, stdin, stdout) = (child.id(), child.stdin.take(), child.stdout.take());
            running.push(child);
            (id, stdin?, stdout?)
        };
        // Without a thread for it, the git that was started is told nothing, and ends with the stream.
        let ask = move || {
            // Where git is gone its answers are missing, which is seen there.
            while let Ok(chunk) = questions.recv()
                && stdin.write_all(&chunk).is_ok()
            {}
        };
        Builder::new().spawn(ask).ok()?;
        let is_whole = answers::read(BufReader::with_capacity(CHUNK, stdout), &self.left, answers).is_some();
        let mut child = {
            let mut running = self.running.lock().ok()?;
            let running = running.as_mut()?;
            running.remove(running.iter().position(|child| child.id() == id)?)
        };
        if !is_whole {
            let _ = child.kill();
        }
        (child.wait().ok()?.success() && is_whole).then_some(())
    }
}

/// Plumbing alone: what the configuration says of logs and diffs is not for it.
fn diff_tree(layout: &Layout) -> Command {
    let mut command = command::command(&layout.git_dir);
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";
    const NONE: &str = "0000000000000000000000000000000000000000";

    /// What is made of a git that is this script; asked for the files of two commits.
    fn streamed_files(script: &str) -> Option<Vec<String>> {
        streamed_in_batches(2, (2, 2), script)
    }

    fn streamed_in_batches(part: usize, left: (usize, usize), script: &str) -> Option<Vec<String>> {
        // In full, or digits that follow are taken for part of it.
        let script = script.replace(r"\0", r"\000");
        let mut stream = Stream::of(part, left, move || {
            let mut command = Command::new("sh");
            command.args(["-c", &script]).env("ONE", ONE).env("TWO", TWO).env("NONE", NONE);
            command
        });
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
        let told = |script: &str| streamed_files(&format!("cat >/dev/null; {script}"));
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
    fn more_than_may_be_is_no_answer() {
        let file = |path: &str| format!(r":000000 100644 $NONE $ONE A\0{path}\0");
        let told =
            |files: String| streamed_files(&format!(r#"cat >/dev/null; printf "$ONE\0$TWO\0{files}""#));
        assert!(told(file("a") + &file("b")).is_some());
        assert_eq!(told(file("a") + &file("b") + &file("c")), None, "three files");
        assert_eq!(told(file("abc")), None, "a path of three bytes");
    }

    #[test]
    fn parts_are_answered_in_order() {
        let told = |script: &str| streamed_in_batches(1, (2, 2 * ONE.len()), &format!("read c; {script}"));
        let both = Some(vec![format!("0 {ONE}"), format!("1 {TWO}")]);
        let answer = r#"printf "$c\0:000000 100644 $NONE $ONE A\0$c\0""#;
        assert_eq!(told(answer), both);
        assert_eq!(told(&format!("[ $c = $ONE ] && sleep 0.2; {answer}")), both, "the second is sooner done");
        assert_eq!(told(&format!("[ $c = $TWO ] && exit 1; {answer}")), None);
        assert_eq!(told(&format!("[ $c = $ONE ] && exit 0; {answer}")), None);
        assert_eq!(told(&format!("{answer}; [ $c = $ONE ] && c=$TWO && {answer}")), None, "one too many");
        assert_eq!(told(&format!("{answer}; [ $c = $TWO ]")), None, "an error after the first part");
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
            assert_eq!(streamed_files(&format!("cat >/dev/null & wait; {script}")), None, "{what}");
            assert_eq!(streamed_files(script), None, "{what}, while it is being asked");
        }
        let mut stream = Stream::of(1, (9, 9), || Command::new("/no/such/git"));
        stream.ask(Oid::from_hex(ONE).expect("an id"), &[]);
        assert!(!stream.finish(|_, _| {}), "no git");
    }
}
