//! What a coding agent is told as its session begins, and before it says that it is done.

use std::fmt::Write as _;
use std::path::Path;

use super::Session;
use super::edit::root_of;
use super::inbox::{Inbox, reader};
use crate::gather::{Environment, Request, Subject};
use crate::inbox::Cache;
use crate::status::{self, Line, Status, StatusOptions};
use lane_core::facts::Event;
use lane_core::identity::Actor;
use lane_core::inbox::Notice;
use lane_core::policy::model::Access;
use lane_core::report::Verdict;
use lane_core::report::text::{Style, render};
use lane_core::rules::how_to_join;
use lane_git::Repository;

/// The most that is said, in characters.
const LONGEST: usize = 2_000;

/// How many entries a list shows.
const SHOWN: usize = 6;

/// How many notices are told, and how many characters they may have together.
const NEWS: (usize, usize) = (5, 900);

/// What an agent is told as its session begins.
pub struct Briefing {
    /// The text.
    pub text: String,
    /// The notices in it, with the inbox that they are from.
    news: Option<(Inbox, Vec<Notice>)>,
}

impl Briefing {
    fn of_text(text: String) -> Self {
        Self { text, news: None }
    }

    /// Notes that its notices were read, once it has been told: others stay in the inbox.
    pub fn told(&self) {
        if let Some((inbox, shown)) = &self.news {
            // They will be told again otherwise.
            let _ = inbox.mark(shown);
        }
    }
}

fn session(folder: Option<&Path>, environment: &Environment) -> Option<Session> {
    let folder = folder.map_or_else(std::env::current_dir, |folder| Ok(folder.to_owned())).ok()?;
    Session::open_at(&root_of(&folder)?, environment).ok()?
}

/// Who works in a folder, on what, and what the others hold; `None` where there is no policy.
pub fn of(folder: Option<&Path>, environment: &Environment) -> Option<Briefing> {
    let session = session(folder, environment)?;
    let plan = &session.loaded.plan;
    let agent = match session.actor(None) {
        Ok(Actor::Agent(agent)) => agent,
        Ok(Actor::Unassigned { .. } | Actor::Stranger) => {
            return Some(Briefing::of_text(truncate(format!(
                "git-lane: this worktree has no lane, and no file may be changed in it until it has one.\n{}\n",
                how_to_join(plan)
            ))));
        }
        Ok(Actor::Maintainer) => return None,
        Ok(Actor::Unclear { reason, help }) => {
            let text = format!("git-lane: could not decide: {reason}\n{help}\n");
            return Some(Briefing::of_text(truncate(text)));
        }
        Err(why) => {
            let text = format!("git-lane: could not decide: {}\n", why.reason);
            return Some(Briefing::of_text(truncate(text)));
        }
    };
    let policy = &plan.policy;
    let title = policy.agent(&agent).map_or_else(|| agent.clone(), |agent| agent.title());
    let mut text = format!("git-lane: you are {title}.");
    let lane = policy.agent(&agent).map(lane_of).unwrap_or_default();
    if !lane.is_empty() {
        let _ = write!(text, " You may change: {}.", join_first(&lane, ", "));
    }
    let areas = |access: Access| -> Vec<String> {
        policy
            .areas
            .iter()
            .filter(|area| area.access.value == access)
            .map(|area| area.name.value.clone())
            .collect()
    };
    let locked = areas(Access::Lock);
    if !locked.is_empty() {
        let _ = write!(text, "\nBefore a file of {}: git lane lock AREA", join_first(&locked, ", "));
    }
    text.push_str("\nWhether you may change a file: git lane who --mine PATH\nTo ask its owner for a change: git lane request submit PATH --reason '…'\n");
    let root = session.repo.layout().worktree.clone().unwrap_or_default();
    let more = policy.setup.instructions.iter().find(|name| root.join(&name.value).is_file());
    if let Some(more) = more {
        let _ = writeln!(text, "All about your lane: {}", more.value);
    }
    let manner = StatusOptions { now: session.environment.now, may_refresh: false };
    let status = status::read(&session.repo, &session.loaded, manner);
    if let Ok(status) = &status {
        write_status(&mut text, &session, &agent, status);
    }
    let (news, told) = news(&session, status.ok());
    // What is new is told whole, or stays for later.
    let text = truncate_to(text, LONGEST.saturating_sub(news.chars().count())) + &news;
    Some(Briefing { text, news: told })
}

