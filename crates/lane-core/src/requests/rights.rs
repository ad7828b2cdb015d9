//! Who is asked, and who may answer.

use super::record::{Person, RequestRecord, RequestState, Target};
use crate::error::Error;
use crate::facts::RepoPath;
use crate::policy::model::{Access, Agent, Area, MAINTAINERS, Unowned};
use crate::policy::{Owner, Plan, did_you_mean_or};
use crate::report::quote;

/// Who decides about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressees<'p> {
    /// These agents.
    Agents(Vec<&'p str>),
    /// Maintainers alone.
    Maintainers,
    /// Every agent but the one who asks: nobody owns it, and somebody has to agree.
    Others,
}

/// How to ask whoever holds a lock. `what`: the paths, or the area.
pub fn submit_command(holder: &str, what: &str) -> String {
    format!(
        "or ask {holder} for the change: git lane request submit {what} --to {holder} --reason 'needed while you hold the lock'"
    )
}

/// Who decides about a target, by the policy as it is now: those whose approval a change by whoever asks needs, or else those whose
/// it is. What the policy does not know any more is for maintainers.
pub fn askable<'p>(plan: &'p Plan, target: &Target, by: &Person) -> Addressees<'p> {
    let asked = target.to.as_ref().and_then(|to| plan.policy.agent(to)).map(|agent| agent.id.value.as_str());
    if let Some(approvers) = approvers(plan, target, by) {
        return match (&approvers, asked) {
            (Addressees::Agents(ids), Some(asked)) if ids.contains(&asked) => Addressees::Agents(vec![asked]),
            _ => approvers,
        };
    }
    match (by_policy(plan, target), asked) {
        (Addressees::Others, Some(asked)) => Addressees::Agents(vec![asked]),
        (Addressees::Others, None) => match steward(plan, target) {
            Some(steward) => Addressees::Agents(vec![steward]),
            None => Addressees::Others,
        },
        (askable, _) => askable,
    }
}

/// Whose approval a change of the target by somebody needs who may make it otherwise; `None`: of none.
fn approvers<'p>(plan: &'p Plan, target: &Target, by: &Person) -> Option<Addressees<'p>> {
    let area = area_of(plan, target).filter(|area| !area.approve.is_empty())?;
    let agent = by.agent().filter(|agent| area.is_changed_by(agent))?;
    let ids = area.approve.iter().map(|id| id.value.as_str());
    let ids: Vec<&str> = ids.filter(|id| *id != agent && *id != MAINTAINERS).collect();
    Some(if ids.is_empty() { Addressees::Maintainers } else { Addressees::Agents(ids) })
}

/// Whose approval a change of an area by an agent needs, in words.
pub fn approvers_in_words(plan: &Plan, area: &Area, agent: &str) -> String {
    let target = Target { area: Some(area.name.value.clone()), ..Target::default() };
    let approvers = approvers(plan, &target, &Person::Agent(agent.to_owned()));
    approvers.unwrap_or(Addressees::Maintainers).words(plan)
}

/// Whether whoever asks makes the change themselves, once it is accepted.
pub fn is_agreement(plan: &Plan, record: &RequestRecord) -> bool {
    let approved = approvers(plan, &record.target, &record.by).is_some();
    approved || askable(plan, &record.target, &record.by) == Addressees::Others
}

fn area_of<'p>(plan: &'p Plan, target: &Target) -> Option<&'p Area> {
    let name = target.area.as_ref()?;
    plan.policy.areas.iter().find(|area| area.name.value == *name)
}

/// Who looks after the area of a target.
fn steward<'p>(plan: &'p Plan, target: &Target) -> Option<&'p str> {
    area_of(plan, target)?.steward_for(None)
}

/// The same, whoever was asked by name.
fn by_policy<'p>(plan: &'p Plan, target: &Target) -> Addressees<'p> {
    if let Some(name) = &target.area {
        let area = plan.policy.areas.iter().find(|area| area.name.value == *name);
        return area.map_or(Addressees::Maintainers, of_area);
    }
    match &target.lane {
        Some(lane) => match plan.policy.agent(lane) {
            Some(agent) => Addressees::Agents(vec![agent.id.value.as_str()]),
            None => Addressees::Maintainers,
        },
        None if plan.policy.unowned.value == Unowned::Deny => Addressees::Maintainers,
        None => Addressees::Others,
    }
}

