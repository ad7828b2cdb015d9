//! The report as a page of GitHub's Markdown: the summary of a step, the comment on a pull request.
//!
//! Paths, subjects and names are what others chose. So every character of theirs that could mean something is
//! written as an entity, which Markdown never takes for structure, and stands between `<code>` tags or in a fence
//! wherever GitHub would otherwise make mentions and links of it.

use std::fmt::Write;

use super::text::{self, blocks};
use super::{Finding, Identity, Report, UndecidedRule, Verdict, finding};
use crate::facts::RepoPath;
use crate::policy::model::Level;
use crate::text::visible;

/// How many bytes the summary of a step may have.
pub const STEP: usize = 1 << 20;
/// How many characters a comment may have; bytes are never fewer.
pub const COMMENT: usize = 65_536;

/// What is kept free for saying what was left out.
const TAIL: usize = 512;
/// How many rows stand open before the rest is folded away.
const OPEN: usize = 10;
/// How many paths a suggested command takes, and how many bytes of them; no command is ever cut short.
const IN_COMMAND: (usize, usize) = (20, 1_500);
/// How many bytes of one quoted text are shown.
const QUOTED: usize = 2_000;

/// The page, in at most `limit` bytes; what does not fit is left out from the end and counted. Empty where not
/// even the verdict fits.
pub fn markdown(report: &Report, limit: usize) -> String {
    let mut page = Page { text: String::new(), limit: limit.saturating_sub(TAIL) };
    if !page.add(&head(report)) {
        return String::new();
    }
    let mut left_out = 0;
    for undecided in &report.undecided {
        left_out += usize::from(left_out > 0 || !page.add(&undecided_block(undecided)));
    }
    for block in blocks(&report.findings) {
        left_out += if left_out > 0 { block.len() } else { page.add_block(report, &block) };
    }
    if left_out > 0 {
        let things = if left_out == 1 { "thing" } else { "things" };
        let _ = writeln!(
            page.text,
            "\n**{left_out} more {things} did not fit here**; `git lane check -v` lists them all."
        );
    }
    page.text
}

struct Page {
    text: String,
    limit: usize,
}

impl Page {
    fn fits(&self, more: usize) -> bool {
        self.text.len() + more <= self.limit
    }

    fn add(&mut self, text: &str) -> bool {
        let fits = self.fits(text.len());
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    /// Adds findings of one kind; says how many found no room.
    fn add_block(&mut self, report: &Report, block: &[&Finding]) -> usize {
        let (head, foot) = (block_head(block), block_foot(report, block));
        let mut room = self.limit.saturating_sub(self.text.len() + head.len() + foot.len());
        let rows: Vec<String> = block.iter().filter_map(|finding| row(finding)).collect();
        let header = "| what | commits | owner |\n| --- | --- | --- |\n";
        let fold = "\n<details><summary>and more</summary>\n\n";
        room = room.saturating_sub(2 * header.len() + fold.len() + 64);
        let mut shown = 0;
        for row in &rows {
            if row.len() > room {
                break;
            }
            room -= row.len();
            shown += 1;
        }
        if !self.fits(head.len() + foot.len()) || (shown == 0 && !rows.is_empty()) {
            return block.len();
        }
        self.text.push_str(&head);
        let open = shown.min(OPEN);
        if shown > 0 {
            let _ = write!(self.text, "\n{header}{}", rows[..open].concat());
        }
        if shown > open {
            let _ = write!(
                self.text,
                "\n<details><summary>and {} more</summary>\n\n{header}{}\n</details>\n",
                shown - open,
                rows[open..shown].concat()
            );
        }
        self.text.push_str(&foot);
        rows.len() - shown
    }
}

fn head(report: &Report) -> String {
    let (sign, word) = match (report.verdict, report.spared()) {
        (_, Some(Verdict::Fail)) => ("👀", "observed: fail; nothing is refused"),
        (_, Some(_)) => ("👀", "observed: could not decide; nothing is refused"),
        (Verdict::Pass, _) => ("✅", "pass"),
        (Verdict::Fail, _) => ("❌", "fail"),
        (Verdict::Undecided, _) => ("⛔", "could not decide"),
    };
    let mut out = format!("## {sign} git-lane: {word}\n\n");
    let found = match report.undecided.len() {
        0 => text::counts(report),
        _ if report.spared().is_some() => format!("something could not be read; {}", text::counts(report)),
        _ if report.findings.is_empty() => "something could not be read, which is never a pass".to_owned(),
        _ => {
            format!("something could not be read, which is never a pass; also: {}", text::counts(report))
        }
    };
    let _ = writeln!(out, "{}.\n", prose(&found));
    out.push_str("| | |\n| --- | --- |\n");
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "| {name} | {value} |");
    };
    let sure = match report.identity {
        Identity::None => "",
        Identity::Claimed => " (claimed)",
        Identity::Proven => " (proven)",
    };
    line("who", format!("{}{sure}", code(text::actor(report))));
    if let Some(branch) = &report.branch {
        line("branch", code(branch));
    }
    if let (Some(base), Some(head)) = (report.base, report.head) {
        line("change", format!("{} … {}", code(&base.short()), code(&head.short())));
    }
    let stats = &report.stats;
    if let Some(commits) = stats.commits {
        line("commits", commits.to_string());
    }
    if let Some(files) = stats.files {
        line("files", files.to_string());
    }
    if let Some(counted) = stats.counted {
        line("size", size(counted, stats.limit.filter(|_| report.changes.len() == 1)));
    }
    if let (Some(added), Some(deleted)) = (stats.added, stats.deleted) {
        line("lines", format!("+{added} −{deleted}"));
    }
    if !report.policy.source.is_empty() {
        line("policy", code(&report.policy.source));
    }
    out
}

