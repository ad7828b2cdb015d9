//! Trying again what others do at the same time.

use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lane_core::error::Error;

/// How long to try while others are always faster.
const PERSISTENCE: Duration = Duration::from_secs(60);
/// The first pause and the longest one, in milliseconds.
const PAUSES: (u64, u64) = (10, 400);

/// Does something until it is done, with growing pauses; `None` where it never was. `random`: a number that nobody
/// else has.
pub(crate) fn retry<T>(
    random: impl Fn() -> u64,
    mut attempt: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let started = Instant::now();
    let (mut pause, longest) = PAUSES;
    loop {
        if let Some(done) = attempt()? {
            return Ok(Some(done));
        }
        if started.elapsed() > PERSISTENCE {
            return Ok(None);
        }
        sleep(spread(pause, random()));
        pause = (pause * 2).min(longest);
    }
}

/// A number that nobody else has.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// A pause of about so many milliseconds: two that collided should not do so again.
pub(crate) fn spread(millis: u64, random: u64) -> Duration {
    Duration::from_millis(millis / 2 + random % millis.max(1))
}
