//! One thing that happened.

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Kind;
use crate::text::plain;

/// The most characters of a text of others in a notice.
const LONGEST: usize = 300;

/// Something that happened, and that somebody is to hear of. All texts are on one line, with everything hidden written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What is the same for the same occurrence, and differs for another.
    pub id: String,
    /// What kind of thing.
    #[serde(serialize_with = "word")]
    pub kind: &'static Kind,
    /// When it happened, in seconds since the epoch.
    #[serde(serialize_with = "timestamp")]
    pub time: i64,
    /// Whom it concerns; `None`: a maintainer.
    pub agent: Option<String>,
    /// Who did it, where somebody did.
    pub by: Option<String>,
    /// What it is about: a scope, a request, a path.
    pub subject: String,
    /// What happened, as a sentence without its end.
    pub text: String,
    /// The command that leads on.
    pub next: String,
    /// What is noted when it was seen.
    #[serde(skip)]
    pub marks: Vec<String>,
}

fn word<S: Serializer>(kind: &&'static Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.word)
}

fn timestamp<S: Serializer>(at: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time(*at))
}

/// A time as programs and logs read it: `2026-11-28T12:00:00Z`.
pub fn time(at: i64) -> String {
    jiff::Timestamp::from_second(at).unwrap_or_default().to_string()
}

/// A mark of a kind: short, whatever it is made of.
pub fn mark(kind: &Kind, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    format!("{}:{hex}", kind.word)
}

impl Notice {
    /// One with these marks, of which there is at least one.
    pub fn new(kind: &'static Kind, agent: Option<&str>, time: i64, marks: Vec<String>) -> Self {
        let id = match marks.as_slice() {
            [one] => one.clone(),
            all => mark(kind, &all.iter().map(|one| one.as_bytes()).collect::<Vec<_>>()),
        };
        let agent = agent.map(str::to_owned);
        let nothing = String::new();
        Self {
            id,
            kind,
            time,
            agent,
            by: None,
            subject: nothing.clone(),
            text: nothing.clone(),
            next: nothing,
            marks,
        }
    }

    /// Who did it.
    pub fn by(self, who: &str) -> Self {
        Self { by: Some(plain(who)).filter(|who| !who.is_empty()), ..self }
    }

    /// What it is about, what happened, and the command that leads on.
    pub fn says(self, subject: &str, text: &str, next: String) -> Self {
        Self { subject: plain(subject), text: plain(text), next, ..self }
    }

    /// It as one line.
    pub fn line(&self) -> String {
        let agent = self.agent.as_deref().map(|agent| format!("{agent}: ")).unwrap_or_default();
        format!("{agent}{}; next: {}", self.text, self.next)
    }
}

/// The words of others at the end of a sentence: `: <words>`, or nothing.
pub(super) fn words(reason: Option<&str>) -> String {
    let words = plain(reason.unwrap_or_default());
    if words.is_empty() {
        return words;
    }
    match words.char_indices().nth(LONGEST) {
        Some((at, _)) => format!(" ({}…)", &words[..at]),
        None => format!(" ({words})"),
    }
}

/// In the order in which they happened, each once: for a maintainer, what concerns two agents alike is one thing.
pub fn merge(mut all: Vec<Notice>) -> Vec<Notice> {
    all.sort_by_key(|notice| notice.time);
    let mut kept: Vec<Notice> = Vec::with_capacity(all.len());
    for notice in all {
        if !kept.iter().any(|known| known.id == notice.id) {
            kept.push(notice);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::{CONFLICT, LOCK_LOST};
    use super::*;

    #[test]
    fn marks_tell_their_parts_apart() {
        assert_eq!(mark(&CONFLICT, &[b"a", b"bc"]), mark(&CONFLICT, &[b"a", b"bc"]));
        assert_ne!(mark(&CONFLICT, &[b"a", b"bc"]), mark(&CONFLICT, &[b"ab", b"c"]));
        assert_ne!(mark(&CONFLICT, &[b"a"]), mark(&LOCK_LOST, &[b"a"]));
    }

    #[test]
    fn a_notice_is_one_line_whatever_others_wrote() {
        let notice = Notice::new(&LOCK_LOST, Some("a2"), 0, vec!["m".into()]);
        let notice = notice.by("a1\u{1b}[2J\n").says("common", "a\nb\u{202e}c", "git lane locks".into());
        assert_eq!(notice.line(), "a2: a b\\u{202e}c; next: git lane locks");
        assert_eq!(notice.by.as_deref(), Some("a1\\x1b[2J"));
        let json = serde_json::to_value(&notice).expect("JSON");
        assert_eq!((&json["kind"], &json["time"]), (&"lock-lost".into(), &"1970-01-01T00:00:00Z".into()));
        assert!(json.get("marks").is_none());
    }

    #[test]
    fn what_concerns_two_is_told_once_and_in_order() {
        let one =
            |agent: &str, time, mark: &str| Notice::new(&CONFLICT, Some(agent), time, vec![mark.to_owned()]);
        let all = merge(vec![one("a2", 9, "x"), one("a1", 5, "y"), one("a1", 9, "x")]);
        assert_eq!(all.iter().map(|notice| notice.id.as_str()).collect::<Vec<_>>(), ["y", "x"]);
    }
}
