//! A moment as it is typed: so long ago, or a date.

use std::str::FromStr;

use crate::policy::scalar::Duration;

/// When a period begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So many seconds before now.
    Ago(u64),
    /// At this time, in seconds since the epoch.
    At(i64),
}

impl Moment {
    /// The time, in seconds since the epoch.
    pub fn time(self, now: i64) -> i64 {
        match self {
            Self::Ago(seconds) => now.saturating_sub_unsigned(seconds),
            Self::At(time) => time,
        }
    }
}

impl FromStr for Moment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // A timestamp has a zone; a date alone begins at midnight in UTC.
        let is_date = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
        let whole = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
        if let Ok(time) = whole.parse::<jiff::Timestamp>() {
            return Ok(Self::At(time.as_second()));
        }
        let is_like_date =
            text.len() >= 10 && text.as_bytes()[..10].iter().filter(|byte| **byte == b'-').count() == 2;
        let expected = match text {
            _ if is_date => "there is no such day",
            _ if is_like_date => {
                "expected a time with its zone, such as 2026-11-01T12:00Z or 2026-11-01T12:00+02:00"
            }
            "0s" | "0m" | "0h" | "0d" | "0w" => "a duration must be longer than zero",
            _ => "expected a duration (12h, 2w) or a date (2026-11-01, 2026-11-01T12:00Z)",
        };
        text.parse::<Duration>().map(|duration| Self::Ago(duration.seconds)).map_err(|_| expected.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_dates() {
        let read = |text: &str| text.parse::<Moment>();
        assert_eq!(read("2w"), Ok(Moment::Ago(1_209_600)));
        assert_eq!(read("2026-11-28"), Ok(Moment::At(1_795_824_000)));
        assert_eq!(read("2026-11-28T12:00Z"), Ok(Moment::At(1_795_867_200)));
        assert_eq!(read("2026-11-28T12:00:00Z"), Ok(Moment::At(1_795_867_200)));
        assert_eq!(read("2026-11-28T13:00+01:00"), Ok(Moment::At(1_795_867_200)));
        for wrong in ["", "yesterday", "2026-13-01", "2026-02-30", "28.11.2026", "2026-11-28T12:00", "-1d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!((Moment::Ago(60).time(100), Moment::At(7).time(100)), (40, 7));
    }
}
