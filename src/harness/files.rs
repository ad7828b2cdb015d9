//! Which files each harness reads, and what is to be in them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::merge::Hooks;
use crate::install::Scope;
use lane_core::error::Error;
use lane_core::report::quote;

/// How long a hook may take, in seconds: only a remote that does not answer takes long.
const PATIENCE: u64 = 30;

/// The same where a worktree is made, with the steps of the policy.
const PROVISIONING: u64 = 600;

/// A file of a harness.
pub(super) struct HookFile {
    pub path: PathBuf,
    /// The worktree that it lies in, if it does.
    pub root: Option<PathBuf>,
    pub content: Content,
    /// Folders that have to be there beside it.
    pub folders: Vec<PathBuf>,
    /// What has to be done before the harness asks.
    pub note: Option<&'static str>,
}

/// What is to be in it.
pub(super) enum Content {
    /// Hooks beside whatever is there.
    Merged(Hooks),
    /// All of it is ours.
    Whole(String),
}

/// Where a harness looks, by scope: below the worktree's root, or below the home.
struct Layout {
    local: &'static str,
    shared: &'static str,
    user: &'static str,
    /// The variable that names another folder than the first part of `user`.
    home: Option<&'static str>,
    note: Option<&'static str>,
}

fn layout(harness: &str) -> Layout {
    match harness {
        "claude" => Layout {
            local: ".claude/settings.local.json",
            shared: ".claude/settings.json",
            user: ".claude/settings.json",
            home: Some("CLAUDE_CONFIG_DIR"),
            note: None,
        },
        "codex" => Layout {
            local: ".codex/hooks.json",
            shared: ".codex/hooks.json",
            user: ".codex/hooks.json",
            home: Some("CODEX_HOME"),
            note: Some("Codex runs a hook once it is trusted: start codex, type /hooks, and trust it"),
        },
        "gemini" => Layout {
            local: ".gemini/settings.json",
            shared: ".gemini/settings.json",
            user: ".gemini/settings.json",
            home: None,
            note: Some(
                "Gemini CLI loads the hooks of a folder once it is trusted: type /permissions trust in it",
            ),
        },
        "cursor" => Layout {
            local: ".cursor/hooks.json",
            shared: ".cursor/hooks.json",
            user: ".cursor/hooks.json",
            home: None,
            note: None,
        },
        "copilot" => Layout {
            local: ".github/hooks/git-lane.json",
            shared: ".github/hooks/git-lane.json",
            user: ".copilot/hooks/git-lane.json",
            home: None,
            note: None,
        },
        _ => Layout {
            local: ".opencode/plugins/git-lane.ts",
            shared: ".opencode/plugins/git-lane.ts",
            user: ".config/opencode/plugins/git-lane.ts",
            home: None,
            note: None,
        },
    }
}

/// The pattern that keeps the file of the local scope out of git's sight.
pub(super) fn pattern(harness: &str) -> String {
    format!("/{}", layout(harness).local)
}

/// The file of the local scope, in a worktree.
pub(super) fn local(harness: &str, root: &Path) -> PathBuf {
    root.join(layout(harness).local)
}

/// The folder that a worktree has to have for a harness to look for hooks in the main checkout, if it does that.
pub(super) fn companion(harness: &str, root: &Path) -> Option<PathBuf> {
    (harness == "codex").then(|| root.join(".codex"))
}

/// The files of a harness. `roots`: the worktrees, the main one first.
///
/// # Errors
/// There is no home folder.
pub(super) fn places(
    harness: &'static str,
    scope: Scope,
    roots: &[PathBuf],
    binary: &Path,
) -> Result<Vec<HookFile>, Error> {
    let layout = layout(harness);
    // What others check out has no path of this machine's in it.
    let program = match scope {
        Scope::Shared => "git-lane".to_owned(),
        Scope::Local | Scope::User => quote(binary.as_os_str().as_encoded_bytes()),
    };
    let place = |path: PathBuf, root: Option<&PathBuf>| HookFile {
        path,
        root: root.cloned(),
        content: content(harness, &program, scope),
        folders: Vec::new(),
        note: layout.note,
    };
    match scope {
        Scope::User => {
            let path = match layout.home.and_then(std::env::var_os).filter(|folder| !folder.is_empty()) {
                Some(folder) => {
                    PathBuf::from(folder).join(Path::new(layout.user).file_name().unwrap_or_default())
                }
                None => home()?.join(layout.user),
            };
            Ok(vec![place(path, None)])
        }
        Scope::Shared => Ok(roots.iter().map(|root| place(root.join(layout.shared), Some(root))).collect()),
        // Codex reads the hooks of the main checkout, and only where the worktree has such a folder too.
        Scope::Local if harness == "codex" => {
            let Some((main, others)) = roots.split_first() else { return Ok(Vec::new()) };
            let folders = others.iter().filter_map(|root| companion(harness, root)).collect();
            Ok(vec![HookFile { folders, ..place(main.join(layout.local), Some(main)) }])
        }
        Scope::Local => Ok(roots.iter().map(|root| place(root.join(layout.local), Some(root))).collect()),
    }
}

