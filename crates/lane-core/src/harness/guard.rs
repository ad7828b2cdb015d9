//! Commands that go round the hooks, and the files that commands say plainly that they write.

use super::Edit;
use super::copy;
use super::patch;
use super::shell::{Command, join};

/// Why a command is refused, and the lawful way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bypass {
    /// What it would do.
    pub what: String,
    /// What to do instead.
    pub help: &'static str,
}

impl Bypass {
    fn new(what: impl Into<String>, help: &'static str) -> Self {
        Self { what: what.into(), help }
    }
}

const COMMIT: &str = "commit without it, and read what the hook says";
const PUSH: &str = "push without it: git lane push";
const LEASE: &str = "replace your own pushed branch with a lease: git lane push --force-with-lease";
const HOOKS: &str = "leave git's hooks as they are; if they are broken: git lane doctor";
/// What to do instead of an edit of git's own folder.
pub const INTERNALS: &str =
    "git's own folder is changed by git commands alone; if the hooks are broken: git lane doctor";
const REMOVE: &str = "have it removed with nothing lost: git lane teardown ID";
const STEAL: &str =
    "say why: git lane lock --steal --reason '…' NAME\nor wait in line: git lane lock --wait 30m NAME";
const UNINSTALL: &str = "a maintainer uninstalls; if the hooks are broken: git lane doctor";

/// As many words of a command are looked at where its line cannot be read.
const LONGEST: usize = 64;

/// Why a command may not be run, if it may not.
pub fn bypass(command: &Command) -> Option<Bypass> {
    let program = command.program();
    if let Some(word) = reaches_into_git(command) {
        return Some(Bypass::new(format!("changes `{word}`"), INTERNALS));
    }
    if let Some(found) = of_variables(command) {
        return Some(found);
    }
    match program? {
        "git" => of_git(command),
        "git-lane" => of_lane(&literal_words(&command.words[1..])),
        "export" | "declare" | "typeset" => literal_words(&command.words[1..]).iter().find_map(|word| {
            let (name, value) = word.split_once('=')?;
            variable(name, Some(value))
        }),
        _ => None,
    }
}

/// The same of a line that cannot be read: what its words would do if they were taken as they stand, wherever a command may begin. No
/// hook of git might look at what comes of it.
pub fn bypass_in_text(line: &str) -> Option<Bypass> {
    let ends = |c: char| ";|&()`\n{}".contains(c);
    line.split(ends).find_map(|part| {
        let bare = |word: &str| word.trim_matches(|c| "'\"\\".contains(c)).to_owned();
        let words: Vec<String> = part.split_whitespace().map(bare).collect();
        let begins = |word: &String| matches!(word.rsplit('/').next(), Some("git" | "git-lane"));
        let at = words.iter().enumerate().filter(|(_, word)| begins(word)).map(|(at, _)| at);
        at.map(|at| &words[at..words.len().min(at + LONGEST)]).find_map(|words| {
            let words = words.iter().cloned().map(Some).collect();
            bypass(&Command { words, ..Command::default() })
        })
    })
}

/// The words that are known, with nothing in place of the others.
fn literal_words(words: &[Option<String>]) -> Vec<&str> {
    words.iter().map(|word| word.as_deref().unwrap_or_default()).collect()
}

fn of_variables(command: &Command) -> Option<Bypass> {
    command.variables.iter().find_map(|(name, value)| variable(name, value.as_deref()))
}

/// Variables by which git is told of other hooks.
fn variable(name: &str, value: Option<&str>) -> Option<Bypass> {
    let value = value.unwrap_or_default().to_ascii_lowercase();
    let is_config = name == "GIT_CONFIG_PARAMETERS" || name.starts_with("GIT_CONFIG_KEY_");
    let is_bypass = is_config && (value.contains("core.hookspath") || value.contains("hook."));
    is_bypass.then(|| Bypass::new(format!("sets git's hooks by the variable {name}"), HOOKS))
}

