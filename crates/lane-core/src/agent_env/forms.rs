//! An environment as text: for a shell, for dotenv, as JSON, and as the file `.agent.env`.

use serde_json::{Map, Value};

use super::reference::Part;
use super::{AgentEnv, OWN, Variable, Variables, database};
use crate::text::has_hidden;

/// Lines for `eval` in a POSIX shell. What cannot be had is unset.
pub fn as_sh(resolved: &AgentEnv) -> String {
    let mut text: String = resolved.unset().iter().map(|name| format!("unset {name}\n")).collect();
    for (name, value) in &resolved.set {
        text.push_str(&format!("export {name}={}\n", single(value)));
    }
    text
}

/// Lines as dotenv libraries read them.
pub fn as_dotenv(resolved: &AgentEnv) -> String {
    resolved.set.iter().map(|(name, value)| format!("{name}={}\n", dotenv_word(value))).collect()
}

/// One object of texts.
pub fn as_json(resolved: &AgentEnv) -> Value {
    let pairs = resolved.set.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The text of `.agent.env`: references stay references, so that it holds no secret.
pub fn as_file(variables: &Variables) -> String {
    let mut text = "# Written by `git lane setup` from the policy; holds no secret. Use it: . ./.agent.env\n\
                    # A file that you change stays as you changed it.\n"
        .to_owned();
    let lacked = OWN.into_iter().filter(|name| !variables.list.iter().any(|known| known.name == *name));
    for name in lacked.chain(variables.foreign.iter().map(String::as_str)) {
        text.push_str(&format!("unset {name}\n"));
    }
    for variable in &variables.list {
        text.push_str(&exported(variables, variable));
    }
    if let Some(schema) = &variables.schema {
        text.push_str(&search_path(schema));
    }
    text
}

/// A variable is unset, and named, where something that it needs is not set: no other value is used by mistake.
fn exported(variables: &Variables, variable: &Variable) -> String {
    let (name, parts) = (&variable.name, variable.parts());
    let is_plain = parts.iter().all(|part| matches!(part, Part::Text(_)));
    let word = if is_plain { single(&variable.value) } else { double_quoted(&parts) };
    let needs = variables.needs(variable);
    if needs.is_empty() {
        return format!("export {name}={word}\n");
    }
    let tests: Vec<String> = needs.iter().map(|name| format!("[ \"${{{name}+x}}\" ]")).collect();
    format!(
        "if {}; then\n\
         \x20 export {name}={word}\n\
         else\n\
         \x20 unset {name}\n\
         \x20 echo '.agent.env: {name} is left out: {} is not set here' >&2\n\
         fi\n",
        tests.join(" && "),
        needs.join(" or ")
    )
}

/// What puts the search path into `DATABASE_URL`, last of its options, or in place of another agent's.
fn search_path(schema: &str) -> String {
    let (uri, word) = (database::uri_setting(schema), database::setting(schema));
    format!(
        r#"if [ -n "${{DATABASE_URL-}}" ]; then
  case "$DATABASE_URL" in
    *://*-csearch_path%3D*%2Cpublic*)
      DATABASE_URL=${{DATABASE_URL%%-csearch_path%3D*}}{uri}${{DATABASE_URL#*-csearch_path%3D*%2Cpublic}} ;;
    *://*[?\&]options=*)
      _lane=${{DATABASE_URL#*[?\&]options=}}
      DATABASE_URL=${{DATABASE_URL%"$_lane"}}${{_lane%%[\&#]*}}%20{uri}${{_lane#"${{_lane%%[\&#]*}}"}} ;;
    *://*\?*) DATABASE_URL="$DATABASE_URL&options={uri}" ;;
    *://*) DATABASE_URL="$DATABASE_URL?options={uri}" ;;
    *-csearch_path=*,public*)
      DATABASE_URL=${{DATABASE_URL%%-csearch_path=*}}{word}${{DATABASE_URL#*-csearch_path=*,public}} ;;
    *options=\'*)
      _lane=${{DATABASE_URL#*options=\'}}
      DATABASE_URL=${{DATABASE_URL%"$_lane"}}${{_lane%%\'*}}" {word}"${{_lane#"${{_lane%%\'*}}"}} ;;
    *options=*)
      _lane=${{DATABASE_URL#*options=}}
      DATABASE_URL=${{DATABASE_URL%"$_lane"}}\'${{_lane%% *}}" {word}'"${{_lane#"${{_lane%% *}}"}} ;;
    *=*) DATABASE_URL="$DATABASE_URL options='{word}'" ;;
    *) echo '.agent.env: DATABASE_URL says nothing of the schema: write postgresql://… or host=… dbname=…' >&2 ;;
  esac
  unset _lane
  export DATABASE_URL
fi
"#
    )
}

/// One word for a POSIX shell, whatever is in it.
fn single(value: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/+@%=:,".contains(&b);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    // What a terminal should not be given is written as octal digits; a substitution would drop line feeds at its end.
    if has_hidden(value) {
        let body = value.trim_end_matches('\n');
        let ends = "\n".repeat(value.len() - body.len());
        let word = crate::report::quote(body.as_bytes());
        return if ends.is_empty() { word } else { format!("{word}'{ends}'") };
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// One word for a POSIX shell that it puts values into.
fn double_quoted(parts: &[Part<'_>]) -> String {
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