fn home() -> Result<PathBuf, Error> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    home.filter(|home| !home.is_empty()).map(PathBuf::from).ok_or_else(|| {
        Error::usage("the variable HOME is not set", "set it to your home folder, then rerun this")
    })
}

/// Whether somebody uses a harness here: its folder is in the home, or in a worktree.
pub(super) fn is_used(harness: &str, root: Option<&Path>) -> bool {
    let layout = layout(harness);
    let first = |path: &str| path.split('/').next().map(str::to_owned).unwrap_or_default();
    let (own, users) = match harness {
        "copilot" => (".copilot".to_owned(), ".copilot".to_owned()),
        "opencode" => (".opencode".to_owned(), ".config/opencode".to_owned()),
        _ => (first(layout.local), first(layout.user)),
    };
    home().is_ok_and(|home| home.join(users).is_dir()) || root.is_some_and(|root| root.join(own).is_dir())
}

fn content(harness: &'static str, program: &str, scope: Scope) -> Content {
    let command = format!("{program} hook agent {harness}");
    let (top, events) = match harness {
        "claude" => (Vec::new(), claude(&command, scope)),
        "codex" => (Vec::new(), codex(&command)),
        "gemini" => (Vec::new(), gemini(&command)),
        "cursor" => (vec![("version", json!(1))], cursor(&command)),
        "copilot" => (vec![("version", json!(1))], copilot(&command)),
        _ => return Content::Whole(PLUGIN.replace("@COMMAND@", &json!(command).to_string())),
    };
    Content::Merged(Hooks { harness, top, events })
}

/// The events of a harness, each with what is started then.
type Events = Vec<(&'static str, Value)>;

/// One group of one command, as Claude Code, Codex and Gemini CLI have them.
fn group(command: &str, matcher: Option<&str>, timeout: u64) -> Value {
    let hook = json!({ "type": "command", "command": command, "timeout": timeout });
    match matcher {
        Some(matcher) => json!({ "matcher": matcher, "hooks": [hook] }),
        None => json!({ "hooks": [hook] }),
    }
}

fn claude(command: &str, scope: Scope) -> Events {
    let edit = json!({ "type": "command", "command": command, "timeout": PATIENCE, "onFailure": "block" });
    let mut events = vec![
        ("PreToolUse", json!({ "matcher": "Edit|Write|MultiEdit|NotebookEdit|Bash", "hooks": [edit] })),
        ("SessionStart", group(command, None, PATIENCE)),
        ("Stop", group(command, None, PATIENCE)),
    ];
    // For all repositories: most have no lanes, and Claude Code makes worktrees in them as it always did.
    if scope != Scope::User {
        let worktrees = ["WorktreeCreate", "WorktreeRemove"];
        events.extend(worktrees.map(|event| (event, group(command, None, PROVISIONING))));
    }
    events
}

fn codex(command: &str) -> Events {
    vec![
        ("PreToolUse", group(command, Some("^(apply_patch|Bash)$"), PATIENCE)),
        ("SessionStart", group(command, None, PATIENCE)),
        ("Stop", group(command, None, PATIENCE)),
    ]
}

/// Its times are in milliseconds.
fn gemini(command: &str) -> Events {
    vec![
        ("BeforeTool", group(command, Some("write_file|replace|run_shell_command"), PATIENCE * 1000)),
        // What it is to know of an edit reaches the model afterwards.
        ("AfterTool", group(command, Some("write_file|replace"), PATIENCE * 1000)),
        ("SessionStart", group(command, None, PATIENCE * 1000)),
        ("AfterAgent", group(command, None, PATIENCE * 1000)),
    ]
}

fn cursor(command: &str) -> Events {
    let closed = json!({ "command": command, "failClosed": true, "timeout": PATIENCE });
    let open = json!({ "command": command, "timeout": PATIENCE });
    vec![
        ("preToolUse", closed.clone()),
        ("beforeShellExecution", closed),
        ("sessionStart", open.clone()),
        ("stop", open),
    ]
}

fn copilot(command: &str) -> Events {
    let hook = |event: &str| {
        let line = format!("{command} {event}");
        json!({ "type": "command", "bash": line, "powershell": line, "timeoutSec": PATIENCE })
    };
    ["preToolUse", "sessionStart", "agentStop"].map(|event| (event, hook(event))).into()
}

/// opencode has plug-ins in place of commands.
const PLUGIN: &str = include_str!("../../hooks/opencode-plugin.ts");
