//! Messages of commits: subject and trailers against git's own, tidying against git's as libgit2 has it, and what is left out of
//! long histories without loss.
//!
//! Input: the message.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lane_core::facts::{Message, People};
use tempfile::TempDir;

/// A commit without a message: its tree is the empty one, which every git knows.
const HEADER: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
                      author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\n";
/// What the format ends in, and what git repeats because it is no commit.
const END: &str = "\u{1}end\n";
const FORMAT: &str = "--pretty=tformat:%s%x00%(trailers:only=true,unfold=true)%x00";
/// git remembers every commit that it was asked about.
const MOST: usize = 50_000;

/// A git that waits for commits, and the repository that they are written to.
struct Git {
    folder: TempDir,
    repo: git2::Repository,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: usize,
}

thread_local! {
    static GIT: RefCell<Option<Git>> = const { RefCell::new(None) };
}

impl Git {
    fn start() -> std::io::Result<Self> {
        let folder = super::scratch()?;
        let repo = git2::Repository::init_bare(folder.path()).map_err(std::io::Error::other)?;
        let mut git = Command::new("git");
        super::plain_git(&mut git, folder.path());
        git.args(["diff-tree", "--stdin", "-s", "--always", FORMAT]);
        let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are pipes")
        };
        Ok(Self { folder, repo, child, input, output: BufReader::new(output), asked: 0 })
    }

    /// What git says of a message: its subject, and its trailers, a line for each.
    fn says(&mut self, message: &str) -> std::io::Result<(String, String)> {
        let commit = [HEADER, message].concat();
        let odb = self.repo.odb().map_err(std::io::Error::other)?;
        let oid = odb.write(git2::ObjectType::Commit, commit.as_bytes()).map_err(std::io::Error::other)?;
        let hex = oid.to_string();
        self.input.write_all(format!("{hex}\n{END}").as_bytes())?;
        self.input.flush()?;
        let mut answer = Vec::new();
        while !answer.ends_with(END.as_bytes()) {
            if self.output.read_until(b'\n', &mut answer)? == 0 {
                return Err(std::io::Error::other("git has ended"));
            }
        }
        std::fs::remove_file(self.folder.path().join("objects").join(&hex[..2]).join(&hex[2..]))?;
        self.asked += 1;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let mut fields = text.split('\0').map(str::to_owned);
        Ok((fields.next().unwrap_or_default(), fields.next().unwrap_or_default()))
    }
}

impl Drop for Git {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the target.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input).into_owned();
    let message = Message { text };
    tidy(&message);
    condensed(&message);
    asked(&message);
    for person in message.sign_offs() {
        assert!(!person.name.contains('\n') && !person.email.contains(['\n', '>']));
    }
    let _ = (message.is_of_merge(), message.first_line(), message.lock_tokens(), message.has_body());
    let raw = [b"tree x\nauthor A <a@b> 1 +0000\ncommitter ".as_slice(), input].concat();
    let _ = People::of_commit(&raw);
}

/// As git-stripspace(1) does it.
fn tidy(message: &Message) {
    let tidy = message.tidy();
    let again = Message { text: tidy.clone() };
    assert_eq!(again.tidy(), tidy, "tidied once more");
    assert_eq!(again.subject(), message.subject());
    // libgit2 takes two more characters for blanks than git does.
    if message.text.contains(['\0', '\u{b}', '\u{c}']) {
        return;
    }
    if let Ok(theirs) = git2::message_prettify(message.text.as_str(), None) {
        assert_eq!(tidy, theirs.strip_suffix('\n').unwrap_or(&theirs), "git tidies it in another way");
    }
}

/// Nothing that rules read is in what is left out.
fn condensed(message: &Message) {
    let short = message.clone().without_prose();
    assert_eq!(short.subject(), message.subject());
    assert_eq!(short.first_line(), message.first_line());
    assert_eq!(short.trailers(), message.trailers());
    assert_eq!(short.lock_lines(), message.lock_lines());
    assert_eq!(short.is_of_merge(), message.is_of_merge());
    assert_eq!(short.clone().without_prose(), short, "once more");
}

/// As git has them in a commit.
fn asked(message: &Message) {
    // git forgets where conflicts begin if nothing stands before them.
    let is_conflicts = message.first_line() == "Conflicts:";
    // Trailers below scissors count, since the hook writes them there with another character for comments.
    let is_cut = message.text.contains("# ------------------------ >8 ------------------------");
    if is_conflicts || is_cut || message.text.contains('\0') || message.text.contains(END) {
        return;
    }
    let (subject, trailers) = GIT.with_borrow_mut(|git| {
        git.take_if(|git| git.asked >= MOST);
        let git = git.get_or_insert_with(|| Git::start().expect("git starts"));
        // A message that is cleaned has lost the end of its last line, which its commit has.
        let text = message.text.strip_suffix('\n').unwrap_or(&message.text);
        git.says(&format!("{text}\n")).expect("git answers")
    });
    let ours: String = message.trailers().iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    // Where a value goes on, git keeps the blanks at the end of the line before.
    let plain = |text: &str| {
        text.split([' ', '\t', '\r']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(plain(&ours), plain(&trailers), "git reads other trailers");
    assert_eq!(message.subject(), subject.trim_start_matches([' ', '\t', '\r']), "git reads another subject");
}
