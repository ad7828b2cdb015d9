//! What a command that has ended, or an answer, says of a service.

use std::time::Duration;

use serde::Serialize;

use super::listing;
use crate::policy::model::Check;
use crate::policy::scalar::format_duration;

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs.
    Healthy,
    /// It does not, or not as it should.
    Unhealthy,
    /// It could not be asked.
    Unknown,
}

/// How a service is, and why nothing better can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How it is.
    pub state: State,
    /// Why, on one line; empty where it is healthy.
    pub reason: String,
}

impl Verdict {
    fn healthy() -> Self {
        Self { state: State::Healthy, reason: String::new() }
    }

    fn unhealthy(reason: impl Into<String>) -> Self {
        Self { state: State::Unhealthy, reason: reason.into() }
    }

    /// It could not be asked.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { state: State::Unknown, reason: reason.into() }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exit(u8),
    /// It took longer than it may, and was ended.
    TimedOut,
    /// It wrote more than it may, and was ended.
    TooMuchOutput,
    /// All were to end.
    Interrupted,
}

/// A command that has ended, and what it wrote.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    /// The command.
    pub command: &'r str,
    /// How it ended.
    pub ending: Ending,
    /// How long it may take.
    pub timeout: Duration,
    /// Its standard output.
    pub out: &'r str,
    /// Its standard error.
    pub err: &'r str,
}

/// An answer to a request for an address.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Where it leads elsewhere.
    pub location: Option<String>,
    /// Its body, as far as it was read.
    pub body: String,
    /// Whether the body did not end within the time.
    pub is_unfinished: bool,
}

/// What a shell says where there is no such program, and where it cannot be run.
const NOT_RUN: [u8; 2] = [126, 127];

/// What tools write where they cannot reach what they are to ask.
const UNREACHABLE: [&str; 8] = [
    "Unable to connect to the server",
    "The connection to the server",
    "couldn't get current server API group list",
    "You must be logged in to the server",
    "Error from server (Forbidden)",
    "Cannot connect to the Docker daemon",
    "System has not been booted with systemd",
    "Failed to connect to bus",
];

/// What a command says of a service. The words of the policy count where it has any; otherwise lists of `kubectl` and
/// `docker` are read, which exit with 0 whatever is in them.
pub fn of_run(check: &Check<'_>, run: &Run<'_>) -> Verdict {
    let last =
        |text: &str| text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    let said = || last(run.err).or_else(|| last(run.out)).map(|line| format!(": {line}")).unwrap_or_default();
    let unreachable = || {
        let mut lines = run.err.lines().rev().map(str::trim);
        lines.find(|line| UNREACHABLE.iter().any(|start| line.contains(start))).map(str::to_owned)
    };
    let code = match run.ending {
        Ending::Exit(code) => code,
        Ending::TimedOut => {
            let time = format_duration(run.timeout.as_secs());
            return Verdict::unhealthy(format!("no answer within {time}{}", said()));
        }
        Ending::TooMuchOutput => {
            return Verdict::unknown("the check wrote too much, and was ended");
        }
        Ending::Interrupted => return Verdict::unknown("interrupted"),
    };
    if NOT_RUN.contains(&code) {
        return Verdict::unknown(format!("the command could not be run (exit code {code}){}", said()));
    }
    if code != 0 {
        return match unreachable() {
            Some(line) => Verdict::unknown(line),
            None => Verdict::unhealthy(format!("exit code {code}{}", said())),
        };
    }
    let both = || format!("{}\n{}", run.out, run.err);
    if let Some(verdict) = of_words(check, &both(), "output") {
        return verdict;
    }
    match listing::down(run.command, run.out, run.err) {
        Some(reason) => Verdict::unhealthy(reason),
        None => Verdict::healthy(),
    }
}

/// What an answer says of a service: a status of 200 to 299, a body that ends, and the words of the policy.
pub fn of_answer(check: &Check<'_>, answer: &Answer, timeout: Duration) -> Verdict {
    let status = answer.status;
    if !(200..300).contains(&status) {
        let to = answer.location.as_ref().map(|to| format!(", which leads to {to}")).unwrap_or_default();
        return Verdict::unhealthy(format!("status {status}{to}"));
    }
    if answer.is_unfinished {
        let time = format_duration(timeout.as_secs());
        return Verdict::unhealthy(format!("status {status}, but its body did not end within {time}"));
    }
    of_words(check, &answer.body, "body").unwrap_or_else(Verdict::healthy)
}

