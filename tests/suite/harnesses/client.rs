//! One session of one client: its hooks, what the model does, and what came of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::model::{Model, Request, Script, Turn, conversation, is_models, strings};
use super::{claude, codex, copilot, gemini, opencode};
use crate::support::{LANE, Ran, Worktree};

/// How long a session may take before it is ended.
const LIMIT: Duration = Duration::from_secs(60);

/// What each session starts with.
pub const PROMPT: &str = "go";

/// What differs from client to client.
pub trait Harness: Sync {
    /// As `git lane install --harness` and the fixtures name it.
    fn name(&self) -> &'static str;

    /// Its package in the npm registry.
    fn package(&self) -> &'static str;

    fn event(&self, moment: Moment) -> &'static str;

    /// What matches each tool that changes files or runs a command.
    fn matcher(&self) -> &'static str;

    /// Where it looks for hooks in a checkout.
    fn hooks_of_checkout(&self) -> &'static str;

    /// Where it looks for hooks of the user in the home.
    fn hooks_of_user(&self) -> &'static str;

    fn write_hooks(&self, path: &Path, hooks: &[Hook]);

    /// The arguments and variables for one prompt without a terminal.
    fn start(&self, command: &mut Command, at: &Worktree, url: &str);

    /// The turns that replace `old` by `new` in a file that is there; the last one is the edit.
    fn edit(&self, root: &Path, path: &str, old: &str, new: &str) -> Vec<Turn>;

    /// The turn that writes a new file.
    fn create(&self, root: &Path, path: &str, text: &str) -> Turn;

    /// The turn that runs a command.
    fn shell(&self, command: &str) -> Turn;

    /// A hook's refusal before a tool is run, on standard output.
    fn deny(&self, reason: &str) -> Value;
}

/// When hooks run, by the same name for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    SessionStart,
    BeforeTool,
    Stop,
}

#[derive(Clone, Debug)]
pub struct Hook {
    pub event: String,
    pub matcher: String,
    pub command: String,
}

/// A client that is installed, and how to start it.
pub struct Client {
    pub harness: &'static dyn Harness,
    program: PathBuf,
    hooks: Vec<Hook>,
    /// Where they are written, if not in the worktree of the session.
    hooks_file: Option<PathBuf>,
    args: Vec<String>,
    scripts: Vec<Script>,
}

/// What came of a session.
pub struct Session {
    pub ran: Ran,
    requests: Vec<Request>,
}

impl Client {
    pub fn claude() -> Option<Self> {
        Self::find(&claude::Claude)
    }

    pub fn codex() -> Option<Self> {
        Self::find(&codex::Codex { trusts_all: true })
    }

    /// One that runs only hooks whose hash the user's configuration has.
    pub fn careful_codex() -> Option<Self> {
        Self::find(&codex::Codex { trusts_all: false })
    }

    pub fn copilot() -> Option<Self> {
        Self::find(&copilot::Copilot)
    }

    pub fn gemini() -> Option<Self> {
        Self::find(&gemini::Gemini)
    }

    pub fn opencode() -> Option<Self> {
        Self::find(&opencode::Opencode)
    }

