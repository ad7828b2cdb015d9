//! References to other variables, `${NAME}`.

/// A piece of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'t> {
    /// Meant as it is written.
    Text(&'t str),
    /// The value of another variable.
    Reference(&'t str),
}

/// Whether a shell takes this for the name of a variable.
pub fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A value cut into pieces. A `$` that begins no `${NAME}` is a dollar.
pub fn parts(value: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(open) = value[at..].find("${").map(|to| at + to) {
        let name = value[open + 2..].split_once('}').map(|(name, _)| name).filter(|name| is_variable(name));
        let Some(name) = name else {
            at = open + 2;
            continue;
        };
        if start < open {
            found.push(Part::Text(&value[start..open]));
        }
        found.push(Part::Reference(name));
        start = open + name.len() + 3;
        at = start;
    }
    if start < value.len() {
        found.push(Part::Text(&value[start..]));
    }
    found
}

/// The names that a value refers to.
pub fn references(value: &str) -> Vec<&str> {
    let name = |part| match part {
        Part::Reference(name) => Some(name),
        Part::Text(_) => None,
    };
    parts(value).into_iter().filter_map(name).collect()
}
