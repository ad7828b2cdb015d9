//! The areas of a policy.

use super::super::model::{Access, Area};
use super::super::node::Node;
use super::super::reader::{Fields, Reader};
use super::super::source::Spanned;
use super::{keys, required, text, texts};

pub(super) fn areas(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Area> {
    let Some(node) = fields.get("areas") else {
        return Vec::new();
    };
    let items = reader.items(node, "`areas`");
    items.iter().enumerate().filter_map(|(at, node)| area(reader, node, at + 1)).collect()
}

/// The area at a place in their list, which names it where it has no name.
fn area(reader: &mut Reader, node: &Node, place: usize) -> Option<Area> {
    const ACCESS: &[(&str, Access)] = &[
        ("owner", Access::Owner),
        ("lock", Access::Lock),
        ("coordinate", Access::Coordinate),
        ("append", Access::Append),
        ("shared", Access::Shared),
        ("open", Access::Open),
        ("maintainer", Access::Maintainer),
        ("never", Access::Never),
    ];
    let fields = reader.fields(node, node.span, "an area", keys::AREA)?;
    let name = required(reader, &fields, "name", "an area");
    if fields.get("paths").is_none() {
        reader.missing(fields.span, "paths", "an area");
    }
    let paths = texts(reader, &fields, "paths", "paths", true);
    if fields.get("access").is_none() {
        reader.missing(fields.span, "access", "an area");
    }
    let access = fields.get("access").and_then(|node| reader.choice(node, "kind of access", ACCESS));
    let owner = texts(reader, &fields, "owner", "owner", true);
    // An area that is wrong in one place goes on, so that its other mistakes are found too.
    let fallback = if owner.is_empty() { Access::Open } else { Access::Owner };
    Some(Area {
        name: name.unwrap_or(Spanned::at(format!("area-{place}"), node.span)),
        paths,
        access: access.unwrap_or(Spanned::default_of(fallback)),
        owner,
        steward: text(reader, &fields, "steward", "steward"),
        approve: texts(reader, &fields, "approve", "approve", true),
        max_lines: number(reader, &fields, "max_lines"),
        max_files: number(reader, &fields, "max_files"),
        span: node.span,
    })
}

fn number(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Option<Spanned<u64>> {
    reader.number(fields.get(key)?, format_args!("`{key}`"))
}
