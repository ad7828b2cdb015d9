//! What many answers of GitHub have in common.

use serde::{Deserialize, Deserializer, de};

/// A user, an app's bot or an organisation.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Account {
    pub login: String,
    /// `User`, `Bot`, `Organization`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A label; only its name counts.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Label {
    pub name: String,
}

/// The login, or that of the account GitHub shows in the place of a deleted one.
pub(super) fn login_of(account: Option<Account>) -> String {
    account.map_or_else(|| "ghost".to_owned(), |account| account.login)
}

/// RFC 3339 into seconds since the epoch.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
    Ok(time.as_second())
}

/// The same where there may be none.
pub(super) fn maybe_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
    Ok(Some(time.as_second()))
}
