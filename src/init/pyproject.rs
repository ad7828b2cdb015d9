//! `pyproject.toml`: the workspaces of uv, Hatch and Rye, and Poetry's path dependencies.

use toml::{Table, Value};

use super::cargo::{paths, texts};
use super::workspaces::{Members, first_line};

/// The packages that it lists.
pub fn members(text: &str) -> Result<Option<Members>, String> {
    let root: Table = text.parse().map_err(|error: toml::de::Error| first_line(&error.message()))?;
    let Some(tool) = root.get("tool") else { return Ok(None) };
    let mut members = Members::default();
    for name in ["uv", "rye"] {
        if let Some(workspace) = at(tool, &[name, "workspace"]) {
            members.include.extend(texts(workspace.get("members"), "members")?);
            members.exclude.extend(texts(workspace.get("exclude"), "exclude")?);
        }
    }
    members.include.extend(paths(at(tool, &["uv", "sources"])));
    members.include.extend(hatch(tool));
    for name in ["dependencies", "dev-dependencies"] {
        members.include.extend(paths(at(tool, &["poetry", name])));
    }
    let groups = at(tool, &["poetry", "group"]).and_then(Value::as_table);
    for group in groups.into_iter().flat_map(Table::values) {
        members.include.extend(paths(group.get("dependencies")));
    }
    Ok((members != Members::default()).then_some(members))
}

fn at<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}

/// Hatch lists members for each environment, as texts or as tables with a `path`.
fn hatch(tool: &Value) -> Vec<String> {
    let environments = at(tool, &["hatch", "envs"]).and_then(Value::as_table);
    let workspaces = environments.into_iter().flat_map(Table::values).filter_map(|env| env.get("workspace"));
    let members = workspaces
        .chain(at(tool, &["hatch", "workspace"]))
        .filter_map(|workspace| workspace.get("members").and_then(Value::as_array));
    let text = |member: &Value| Some(member.as_str().or_else(|| member.get("path")?.as_str())?.to_owned());
    members.flatten().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn included(text: &str) -> Vec<String> {
        members(text).expect("sound").expect("some").include
    }

    #[test]
    fn uv() {
        let text = "[tool.uv.workspace]\nmembers = [\"packages/*\", \"cli\"]\nexclude = [\"packages/old\"]\n\
                    [tool.uv.sources]\na = { workspace = true }\nb = { path = \"b\" }\n";
        let members = members(text).expect("sound").expect("some");
        assert_eq!(members.include, ["packages/*", "cli", "b"]);
        assert_eq!(members.exclude, ["packages/old"]);
    }

    #[test]
    fn poetry() {
        let text = "[tool.poetry.dependencies]\npython = \"^3.12\"\na = { path = \"libs/a\", develop = true }\n\
                    c = [{ path = \"c\", markers = \"x\" }, \"1\"]\n\
                    [tool.poetry.group.dev.dependencies]\nb = { path = \"libs/b\" }\nx = { path = \"../x\" }\n";
        assert_eq!(included(text), ["libs/a", "c", "libs/b"]);
    }

    #[test]
    fn hatch() {
        let text = "[tool.hatch.envs.default]\nworkspace.members = [\"packages/*\", { path = \"x\" }]\n";
        assert_eq!(included(text), ["packages/*", "x"]);
    }

    #[test]
    fn none_and_broken() {
        assert_eq!(members("[project]\nname = \"x\"\n[tool.ruff]\n"), Ok(None));
        for text in ["[tool", "[tool.uv.workspace]\nmembers = 1"] {
            assert!(members(text).is_err(), "{text}");
        }
    }
}
