//! The command line of the git that runs a hook: the environment tells nothing of `--amend`, `--cleanup` and
//! `--allow-empty-message`.

use std::sync::OnceLock;

use lane_core::report::quote;

/// What was typed after `git commit` or `git merge`, as far as hooks ask. All of it is off where that is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// `--amend`
    pub amends: bool,
    /// `--cleanup=<mode>`
    pub cleanup: Option<String>,
    /// `--verbose`: what stands below the scissors is cut off.
    pub is_verbose: bool,
    /// `--allow-empty-message`
    pub allows_empty_message: bool,
    /// `--template=<file>`
    pub template: Option<String>,
    /// `git commit --no-verify`
    pub skips_hooks: bool,
    /// A command that makes commits without pre-commit, whatever its options are: what it starts first is another hook.
    pub has_no_pre_commit: bool,
    /// `git commit` itself has started this process: nothing stands between.
    pub is_parent_commit: bool,
    /// `--include`, `--patch`, `--interactive`: what is staged already is committed too, though paths are named.
    pub includes: bool,
    /// The same command for a shell, but for `-a`, with a place for paths that are left out: `{others}` after `-a`,
    /// else `{but}`. `None` where it cannot be typed again, or is too long to show.
    pub without_all: Option<String>,
}

/// The commands that start prepare-commit-msg without pre-commit before it: githooks(5).
const WITHOUT_PRE_COMMIT: [&str; 5] = ["cherry-pick", "merge", "pull", "rebase", "revert"];

/// A command that is longer is not shown.
const LONGEST: usize = 600;

impl Invocation {
    /// That of this process's git, read once.
    pub fn of_process() -> &'static Self {
        static READ: OnceLock<Invocation> = OnceLock::new();
        READ.get_or_init(|| {
            let Some((generation, words)) = ancestor() else { return Self::default() };
            let parsed = Self::parse(&words);
            Self { is_parent_commit: generation == 0 && parsed.is_parent_commit, ..parsed }
        })
    }

    /// Parses a whole command line of git, abbreviations of long options included.
    fn parse(words: &[String]) -> Self {
        let mut said = Self::default();
        let all = words;
        let mut words = words.iter().skip(1).map(String::as_str);
        // Options of git itself, up to the command.
        let mut command = "";
        while let Some(word) = words.next() {
            match word {
                "-c" | "-C" | "--git-dir" | "--work-tree" | "--namespace" | "--config-env"
                | "--attr-source" => {
                    words.next();
                }
                word if word.starts_with('-') => {}
                word => {
                    command = word;
                    break;
                }
            }
        }
        let commits = command == "commit";
        said.is_parent_commit = commits;
        said.has_no_pre_commit = WITHOUT_PRE_COMMIT.contains(&command);
        said.without_all = if commits { without_all(all, words.len()) } else { None };
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                said.read_long(long, commits, &mut words);
            } else if let Some(short) = word.strip_prefix('-') {
                said.read_short(short, commits, &mut words);
            }
        }
        said
    }

    /// Reads a long option, and the next word where that is its value.
    fn read_long<'w>(&mut self, long: &str, commits: bool, words: &mut impl Iterator<Item = &'w str>) {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let mut value = || value.clone().or_else(|| words.next().map(str::to_owned));
        match Long::from_name(name) {
            Some(Long::Amend) => self.amends = true,
            Some(Long::Cleanup) => self.cleanup = value(),
            Some(Long::Verbose) => self.is_verbose = true,
            Some(Long::AllowEmptyMessage) => self.allows_empty_message = true,
            Some(Long::NoVerify) => self.skips_hooks = commits,
            Some(Long::Include) => self.includes = commits,
            Some(Long::Template) => self.template = value(),
            Some(Long::OtherWithValue) => drop(value()),
            None => {}
        }
    }

    /// Reads short options in one word, and the next word where that is the value of the last.
    fn read_short<'w>(&mut self, short: &str, commits: bool, words: &mut impl Iterator<Item = &'w str>) {
        for (at, letter) in short.char_indices() {
            let rest = &short[at + letter.len_utf8()..];
            match letter {
                'v' => self.is_verbose = true,
                'n' => self.skips_hooks = commits,
                'i' | 'p' => self.includes = commits,
                'm' | 'F' | 'C' | 'c' | 't' => {
                    let value = match rest {
                        "" => words.next().map(str::to_owned),
                        rest => Some(rest.to_owned()),
                    };
                    if letter == 't' {
                        self.template = value;
                    }
                    break;
                }
                // The value of these is in the same word, if they have one.
                'S' | 'u' | 'X' => break,
                _ => {}
            }
        }
    }
}

