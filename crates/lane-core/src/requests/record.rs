//! What is stored of a request: one JSON line at the end of each commit's message.

use serde::{Deserialize, Serialize};

use crate::event_log;
use crate::policy::is_name;
use crate::text::plain;

/// The version of the format.
pub const FORMAT: u32 = 1;
/// The name that the file has in a commit's tree: fixed, so that it can be no part of a project.
pub const CONTENT: &str = "content";
/// The urgency of a request that says none; 1 comes first.
pub const PRIORITY: u8 = 3;
/// The least urgent.
pub const LAST: u8 = 9;

/// The state of one request, and the event that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The version of the format.
    #[serde(rename = "lane-request")]
    pub format: u32,
    /// `r7`: the last part of the ref's name.
    pub id: String,
    /// Who asks.
    pub by: Person,
    /// For a change of what.
    pub target: Target,
    /// The name of the file that comes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The priority; 1 is the most urgent.
    pub priority: u8,
    /// Why, in the words of whoever asks.
    pub reason: String,
    /// When it was submitted, in seconds since the epoch.
    pub submitted: i64,
    /// What became of it.
    pub state: RequestState,
    /// When it was accepted, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<i64>,
    /// Which of all requests it was to be accepted: clocks differ, and some are set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// The commit that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What happened last.
    pub event: RequestEvent,
}

/// Somebody who asks or answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Person {
    /// An agent, by its id.
    Agent(String),
    /// A maintainer, by e-mail address.
    Maintainer(String),
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// The area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The agent whose lane it is, where no area is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The paths, if some were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The agent who is asked, where nobody owns it: the holder of the lock, for instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Nobody answered yet.
    Submitted,
    /// It will be done.
    Accepted,
    /// It will not be done.
    Rejected,
    /// It is done.
    Done,
    /// Whoever asked does not need it any more.
    Withdrawn,
}

impl RequestState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether somebody still has something to do.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Submitted | Self::Accepted)
    }
}

/// One event of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEvent {
    /// What happened.
    pub kind: RequestEventKind,
    /// Who did it.
    pub by: Person,
    /// When, by the wall clock of whoever did it, in seconds since the epoch.
    pub at: i64,
    /// The machine's name.
    pub host: String,
    /// The worktree it was done in.
    pub worktree: String,
    /// What nobody else has: two who do the same at the same moment write two commits, and one of them counts.
    pub nonce: String,
    /// Why, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestEventKind {
    /// It is made.
    Submit,
    /// It will be done.
    Accept,
    /// It will not be done.
    Reject,
    /// It was done.
    Done,
    /// It is taken back by whoever made it.
    Withdraw,
}

impl RequestEventKind {
    /// The word in the audit trail.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Submit => "submits",
            Self::Accept => "accepts",
            Self::Reject => "rejects",
            Self::Done => "does",
            Self::Withdraw => "withdraws",
        }
    }

    /// The state that it leads to.
    pub fn leads_to(self) -> RequestState {
        match self {
            Self::Submit => RequestState::Submitted,
            Self::Accept => RequestState::Accepted,
            Self::Reject => RequestState::Rejected,
            Self::Done => RequestState::Done,
            Self::Withdraw => RequestState::Withdrawn,
        }
    }
}

impl Person {
    /// The id or the address.
    pub fn name(&self) -> &str {
        match self {
            Self::Agent(name) | Self::Maintainer(name) => name,
        }
    }

    /// The id, if it is an agent.
    pub fn agent(&self) -> Option<&str> {
        match self {
            Self::Agent(id) => Some(id),
            Self::Maintainer(_) => None,
        }
    }
}

/// The number in an id: 7 of `r7`. `None`: it is no id.
pub fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix('r')?;
    let is_plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

impl RequestRecord {
    /// The record after one more event; `None` where nothing can follow, or this cannot. `turn`: the one it has if
    /// this is what accepts it.
    pub fn follow(&self, event: RequestEvent, commit: Option<String>, turn: u64) -> Option<Self> {
        let is_due = match event.kind {
            RequestEventKind::Accept => self.state == RequestState::Submitted,
            RequestEventKind::Reject | RequestEventKind::Done | RequestEventKind::Withdraw => {
                self.state.is_open()
            }
            RequestEventKind::Submit => false,
        };
        is_due.then(|| {
            let accepted =
                if event.kind == RequestEventKind::Accept { Some(event.at) } else { self.accepted };
            let is_taken = matches!(event.kind, RequestEventKind::Accept | RequestEventKind::Done);
            let turn = self.turn.or(is_taken.then_some(turn));
            Self { state: event.kind.leads_to(), accepted, turn, commit, event, ..self.clone() }
        })
    }

