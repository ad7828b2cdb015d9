//! `LANE_LOG=debug`: what was read and why it was decided, on standard error.

use std::sync::OnceLock;
use std::time::Instant;

use log::{LevelFilter, Log, Metadata, Record};

use super::output::print_error;

static START: OnceLock<Instant> = OnceLock::new();

struct StandardError;

impl Log for StandardError {
    /// Libraries have their say elsewhere.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        ["git_lane", "lane_"].iter().any(|ours| metadata.target().starts_with(ours))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let start = START.get_or_init(Instant::now);
            print_error(&format!(
                "lane {:>7.2} ms  {}\n",
                start.elapsed().as_secs_f64() * 1e3,
                record.args()
            ));
        }
    }

    fn flush(&self) {}
}

/// Writes from now on what is asked for.
pub fn init() {
    if std::env::var("LANE_LOG").is_ok_and(|level| level == "debug" || level == "trace")
        && log::set_logger(&StandardError).is_ok()
    {
        log::set_max_level(LevelFilter::Debug);
    }
}