/// The command without `-a`. `rest`: how many words follow `commit`.
fn without_all(all: &[String], rest: usize) -> Option<String> {
    let (head, options) = all.split_at(all.len() - rest);
    let mut words: Vec<String> =
        std::iter::once("git".to_owned()).chain(head.iter().skip(1).cloned()).collect();
    let (mut has_all, mut is_value, mut is_path) = (false, false, false);
    for word in options {
        if is_value || is_path || !word.starts_with('-') {
            // What came from standard input cannot be had again.
            if is_value && word == "-" {
                return None;
            }
            words.push(word.clone());
            is_value = false;
            continue;
        }
        if let Some(long) = word.strip_prefix("--") {
            is_path = long.is_empty();
            if long == "all" {
                has_all = true;
                continue;
            }
            if long.starts_with("pathspec-from-file") || long == "file=-" {
                return None;
            }
            is_value = !long.contains('=')
                && matches!(
                    Long::from_name(long),
                    Some(Long::Cleanup | Long::Template | Long::OtherWithValue)
                );
            words.push(word.clone());
            continue;
        }
        let short = &word[1..];
        let end = short.find(['m', 'F', 'C', 'c', 't', 'S', 'u']).unwrap_or(short.len());
        let (flags, value) = short.split_at(end);
        has_all |= flags.contains('a');
        is_value = value.len() == 1 && !value.starts_with(['S', 'u']);
        if value == "F-" {
            return None;
        }
        let kept = format!("-{}{value}", flags.replace('a', ""));
        if kept.len() > 1 {
            words.push(kept);
        }
    }
    let text: Vec<String> = words.iter().map(|word| quote(word.as_bytes())).collect();
    let text = text.join(" ");
    let end = if has_all { " -- {others}" } else { " {but}" };
    (text.len() <= LONGEST && !text.contains('{')).then(|| text + end)
}

/// A long option that means something here, or takes the next word.
enum Long {
    Amend,
    Cleanup,
    Verbose,
    AllowEmptyMessage,
    NoVerify,
    Include,
    Template,
    OtherWithValue,
}

impl Long {
    /// The option of a name, which may be cut short as far as git takes it.
    fn from_name(name: &str) -> Option<Self> {
        let is = |whole: &str, least: usize| name.len() >= least && whole.starts_with(name);
        let with_values = [
            "message",
            "file",
            "author",
            "date",
            "reuse-message",
            "reedit-message",
            "fixup",
            "squash",
            "trailer",
        ];
        Some(match name {
            _ if is("amend", 2) => Self::Amend,
            _ if is("cleanup", 2) => Self::Cleanup,
            _ if is("verbose", 5) => Self::Verbose,
            _ if is("allow-empty-message", 12) => Self::AllowEmptyMessage,
            _ if is("no-verify", 7) => Self::NoVerify,
            _ if is("include", 3) || is("interactive", 3) || name == "patch" => Self::Include,
            _ if is("template", 2) => Self::Template,
            _ if with_values.contains(&name) || name == "pathspec-from-file" => Self::OtherWithValue,
            _ => return None,
        })
    }
}

