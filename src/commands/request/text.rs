//! Requests in words and as JSON.

use serde_json::{Value, json};

use crate::commands::locks::text::timestamp;
use crate::requests::Summary;
use crate::requests::log::{RequestHead, RequestLog};
use lane_core::policy::Plan;
use lane_core::policy::model::Access;
use lane_core::policy::scalar::format_duration;
use lane_core::requests::migration::SecondHead;
use lane_core::requests::record::{Person, RequestEvent, RequestEventKind, RequestRecord, RequestState};
use lane_core::requests::rights::{Addressees, askable, is_agreement, title};
use lane_core::text::help_block;

/// A request as somebody sees it.
pub struct RequestView<'a> {
    /// Where it lies.
    pub log: &'a RequestLog<'a>,
    /// The policy in force.
    pub plan: &'a Plan,
    /// The request.
    pub tip: &'a RequestHead,
    /// Who looks, if that is known.
    pub me: Option<&'a Person>,
    /// The second heads among all of them.
    pub heads: &'a [SecondHead],
}

/// Somebody with their name.
pub fn name(plan: &Plan, person: &Person) -> String {
    match person {
        Person::Agent(id) => title(plan, id),
        Person::Maintainer(address) => format!("{address}, a maintainer,"),
    }
}

/// `2 h ago`.
pub fn ago(at: i64, now: i64) -> String {
    match u64::try_from(now - at) {
        Ok(seconds @ 1..) => format!("{} ago", format_duration(seconds)),
        _ => "just now".to_owned(),
    }
}

impl RequestView<'_> {
    fn record(&self) -> &RequestRecord {
        &self.tip.record
    }

    /// What it is a second head to.
    fn own_heads(&self) -> impl Iterator<Item = &SecondHead> {
        self.heads.iter().filter(|head| head.request == self.record().id)
    }

    /// In short.
    pub fn summary(&self) -> Summary {
        let nobody = Person::Maintainer(String::new());
        let mut summary = Summary::of(self.plan, self.record(), self.me.unwrap_or(&nobody));
        if self.me.is_none() {
            (summary.waits_for_you, summary.next) = (false, None);
        }
        summary
    }

    /// Everything but the file, for programs.
    pub fn json(&self) -> Value {
        let record = self.record();
        let owners = match askable(self.plan, &record.target, &record.by) {
            Addressees::Agents(ids) => json!(ids),
            Addressees::Maintainers => json!(["maintainer"]),
            Addressees::Others => json!([]),
        };
        let mut item = json!(self.summary());
        item["submitted"] = json!(timestamp(record.submitted));
        item["accepted"] = json!(record.accepted.map(timestamp));
        item["commit"] = json!(record.commit);
        item["owners"] = owners;
        item["to"] = json!(record.target.to);
        item["content"] = json!(self.tip.content());
        item["ref"] = json!(self.log.full_name(&record.id));
        item["tip"] = json!(self.tip.oid);
        item["last"] = event_json(&record.event);
        let heads = self.own_heads();
        item["warnings"] = heads.map(|head| json!({ "reason": head.words(), "help": head.help() })).collect();
        item
    }

    /// What is said after something was written.
    pub fn confirmation(&self) -> String {
        let record = self.record();
        let (id, what) = (&record.id, record.target.words());
        let asker = name(self.plan, &record.by);
        match record.state {
            RequestState::Submitted => format!(
                "submitted {id} to {}: {what}, priority {}\n  follow it: git lane request show {id}\n",
                askable(self.plan, &record.target, &record.by).words(self.plan),
                record.priority
            ),
            RequestState::Accepted if is_agreement(self.plan, record) => format!(
                "accepted {id}: {asker} may change {what}\n  \
                 they {}, then: git lane request done {id} --commit HEAD\n",
                self.way_in()
            ),
            RequestState::Accepted => format!(
                "accepted {id} of {asker}: {what}\n{}  once committed: git lane request done {id} --commit HEAD\n",
                self.take_file()
            ),
            RequestState::Rejected => format!("rejected {id} of {asker}\n"),
            RequestState::Done => format!(
                "{id} of {asker} is done: {}\n",
                record.commit.as_deref().map(|oid| &oid[..10.min(oid.len())]).unwrap_or_default()
            ),
            RequestState::Withdrawn => format!("withdrew {id}\n"),
        }
    }

    /// How whoever asked gets the change past the rules.
    fn way_in(&self) -> String {
        let record = self.record();
        let of_area = |name: &String| self.plan.policy.areas.iter().find(|area| area.name.value == *name);
        let area = record.target.area.as_ref().and_then(of_area);
        match area.map(|area| (area.access.value, &area.name.value)) {
            Some((Access::Lock, name)) => format!("take its lock, git lane lock {name}, and commit it"),
            Some((Access::Coordinate, _)) => {
                format!("commit it with the trailer `Coordinated-with: {}`", record.event.by.name())
            }
            _ => "commit it".to_owned(),
        }
    }

    /// How to get at the file.
    fn take_file(&self) -> String {
        match (&self.record().file, self.tip.content()) {
            (Some(file), Some(blob)) => {
                let is_patch = [".patch", ".diff"].iter().any(|end| file.ends_with(end));
                let into = if is_patch { " | git apply --index" } else { "" };
                format!("  {file}: git cat-file blob {}{into}\n", blob.short())
            }
            _ => String::new(),
        }
    }

    /// What has to be known about it.
    pub fn warnings(&self) -> String {
        let heads = self.own_heads();
        heads.map(|head| format!("warning: {}\n{}", head.words(), help_block(&head.help(), false))).collect()
    }

    /// As an entry of a list.
    pub fn entry(&self, now: i64) -> String {
        let record = self.record();
        let state = match record.state {
            RequestState::Submitted => String::new(),
            state => format!(", {} {}", state.word(), ago(record.event.at, now)),
        };
        let file = record.file.as_ref().map(|file| format!(", {file}")).unwrap_or_default();
        let mut text = format!(
            "{}  priority {}  {}{file}, from {} {}{state}\n    \"{}\"\n",
            record.id,
            record.priority,
            record.target.words(),
            name(self.plan, &record.by).trim_end_matches(','),
            ago(record.submitted, now),
            record.reason
        );
        if let (RequestState::Rejected, Some(why)) = (record.state, &record.event.reason) {
            text.push_str(&format!("    rejected: \"{why}\"\n"));
        }
        for head in self.own_heads() {
            text.push_str(&format!("    warning: {}\n    {}\n", head.words(), head.help()));
        }
        let summary = self.summary();
        match &summary.next {
            Some(next) if record.state == RequestState::Submitted => {
                let id = &record.id;
                text.push_str(&format!("    {next}, or git lane request reject {id} --reason '…'\n"));
            }
            Some(next) => text.push_str(&format!("    {next}\n")),
            None if record.state == RequestState::Submitted => {
                let whom = askable(self.plan, &record.target, &record.by).words(self.plan);
                text.push_str(&format!("    waits for {whom}\n"));
            }
            None => {}
        }
        text
    }

    /// All about it, but for the file's content.
    pub fn page(&self, chain: &[RequestHead], now: i64) -> String {
        let record = self.record();
        let mut text = self.entry(now);
        for tip in chain.iter().rev() {
            text.push_str(&line(&tip.record.event));
        }
        if let Some(commit) = &record.commit {
            text.push_str(&format!("done by {commit}\n"));
        }
        text.push_str(self.take_file().trim_start());
        text
    }
}

