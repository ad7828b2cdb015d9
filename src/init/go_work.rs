//! `go.work`: `use`, in lines or in a block.

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

fn path(text: &str) -> String {
    text.trim().trim_matches(['"', '`']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
