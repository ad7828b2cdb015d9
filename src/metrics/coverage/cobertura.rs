//! Cobertura's XML, which coverage.py, Istanbul, coverlet, gcovr and others write:
//! <https://github.com/cobertura/web/blob/master/htdocs/xml/coverage-04.dtd>

use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};

use super::CoveredLines;

/// More elements than any report has, so that memory is bounded.
const ELEMENTS: u32 = 20_000_000;

/// Which lines a report has, and which of them were reached.
///
/// # Errors
/// It is not XML, or not of this form; with the place.
pub(super) fn read(bytes: &[u8]) -> Result<CoveredLines, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    // Such a report names its DTD; what that would bring in is never read.
    let options = ParsingOptions { allow_dtd: true, nodes_limit: ELEMENTS, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if !root.has_tag_name("coverage") {
        return Err(format!("its root is <{}>, not <coverage>", root.tag_name().name()));
    }
    let mut lines = CoveredLines::default();
    for class in root.descendants().filter(|node| node.has_tag_name("class")) {
        let file = class.attribute("filename").ok_or_else(|| place(&document, class, "has no filename"))?;
        // Those of methods stand below the class once more, and count once.
        for line in class.descendants().filter(|node| node.has_tag_name("line")) {
            let number = |name: &str| line.attribute(name)?.parse::<u64>().ok();
            let (at, hits) = number("number")
                .zip(number("hits"))
                .ok_or_else(|| place(&document, line, "has no number and hits"))?;
            lines.add(Path::new(&file.replace('\\', "/")), u32::try_from(at).unwrap_or(u32::MAX), hits > 0);
        }
    }
    Ok(lines)
}

fn place(document: &Document, node: Node, what: &str) -> String {
    let at = document.text_pos_at(node.range().start);
    format!("<{}> at {at} {what}", node.tag_name().name())
}
