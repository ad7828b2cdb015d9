//! `CODEOWNERS`: who owns what already.

use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::{Pattern, Segment};

use super::Text;
use super::files::{Files, Kind};

/// Where it may lie, in the order in which GitHub looks.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// Who owns what.
#[derive(Debug)]
pub struct Codeowners {
    /// The file that was read.
    pub place: &'static str,
    rules: Vec<Rule>,
    paths: PathSet,
}

#[derive(Debug)]
struct Rule {
    owners: String,
    pattern: Pattern,
}

impl Codeowners {
    /// The first of the files that is there. Lines that are no rules say nothing, as on GitHub.
    pub fn read(texts: &[Text], notes: &mut Vec<String>) -> Option<Self> {
        let find = |place: &'static str| Some((place, texts.iter().find(|text| text.path == place)?));
        let (place, text) = PLACES.into_iter().find_map(find)?;
        match &text.content {
            Ok(text) => Some(Self::parse(place, text)),
            Err(why) => {
                notes.push(format!("{place} was not read: {why}"));
                None
            }
        }
    }

    fn parse(place: &'static str, text: &str) -> Self {
        let mut read = Self { place, rules: Vec::new(), paths: PathSet::new(false) };
        for line in text.lines() {
            let Some((pattern, owners)) = rule(line) else { continue };
            if let Ok(pattern) = Pattern::new(&pattern) {
                read.paths.insert(&pattern, read.rules.len());
                read.rules.push(Rule { owners, pattern });
            }
        }
        read
    }

    /// The owners of most files of a folder, unless these own whatever nobody else does.
    pub fn owners_of(&self, paths: &[(&str, Kind)]) -> Option<&str> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for (path, kind) in paths {
            let rule = self.paths.last_match(path.as_bytes(), *kind != Kind::File).map(|id| &self.rules[id]);
            let owners = rule.filter(|rule| !rule.is_for_all()).map_or("", |rule| rule.owners.as_str());
            match counts.iter_mut().find(|(known, _)| *known == owners) {
                Some((_, count)) => *count += 1,
                None => counts.push((owners, 1)),
            }
        }
        let most = counts.iter().map(|(_, count)| *count).max()?;
        counts
            .iter()
            .find(|(_, count)| *count == most)
            .map(|(owners, _)| *owners)
            .filter(|owners| !owners.is_empty())
    }

    /// The folders that rules speak of by name.
    pub fn folders(&self, files: &Files<'_>) -> Vec<String> {
        let folders = self.rules.iter().filter(|rule| !rule.owners.is_empty()).filter_map(Rule::folder);
        folders.filter(|folder| files.count(folder) > 0 && !files.has(folder)).collect()
    }
}

impl Rule {
    fn is_for_all(&self) -> bool {
        let is_all = |segment: &Segment| match segment {
            Segment::AnyDepth => true,
            Segment::Literal(_) => false,
            Segment::Wild(wild) => wild.iter().all(|byte| *byte == b'*'),
        };
        self.pattern.segments.iter().all(is_all)
    }

    /// `/a/b/`, `a/b/**` and `a/b/*` speak of `a/b`. A name that may be anywhere is most likely the one at the root.
    fn folder(&self) -> Option<String> {
        let mut segments = self.pattern.segments.as_slice();
        if let [Segment::AnyDepth, rest @ ..] = segments {
            segments = rest;
        }
        if let [rest @ .., last] = segments
            && !matches!(last, Segment::Literal(_))
        {
            segments = rest;
        }
        let names = segments.iter().map(|segment| match segment {
            Segment::Literal(name) => String::from_utf8(name.clone()).ok(),
            _ => None,
        });
        let names = names.collect::<Option<Vec<_>>>()?;
        (!names.is_empty()).then(|| names.join("/"))
    }
}

/// The pattern and the owners of a line; sections of GitLab and comments are none.
fn rule(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '[', '^', '!']) {
        return None;
    }
    let mut words = Vec::new();
    let mut word = String::new();
    let mut escaped = false;
    for c in line.chars() {
        match c {
            _ if escaped => {
                if !matches!(c, ' ' | '#') {
                    word.push('\\');
                }
                word.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '#' if word.is_empty() => break,
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    let mut words = words.into_iter();
    let pattern = words.next()?;
    let mut owners: Vec<String> = words.filter(|word| word.contains('@')).collect();
    owners.sort_unstable();
    owners.dedup();
    Some((pattern, owners.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::super::files::tracked;
    use super::*;

    const TEXT: &str = "\
# who owns what
*            @org/all
/api/        @org/back @org/api   # both
web/**       @org/front
/my\\ docs/   docs@example.com
/api/v2/*    @org/v2
/gone/       @org/gone
*.md         @org/docs
/free/
[Section] @org/x
";

    fn read() -> Codeowners {
        Codeowners::parse("CODEOWNERS", TEXT)
    }

    #[test]
    fn the_last_rule_counts() {
        let read = read();
        let of = |path: &str| read.owners_of(&[(path, Kind::File)]).map(str::to_owned);
        assert_eq!(of("api/x").as_deref(), Some("@org/api @org/back"));
        assert_eq!(of("api/v2/x").as_deref(), Some("@org/v2"));
        assert_eq!(of("web/x.md").as_deref(), Some("@org/docs"));
        assert_eq!((of("other"), of("free/x")), (None, None));
        let most = [("web/a", Kind::File), ("web/b", Kind::File), ("web/c.md", Kind::File)];
        assert_eq!(read.owners_of(&most), Some("@org/front"));
    }

    #[test]
    fn folders_by_name() {
        let list = tracked(&["api/x", "api/v2/x", "web/x", "my docs/x", "free/x", "a.md"]);
        assert_eq!(read().folders(&Files::new(&list)), ["api", "web", "my docs", "api/v2"]);
    }

    #[test]
    fn the_first_place_counts() {
        let text = |path: &str| Text { path: path.to_owned(), content: Ok("/x/ @x".to_owned()) };
        let texts = [text("docs/CODEOWNERS"), text("CODEOWNERS")];
        assert_eq!(Codeowners::read(&texts, &mut Vec::new()).map(|read| read.place), Some("CODEOWNERS"));
        let broken = [Text { path: "CODEOWNERS".into(), content: Err("it is a link".into()) }];
        let mut notes = Vec::new();
        assert!(Codeowners::read(&broken, &mut notes).is_none() && notes.len() == 1);
    }
}