/// `260 of 300 lines that count`, with a bar.
fn size(counted: u64, limit: Option<u64>) -> String {
    const WIDTH: u64 = 10;
    let Some(limit) = limit.filter(|limit| *limit > 0) else {
        return format!("{counted} lines that count");
    };
    let full = (counted.saturating_mul(WIDTH).div_ceil(limit)).min(WIDTH);
    let part = |sign: &str, count: u64| sign.repeat(usize::try_from(count).unwrap_or(0));
    let bar = format!("{}{}", part("█", full), part("░", WIDTH - full));
    format!("{counted} of {limit} lines {bar}{}", if counted > limit { " **over**" } else { "" })
}

fn block_head(block: &[&Finding]) -> String {
    let first = block[0];
    let (sign, word) = match (&first.waived, first.level) {
        (Some(_), _) => ("⚪", "waived"),
        (None, Level::Error) => ("🔴", first.level.word()),
        (None, _) if first.observed => ("👀", "would be refused"),
        (None, _) => ("🟡", first.level.word()),
    };
    let has_paths = first.path.is_some();
    let count = match if first.words.is_some() { finding::files(block) } else { block.len() } {
        _ if !has_paths && first.subject.is_none() => String::new(),
        1 => if has_paths { "1 file " } else { "1 commit " }.to_owned(),
        many => format!("{many} {} ", if has_paths { "files" } else { "commits" }),
    };
    let headline = prose(&first.heading(&count));
    format!("\n### {sign} {word}: {}\n\n{headline}\n", code(&first.rule))
}

/// One line of the table; a finding about the whole change has none.
fn row(finding: &Finding) -> Option<String> {
    let what = match (&finding.path, &finding.subject) {
        (Some(path), _) => code(&path.to_string()),
        (None, Some(subject)) => code(subject),
        (None, None) => return None,
    };
    let few = 3;
    let mut commits: Vec<String> = finding.commits.iter().take(few).map(|oid| code(&oid.short())).collect();
    if finding.commits.len() > few {
        commits.push(format!("and {} more", finding.commits.len() - few));
    }
    let owner = finding.owner.as_deref().map(code).unwrap_or_default();
    Some(format!("| {what} | {} | {owner} |\n", commits.join(", ")))
}

fn block_foot(report: &Report, block: &[&Finding]) -> String {
    let first = block[0];
    let mut out = String::new();
    if let Some(line) = &first.policy {
        let place = format!("{}:{}", line.file_or(&report.policy.source), line.line);
        let _ = write!(
            out,
            "\nDecided by the policy, in {}:\n\n{}",
            code(&place),
            fence("yaml", &shortened(&line.text))
        );
    }
    if let Some(waived) = &first.waived {
        let _ = writeln!(out, "\n{}.", prose(&shortened(&waived.words())));
        return out;
    }
    if let Some(reason) = &first.waiver_request {
        let _ = writeln!(out, "\nA commit asks a maintainer to waive this: {}", prose(&shortened(reason)));
    }
    let mut room = IN_COMMAND.1;
    let mut fits = |path: &RepoPath, at: usize| {
        room = room.saturating_sub(path.0.len() + 1);
        at == 0 || room > 0
    };
    let all = block.iter().filter_map(|finding| finding.path.clone()).take(IN_COMMAND.0).enumerate();
    let paths: Vec<RepoPath> = all.take_while(|(at, path)| fits(path, *at)).map(|(_, path)| path).collect();
    let _ = write!(out, "\n**Next:**\n\n{}", fence("text", &first.help(&paths)));
    if block.len() > paths.len() && first.help_template.contains("{paths}") {
        let _ = writeln!(out, "\nThe same applies to the other {}.", block.len() - paths.len());
    }
    out
}

fn undecided_block(undecided: &UndecidedRule) -> String {
    let rule = undecided.rule.as_ref().map(|rule| format!(": {}", code(rule))).unwrap_or_default();
    let mut out =
        format!("\n### ⛔ could not decide{rule}\n\n{}", fence("text", &shortened(&undecided.reason)));
    if let Some(help) = &undecided.help {
        let _ = write!(out, "\n**Next:**\n\n{}", fence("text", help));
    }
    out
}

