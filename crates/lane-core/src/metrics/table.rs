//! Columns of text.

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The longest that a cell may be, in characters.
const LONGEST: usize = 44;

/// A head and rows as lines, indented by two. Every cell but the last of a row is as wide as its column.
pub fn lines(head: &[(&str, Align)], rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| shortened(cell, LONGEST)).collect()).collect();
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain([head[at].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let mut line = String::from(" ");
        for ((cell, (_, align)), width) in cells.iter().zip(head).zip(&widths) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push(' ');
            match align {
                Align::Left => line.extend([*cell, &gap, " "]),
                Align::Right => line.extend([&gap, *cell, " "]),
            }
        }
        line.trim_end().to_owned()
    };
    let mut lines = Vec::new();
    if head.iter().any(|(title, _)| !title.is_empty()) {
        lines.push(line(head.iter().map(|(title, _)| *title).collect()));
    }
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines
}

/// The same with something at the end of each row that may be longer than a column is.
pub fn lines_with_ends(head: &[(&str, Align)], rows: Vec<(Vec<String>, String)>) -> Vec<String> {
    let has_head = head.iter().any(|(title, _)| !title.is_empty());
    let (rows, ends): (Vec<Vec<String>>, Vec<String>) = rows.into_iter().unzip();
    let ends = std::iter::repeat_n(String::new(), usize::from(has_head)).chain(ends);
    let rows = lines(head, &rows);
    let width = rows.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let line = |(line, end): (&String, String)| {
        let gap = width - line.chars().count() + 2;
        format!("{line}{}{end}", " ".repeat(gap)).trim_end().to_owned()
    };
    rows.iter().zip(ends).map(line).collect()
}

/// A text that is cut where it is too long: the end of a path tells more than its begin.
pub fn shortened(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length - most + 1).collect();
    format!("…{end}")
}

/// Words in lines of at most so many characters.
pub fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let head = [("agent", Align::Left), ("merged", Align::Right), ("", Align::Left)];
        let text = lines(&head, &[row(["a1", "12", "x"]), row(["a2 (GenAI)", "3", ""])]).join("\n");
        insta::assert_snapshot!(text, @r"
          agent       merged
          a1              12  x
          a2 (GenAI)       3
        ");
        assert_eq!(shortened("services/common/db.py", 10), "…mon/db.py");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
