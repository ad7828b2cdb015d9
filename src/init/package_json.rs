//! `package.json`: `workspaces`, as npm, Yarn and Bun read it.

use serde_json::Value;

use super::workspaces::{Members, first_line};

/// The packages that it lists; `!` leaves some out.
pub fn members(text: &str) -> Result<Option<Members>, String> {
    let root: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| first_line(&error))?;
    let listed = match &root["workspaces"] {
        Value::Object(object) => object.get("packages").unwrap_or(&Value::Null),
        listed => listed,
    };
    match listed {
        Value::Null => Ok(None),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts
                .map(|texts| Some(negated(texts)))
                .ok_or_else(|| "`workspaces` has an entry that is not text".to_owned())
        }
        _ => Err("`workspaces` is not a list".to_owned()),
    }
}

/// Splits off what begins with `!`.
pub(super) fn negated(texts: Vec<String>) -> Members {
    let mut members = Members::default();
    for text in texts {
        match text.strip_prefix('!') {
            Some(rest) => members.exclude.push(rest.to_owned()),
            None => members.include.push(text),
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let expected = Some(Members { include: vec!["a/*".into()], exclude: vec!["a/b".into()] });
        assert_eq!(members(r#"{"workspaces": ["a/*", "!a/b"]}"#), Ok(expected));
        let object =
            members("\u{feff}{\"workspaces\": {\"packages\": [\"x\"], \"nohoist\": []}}").expect("an object");
        assert_eq!(object.expect("some").include, ["x"]);
        assert_eq!(members(r#"{"name": "x"}"#), Ok(None));
        assert_eq!(members("[]"), Ok(None));
    }

    #[test]
    fn broken() {
        for text in ["", "{", r#"{"workspaces": "x"}"#, r#"{"workspaces": [1]}"#, &"[".repeat(100_000)] {
            assert!(members(text).is_err(), "{text:.30}");
        }
    }
}
