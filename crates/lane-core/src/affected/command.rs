//! The command that tests a service, made of the policy's text. Names and folders come from whoever made them: none of them
//! may become a command of its own.

/// A value that cannot stand where the command has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unquotable {
    /// The placeholder, as the command has it.
    pub placeholder: &'static str,
    /// The value.
    pub value: String,
}

/// Puts a service's name and folder into a command for sh. A plain word is put in as it is; any other is quoted, which needs
/// a placeholder outside of quotes in a command without comments, back-quotes and here-documents.
///
/// # Errors
/// A value is no plain word, and the command has it where it could not be quoted.
pub fn fill(command: &str, service: &str, path: &str) -> Result<String, Unquotable> {
    fill_with(command, &[("{service}", service), ("{path}", path)])
}

/// The same with other placeholders, in their braces, and their values.
///
/// # Errors
/// As [`fill`].
pub fn fill_with(command: &str, values: &[(&'static str, &str)]) -> Result<String, Unquotable> {
    let mut out = String::new();
    let mut rest = command;
    let mut quotes = Quotes::None;
    while let Some(c) = rest.chars().next() {
        let found = values.iter().copied().find(|(name, _)| rest.starts_with(name));
        if let Some((placeholder, value)) = found {
            if value.chars().all(is_plain) && !value.is_empty() && !value.starts_with('-') {
                out.push_str(value);
            } else if quotes == Quotes::None && is_simple(command) {
                out.push_str(&format!("'{}'", value.replace('\'', "'\\''")));
            } else {
                return Err(Unquotable { placeholder, value: value.to_owned() });
            }
            rest = &rest[placeholder.len()..];
            continue;
        }
        let mut taken = c.len_utf8();
        quotes = match (quotes, c) {
            (Quotes::None, '\'') => Quotes::Single,
            (Quotes::None, '"') => Quotes::Double,
            (Quotes::Single, '\'') | (Quotes::Double, '"') => Quotes::None,
            (Quotes::None | Quotes::Double, '\\') => {
                taken += rest[1..].chars().next().map_or(0, char::len_utf8);
                quotes
            }
            _ => quotes,
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Ok(out)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._/@:+,=%-".contains(c)
}

/// Whether quotes begin and end in a command as they are counted here.
fn is_simple(command: &str) -> bool {
    !command.contains(['`', '#']) && !command.contains("<<") && !command.contains("$'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(command: &str, service: &str, path: &str) -> String {
        fill(command, service, path).expect("it can be quoted")
    }

    #[test]
    fn plain_words_stand_everywhere() {
        assert_eq!(ok("pytest services/{service}/tests", "web", "services/web"), "pytest services/web/tests");
        assert_eq!(ok("sh -c \"cd {path} && '{service}'\"", "@x/y", "a/b"), "sh -c \"cd a/b && '@x/y'\"");
        assert_eq!(ok("find . -exec x {} ; # {path}", "a", "b"), "find . -exec x {} ; # b");
    }

    #[test]
    fn others_are_quoted_or_refused() {
        assert_eq!(ok("cd {path}", "a", "x y"), "cd 'x y'");
        assert_eq!(ok("cd {path}/t", "a", "it's; rm $(x)"), "cd 'it'\\''s; rm $(x)'/t");
        assert_eq!(ok("echo \\\" {path}", "a", "$x"), "echo \\\" '$x'");
        assert_eq!(ok("echo \"q\" {service}", "-rf", "b"), "echo \"q\" '-rf'");
        for command in [
            "cd \"{path}\"",
            "cd '{path}'",
            "echo \"$(cd {path})\"",
            "x `cd {path}`",
            "x # '\n'x {path}'",
            "cat <<E\n{path}\nE",
            "echo $'\\'{path}'",
        ] {
            let value = "$(touch /x)".to_owned();
            assert_eq!(
                fill(command, "a", &value),
                Err(Unquotable { placeholder: "{path}", value }),
                "{command}"
            );
        }
        assert!(fill("x \"{service}\"", "", "b").is_err(), "an empty word");
    }

    #[test]
    fn a_value_is_no_template() {
        assert_eq!(ok("x {service} {path}", "{path}", "b"), "x '{path}' b");
    }
}
