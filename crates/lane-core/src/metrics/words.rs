//! Numbers as people read them.

/// A number with at most two digits after the point, and none that say nothing.
pub fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as a percentage, with at most one digit after the point. What is not all is never shown as 100%.
pub fn percent(share: f64) -> String {
    let tenths = (share * 1_000.0).round();
    let tenths = if tenths >= 1_000.0 && share < 1.0 { 999.0 } else { tenths };
    format!("{}%", decimal(tenths / 10.0))
}

/// Seconds in two units: `45s`, `4m 10s`, `2h 5m`, `3d 4h`.
pub fn duration(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(units.len() - 1);
    let (unit, size) = units[first];
    let head = format!("{}{unit}", seconds / size);
    match units.get(first + 1) {
        Some((unit, below)) if seconds % size / below > 0 => {
            format!("{head} {}{unit}", seconds % size / below)
        }
        _ => head,
    }
}

/// `1 change`, `3 changes`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A day: `2026-11-28`.
pub fn day(at: i64) -> String {
    let time = jiff::Timestamp::from_second(at).unwrap_or_default();
    time.strftime("%Y-%m-%d").to_string()
}

/// A time: `2026-11-28T12:00:00Z`.
pub fn timestamp(at: i64) -> String {
    let time = jiff::Timestamp::from_second(at).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        assert_eq!([1.0, 1.5, 1.257, 0.0].map(decimal), ["1", "1.5", "1.26", "0"]);
        assert_eq!([0.8349, 1.0, 0.99999, 0.0].map(percent), ["83.5%", "100%", "99.9%", "0%"]);
        let durations = [0, 59, 60, 250, 7_500, 90_000, 7_200, 3_601].map(duration);
        assert_eq!(durations, ["0s", "59s", "1m", "4m 10s", "2h 5m", "1d 1h", "2h", "1h"]);
        assert_eq!(
            (count(1, "change", "changes"), count(0, "change", "changes")),
            ("1 change".into(), "0 changes".into())
        );
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
    }
}
