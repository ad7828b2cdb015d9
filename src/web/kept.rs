//! Something that is read when it is asked for, and not again for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::Mutex;

/// What was read, or what is to be said instead.
pub type Reading = Result<Bytes, String>;

/// Reads it; may take its time.
type Read = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// The last reading, with when it was made. Whoever asks while it is being read waits for that reading.
pub struct Kept {
    read: Read,
    life: Duration,
    last: Arc<Mutex<Option<(Instant, Reading)>>>,
}

impl Kept {
    /// Read by this, and good for so long.
    pub fn new(life: Duration, read: impl Fn() -> Result<String, String> + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), life, last: Arc::default() }
    }

    /// The last reading, or a new one where that is too old.
    pub async fn get(&self) -> Reading {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((at, reading)) = last.as_ref()
            && at.elapsed() < self.life
        {
            return reading.clone();
        }
        let read = Arc::clone(&self.read);
        // A task of its own: a client that breaks off does not let go of the lock while what it asked for is being read.
        let task = tokio::spawn(async move {
            let read = tokio::task::spawn_blocking(move || read()).await;
            let reading = read.unwrap_or_else(|_| Err("reading it failed".into())).map(Bytes::from);
            *last = Some((Instant::now(), reading.clone()));
            reading
        });
        task.await.unwrap_or_else(|_| Err("reading it failed".into()))
    }
}
