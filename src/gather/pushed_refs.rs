//! The refs of a push, at either end: what each of them would change.

use std::collections::HashSet;

use super::change_base::BaseChoice;
use super::collector::Collector;
use super::locks::lock_events;
use super::policy_source::Base;
use super::push::PushLine;
use lane_core::facts::{Change, Fact, FileChange, Message, Oid, RefUpdate, TagForm, is_replacing};
use lane_core::policy::Disguise;
use lane_core::requests::record::CONTENT;
use lane_core::rules::Need;
use lane_core::signature;
use lane_git::{Head, Kind, Read};

/// Where branches lie.
const HEADS: &str = "refs/heads/";
/// Refs that git keeps as they are.
const OWN: [&str; 3] = [HEADS, "refs/tags/", "refs/notes/"];

impl Collector<'_> {
    pub(super) fn pushed(&self, head: &Head, remote: &str, lines: &[PushLine]) -> Read<Vec<Change>> {
        let unpushed = self.unpushed(&[&format!("refs/remotes/{remote}/")], lines)?;
        // Records are pushed beside the work.
        let places = &self.plan.policy.locks;
        let with = lines.iter().filter(|line| line.local.is_some() && !places.is_record(&line.remote_ref));
        let with = with.into_iter().find_map(|line| line.remote_ref.strip_prefix("refs/heads/"));
        let beside = match with {
            Some(branch) => Some(branch.to_owned()),
            None => self.branch(head)?,
        };
        let mut changes = Vec::new();
        for line in lines {
            if let Some(mut change) = self.pushed_ref(line, &unpushed, lines)? {
                if change.branch.is_none() {
                    change.beside.clone_from(&beside);
                }
                if change.head.is_some() && change.head != head.oid {
                    change.elsewhere = line.local_ref.strip_prefix("refs/heads/").map(str::to_owned);
                }
                changes.push(change);
            }
        }
        Ok(changes)
    }

    /// The refs of a push at its other end. To a branch is new what no branch has yet, and to a tag what no tag has either:
    /// other refs are not judged as those are, and a tag is not held against what has landed. And no ref of the push
    /// hides behind another: all of them are held against the base as it was before.
    pub(super) fn received(&self, lines: &[PushLine]) -> Read<Vec<Change>> {
        let is_branch = |line: &PushLine| line.remote_ref.starts_with(HEADS);
        let new_to = |prefixes: &[&str], is_asked: bool| match is_asked {
            true => self.unpushed(prefixes, lines),
            false => Ok(HashSet::new()),
        };
        let new_to_branches = new_to(&[HEADS], lines.iter().any(is_branch))?;
        let new_to_tags = new_to(&[HEADS, "refs/tags/"], !lines.iter().all(is_branch))?;
        for oid in new_to_branches.union(&new_to_tags) {
            self.repo.budget().text(self.repo, "commit", *oid, self.repo.size(*oid)?)?;
        }
        let mut changes = Vec::new();
        for line in lines {
            let new = if is_branch(line) { &new_to_branches } else { &new_to_tags };
            let mut change = self.received_lock(line)?;
            if change.is_none() {
                change = self.received_request(line)?;
            }
            if change.is_none() {
                change = self.received_landing(line, lines)?;
            }
            if change.is_none() {
                change = self.pushed_ref(line, new, lines)?;
            }
            let Some(mut change) = change else {
                continue;
            };
            if let Some(head) = change.head {
                change.committer = Some(self.repo.commit(head)?.committer);
            }
            // Nobody here knows what is checked out there; a commit meant for a protected branch may be on any.
            change.elsewhere = change.branch.clone().filter(|branch| self.plan.protected(branch).is_none());
            changes.push(change);
        }
        Ok(changes)
    }

    /// Whether something else than the commits says who pushes: then somebody whom the policy would not have brings
    /// nothing, be it new or not.
    fn knows_pusher(&self) -> bool {
        !self.event.is_server() || self.environment.pusher.is_some()
    }

    /// A ref that brings nothing new, where there is somebody to hold it against; a tag that the policy speaks of in any case.
    fn known_move(&self, mut change: Change) -> Read<Option<Change>> {
        if change.was_landed || self.knows_pusher() {
            return Ok(Some(change));
        }
        let tag = change.reference.as_deref().and_then(|name| name.strip_prefix("refs/tags/"));
        change.is_ownerless = tag.map_or(Ok(None), |tag| self.plan.tag_rule(tag))?.is_some();
        Ok(Some(change).filter(|change| change.is_ownerless))
    }

    /// What a pushed tag is, where a rule asks for it.
    fn tag_form(&self, line: &PushLine) -> Read<Fact<TagForm>> {
        let Some(oid) =
            line.local.filter(|_| self.wants(Need::Tags) && line.remote_ref.starts_with("refs/tags/"))
        else {
            return Ok(Fact::NotGathered);
        };
        let (kind, size) = self.repo.header(oid)?;
        if kind != Kind::Tag {
            return Ok(Fact::Known(TagForm::Lightweight));
        }
        self.repo.budget().text(self.repo, "tag", oid, size)?;
        Ok(Fact::Known(TagForm::Annotated(signature::of_tag(&self.repo.tag_bytes(oid)?))))
    }

    /// What a tag was put on that goes away or moves, and what a branch was that goes away.
    fn replaced(&self, line: &PushLine, change: &mut Change) -> Read<()> {
        let Some(old) = line.remote.filter(|old| line.local != Some(*old)) else {
            return Ok(());
        };
        let is_tag = line.remote_ref.starts_with("refs/tags/");
        let is_gone = line.remote_ref.starts_with(HEADS) && line.local.is_none();
        if !(is_tag || is_gone) || !self.repo.has(old) {
            return Ok(());
        }
        change.was_known = true;
        if let Some(old) = self.repo.peel(old)? {
            change.replaced = Some(Message { text: self.repo.commit(old)?.message });
            if let Some(base) = self.base.filter(|_| is_tag) {
                change.was_landed = self.repo.merge_base(base.oid, &[old])? == Some(old);
            }
        }
        Ok(())
    }

    /// Whether the host makes something else of a ref than git does: git-config(1), `receive.procReceiveRefs`.
    fn is_for_host(&self, reference: &str) -> Read<bool> {
        if !self.event.is_server() || OWN.iter().any(|prefix| reference.starts_with(prefix)) {
            return Ok(false);
        }
        Ok(self.repo.config("receive.procReceiveRefs")?.iter().any(|listed| {
            let (modifiers, prefix) = listed.split_once(':').unwrap_or(("", listed));
            let rest = reference.strip_prefix(prefix.trim_end_matches('/'));
            !modifiers.contains('!') && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }))
    }

    /// The commits of a push that the refs below some prefixes do not have: one walk for all refs, however many
    /// there are.
    fn unpushed(&self, prefixes: &[&str], lines: &[PushLine]) -> Read<HashSet<Oid>> {
        let mut has = Vec::new();
        for prefix in prefixes {
            has.extend(self.repo.tips(prefix)?);
        }
        has.extend(self.base.map(|base| base.oid));
        let mut tips = Vec::new();
        for line in lines {
            if let Some(local) = line.local {
                tips.extend(self.repo.peel(local)?);
            }
            let is_judged = |old: &Oid| {
                let is_under = prefixes.iter().any(|prefix| line.remote_ref.starts_with(prefix));
                (is_under || !self.event.is_server()) && self.repo.has(*old)
            };
            if let Some(old) = line.remote.filter(is_judged) {
                has.extend(self.repo.peel(old)?);
            }
        }
        has.sort_unstable();
        has.dedup();
        tips.sort_unstable();
        tips.dedup();
        tips.retain(|tip| has.binary_search(tip).is_err());
        if tips.is_empty() {
            return Ok(HashSet::new());
        }
        Ok(self.repo.commits(&tips, &has)?.into_iter().collect())
    }

    /// What a push makes of one ref.
    fn pushed_ref(
        &self,
        line: &PushLine,
        unpushed: &HashSet<Oid>,
        pushes: &[PushLine],
    ) -> Read<Option<Change>> {
        let places = &self.plan.policy.locks;
        let is_lock = places.lock_of(&line.remote_ref).is_some();
        let is_record = places.is_record(&line.remote_ref);
        let branch = line.remote_ref.strip_prefix("refs/heads/").filter(|_| !is_record).map(str::to_owned);
        let mut change = self.empty_change(branch.clone());
        change.reference = Some(line.remote_ref.clone());
        self.replaced(line, &mut change)?;
        change.is_for_host = self.is_for_host(&line.remote_ref)?;
        change.tag = self.tag_form(line)?;
        let Some(local) = line.local else {
            change.update = Some(RefUpdate::Delete);
            return Ok(Some(change));
        };
        // Such a ref changes what others are, without being a change of anybody's lane itself.
        if is_replacing(&line.remote_ref) {
            change.update = Some(if line.remote.is_none() { RefUpdate::Create } else { RefUpdate::Rewrite });
            return Ok(Some(change));
        }
        let disguise = self.plan.disguise(&line.remote_ref);
        if let Some(Disguise { name, .. }) = &disguise {
            change.shadows = self.repo.find_ref(&format!("refs/heads/{name}"))?.is_some();
        }
        // A tag may name a tree or a blob, which is no change of anybody's lane.
        let Some(tip) = self.repo.peel(local)? else {
            change.update = Some(if line.remote.is_none() { RefUpdate::Create } else { RefUpdate::Rewrite });
            return if disguise.is_some() { Ok(Some(change)) } else { self.known_move(change) };
        };
        let old = match line.remote {
            Some(oid) if self.repo.has(oid) => self.repo.peel(oid)?,
            _ => None,
        };
        change.update = Some(self.update_of(line, old, tip)?);
        match branch {
            _ if is_lock => self.pushed_lock_ref(line, change, old, tip).map(Some),
            Some(branch) => {
                self.fill_branch(&mut change, &branch, unpushed, old, tip, pushes)?;
                self.note_landing(&mut change, line, pushes)?;
                Ok(Some(change))
            }
            // What is done to the history of a record counts, too.
            None if is_record && change.update == Some(RefUpdate::Rewrite) => Ok(Some(change)),
            None => {
                let base = self.base.map(|base| base.oid);
                let exclude: Vec<Oid> = base.into_iter().chain(old).collect();
                // Whose it is, the commits tell, even if none of them is new.
                if disguise.is_some() {
                    change.head = Some(tip);
                    change.commits = Fact::Known(self.commits(&[tip], &exclude, Some(unpushed))?);
                    return Ok(Some(change));
                }
                self.pushed_other_ref(line, change, tip, &exclude, unpushed)
            }
        }
    }

    fn update_of(&self, line: &PushLine, old: Option<Oid>, tip: Oid) -> Read<RefUpdate> {
        Ok(match (line.remote, old) {
            (None, _) => RefUpdate::Create,
            (Some(_), Some(old)) if self.repo.merge_base(old, &[tip])? == Some(old) => RefUpdate::Forward,
            _ => RefUpdate::Rewrite,
        })
    }

    fn fill_branch(
        &self,
        change: &mut Change,
        branch: &str,
        unpushed: &HashSet<Oid>,
        old: Option<Oid>,
        tip: Oid,
        pushes: &[PushLine],
    ) -> Read<()> {
        let base = self.base_at(branch, old).ok_or_else(|| self.no_base())?;
        let root = self.root(Some(&base), &[tip], BaseChoice::Nearest)?;
        self.fill(change, &root, tip, Some(unpushed), old, pushes)?;
        if let (Some(RefUpdate::Rewrite), Some(old)) = (change.update, old) {
            change.unchanged = self.unchanged(change, old, tip)?;
        }
        Ok(())
    }

    /// The base of a pushed branch; what is pushed to the base itself is compared with what the remote has of it.
    fn base_at(&self, branch: &str, old: Option<Oid>) -> Option<Base> {
        let mut base = self.base.cloned()?;
        if let (true, Some(oid)) = (branch == self.plan.policy.base.value, old) {
            base.oid = oid;
        }
        Some(base)
    }
    /// A ref of locks, which brings no commit of anybody's lane: the move is what counts.
    fn pushed_lock_ref(
        &self,
        line: &PushLine,
        mut change: Change,
        old: Option<Oid>,
        tip: Oid,
    ) -> Read<Change> {
        change.head = Some(tip);
        let is_onward = change.update != Some(RefUpdate::Rewrite);
        let events = || {
            let part = line.remote_ref.rsplit('/').next().unwrap_or_default();
            lock_events(self.repo, self.plan, self.environment.now, part, old, tip)
        };
        change.lock_events = is_onward.then(events).transpose()?;
        Ok(change)
    }

    /// A tag, a note, a request: it adds nothing to a branch, so only commits that the remote never saw are judged.
    fn pushed_other_ref(
        &self,
        line: &PushLine,
        mut change: Change,
        tip: Oid,
        exclude: &[Oid],
        unpushed: &HashSet<Oid>,
    ) -> Read<Option<Change>> {
        change.head = Some(tip);
        if !unpushed.contains(&tip) {
            return self.known_move(change);
        }
        let mut commits = self.commits(&[tip], exclude, None)?;
        commits.retain(|commit| unpushed.contains(&commit.oid));
        // Notes and git-lane's own refs hold no part of the project, unless somebody puts it there.
        let is_request = self.plan.policy.locks.request_of(&line.remote_ref).is_some();
        let aside = ["refs/notes/", "refs/lane/"];
        let is_aside = is_request || aside.iter().any(|prefix| line.remote_ref.starts_with(prefix));
        let is_project = |file: &FileChange| match is_request {
            true => file.path.0 != CONTENT.as_bytes() || file.is_folder(),
            false => self.plan.decide(&file.path.0, file.is_folder()).owner.is_some(),
        };
        if is_aside && !commits.iter().flat_map(|commit| &commit.files).any(is_project) {
            return Ok(Some(change).filter(|_| self.knows_pusher()));
        }
        change.commits = Fact::Known(commits);
        Ok(Some(change))
    }
}
