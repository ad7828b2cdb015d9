use super::*;

/// Both ways give one tree, or the short way leaves it to the long one. Whether it was taken.
fn same(text: &str) -> bool {
    let short = events::parse(text, &kind_of);
    let is_taken = short.is_some();
    if let Some(short) = short {
        let long = Node::parse_any(text).unwrap_or_else(|error| panic!("{text:?}: {}", error.message));
        assert_eq!(short, long, "{text:?}");
    }
    is_taken
}

#[test]
fn the_short_way_is_the_same() {
    assert!(same(include_str!("../../../../../policy.yaml")), "the policy of this project is plain");
    let words = [
        "a",
        "a1",
        "on",
        "OFF",
        "yes",
        "y",
        "null",
        "~",
        "true",
        "1",
        "-1",
        "+1",
        "0x1F",
        "0o7",
        "010",
        "1_000",
        "1.5",
        "1e3",
        ".5",
        ".inf",
        "-.INF",
        ".nan",
        "inf",
        "nan",
        "Infinity",
        "1:30",
        "2024-01-02",
        "3h",
        "2GB",
        "20101-20110",
        ".agent.env",
        "/x",
        "a b",
        "1 2",
        "- 1",
        "é",
        "a: b",
        "'1'",
        "\"1\"",
        "@x",
        "a#b",
        "a #b",
        "99999999999999999999",
        "0b1",
        "-",
        "--",
        "1-2",
        ".",
        "..",
        "0",
        "00",
        "1.",
        "e",
        "E1",
        "x",
        "<<",
        "=",
        "&x a",
        "*x",
        "!t a",
        "!!str 1",
        "|\n  a\n  b",
        ">-\n  a\n  b",
        "",
    ];
    for word in words {
        for text in [
            word.to_owned(),
            format!("a: {word}\n"),
            format!("{word}: b\n"),
            format!("- {word}\n- b\n"),
            format!("a: [{word}, b]\n"),
            format!("a: {{b: {word}, {word}: c}}\n"),
            format!("# x\n---\na:\n  - b: {word} # c\n    d: e\n...\n"),
        ] {
            same(&text);
        }
    }
}

proptest::proptest! {
    #[test]
    fn the_short_way_is_the_same_on_anything(text in "([ab1<:\\-#'\"\\[\\]{},&*!|>.~éon]|: |\n|\n  |- ){0,24}") {
        same(&text);
    }

    #[test]
    fn the_short_way_knows_every_word(word in "[0-9a-fxonyisNT.:_+~-]{1,6}") {
        same(&format!("a: {word}\nb: [{word}]\n"));
    }
}

fn error(text: &str) -> (usize, String) {
    let error = Node::parse(text).expect_err("must not parse");
    (error.span.start, error.message)
}

#[test]
fn every_key_and_value_has_its_place() {
    let text = "é: {a: b, \"q\": 'x y'}\n";
    let node = Node::parse(text).expect("parses");
    let Value::Map(entries) = node.value else { panic!("a map") };
    assert_eq!(&text[entries[0].0.span.range()], "é");
    let Value::Map(inner) = &entries[0].1.value else { panic!("a map") };
    assert_eq!(&text[inner[0].1.span.range()], "b");
    assert_eq!(&text[inner[1].1.span.range()], "'x y'");
}

#[test]
fn plain_words_stay_as_they_are_spelled() {
    let node = Node::parse("[off, 0x10, 1.50]").expect("parses");
    let Value::List(items) = node.value else { panic!("a list") };
    assert!(matches!(&items[0].value, Value::Word(word) if word == "off"));
    assert!(matches!(&items[1].value, Value::Integer(_, word) if word == "0x10"));
    assert!(matches!(&items[2].value, Value::Word(word) if word == "1.50"));
}

#[test]
fn duplicates_are_kept_for_the_reader_to_report() {
    let node = Node::parse("a: 1\na: 2\n").expect("parses");
    assert!(matches!(node.value, Value::Map(entries) if entries.len() == 2));
}

#[test]
fn syntax_errors_have_a_place() {
    assert_eq!(error("a: *nope\n").0, 3);
    assert_eq!(error("a:\n\tb: 1\n").0, 4);
    assert!(error("a: 1\n---\nb: 2\n").1.contains("one YAML document"));
    let braces = Node::parse("a: [/jobs/{n}/]\n").unwrap_err();
    assert!(braces.help.unwrap().contains("in quotes"));
    assert!(Node::parse("a: [x\n").unwrap_err().help.is_none());
    assert!(error("a: &x {b: 1}\nc: {<<: *x}\n").1.contains("merge"));
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = String::from("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..9 {
        let last = n - 1;
        let refs = vec![format!("*l{last}"); 10].join(", ");
        text.push_str(&format!("l{n}: &l{n} [{refs}]\n"));
    }
    assert!(Node::parse(&text).is_err());
}
