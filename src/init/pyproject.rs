//! `pyproject.toml`: the workspaces of uv, Hatch and Rye, and Poetry's path dependencies; a project's name and its
//! dependencies.

use toml::{Table, Value};

use super::cargo::{paths, texts};
use super::dependencies::{Package, Wanted};
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

/// A project and what it depends on: by the names of projects of the workspace, and by paths.
pub fn package(text: &str) -> Result<Option<Package>, String> {
    let root: Table = text.parse().map_err(|error: toml::de::Error| first_line(&error.message()))?;
    let root = Value::Table(root);
    let name = at(&root, &["project", "name"]).or_else(|| at(&root, &["tool", "poetry", "name"]));
    let name = name.and_then(Value::as_str).map(normalized);
    let mut wants = Vec::new();
    let lists = |value: Option<&Value>| -> Vec<Value> {
        let tables = value.and_then(Value::as_table).into_iter().flat_map(Table::values);
        tables.filter_map(Value::as_array).flatten().cloned().collect()
    };
    let own = at(&root, &["project", "dependencies"]).and_then(Value::as_array).cloned().unwrap_or_default();
    let optional = lists(at(&root, &["project", "optional-dependencies"]));
    let groups = lists(root.get("dependency-groups"));
    let old = at(&root, &["tool", "uv", "dev-dependencies"]).and_then(Value::as_array).cloned();
    let all = own.into_iter().chain(optional).chain(groups).chain(old.unwrap_or_default());
    wants.extend(all.filter_map(|one| Some(Wanted::Name(name_of(one.as_str()?)))));
    let mut poetry = vec![
        at(&root, &["tool", "poetry", "dependencies"]),
        at(&root, &["tool", "poetry", "dev-dependencies"]),
    ];
    let groups = at(&root, &["tool", "poetry", "group"]).and_then(Value::as_table);
    poetry.extend(groups.into_iter().flat_map(Table::values).map(|group| group.get("dependencies")));
    let sources = at(&root, &["tool", "uv", "sources"]);
    for table in poetry.into_iter().chain([sources]).flatten().filter_map(Value::as_table) {
        let ones = table.values().flat_map(|one| match one {
            Value::Array(several) => several.iter().collect(),
            one => vec![one],
        });
        wants.extend(ones.filter_map(|one| Some(Wanted::Path(one.get("path")?.as_str()?.to_owned()))));
    }
    Ok((name.is_some() || !wants.is_empty()).then_some(Package { name, wants }))
}

/// The name in a requirement: `Web_Client[x]>=1` names `web-client`.
fn name_of(requirement: &str) -> String {
    let end = requirement.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
    normalized(&requirement[..end.unwrap_or(requirement.len())])
}

/// A project's name as all of its spellings are compared.
fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
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
    fn dependencies() {
        let text = "[project]\nname = \"Web_API\"\ndependencies = [\"My.Lib[x]>=1\", \"httpx\"]\n\
                    [project.optional-dependencies]\nx = [\"opt ; python_version > '3'\"]\n\
                    [dependency-groups]\ndev = [\"dev-tool==1\", { include-group = \"x\" }]\n\
                    [tool.uv.sources]\nmy-lib = { workspace = true }\nb = { path = \"../b\" }\n\
                    [tool.poetry.group.dev.dependencies]\nc = { path = \"../c\", develop = true }\n";
        let package = package(text).expect("sound").expect("a package");
        let path = |path: &str| Wanted::Path(path.to_owned());
        let name = |name: &str| Wanted::Name(name.to_owned());
        assert_eq!(package.name.as_deref(), Some("web-api"));
        let all = [name("my-lib"), name("httpx"), name("opt"), name("dev-tool"), path("../c"), path("../b")];
        assert_eq!(package.wants, all);
        assert_eq!(super::package("[tool.ruff]\n"), Ok(None));
    }

    #[test]
    fn none_and_broken() {
        assert_eq!(members("[project]\nname = \"x\"\n[tool.ruff]\n"), Ok(None));
        for text in ["[tool", "[tool.uv.workspace]\nmembers = 1"] {
            assert!(members(text).is_err(), "{text}");
        }
    }
}
