use super::apart;
use super::commands;

/// The commands in short: `[variables] words >writes @folder`; `…` for what is not known.
fn read(line: &str) -> Vec<String> {
    let shown = |word: &Option<String>| word.clone().unwrap_or_else(|| "…".to_owned());
    let commands = commands(line).unwrap_or_else(|| panic!("cannot be read: {line}"));
    let one = |command: super::Command| {
        let variables = command.variables.iter().map(|(name, value)| format!("{name}={}", shown(value)));
        let words = command.words.iter().map(shown);
        let writes = command.writes.iter().map(|file| format!(">{}", shown(file)));
        let folder = match command.folder.as_deref() {
            Some("") => None,
            folder => Some(format!("@{}", folder.unwrap_or("…"))),
        };
        variables.chain(words).chain(writes).chain(folder).collect::<Vec<_>>().join(" ")
    };
    commands.into_iter().map(one).collect()
}

#[test]
fn words_are_taken_as_a_shell_takes_them() {
    assert_eq!(read("git commit -m 'a b' --no-verify"), ["git commit -m a b --no-verify"]);
    assert_eq!(read(r#"git commit -m "it's \"x\"" a\ b"#), [r#"git commit -m it's "x" a b"#]);
    assert_eq!(read("X=1 git push $REMOTE \"$A\"x ~/y *.c"), ["X=1 git push … … … …"]);
    assert_eq!(read("# git push --force\nls"), ["ls"]);
    assert_eq!(read("git com\"mit\" --no-\\\nverify"), ["git commit --no-verify"]);
}

#[test]
fn lists_pipes_and_groups() {
    assert_eq!(read("a && b || c; d | e & (f); { g; }"), ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(read("if a; then b; else c; fi; for x in 1 2; do d; done"), ["a", "b", "c", "d"]);
    assert_eq!(read("f() { git push -f; }; f"), ["git push -f", "f"]);
    assert_eq!(read("echo $(git push -f) `ls`"), ["git push -f", "ls", "echo … …"]);
}

#[test]
fn folders() {
    assert_eq!(read("cd a && x; cd b; y"), ["cd a", "x @a", "cd b @a", "y @a/b"]);
    assert_eq!(read("(cd a; x); y"), ["cd a", "x @a", "y"]);
    assert_eq!(read("cd $A; x; cd /b; y"), ["cd …", "x @…", "cd /b @…", "y @…"]);
    assert_eq!(read("if a; then cd b; fi; x"), ["a", "cd b", "x @…"]);
}

#[test]
fn shells_and_wrappers() {
    assert_eq!(read("sh -c 'git push -f'"), ["sh -c git push -f", "git push -f"]);
    assert_eq!(read("bash -lc \"cd a; x\"; y"), ["bash -lc cd a; x", "cd a", "x @a", "y"]);
    assert_eq!(read("env -u A B=1 git x"), ["env -u A B=1 git x", "B=1 git x"]);
    assert_eq!(
        read("timeout -k 1 5 nice -n 3 git x"),
        ["timeout -k 1 5 nice -n 3 git x", "nice -n 3 git x", "git x"]
    );
    assert_eq!(read("ls | xargs rm"), ["ls", "xargs rm", "rm …"]);
    assert_eq!(read("eval git push -f"), ["eval git push -f", "git push -f"]);
    assert_eq!(read("sudo sh -c 'a'"), ["sudo sh -c a", "sh -c a", "a"]);
}

#[test]
fn redirections() {
    assert_eq!(read("a >x 2>>y <z 2>&1 &>w"), ["a >x >y >w"]);
    assert_eq!(read("cat <<'E' >x\nhi\nE\n"), ["cat >x"]);
    assert_eq!(read("{ a; b; } >x"), ["a", "b", ">x"]);
    assert_eq!(commands("p <<'E'\n$x\nE\n").unwrap()[0].input.as_deref(), Some("$x\n"));
    assert_eq!(commands("p <<E\n$x\nE\n").unwrap()[0].input, None);
}

#[test]
fn what_is_no_line_of_a_shell() {
    for line in ["'", "if", "a &&", "$(", "(a"] {
        assert_eq!(commands(line), None, "{line}");
    }
}

/// What begins a level, what stands inside, and what ends it.
const LEVELS: [(&str, &str, &str); 26] = [
    ("( ", "a", ")"),
    ("((", "1", "))"),
    ("{ ", "a", "; }"),
    ("f() { ", "a", "; }"),
    ("$(", "a", ")"),
    ("\"$(", "a", ")\""),
    ("$( ')' ", "a", ")"),
    ("$(case x in a) ", "a", ";; esac)"),
    ("$((", "1", "))"),
    ("${x:-", "a", "}"),
    ("\"${x:-", "a", "}\""),
    ("$[", "1", "]"),
    ("`", "a", "`"),
    ("cat <(", "a", ")"),
    ("if ", "a", "; then b; fi"),
    ("if a; then b; else ", "a", "; fi"),
    ("if a; then ", "b", "; elif c; then d; fi"),
    ("while ", "a", "; do b; done"),
    ("until a; do ", "a", "; done"),
    ("for x in a; do ", "a", "; done"),
    ("case x in a) ", "a", ";; esac"),
    ("coproc ", "a", ""),
    ("[[ ( ", "a", " ) ]]"),
    ("! ", "a", ""),
    ("sh -c \"", "a", "\""),
    ("cat <<E\n$(", "a", ")\nE\n"),
];

#[test]
fn nothing_is_nested_so_deep_that_reading_it_ends_the_program() {
    for (begin, inside, end) in LEVELS {
        for depth in [1, 8, 12, 100, 101, 5_000, 50_000] {
            // With and without its ends, and closed where it looks open.
            for (ends, more) in [(depth, ""), (0, ""), (0, "'"), (depth / 2, "")] {
                let line = format!("{}{inside}{}{more}", begin.repeat(depth), end.repeat(ends));
                let _ = commands(&line);
            }
        }
    }
    for many in ["a && ", "a | ", "a; ", "a & ", "a\n", "X=1 ", ">x ", "env ", "if a; then b; fi; ", "$(a) "]
    {
        assert!(commands(&format!("{}a", many.repeat(2_000))).is_some(), "{many}");
    }
    for inside in ["a || ", "a && ", "! ", "-n "] {
        let _ = commands(&format!("[[ {}a ]]", inside.repeat(20_000)));
    }
    let elifs = format!("if a; then b; {} fi", "elif c; then d; ".repeat(10_000));
    let _ = commands(&elifs);
    let cases = format!("case x in {} esac", "a|b) c;; ".repeat(1_000));
    assert!(commands(&cases).is_some());
}

#[test]
fn what_people_write_is_not_too_deep() {
    let heredoc = |body: &str| format!("cat >a/b.c <<'E'\n{}E\n", body.repeat(400));
    for body in ["int f() { return (1); }\n", "  \"k\": { \"${v}\": [1, $(x)] },\n", "don't (see $HOME)\n"] {
        let read = commands(&heredoc(body)).unwrap_or_else(|| panic!("{body}"));
        assert_eq!(read[0].writes, [Some("a/b.c".to_owned())]);
    }
    let script = "for f in *; do if [ -f \"$f\" ]; then (cd \"$(dirname \"$f\")\" && while read -r x; do case $x in a) { echo b; };; esac; done); fi; done";
    assert!(commands(script).is_some());
}

#[test]
fn what_the_parser_panics_at_is_not_read() {
    for line in [
        "x ~99999999999999999999",
        "x ~-99999999999999999999",
        "x 12345678901234567890<(y)",
        "x 9999999999>f",
        "x 99999999999999999999999>&1",
        "cat <<-<<-E | $(xE | $(x)\n\tE\n",
        // It reads on for ever at these.
        "x <<'' b ",
        "x <<-\"\"",
        "x << \r b ",
        "x <<\u{c} b ",
        "x <<",
    ] {
        assert_eq!(commands(line), None, "{line}");
    }
    for line in ["x <<E\na\nE\n", "x <<-'E'\na\nE\n", "x <<< ''", "x <<<\"\"", "x $((1<<2))"] {
        assert!(commands(line).is_some(), "{line}");
    }
    assert!(!apart::is_here());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
    #[test]
    fn any_words_are_read_or_not(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "(", ")", "((", "))", "{", "}", "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "for",
                "x in", "case", "in", "esac", ";;", "a)", "[[", "]]", "!", "coproc", "function", "f()", "$(", "${", "$((", "`",
                "'", "\"", "\\", "<(", ">", "<<E\n", "E\n", "\nE\n", "<<<", "&&", "||", "|", ";", "&", "\n", "a", "=", "a=(", "cd b",
                "sh -c", "eval", "env", "xargs", "git push", "@(", "?(", "#", "\u{0}", "\u{feff}", "é", "~", "*", "time", "select",
            ]), 0..120,
        ),
        is_spaced in proptest::bool::ANY,
    ) {
        let _ = commands(&words.join(if is_spaced { " " } else { "" }));
    }

    #[test]
    fn any_text_is_read_or_not(text in "\\PC{0,400}") {
        let _ = commands(&text);
    }
}