/// The target with the agent who is asked by name.
///
/// # Errors
/// There is no such agent, or it is somebody else's to decide.
pub fn addressed(plan: &Plan, target: Target, to: Option<&str>, by: &Person) -> Result<Target, Error> {
    let Some(to) = to else {
        return Ok(target);
    };
    plan.agent(to)?;
    match approvers(plan, &target, by) {
        Some(Addressees::Agents(ids)) if ids.contains(&to) => {
            return Ok(Target { to: Some(to.to_owned()), ..target });
        }
        Some(other) => {
            return Err(Error::usage(
                format!("{} is for {} to approve, not for {to}", target.words(), other.words(plan)),
                "omit --to: the request goes to them",
            ));
        }
        None => {}
    }
    match by_policy(plan, &target) {
        Addressees::Agents(ids) if ids.contains(&to) => Ok(target),
        Addressees::Others => Ok(Target { to: Some(to.to_owned()), ..target }),
        other => Err(Error::usage(
            format!("{} is for {} to change, not for {to}", target.words(), other.words(plan)),
            "omit --to: the request goes to them",
        )),
    }
}

fn of_area(area: &Area) -> Addressees<'_> {
    match area.access.value {
        Access::Owner => Addressees::Agents(area.owner.iter().map(|id| id.value.as_str()).collect()),
        Access::Maintainer | Access::Append | Access::Never => Addressees::Maintainers,
        Access::Lock | Access::Coordinate | Access::Shared | Access::Open => Addressees::Others,
    }
}

impl Addressees<'_> {
    /// In words: `a1 (MLOps)`, `a maintainer`.
    pub fn words(&self, plan: &Plan) -> String {
        match self {
            Self::Agents(ids) => {
                let titles: Vec<String> = ids.iter().map(|id| title(plan, id)).collect();
                titles.join(" or ")
            }
            Self::Maintainers => "a maintainer".to_owned(),
            Self::Others => "any other agent".to_owned(),
        }
    }

    pub(crate) fn has(&self, person: &Person, asks: &Person) -> bool {
        match (self, person) {
            (Self::Agents(ids), Person::Agent(id)) => ids.contains(&id.as_str()),
            (Self::Maintainers, Person::Maintainer(_)) => true,
            (Self::Others, Person::Agent(_)) => person != asks,
            _ => false,
        }
    }
}

/// The agent with its name.
pub fn title(plan: &Plan, agent: &str) -> String {
    plan.policy.agent(agent).map_or(agent.to_owned(), Agent::title)
}

/// Whether somebody may accept, reject or finish a request. Maintainers may answer all of them.
pub fn may_answer(plan: &Plan, record: &RequestRecord, person: &Person) -> bool {
    matches!(person, Person::Maintainer(_))
        || askable(plan, &record.target, &record.by).has(person, &record.by)
}

/// Whether somebody may say that a request is done: who may answer it, or, where nobody owns what it is
/// about and another agreed, whoever asked.
pub fn may_finish(plan: &Plan, record: &RequestRecord, person: &Person) -> bool {
    let is_theirs = by_policy(plan, &record.target) == Addressees::Others || is_agreement(plan, record);
    let is_agreed = record.state == RequestState::Accepted && is_theirs;
    may_answer(plan, record, person) || (is_agreed && record.by == *person)
}

/// Whether the next step is somebody's.
pub fn waits_for(plan: &Plan, record: &RequestRecord, person: &Person) -> bool {
    let askable = askable(plan, &record.target, &record.by);
    match record.state {
        RequestState::Submitted => askable.has(person, &record.by),
        // Where nobody owns it, whoever asked goes on, now that somebody agreed.
        RequestState::Accepted if is_agreement(plan, record) => record.by == *person,
        RequestState::Accepted => askable.has(person, &record.by),
        RequestState::Rejected | RequestState::Done | RequestState::Withdrawn => false,
    }
}

