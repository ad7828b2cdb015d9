//! `cp`, `mv`, `install` and `ln`: what they write, and what of it goes into a folder under its own name.

use super::Edit;

/// How a program that copies reads its options.
struct Form {
    /// The letters of options that take a value.
    letters: &'static str,
    /// The long options that take the next word where no `=` follows.
    long: &'static [&'static str],
    /// Whether what is copied is gone from where it was.
    moves: bool,
}

const TARGET: &str = "--target-directory";

fn form(program: &str) -> Form {
    match program {
        "install" => Form {
            letters: "tSmgo",
            long: &[TARGET, "--suffix", "--mode", "--group", "--owner", "--strip-program"],
            moves: false,
        },
        _ => Form { letters: "tS", long: &[TARGET, "--suffix"], moves: program == "mv" },
    }
}

/// The files that such a command changes; `words`: what follows the program's name. A place that is not known is left out.
pub(super) fn edits(program: &str, words: &[Option<String>]) -> Vec<Edit> {
    let form = form(program);
    let (mut operands, mut folder, mut is_file) = (Vec::new(), None, false);
    let mut rest = words.iter().map(Option::as_deref);
    let mut is_operand = false;
    while let Some(word) = rest.next() {
        let Some(text) = word.filter(|text| !is_operand && text.len() > 1 && text.starts_with('-')) else {
            operands.push(word);
            continue;
        };
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        match text.strip_prefix("--") {
            Some("") => is_operand = true,
            Some("no-target-directory") => is_file = true,
            Some("directory") if program == "install" => return Vec::new(),
            Some(_) if form.long.contains(&name) => {
                let value = value.or_else(|| rest.next().flatten());
                if name == TARGET {
                    folder = Some(value);
                }
            }
            Some(_) => {}
            None => {
                let letters = &text[1..];
                let first = letters.find(|letter| form.letters.contains(letter));
                let flags = &letters[..first.unwrap_or(letters.len())];
                is_file |= flags.contains('T');
                if program == "install" && flags.contains('d') {
                    return Vec::new();
                }
                let Some(at) = first else { continue };
                let attached = Some(&letters[at + 1..]).filter(|value| !value.is_empty());
                let value = attached.or_else(|| rest.next().flatten());
                if letters[at..].starts_with('t') {
                    folder = Some(value);
                }
            }
        }
    }
    let target = match folder {
        Some(folder) => folder,
        None if operands.len() > 1 => operands.pop().flatten(),
        // `ln -s ../x` makes a link of that name here.
        None if program == "ln" && operands.len() == 1 => Some("."),
        None => return Vec::new(),
    };
    let sources: Vec<String> = operands.into_iter().flatten().map(str::to_owned).collect();
    let gone = sources.iter().filter(|_| form.moves).map(Edit::delete);
    let mut edits: Vec<Edit> = gone.collect();
    edits.extend(target.map(|target| Edit {
        sources: if is_file { Vec::new() } else { sources.clone() },
        ..Edit::write(target)
    }));
    edits
}

#[cfg(test)]
mod tests {
    use super::super::shell::commands;
    use super::edits;

    /// `target<source source`, `-gone`.
    fn read(line: &str) -> Vec<String> {
        let command = commands(line).expect(line).remove(0);
        let program = command.program().expect(line).to_owned();
        let shown = edits(&program, &command.words[1..]).into_iter().map(|edit| {
            let sign = if edit.is_removed { "-" } else { "" };
            let from =
                if edit.sources.is_empty() { String::new() } else { format!("<{}", edit.sources.join(" ")) };
            format!("{sign}{}{from}", edit.path)
        });
        shown.collect()
    }

    #[test]
    fn copies() {
        assert_eq!(read("cp a b"), ["b<a"]);
        assert_eq!(read("cp -r a b dir/"), ["dir/<a b"]);
        for line in [
            "cp -t dir a b",
            "cp -rtdir a b",
            "cp a b --target-directory=dir",
            "cp --target-directory dir a b",
        ] {
            assert_eq!(read(line), ["dir<a b"], "{line}");
        }
        assert_eq!(read("cp -T a dir"), ["dir"]);
        assert_eq!(read("cp -S .old -- -a dir"), ["dir<-a"]);
        assert_eq!(read("cp *.c dir"), ["dir"], "which ones is not known");
        assert_eq!(read("cp a $DIR"), [""; 0]);
        assert_eq!(read("cp a"), [""; 0]);
    }

    #[test]
    fn moves_and_the_others() {
        assert_eq!(read("mv a b dir"), ["-a", "-b", "dir<a b"]);
        assert_eq!(read("mv a $B"), ["-a"]);
        assert_eq!(read("install -m 644 a dir/b"), ["dir/b<a"]);
        assert_eq!(read("install -d a b"), [""; 0]);
        assert_eq!(read("ln -s ../a"), [".<../a"]);
        assert_eq!(read("ln -sf a b"), ["b<a"]);
    }
}
