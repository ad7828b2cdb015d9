//! `go.work`: `use`, in lines or in a block; a module's path and its dependencies, of `go.mod`, which is written alike.

use super::dependencies::{Package, Wanted};
use super::workspaces::Members;

/// The modules that it uses.
pub fn members(text: &str) -> Result<Option<Members>, String> {
    let mut members = Members::default();
    let mut block = None;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let mut words = line.splitn(2, [' ', '\t', '(']);
        match (block, words.next().unwrap_or_default()) {
            (_, "") => {}
            (Some(_), ")") => block = None,
            (Some(true), _) => members.include.push(path(line)),
            (Some(false), _) => {}
            (None, word) => {
                let rest = line[word.len()..].trim();
                let inner = rest.strip_prefix('(').map(str::trim);
                match inner {
                    Some("") => block = Some(word == "use"),
                    Some(inner) if word == "use" => {
                        let inner = inner.strip_suffix(')').ok_or("a `use` block is not closed")?;
                        members.include.extend(inner.split_whitespace().map(path));
                    }
                    None if word == "use" && !rest.is_empty() => members.include.push(path(rest)),
                    _ => {}
                }
            }
        }
    }
    match block {
        Some(_) => Err("a block is not closed".to_owned()),
        None => Ok(Some(members)),
    }
}

/// A module, what it requires, and what it replaces by folders.
pub fn package(text: &str) -> Result<Option<Package>, String> {
    let mut package = Package::default();
    for (word, rest) in directives(text)? {
        match word.as_str() {
            "module" => package.name = Some(path(&rest)),
            "require" => {
                package.wants.extend(rest.split_whitespace().next().map(|name| Wanted::Name(path(name))));
            }
            "replace" => {
                let by = rest.split_once("=>").and_then(|(_, by)| by.split_whitespace().next()).map(path);
                let by = by.filter(|by| by.starts_with("./") || by.starts_with("../"));
                package.wants.extend(by.map(Wanted::Path));
            }
            _ => {}
        }
    }
    Ok(package.name.is_some().then_some(package))
}

/// The directives of a file, those in blocks each by itself.
fn directives(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        match &block {
            _ if line.is_empty() => {}
            Some(_) if line == ")" => block = None,
            Some(word) => found.push((word.clone(), line.to_owned())),
            None => {
                let (word, rest) = line.split_at(line.find([' ', '\t', '(']).unwrap_or(line.len()));
                match rest.trim() {
                    "(" => block = Some(word.to_owned()),
                    rest => found.push((word.to_owned(), rest.to_owned())),
                }
            }
        }
    }
    match block {
        Some(_) => Err("a block is not closed".to_owned()),
        None => Ok(found),
    }
}

fn path(text: &str) -> String {
    text.trim().trim_matches(['"', '`']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module() {
        let text = "module example.com/web // x\n\ngo 1.22\n\nrequire example.com/one v0.0.0\nrequire (\n\t\
                    example.com/two v1.2.3 // indirect\n)\nreplace example.com/one => ../one\n\
                    replace (\n\texample.com/x v1 => example.com/y v2\n)\n";
        let package = package(text).expect("sound").expect("a module");
        let name = |name: &str| Wanted::Name(name.to_owned());
        assert_eq!(package.name.as_deref(), Some("example.com/web"));
        assert_eq!(
            package.wants,
            [name("example.com/one"), name("example.com/two"), Wanted::Path("../one".to_owned())]
        );
        assert!(super::package("require (\nx v1\n").is_err());
        assert_eq!(super::package("go 1.22\n"), Ok(None));
    }

    #[test]
    fn lines_and_blocks() {
        let text = "go 1.22\n\ntoolchain go1.22.1\n\nuse ./one // the first\nuse (\n\t.\n\t./two\n\n\t\"./a b\" // x\n)\n\
                    use (./x)\nreplace (\n\ta => ./b\n)\nuse(\n\t./three\n)\n";
        let members = members(text).expect("sound").expect("some");
        assert_eq!(members.include, ["./one", ".", "./two", "./a b", "./x", "./three"]);
        assert!(super::members("use (\n./x\n").is_err());
        assert_eq!(super::members("go 1.22\n"), Ok(Some(Members::default())));
    }
}
