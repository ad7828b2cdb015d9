//! `message`, `author` and `committer`.

use super::super::model::{Message, PersonRules, Presence};
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
