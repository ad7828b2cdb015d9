//! `git lane watch`: each thing once, by lines, commands, the desktop and webhooks, whatever ends in the middle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::locks::{Clones, two, with_policy};
use crate::support::{LANE, POLICY, Worktree};

/// How long something may take that is to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A watcher that runs; killed when it is dropped.
struct Watcher {
    child: Child,
    lines: Receiver<String>,
    warnings: Receiver<String>,
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok());
    });
    lines
}

impl Watcher {
    fn of(tree: &Worktree, args: &[&str]) -> Self {
        let mut command = tree.command(LANE);
        command.args(["watch", "--interval", "1", "--format", "jsonl"]).args(args);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let watcher = Self { child, lines: lines(out), warnings: lines(err) };
        assert!(watcher.warned().contains("watching for"));
        watcher
    }

    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn warned(&self) -> String {
        self.warnings.recv_timeout(PATIENCE).unwrap()
    }

    #[track_caller]
    fn is_silent(&self) {
        assert_eq!(self.lines.recv_timeout(Duration::from_millis(2_500)), Err(RecvTimeoutError::Timeout));
    }

    /// Ends it by a signal; the exit code.
    fn end(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(tree: &Worktree, reason: &str) {
    tree.lane(&["request", "submit", "--area", "migrations", "--reason", reason]).ok();
}

fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a file has, once it has so many lines.
fn written(path: &Path, count: usize) -> Vec<String> {
    for _ in 0..600 {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n') && text.lines().count() >= count {
            return text.lines().map(str::to_owned).collect();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} has {:?}", path.display(), std::fs::read_to_string(path));
}

#[test]
fn each_thing_is_told_once_when_it_happens() {
    let (scratch, one, two) = two();
    ask(&two, "before");
    let watcher = Watcher::of(&one, &[]);
    assert_eq!(watcher.next()["text"], "a2 asks for area `migrations` (before)");
    ask(&two, "meanwhile");
    assert_eq!(watcher.next()["subject"], "r2");
    one.lane(&["lock", "common"]).ok();
    two.lane(&["lock", "common", "--steal", "--reason", "x"]).ok();
    assert_eq!(watcher.next()["kind"], "lock-lost");
    one.sneak("docs/x", "one\n", "feat: x");
    two.sneak("docs/x", "two\n", "feat: x");
    assert_eq!(watcher.next()["kind"], "conflict");
    one.lane(&["lock", "common", "--steal", "--reason", "y"]).ok();
    scratch.write("services/common/new.py", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "land"]).ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    assert_eq!(watcher.next()["kind"], "base-moved");
    watcher.is_silent();
    let refused = one.lane(&["watch"]).fails(2);
    refused.says("another git lane watch is running for a1").says("git lane inbox");
    assert_eq!(watcher.end(Signal::INT), Some(0));
    // What was told is not told again, and is in the inbox all the same.
    let watcher = Watcher::of(&one, &[]);
    watcher.is_silent();
    assert_eq!(watcher.end(Signal::TERM), Some(0));
    one.lane(&["inbox"]).ok().says("5 new for a1");
}

#[test]
fn a_lock_that_becomes_free_or_ends_by_time_alone_is_told() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common", "--ttl", "8s"]).ok();
    two.lane(&["lock", "common", "--wait", "1s"]).fails(1);
    let (first, second) = (Watcher::of(&one, &[]), Watcher::of(&two, &[]));
    assert_eq!(first.next()["kind"], "lock-expiring");
    assert_eq!(first.next()["kind"], "lock-lost");
    assert_eq!(second.next()["kind"], "lock-free");
}

#[test]
fn a_command_has_it_in_its_environment_and_nothing_of_it_is_run() {
    let (scratch, one, two) = two();
    let (log, owned) = (scratch.home().join("log"), scratch.home().join("owned"));
    let exec = format!(
        "printf '%s|' \"$LANE_EVENT\" \"$LANE_EVENT_BY\" \"$LANE_EVENT_SUBJECT\" \"$LANE_EVENT_NEXT\" >>{0}; cat >>{0}; echo heard",
        log.display()
    );
    let watcher = Watcher::of(&one, &["--exec", &exec]);
    let evil = format!("'; touch {0}; `touch {0}` $(touch {0}) \"\u{1b}]0;x\u{7}", owned.display());
    ask(&two, &evil);
    let line = written(&log, 1).remove(0);
    let (words, json) = line.split_at(line.find('{').unwrap());
    assert_eq!(words, "request-received|a2|r1|git lane request show r1|");
    assert_eq!(serde_json::from_str::<Value>(json).unwrap(), watcher.next());
    assert!(json.contains("\\\\x1b]0;x"), "{json}");
    assert!(!owned.exists());
    assert!(watcher.warned().contains("each notice is given to"));
    assert_eq!(watcher.warned(), "heard", "what it writes is on standard error");
}