/// What the words of the policy make of a text; `None` where it has none.
fn of_words(check: &Check<'_>, text: &str, what: &str) -> Option<Verdict> {
    if let Some(word) = check.reject.iter().find(|word| text.contains(&word.value)) {
        let line = text.lines().find(|line| line.contains(&word.value)).unwrap_or(&word.value);
        return Some(Verdict::unhealthy(format!("`{}` in the {what}: {}", word.value, line.trim())));
    }
    if check.expect.is_empty() {
        return (!check.reject.is_empty()).then(Verdict::healthy);
    }
    if check.expect.iter().any(|word| text.contains(&word.value)) {
        return Some(Verdict::healthy());
    }
    let words: Vec<String> = check.expect.iter().map(|word| format!("`{}`", word.value)).collect();
    Some(Verdict::unhealthy(format!("no {} in the {what}", words.join(" or "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Spanned;

    fn judged(expect: &str, reject: &str, code: u8, out: &str, err: &str) -> (State, String) {
        let words = |text: &str| -> Vec<Spanned<String>> {
            text.split_terminator('|').map(|word| Spanned::default_of(word.to_owned())).collect()
        };
        let (command, expect, reject) = (Spanned::default_of("x".to_owned()), words(expect), words(reject));
        let check = Check { check: &command, expect: &expect, reject: &reject };
        let timeout = Duration::from_secs(10);
        let run = Run { command: "x", ending: Ending::Exit(code), timeout, out, err };
        let Verdict { state, reason } = of_run(&check, &run);
        (state, reason)
    }

    #[test]
    fn exit_codes() {
        assert_eq!(judged("", "", 0, "", "").0, State::Healthy);
        assert_eq!(
            judged("", "", 3, "inactive\n", ""),
            (State::Unhealthy, "exit code 3: inactive".to_owned()),
            "systemctl is-active"
        );
        assert_eq!(judged("", "", 127, "", "sh: kubectl: not found").0, State::Unknown);
        let refused = "The connection to the server localhost:8080 was refused - did you specify the right host or port?";
        assert_eq!(judged("", "", 1, "", refused), (State::Unknown, refused.to_owned()));
    }

    #[test]
    fn words_of_the_policy() {
        assert_eq!(judged("ready|ok", "", 0, "all ok", "").0, State::Healthy);
        assert_eq!(
            judged("ready|ok", "", 0, "no", ""),
            (State::Unhealthy, "no `ready` or `ok` in the output".into())
        );
        assert_eq!(
            judged("ok", "bad", 0, "ok\nvery bad \n", ""),
            (State::Unhealthy, "`bad` in the output: very bad".into())
        );
        assert_eq!(
            judged("", "bad", 0, "web 0/1 Error", "").0,
            State::Healthy,
            "the policy's words alone count"
        );
        assert_eq!(judged("ok", "", 1, "ok", "").0, State::Unhealthy, "and the exit code");
    }

    #[test]
    fn answers() {
        let command = Spanned::default_of("http://x".to_owned());
        let expect = [Spanned::default_of("\"up\"".to_owned())];
        let of = |expect, status, body: &str, is_unfinished| {
            let check = Check { check: &command, expect, reject: &[] };
            let answer = Answer { status, location: None, body: body.to_owned(), is_unfinished };
            of_answer(&check, &answer, Duration::from_secs(3))
        };
        assert_eq!(of(&[], 204, "", false).state, State::Healthy);
        assert_eq!(of(&[], 503, "", false).reason, "status 503");
        assert_eq!(of(&[], 301, "", false).state, State::Unhealthy);
        assert_eq!(of(&[], 200, "x", true).reason, "status 200, but its body did not end within 3 s");
        assert_eq!(of(&expect, 200, "{\"status\":\"up\"}", false).state, State::Healthy);
        assert_eq!(of(&expect, 200, "down", false).reason, "no `\"up\"` in the body");
    }
}
