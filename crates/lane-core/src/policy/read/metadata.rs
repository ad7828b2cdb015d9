//! `message`.

use super::super::model::{Message, Presence};
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
    }
}

fn presence(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Spanned<Presence> {
    let node = fields.get(key);
    let choice =
        node.and_then(|node| reader.choice(node, format_args!("choice for `message.{key}`"), PRESENCE));
    choice.unwrap_or(Spanned::default_of(Presence::Optional))
}