fn of_git(command: &Command) -> Option<Bypass> {
    let words = literal_words(&command.words);
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let value = words.get(at + 1).copied().unwrap_or_default();
        let setting = match *word {
            "-c" | "--config-env" => Some(value),
            _ => word.strip_prefix("--config-env="),
        };
        if let Some(key) = setting.map(key_of).filter(|key| is_of_hooks(key)) {
            return Some(Bypass::new(format!("sets `{key}`"), HOOKS));
        }
        let takes_one =
            ["-c", "-C", "--git-dir", "--work-tree", "--namespace", "--config-env", "--attr-source"];
        at += if takes_one.contains(word) { 2 } else { 1 };
    }
    let rest = words.get(at + 1..).unwrap_or_default();
    // What follows `--` is no option.
    let options = rest.split(|word| *word == "--").next().unwrap_or_default();
    let has = |long: &str| options.contains(&long);
    let subcommand = *words.get(at)?;
    match subcommand {
        "lane" => return of_lane(rest),
        "config" => return of_config(rest),
        "worktree" if rest.first() == Some(&"remove") && (has("--force") || has_letter(options, 'f', "")) => {
            return Some(Bypass::new("removes a worktree with what is in it", REMOVE));
        }
        "push" if is_forced(options) => {
            return Some(Bypass::new("pushes over what others may have pushed", LEASE));
        }
        _ => {}
    }
    let skips =
        options.iter().any(|word| word.len() >= "--no-veri".len() && "--no-verify".starts_with(*word));
    let skips = skips
        && matches!(subcommand, "commit" | "merge" | "push" | "am" | "rebase" | "pull" | "cherry-pick")
        || subcommand == "commit" && has_letter(options, 'n', "mFCctSu");
    skips.then(|| {
        let help = if subcommand == "push" { PUSH } else { COMMIT };
        Bypass::new(format!("skips the hooks of git {subcommand}"), help)
    })
}

/// Whether a letter is among short options. `values`: the letters of options whose value follows.
fn has_letter(options: &[&str], letter: char, values: &str) -> bool {
    let mut is_value = false;
    options.iter().any(|word| {
        if std::mem::take(&mut is_value) {
            return false;
        }
        let Some(short) = word.strip_prefix('-').filter(|short| !short.starts_with('-')) else {
            return false;
        };
        for (at, found) in short.char_indices() {
            if found == letter {
                return true;
            }
            if values.contains(found) {
                is_value = at + 1 == short.len() && !"Su".contains(found);
                return false;
            }
        }
        false
    })
}

/// Whether a push is forced, and no lease holds it.
fn is_forced(options: &[&str]) -> bool {
    let is_plain =
        options.contains(&"--force") || options.contains(&"--mirror") || has_letter(options, 'f', "o");
    let has_lease = options.iter().any(|word| word.starts_with("--force-with-lease"));
    is_plain || !has_lease && options.iter().any(|word| word.starts_with('+'))
}

