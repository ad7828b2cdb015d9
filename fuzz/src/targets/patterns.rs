//! Patterns against git itself: one `git check-ignore` for all inputs, which reads a pattern anew for each of them.
//!
//! Input: a line of up to four patterns with a tab between them, and below it paths; a slash at the end makes a path a folder. git is
//! asked about the first pattern, and the others are held to it: a set of them answers as each does by itself.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::Pattern;
use tempfile::TempDir;

/// As many paths for each pattern, and as long patterns.
const PATHS: usize = 8;
const LONGEST: usize = 64;

/// A git that waits for paths. It reads the `.gitignore` of a folder when it comes to it from another one.
struct Git {
    folder: TempDir,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    turn: bool,
}

thread_local! {
    static GITS: RefCell<[Option<Git>; 2]> = const { RefCell::new([None, None]) };
}

impl Git {
    fn start(fold: bool) -> std::io::Result<Self> {
        let folder = super::scratch()?;
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            super::plain_git(&mut command, folder.path());
            command.args(args);
            command
        };
        git(&["init", "--quiet", "--template="]).status()?;
        for name in ["0", "1"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        let ignore_case = format!("core.ignoreCase={fold}");
        let mut child = git(&["-c", &ignore_case, "check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else { unreachable!("both are pipes") };
        Ok(Self { folder, child, input, output: BufReader::new(output), turn: false })
    }

    /// Which of the paths are ignored by a line of a `.gitignore` beside them.
    fn ignored(&mut self, line: &[u8], paths: &[&[u8]]) -> std::io::Result<Vec<bool>> {
        self.turn = !self.turn;
        let name: &[u8] = if self.turn { b"1" } else { b"0" };
        let folder = self.folder.path().join(if self.turn { "1" } else { "0" });
        std::fs::write(folder.join(".gitignore"), [line, b"\n"].concat())?;
        let asked: Vec<u8> = paths.iter().flat_map(|path| [name, b"/", path, b"\0"].concat()).collect();
        self.input.write_all(&asked)?;
        self.input.flush()?;
        let mut answers = Vec::new();
        for path in paths {
            // The file, the line in it and the pattern, all empty where nothing matches, and the path.
            let mut fields: Vec<Vec<u8>> = Vec::new();
            for _ in 0..4 {
                let mut field = Vec::new();
                self.output.read_until(0, &mut field)?;
                fields.push(field);
            }
            assert!(fields[3].ends_with(&[*path, b"\0"].concat()), "git answered something else");
            answers.push(fields[2].len() > 1);
        }
        Ok(answers)
    }
}

impl Drop for Git {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pattern as a line of `.gitignore` that means it. `None`: a file of lines cannot say it.
fn line_of(pattern: &str) -> Option<Vec<u8>> {
    let is_odd = pattern.contains(['\n', '\r', '\0']) || pattern.ends_with([' ', '\t']);
    let comment = if pattern.starts_with('#') { "\\" } else { "" };
    (!is_odd).then(|| format!("{comment}{pattern}").into_bytes())
}

fn is_path(path: &[u8]) -> bool {
    let names = path.strip_suffix(b"/").unwrap_or(path).split(|byte| *byte == b'/');
    path.len() <= 4 * LONGEST
        && names.into_iter().all(|name| {
            let is_git = name.len() >= 4 && name[..4].eq_ignore_ascii_case(b".git");
            !matches!(name, b"" | b"." | b"..") && !name.contains(&0) && !is_git
        })
}

/// Where git's answer is another one than gitignore(5) has, or than a walk of folders would give.
fn is_gits_own(text: &str, path: &[u8], fold: bool) -> bool {
    // Given `a/`, check-ignore lets a star match the nothing behind the slash.
    let is_behind_slash = path.ends_with(b"/") && text.contains('*');
    // Of `a**/b` it takes `a` off, and has a `**` left that begins the pattern.
    let is_cut = text.match_indices("**").any(|(at, _)| at > 0 && !text[..at].ends_with(['/', '*']));
    // Ignoring case, a capital letter in brackets or behind a backslash matches nothing.
    let is_capital = fold && text.contains(['[', '\\']) && text.contains(|c: char| c.is_ascii_uppercase());
    is_behind_slash || is_cut || is_capital
}

/// Runs the target.
pub fn run(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let head = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let texts: Vec<&str> = head.split('\t').take(4).filter(|text| text.len() <= LONGEST).collect();
    let patterns: Vec<(&str, Pattern)> =
        texts.into_iter().filter_map(|text| Some((text, Pattern::new(text).ok()?))).collect();
    let paths: Vec<&[u8]> = lines.filter(|path| is_path(path)).take(PATHS).collect();
    let Some((text, first)) = patterns.first().filter(|_| !paths.is_empty()) else { return };
    for fold in [false, true] {
        together(&patterns, &paths, fold);
        let Some(line) = line_of(text) else { continue };
        let theirs = GITS.with_borrow_mut(|gits| {
            let git = gits[usize::from(fold)].get_or_insert_with(|| Git::start(fold).expect("git starts"));
            git.ignored(&line, &paths).expect("git answers")
        });
        for (path, theirs) in paths.iter().zip(theirs) {
            if is_gits_own(text, path, fold) {
                continue;
            }
            let shown = String::from_utf8_lossy(path);
            assert_eq!(has(first, path, fold), theirs, "`{text}` and `{shown}`, fold {fold}");
        }
    }
}

fn split(path: &[u8]) -> (&[u8], bool) {
    match path.strip_suffix(b"/") {
        Some(path) => (path, true),
        None => (path, false),
    }
}

fn has(pattern: &Pattern, path: &[u8], fold: bool) -> bool {
    let (path, is_folder) = split(path);
    pattern.matches(path, is_folder, fold)
}

/// A set says of each path what the patterns say one by one.
fn together(patterns: &[(&str, Pattern)], paths: &[&[u8]], fold: bool) {
    let mut set = PathSet::new(fold);
    for (id, (_, pattern)) in patterns.iter().enumerate() {
        set.insert(pattern, id);
    }
    for path in paths {
        let (plain, is_folder) = split(path);
        let mut found: Vec<usize> = Vec::new();
        set.each_match(plain, is_folder, |id| found.push(id));
        found.sort_unstable();
        found.dedup();
        let expected: Vec<usize> =
            (0..patterns.len()).filter(|id| has(&patterns[*id].1, path, fold)).collect();
        assert_eq!(found, expected, "{}, fold {fold}", String::from_utf8_lossy(path));
    }
}