#[test]
fn a_command_that_fails_is_said_once_and_ends_nothing() {
    let (_scratch, one, two) = two();
    let watcher = Watcher::of(&one, &["--exec", "exit 3"]);
    ask(&two, "x");
    ask(&two, "y");
    watcher.next();
    watcher.next();
    watcher.warned();
    assert_eq!(watcher.warned(), "warning: exec: exit code 3");
    assert!(watcher.warned().contains("stays in the inbox"));
    ask(&two, "z");
    assert_eq!(watcher.next()["subject"], "r3");
    assert_eq!(watcher.end(Signal::INT), Some(0));
}

#[test]
fn one_that_is_killed_in_the_middle_tells_it_again() {
    let (scratch, one, two) = two();
    let log = scratch.home().join("log");
    let exec = format!("echo $LANE_EVENT_SUBJECT >>{}; sleep 30", log.display());
    let watcher = Watcher::of(&one, &["--exec", &exec]);
    ask(&two, "x");
    written(&log, 1);
    assert_eq!(watcher.end(Signal::KILL), None);
    // Ctrl-C ends the command, and nothing is lost by that.
    let watcher = Watcher::of(&one, &["--exec", &exec]);
    written(&log, 2);
    let started = std::time::Instant::now();
    assert_eq!(watcher.end(Signal::INT), Some(0));
    assert!(started.elapsed() < Duration::from_secs(10), "the command is ended");
    let watcher = Watcher::of(&one, &["--exec", &format!("echo $LANE_EVENT_SUBJECT >>{}", log.display())]);
    assert_eq!(written(&log, 3), ["r1", "r1", "r1"]);
    watcher.is_silent();
}

#[test]
fn the_desktop_shows_it_where_there_is_one() {
    let (scratch, one, two) = two();
    let (bin, log) = (scratch.home().join("bin"), scratch.home().join("log"));
    std::fs::create_dir(&bin).unwrap();
    let command = |path: &Path| {
        let mut command = one.command(LANE);
        let paths = std::env::var_os("PATH").unwrap();
        let paths: Vec<PathBuf> =
            std::iter::once(path.to_owned()).chain(std::env::split_paths(&paths)).collect();
        command.env("PATH", std::env::join_paths(paths).unwrap());
        command.args(["watch", "-n", "1", "--format", "jsonl", "--desktop"]);
        command
    };
    if !one.command("sh").args(["-c", "command -v notify-send"]).status().unwrap().success() {
        one.lane(&["watch", "--desktop"]).fails(2).says("no desktop notices: notify-send is not on the PATH");
    }
    script(&bin.join("notify-send"), &format!("printf '%s\\n' \"$@\" >>{}", log.display()));
    let watcher = Watcher::run(command(&bin));
    ask(&two, "x <b>bold</b> \\n & $(id)");
    assert_eq!(
        written(&log, 5),
        [
            "--app-name=git-lane",
            "--",
            "git-lane: a1, repo",
            "a2 asks for area `migrations` (x &lt;b&gt;bold&lt;/b&gt; \\\\n &amp; $(id))",
            "git lane request show r1"
        ]
    );
    drop(watcher);
    script(&bin.join("notify-send"), "echo 'Cannot autolaunch D-Bus without X11 $DISPLAY' >&2; exit 1");
    let watcher = Watcher::run(command(&bin));
    ask(&two, "y");
    ask(&two, "z");
    let said = watcher.warned();
    assert_eq!(
        said,
        "warning: desktop: notify-send: Cannot autolaunch D-Bus without X11 $DISPLAY; it is not used any more"
    );
    assert_eq!((&watcher.next()["subject"], &watcher.next()["subject"]), (&"r2".into(), &"r3".into()));
}

/// A listener that answers each request as it is told to; the last answer goes on.
fn listener(answers: Vec<&'static str>) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/services/T0/B0/secret", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            let answer = answers[at.min(answers.len() - 1)];
            sender.send(exchange(stream.unwrap(), answer)).ok();
        }
    });
    (address, requests)
}

