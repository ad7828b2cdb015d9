//! The packages of whole workspaces, and what each depends on.

use super::super::files::tracked;
use super::*;

fn located(texts: &[(&str, &str)], folders: &[&str]) -> (Vec<String>, Vec<String>) {
    let paths: Vec<&str> = texts.iter().map(|(path, _)| *path).collect();
    let list = tracked(&paths);
    let mut notes = Vec::new();
    let folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    let mut read = |path: &str| {
        let text = texts.iter().find(|(name, _)| *name == path);
        Ok(text.map(|(_, text)| Ok((*text).to_owned())))
    };
    let found =
        packages(&Files::new(&list), &folders, &mut read, &mut Vec::new(), &mut notes).expect("readable");
    let words = found.iter().map(|one| {
        let depends: Vec<&str> = one.depends.iter().map(String::as_str).collect();
        format!("{} at {}: {}", one.name, one.folder, depends.join(" "))
    });
    (words.collect(), notes)
}

#[test]
fn cargo() {
    let (found, notes) = located(
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"root\"\n[dependencies]\na = { workspace = true }\n[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\na = { path = \"crates/a\" }\n[patch.crates-io]\nb = { path = \"crates/b\" }\n",
            ),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\nserde = \"1\"\n"),
            (
                "crates/b/Cargo.toml",
                "[package]\nname = \"b\"\n[dev-dependencies]\nc = { path = \"../../other/c\" }\nout = { path = \"../../../out\" }\n",
            ),
            ("other/c/Cargo.toml", "[package]\nname = \"c\"\n"),
        ],
        &[],
    );
    assert_eq!(
        found,
        ["root at : crates/a", "a at crates/a: crates/b", "b at crates/b: other/c", "c at other/c: "]
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn npm() {
    let (found, notes) = located(
        &[
            ("package.json", r#"{"name": "root", "workspaces": ["packages/*"]}"#),
            (
                "packages/web/package.json",
                r#"{"name": "@x/web", "dependencies": {"@x/ui": "workspace:*", "react": "1"}}"#,
            ),
            ("packages/ui/package.json", r#"{"name": "@x/ui", "devDependencies": {"@x/web": "^1"}}"#),
            ("packages/odd/package.json", "{"),
        ],
        &[],
    );
    assert_eq!(
        found,
        [
            "packages/odd at packages/odd: ",
            "@x/ui at packages/ui: packages/web",
            "@x/web at packages/web: packages/ui"
        ]
    );
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("packages/odd/package.json could not be read"), "{notes:?}");
}

#[test]
fn workspaces_near_the_root() {
    let (found, notes) = located(
        &[
            (
                "backend/Cargo.toml",
                "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.dependencies]\nb = { path = \"b\" }\n",
            ),
            ("backend/a/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = { workspace = true }\n"),
            ("backend/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("web/app/package.json", r#"{"name": "app", "workspaces": ["packages/*"]}"#),
            ("web/app/packages/x/package.json", r#"{"name": "x", "dependencies": {"y": "*"}}"#),
            ("web/app/packages/y/package.json", r#"{"name": "y"}"#),
            ("tools/fixture/package.json", "{"),
        ],
        &[],
    );
    assert_eq!(
        found,
        [
            "a at backend/a: backend/b",
            "b at backend/b: ",
            "x at web/app/packages/x: web/app/packages/y",
            "y at web/app/packages/y: ",
        ]
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn uv_and_go_and_folders_of_services() {
    let (found, _) = located(
        &[
            ("pyproject.toml", "[project]\nname = \"root\"\n[tool.uv.workspace]\nmembers = [\"libs/*\"]\n"),
            ("libs/a/pyproject.toml", "[project]\nname = \"My_A\"\ndependencies = [\"b\"]\n"),
            ("libs/b/pyproject.toml", "[project]\nname = \"b\"\n"),
            ("services/s/pyproject.toml", "[project]\nname = \"s\"\ndependencies = [\"my.a\"]\n"),
            ("go.work", "use (\n./cmd\n./lib\n)\n"),
            ("cmd/go.mod", "module example.com/cmd\nrequire example.com/lib v0.0.0\n"),
            ("lib/go.mod", "module example.com/lib\n"),
        ],
        &["services/s"],
    );
    assert_eq!(
        found,
        [
            "root at : ",
            "my-a at libs/a: libs/b",
            "b at libs/b: ",
            "s at services/s: libs/a",
            "example.com/cmd at cmd: lib",
            "example.com/lib at lib: ",
        ]
    );
}
