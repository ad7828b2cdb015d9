//! The message of the one commit that a branch lands as.

use crate::facts::Message;

/// The message for commits, oldest first. One has its own; of several the first leads, the others are listed, and the trailers of
/// all are kept, each once. `authors`: of the commits, as `Name <address>`; those who are not the first one's are named.
pub fn message(messages: &[&str], authors: &[String]) -> String {
    let [first, rest @ ..] = messages else { return String::new() };
    if rest.is_empty() {
        return (*first).to_owned();
    }
    let (lead, own) = split(first);
    let mut trailers: Vec<String> = own;
    let mut text = lead.trim_end().to_owned();
    text.push_str("\n\n");
    for message in rest {
        let subject = Message { text: (*message).to_owned() }.subject();
        text.push_str(&format!("* {subject}\n"));
        trailers.extend(split(message).1);
    }
    let others = authors.iter().filter(|author| authors.first() != Some(author));
    trailers.extend(others.map(|author| format!("Co-authored-by: {author}")));
    let mut kept: Vec<String> = Vec::new();
    for trailer in trailers {
        if !kept.contains(&trailer) {
            kept.push(trailer);
        }
    }
    if !kept.is_empty() {
        text.push_str(&format!("\n{}\n", kept.join("\n")));
    }
    text
}

/// A message without its trailers, and they.
fn split(message: &str) -> (&str, Vec<String>) {
    let message = message.trim_end();
    let parsed = Message { text: message.to_owned() };
    let trailers: Vec<String> =
        parsed.trailers().into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
    match message.rfind("\n\n") {
        Some(at) if !trailers.is_empty() => (&message[..at], trailers),
        _ => (message, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn one_commit_keeps_its_message() {
        assert_eq!(message(&["[A1] one\n\nwhy\n"], &["A <a@x>".into()]), "[A1] one\n\nwhy\n");
        assert_eq!(message(&[], &[]), "");
    }

    #[test]
    fn several_are_listed_and_keep_their_trailers() {
        let all = [
            "[A1] one\n\nwhy\n\nLane-Lock: common@7\n",
            "[A1] two\n\nLane-Lock: common@7\nA-B: c\n",
            "[A1] three: a\n",
        ];
        let authors = ["A <a@x>".to_owned(), "B <b@x>".to_owned(), "A <a@x>".to_owned()];
        assert_eq!(
            message(&all, &authors),
            "[A1] one\n\nwhy\n\n* [A1] two\n* [A1] three: a\n\nLane-Lock: common@7\nA-B: c\nCo-authored-by: B <b@x>\n"
        );
    }

    #[test]
    fn a_last_paragraph_that_is_text_is_no_trailer() {
        assert_eq!(
            message(&["one\n\nSee: this\nand that\n", "two"], &[]),
            "one\n\nSee: this\nand that\n\n* two\n"
        );
    }
}
