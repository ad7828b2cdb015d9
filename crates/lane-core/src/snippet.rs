//! Lines of a policy with places in them marked: one drawing for the mistakes of a policy and for the line that decided a
//! finding. miette draws.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use crate::policy::{PolicyLine, Source, Span};
use crate::text::{painted, visible};

/// A place, and what is said about it.
pub type Mark<'a> = (Span, Option<&'a str>);

/// The lines around some places of a policy, the first place above all; those of each file by themselves.
pub fn snippet(source: &Source, marks: &[Mark<'_>], color: bool) -> String {
    if source.files().is_empty() {
        return draw(&source.name, &source.text, 0, marks, color);
    }
    let mut files: Vec<(&str, usize, &str, Vec<Mark<'_>>)> = Vec::new();
    for (span, label) in marks {
        let (name, range) = source.file_at(span.start);
        let mark = (Span { start: span.start.saturating_sub(range.start), len: span.len }, *label);
        match files.iter_mut().find(|(_, start, ..)| *start == range.start) {
            Some((.., marks)) => marks.push(mark),
            None => files.push((name, range.start, &source.text[range], vec![mark])),
        }
    }
    files.iter().map(|(name, _, text, marks)| draw(name, text, 0, marks, color)).collect()
}

/// The one line that decided.
pub fn policy_line(name: &str, line: &PolicyLine, color: bool) -> String {
    let place = Span { start: line.indent + line.offset, len: line.len };
    let text = " ".repeat(line.indent) + &line.text;
    draw(name, &text, line.line - 1, &[(place, None)], color)
}

fn draw(name: &str, text: &str, lines_before: usize, marks: &[Mark<'_>], color: bool) -> String {
    // Everything hidden is written out, and the marks move with it.
    let at = |place: usize| visible(text.get(..place).unwrap_or(text)).len();
    let labels = marks.iter().enumerate().map(|(number, (span, label))| {
        let (start, end) = (at(span.start), at(span.start + span.len));
        let label = label.map(|label| visible(label).into_owned());
        let place = (start, end - start);
        match number {
            0 => LabeledSpan::new_primary_with_span(label, place),
            _ => LabeledSpan::new_with_span(label, place),
        }
    });
    let name = visible(name).into_owned();
    let excerpt = Excerpt { name, text: visible(text).into_owned(), lines_before, labels: labels.collect() };
    let characters = ThemeCharacters { underbar: '^', vbar_break: '|', ..ThemeCharacters::ascii() };
    let styles = if color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(100)
        .with_links(false)
        .with_context_lines(1);
    let mut drawn = String::new();
    // It fails for places that are not in the text alone, and those are ours.
    let _ = handler.render_report(&mut drawn, &excerpt);
    // What is wrong, the reader has been told above.
    painted(drawn.split_once('\n').map_or("", |(_, lines)| lines))
}

/// What miette is told: places alone, no message.
#[derive(Debug)]
struct Excerpt {
    name: String,
    text: String,
    lines_before: usize,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Excerpt {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt {}

impl miette::Diagnostic for Excerpt {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.text.read_span(span, before, after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            *found.span(),
            found.line() + self.lines_before,
            found.column(),
            found.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    const WANTED: &str = r"   ,-[policy.yaml:2:21]
 1 | a: 1
   | ^
   | `-- this is
 2 |     b: [\u{202e}x, é, yy]
   |                       ^^
   |                        `-- what is this?
 3 | c: 2
   `----
   ,-[policy.yaml:2:21]
 2 |  b: [\u{202e}x, é, yy]
   |                    ^^
   `----
";

    use super::*;

    #[test]
    fn what_is_marked_stands_above_the_mark() {
        let text = "a: 1\n\tb: [\u{202e}x, é, yy]\nc: 2\n";
        let source = Source::new("policy.yaml", text);
        let yes = Span { start: text.find("yy").unwrap(), len: 2 };
        let marks = [(yes, Some("what is this?")), (Span { start: 0, len: 1 }, Some("this is"))];
        let drawn =
            [snippet(&source, &marks, false), policy_line("policy.yaml", &source.line_of(yes), false)];
        assert_eq!(drawn.concat(), WANTED);
        let beyond = Span { start: 99, len: 9 };
        assert!(snippet(&source, &[(beyond, None)], false).contains("policy.yaml:"), "the end");
        assert_eq!(
            crate::text::sanitize(&policy_line("p", &source.line_of(yes), true)).matches("\x1b[").count(),
            6
        );
    }
}
