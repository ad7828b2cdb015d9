//! A `git cat-file` that answers as long as it is asked: git-cat-file(1), BATCH OUTPUT.

use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::process::first_error;
use crate::command::cannot_start;
use crate::repository::Read;
use lane_core::facts::Unavailable;

/// How many names are asked at once: few enough for the pipes to hold questions and answers.
const AT_ONCE: usize = 256;
/// How much of what it complains of is kept.
const KEPT: usize = 4096;

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The object id in full.
    pub oid: String,
    /// `commit`, `tree`, `blob`, `tag`.
    pub kind: String,
    /// Bytes of its contents.
    pub size: usize,
}

/// One child, ended when it is dropped.
pub(super) struct Batch {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    said: Arc<Mutex<String>>,
}

impl Batch {
    /// Starts it. `command`: `cat-file --batch` or `--batch-check`.
    pub fn start(mut command: Command) -> Read<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
        let said = Arc::new(Mutex::new(String::new()));
        if let Some(pipe) = child.stderr.take() {
            let said = Arc::clone(&said);
            // Read to its end, so that it never fills up and stops the child.
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    if said.len() < KEPT {
                        said.push_str(&String::from_utf8_lossy(&line));
                        said.push('\n');
                    }
                }
            });
        }
        match (child.stdin.take(), child.stdout.take()) {
            (Some(questions), Some(answers)) => {
                Ok(Self { child, questions, answers: BufReader::new(answers), said })
            }
            _ => Err(Unavailable::new("the pipe to git broke", "try again; git --version")),
        }
    }

    /// What the objects are that names stand for, `None` for those that are not there.
    pub fn headers(&mut self, names: &[String]) -> io::Result<Vec<Option<Header>>> {
        let mut found = Vec::with_capacity(names.len());
        for names in names.chunks(AT_ONCE) {
            let mut lines = names.join("\n");
            lines.push('\n');
            self.questions.write_all(lines.as_bytes())?;
            for _ in names {
                found.push(self.header()?);
            }
        }
        Ok(found)
    }

    /// What an object is, and its bytes.
    pub fn contents(&mut self, name: &str) -> io::Result<Option<(Header, Vec<u8>)>> {
        self.questions.write_all(format!("{name}\n").as_bytes())?;
        let Some(header) = self.header()? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        (&mut self.answers).take(header.size as u64).read_to_end(&mut bytes)?;
        let mut end = [0];
        self.answers.read_exact(&mut end)?;
        if bytes.len() != header.size || end != *b"\n" {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "git's answer was cut short"));
        }
        Ok(Some((header, bytes)))
    }

    /// `<oid> <type> <size>`, or `<name> missing`.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut line = Vec::new();
        self.answers.read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        let Some(line) = line.strip_suffix('\n') else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        parse(line).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("`{line}`")))
    }

    /// What went wrong, in git's words where it has any.
    pub fn why(mut self, error: &io::Error) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it said last may still be on its way.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => "git ended early".to_owned(),
            _ => format!("git gave an unexpected answer: {error}"),
        };
        if said.is_empty() { what } else { format!("{what}: {}", first_error(&said)) }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(line: &str) -> Option<Option<Header>> {
    if line.ends_with(" missing") {
        return Some(None);
    }
    let mut words = line.split(' ');
    let header = Header {
        oid: words.next()?.to_owned(),
        kind: words.next()?.to_owned(),
        size: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(Some(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let header = Header { oid: "ab".to_owned(), kind: "blob".to_owned(), size: 3 };
        assert_eq!(parse("ab blob 3"), Some(Some(header)));
        assert_eq!(parse("ab missing"), Some(None));
        for line in ["", "ab", "ab ambiguous", "ab blob", "ab blob x", "ab blob 3 4"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_child_that_ends_is_told_of() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'fatal: it broke' >&2; read x; exit 3"]);
        let mut batch = Batch::start(command).expect("a shell");
        let error = batch.contents("ab").expect_err("no answer");
        assert_eq!(batch.why(&error), "git ended early: it broke");
    }

    #[test]
    fn an_answer_that_is_cut_short_is_none() {
        for said in ["ab blob 3\\nxy", "ab blob 3\\nxyzw", "ab blob"] {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("read x; printf '{said}'")]);
            let mut batch = Batch::start(command).expect("a shell");
            assert!(batch.contents("ab").is_err(), "{said}");
        }
    }
}
