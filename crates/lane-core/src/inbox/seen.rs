//! What somebody has seen already.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{KINDS, Notice, WINDOW};

/// The marks that are kept at most: the oldest are forgotten first.
const MOST: usize = 5_000;
/// For how long a mark is kept after it was last met, in seconds. Sources tell nothing for that long.
const KEPT: i64 = 2 * WINDOW;

/// What was seen, each with the time at which it was last met. What is lost of it is shown once more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Times by mark, in seconds since the epoch.
    #[serde(default)]
    pub marks: BTreeMap<String, i64>,
}

impl Seen {
    /// Whether something of it was not seen yet.
    pub fn is_new(&self, notice: &Notice) -> bool {
        notice.marks.iter().any(|mark| !self.marks.contains_key(mark))
    }

    /// What was not seen yet.
    pub fn unread(&self, all: &[Notice]) -> Vec<Notice> {
        all.iter().filter(|notice| self.is_new(notice)).cloned().collect()
    }

    /// Notes that these were seen.
    pub fn add(&mut self, shown: &[Notice], now: i64) {
        for mark in shown.iter().flat_map(|notice| &notice.marks) {
            self.marks.insert(mark.clone(), now);
        }
    }

    /// Forgets what is over. `all`: everything that is to be told now; `unknown`: the words of kinds of which that could not be
    /// found out. True where something changed that has to be kept.
    pub fn tidy(&mut self, all: &[Notice], unknown: &[&str], now: i64) -> bool {
        let present: BTreeSet<&str> =
            all.iter().flat_map(|notice| &notice.marks).map(String::as_str).collect();
        let before = self.marks.len();
        let ends = |mark: &str| {
            let word = mark.split(':').next().unwrap_or_default();
            KINDS.iter().any(|kind| kind.word == word && kind.is_state) && !unknown.contains(&word)
        };
        // A clock that was set back makes nothing old.
        self.marks.retain(|mark, met| {
            present.contains(mark.as_str()) || (!ends(mark) && now.saturating_sub(*met) < KEPT)
        });
        let mut is_changed = self.marks.len() != before;
        for (mark, met) in &mut self.marks {
            // Once a day is enough to know that it still is there.
            if present.contains(mark.as_str()) && now.saturating_sub(*met) > 86_400 {
                (*met, is_changed) = (now, true);
            }
        }
        if self.marks.len() > MOST {
            let mut old: Vec<(bool, i64, String)> = self
                .marks
                .iter()
                .map(|(mark, met)| (present.contains(mark.as_str()), *met, mark.clone()))
                .collect();
            old.sort();
            old.truncate(self.marks.len() - MOST);
            for (_, _, mark) in old {
                self.marks.remove(&mark);
            }
        }
        is_changed
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CONFLICT, Kind, REQUEST_ANSWERED};
    use super::*;

    fn notice(kind: &'static Kind, marks: &[&str]) -> Notice {
        let marks = marks.iter().map(|mark| format!("{}:{mark}", kind.word)).collect();
        Notice::new(kind, Some("a1"), 0, marks)
    }

    #[test]
    fn what_was_seen_is_not_new_until_there_is_more_of_it() {
        let mut seen = Seen::default();
        let one = notice(&CONFLICT, &["x"]);
        assert!(seen.is_new(&one));
        seen.add(std::slice::from_ref(&one), 10);
        assert!(seen.unread(std::slice::from_ref(&one)).is_empty());
        assert!(seen.is_new(&notice(&CONFLICT, &["x", "y"])), "another file");
    }

    #[test]
    fn a_state_that_ended_is_told_anew_and_an_event_never() {
        let (state, event) = (notice(&CONFLICT, &["x"]), notice(&REQUEST_ANSWERED, &["y"]));
        let mut seen = Seen::default();
        seen.add(&[state.clone(), event.clone()], 10);
        assert!(!seen.clone().tidy(&[], &["conflict"], 20), "unknown is not ended");
        assert!(seen.tidy(&[], &[], 20));
        assert!(seen.is_new(&state));
        assert!(!seen.is_new(&event));
        assert!(seen.tidy(&[], &[], 10 + KEPT), "old");
        assert!(seen.marks.is_empty());
    }

    #[test]
    fn what_is_still_there_is_kept_and_the_rest_is_bounded() {
        let kept = notice(&REQUEST_ANSWERED, &["kept"]);
        let mut seen = Seen::default();
        seen.add(std::slice::from_ref(&kept), 0);
        seen.marks.extend((0..MOST).map(|at| (format!("request-answered:{at}"), 5)));
        assert!(seen.tidy(std::slice::from_ref(&kept), &[], 3 * 86_400));
        assert_eq!(seen.marks.len(), MOST);
        assert!(!seen.is_new(&kept));
    }
}