/// Text that others chose, as code.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", entities(text, ""))
}

/// Text with such names in it, as prose: what would call somebody or link to an issue is parted by a space that
/// nobody sees.
fn prose(text: &str) -> String {
    entities(text, "&#8203;")
}

fn entities(text: &str, after_call: &str) -> String {
    let mut out = String::new();
    for c in visible(&shortened(text)).chars() {
        let is_plain = c.is_ascii_alphanumeric() || " /-".contains(c) || !c.is_ascii();
        match c {
            '@' | '#' => {
                let _ = write!(out, "&#{};{after_call}", c as u32);
            }
            // `GH-1` is a link to an issue too.
            '-' if out.len() >= 2 && out.as_bytes()[out.len() - 2..].eq_ignore_ascii_case(b"gh") => {
                let _ = write!(out, "-{after_call}");
            }
            c if is_plain => out.push(c),
            c => {
                let _ = write!(out, "&#{};", c as u32);
            }
        }
    }
    out
}

/// Text in a fence that is longer than any in the text.
fn fence(language: &str, text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

fn shortened(text: &str) -> String {
    if text.len() <= QUOTED {
        return text.to_owned();
    }
    let end = (0..=QUOTED).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{} […]", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::testing;

    #[test]
    fn a_report() {
        insta::assert_snapshot!(markdown(&testing::fail(), STEP));
    }

    #[test]
    fn an_undecided_report() {
        insta::assert_snapshot!(markdown(&testing::undecided(), STEP));
    }

    #[test]
    fn a_pass_is_short() {
        let text = markdown(&testing::pass(), STEP);
        assert!(text.starts_with("## ✅ git-lane: pass\n\nno findings.\n"), "{text}");
        assert!(!text.contains("###"), "{text}");
    }

    #[test]
    fn nobody_is_called_and_nothing_is_linked() {
        let text = markdown(&testing::fail(), STEP);
        let outside: String = text.split("```").step_by(2).collect();
        for trick in ["@", "](", "<img", "<b>", "https:", "`", "everyone #"] {
            assert!(!outside.contains(trick), "{trick} in {text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut report = testing::fail();
        report.findings =
            (0..5_000).map(|n| testing::in_lane(format!("services/{n}.py").as_bytes())).collect();
        report.findings.push(testing::warning());
        for limit in [COMMENT, 20_000, 3_000] {
            let text = markdown(&report, limit);
            assert!(text.len() <= limit, "{} > {limit}", text.len());
            let rows = text.lines().filter(|line| line.starts_with("| <code>services")).count();
            let left: usize =
                text.split("**").find_map(|part| part.split_once(" more things")?.0.parse().ok()).unwrap();
            assert_eq!(rows + left, 5_001, "{limit}");
        }
        assert_eq!(markdown(&report, 100), "");
        let whole = markdown(&report, STEP);
        assert!(whole.contains("did not fit") == (whole.len() > STEP - 2_000), "{}", whole.len());
    }

    #[test]
    fn a_fence_is_longer_than_what_is_in_it() {
        assert_eq!(fence("sh", "a ```` b"), "`````sh\na ```` b\n`````\n");
    }

    #[test]
    fn no_command_is_cut_short() {
        let mut report = testing::fail();
        let long = |n: usize| testing::in_lane(format!("{n}{}", "/folder".repeat(100)).as_bytes());
        report.findings = (0..10).map(long).collect();
        let text = markdown(&report, STEP);
        assert!(
            text.contains("\nthen ask a4 for the change\n```\n\nThe same applies to the other 8.\n"),
            "{text}"
        );
    }

    #[test]
    fn a_bar() {
        assert_eq!(size(0, Some(300)), "0 of 300 lines ░░░░░░░░░░");
        assert_eq!(size(301, Some(300)), "301 of 300 lines ██████████ **over**");
        assert_eq!(size(5, None), "5 lines that count");
    }

    proptest! {
        #[test]
        fn entities_are_read_as_what_they_were(text in "[ -~é…]{0,60}") {
            let escaped = entities(&text, "");
            prop_assert!(!escaped.contains(['<', '>', '|', '`', '*', '_', '[', '\\', '@', '\n']));
            let mut read = String::new();
            let mut rest = escaped.as_str();
            while let Some((before, after)) = rest.split_once("&#") {
                let (number, after) = after.split_once(';').unwrap();
                read.push_str(before);
                read.push(char::from_u32(number.parse().unwrap()).unwrap());
                rest = after;
            }
            prop_assert_eq!(read + rest, text);
        }

        #[test]
        fn a_limit_is_a_limit(limit in 0_usize..20_000, subject in "(?s).{0,300}") {
            let mut report = testing::fail();
            report.findings.push(testing::of_commit(6, &subject));
            prop_assert!(markdown(&report, limit).len() <= limit);
        }
    }
}
