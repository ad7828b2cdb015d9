//! How deep a line for a shell is nested, told before it is parsed: the parser calls itself for each level, and tries each several
//! times over where something is missing at the end. A line nested deeper than people write is not read.

use brush_parser::Token;

/// Lists inside of lists: a line that lacks its last `)` takes twice the time for each.
const LISTS: usize = 12;

/// Substitutions inside of substitutions.
const SUBSTITUTIONS: usize = 24;

/// Substitutions whose end is in doubt: a quote stands between it and their beginning.
const DOUBTFUL: usize = 100;

/// So many `!` in a row.
const NEGATIONS: usize = 16;

/// A bracket that is open, its end, and whether no quote has been seen since.
struct Open {
    end: u8,
    is_plain: bool,
}

/// Whether the substitutions of a line are nested no deeper than is read. An end that may be quoted is not relied on.
pub(super) fn has_few_substitutions(line: &str) -> bool {
    let (mut open, mut doubtful): (Vec<Open>, usize) = (Vec::new(), 0);
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        match byte {
            b'(' | b'{' | b'[' => {
                let starts = match before {
                    Some(b'$') => true,
                    Some(b'<' | b'>') => *byte == b'(',
                    _ => false,
                };
                if starts || !open.is_empty() {
                    let end = match byte {
                        b'(' => b')',
                        b'{' => b'}',
                        _ => b']',
                    };
                    open.push(Open { end, is_plain: true });
                }
            }
            b')' | b'}' | b']' => {
                if let Some(last) = open.pop_if(|last| last.end == *byte)
                    && !last.is_plain
                {
                    doubtful += 1;
                }
            }
            b'\'' | b'"' | b'\\' | b'`' | b'#' | b'<' => {
                if let Some(last) = open.last_mut() {
                    last.is_plain = false;
                }
            }
            _ => {}
        }
        if open.len() > SUBSTITUTIONS || doubtful > DOUBTFUL {
            return false;
        }
    }
    true
}

/// Whether each here-document has a word that ends it. Where that is empty the parser reads on behind the end of the line, for ever.
pub(super) fn has_named_documents(line: &str) -> bool {
    line.match_indices("<<").all(|(at, _)| {
        let rest = &line[at + 2..];
        if rest.starts_with('<') || line[..at].ends_with('<') {
            return true; // a here-string
        }
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches([' ', '\t']);
        let word = rest.split(|c: char| " \t\n;|&()<>".contains(c)).next().unwrap_or_default();
        word.contains(|c: char| !c.is_whitespace() && !"'\"\\$".contains(c))
    })
}

/// The words that begin a list, and those that end it. Nothing ends a coprocess.
const WORDS: [(&[&str], &str); 6] = [
    (&["{"], "}"),
    (&["if"], "fi"),
    (&["while", "until", "for", "select"], "done"),
    (&["case"], "esac"),
    (&["[["], "]]"),
    (&["coproc"], ""),
];

/// Whether the lists of a line are nested no deeper than is read. Words count as if all of them began a list, and ends only where one
/// may stand: behind an operator, or another end.
pub(super) fn has_few_lists(tokens: &[Token]) -> bool {
    let mut depths = [0_usize; WORDS.len()];
    let (mut parentheses, mut negations): (usize, usize) = (0, 0);
    let mut is_behind_end = true;
    for token in tokens {
        let word = token.to_str();
        negations = if word == "!" { negations + 1 } else { 0 };
        if matches!(token, Token::Operator(..)) {
            match word {
                "(" => parentheses += 1,
                ")" => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
            is_behind_end = true;
        } else if let Some(at) = WORDS.iter().position(|(begin, _)| begin.contains(&word)) {
            depths[at] += 1;
            is_behind_end = false;
        } else if let Some(at) = WORDS.iter().position(|(_, end)| *end == word)
            && (is_behind_end || word == "]]")
        {
            depths[at] = depths[at].saturating_sub(1);
        } else {
            is_behind_end = false;
        }
        if parentheses + depths.iter().sum::<usize>() > LISTS || negations > NEGATIONS {
            return false;
        }
    }
    true
}
