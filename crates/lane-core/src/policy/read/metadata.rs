//! `message`, `author`, `committer` and `tags`.

use super::super::diagnostic::Diagnostic;
use super::super::model::{Message, PersonRules, Presence, TagChanges, TagForms, TagRule};
use super::super::node::Node;
use super::super::reader::{Fields, Reader};
use super::super::source::Spanned;
use super::{keys, section, text, texts};

const PRESENCE: &[(&str, Presence)] = &[("optional", Presence::Optional), ("required", Presence::Required)];

pub(super) fn message(reader: &mut Reader, fields: &Fields<'_>) -> Message {
    let Some(fields) = section(reader, fields, "message", keys::MESSAGE) else {
        return Message::default();
    };
    let subject_max = fields.get("subject_max");
    Message {
        tag: texts(reader, &fields, "tag", "message.tag", true),
        types: texts(reader, &fields, "types", "message.types", false),
        pattern: text(reader, &fields, "pattern", "message.pattern"),
        example: text(reader, &fields, "example", "message.example"),
        forbid: texts(reader, &fields, "forbid", "message.forbid", true),
        subject_max: subject_max.and_then(|node| reader.number(node, "`message.subject_max`")),
        body: presence(reader, &fields, "body"),
        sign_off: presence(reader, &fields, "sign_off"),
    }
}

fn presence(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Spanned<Presence> {
    let node = fields.get(key);
    let choice =
        node.and_then(|node| reader.choice(node, format_args!("choice for `message.{key}`"), PRESENCE));
    choice.unwrap_or(Spanned::default_of(Presence::Optional))
}

pub(super) fn person(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> PersonRules {
    let Some(fields) = section(reader, fields, key, keys::PERSON) else {
        return PersonRules::default();
    };
    PersonRules {
        email: text(reader, &fields, "email", format_args!("{key}.email")),
        name: text(reader, &fields, "name", format_args!("{key}.name")),
    }
}

pub(super) fn tags(reader: &mut Reader, fields: &Fields<'_>) -> Vec<TagRule> {
    let Some(node) = fields.get("tags") else {
        return Vec::new();
    };
    let items = reader.items(node, "`tags`");
    items.iter().filter_map(|node| tag(reader, node)).collect()
}

fn tag(reader: &mut Reader, node: &Node) -> Option<TagRule> {
    const FORMS: &[(&str, TagForms)] =
        &[("any", TagForms::Any), ("annotated", TagForms::Annotated), ("signed", TagForms::Signed)];
    const CHANGES: &[(&str, TagChanges)] = &[("allow", TagChanges::Allow), ("deny", TagChanges::Deny)];
    let what = "an entry of `tags`";
    let fields = reader.fields(node, node.span, what, keys::TAG)?;
    match (fields.get("pattern").is_some(), fields.get("regex").is_some()) {
        (true, true) => reader.report(
            Diagnostic::error(fields.span, format!("{what} has both `pattern` and `regex`"), "this entry")
                .help("make two entries of it"),
        ),
        (false, false) => reader.missing(fields.span, "pattern", what),
        _ => {}
    }
    let form = fields.get("form").and_then(|node| reader.choice(node, "form of a tag", FORMS));
    let change = fields.get("change").and_then(|node| reader.choice(node, "choice for `change`", CHANGES));
    Some(TagRule {
        pattern: text(reader, &fields, "pattern", "pattern"),
        regex: text(reader, &fields, "regex", "regex"),
        by: texts(reader, &fields, "by", "by", true),
        form: form.unwrap_or(Spanned::default_of(TagForms::Any)),
        change: change.unwrap_or(Spanned::default_of(TagChanges::Allow)),
    })
}
