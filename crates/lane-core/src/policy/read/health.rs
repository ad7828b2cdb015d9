//! `health`.

use std::collections::BTreeMap;

use super::super::model::{Health, ServiceChecks};
use super::super::reader::{Fields, Reader};
use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::{keys, section, text, texts};

/// How long a check may take, unless the policy says otherwise.
const TIMEOUT: (&str, u64) = ("10s", 10);

pub(super) fn health(reader: &mut Reader, fields: &Fields<'_>) -> Option<Health> {
    let section = section(reader, fields, "health", keys::HEALTH)?;
    let check = text(reader, &section, "check", "health.check");
    let logs = text(reader, &section, "logs", "health.logs");
    let follow = text(reader, &section, "follow", "health.follow");
    let (words, seconds) = TIMEOUT;
    let timeout = section.get("timeout").and_then(|node| reader.parsed::<Duration>(node, "duration"));
    let mut services = BTreeMap::new();
    if let Some(node) = section.get("services") {
        for (key, node) in reader.entries(node, "`health.services`").unwrap_or_default() {
            let what = format!("health.services.{}", key.name);
            let Some(own) = reader.fields(node, key.span, format_args!("`{what}`"), keys::SERVICE_CHECKS)
            else {
                continue;
            };
            let checks = ServiceChecks {
                name: Spanned::at(key.name.clone(), key.span),
                check: text(reader, &own, "check", format_args!("{what}.check")),
                expect: texts(reader, &own, "expect", format_args!("{what}.expect"), true),
                reject: texts(reader, &own, "reject", format_args!("{what}.reject"), true),
                logs: text(reader, &own, "logs", format_args!("{what}.logs")),
                follow: text(reader, &own, "follow", format_args!("{what}.follow")),
                timeout: own.get("timeout").and_then(|node| reader.parsed::<Duration>(node, "duration")),
            };
            services.insert(key.name.clone(), checks);
        }
    }
    let has_any = ["check", "logs", "follow", "services"].into_iter().any(|key| section.get(key).is_some());
    if !has_any {
        reader.missing(section.span, "check", "`health`");
    }
    Some(Health {
        check,
        expect: texts(reader, &section, "expect", "health.expect", true),
        reject: texts(reader, &section, "reject", "health.reject", true),
        logs,
        follow,
        timeout: timeout.unwrap_or(Spanned::default_of(Duration { text: words.to_owned(), seconds })),
        services,
    })
}
