//! The address of the database, looking into the agent's own schema first.

const SETTING: &str = "-csearch_path%3D";

/// A connection URI whose sessions look into a schema first, then into `public`: the parameter `options` of
/// <https://www.postgresql.org/docs/current/libpq-connect.html>. What else stands there stays; a search path
/// of another agent does not. An address that is no URI is left as it is.
pub(super) fn with_search_path(url: &str, schema: &str) -> String {
    if !url.contains("://") {
        return url.to_owned();
    }
    let (rest, fragment) = url.split_once('#').map_or((url, ""), |(rest, fragment)| (rest, fragment));
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut options = Vec::new();
    let mut kept = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.strip_prefix("options=") {
            Some(value) => {
                let words = value.split("%20").flat_map(|words| words.split('+'));
                options.extend(words.filter(|word| !word.is_empty() && !word.starts_with(SETTING)));
            }
            None => kept.push(parameter),
        }
    }
    let ours = setting(schema);
    options.push(&ours);
    let options = format!("options={}", options.join("%20"));
    kept.push(&options);
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{address}?{}{fragment}", kept.join("&"))
}

/// The password in an address, as it is written there and as it is meant.
pub(super) fn passwords(url: &str) -> Vec<String> {
    let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    let written = authority.and_then(|text| text.rsplit_once('@')?.0.split_once(':')).map(|(_, word)| word);
    let Some(written) = written else {
        return Vec::new();
    };
    let meant = percent_encoding::percent_decode_str(written).decode_utf8_lossy().into_owned();
    vec![written.to_owned(), meant]
}

/// `-csearch_path=<schema>,public`, as a part of a URI.
pub(super) fn setting(schema: &str) -> String {
    let schema = percent_encoding::utf8_percent_encode(schema, percent_encoding::NON_ALPHANUMERIC);
    format!("{SETTING}{},public", schema.to_string().replace("%5F", "_")).replace(',', "%2C")
}
