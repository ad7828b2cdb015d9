//! Migrations that follow the same one: a second head, which the tool that applies them refuses.
//!
//! Known are Alembic's (`revision` and `down_revision` in a `.py` file,
//! <https://alembic.sqlalchemy.org/en/latest/tutorial.html#create-a-migration-script>), and SQL whose comments
//! at the top say `-- follows: <id>`, and `-- id: <id>` where the file's name is not the id. Both also as files
//! that a patch brings.

use std::collections::BTreeMap;

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its own id.
    pub id: String,
    /// What it follows: none for the first of all, several where it puts heads together.
    pub follows: Vec<String>,
}

/// Where a migration was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file of the base.
    Base(String),
    /// A request, by its id.
    Request(String),
}

/// A migration among others.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it was found.
    pub source: Source,
    /// What it belongs to: migrations of different areas do not know of each other.
    pub group: String,
    /// Which of all it was to be accepted; what the base has was there before.
    pub turn: u64,
    /// The migration.
    pub migration: Migration,
}

/// A request whose migration follows what another does already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondHead {
    /// The request that came second.
    pub request: String,
    /// Its migration.
    pub id: String,
    /// What both follow; `None`: both are the first of all.
    pub follows: Option<String>,
    /// Where the first is.
    pub first: Source,
    /// The migration that came first.
    pub first_id: String,
}

impl SecondHead {
    /// What is wrong, as a sentence.
    pub fn words(&self) -> String {
        let Self { request, id, first_id, .. } = self;
        let first = match &self.first {
            Source::Base(path) => format!("`{first_id}` on the base ({path})"),
            Source::Request(other) => format!("`{first_id}` of {other}"),
        };
        match &self.follows {
            Some(follows) => {
                format!("two heads: `{id}` of {request} follows `{follows}`, as {first} does already")
            }
            None => format!("two heads: `{id}` of {request} follows nothing, as {first} does already"),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        format!(
            "rebase the second on the first: make `{}` follow `{}` before merging",
            self.id, self.first_id
        )
    }
}

/// The migrations in a file, or in a patch.
pub fn read(name: &str, text: &str) -> Vec<Migration> {
    let is_patch = text.lines().any(|line| line.starts_with("+++ ")) && text.contains("\n@@ ");
    if !is_patch {
        return one(name, text).into_iter().collect();
    }
    added(text).into_iter().filter_map(|(name, text)| one(&name, &text)).collect()
}

/// The lines that a patch adds, by file.
fn added(patch: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in patch.lines() {
        if let Some(name) = line.strip_prefix("+++ ") {
            let name = name.split('\t').next().unwrap_or_default().trim_matches('"');
            files.push((name.strip_prefix("b/").unwrap_or(name).to_owned(), String::new()));
        } else if let (Some(line), Some((_, text))) = (line.strip_prefix('+'), files.last_mut()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    files
}

fn one(name: &str, text: &str) -> Option<Migration> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let (stem, ending) = file.rsplit_once('.')?;
    // The byte order mark that some editors write first.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match ending {
        "py" => alembic(text),
        "sql" => sql(stem, text),
        _ => None,
    }
}

fn alembic(text: &str) -> Option<Migration> {
    let follows = assigned(text, "down_revision")?;
    let id = assigned(text, "revision")?.into_iter().next()?;
    Some(Migration { id, follows })
}

/// The strings that a name is set to at the top level of a Python file: one, a tuple or list of them, or
/// none at all.
fn assigned(text: &str, name: &str) -> Option<Vec<String>> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(rest) = line.strip_prefix(name) else {
            continue;
        };
        let is_name = rest.trim_start().starts_with(['=', ':']);
        let Some(equals) = rest.find('=').filter(|_| is_name) else {
            continue;
        };
        let value = text[start + name.len() + equals + 1..].trim_start();
        let end = match value.chars().next()? {
            '(' => value.find(')')?,
            '[' => value.find(']')?,
            _ => value.find('\n').unwrap_or(value.len()),
        };
        return Some(strings(&value[..end]));
    }
    None
}

fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['"', '\'', '#']) {
        let (quote, after) = (&rest[open..=open], &rest[open + 1..]);
        if quote == "#" {
            rest = after.find('\n').map_or("", |end| &after[end..]);
            continue;
        }
        let Some(end) = after.find(quote) else {
            break;
        };
        found.push(after[..end].to_owned());
        rest = &after[end + 1..];
    }
    found.retain(|text| !text.is_empty());
    found
}

fn sql(stem: &str, text: &str) -> Option<Migration> {
    let (mut id, mut follows) = (stem.to_owned(), None);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some(comment) = line.strip_prefix("--") else {
            break;
        };
        let Some((key, value)) = comment.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "follows" => {
                let ids = value.split([',', ' ']).filter(|id| !id.is_empty());
                follows = Some(ids.map(str::to_owned).collect());
            }
            "id" if !value.is_empty() => id = value.to_owned(),
            _ => {}
        }
    }
    Some(Migration { id, follows: follows? })
}

