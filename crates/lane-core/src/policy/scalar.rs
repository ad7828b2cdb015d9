//! Values that are written as one word: port ranges, amounts of memory, durations.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// An inclusive range of TCP ports, `8080-8099`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The first port.
    pub first: u16,
    /// The last port; not below `first`.
    pub last: u16,
}

impl Ports {
    /// Whether two ranges share a port.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl FromStr for Ports {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let port = |word: &str| {
            word.trim()
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("`{}` is not a valid port", word.trim()))
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (port(first)?, port(last)?);
        if last < first {
            return Err(format!("the range ends at {last}, before its start"));
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// An amount of memory, `512MB`, `4GB`, `3GiB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// The amount as written.
    pub text: String,
    /// The amount in bytes.
    pub bytes: u64,
}

impl FromStr for Memory {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "k" | "kb" => Some(1_000),
            "kib" => Some(1 << 10),
            "m" | "mb" => Some(1_000_000),
            "mib" => Some(1 << 20),
            "g" | "gb" => Some(1_000_000_000),
            "gib" => Some(1 << 30),
            "t" | "tb" => Some(1_000_000_000_000),
            "tib" => Some(1_u64 << 40),
            _ => None,
        };
        match (number.parse::<u64>().ok(), factor) {
            (Some(number), Some(factor)) if number > 0 => number
                .checked_mul(factor)
                .map(|bytes| Self { text: text.to_owned(), bytes })
                .ok_or_else(|| "the amount is too large".to_owned()),
            _ => Err("expected a number and a unit, such as 4GB or 512MiB".to_owned()),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A length of time, `90m`, `2h`, `1h30m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration {
    /// The duration as written.
    pub text: String,
    /// The duration in seconds; more than 0.
    pub seconds: u64,
}

impl FromStr for Duration {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        // jiff's own durations stop at hours; days and weeks here are 24 hours each.
        let expanded = ["d", "w"].iter().zip([24, 168]).find_map(|(unit, hours)| {
            let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
            Some(format!("{}h", number.checked_mul(hours)?))
        });
        let parsed: Result<jiff::SignedDuration, _> = expanded.as_deref().unwrap_or(text).parse();
        match parsed.map(|duration| u64::try_from(duration.as_secs())) {
            Ok(Ok(seconds)) if seconds > 0 => Ok(Self { text: text.to_owned(), seconds }),
            Ok(_) => Err("a duration must be longer than zero".to_owned()),
            Err(_) => Err("expected a duration, such as 90m, 2h or 1d".to_owned()),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a value that is written as one word has in a policy and in its schema. `$kind`: the types that the schema allows.
macro_rules! text_scalar {
    ($type:ty, $name:literal, $kind:tt, $pattern:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $kind, "pattern": $pattern })
            }
            fn inline_schema() -> bool {
                true
            }
        }
    };
}

pub(super) use text_scalar;

// In the entry of a series, `{n}` is its number.
text_scalar!(Ports, "Ports", ["string", "integer"], r"^\s*(\d|\{n\}){1,5}\s*(-\s*(\d|\{n\}){1,5}\s*)?$");
text_scalar!(Memory, "Memory", ["string", "integer"], r"^\d+\s*([kKmMgGtT]([iI]?[bB])?|[bB])?$");
text_scalar!(Duration, "Duration", ["string", "integer"], r"^\d");

/// Seconds in the words of a message: `2 h 5 min`, `3 d`.
pub fn format_duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// A duration as it is typed, not shorter than it is: `2m`, `1h20m`.
pub fn as_typed(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60).max(1);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

/// A time of day for people, with the day where that is not today's. Both in seconds since the epoch.
pub fn clock(at: i64, now: i64) -> String {
    let Ok(time) = jiff::Timestamp::from_second(at) else {
        return "the maximum time".to_owned();
    };
    let is_today = at.div_euclid(86_400) == now.div_euclid(86_400);
    time.strftime(if is_today { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        assert_eq!("8080-8099".parse(), Ok(Ports { first: 8080, last: 8099 }));
        assert!(Ports { first: 1, last: 5 }.overlaps(Ports { first: 5, last: 9 }));
        assert!("8099-8080".parse::<Ports>().is_err());
        assert!("0-1".parse::<Ports>().is_err());
        assert!("8080-70000".parse::<Ports>().is_err());
    }

    #[test]
    fn memory() {
        assert_eq!("4GB".parse::<Memory>().map(|m| m.bytes), Ok(4_000_000_000));
        assert_eq!("3GiB".parse::<Memory>().map(|m| m.bytes), Ok(3 << 30));
        assert!("4 elephants".parse::<Memory>().is_err());
        assert!("99999999999TB".parse::<Memory>().is_err());
    }

    #[test]
    fn durations() {
        let seconds = |text: &str| text.parse::<Duration>().map(|d| d.seconds);
        assert_eq!(seconds("3h"), Ok(10_800));
        assert_eq!(seconds("1h 30m"), Ok(5_400));
        assert_eq!(seconds("2d"), Ok(172_800));
        assert!(seconds("0h").is_err() && seconds("-3h").is_err() && seconds("soon").is_err());
    }

    #[test]
    fn times_of_day() {
        assert_eq!(clock(3_600, 7_200), "01:00 UTC");
        assert_eq!(clock(3_600, 90_000), "1970-01-01 01:00 UTC");
        assert_eq!(clock(i64::MAX, 0), "the maximum time");
    }

    #[test]
    fn durations_as_they_are_typed() {
        assert_eq!((as_typed(0), as_typed(61)), ("1m".into(), "2m".into()));
        assert_eq!((as_typed(7_200), as_typed(4_800)), ("2h".into(), "1h20m".into()));
    }

    #[test]
    fn words() {
        assert_eq!(format_duration(59), "59 s");
        assert_eq!(format_duration(7_500), "2 h 5 min");
        assert_eq!(format_duration(90_000), "1 d 1 h");
    }
}
