//! A channel with what waits for it: tried again where that may help, given up in the end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::inbox::Reading;
use crate::inbox::store::SeenFile;
use crate::notify::{Channel, Failure, IsEnding};
use lane_core::inbox::Notice;

/// How often one delivery is tried, and how long the waits in between are.
const TRIES: u32 = 8;
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);
/// How long a server may ask to wait.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// The most notices that wait.
const MOST: usize = 500;
/// What leads on where something was not delivered.
const HELP: &str = "what was not delivered stays in the inbox: git lane inbox";

pub(super) struct Outlet {
    channel: Box<dyn Channel>,
    file: SeenFile,
    queue: VecDeque<Notice>,
    tries: u32,
    /// When it is tried again.
    again: Option<Instant>,
    is_unusable: bool,
    /// What was said of it last, so that it is said once.
    said: Option<String>,
    now: i64,
}

/// What is told of failures: text and help.
type Warn<'f> = &'f mut dyn FnMut(&str, &str);

impl Outlet {
    pub fn new(file: SeenFile, channel: Box<dyn Channel>) -> Self {
        let queue = VecDeque::new();
        Self { channel, file, queue, tries: 0, again: None, is_unusable: false, said: None, now: 0 }
    }

    /// Takes what is new for it into its queue.
    pub fn take(&mut self, reading: &Reading, now: i64) {
        self.now = now;
        let seen = self.file.read();
        for notice in seen.unread(&reading.notices) {
            if !self.queue.iter().any(|waiting| waiting.id == notice.id) {
                self.queue.push_back(notice);
            }
        }
        // It is in the inbox all the same.
        while self.queue.len() > MOST {
            self.queue.pop_front();
        }
        let _ = self.file.update(|seen| seen.tidy(&reading.notices, &reading.unknown, now));
    }

    /// In how long it has something to do.
    pub fn due_in(&self) -> Option<Duration> {
        let has_work = !self.queue.is_empty() && !self.is_unusable;
        has_work.then(|| self.again.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now())))
    }

    /// Delivers what waits, as far as that goes now.
    pub fn deliver(&mut self, is_ending: IsEnding<'_>, warn: Warn<'_>) {
        while self.due_in() == Some(Duration::ZERO) && !is_ending() {
            let count = self.queue.len().min(self.channel.most().max(1));
            let batch: Vec<Notice> = self.queue.iter().take(count).cloned().collect();
            match self.channel.deliver(&batch, is_ending) {
                Ok(()) => {
                    self.said = None;
                    self.done(&batch, warn);
                }
                Err(Failure::Interrupted) => return,
                Err(Failure::Later(why, after)) => {
                    self.tries += 1;
                    if self.tries >= TRIES {
                        self.say(warn, format!("gave up after {TRIES} attempts: {why}"));
                        self.done(&batch, warn);
                        continue;
                    }
                    let pause = FIRST.saturating_mul(2_u32.saturating_pow(self.tries - 1)).min(LONGEST);
                    self.again = Some(Instant::now() + after.unwrap_or(pause).min(PATIENCE));
                    // Told once, whatever the next attempt says.
                    if self.tries == 1 {
                        self.say(warn, format!("{why}; it is tried again"));
                    }
                    return;
                }
                Err(Failure::Never(why)) => {
                    self.say(warn, why);
                    self.done(&batch, warn);
                }
                Err(Failure::Unusable(why)) => {
                    self.say(warn, format!("{why}; it is not used any more"));
                    self.is_unusable = true;
                }
            }
        }
    }

    fn say(&mut self, warn: Warn<'_>, why: String) {
        if self.said.as_ref() != Some(&why) {
            warn(&format!("{}: {why}", self.channel.name()), HELP);
            self.said = Some(why);
        }
    }

    /// Notes that these are done with.
    fn done(&mut self, batch: &[Notice], warn: Warn<'_>) {
        self.queue.drain(..batch.len().min(self.queue.len()));
        (self.tries, self.again) = (0, None);
        let now = self.now;
        let noted = self.file.update(|seen| {
            seen.add(batch, now);
            true
        });
        if let Err(error) = noted {
            self.say(warn, format!("what was delivered cannot be noted: {error}"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inbox::store::Reader;
    use lane_core::inbox::REQUEST_RECEIVED;

    struct Scripted(Vec<Result<(), Failure>>, std::rc::Rc<std::cell::RefCell<Vec<String>>>);

    impl Channel for Scripted {
        fn name(&self) -> &'static str {
            "test"
        }

        fn deliver(&mut self, notices: &[Notice], _: IsEnding<'_>) -> Result<(), Failure> {
            self.1.borrow_mut().extend(notices.iter().map(|notice| notice.id.clone()));
            if self.0.is_empty() { Ok(()) } else { self.0.remove(0) }
        }
    }

    fn reading(ids: &[&str]) -> Reading {
        let notice = |id: &&str| Notice::new(&REQUEST_RECEIVED, None, 0, vec![(*id).to_owned()]);
        Reading { notices: ids.iter().map(notice).collect(), ..Reading::default() }
    }

    fn ran(script: Vec<Result<(), Failure>>) -> (Vec<String>, Vec<String>, usize, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let reader = Reader::Agent("a1".into());
        let file = SeenFile::channel(folder.path(), &reader, "test");
        let tried = std::rc::Rc::default();
        let mut outlet = Outlet::new(file.clone(), Box::new(Scripted(script, std::rc::Rc::clone(&tried))));
        outlet.take(&reading(&["x", "y"]), 1);
        let mut said = Vec::new();
        for _ in 0..20 {
            outlet.deliver(&mut || false, &mut |text, _| said.push(text.to_owned()));
            outlet.again = None;
        }
        let marks = file.read().marks.into_keys().collect();
        let tried = tried.borrow().clone();
        (tried, said, outlet.queue.len(), marks)
    }

    #[test]
    fn what_fails_for_now_is_tried_again_and_said_once() {
        let later = || Err(Failure::Later("busy".into(), None));
        let (tried, said, left, marks) = ran(vec![later(), later()]);
        assert_eq!(tried, ["x", "x", "x", "y"]);
        assert_eq!(said, ["test: busy; it is tried again"]);
        assert_eq!((left, marks), (0, vec!["x".to_owned(), "y".to_owned()]));
    }

    #[test]
    fn what_fails_for_good_is_given_up_in_the_end() {
        let (tried, said, left, _) = ran((0..8).map(|_| Err(Failure::Later("busy".into(), None))).collect());
        assert_eq!(tried.len(), 9);
        assert_eq!(said, ["test: busy; it is tried again", "test: gave up after 8 attempts: busy"]);
        assert_eq!(left, 0);
        let (tried, said, ..) = ran(vec![Err(Failure::Never("exit code 1".into()))]);
        assert_eq!((tried.len(), said), (2, vec!["test: exit code 1".to_owned()]));
    }

    #[test]
    fn a_channel_that_cannot_be_used_keeps_what_it_did_not_deliver() {
        let (tried, said, left, marks) = ran(vec![Err(Failure::Unusable("answered 404".into()))]);
        assert_eq!((tried.len(), left, marks.len()), (1, 2, 0));
        assert_eq!(said, ["test: answered 404; it is not used any more"]);
    }

    #[test]
    fn an_end_in_the_middle_loses_nothing() {
        let (_, _, left, marks) = ran(vec![Err(Failure::Interrupted); 30]);
        assert_eq!((left, marks.len()), (2, 0));
    }
}