/// The command line of the nearest git that this process descends from, and how many processes stand between: those of a
/// hook manager may.
#[cfg(target_os = "linux")]
fn ancestor() -> Option<(usize, Vec<String>)> {
    const GENERATIONS: usize = 6;
    let mut pid = lane_os::parent_id();
    for generation in 0..GENERATIONS {
        // `pid (name) state ppid …`, where the name may hold anything: proc(5).
        let stat = beginning(&format!("/proc/{pid}/stat"))?;
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        // Wrappers start git under a name of their own, such as `.git-wrapped`.
        if memchr::memmem::find(&stat[..end], b"git").is_some()
            && let Some(words) = git_line(pid)
        {
            return Some((generation, words));
        }
        let mut fields = std::str::from_utf8(&stat[end + 1..]).ok()?.split_ascii_whitespace();
        pid = fields.nth(1)?.parse().ok().filter(|pid| *pid > 1)?;
    }
    None
}

/// The words that started a process, if it is git.
#[cfg(target_os = "linux")]
fn git_line(pid: u32) -> Option<Vec<String>> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let words: Vec<String> = words.collect();
    let program = words.first().and_then(|program| program.rsplit('/').next());
    (program == Some("git")).then_some(words)
}

/// What a file of the system begins with. It does not know its size, and reading it to its end takes several tries.
#[cfg(target_os = "linux")]
fn beginning(path: &str) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut text = vec![0; 512];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut text)).ok()?;
    text.truncate(read);
    Some(text)
}

#[cfg(not(target_os = "linux"))]
fn ancestor() -> Option<(usize, Vec<String>)> {
    None
}

#[cfg(test)]
mod tests {
    use super::Invocation;

    fn parsed(line: &str) -> Invocation {
        Invocation::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_of_commit() {
        let said = parsed("git -c a.b=c commit -qav --cleanup=strip --allow-empty-message -t x --amend");
        assert_eq!(said.cleanup.as_deref(), Some("strip"));
        assert_eq!(said.template.as_deref(), Some("x"));
        assert!(said.is_verbose && said.allows_empty_message && said.amends);
        assert_eq!(parsed("git commit --cl verbatim").cleanup.as_deref(), Some("verbatim"));
        assert!(parsed("git commit --ame").amends);
        assert!(said.is_parent_commit && !parsed("git -c commit merge").is_parent_commit);
        for line in
            ["git commit --no-verify", "git commit -nm x", "git -C x commit -qan", "git commit --no-verif"]
        {
            assert!(parsed(line).skips_hooks, "{line}");
        }
        for line in ["git commit -i x", "git commit -qpm x", "git commit --include x", "git commit --patch"] {
            assert!(parsed(line).includes, "{line}");
        }
        assert!(!parsed("git commit -mi x").includes && !parsed("git commit -am pi").includes);
        assert!(!parsed("git merge -n x").skips_hooks && !parsed("git commit -mn").skips_hooks);
        assert!(
            parsed("git -c a=b rebase main").has_no_pre_commit
                && !parsed("git commit -m pull").has_no_pre_commit
        );
    }

    #[test]
    fn the_same_command_again() {
        let again = |line: &str| parsed(line).without_all.unwrap_or_default();
        assert_eq!(again("/usr/bin/git -c a=b commit -qam x"), "git -c a=b commit -qm x -- {others}");
        assert_eq!(again("git commit -a --message it's"), r"git commit --message 'it'\''s' -- {others}");
        assert_eq!(again("git commit -m -a x y"), "git commit -m -a x y {but}");
        assert_eq!(again("git commit --all -mall -- -a"), "git commit -mall -- -a -- {others}");
        assert_eq!(again("git commit -F - -a"), "");
        assert_eq!(again("git ci -a"), "", "an alias starts another git");
    }

    #[test]
    fn values_and_paths_are_no_options() {
        let none = Invocation { is_parent_commit: true, ..Invocation::default() };
        for line in [
            "git commit -m --amend",
            "git commit -am --cleanup=strip",
            "git commit --message --amend -- --verbose",
            "git -C --amend commit",
            "git commit -Sv -uno",
            "git commit --allow-empty",
        ] {
            assert_eq!(Invocation { without_all: None, ..parsed(line) }, none, "{line}");
        }
    }
}
