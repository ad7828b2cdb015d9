//! Names with placeholders: `feat/{agent}/{feature}`, `[{AGENT}]`, `Agent: {agent}`.

/// A text with placeholders in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `{agent}`: an agent's id.
    Agent,
    /// `{AGENT}`: an agent's id in capitals.
    AgentCapitals,
    /// Any other placeholder.
    Any(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A brace that is not closed, an empty placeholder, or two placeholders with nothing between.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').map(|len| open + len);
            let Some(close) = close else {
                return Err("`{` is never closed".to_owned());
            };
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            } else if !parts.is_empty() {
                return Err("two placeholders need a separator between them".to_owned());
            }
            parts.push(match &rest[open + 1..close] {
                "" => return Err("a placeholder needs a name".to_owned()),
                "agent" => Part::Agent,
                "AGENT" => Part::AgentCapitals,
                name => Part::Any(name.to_owned()),
            });
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether an agent's id is part of it.
    pub fn names_agent(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Agent | Part::AgentCapitals))
    }

    /// The names of the placeholders other than the agent's.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Any(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether it can stand in one line: a trailer cannot.
    pub fn fits_a_line(&self) -> bool {
        self.as_trailer().is_none()
    }

    /// The text for one agent, with other placeholders left as they are: `feat/a2/{feature}`.
    pub fn for_agent(&self, agent: &str) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Agent => agent.to_owned(),
                Part::AgentCapitals => agent.to_uppercase(),
                Part::Any(name) => format!("{{{name}}}"),
            })
            .collect()
    }

    /// The text for one agent, with a word for each other placeholder: `feat/a2/main`.
    pub fn filled(&self, agent: &str, word: &str) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Agent => agent.to_owned(),
            Part::AgentCapitals => agent.to_uppercase(),
            Part::Any(_) => word.to_owned(),
        };
        self.parts.iter().map(part).collect()
    }

    /// How the texts of one agent begin, up to the first other placeholder: `feat/a2/`.
    pub fn beginning_for(&self, agent: &str) -> String {
        self.for_agent(agent).split('{').next().unwrap_or_default().to_owned()
    }

    /// Whether a whole text has this form; then the agent that it names, empty if the form has none.
    /// `{agent}` takes no slash, other placeholders take anything that is not empty.
    pub fn parse<'t>(&self, text: &'t str) -> Option<&'t str> {
        parse(&self.parts, text, "")
    }

    /// All agents that a text names in this form, anywhere in it.
    pub fn find_all<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let (Some(Part::Text(open)), Some(Part::Text(close))) = (self.parts.first(), self.parts.get(2))
        else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(open.as_str()) {
            rest = &rest[at + open.len()..];
            if let Some(end) = rest.find(close.as_str()) {
                found.push(&rest[..end]);
            }
        }
        found
    }

    /// `(key, value)` if it has the form of a trailer, `Agent: {agent}`.
    pub fn as_trailer(&self) -> Option<(&str, Self)> {
        let Some(Part::Text(first)) = self.parts.first() else {
            return None;
        };
        let (key, value) = first.split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let value = value.trim_start();
        let mut parts: Vec<Part> = Vec::new();
        if !value.is_empty() {
            parts.push(Part::Text(value.to_owned()));
        }
        parts.extend(self.parts[1..].iter().cloned());
        is_key.then_some((key, Self { parts }))
    }

    /// Whether the form can be looked for inside a line: text on both sides of one agent.
    pub fn is_bracketed(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Text(_), Part::Agent | Part::AgentCapitals, Part::Text(_)])
    }

    /// Whether the agent stands in it in capitals.
    pub fn is_capitals(&self) -> bool {
        self.parts.contains(&Part::AgentCapitals)
    }
}

fn parse<'t>(parts: &[Part], text: &'t str, agent: &'t str) -> Option<&'t str> {
    match parts.split_first() {
        None => text.is_empty().then_some(agent),
        Some((Part::Text(literal), rest)) => parse(rest, text.strip_prefix(literal.as_str())?, agent),
        Some((part, rest)) => {
            let is_agent = !matches!(part, Part::Any(_));
            let ends = text
                .char_indices()
                .map(|(at, c)| (at + c.len_utf8(), c))
                .take_while(|(_, c)| !is_agent || *c != '/');
            ends.map(|(end, _)| end).find_map(|end| {
                let taken = if is_agent { &text[..end] } else { agent };
                parse(rest, &text[end..], taken)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::new(text).expect("a template")
    }

    #[test]
    fn branches() {
        let branch = template("feat/{agent}/{feature}");
        assert_eq!(branch.parse("feat/a1/x"), Some("a1"));
        assert_eq!(branch.parse("feat/a1/x/y"), Some("a1"));
        assert_eq!(branch.parse("feat/a1/"), None);
        assert_eq!(branch.parse("feat/a1"), None);
        assert_eq!(branch.parse("fix/a1/x"), None);
        assert_eq!(template("{agent}-{n}").parse("a1-b-2"), Some("a1"));
        assert_eq!(branch.for_agent("a2"), "feat/a2/{feature}");
        assert_eq!(template("work/{x}").parse("work/é"), Some(""));
    }

    #[test]
    fn tags() {
        let tag = template("[{AGENT}]");
        assert_eq!(tag.find_all("fixup! [A1] x [A2] ["), ["A1", "A2"]);
        assert_eq!(tag.for_agent("a1"), "[A1]");
        assert!(tag.as_trailer().is_none() && tag.is_bracketed());
        let trailer = template("Agent: {agent}");
        let (key, value) = trailer.as_trailer().expect("a trailer");
        assert_eq!((key, value.parse("a1")), ("Agent", Some("a1")));
    }

    #[test]
    fn mistakes() {
        for text in ["{agent", "{}", "{agent}{feature}"] {
            assert!(Template::new(text).is_err(), "{text}");
        }
    }
}
