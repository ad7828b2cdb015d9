//! The policy: a mistake has a place in the text and is drawn, both ways through the YAML give the same, and what was read says the
//! same once it is written as `git lane policy show` writes it.
//!
//! Input: the text.

use lane_core::policy::difference::Difference;
use lane_core::policy::{Diagnostic, FILE, Plan, PolicyError, Source, Tree, compile_again, load};
use lane_core::snippet::snippet;

/// What makes the reader go the long way, by way of serde.
const MARK: &str = "\u{feff}";

/// Runs the target.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let text = text.strip_prefix(MARK).unwrap_or(&text);
    let read = load(Source::new(FILE, text), false);
    match &read {
        Err(error) => mistakes(error),
        Ok(plan) => {
            kept(plan, text);
            again(plan);
        }
    }
    let long = load(Source::new(FILE, format!("{MARK}{text}")), false);
    assert_eq!(said(&read, 0), said(&long, MARK.len()), "the two ways through the YAML");
    if let Err(error) = load(Source::new(FILE, text), true) {
        mistakes(&error);
    }
}

/// Each has a place in the text.
fn mistakes(error: &PolicyError) {
    let source = &error.text;
    assert!(!error.diagnostics.is_empty(), "refused without a reason");
    for mistake in &error.diagnostics {
        let spans = [Some(mistake.span), mistake.related.as_ref().map(|(span, _)| *span)];
        for span in spans.into_iter().flatten() {
            assert!(source.text.get(span.range()).is_some(), "{span:?} is no place: {mistake:?}");
            let place = source.place(span.start);
            assert!(place.line <= source.text.matches('\n').count() + 1);
        }
        assert!(!mistake.message.is_empty() && !mistake.message.contains(['\n', '\r']), "{mistake:?}");
        let marks = [(mistake.span, Some(mistake.label.as_str()))];
        assert!(!snippet(source, &marks, false).is_empty(), "nothing is drawn: {mistake:?}");
    }
}

/// What is said of a text, with its places as if it began so many bytes further up.
fn said(read: &Result<Plan, PolicyError>, shift: usize) -> Result<String, Vec<(usize, usize, String)>> {
    match read {
        Ok(plan) => {
            let spans: Vec<_> = plan
                .entries()
                .iter()
                .map(|entry| (entry.span.start.saturating_sub(shift), entry.span.len))
                .collect();
            Ok(format!("{} {spans:?}", serde_json::to_string(&plan.policy).expect("it was read")))
        }
        Err(error) => {
            // Of what is no YAML the place is that of the parser, which counts the mark in its own way.
            let place = |it: &Diagnostic| match it.message.starts_with("not valid YAML") {
                true => (0, 0),
                false => (it.span.start.saturating_sub(shift), it.span.len),
            };
            Err(error.diagnostics.iter().map(|it| (place(it).0, place(it).1, it.message.clone())).collect())
        }
    }
}

/// The tree is kept for the next hook, which reads the same out of it.
fn kept(plan: &Plan, text: &str) {
    let tree = Tree::parse(&plan.source).expect("it was parsed");
    let back = Tree::from_bytes(&tree.to_bytes(), text);
    assert_eq!(back.as_ref(), Some(&tree), "the tree that is kept");
    let same = compile_again(&tree, plan.source.clone(), false).expect("it was let through");
    assert_eq!(same.entries().len(), plan.entries().len());
}

/// What is shown of it is a policy that says the same.
fn again(plan: &Plan) {
    let shown = serde_yaml::to_string(&plan.policy).expect("it is shown");
    let same = match load(Source::new(FILE, shown.as_str()), false) {
        Ok(same) => same,
        Err(error) => panic!("what is shown is no policy: {:?}\n{shown}", error.diagnostics),
    };
    let files: Vec<(Vec<u8>, bool)> = plan
        .entries()
        .iter()
        .filter_map(|entry| entry.pattern.example(false))
        .chain([b"README.md".to_vec(), b"a/b".to_vec()])
        .take(16)
        .map(|path| (path, false))
        .collect();
    let difference = Difference::between(plan, &same, &files);
    assert!(difference.is_empty(), "{difference:?}\n{shown}");
}
