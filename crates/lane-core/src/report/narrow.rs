//! Text for those who read it through git: `remote: …`.

/// A text whose lines are at most so many characters long, as far as that leaves whole what has to be:
/// commands and paths. Prose is broken at blanks; quoted lines of a policy are cut off.
pub fn narrow(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let after_number = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
        let is_quote = after_number.trim_start().starts_with("| ");
        if line.chars().count() <= width || (line.contains("git ") && !is_quote) {
            out.push_str(line);
        } else if is_quote {
            out.extend(line.chars().take(width - 1));
            out.push('…');
        } else {
            wrap(&mut out, line, width);
        }
        out.push('\n');
    }
    out
}

fn wrap(out: &mut String, line: &str, width: usize) {
    let blanks = line.chars().take_while(|c| *c == ' ').count();
    let indent = " ".repeat(blanks + 4);
    let mut length = blanks;
    out.push_str(&line[..blanks]);
    for (at, word) in line[blanks..].split(' ').enumerate() {
        let size = word.chars().count();
        if at > 0 && length + 1 + size > width {
            out.push('\n');
            out.push_str(&indent);
            length = indent.len();
        } else if at > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += size;
    }
}

#[cfg(test)]
mod tests {
    use super::narrow;

    #[test]
    fn narrow_lines() {
        let prose = "  error: one two three four";
        assert_eq!(narrow(prose, 16), "  error: one two\n      three four\n");
        let command = "  help: git commit --amend --no-edit";
        assert_eq!(narrow(command, 10), format!("{command}\n"));
        assert_eq!(narrow(" 49 | services: [git x]\n    |    ^^^^^^", 10), " 49 | ser…\n    |    …\n");
        assert_eq!(narrow("    averyveryverylongpath", 10), "    averyveryverylongpath\n");
        assert_eq!(narrow("", 10), "");
    }
}
