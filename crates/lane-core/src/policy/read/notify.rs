//! `notify`.

use super::super::model::Notify;
use super::super::reader::{Fields, Reader};
use super::{keys, section, text};

pub(super) fn notify(reader: &mut Reader, fields: &Fields<'_>) -> Notify {
    let Some(section) = section(reader, fields, "notify", keys::NOTIFY) else {
        return Notify::default();
    };
    let choices = [("true", true), ("false", false)];
    let desktop =
        section.get("desktop").and_then(|node| reader.choice(node, "choice for `notify.desktop`", &choices));
    Notify {
        webhook: text(reader, &section, "webhook", "notify.webhook"),
        exec: text(reader, &section, "exec", "notify.exec"),
        desktop,
    }
}
