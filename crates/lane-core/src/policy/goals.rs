//! Values of goals, written as one word: ranges, rates, shares.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::scalar::text_scalar;

/// A range of numbers, both ends within: `1..2`, `1..`, `..2`.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberRange {
    /// The range as written.
    pub text: String,
    /// The least; none: any.
    pub least: Option<f64>,
    /// The most; none: any.
    pub most: Option<f64>,
}

impl NumberRange {
    /// Whether a number is in it.
    pub fn contains(&self, number: f64) -> bool {
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }
}

/// A number that is not negative.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

impl FromStr for NumberRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected a range, such as 1..2, 1.. or ..2".to_owned();
        let (first, last) = text.split_once("..").ok_or_else(expected)?;
        let end = |word: &str| match word.trim() {
            "" => Ok(None),
            word => number(word).map(Some).ok_or_else(expected),
        };
        let (least, most) = (end(first)?, end(last)?);
        match (least, most) {
            (None, None) => Err(expected()),
            (Some(least), Some(most)) if most < least => {
                Err(format!("the range ends at {most}, before its start"))
            }
            _ => Ok(Self { text: text.trim().to_owned(), least, most }),
        }
    }
}

/// So many in a time: `2/week`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// The rate as written.
    pub text: String,
    /// How many in a week.
    pub per_week: f64,
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected a number for each day or week, such as 2/week".to_owned();
        let (count, unit) = text.split_once('/').ok_or_else(expected)?;
        let weeks = match unit.trim() {
            "day" => 7.0,
            "week" => 1.0,
            _ => return Err(expected()),
        };
        let count = number(count).ok_or_else(expected)?;
        Ok(Self { text: text.trim().to_owned(), per_week: count * weeks })
    }
}

/// A share of a hundred: `80%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Percentage {
    /// The share as written.
    pub text: String,
    /// The share, from 0 to 1.
    pub share: f64,
}

impl FromStr for Percentage {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hundredths = text.trim().strip_suffix('%').and_then(number).filter(|number| *number <= 100.0);
        let hundredths = hundredths.ok_or("expected a percentage from 0% to 100%, such as 80%")?;
        Ok(Self { text: text.trim().to_owned(), share: hundredths / 100.0 })
    }
}

macro_rules! goal_scalar {
    ($type:ty, $name:literal, $pattern:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }
        text_scalar!($type, $name, "string", $pattern);
    };
}

goal_scalar!(NumberRange, "NumberRange", r"^\s*(\d[\d.]*\s*\.\.(\s*\d[\d.]*)?|\.\.\s*\d[\d.]*)\s*$");
goal_scalar!(Rate, "Rate", r"^\s*\d[\d.]*\s*/\s*(day|week)\s*$");
goal_scalar!(Percentage, "Percentage", r"^\s*\d[\d.]*\s*%\s*$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let ends = |text: &str| text.parse::<NumberRange>().map(|range| (range.least, range.most));
        assert_eq!(ends("1..2"), Ok((Some(1.0), Some(2.0))));
        assert_eq!(ends("0.5 .. 2.5"), Ok((Some(0.5), Some(2.5))));
        assert_eq!(ends("1.."), Ok((Some(1.0), None)));
        assert_eq!(ends("..2"), Ok((None, Some(2.0))));
        assert_eq!(ends("2..1"), Err("the range ends at 1, before its start".to_owned()));
        for wrong in ["..", "1", "a..b", "1-2", "-1..2", "1...2", "inf..", "1e3..", ""] {
            assert!(ends(wrong).is_err(), "{wrong}");
        }
        let range: NumberRange = "1..2".parse().expect("a range");
        assert!(range.contains(1.0) && range.contains(2.0) && !range.contains(0.9) && !range.contains(2.1));
    }

    #[test]
    fn rates() {
        let rate = |text: &str| text.parse::<Rate>().map(|rate| rate.per_week);
        assert_eq!((rate("2/week"), rate("1.5 / day")), (Ok(2.0), Ok(10.5)));
        assert!(rate("2").is_err() && rate("2/month").is_err() && rate("/week").is_err());
        assert!(rate("NaN/week").is_err() && rate("-1/week").is_err());
    }

    #[test]
    fn percentages() {
        let share = |text: &str| text.parse::<Percentage>().map(|found| found.share);
        assert_eq!((share("80%"), share("99.5 %"), share("0%")), (Ok(0.8), Ok(0.995), Ok(0.0)));
        assert!(
            share("80").is_err() && share("101%").is_err() && share("0.8").is_err() && share("%").is_err()
        );
    }
}
