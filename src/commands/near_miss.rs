//! What was probably meant by a command that does not exist.

use clap::Command;

use lane_core::error::Error;
use lane_core::policy::nearest;
use lane_core::rules;

/// Words that people try, and the command that does what they mean by them.
const OTHER_WORDS: &[(&[&str], &str)] = &[
    (&["acquire", "claim", "hold", "reserve", "take"], "lock"),
    (&["free", "give-back", "unclaim"], "unlock"),
    (&["release"], "unlock"),
    (&["holders", "leases", "queue"], "locks"),
    (&["fetch", "pull", "rebase", "up", "update"], "sync"),
    (&["deliver", "enqueue", "integrate", "merge", "ship", "submit-queue"], "land"),
    (&["publish"], "push"),
    (&["add", "clone", "create", "new", "provision", "worktree", "worktrees"], "setup"),
    (&["clean", "close", "delete", "destroy", "remove", "rm"], "teardown"),
    (&["assign", "checkout", "start", "switch", "use"], "join"),
    (&["blame", "owner", "owners", "owns", "whose"], "who"),
    (&["agents", "dashboard", "lanes", "list", "ls", "overview", "st"], "status"),
    (&["audit", "diff", "judge", "verdict", "verify"], "check"),
    (&["lint", "validate"], "policy check"),
    (&["config", "show"], "policy show"),
    (&["code-owners", "codeowners"], "policy codeowners"),
    (&["compare"], "policy diff"),
    (&["backtest", "replay", "simulate", "try"], "policy try"),
    (&["tests"], "test"),
    (&["health", "healthcheck", "pods", "probe", "ps"], "status"),
    (&["log", "journalctl", "tail"], "logs"),
    (&["changed", "impact"], "affected"),
    (&["metrics", "stats"], "report"),
    (&["schema"], "policy schema"),
    (&["explain", "rules", "why"], "rule"),
    (&["discard", "exclude", "reset", "restore", "undo", "unstage"], "drop"),
    (&["ask", "submit"], "request submit"),
    (&["accept"], "request accept"),
    (&["reject"], "request reject"),
    (&["done"], "request done"),
    (&["withdraw"], "request withdraw"),
    (&["requests", "todo"], "request list"),
    (&["messages", "news", "notices", "notifications", "unread"], "inbox"),
    (&["listen", "monitor", "notify"], "watch"),
    (&["merge-request", "mr", "pull-request"], "pr"),
    (&["environment", "vars"], "env"),
    (&["exec", "shell"], "run"),
    (&["ports"], "port"),
    (&["enable", "hooks"], "install"),
    (&["disable"], "uninstall"),
    (&["diagnose", "fix", "repair"], "doctor"),
    (&["completion"], "completions"),
    (&["man", "manual", "usage"], "help"),
];

/// Says that there is no such command below `parent`, and which one was probably meant.
pub fn unknown(parent: &Command, word: &str) -> Error {
    let name = parent.get_bin_name().unwrap_or("git lane").to_owned();
    let is_root = !name.contains("lane ");
    let help = match suggestion(parent, word, is_root) {
        _ if is_root && word == "version" => "show the version: git lane --version".to_owned(),
        _ if rules::find(word).is_some() => format!("`{word}` is a rule: git lane rule {word}"),
        Some(path) => {
            let about = path.split(' ').try_fold(parent, |command, word| command.find_subcommand(word));
            let about = about.and_then(Command::get_about).map(|about| format!(" ({about})"));
            format!("did you mean `{name} {path}`?{}", about.unwrap_or_default())
        }
        None if is_root => "`git lane help` lists all commands".to_owned(),
        None => format!("`git lane help {}` lists its commands", name.trim_start_matches("git lane ")),
    };
    Error::usage(format!("unknown command `{name} {word}`"), help)
}

/// The command that was meant: one that is called almost so, or one that does what the word means elsewhere.
fn suggestion(parent: &Command, word: &str, is_root: bool) -> Option<String> {
    let word = word.to_lowercase();
    let other = OTHER_WORDS.iter().find(|(words, _)| words.contains(&word.as_str()));
    if let Some((_, path)) = other {
        if is_root {
            return Some((*path).to_owned());
        }
        let here = parent.get_name().to_owned() + " ";
        if let Some(sub) = path.strip_prefix(&here) {
            return Some(sub.to_owned());
        }
    }
    let known = parent.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name);
    nearest(&word, known).map(str::to_owned)
}

/// Which command was typed, as far as there is one, and the first word that is none.
pub fn walk<'a>(root: &'a Command, typed: &[String]) -> (&'a Command, Option<String>) {
    let mut found = root;
    let mut words = typed.iter().skip(1);
    while let Some(word) = words.next() {
        if matches!(word.as_str(), "-C" | "--format" | "--color") {
            words.next();
        } else if !word.starts_with('-') {
            match found.find_subcommand(word) {
                Some(sub) => found = sub,
                None => return (found, Some(word.clone())),
            }
        }
        if !found.has_subcommands() {
            break;
        }
    }
    (found, None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::commands::args::command;

    #[test]
    fn every_other_word_leads_to_a_command_and_is_none() {
        let root = command();
        for (words, path) in OTHER_WORDS {
            let found = path.split(' ').try_fold(&root, |command, word| command.find_subcommand(word));
            assert!(found.is_some_and(|found| !found.is_hide_set()), "{path}");
            for word in *words {
                assert!(root.find_subcommand(word).is_none(), "{word} is a command");
                assert_eq!(suggestion(&root, word, true).as_deref(), Some(*path), "{word} is listed twice");
            }
        }
    }

    #[test]
    fn what_was_meant() {
        let mut root = command();
        root.build();
        let help = |parent: &Command, word| unknown(parent, word).help().unwrap().to_owned();
        assert!(help(&root, "stauts").starts_with("did you mean `git lane status`?"));
        assert!(help(&root, "claim").starts_with("did you mean `git lane lock`? (Take a lock"));
        assert_eq!(help(&root, "stale-base"), "`stale-base` is a rule: git lane rule stale-base");
        assert_eq!(help(&root, "kubernetes"), "`git lane help` lists all commands");
        let policy = root.find_subcommand("policy").unwrap();
        assert!(help(policy, "chek").starts_with("did you mean `git lane policy check`?"));
        assert!(help(policy, "lint").starts_with("did you mean `git lane policy check`?"));
        assert_eq!(help(policy, "claim"), "`git lane help policy` lists its commands");
    }
}
