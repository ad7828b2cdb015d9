//! A real terminal, in tmux.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Worktree;

/// A terminal of its own, on a server of its own.
pub struct Tmux {
    tree: Worktree,
}

impl Tmux {
    pub fn start(tree: &Worktree) -> Option<Self> {
        if tree.command("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no tmux here");
            return None;
        }
        let tmux = Self { tree: tree.clone() };
        let started =
            tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "w", "sh"]);
        assert!(started.1, "{}", started.0);
        Some(tmux)
    }

    pub fn run(&self, args: &[&str]) -> (String, bool) {
        let mut command = self.tree.command("tmux");
        command.env("TERM", "xterm-256color").env("PS1", "prompt> ");
        let ran = command.arg("-S").arg(self.tree.home.join("tmux")).args(args).output().unwrap();
        (
            String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr),
            ran.status.success(),
        )
    }

    pub fn keys(&self, keys: &[&str]) {
        assert!(self.run(&[&["send-keys", "-t", "w"], keys].concat()).1);
    }

    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p", "-t", "w"]).0
    }

    /// Waits until the screen is such.
    #[track_caller]
    pub fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "not {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the terminal is in its usual state: no second screen, the cursor to be seen, keys echoed by lines.
    #[track_caller]
    pub fn is_as_before(&self, what: &str) {
        self.until(what, |screen| screen.contains("before") && !screen.contains("AGENT"));
        let flags =
            self.run(&["display-message", "-p", "-t", "w", "#{alternate_on} #{cursor_flag} #{wrap_flag}"]).0;
        assert_eq!(flags.trim(), "0 1 1", "{what}");
        self.keys(&["clear; stty -a | tr ' ' '\\n' | grep -cxE 'icanon|echo|isig'; echo before", "Enter"]);
        self.until(what, |screen| screen.lines().any(|line| line == "3"));
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}
