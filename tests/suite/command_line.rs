//! What surrounds the commands: help, near misses, completion in real shells, the manual page, the pager.

use std::path::Path;
use std::process::Command;

use crate::support::terminal::Tmux;
use crate::support::{LANE, Scratch, Worktree};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "powershell", "elvish"];

/// The command with git-lane on its path; `None`, and a word about it, where there is no such program.
fn with_lane(tree: &Worktree, program: &str) -> Option<Command> {
    if tree.command(program).arg("--version").output().is_err() {
        eprintln!("skipped: there is no {program} here");
        return None;
    }
    let folder = Path::new(LANE).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap();
    let mut command = tree.command(program);
    command.env("PATH", path).env("TERM", "dumb");
    Some(command)
}

#[track_caller]
fn said(mut command: Command) -> String {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn help_is_the_same_however_it_is_asked_for() {
    let scratch = Scratch::empty();
    let help = scratch.lane(&["-h"]).ok().says("Daily work:\n  status").says("\nLocks:\n").out;
    assert_eq!(scratch.lane(&["help"]).ok().out, help);
    assert_eq!(scratch.lane(&[]).fails(2).err, help);
    scratch.lane(&["help", "policy", "check"]).ok().says("Usage: git lane policy check [OPTIONS] [FILE]");
    scratch.lane(&["help", "policy", "chek"]).fails(2).says("did you mean `git lane policy check`?");
}

#[test]
fn help_shows_the_options_that_a_command_takes() {
    let scratch = Scratch::empty();
    scratch.lane(&["check", "-h"]).ok().says("sarif").says("--verbose").does_not_say("dotenv");
    scratch.lane(&["lock", "-h"]).ok().says("[possible values: text, json]").does_not_say("--verbose");
    scratch.lane(&["policy", "schema", "-h"]).ok().does_not_say("--format").does_not_say("--quiet");
    // Scripts may have them, before the command or after it.
    scratch.lane(&["--format", "json", "rule", "identity"]).ok().says("\"id\": \"identity\"");
    scratch.lane(&["rule", "identity", "-q", "--format", "json"]).ok().says("\"id\": \"identity\"");
    scratch.lane(&["lock", "common", "--format", "yaml"]).fails(2).says("[possible values: text, json]");
    scratch.lane(&["check", "--stagd"]).fails(2).says("'--staged'").says("try 'git lane help check'");
}

#[test]
fn words_of_other_tools_lead_to_commands_and_rules() {
    let scratch = Scratch::empty();
    for (typed, meant) in [
        ("claim", "lock"),
        ("release", "unlock"),
        ("fetch", "sync"),
        ("pull", "sync"),
        ("add", "setup"),
        ("new", "setup"),
        ("blame", "who"),
        ("owner", "who"),
        ("stauts", "status"),
    ] {
        scratch
            .lane(&[typed])
            .fails(2)
            .says(&format!("unknown command `git lane {typed}`"))
            .says(&format!("did you mean `git lane {meant}`?"));
    }
    scratch.lane(&["version"]).fails(2).says("git lane --version");
    scratch.lane(&["kubernetes"]).fails(2).says("`git lane help` lists all commands");
    scratch.lane(&["a\u{1b}[2J"]).fails(2).says("a\\x1b[2J");
    scratch.lane(&["rule", "size"]).ok().says("# oversized-change");
    scratch
        .lane(&["rule", "branch"])
        .ok()
        .says("branch-name")
        .says("protected-branch")
        .does_not_say("stale-base");
    // Every rule that says something of a message, and no other: their names say which.
    let named = |json: serde_json::Value| -> Vec<String> {
        let pages = json.as_array().unwrap().iter();
        pages.map(|page| page["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        named(scratch.lane(&["rule", "message", "--format", "json"]).ok().json()),
        [
            "untagged-message",
            "message-format",
            "message-pattern",
            "message-length",
            "missing-body",
            "missing-sign-off",
        ]
    );
}

#[test]
fn scripts_of_completion_are_read_by_their_shells() {
    let scratch = Scratch::empty();
    for shell in SHELLS {
        let script = scratch.lane(&["completions", shell]).ok().out;
        let file = scratch.home().join(shell);
        std::fs::write(&file, script).unwrap();
        if matches!(shell, "bash" | "zsh" | "fish")
            && let Some(mut command) = with_lane(&scratch.main(), shell)
        {
            command.arg("-n").arg(&file);
            assert_eq!(said(command), "", "{shell}");
        }
    }
    scratch
        .lane(&["completions", "tcsh"])
        .fails(2)
        .says("[possible values: bash, zsh, fish, powershell, elvish]");
}

/// What `git-lane complete` says.
fn completes(tree: &Worktree, words: &[&str]) -> Vec<String> {
    let index = words.len().to_string();
    let ran = tree.lane(&[&["complete", "bash", &index, "--", "git-lane"], words].concat()).ok();
    assert_eq!(ran.err, "");
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn values_of_the_policy_and_the_repository_complete() {
    let scratch = Scratch::new();
    scratch.git(&["branch", "feat/a1/x"]).ok();
    scratch.write("docs/x", "");
    let tree = scratch.main();
    assert_eq!(completes(&tree, &["sta"]), ["status"]);
    assert_eq!(completes(&tree, &["check", "--agent", ""]), ["a1", "a2", "a3", "a4"]);
    assert_eq!(completes(&tree, &["check", "--agent=a2"]), ["--agent=a2"]);
    assert_eq!(completes(&tree, &["check", "--branch", "f"]), ["feat/a1/x"]);
    assert_eq!(completes(&tree, &["check", "--format", "s"]), ["sarif"]);
    assert_eq!(completes(&tree, &["lock", "--format", ""]), ["text", "json"]);
    assert_eq!(completes(&tree, &["lock", "com"]), ["common"]);
    assert_eq!(completes(&tree, &["lock", "do"]), ["docs/"]);
    assert_eq!(completes(&tree, &["request", "submit", "--area", "mig"]), ["migrations"]);
    assert_eq!(completes(&tree, &["port", "rev"]), ["revenue"]);
    assert_eq!(completes(&tree, &["rule", "stale"]), ["stale-base"]);
    assert_eq!(
        completes(&tree, &["help", "policy", ""]),
        ["diff", "try", "codeowners", "check", "show", "schema", "test"]
    );
    assert!(completes(&tree, &["-"]).contains(&"-C".to_owned()));
    assert!(!completes(&tree, &[""]).contains(&"hook".to_owned()));
    // From elsewhere, as the command itself.
    let root = scratch.root();
    let home = Worktree { root: scratch.home(), ..tree };
    assert_eq!(completes(&home, &["-C", root.to_str().unwrap(), "teardown", "a"]), ["a1", "a2", "a3", "a4"]);
    assert_eq!(completes(&home, &["teardown", "a"]), Vec::<String>::new());
    assert_eq!(completes(&home, &["loc"]), ["lock", "locks"]);
}

#[test]
fn a_broken_policy_completes_commands_and_says_nothing() {
    let scratch = Scratch::with_policy("version: 1\nagents: [\n");
    let tree = scratch.main();
    assert_eq!(completes(&tree, &["check", "--agent", ""]), Vec::<String>::new());
    assert_eq!(completes(&tree, &["pol"]), ["policy"]);
}

/// Loads git's completion, then ours, and completes each line as bash does.
const IN_BASH: &str = r#"
source /usr/share/bash-completion/bash_completion
source /usr/share/bash-completion/completions/git
source <(git-lane completions bash)
for COMP_LINE; do
    COMP_POINT=${#COMP_LINE} COMP_TYPE=9
    read -ra COMP_WORDS <<<"$(sed -E 's/([=:])/ \1 /g' <<<"$COMP_LINE")"
    [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    case ${COMP_WORDS[0]} in
        git) __git_wrap__git_main git "${COMP_WORDS[COMP_CWORD]}" ;;
        *) _git_lane_alone ;;
    esac
    printf '%s:' "$COMP_LINE"
    printf '<%s>' "${COMPREPLY[@]}"
    echo
done
"#;

#[test]
fn bash_completes_git_lane_by_gits_own_completion() {
    // Git's part may be there without the package that loads it.
    let is_there = |name: &str| Path::new("/usr/share/bash-completion").join(name).exists();
    if !is_there("bash_completion") || !is_there("completions/git") {
        eprintln!("skipped: there is no bash-completion with git's here");
        return;
    }
    let scratch = Scratch::new();
    scratch.write("a folder/a file", "");
    let Some(mut command) = with_lane(&scratch.main(), "bash") else { return };
    command.args([
        "--norc",
        "-c",
        IN_BASH,
        "bash",
        "git lane sta",
        "git lane lock com",
        "git lane check --format=sa",
    ]);
    command.args(["git -C . lane check --agent a3", "git lane help pol", "git-lane loc", "git-lane lock a"]);
    assert_eq!(
        said(command),
        "git lane sta:<status >\ngit lane lock com:<common >\ngit lane check --format=sa:<sarif >\n\
         git -C . lane check --agent a3:<a3 >\ngit lane help pol:<policy >\ngit-lane loc:<lock ><locks >\n\
         git-lane lock a:<a\\ folder/>\n"
    );
}

#[test]
fn fish_completes_git_lane() {
    let scratch = Scratch::new();
    let Some(mut command) = with_lane(&scratch.main(), "fish") else { return };
    let script = "git-lane completions fish | source; complete -C 'git-lane stat'; \
                  complete -C 'git -C . lane check --agent a3'; complete -C 'git lane lock com'";
    command.args(["--no-config", "-c", script]);
    let lines = said(command);
    let values: Vec<&str> = lines.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(values, ["status", "a3", "common"], "{lines}");
}

#[test]
fn zsh_completes_git_lane_by_its_own_completion_of_git() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    if with_lane(&tree, "zsh").is_none() {
        return;
    }
    let Some(tmux) = Tmux::start(&tree) else { return };
    let folder = Path::new(LANE).parent().unwrap();
    tmux.keys(&[&format!("PATH={}:$PATH PS1='zsh> ' zsh -f", folder.display()), "Enter"]);
    tmux.until("in zsh", |screen| screen.contains("zsh> "));
    tmux.keys(&["autoload -U compinit; compinit -u -D; source <(git-lane completions zsh); clear", "Enter"]);
    tmux.until("ready", |screen| screen.trim() == "zsh>");
    for (typed, whole) in [
        ("git lane stat", "git lane status"),
        ("git -C . lane check --format=sa", "git -C . lane check --format=sarif"),
        ("git lane lock com", "git lane lock common"),
        ("git-lane rule stale", "git-lane rule stale-base"),
    ] {
        tmux.keys(&["C-u", typed, "Tab"]);
        tmux.until(whole, |screen| screen.contains(whole));
    }
}

/// It starts at each commit, and every page of it costs time.
#[test]
fn the_program_of_the_hooks_has_none_of_it() {
    let has = |program: &str, text: &[u8]| {
        std::fs::read(program).unwrap().windows(text.len()).any(|window| window == text)
    };
    // Of the scripts, the manual, the help, and clap itself.
    for text in [
        "_git_lane_alone",
        "each in its own worktree. A file",
        "Take a lock on an area",
        "unexpected argument",
    ] {
        assert!(has(LANE, text.as_bytes()), "{text}");
        assert!(!has(env!("CARGO_BIN_EXE_git-lane-hook"), text.as_bytes()), "{text}");
    }
}

#[test]
fn the_manual_is_one_that_man_can_show() {
    let scratch = Scratch::empty();
    let pages = scratch.home().join("man/man1");
    scratch.lane(&["mangen", pages.to_str().unwrap()]).ok().says("git-lane.1");
    let tree = scratch.main();
    let mut files: Vec<_> = std::fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let has = |name: &str| files.iter().any(|file| file.ends_with(name));
    assert!(has("git-lane.1") && has("git-lane-check.1") && has("git-lane-policy-test.1"), "{files:?}");
    assert!(!has("git-lane-hook.1") && !has("git-lane-mangen.1"), "{files:?}");
    for file in &files {
        if let Some(mut man) = with_lane(&tree, "man") {
            let ran = man.env("MANWIDTH", "80").args(["--warnings", "-l"]).arg(file).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{}", file.display());
        }
    }
    // mandoc has no --version; it is asked for what it would say of a page that is none.
    if tree.command("mandoc").arg("/dev/null").output().is_ok() {
        let ran = tree.command("mandoc").args(["-T", "lint", "-W", "error"]).args(&files).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "");
    } else {
        eprintln!("skipped: there is no mandoc here");
    }
    // `git lane --help` is `man git-lane`.
    if with_lane(&tree, "man").is_some()
        && let Some(mut git) = with_lane(&tree, "git")
    {
        git.env("MANPATH", pages.parent().unwrap()).env("MANPAGER", "cat").env("MANWIDTH", "80");
        let page = String::from_utf8(git.args(["lane", "--help"]).output().unwrap().stdout).unwrap();
        for section in
            ["NAME\n", "SYNOPSIS\n", "COMMANDS\n   Daily work\n", "EXIT STATUS\n", "ENVIRONMENT\n", "FILES\n"]
        {
            assert!(page.contains(section), "no {section} in\n{page}");
        }
    }
}

#[test]
fn long_output_goes_through_gits_pager() {
    let scratch = Scratch::new();
    let tree = scratch.main();
    let Some(tmux) = Tmux::start(&tree) else { return };
    let lane = |config: &str, rest: &str| {
        let folder = Path::new(LANE).parent().unwrap().display().to_string();
        format!("clear; PATH={folder}:$PATH git {config} lane {rest}; echo be''fore")
    };
    let shown = |config: &str, rest: &str, what: &str, is: &dyn Fn(&str) -> bool| {
        tmux.keys(&[&lane(config, rest), "Enter"]);
        tmux.until(what, is);
    };
    // Longer than the terminal: the pager has it. Shorter: it is just printed.
    let pager = "-c core.pager='sed s/^/paged:/'";
    shown(pager, "help", "paged", &|screen| screen.contains("paged:") && screen.contains("before\n"));
    shown(pager, "rule size | cat", "no terminal", &|screen| {
        screen.contains("before\n") && !screen.contains("\npaged:")
    });
    shown(&format!("--no-pager {pager}"), "help", "--no-pager", &|screen| {
        screen.contains("before\n") && !screen.contains("\npaged:")
    });
    tmux.keys(&["export CLAUDECODE=1", "Enter"]);
    shown(pager, "help", "a coding agent", &|screen| {
        screen.contains("opens the manual page")
            && screen.contains("before\n")
            && !screen.contains("\npaged:")
    });
    tmux.keys(&["unset CLAUDECODE", "Enter"]);
    shown("-c core.pager=no-such-pager", "help", "printed all the same", &|screen| {
        screen.contains("opens the manual page") && screen.contains("before\n")
    });
}