/// What an area's name or some paths mean. `paths`: each with whether it is a folder.
///
/// # Errors
/// No such area; paths of several owners; something that nobody may change, or that needs no request.
pub fn target(plan: &Plan, area: Option<&str>, paths: &[(RepoPath, bool)]) -> Result<Target, Error> {
    if let Some(name) = area {
        return of_name(plan, name);
    }
    let mut all: Option<Target> = None;
    for (path, is_folder) in paths {
        let mut one = Target { paths: vec![path.to_string()], ..Target::default() };
        match plan.decide(&path.0, *is_folder).owner {
            Some(Owner::Area(area)) => {
                refuse_local(area)?;
                one.area = Some(area.name.value.clone());
            }
            Some(Owner::Lane(agent)) => one.lane = Some(agent.id.value.clone()),
            None => {}
        }
        let Some(so_far) = &mut all else {
            all = Some(one);
            continue;
        };
        if (&so_far.area, &so_far.lane) != (&one.area, &one.lane) {
            let whose = |target: &Target| by_policy(plan, target).words(plan);
            return Err(Error::usage(
                format!(
                    "{} is for {} to change, {} for {}",
                    so_far.paths[0],
                    whose(so_far),
                    one.paths[0],
                    whose(&one)
                ),
                "submit one request for each",
            ));
        }
        so_far.paths.append(&mut one.paths);
    }
    all.ok_or_else(|| Error::usage("no path and no area given", "name paths, or --area NAME"))
}

fn of_name(plan: &Plan, name: &str) -> Result<Target, Error> {
    let names = || plan.policy.areas.iter().map(|area| area.name.value.as_str());
    if let Some(area) = plan.policy.areas.iter().find(|area| area.name.value == name) {
        refuse_local(area)?;
        return Ok(Target { area: Some(name.to_owned()), ..Target::default() });
    }
    let known: Vec<&str> = names().take(12).collect();
    let rest = format!("areas: {}; for a path in a lane, name the path", known.join(", "));
    Err(Error::usage(
        format!("unknown area `{name}` in {}", plan.source.name),
        did_you_mean_or(name, names(), &rest),
    ))
}

fn refuse_local(area: &Area) -> Result<(), Error> {
    if area.access.value != Access::Never {
        return Ok(());
    }
    let name = &area.name.value;
    Err(Error::usage(
        format!("the area `{name}` stays out of git and is never committed"),
        "keep the file in your own worktree",
    ))
}

/// Whether a path is among what a target is about.
pub fn is_about(plan: &Plan, target: &Target, path: &RepoPath, is_folder: bool) -> bool {
    let below = |named: &String| path.0.strip_prefix(named.trim_end_matches('/').as_bytes());
    let is_named = |named| below(named).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    if !target.paths.is_empty() {
        return target.paths.iter().any(is_named);
    }
    match plan.decide(&path.0, is_folder).owner {
        Some(Owner::Area(area)) => target.area.as_ref() == Some(&area.name.value),
        Some(Owner::Lane(agent)) => target.lane.as_ref() == Some(&agent.id.value),
        None => target.area.is_none() && target.lane.is_none(),
    }
}

/// Why somebody need not ask.
///
/// # Errors
/// It is theirs.
pub fn refuse_own(plan: &Plan, target: &Target, person: &Person) -> Result<(), Error> {
    let Addressees::Agents(ids) = askable(plan, target, person) else {
        return Ok(());
    };
    if !person.agent().is_some_and(|id| ids.contains(&id)) {
        return Ok(());
    }
    let what = target.words();
    Err(Error::usage(
        format!("{what} is already yours: you are {}", person.name()),
        "change it yourself; requests are for what others own",
    ))
}

impl Target {
    /// `area `migrations``, or the paths.
    pub fn words(&self) -> String {
        match (&self.area, self.paths.as_slice()) {
            (Some(area), []) => format!("area `{area}`"),
            (_, [one]) => one.clone(),
            (_, [first, rest @ ..]) => format!("{first} and {} more", rest.len()),
            (None, []) => match &self.lane {
                Some(lane) => format!("the lane of {lane}"),
                None => "the repository".to_owned(),
            },
        }
    }

    /// What is typed after `git lane request submit`.
    pub fn as_arguments(&self) -> String {
        match &self.area {
            Some(area) if self.paths.is_empty() => format!("--area {}", quote(area.as_bytes())),
            _ => {
                let words: Vec<String> = self.paths.iter().map(|path| quote(path.as_bytes())).collect();
                words.join(" ")
            }
        }
    }
}

#[cfg(test)]
mod tests;
