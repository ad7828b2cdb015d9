//! The report as a page: one file that needs nothing else, drawn by the program in it. That program, with the library that
//! draws its charts, is built from `crates/lane-core/page` by `scripts/build-page`; building git-lane needs no node.

use super::Metrics;
use super::format::Format;

/// The page before there is data in it.
const TEMPLATE: &str = include_str!("../../page/built/report.html");
/// Where the page has its report: a block of data, which browsers do not run.
const REPORT: &str = r#"<script type="application/json" id="report">null</script>"#;
/// Where it has what it is told beside the report.
const CONFIG: &str = r#"<script type="application/json" id="config">{"live":null}</script>"#;
/// Where its content security policy has with whom it may speak: with nobody, unless it is served.
const CONNECT: &str = "connect-src 'none'";

/// Its row.
pub static FORMAT: Format =
    Format { word: "html", about: "A page with charts and tables, in one file without a network", render };

/// The report as a page.
pub fn render(metrics: &Metrics) -> String {
    file(&serde_json::to_string(metrics).unwrap_or_else(|_| "null".to_owned()))
}

/// A page for a file, of a report as JSON.
pub fn file(report: &str) -> String {
    TEMPLATE.replacen(REPORT, &data("report", report), 1)
}

/// A page that is served, of a report as JSON: every so many seconds it asks where it came from what everybody is at.
pub fn served(report: &str, interval: u16) -> String {
    let config = format!(r#"{{"live":{{"interval":{interval}}}}}"#);
    let page = TEMPLATE.replacen(CONNECT, "connect-src 'self'", 1);
    page.replacen(CONFIG, &data("config", &config), 1).replacen(REPORT, &data("report", report), 1)
}

/// The content security policy that a page names.
pub fn security_policy(page: &str) -> &str {
    let start = r#"<meta http-equiv="Content-Security-Policy" content=""#;
    let named = page.split_once(start).and_then(|(_, rest)| rest.split_once('"'));
    named.map_or("default-src 'none'", |(policy, _)| policy)
}

/// A block of data. Whatever its strings hold, none of it ends the block or begins a comment: the characters by which HTML
/// is known, and the two ends of a line that not every program takes for a character, are escaped as JSON allows.
fn data(id: &str, json: &str) -> String {
    let mut out = format!(r#"<script type="application/json" id="{id}">"#);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push_str("</script>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Period;

    const NASTY: &str = "</script><!-- <script>\u{2028}\u{2029} & 'x' \"\\\u{7f}";

    fn metrics() -> Metrics {
        Metrics::empty(NASTY.to_owned(), "main".into(), Period { from: 0, to: 86_400 }, None)
    }

    /// What stands in a block of data of a page.
    fn block<'a>(page: &'a str, id: &str) -> &'a str {
        let start = format!(r#"<script type="application/json" id="{id}">"#);
        assert_eq!(page.matches(&start).count(), 1, "{id}");
        let from = page.find(&start).unwrap() + start.len();
        &page[from..from + page[from..].find("</script").unwrap()]
    }

    #[test]
    fn the_template_has_its_places_once_each() {
        for place in [REPORT, CONFIG, CONNECT] {
            assert_eq!(TEMPLATE.matches(place).count(), 1, "{place}");
        }
    }

    #[test]
    fn nothing_that_a_report_holds_ends_its_block() {
        let page = render(&metrics());
        let json = block(&page, "report");
        let special = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        assert!(!json.contains(special), "{json}");
        let read: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(read["repository"], NASTY);
        assert_eq!(page.matches("</script").count(), TEMPLATE.matches("</script").count());
    }

    #[test]
    fn a_page_speaks_to_nobody_and_a_served_one_to_its_server() {
        let file = render(&metrics());
        assert!(file.contains("default-src 'none'") && file.contains("connect-src 'none'"));
        assert!(!file.contains("unsafe-inline") && !file.contains("src=\"http"));
        let served = served("null", 2);
        assert!(served.contains("connect-src 'self'") && !served.contains("connect-src 'none'"));
        let policy = security_policy(&served);
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert_eq!(block(&served, "config"), r#"{"live":{"interval":2}}"#);
        assert_eq!(block(&file, "config"), r#"{"live":null}"#);
    }
}
