//! The policy's verdict on what a landing would make of the base.

use crate::gather::{Environment, HostFacts, LoadedPolicy, Request, Subject};
use crate::journal;
use crate::ops::{CallerKind, Session, judged};
use lane_core::error::Error;
use lane_core::facts::{Event, Oid, Unavailable};
use lane_core::landings::record::{Landing, LandingEnd, Reason};
use lane_core::report::text::{Style, render};
use lane_core::report::{Report, Verdict};
use lane_git::Repository;

/// The most characters of a report that a record has.
const LONGEST: usize = 6_000;

/// Judges it as a policy job judges a pull request: by the policy of the base. `None`: it may land.
///
/// # Errors
/// It could not be decided.
pub fn of(
    session: &Session,
    loaded: &LoadedPolicy,
    landing: &Landing,
    from: Oid,
    to: Oid,
) -> Result<Option<LandingEnd>, Error> {
    let told = Box::new(HostFacts { is_landing: true, ..HostFacts::default() });
    let subject = Subject::Proposed { from, to, told };
    let branch = Some(landing.branch.clone());
    let request = Request { event: Event::Ci, agent: None, branch, subject };
    let environment = Environment::of_process();
    let ui = &*session.ui;
    let (report, _) = judged(&session.repo, &environment, loaded, &request, CallerKind::Job, ui)?;
    journal::note(session.repo.layout(), &loaded.plan.policy, &report);
    match report.verdict {
        Verdict::Pass => {
            if report.spared().is_some() {
                ui.verdict(&report);
            }
            Ok(None)
        }
        Verdict::Fail => Ok(Some(LandingEnd::Refused(
            Reason::new(
                format!("the merged result breaks the policy: {}", headline(&report)),
                next_step(&report, to.to_string() != landing.head),
            )
            .output(short(&render(&report, Style::default()), LONGEST)),
        ))),
        Verdict::Undecided => Err(Unavailable::new(
            format!("whether `{}` may land could not be decided: {}", landing.branch, headline(&report)),
            render(&report, Style::default()),
        )
        .into()),
    }
}

/// What is to be done about it. `is_new`: the landing made the commits, whose message and author are those of the branch's, and
/// whose committer and signature are not.
fn next_step(report: &Report, is_new: bool) -> &'static str {
    let is_broken = |rule: &str| {
        is_new && report.findings.iter().any(|finding| finding.is_error() && finding.rule == rule)
    };
    if is_broken("unsigned-commit") {
        "it lands as a new commit; have git sign it where it lands: git config commit.gpgSign true\n\
         then land it again"
    } else if is_broken("committer-pattern") {
        "it lands as a new commit of whoever lands it; say who that is: git config user.email ADDRESS\n\
         then land it again"
    } else {
        "fix it, push, then land it again"
    }
}

fn headline(report: &Report) -> String {
    report
        .findings
        .iter()
        .find(|finding| finding.is_error())
        .map_or_else(|| "see the report".to_owned(), |finding| finding.headline.clone())
}

/// The beginning of a text, whole lines.
fn short(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.trim_end().to_owned();
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= longest).last().unwrap_or(0);
    let end = text[..end].rfind('\n').unwrap_or(end);
    format!("{}\n…", &text[..end])
}