/// The requests whose migrations are second heads, each with the first one that it meets.
pub fn second_heads(items: &[Item]) -> Vec<SecondHead> {
    let rank = |item: &Item| match &item.source {
        Source::Base(_) => (0, 0, 0),
        Source::Request(id) => (1, item.turn, super::record::number(id).unwrap_or(u64::MAX)),
    };
    let mut sorted: Vec<&Item> = items.iter().collect();
    sorted.sort_by_key(|item| rank(item));
    // Who came first, by group and what is followed.
    let mut firsts: BTreeMap<(&str, Option<&str>), &Item> = BTreeMap::new();
    let mut found = Vec::new();
    for item in sorted {
        let Migration { id, follows } = &item.migration;
        let mut keys: Vec<Option<&str>> = follows.iter().map(|id| Some(id.as_str())).collect();
        if keys.is_empty() {
            keys.push(None);
        }
        for key in keys {
            let first = *firsts.entry((item.group.as_str(), key)).or_insert(item);
            let is_same = first.source == item.source || first.migration.id == *id;
            if let (Source::Request(request), false) = (&item.source, is_same) {
                found.push(SecondHead {
                    request: request.clone(),
                    id: id.clone(),
                    follows: key.map(str::to_owned),
                    first: first.source.clone(),
                    first_id: first.migration.id.clone(),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, text: &str) -> String {
        let all = read(name, text);
        let all: Vec<String> =
            all.iter().map(|one| format!("{}<-{}", one.id, one.follows.join("+"))).collect();
        all.join(" ")
    }

    #[test]
    fn alembic_files() {
        assert_eq!(said("v/1.py", "revision = 'b2'\ndown_revision = 'a1'\n"), "b2<-a1");
        let typed = "revision: str = \"b2\"\ndown_revision: Union[str, None] = \"a1\" # \"x\"\n";
        assert_eq!(said("1.py", typed), "b2<-a1");
        assert_eq!(said("1.py", "revision = 'b2'\ndown_revision = None\n"), "b2<-");
        assert_eq!(said("1.py", "revision = 'm'\ndown_revision = (\n  'a', # 'z'\n  \"b\",\n)\n"), "m<-a+b");
        assert_eq!(said("1.py", "def f():\n    down_revision = 'a1'\n"), "");
        assert_eq!(said("1.py", "down_revisions = ['a']\nrevision = 'b'\n"), "");
        assert_eq!(said("1.txt", "revision = 'b2'\ndown_revision = 'a1'\n"), "", "no Python");
    }

    #[test]
    fn sql_files() {
        assert_eq!(said("0007_x.sql", "-- a column\n-- follows: 0006_y\nALTER TABLE t;\n"), "0007_x<-0006_y");
        assert_eq!(said("x.sql", "\u{feff}-- follows: 6\nSELECT 1;"), "x<-6", "with a byte order mark");
        let patch = "--- /dev/null\n+++ b/x.sql\n@@ -0,0 +1 @@\n+\u{feff}-- follows: 6\n";
        assert_eq!(said("x.patch", patch), "x<-6");
        assert_eq!(said("x.sql", "--Follows: 6\n-- id: 7\nSELECT 1;"), "7<-6");
        assert_eq!(said("x.sql", "-- follows:\nSELECT 1;"), "x<-", "the first of all");
        assert_eq!(said("x.sql", "SELECT 1;\n-- follows: 6\n"), "", "not at the top");
    }

    #[test]
    fn patches() {
        let patch = "diff --git a/v/2.py b/v/2.py\n--- /dev/null\n+++ b/v/2.py\n@@ -0,0 +1,2 @@\n\
                     +revision = 'b2'\n+down_revision = 'a1'\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n\
                     -down_revision = 'old'\n+x = 1\n";
        assert_eq!(said("my.patch", patch), "b2<-a1");
    }

    fn item(source: &str, turn: u64, id: &str, follows: &str) -> Item {
        let is_request = source.starts_with('r');
        Item {
            source: if is_request { Source::Request(source.into()) } else { Source::Base(source.into()) },
            group: "migrations".into(),
            turn,
            migration: Migration {
                id: id.into(),
                follows: follows.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
            },
        }
    }

    fn heads(items: &[Item]) -> Vec<String> {
        second_heads(items).iter().map(SecondHead::words).collect()
    }

    #[test]
    fn who_comes_second() {
        let none: [&str; 0] = [];
        let two = [item("r2", 10, "b", "a"), item("r1", 20, "c", "a")];
        assert_eq!(heads(&two), ["two heads: `c` of r1 follows `a`, as `b` of r2 does already"]);
        assert_eq!(
            second_heads(&two)[0].help(),
            "rebase the second on the first: make `c` follow `b` before merging"
        );
        assert_eq!(heads(&[item("r2", 10, "b", "a"), item("r1", 20, "c", "b")]), none, "one after the other");
        let base = [item("r1", 10, "b", "a"), item("v/c.py", 0, "c", "a")];
        assert_eq!(
            heads(&base),
            ["two heads: `b` of r1 follows `a`, as `c` on the base (v/c.py) does already"]
        );
        let landed = [item("r1", 10, "b", "a"), item("v/b.py", 0, "b", "a")];
        assert_eq!(heads(&landed), none, "it is what the base has");
        let roots = [item("r1", 10, "b", ""), item("v/a.py", 0, "a", "")];
        assert_eq!(
            heads(&roots),
            ["two heads: `b` of r1 follows nothing, as `a` on the base (v/a.py) does already"]
        );
        let merge = [item("v/b.py", 0, "b", "a"), item("v/c.py", 0, "c", "a"), item("r1", 5, "m", "b c")];
        assert_eq!(heads(&merge), none, "puts heads together");
        let mut other = item("r1", 20, "c", "a");
        other.group = "billing".into();
        assert_eq!(heads(&[item("r2", 10, "b", "a"), other]), none, "of another area");
    }
}
