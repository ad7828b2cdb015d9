//! The address of the database, in the two forms of
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>: a URI, or words
//! `host=… dbname=…`.

const SETTING: &str = "-csearch_path=";
const URI_SETTING: &str = "-csearch_path%3D";

/// An address whose sessions look into a schema first, then into `public`, by the parameter `options`. What else
/// stands there stays; a search path of another agent does not. `None`: it is an address of neither form.
pub(super) fn with_search_path(address: &str, schema: &str) -> Option<String> {
    if address.contains("://") {
        return Some(uri_with_search_path(address, schema));
    }
    let mut words = words(address)?;
    let before = words.iter().rposition(|(name, _)| name == "options").map(|at| words.remove(at).1);
    words.retain(|(name, _)| name != "options");
    let before = before.unwrap_or_default();
    let mut options: Vec<&str> =
        before.split(' ').filter(|word| !word.is_empty() && !word.starts_with(SETTING)).collect();
    let ours = setting(schema);
    options.push(&ours);
    words.push(("options".to_owned(), options.join(" ")));
    Some(as_words(&words))
}

fn uri_with_search_path(url: &str, schema: &str) -> String {
    let (rest, fragment) = url.split_once('#').map_or((url, ""), |(rest, fragment)| (rest, fragment));
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut options = Vec::new();
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.strip_prefix("options=") {
            Some(value) => {
                let words = value.split("%20").flat_map(|words| words.split('+'));
                options.extend(words.filter(|word| !word.is_empty() && !word.starts_with(URI_SETTING)));
            }
            None => kept.push(parameter),
        }
    }
    let ours = uri_setting(schema);
    options.push(&ours);
    let options = format!("options={}", options.join("%20"));
    kept.push(&options);
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{address}?{}{fragment}", kept.join("&"))
}

/// The passwords in an address, as they are written there and as they are meant.
pub(super) fn passwords(address: &str) -> Vec<String> {
    let mut found = Vec::new();
    if address.contains("://") {
        let authority = address.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        found.extend(
            authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, word)| word),
        );
        found.extend(parameters(address).filter_map(|parameter| parameter.strip_prefix("password=")));
    }
    let meant = found.iter().map(|word| decoded(word));
    let written = found.iter().map(|word| (*word).to_owned());
    let words = if found.is_empty() { words(address).unwrap_or_default() } else { Vec::new() };
    let words = words.into_iter().filter(|(name, _)| name == "password").map(|(_, value)| value);
    written.chain(meant).chain(words).collect()
}

/// An address without its password, and the password: what other users of the machine may see of a command, and
/// what they may not. `None` where there is none.
pub fn without_password(address: &str) -> (String, Option<String>) {
    if !address.contains("://") {
        let Some(mut words) = words(address) else { return (address.to_owned(), None) };
        let password = words.iter().rfind(|(name, _)| name == "password").map(|(_, value)| value.clone());
        words.retain(|(name, _)| name != "password");
        return (if password.is_some() { as_words(&words) } else { address.to_owned() }, password);
    }
    let mut password = None;
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, word)) => {
                password = Some(decoded(word));
                format!("{user}@{host}")
            }
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.strip_prefix("password=") {
            Some(word) => password = Some(decoded(word)),
            None => kept.push(parameter),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    (format!("{scheme}://{authority}{path}{query}"), password)
}

fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('#').next().unwrap_or_default().split('&')
}

fn decoded(word: &str) -> String {
    percent_encoding::percent_decode_str(word).decode_utf8_lossy().into_owned()
}

/// `name = value` words, as libpq reads them: values in single quotes or up to a space, a backslash before what
/// is meant as it is. `None` where something else stands there.
fn words(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=')?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return None;
        }
        let value = value.trim_start();
        let is_quoted = value.starts_with('\'');
        let mut letters = value.char_indices().skip(usize::from(is_quoted));
        let mut read = String::new();
        let end = loop {
            match letters.next() {
                Some((at, '\'')) if is_quoted => break at + 1,
                Some((at, letter)) if !is_quoted && letter.is_whitespace() => break at,
                Some((_, '\\')) => read.extend(letters.next().map(|(_, letter)| letter)),
                Some((_, letter)) => read.push(letter),
                None if is_quoted => return None,
                None => break value.len(),
            }
        };
        found.push((name.to_owned(), read));
        rest = value[end..].trim_start();
    }
    (!found.is_empty()).then_some(found)
}

fn as_words(words: &[(String, String)]) -> String {
    let word = |(name, value): &(String, String)| {
        let is_plain = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || "'\\".contains(c));
        if is_plain && name != "options" {
            return format!("{name}={value}");
        }
        format!("{name}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// `-csearch_path=<schema>,public`.
pub(super) fn setting(schema: &str) -> String {
    format!("{SETTING}{schema},public")
}

/// The same as a part of a URI.
pub(super) fn uri_setting(schema: &str) -> String {
    let schema = percent_encoding::utf8_percent_encode(schema, percent_encoding::NON_ALPHANUMERIC);
    format!("{URI_SETTING}{}%2Cpublic", schema.to_string().replace("%5F", "_"))
}
