//! `package.json`: `workspaces`, as npm, Yarn and Bun read it; a package's name and its dependencies.

use serde_json::Value;

use super::dependencies::{Package, Wanted};
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

/// A package and what it depends on. A version that is written as one counts as the package of that name in the workspace,
/// whether or not that has this version.
pub fn package(text: &str) -> Result<Option<Package>, String> {
    let root: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| first_line(&error))?;
    if !root.is_object() {
        return Err("it is not an object".to_owned());
    }
    let mut package = Package { name: root["name"].as_str().map(str::to_owned), ..Package::default() };
    for kind in ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] {
        for (name, version) in root[kind].as_object().into_iter().flatten() {
            package.wants.extend(version.as_str().and_then(|version| wanted(name, version)));
        }
    }
    Ok(Some(package))
}

fn wanted(name: &str, version: &str) -> Option<Wanted> {
    let version = version.trim();
    let path = |text: &str| Wanted::Path(text.trim_start_matches("//").to_owned());
    let Some((protocol, rest)) = version.split_once(':') else {
        // `owner/name` is a repository.
        let is_range = !version.contains('/');
        return is_range.then(|| Wanted::Name(name.to_owned()));
    };
    match protocol {
        "file" | "link" | "portal" => Some(path(rest)),
        "workspace" => Some(match rest {
            rest if rest.starts_with('.') => path(rest),
            // `workspace:name@*` is another name for it.
            rest => Wanted::Name(match rest.rfind('@').filter(|at| *at > 0) {
                Some(at) => rest[..at].to_owned(),
                None => name.to_owned(),
            }),
        }),
        "catalog" => Some(Wanted::Name(name.to_owned())),
        _ => None,
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
    fn dependencies() {
        let text = r#"{"name": "@x/web", "dependencies": {"a": "workspace:*", "b": "^1.0.0", "c": "npm:d@1",
            "e": "file:../e", "f": "github:x/f", "g": "x/g", "h": "workspace:@x/i@^1", "j": "workspace:../j"},
            "devDependencies": {"k": "*", "l": "catalog:"}, "peerDependencies": {"m": ">=1"}}"#;
        let package = package(text).expect("sound").expect("a package");
        let path = |path: &str| Wanted::Path(path.to_owned());
        let name = |name: &str| Wanted::Name(name.to_owned());
        assert_eq!(package.name.as_deref(), Some("@x/web"));
        let all =
            [name("a"), name("b"), path("../e"), name("@x/i"), path("../j"), name("k"), name("l"), name("m")];
        assert_eq!(package.wants, all);
        assert!(super::package("[]").is_err());
    }

    #[test]
    fn broken() {
        for text in ["", "{", r#"{"workspaces": "x"}"#, r#"{"workspaces": [1]}"#, &"[".repeat(100_000)] {
            assert!(members(text).is_err(), "{text:.30}");
        }
    }
}
