//! The rules as a page: `docs/rules.md`, and what `git lane rule <id>` shows.

use std::fmt::Write;

use super::{RULES, Rule};

impl Rule {
    /// Where it applies, in words: `commit push server ci`.
    pub fn stages(&self) -> String {
        let words: Vec<&str> = self.at.iter().map(|stage| stage.word()).collect();
        words.join(" ")
    }

    /// Whom it binds, in words.
    pub fn binds(&self) -> &'static str {
        if self.binds_maintainers { "agents and maintainers" } else { "agents" }
    }

    /// Its page, headings one level deeper than in its file.
    pub fn page(&self) -> String {
        format!(
            "# {}\n\n{}. Level: {}; applies at: {}; binds {}.\n\n{}",
            self.id,
            capitalized(self.summary),
            self.level.word(),
            self.stages(),
            self.binds(),
            self.docs
        )
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The whole of `docs/rules.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Rules\n\n\
         Written out from the code by `git lane rule --markdown`; a test keeps this page current. The policy's\n\
         `rules:` gives a rule another level (`error`, `observe`, `warn`, `off`); `observe` tells and notes what would be refused, and passes.\n\n\
         | rule | finds | level | applies at | binds |\n| --- | --- | --- | --- | --- |\n",
    );
    for rule in RULES {
        let row = (rule.id, rule.summary, rule.level.word(), rule.stages(), rule.binds());
        let _ =
            writeln!(page, "| [`{0}`](#{0}) | {1} | {2} | {3} | {4} |", row.0, row.1, row.2, row.3, row.4);
    }
    for rule in RULES {
        let _ = write!(page, "\n{}", rule.page().replace("\n## ", "\n### ").replacen("# ", "## ", 1));
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_current() {
        assert!(
            include_str!("../../../../docs/rules.md") == super::page(),
            "docs/rules.md is out of date: cargo run -q --bin git-lane -- rule --markdown > docs/rules.md"
        );
    }
}
