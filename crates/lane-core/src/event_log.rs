//! How a record is kept in a commit: a line for people, and the record as JSON in the last line of the message.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a record back out of a commit message. `key`: the field that says the version of its format.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn parse<T: DeserializeOwned>(message: &str, key: &str, format: u32) -> Result<T, String> {
    let line = message.trim_end().lines().next_back().unwrap_or_default();
    let fields: Option<Value> = serde_json::from_str(line).ok();
    let Some(found) = fields.and_then(|fields| fields.get(key)?.as_u64()) else {
        return Err("it was not written by git-lane".to_owned());
    };
    if found != u64::from(format) {
        return Err(format!("it was written by a newer git-lane (format {found})"));
    }
    serde_json::from_str(line).map_err(|error| format!("it is damaged: {error}"))
}

/// The raw commit that holds a record. `who`: a name that git takes as one; `at`: seconds since the epoch.
pub fn commit(who: &str, at: i64, message: &str, tree: &str, parent: Option<&str>) -> Vec<u8> {
    let person = format!("{who} <{who}@git-lane> {at} +0000");
    let parent = parent.map(|oid| format!("parent {oid}\n")).unwrap_or_default();
    format!("tree {tree}\n{parent}author {person}\ncommitter {person}\n\n{message}").into_bytes()
}
