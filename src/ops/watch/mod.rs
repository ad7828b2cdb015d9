//! Staying, and telling each thing once, at the time at which it happens.
//!
//! Each channel has its own file of what it told, marked after it did: one that was killed in between tells it again. What is new
//! is looked for where something has changed that the file system shows, and else every half minute.

mod channels;
mod outlet;
mod stamp;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Session;
use crate::inbox::store::{Reader, SeenFile, WatchGuard};
use crate::inbox::{Audience, Cache, Options, Reading, read};
use crate::notify::Channel;
use lane_core::error::Error;
use lane_core::inbox::Notice;
use lane_git::Repository;
use outlet::Outlet;

pub use channels::{ChannelOptions, Channels, channels};

/// How long nothing is read where nothing seems to have changed: what manual claims, processes and clocks do is seen then.
const WHOLE: Duration = Duration::from_secs(30);
/// How often a remote with the records is asked at most.
const REMOTE: Duration = Duration::from_secs(15);

/// Whoever is told by lines.
pub trait Listener {
    /// Shows one notice; false: nobody reads any more.
    ///
    /// # Errors
    /// It cannot be written.
    fn show(&mut self, notice: &Notice) -> Result<bool, Error>;

    /// Says what does not work and stops nothing.
    fn warn(&mut self, text: &str, help: &str);
}

/// One watcher.
pub struct Watch<'l> {
    session: Session,
    audience: Audience,
    listener: &'l mut dyn Listener,
    lines: SeenFile,
    outlets: Vec<Outlet>,
    cache: Cache,
    common_dir: PathBuf,
    interval: Duration,
    /// What was said of things that could not be read, so that it is said once.
    said: Vec<String>,
    asked: Option<Instant>,
    /// In how long something changes by time alone.
    next_change: Duration,
    signals: Receiver<u8>,
    is_ended: bool,
    _guard: WatchGuard,
}

impl<'l> Watch<'l> {
    /// Becomes the watcher of a reader.
    ///
    /// # Errors
    /// There is one already, or the common git folder cannot be written.
    pub fn begin(
        session: Session,
        (reader, audience): (Reader, Audience),
        channels: Vec<Box<dyn Channel>>,
        interval: Duration,
        listener: &'l mut dyn Listener,
    ) -> Result<Self, Error> {
        let common_dir = session.repo.layout().common_dir.clone();
        let unwritable = |error: std::io::Error| {
            Error::write(
                format!("what is told cannot be noted: {error}"),
                "check disk space and permissions of the common git folder",
            )
        };
        let guard = WatchGuard::acquire(&common_dir, &reader).map_err(unwritable)?.ok_or_else(|| {
            Error::usage(
                format!("another git lane watch is running for {}", reader.words()),
                "end that one first, or read what is new: git lane inbox",
            )
        })?;
        let inbox = SeenFile::inbox(&common_dir, &reader);
        let begun = |name: &str| {
            let file = SeenFile::channel(&common_dir, &reader, name);
            file.begin_with(&inbox).map(|()| file).map_err(unwritable)
        };
        let lines = begun("lines")?;
        let mut outlets = Vec::new();
        for channel in channels {
            outlets.push(Outlet::new(begun(channel.name())?, channel));
        }
        let signals = lane_os::interrupts().map_err(|error| {
            Error::usage(format!("signals cannot be caught: {error}"), "read what is new: git lane inbox")
        })?;
        Ok(Self {
            session,
            audience,
            listener,
            lines,
            outlets,
            cache: Cache::default(),
            common_dir,
            interval,
            said: Vec::new(),
            asked: None,
            next_change: WHOLE,
            signals,
            is_ended: false,
            _guard: guard,
        })
    }

