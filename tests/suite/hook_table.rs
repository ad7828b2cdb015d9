//! The table of hooks: what is installed is what its rows say, and nothing else of the program knows hooks by their names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Scratch;
use lane_core::facts::Event;
use lane_core::hooks::{Action, HOOKS, Hook, Subject, names};

/// Every hook of githooks(5): of this list, and of git's own where it is another version's, none may be missing.
const GITHOOKS: &str = "applypatch-msg commit-msg fsmonitor-watchman p4-changelist p4-post-changelist p4-pre-submit \
     p4-prepare-changelist post-applypatch post-checkout post-commit post-index-change post-merge post-receive \
     post-rewrite post-update pre-applypatch pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase pre-receive \
     prepare-commit-msg proc-receive push-to-checkout reference-transaction sendemail-validate update";

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_hook_of_git_has_a_row() {
    // `core.fsmonitor` names that one; no folder of hooks is looked into for it.
    let of_git = GITHOOKS.split_whitespace().filter(|name| *name != "fsmonitor-watchman");
    assert_eq!(names(|_| true), of_git.collect::<Vec<_>>());
}

#[test]
fn installed_is_what_the_rows_say() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    let lane = scratch.root().join(".git/lane");
    assert_eq!(files(&lane.join("hooks")), names(|hook| hook.is_script));
    assert_eq!(files(&lane.join("portable")), names(|hook| hook.is_script));
    assert_eq!(files(&lane.join("configured")), names(|hook| hook.is_configured));
    let config = fs::read_to_string(lane.join("hooks.gitconfig")).unwrap();
    let events: Vec<_> = config.lines().filter_map(|line| line.strip_prefix("\tevent = ")).collect();
    assert_eq!(events, names(|hook| hook.is_configured));
}

#[test]
fn on_a_server_is_what_the_rows_say() {
    let scratch = Scratch::new();
    let server = scratch.home().join("server.git");
    scratch.git(&["init", "-q", "--bare", server.to_str().unwrap()]).ok();
    scratch.lane(&["-C", server.to_str().unwrap(), "install", "--server"]).ok();
    // git starts `update` for each ref: it has a script only where there is such a hook to run after ours.
    let is_there = |hook: &Hook| hook.is_on_server && hook.event != Some(Event::Update);
    assert_eq!(files(&server.join("lane/server-hooks")), names(is_there));
}

/// A hook that is taken away is missed by the others if its row says so, and by them alone.
#[test]
fn missed_is_what_the_rows_say() {
    for hook in HOOKS.iter().filter(|hook| hook.is_script) {
        let scratch = Scratch::new();
        scratch.add_origin();
        let tree = scratch.worktree("a2", "feat/a2/x");
        tree.lane(&["install", "--agent", "a2"]).ok();
        fs::remove_file(scratch.root().join(".git/lane/hooks").join(hook.name)).unwrap();
        let ran = tree.lane(&["status"]);
        assert_eq!(
            ran.all().contains("replaced or removed"),
            hook.is_watched,
            "{}: {}",
            hook.name,
            ran.all()
        );
    }
}

/// What each row says of a hook that cannot do its work: the words of what did not happen, and whether git goes on.
#[test]
fn a_hook_that_cannot_work_does_what_its_row_says() {
    let scratch = Scratch::new();
    let tree = scratch.worktree("a2", "feat/a2/x");
    fs::write(scratch.root().join("policy.yaml"), "version: 9\n").unwrap();
    scratch.git(&["commit", "-qam", "chore: break the policy"]).ok();
    let of_git = HOOKS.iter().filter(|hook| hook.action != Action::Edit);
    for hook in of_git.filter(|hook| hook.subject != Subject::Nothing) {
        let Hook { name, fails_open, prevents, .. } = *hook;
        // Not from a server: its hooks let a broken policy be mended in ways of their own.
        if hook.is_on_server {
            continue;
        }
        let message = tree.root.join(".git-message");
        fs::write(&message, "feat: a\n").unwrap();
        let zero = "0".repeat(40);
        let input = format!("refs/heads/x {zero} refs/heads/x {}\n", "1".repeat(40));
        let about = if hook.subject == Subject::Moved { "prepared" } else { message.to_str().unwrap() };
        let ran = tree.lane_stdin(&["hook", name, about], input.as_bytes());
        let ran = ran.fails(if fails_open { 0 } else { 2 });
        match prevents {
            Some(what) => ran.says(&format!("git-lane: could not decide ({name}); {what}")),
            None => ran.does_not_say("could not decide ("),
        };
    }
}

/// Where the program may say a hook's name itself. All else asks the table, or an event for its name.
const NAMED: [(&str, &str, &str); 4] = [
    ("crates/lane-core/src/hooks.rs", "", "the table"),
    ("src/install/manager.rs", "pre-commit", "the hook manager of that name"),
    ("crates/lane-github/src/landing/mod.rs", "update", "a rule of GitHub's"),
    ("src/commands/near_miss.rs", "update", "what people type for `sync`"),
];

#[test]
fn nothing_else_knows_hooks_by_their_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut sources = Vec::new();
    ["src", "crates"].iter().for_each(|folder| collect(&root.join(folder), &mut sources));
    for path in sources {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        if name.ends_with("/tests.rs") || name.contains("/tests/") || name.ends_with("/testing.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        // What harnesses start has the name of an agent, which means many other things.
        for hook in HOOKS.iter().filter(|hook| hook.action != Action::Edit) {
            let is_allowed =
                NAMED.iter().any(|(file, word, _)| name == *file && (word.is_empty() || *word == hook.name));
            if code.contains(&format!("\"{}\"", hook.name)) && !is_allowed {
                found.insert(format!("{name}: \"{}\"", hook.name));
            }
        }
    }
    assert!(
        found.is_empty(),
        "ask lane_core::hooks instead:\n  {}",
        found.into_iter().collect::<Vec<_>>().join("\n  ")
    );
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, sources),
            false if path.extension().is_some_and(|end| end == "rs") => sources.push(path),
            false => {}
        }
    }
}