    /// `None` where the client is not installed, which is said on standard error.
    fn find(harness: &'static dyn Harness) -> Option<Self> {
        let folder = std::env::var_os("LANE_TEST_CLIENTS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients"), PathBuf::from);
        let modules = folder.join("node_modules");
        let (name, package) = (harness.name(), harness.package());
        let wanted: Value = serde_json::from_str(include_str!("package.json")).unwrap();
        let wanted = wanted["dependencies"][package].as_str().unwrap().to_owned();
        let read = std::fs::read(modules.join(package).join("package.json")).unwrap_or_default();
        let found: Value = serde_json::from_slice(&read).unwrap_or_default();
        let program = modules.join(".bin").join(name);
        if found["version"] == wanted && program.exists() {
            return Some(Self {
                harness,
                program,
                hooks: Vec::new(),
                hooks_file: None,
                args: Vec::new(),
                scripts: Vec::new(),
            });
        }
        let missing = format!("{package} {wanted} is not in {}: scripts/install-clients", folder.display());
        assert!(std::env::var_os("LANE_TEST_HARNESSES").is_none_or(|word| word != "required"), "{missing}");
        static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
        if SAID.lock().unwrap().insert(name) {
            // Past the test's own capture: whoever runs the tests is to see it.
            let _ = writeln!(std::io::stderr(), "skipped: {missing}");
        }
        None
    }

    /// Has the client run a command at an event, as its own configuration names both.
    pub fn hook(mut self, event: &str, matcher: &str, command: &str) -> Self {
        let (event, matcher, command) = (event.to_owned(), matcher.to_owned(), command.to_owned());
        self.hooks.push(Hook { event, matcher, command });
        self
    }

    /// The same by the common name of the event, for each tool that changes something.
    pub fn at(self, moment: Moment, command: &str) -> Self {
        let matcher = match moment {
            Moment::BeforeTool => self.harness.matcher(),
            Moment::SessionStart | Moment::Stop => "",
        };
        let event = self.harness.event(moment);
        self.hook(event, matcher, command)
    }

    /// Writes the hooks into this file instead of the worktree's own.
    pub fn hooks_in(mut self, path: PathBuf) -> Self {
        self.hooks_file = Some(path);
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// What the model does in another conversation of the session: a subagent's, whose task holds this.
    pub fn subagent(mut self, task: &str, turns: Vec<Turn>) -> Self {
        self.scripts.push(Script { prompt: task.to_owned(), turns });
        self
    }

    /// Starts a session in a worktree and waits for its end.
    pub fn run(&self, at: &Worktree, turns: Vec<Turn>) -> Session {
        // One at a time: several would only wait for each other, and run into the limit.
        static ALONE: Mutex<()> = Mutex::new(());
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);

        let mut scripts = vec![Script { prompt: String::new(), turns }];
        scripts.extend(self.scripts.iter().cloned());
        let model = Model::serve(scripts);
        if !self.hooks.is_empty() {
            let own = || at.root.join(self.harness.hooks_of_checkout());
            self.harness.write_hooks(&self.hooks_file.clone().unwrap_or_else(own), &self.hooks);
        }
        let (mut command, temporary) = (at.command(self.program.to_str().unwrap()), at.home.join("tmp"));
        std::fs::create_dir_all(&temporary).unwrap();
        let path = format!(
            "{}:{}",
            Path::new(LANE).parent().unwrap().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        // Login shells set PATH anew.
        for profile in [".profile", ".zprofile"] {
            std::fs::write(at.home.join(profile), format!("export PATH='{path}'\n")).unwrap();
        }
        let mark =
            format!("LANE_TEST_SESSION={}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let (name, value) = mark.split_once('=').unwrap();
        command
            .env(name, value)
            .env("PATH", path)
            .env("TMPDIR", &temporary)
            // Nothing leaves the machine.
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("NO_PROXY", "127.0.0.1")
            .env("npm_config_registry", format!("{}/registry", model.url));
        self.harness.start(&mut command, at, &model.url);
        let (out, err) = (temporary.join("stdout"), temporary.join("stderr"));
        command
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .process_group(0);
        let status = wait(&mut command, &mark, LIMIT);
        let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let ran =
            Ran { code: status.and_then(|it| it.code()).unwrap_or(-1), out: read(&out), err: read(&err) };
        assert!(status.is_some(), "{} did not end within {LIMIT:?}\n{}", self.harness.name(), ran.all());
        Session { ran, requests: model.requests() }
    }
}

impl Session {
    /// All that the model was told before its first turn, tools aside.
    #[track_caller]
    pub fn start(&self) -> String {
        let mut body = self.request(0, 0).body.clone();
        body["tools"].take();
        strings(&body)
    }

    /// What the model was told next after a turn (counted from 0): what came of its call.
    #[track_caller]
    pub fn after(&self, turn: usize) -> String {
        let body = &self.request(0, turn + 1).body;
        let items = conversation(body);
        let own = items.iter().rposition(is_models).unwrap();
        items[own + 1..].iter().map(strings).collect()
    }

    /// How many turns the model had.
    pub fn turns(&self) -> usize {
        self.requests
            .iter()
            .filter(|request| request.script == 0)
            .map(|request| request.turn + 1)
            .max()
            .unwrap_or(0)
    }

    #[track_caller]
    fn request(&self, script: usize, turn: usize) -> &Request {
        let is_it = |request: &&Request| request.script == script && request.turn == turn;
        self.requests.iter().rfind(is_it).unwrap_or_else(|| {
            let seen: Vec<_> = self.requests.iter().map(|request| (request.script, request.turn)).collect();
            panic!("no request after {turn} turns, but {seen:?}\n{}", self.ran.all())
        })
    }
}

/// Runs a command to its end or to the limit (`None`), and ends what it has left behind: whatever has `mark` in its
/// environment. Clients start the model's commands in sessions of their own, which a signal to the group does not reach.
fn wait(command: &mut Command, mark: &str, limit: Duration) -> Option<ExitStatus> {
    let mut child = command.spawn().unwrap();
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > end => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    for id in marked(mark) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
    status
}

/// The processes that have `NAME=VALUE` in their environment.
fn marked(mark: &str) -> Vec<rustix::process::Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let has_mark = |folder: &Path| {
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes())
    };
    entries
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            has_mark(&entry.path()).then(|| rustix::process::Pid::from_raw(id)).flatten()
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_outlives_the_limit() {
    let mark = format!("LANE_TEST_MARK={}", std::process::id());
    let mut command = Command::new("sh");
    command
        .args(["-c", "setsid sleep 300 & sleep 300"])
        .env("LANE_TEST_MARK", std::process::id().to_string());
    assert_eq!(wait(&mut command, &mark, Duration::from_millis(500)), None);
    let end = Instant::now() + Duration::from_secs(10);
    while !marked(&mark).is_empty() {
        assert!(Instant::now() < end, "{:?} live on", marked(&mark));
        std::thread::sleep(Duration::from_millis(20));
    }
}