/// One event for programs.
pub fn event_json(event: &RequestEvent) -> Value {
    let mut item = json!(event);
    item["at"] = json!(timestamp(event.at));
    item
}

/// One event of the audit trail.
fn line(event: &RequestEvent) -> String {
    let RequestEvent { kind, by, at, host, worktree, reason, .. } = event;
    let why = reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
    let time = jiff::Timestamp::from_second(*at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("{time}  {} {} it{why}  ({host}:{worktree})\n", by.name(), kind.verb())
}

/// Why somebody may not do this, and the next step.
pub fn refusal(plan: &Plan, record: &RequestRecord, kind: RequestEventKind, me: &Person) -> (String, String) {
    let id = &record.id;
    if kind == RequestEventKind::Withdraw {
        let asker = name(plan, &record.by);
        let text = format!("only {asker} may withdraw {id}, and you are {}", me.name());
        return (text, format!("its owner may reject it: git lane request reject {id} --reason '…'"));
    }
    let whom = askable(plan, &record.target, &record.by).words(plan);
    let text = format!("only {whom} may answer {id}, and you are {}", me.name());
    let help = if record.by == *me {
        format!(
            "wait for the answer: git lane request show {id}\nor withdraw it: git lane request withdraw {id}"
        )
    } else {
        "list your requests: git lane request list".to_owned()
    };
    (text, help)
}

/// Why it is too late for this, and the next step.
pub fn closed_message(plan: &Plan, record: &RequestRecord, kind: RequestEventKind) -> (String, String) {
    let RequestRecord { id, event, .. } = record;
    let who = name(plan, &event.by);
    let why = event.reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
    let text = format!("{id} is already {}, by {}{why}", record.state.word(), who.trim_end_matches(','));
    let help = match (record.state, kind) {
        (RequestState::Accepted, RequestEventKind::Accept) => {
            format!("once committed: git lane request done {id} --commit HEAD")
        }
        _ => format!("ask again: git lane request submit {} --reason '…'", record.target.as_arguments()),
    };
    (text, help)
}
