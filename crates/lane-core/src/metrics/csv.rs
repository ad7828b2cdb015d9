//! The report as one table, a number on each row: `section,metric,agent,key,value,unit,at`.
//!
//! Quoted as RFC 4180 has it. No cell can be a formula of a spreadsheet: whatever begins like one has an apostrophe before it.

use super::facts::{Fact, facts};
use super::format::Format;
use super::words::timestamp;

/// Its row.
pub static FORMAT: Format = Format { word: "csv", about: "One table for spreadsheets", render };

/// The columns.
pub const COLUMNS: [&str; 7] = ["section", "metric", "agent", "key", "value", "unit", "at"];

/// What stands in the column of agents for what belongs to none of them.
const NOBODY: &str = "(none)";

fn render(metrics: &super::Metrics) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Nothing that is written to memory fails.
    let _ = writer.write_record(COLUMNS);
    for fact in facts(metrics) {
        let Fact { section, metric, agent, key, value, unit, at } = fact;
        let (value, at) = (value.to_string(), at.map(timestamp).unwrap_or_default());
        // What belongs to no agent is not the sum of all.
        let agent = agent.map(|agent| if agent.is_empty() { NOBODY.to_owned() } else { agent });
        let agent = agent.unwrap_or_default();
        let cells = [section, metric, &plain_cell(&agent), &plain_cell(&key), &value, unit, &at];
        let _ = writer.write_record(cells);
    }
    writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A text that a spreadsheet takes for a text.
fn plain_cell(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::metrics;
    use super::*;

    #[test]
    fn as_a_table() {
        insta::assert_snapshot!(render(&metrics()).replace("\r\n", "\n"));
    }

    #[test]
    fn every_row_is_whole_and_no_cell_a_formula() {
        let mut metrics = metrics();
        metrics.branches[0].branch = "=HYPERLINK(\"http://x\",\"y\")".into();
        metrics.contested[0].path = "@a,b\nc".into();
        let text = render(&metrics);
        assert!(
            text.contains("\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"") && text.contains("\"'@a,b\nc\""),
            "{text}"
        );
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
        assert!(rows.len() > 20 && rows.iter().all(|row| row.len() == COLUMNS.len()));
        assert!(rows.iter().all(|row| row[4].parse::<f64>().is_ok()));
    }
}
