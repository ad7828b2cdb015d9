//! `Cargo.toml`: `[workspace] members` and `exclude`, and the path dependencies that are members by themselves.

use toml::{Table, Value};

use super::workspaces::{Members, first_line};

/// The packages of a workspace.
pub fn members(text: &str) -> Result<Option<Members>, String> {
    let root: Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.message().to_owned())
        .map_err(|e| first_line(&e))?;
    let Some(workspace) = root.get("workspace") else { return Ok(None) };
    let texts = |key: &str| texts(workspace.get(key), key);
    let mut members = Members { include: texts("members")?, exclude: texts("exclude")? };
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        members.include.extend(paths(root.get(table)));
    }
    members.include.extend(paths(workspace.get("dependencies")));
    Ok(Some(members))
}

/// A list of texts.
pub(super) fn texts(value: Option<&Value>, key: &str) -> Result<Vec<String>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(|| format!("`{key}` is not a list"))?;
    let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>();
    texts.ok_or_else(|| format!("`{key}` has an entry that is not text"))
}

/// Where dependencies have a `path` inside the repository.
pub(super) fn paths(dependencies: Option<&Value>) -> Vec<String> {
    let tables = dependencies.and_then(Value::as_table).into_iter().flat_map(Table::values);
    // Poetry lets a dependency be several, one for each platform.
    let ones = tables.flat_map(|value| match value {
        Value::Array(several) => several.iter().collect(),
        one => vec![one],
    });
    let paths = ones.filter_map(|one| one.get("path").and_then(Value::as_str));
    paths.filter(|path| !path.starts_with("..") && !path.starts_with('/')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace() {
        let text = "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\nexclude = [\"crates/old\"]\n\
                    [workspace.dependencies]\nz = { path = \"z\", version = \"1\" }\n\
                    [dependencies]\nserde = \"1\"\nx = { path = \"x\" }\ny = { path = \"../y\" }\n";
        let members = members(text).expect("sound").expect("some");
        assert_eq!(members.include, ["crates/*", "xtask", "x", "z"]);
        assert_eq!(members.exclude, ["crates/old"]);
        assert_eq!(
            super::members("[package]\nname = \"x\"\n[dependencies]\nx = { path = \"x\" }\n"),
            Ok(None)
        );
    }

    #[test]
    fn broken() {
        let deep = format!("x = {}", "[".repeat(100_000));
        for text in ["[workspace", "[workspace]\nmembers = 1", "[workspace]\nmembers = [1]", &deep] {
            assert!(members(text).is_err(), "{text:.30}");
        }
    }
}