    /// The commit message: a line for people, and the record as the last line.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    pub fn message(&self) -> Result<String, serde_json::Error> {
        let RequestEvent { kind, by, reason, .. } = &self.event;
        let why = reason.as_ref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
        let json = serde_json::to_string(self)?;
        Ok(format!("{} {} {}{why}\n\n{json}\n", plain(by.name()), kind.verb(), self.id))
    }

    /// The raw commit that holds it.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    pub fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        // An address can have characters in it that git takes for its own.
        let who = self.event.by.agent().unwrap_or("maintainer");
        Ok(event_log::commit(who, self.event.at, &self.message()?, tree, parent))
    }

    /// Reads a record back out of a commit message.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(message: &str, id: &str) -> Result<Self, String> {
        let mut record: Self = event_log::parse(message, "lane-request", FORMAT)?;
        if record.id != id {
            return Err(format!("it is about `{}`, not `{id}`", plain(&record.id)));
        }
        record.make_plain();
        let Target { area, lane, to, .. } = &record.target;
        let names =
            [record.by.agent(), record.event.by.agent(), lane.as_deref(), area.as_deref(), to.as_deref()];
        if let Some(name) = names.into_iter().flatten().find(|name| !is_name(name)) {
            return Err(format!("it is damaged: `{name}` is not a valid name"));
        }
        if record.event.kind.leads_to() != record.state {
            return Err("it is damaged: its last event does not match its state".to_owned());
        }
        Ok(record)
    }

    /// Takes out of all texts what could play tricks on a terminal: whoever may push can write a record.
    fn make_plain(&mut self) {
        let RequestEvent { by, host, worktree, nonce, reason, .. } = &mut self.event;
        let mut texts = vec![host, worktree, nonce, &mut self.reason];
        texts.extend([by, &mut self.by].map(|person| match person {
            Person::Agent(name) | Person::Maintainer(name) => name,
        }));
        texts.extend(reason.iter_mut().chain(&mut self.file).chain(&mut self.commit));
        let Target { area, lane, paths, to } = &mut self.target;
        texts.extend(paths.iter_mut().chain(area).chain(lane).chain(to));
        for text in texts {
            *text = plain(text);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn event(kind: RequestEventKind, by: &str, at: i64) -> RequestEvent {
        let by = Person::Agent(by.into());
        RequestEvent {
            kind,
            by,
            at,
            host: "here".into(),
            worktree: "/w".into(),
            nonce: "n".into(),
            reason: None,
        }
    }

    pub fn record(id: &str, by: &str, area: &str) -> RequestRecord {
        RequestRecord {
            format: FORMAT,
            id: id.into(),
            by: Person::Agent(by.into()),
            target: Target { area: Some(area.into()), ..Target::default() },
            file: Some("change.sql".into()),
            priority: PRIORITY,
            reason: "a column".into(),
            submitted: 1_000,
            state: RequestState::Submitted,
            accepted: None,
            turn: None,
            commit: None,
            event: event(RequestEventKind::Submit, by, 1_000),
        }
    }

    #[test]
    fn a_record_is_read_back() {
        let one = record("r7", "a2", "migrations");
        let message = one.message().expect("a message");
        assert!(message.starts_with("a2 submits r7\n\n{\"lane-request\":1,"), "{message}");
        assert_eq!(RequestRecord::parse(&message, "r7"), Ok(one.clone()));
        assert!(RequestRecord::parse(&message, "r8").expect_err("another").contains("is about `r7`"));
        let newer = message.replace("\"lane-request\":1", "\"lane-request\":2");
        assert!(RequestRecord::parse(&newer, "r7").expect_err("newer").contains("newer git-lane"));
        assert!(
            RequestRecord::parse("hello", "r7").expect_err("no record").contains("not written by git-lane")
        );
        let odd = message.replace("{\"agent\":\"a2\"}", "{\"agent\":\"../a\"}");
        assert!(RequestRecord::parse(&odd, "r7").expect_err("no name").contains("not a valid name"));
        let forged = message.replace("\"state\":\"submitted\"", "\"state\":\"done\"");
        assert!(
            RequestRecord::parse(&forged, "r7").expect_err("forged").contains("does not match its state")
        );
    }

    #[test]
    fn what_may_follow_what() {
        use RequestEventKind::{Accept, Done, Reject, Submit, Withdraw};
        let ends = |kinds: &[RequestEventKind]| {
            let mut at = Some(record("r1", "a2", "migrations"));
            for kind in kinds {
                at = at.and_then(|record| record.follow(event(*kind, "a1", 2_000), None, 1));
            }
            at.map(|record| record.state)
        };
        assert_eq!(ends(&[Accept, Done]), Some(RequestState::Done));
        assert_eq!(ends(&[Done]), Some(RequestState::Done));
        assert_eq!(ends(&[Accept, Reject]), Some(RequestState::Rejected));
        assert_eq!(ends(&[Accept, Withdraw]), Some(RequestState::Withdrawn));
        assert_eq!(ends(&[Accept, Accept]), None);
        assert_eq!(ends(&[Reject, Accept]), None);
        assert_eq!(ends(&[Withdraw, Done]), None);
        assert_eq!(ends(&[Submit]), None);
    }

    #[test]
    fn ids() {
        assert_eq!((number("r7"), number("r10")), (Some(7), Some(10)));
        assert_eq!((number("r0"), number("r07"), number("7")), (None, None, None));
        assert_eq!((number("r+7"), number("r"), number("rx")), (None, None, None));
    }

    #[test]
    fn tricks_are_taken_out() {
        let mut tricky = record("r7", "a2", "migrations");
        tricky.reason = "a\u{1b}[2J\nb".into();
        tricky.by = Person::Maintainer("x\u{202e}@y".into());
        let message = tricky.message().expect("a message");
        let read = RequestRecord::parse(&message, "r7").expect("a record");
        assert_eq!((read.reason.as_str(), read.by.name()), ("a\\x1b[2J b", "x\\u{202e}@y"));
    }
}