/// What is new, in few lines; and what of it is told.
fn news(session: &Session, status: Option<Status>) -> (String, Option<(Inbox, Vec<Notice>)>) {
    let Ok(who) = reader(session, None) else { return (String::new(), None) };
    let mut cache = Cache::default();
    // They were merged just now.
    let merged = status.map(|status| status.clashes).unwrap_or_default();
    cache.forecasts.extend(merged.into_iter().map(|pair| (pair.tips, pair.forecast)));
    let inbox = Inbox::read(session, &who, false, &mut cache);
    let (mut text, mut shown) = (String::new(), Vec::new());
    for notice in inbox.unread.iter().take(NEWS.0) {
        let line = format!("- {}; next: {}\n", notice.text, notice.next);
        if text.chars().count() + line.chars().count() > NEWS.1 {
            break;
        }
        text.push_str(&line);
        shown.push(notice.clone());
    }
    let more = inbox.unread.len() - shown.len();
    if more > 0 {
        let _ = writeln!(text, "{more} more: git lane inbox");
    }
    if !text.is_empty() {
        text.insert_str(0, "New for you:\n");
    }
    (text, Some((inbox, shown)))
}

/// The branch of this worktree, its size, its locks and requests; the locks of others.
fn write_status(text: &mut String, session: &Session, agent: &str, status: &Status) {
    let root = session.repo.layout().worktree.clone();
    let own = status
        .lines
        .iter()
        .find(|line| line.root == root)
        .or_else(|| status.lines.iter().find(|line| line.agent.as_deref() == Some(agent)));
    if let Some(own) = own {
        write_own_lane(text, own, &status.base.0);
    }
    let others = status.lines.iter().filter(|line| line.agent.as_ref().is_some_and(|other| *other != agent));
    let held: Vec<String> = others
        .flat_map(|line| line.locks.iter().map(move |lock| format!("{} ({})", lock.scope, line.title())))
        .collect();
    if !held.is_empty() {
        let _ = writeln!(text, "Locked by others: {}", join_first(&held, ", "));
    }
}

fn write_own_lane(text: &mut String, own: &Line, base: &str) {
    if let Some(branch) = &own.branch {
        let _ = write!(text, "Branch: {branch}");
        if let Some(behind) = own.behind.filter(|behind| *behind > 0) {
            let _ = write!(text, ", {behind} behind {}: git lane sync", base);
        }
        text.push('\n');
    }
    if let Some((lines, Some(most))) = own.lines.filter(|(lines, _)| *lines > 0) {
        let _ = writeln!(text, "Size of the change: {lines} of {most} lines");
    }
    let locks: Vec<String> = own.locks.iter().map(|lock| lock.scope.clone()).collect();
    if !locks.is_empty() {
        let _ = writeln!(text, "You hold: {}", join_first(&locks, ", "));
    }
    if !own.waits.is_empty() {
        let _ = writeln!(text, "You wait for: {}", join_first(&own.waits, ", "));
    }
    if let Some(waiting) = own.requests.filter(|waiting| *waiting > 0) {
        let _ = writeln!(text, "Requests that wait for you: {waiting}: git lane request list");
    }
}

/// What keeps an agent from being done: findings on everything in its working tree.
pub fn unfinished(folder: Option<&Path>, environment: &Environment) -> Option<String> {
    let session = session(folder, environment)?;
    if !matches!(session.actor(None), Ok(Actor::Agent(_))) {
        return None;
    }
    let request = Request { event: Event::Check, agent: None, branch: None, subject: Subject::Worktree };
    let report = session.judge(&request).ok()?;
    let text = || format!("Before you say that you are done:\n{}", render(&report, Style::default()));
    (report.verdict == Verdict::Fail).then(text)
}

/// The services and paths of a lane.
fn lane_of(agent: &lane_core::policy::model::Agent) -> Vec<String> {
    let services = agent.services.iter().map(|service| format!("service {}", service.value));
    services.chain(agent.owns.iter().map(|path| path.value.clone())).collect()
}

fn join_first(all: &[String], between: &str) -> String {
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(between);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// As much as may be said.
fn truncate(text: String) -> String {
    truncate_to(text, LONGEST)
}

fn truncate_to(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => text[..text[..at].rfind('\n').map_or(at, |end| end + 1)].to_owned(),
        None => text,
    }
}