/// The key of `key=value`, in small letters.
fn key_of(setting: &str) -> String {
    setting.split('=').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether git's hooks, or whose worktree it is, depend on a key.
fn is_of_hooks(key: &str) -> bool {
    key == "core.hookspath"
        || key == "extensions.worktreeconfig"
        || key.starts_with("hook.")
        || key.starts_with("lane.")
}

/// `git config`: only what writes.
fn of_config(words: &[&str]) -> Option<Bypass> {
    const READS: [&str; 8] =
        ["--get", "--get-all", "--get-regexp", "--list", "-l", "get", "list", "--get-urlmatch"];
    const REMOVES: [&str; 6] =
        ["--unset", "--unset-all", "unset", "--remove-section", "remove-section", "--rename-section"];
    let takes_one = ["-f", "--file", "--blob", "--type", "--default", "--comment"];
    let (mut names, mut at) = (Vec::new(), 0);
    while let Some(word) = words.get(at) {
        if takes_one.contains(word) {
            at += 1;
        } else if !word.starts_with('-') {
            names.push(*word);
        }
        at += 1;
    }
    if words.iter().any(|word| READS.contains(word)) {
        return None;
    }
    let removes = words.iter().any(|word| REMOVES.contains(word));
    let names: Vec<&str> = names
        .into_iter()
        .filter(|name| !["set", "unset", "remove-section", "rename-section"].contains(name))
        .collect();
    let key = names.first()?.to_ascii_lowercase();
    // A section's name stands for all of its keys.
    let is_section =
        matches!(key.as_str(), "core" | "hook" | "lane" | "extensions") || key.starts_with("hook.");
    let writes = names.len() > 1 || removes;
    let concerns = is_of_hooks(&key) || removes && is_section;
    (writes && concerns).then(|| Bypass::new(format!("sets `{key}`"), HOOKS))
}

/// `git lane`
fn of_lane(words: &[&str]) -> Option<Bypass> {
    let has = |long: &str| words.iter().any(|word| word.split('=').next() == Some(long));
    match words.iter().find(|word| !word.starts_with('-')).copied()? {
        "uninstall" => Some(Bypass::new("takes the hooks away", UNINSTALL)),
        "lock" if has("--steal") && !has("--reason") => {
            Some(Bypass::new("takes somebody's lock without a reason", STEAL))
        }
        _ => None,
    }
}

/// The first file in git's own folder that a command writes to, or makes git pass over by its mode.
fn reaches_into_git(command: &Command) -> Option<String> {
    let is_inside = |path: &str| path.split('/').any(|part| part.eq_ignore_ascii_case(".git"));
    let is_mode = matches!(command.program(), Some("chmod" | "chown" | "chgrp" | "setfacl"));
    let modes = operands(command.words.get(1..).filter(|_| is_mode).unwrap_or_default(), "");
    let folder = command.folder.as_deref().unwrap_or_default();
    let written = writes(command).into_iter().map(|edit| edit.path);
    written.chain(modes.into_iter().map(|path| join(folder, path))).find(|path| is_inside(path))
}

/// The files that a command says plainly that it writes or takes away, from where its line begins. Where it copies into a folder,
/// the folder is named.
pub fn writes(command: &Command) -> Vec<Edit> {
    let mut edits: Vec<Edit> = command.writes.iter().flatten().map(Edit::write).collect();
    edits.extend(of_program(command));
    // Where it runs is not known: only what is named from the root is.
    let folder = command.folder.as_deref();
    edits.retain(|edit| !edit.path.is_empty() && (folder.is_some() || edit.path.starts_with('/')));
    for edit in &mut edits {
        edit.path = join(folder.unwrap_or_default(), &edit.path);
        for source in &mut edit.sources {
            *source = join(folder.unwrap_or_default(), source);
        }
    }
    edits
}

fn of_program(command: &Command) -> Vec<Edit> {
    let (Some(program), words) = (command.program(), command.words.get(1..).unwrap_or_default()) else {
        return Vec::new();
    };
    let plain = |values: &str| operands(words, values);
    match program {
        "tee" | "touch" | "mkfifo" => plain("dtr").into_iter().map(Edit::write).collect(),
        "truncate" => plain("sr").into_iter().map(Edit::write).collect(),
        "rm" | "unlink" | "shred" => plain("n").into_iter().map(Edit::delete).collect(),
        "cp" | "install" | "ln" | "mv" => copy::edits(program, words),
        "sed" if in_place(words) => script_and_files(words, "ef"),
        "perl" if in_place(words) => script_and_files(words, "eEI"),
        "dd" => {
            literal_words(words).iter().filter_map(|word| word.strip_prefix("of=")).map(Edit::write).collect()
        }
        "apply_patch" => {
            let text = command.input.as_deref().or(words.first().and_then(|word| word.as_deref()));
            patch::edits(text.unwrap_or_default())
        }
        "git" => match words.first().and_then(|word| word.as_deref()) {
            Some("rm") if !literal_words(words).contains(&"--cached") => {
                operands(&words[1..], "").into_iter().map(Edit::delete).collect()
            }
            Some("mv") => copy::edits("mv", &words[1..]),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The words that are no options. `values`: the letters of options that take the next word; nothing is said of a command with
/// such an option in its long form that names a folder.
fn operands<'w>(words: &'w [Option<String>], values: &str) -> Vec<&'w str> {
    let (mut found, mut is_value, mut is_path) = (Vec::new(), false, false);
    for word in words {
        let Some(word) = word.as_deref() else {
            // Which one is the last is not known any more, but the place is taken.
            if !is_value {
                found.push("");
            }
            is_value = false;
            continue;
        };
        if std::mem::take(&mut is_value) {
        } else if is_path || !word.starts_with('-') || word == "-" {
            found.push(word);
        } else if word == "--" {
            is_path = true;
        } else if !word.starts_with("--") {
            is_value = word.len() == 2 && word.ends_with(|letter| values.contains(letter));
        }
    }
    found
}

/// Whether files are edited where they are.
fn in_place(words: &[Option<String>]) -> bool {
    literal_words(words).iter().any(|word| {
        let short = word.strip_prefix('-').filter(|short| !short.starts_with('-')).unwrap_or_default();
        // The letters after one that takes a value are the value.
        let letters = short.split(['e', 'f', 'E']).next().unwrap_or_default();
        letters.contains('i') || *word == "--in-place" || word.starts_with("--in-place=")
    })
}

/// The files behind a script, which is the first operand unless an option has given it.
fn script_and_files(words: &[Option<String>], scripts: &str) -> Vec<Edit> {
    let has_script = literal_words(words).iter().any(|word| {
        let short = word.strip_prefix('-').filter(|short| !short.starts_with('-')).unwrap_or_default();
        short.contains(|letter| scripts.contains(letter))
            || word.starts_with("--expression")
            || word.starts_with("--file")
    });
    // The value of an option in one cluster, `-pe 's/…/…/'`, is no file.
    let mut files = Vec::new();
    let mut is_value = false;
    for word in words {
        let word = word.as_deref().unwrap_or_default();
        if std::mem::take(&mut is_value) {
            continue;
        }
        match word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            Some(short) if !short.starts_with('-') => {
                is_value = short.ends_with(|letter| scripts.contains(letter) && letter != 'I');
            }
            Some(long) => is_value = matches!(long, "-expression" | "-file"),
            None => files.push(word),
        }
    }
    let skipped = usize::from(!has_script);
    files.into_iter().skip(skipped).map(Edit::write).collect()
}

#[cfg(test)]
mod tests;