fn exchange(stream: TcpStream, answer: &str) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(reader.into_inner(), "HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n").unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_webhook_has_it_in_the_form_of_slack_and_in_time() {
    let (_scratch, one, two) = two();
    let answers = vec!["429 Too Many Requests\r\nRetry-After: 1", "503 Service Unavailable", "200 OK"];
    let (address, requests) = listener(answers);
    let watcher = Watcher::of(&one, &["--webhook", &address]);
    ask(&two, "<!channel> & *bold*");
    let first = requests.recv_timeout(PATIENCE).unwrap();
    assert!(first.0.starts_with("POST /services/T0/B0/secret HTTP/1.1\r\n"), "{}", first.0);
    assert!(first.0.to_ascii_lowercase().contains("content-type: application/json"), "{}", first.0);
    let text = "git-lane, repo\n*a1*: a2 asks for area `migrations` (&lt;!channel&gt; &amp; *bold*)\n`git lane request show r1`";
    assert_eq!(first.1, serde_json::json!({ "text": text }));
    for _ in 0..2 {
        assert_eq!(requests.recv_timeout(PATIENCE).unwrap().1, first.1);
    }
    let said: Vec<String> =
        std::iter::from_fn(|| watcher.warnings.recv_timeout(Duration::from_secs(2)).ok()).collect();
    let said = said.join("\n");
    assert!(
        said.contains("webhook: http://127.0.0.1") && said.contains("answered 429; it is tried again"),
        "{said}"
    );
    assert_eq!(said.matches("warning:").count(), 1, "{said}");
    assert!(!said.contains("secret"), "{said}");
    ask(&two, "y");
    assert!(requests.recv_timeout(PATIENCE).unwrap().1["text"].as_str().unwrap().contains("(y)"));
    assert!(requests.recv_timeout(Duration::from_secs(2)).is_err(), "once");
    assert_eq!(watcher.end(Signal::INT), Some(0));
}

#[test]
fn a_webhook_that_is_gone_ends_nothing_and_the_next_watcher_delivers() {
    let (_scratch, one, two) = two();
    let (gone, requests) = listener(vec!["404 Not Found"]);
    let watcher = Watcher::of(&one, &["--webhook", &gone]);
    ask(&two, "x");
    watcher.next();
    watcher.warned();
    assert!(watcher.warned().ends_with("answered 404; it is not used any more"));
    ask(&two, "y");
    assert_eq!(watcher.next()["subject"], "r2");
    drop(watcher);
    assert_eq!(requests.iter().take(1).count(), 1);
    let (address, requests) = listener(vec!["200 OK"]);
    let _watcher = Watcher::of(&one, &["--webhook", &address]);
    let text = requests.recv_timeout(PATIENCE).unwrap().1["text"].as_str().unwrap().to_owned();
    assert!(text.contains("(x)") && text.contains("(y)"), "both in one message: {text}");
}

#[test]
fn what_the_policy_of_the_base_names_is_used_unless_the_user_says_otherwise() {
    let notify =
        "notify: { webhook: \"${HOOK_FOR_TESTS}\", exec: 'echo \"$LANE_EVENT_SUBJECT\" >>../log' }\n";
    let (scratch, one, two) = with_policy(&format!("{POLICY}\n{notify}"), "ttl: 2h, min_ttl: 1s, grace: 1s");
    let log = scratch.home().join("log");
    let (address, requests) = listener(vec!["200 OK"]);
    let command = |is_set: bool| {
        let mut command = one.command(LANE);
        command.args(["watch", "-n", "1", "--format", "jsonl"]);
        if is_set {
            command.env("HOOK_FOR_TESTS", &address);
        }
        command
    };
    // What the working tree has counts for nothing.
    one.write("policy.yaml", format!("{POLICY}\nnotify: {{ exec: 'touch ../owned' }}\n"));
    let watcher = Watcher::run(command(true));
    ask(&two, "x");
    assert_eq!(written(&log, 1), ["r1"]);
    assert!(requests.recv_timeout(PATIENCE).unwrap().1["text"].as_str().unwrap().contains("(x)"));
    let said = [watcher.warned(), watcher.warned()];
    assert!(said[1].starts_with("note: each notice is sent to http://127.0.0.1"), "{said:?}");
    drop(watcher);
    let watcher = Watcher::run(command(false));
    let said = [watcher.warned(), watcher.warned()];
    assert!(said[1].contains("HOOK_FOR_TESTS is not set"), "{said:?}");
    drop(watcher);
    one.git(&["config", "lane.notifyExec", ""]).ok();
    one.git(&["config", "lane.notifyWebhook", ""]).ok();
    let watcher = Watcher::run(command(true));
    ask(&two, "y");
    assert_eq!(watcher.next()["subject"], "r2");
    watcher.is_silent();
    assert_eq!(written(&log, 1), ["r1"]);
    assert!(!scratch.home().join("owned").exists());
}

#[test]
fn records_of_a_remote_are_watched_too() {
    let clones = Clones::new();
    let watcher = Watcher::of(&clones.one, &[]);
    ask(&clones.two, "x");
    assert_eq!(watcher.next()["kind"], "request-received");
}

#[test]
fn it_ends_where_nobody_reads_and_tells_that_again() {
    let (_scratch, one, two) = two();
    let mut watcher = Watcher::of(&one, &[]);
    // The thread that reads ends with its channel, and with it the pipe.
    watcher.lines = channel().1;
    ask(&two, "x");
    std::thread::sleep(Duration::from_secs(3));
    ask(&two, "y");
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
    let watcher = Watcher::of(&one, &[]);
    assert_eq!(watcher.next()["subject"], "r2");
}
