//! An environment as text: for a shell, for dotenv, as JSON, and as the file `.agent.env`.

use serde_json::{Map, Value};

use super::reference::Part;
use super::{DATABASE_URL, Resolved, Variables, database};

/// Lines for `eval` in a POSIX shell. What cannot be had is unset.
pub fn as_sh(resolved: &Resolved) -> String {
    let mut text: String = resolved.unset().iter().map(|name| format!("unset {name}\n")).collect();
    for (name, value) in &resolved.set {
        text.push_str(&format!("export {name}={}\n", single(value)));
    }
    text
}

/// Lines as dotenv libraries read them.
pub fn as_dotenv(resolved: &Resolved) -> String {
    resolved.set.iter().map(|(name, value)| format!("{name}={}\n", dotenv_word(value))).collect()
}

/// One object of texts.
pub fn as_json(resolved: &Resolved) -> Value {
    let pairs = resolved.set.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The text of `.agent.env`: references stay references, so that it holds no secret.
pub fn as_file(variables: &Variables) -> String {
    let mut text = "# Written by `git lane setup` from the policy; holds no secret. Use it: . ./.agent.env\n\
                    # A file that you change stays as you changed it.\n"
        .to_owned();
    for variable in &variables.list {
        let parts = variable.parts();
        let is_plain = parts.iter().all(|part| matches!(part, Part::Text(_)));
        let word = if is_plain { single(&variable.value) } else { double(&parts) };
        text.push_str(&format!("export {}={word}\n", variable.name));
    }
    if let Some(schema) = &variables.schema {
        text.push_str(&search_path(&database::setting(schema)));
    }
    text
}

/// What puts the search path into `DATABASE_URL`, once and in place of another agent's.
fn search_path(setting: &str) -> String {
    let (name, ours) = (DATABASE_URL, format!("options={setting}"));
    format!(
        "if [ -n \"${{{name}-}}\" ]; then\n\
         \x20 case \"${name}\" in\n\
         \x20   *{setting}*) ;;\n\
         \x20   *[?\\&]options=-csearch_path%3D*) {name}=\"${{{name}%[?&]options=-csearch_path%3D*}}\" ;;\n\
         \x20 esac\n\
         \x20 case \"${name}\" in\n\
         \x20   *{setting}*) ;;\n\
         \x20   *[?\\&]options=*) {name}=\"${{{name}%%options=*}}{ours}%20${{{name}#*options=}}\" ;;\n\
         \x20   *\\?*) {name}=\"${name}&{ours}\" ;;\n\
         \x20   *://*) {name}=\"${name}?{ours}\" ;;\n\
         \x20 esac\n\
         \x20 export {name}\n\
         fi\n"
    )
}

/// One word for a POSIX shell, whatever is in it.
fn single(value: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/+@%=:,".contains(&b);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// One word for a POSIX shell that it puts values into.
fn double(parts: &[Part<'_>]) -> String {
    let mut text = String::from("\"");
    for part in parts {
        match part {
            Part::Reference(name) => text.push_str(&format!("${{{name}}}")),
            Part::Text(words) => {
                for c in words.chars() {
                    if matches!(c, '"' | '\\' | '$' | '`') {
                        text.push('\\');
                    }
                    text.push(c);
                }
            }
        }
    }
    text.push('"');
    text
}

/// Single quotes are taken literally by all of them; what has one in it, or a line's end, needs double quotes.
fn dotenv_word(value: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/+@%=:,?&".contains(&b);
    if value.bytes().all(is_plain) {
        return value.to_owned();
    }
    if !value.contains(['\'', '\n', '\r', '\\']) {
        return format!("'{value}'");
    }
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '"' | '\\' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
