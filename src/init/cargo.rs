//! `Cargo.toml`: `[workspace] members` and `exclude`, and the path dependencies that are members by themselves; a package's
//! name and its dependencies.

use toml::{Table, Value};

use super::dependencies::{Package, Wanted};
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

/// A package and what it depends on; `None` for a workspace that is no package.
pub fn package(text: &str) -> Result<Option<Package>, String> {
    let root: Table = text.parse().map_err(|error: toml::de::Error| first_line(&error.message()))?;
    let name = root.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let Some(name) = name else { return Ok(None) };
    let mut package = Package { name: Some(name.to_owned()), ..Package::default() };
    let targets = root.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = std::iter::once(&root).chain(targets.filter_map(Value::as_table));
    for table in tables {
        for kind in [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            "dev_dependencies",
            "build_dependencies",
        ] {
            let Some(dependencies) = table.get(kind).and_then(Value::as_table) else { continue };
            package.wants.extend(dependencies.iter().map(|(name, one)| wanted(name, one)));
        }
    }
    Ok(Some(package))
}

fn wanted(name: &str, one: &Value) -> Wanted {
    let text = |key: &str| one.get(key).and_then(Value::as_str);
    if let Some(path) = text("path") {
        return Wanted::Path(path.to_owned());
    }
    match one.get("workspace").and_then(Value::as_bool) {
        Some(true) => Wanted::Name(format!("workspace {name}")),
        _ => Wanted::Name(format!("patch {}", text("package").unwrap_or(name))),
    }
}

/// What the names that packages depend on stand for, as paths from the root: `[workspace.dependencies]` and `[patch]`.
pub fn names(text: &str) -> Vec<(String, String)> {
    let Ok(root) = text.parse::<Table>() else { return Vec::new() };
    let patches = root.get("patch").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let mut found = Vec::new();
    for one in patches.filter_map(Value::as_table) {
        found.extend(one.iter().filter_map(|(name, one)| {
            let real = one.get("package").and_then(Value::as_str).unwrap_or(name);
            Some((format!("patch {real}"), one.get("path")?.as_str()?.to_owned()))
        }));
    }
    let inherited = root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    for (name, one) in inherited.and_then(Value::as_table).into_iter().flatten() {
        let path = one.get("path").and_then(Value::as_str).map(str::to_owned);
        let real = one.get("package").and_then(Value::as_str).unwrap_or(name);
        let patched = || Some(found.iter().find(|(patch, _)| *patch == format!("patch {real}"))?.1.clone());
        if let Some(path) = path.or_else(patched) {
            found.push((format!("workspace {name}"), path));
        }
    }
    found
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
    fn dependencies() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na = { path = \"../a\" }\nb = { workspace = true }\n\
                    c = \"1\"\nd = { package = \"e\", version = \"1\" }\n[dev-dependencies]\nf.path = \"f\"\n\
                    [target.'cfg(unix)'.build-dependencies]\ng = { path = \"../g\" }\n";
        let package = package(text).expect("sound").expect("a package");
        let path = |path: &str| Wanted::Path(path.to_owned());
        let name = |name: &str| Wanted::Name(name.to_owned());
        assert_eq!(package.name.as_deref(), Some("x"));
        assert_eq!(
            package.wants,
            [path("../a"), name("workspace b"), name("patch c"), name("patch e"), path("f"), path("../g")]
        );
        assert_eq!(super::package("[workspace]\n"), Ok(None));
        assert!(super::package("[package").is_err());
        let root = "[workspace.dependencies]\nb = { path = \"crates/b\" }\nz = \"1\"\nc = \"1\"\n\
                    [patch.crates-io]\nc = { path = \"c\" }\n";
        let found = names(root);
        let all: Vec<_> = found.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
        assert_eq!(all, [("patch c", "c"), ("workspace b", "crates/b"), ("workspace c", "c")]);
    }

    #[test]
    fn broken() {
        let deep = format!("x = {}", "[".repeat(100_000));
        for text in ["[workspace", "[workspace]\nmembers = 1", "[workspace]\nmembers = [1]", &deep] {
            assert!(members(text).is_err(), "{text:.30}");
        }
    }
}
