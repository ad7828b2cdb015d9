//! Where each value of a policy comes from: its place in the text, or a default.

use serde_json::Value as Json;

use super::node::{Node, Value};
use super::plan::Plan;
use super::series::{Series, is_series};
use super::tree::Tree;
use super::{PolicyError, Span};

/// One value of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its keys, as in `agents.a1.services[0]`.
    pub path: String,
    /// The value as it is understood: a text, a number, a boolean, or an empty list or mapping that was written.
    pub value: Json,
    /// Where the policy says so, by [`super::Source::place`]; `None` for a default.
    pub at: Option<usize>,
}

/// The values of a policy in its order. Defaults that are nothing, such as an empty list, are left out.
///
/// # Errors
/// The text is no YAML, which the text of a plan never is.
pub fn settings(plan: &Plan) -> Result<Vec<Setting>, PolicyError> {
    let tree = Tree::parse(&plan.source)?;
    let json = serde_json::to_value(&plan.policy).unwrap_or_default();
    let mut found = Vec::new();
    walk(&json, Some(&tree.0), String::new(), &mut found);
    let setting = |(path, value, span): (String, Json, Option<Span>)| {
        let at = span.map(|span| span.start);
        Setting { path, value, at }
    };
    Ok(found.into_iter().map(setting).collect())
}

/// `node`: what says so, if anything does.
fn walk(json: &Json, node: Option<&Node>, path: String, found: &mut Vec<(String, Json, Option<Span>)>) {
    let is_written = node.is_some_and(|node| !matches!(node.value, Value::Null));
    match json {
        Json::Object(entries) if !entries.is_empty() => {
            for (name, value) in entries {
                let below = node.and_then(|node| entry(node, name));
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{}", word(name)) };
                // One word that stands for a whole mapping says all of it.
                walk(value, below.or(node.filter(|node| is_scalar(node))), path, found);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (at, value) in items.iter().enumerate() {
                let below = match node.map(|node| &node.value) {
                    Some(Value::List(nodes)) => nodes.get(at),
                    _ => node.filter(|node| is_scalar(node)),
                };
                walk(value, below, format!("{path}[{at}]"), found);
            }
        }
        Json::Null => {}
        Json::Object(_) | Json::Array(_) if !is_written => {}
        value => {
            let span = node.filter(|_| is_written).map(|node| node.span);
            found.push((path, value.clone(), span));
        }
    }
}

fn is_scalar(node: &Node) -> bool {
    matches!(node.value, Value::String(_) | Value::Integer(..) | Value::Word(_))
}

/// What a mapping has under a name, by itself or in a series of agents.
fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    let has = |key: &str| {
        let of_series = |series: Series<'_>| series.numbers().any(|number| series.name(&number) == name);
        key == name || is_series(key) && Series::parse(key).is_ok_and(of_series)
    };
    entries.iter().find(|(key, _)| has(&key.name)).map(|(_, node)| node)
}

/// A key as a part of a path: in quotes where it could be taken for several.
fn word(name: &str) -> String {
    if name.contains(['.', '[', ']', '"', ' ']) { format!("{name:?}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{FILE, Source, load};

    fn lines(text: &str) -> Vec<String> {
        let plan = load(Source::new(FILE, text), false).unwrap();
        let written = settings(&plan).unwrap().into_iter().filter_map(|it| Some((it.at?, it.path, it.value)));
        let place = |at| plan.source.place(at).to_string().replacen("policy.yaml:", "", 1);
        written.map(|(at, path, value)| format!("{} {path} {value}", place(at))).collect()
    }

    #[test]
    fn each_value_has_its_place() {
        let text = "version: 1\nservices: { paths: 's/{service}/**' }\nagents:\n  a1: { services: [x, y] }\n  w{1..2}:\n    \
                    owns: ['/j/{n}/']\nareas:\n  - { name: c, paths: /c/, access: owner, owner: a1 }\nunidentified: deny\n\
                    change:\n  max_lines: 3\n  exclude: []\n";
        assert_eq!(
            lines(text),
            [
                "1:10 version 1",
                "9:15 unidentified \"deny\"",
                "2:20 services.paths \"s/{service}/**\"",
                "4:20 agents.a1.services[0] \"x\"",
                "4:23 agents.a1.services[1] \"y\"",
                "6:12 agents.w1.owns[0] \"/j/1/\"",
                "6:12 agents.w2.owns[0] \"/j/2/\"",
                "8:13 areas[0].name \"c\"",
                "8:23 areas[0].paths[0] \"/c/\"",
                "8:36 areas[0].access \"owner\"",
                "8:50 areas[0].owner[0] \"a1\"",
                "11:14 change.max_lines 3",
                "12:12 change.exclude []",
            ]
        );
    }

    #[test]
    fn all_that_the_reference_policy_says_has_a_place() {
        let plan = crate::policy::tests::reference_plan();
        let found = settings(&plan).unwrap();
        let of = |path: &str| found.iter().find(|it| it.path == path).unwrap();
        assert_eq!(of("mode").at, None);
        assert!(of("agents.a3.env.OPENAI_API_KEY").at.is_some());
        // A line for each scalar that was written, and none twice.
        let mut places: Vec<_> = found.iter().filter_map(|it| it.at).collect();
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), count);
        assert!(count > 60, "{count}");
    }
}