    /// Stays until a signal ends it, or nobody reads what it prints.
    ///
    /// # Errors
    /// The repository is gone, or what is told cannot be written.
    pub fn run(mut self) -> Result<(), Error> {
        let (mut stamp, mut whole, mut is_unsettled) = (None, Instant::now(), false);
        loop {
            // Before it is read: what changes meanwhile is read in the next round.
            let now = stamp::of(&self.common_dir);
            let is_changed = stamp != Some(now);
            if is_changed || is_unsettled || Instant::now() >= whole {
                if !self.round()? {
                    return Ok(());
                }
                // Two changes within one tick of the file system's clock look like one.
                (stamp, is_unsettled) = (Some(now), is_changed);
                let by_time = self.next_change.max(self.interval);
                let remote = if self.has_remote() { REMOTE } else { WHOLE };
                whole = Instant::now() + WHOLE.min(by_time).min(remote);
            }
            self.deliver();
            if self.is_ended || self.waits() {
                return Ok(());
            }
        }
    }

    fn has_remote(&self) -> bool {
        self.session.loaded.plan.policy.locks.remote.is_some()
    }

    /// Waits for the next round; true: a signal ended it.
    fn waits(&mut self) -> bool {
        let again = self.outlets.iter().filter_map(Outlet::due_in).min();
        let pause = again.unwrap_or(self.interval).clamp(Duration::from_millis(10), self.interval);
        !matches!(self.signals.recv_timeout(pause), Err(RecvTimeoutError::Timeout))
    }

    /// Reads, prints what is new, and hands it to the channels; false: nobody reads any more.
    fn round(&mut self) -> Result<bool, Error> {
        match self.session.reopened() {
            Ok(session) => self.session = session,
            Err(error) if !self.common_dir.exists() => return Err(error),
            Err(error) => {
                self.say_once(&error.to_string(), error.help().as_deref().unwrap_or("git lane doctor"));
                return Ok(true);
            }
        }
        let now = jiff::Timestamp::now().as_second();
        let is_due = self.asked.is_none_or(|asked| asked.elapsed() >= REMOTE);
        if is_due {
            self.asked = Some(Instant::now());
        }
        let options = Options { now, refresh: is_due.then_some(1_000) };
        let (repo, loaded) = (&self.session.repo, &self.session.loaded);
        let reading = read(repo, loaded, &self.audience, &mut self.cache, options);
        self.next_change = reading.next_change.map_or(WHOLE, Duration::from_millis);
        for note in &reading.notes {
            self.say_once(note, "git lane inbox");
        }
        self.said.retain(|said| reading.notes.contains(said));
        self.print(&reading, now)
    }

    fn print(&mut self, reading: &Reading, now: i64) -> Result<bool, Error> {
        let lines = self.lines.read();
        let mut shown = Vec::new();
        let mut is_read = Ok(true);
        for notice in lines.unread(&reading.notices) {
            match self.listener.show(&notice) {
                Ok(true) => shown.push(notice),
                end => {
                    is_read = end;
                    break;
                }
            }
        }
        let told = |file: &SeenFile| {
            file.update(|seen| {
                let is_tidied = seen.tidy(&reading.notices, &reading.unknown, now);
                seen.add(&shown, now);
                is_tidied || !shown.is_empty()
            })
        };
        if let Err(error) = told(&self.lines) {
            self.say_once(&format!("what was shown cannot be noted: {error}"), "git lane inbox");
        }
        for outlet in &mut self.outlets {
            outlet.take(reading, now);
        }
        is_read
    }

    fn say_once(&mut self, text: &str, help: &str) {
        if !self.said.iter().any(|said| said == text) {
            self.listener.warn(text, help);
            self.said.push(text.to_owned());
        }
    }

    /// Delivers what waits for that.
    fn deliver(&mut self) {
        let (signals, is_ended, listener) = (&self.signals, &mut self.is_ended, &mut *self.listener);
        let mut is_ending = || {
            *is_ended = *is_ended || signals.try_recv().is_ok();
            *is_ended
        };
        for outlet in &mut self.outlets {
            outlet.deliver(&mut is_ending, &mut |text, help| listener.warn(text, help));
        }
    }
}

/// The name of the repository, as messages call it.
pub fn place(layout: &lane_git::Layout) -> String {
    let main = layout.common_dir.file_name().filter(|name| *name == ".git");
    let folder: &Path = if main.is_some() {
        layout.common_dir.parent().unwrap_or(&layout.common_dir)
    } else {
        &layout.common_dir
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    lane_core::text::plain(name.strip_suffix(".git").unwrap_or(&name))
}
