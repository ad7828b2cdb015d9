//! `git lane push`

mod verdict;

use std::collections::BTreeSet;
use std::process::ExitStatus;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::output::{Output, complain};
use crate::cli::session;
use crate::commands::lock::args as lock_args;
use crate::event_log::no_mirror;
use crate::locks::keeper::Keeper;
use crate::locks::renewals::{Fate, Renewal};
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::ops::auto_release::{self, Landing};
use crate::ops::by_hand;
use lane_core::error::Error;
use lane_core::facts::{Message, Oid};
use lane_core::locks::scope::area_of;
use lane_git::under_way::under_way;
use lane_git::{Read, Repository};

/// Push this branch, and renew the locks of its work
///
/// Where the remote has the locks, both happen in one atomic push.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Replace what the remote has of this branch, if nobody else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
}

/// Tells the hooks of the push below that locks are looked after already.
pub(in crate::commands) const PUSHING: &str = "LANE_PUSHING";
/// How often a push is tried that others come before at the locks, while none of them takes one.
const TRIES: usize = 8;

/// Pushes the current branch to the policy's remote under its own name, and renews the agent's locks: in
/// the same atomic push where that remote has the locks, so that a lock which was stolen in between keeps
/// the work out, whichever of the two came first.
///
/// # Errors
/// No branch, no such remote, or locks that cannot be read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let (code, done) = branch(&session, args, output)?;
    if let Some(done) = done.filter(|_| output.is_json()) {
        output.print_json(&done)?;
    }
    Ok(code)
}

/// The same for a session that is open: the exit code, and what was done for programs, if anything was.
///
/// # Errors
/// As above.
pub(in crate::commands) fn branch(
    session: &Session,
    args: &Args,
    output: &Output,
) -> Result<(u8, Option<Value>), Error> {
    let plan = &session.loaded.plan;
    let Some(reference) = session.repo.head()?.branch else {
        return Err(Error::usage(
            "HEAD is on no branch: there is nothing to push it to",
            match under_way(&session.repo.layout().git_dir) {
                Some(it) => format!("{} is under way; {}", it.what, it.help),
                None => "make a branch of it: git switch -c BRANCH".to_owned(),
            },
        ));
    };
    has_remote(session, "push")?;
    let tip = session.repo.resolve("HEAD")?;
    let agent = session.agent(None).ok();
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    keeper.refresh(0)?;
    by_hand::give_back(session, &mut keeper, None);
    auto_release::release_landed(session, &mut keeper, &Landing::default());
    let code = verdict::unless_hooked(session, &reference, tip)?;
    if code != 0 {
        return Ok((code, None));
    }
    let pushing = Pushing { session, args, output, reference, tip };
    let worktree = session.place();
    let is_same = keeper.log().remote_name() == Some(plan.policy.remote.value.as_str());
    let mut renewed = Vec::new();
    if let (Some(agent), false) = (&agent, is_same) {
        // The locks lie elsewhere: they come first, so that nobody takes them while the push is under way.
        match keeper.renew_all(agent, &worktree)? {
            Ok(scopes) => renewed = scopes,
            Err(scope) => return Ok((lost(&scope, output), None)),
        }
    }
    for left in (0..TRIES).rev() {
        let mut together = Vec::new();
        if let (Some(agent), true) = (&agent, is_same) {
            together = keeper.renewals(agent, &worktree, &tip.to_string(), &pushing.areas()?)?;
        }
        let pushed = pushing.push(&keeper, &together)?;
        let refreshed = keeper.refresh(0);
        if pushed.success() {
            // It is there, whatever can be said of the locks.
            if let Err(error) = refreshed {
                complain(&format!("git-lane: note: the push is done; {error}\n"));
            }
            renewed.extend(together.into_iter().flat_map(|renewal| renewal.scopes));
            return Ok((0, Some(pushing.done(&mut keeper, &renewed))));
        }
        refreshed?;
        let mut is_moved = false;
        for renewal in &together {
            match keeper.fate(renewal)? {
                Fate::Stands => {}
                Fate::Moved => is_moved = true,
                Fate::Lost(scope) => return Ok((lost(&scope, output), None)),
            }
        }
        if !is_moved {
            return Ok((pushing.refused(pushed)?, None));
        }
        if left > 0 {
            complain(
                "git-lane: somebody else was at the locks in that moment, and took none: pushing again\n",
            );
            std::thread::sleep(keeper.a_moment());
        }
    }
    complain(&output.refusal(
        &format!(
            "others were at the locks each of the {TRIES} times that this was pushed; nothing was pushed"
        ),
        "your locks are still yours; push again in a minute: git lane push",
    ));
    Ok((1, None))
}

/// Refuses where the policy's remote is none of this repository.
///
/// # Errors
/// There is no such remote, or the configuration cannot be read.
pub(in crate::commands) fn has_remote(session: &Session, command: &str) -> Result<(), Error> {
    let remote = &session.loaded.plan.policy.remote.value;
    let is_set =
        |key: &str| session.repo.config(&format!("remote.{remote}.{key}")).map(|all| !all.is_empty());
    if is_set("url")? || is_set("pushurl")? {
        return Ok(());
    }
    let word = lane_core::report::quote(remote.as_bytes());
    Err(Error::usage(
        format!("this repository has no remote `{remote}` to push to"),
        format!(
            "add it: git remote add {word} URL\nthen rerun this: git lane {command}\n\
             or name another one by `remote:` in the policy; to see what there is: git remote -v"
        ),
    ))
}

/// One push.
struct Pushing<'a> {
    session: &'a Session,
    args: &'a Args,
    output: &'a Output,
    reference: String,
    tip: Oid,
}

impl Pushing<'_> {
    fn remote(&self) -> &str {
        &self.session.loaded.plan.policy.remote.value
    }

    fn branch(&self) -> &str {
        self.reference.strip_prefix("refs/heads/").unwrap_or(&self.reference)
    }

    /// The areas under whose locks the commits were made that the remote does not have.
    fn areas(&self) -> Read<Vec<String>> {
        let repo: &dyn Repository = &self.session.repo;
        let has = repo.tips(&format!("refs/remotes/{}/", self.remote()))?;
        let mut scopes = BTreeSet::new();
        for oid in repo.commits(&[self.tip], &has)? {
            let message = Message { text: repo.commit(oid)?.message };
            scopes.extend(message.lock_tokens().into_iter().map(|token| token.scope));
        }
        let plan = &self.session.loaded.plan;
        let areas: BTreeSet<&str> = scopes.iter().filter_map(|scope| area_of(plan, scope)).collect();
        Ok(areas.into_iter().map(str::to_owned).collect())
    }

    fn push(&self, keeper: &Keeper<'_>, together: &[Renewal]) -> Result<ExitStatus, Error> {
        let Self { reference, .. } = self;
        let mut arguments = no_mirror(self.remote());
        if self.is_rewritten()? {
            // git would say to pull, which makes a merge of both editions.
            arguments.splice(0..0, ["-c".to_owned(), "advice.pushUpdateRejected=false".to_owned()]);
        }
        arguments.extend(["push".to_owned(), "--atomic".to_owned()]);
        if self.args.force_with_lease {
            arguments.push(format!("--force-with-lease={reference}"));
            // What a fetch in between brought was never seen by anybody: git-push(1).
            arguments.push("--force-if-includes".to_owned());
        }
        let mut refspecs = vec![format!("{reference}:{reference}")];
        for renewal in together {
            let (lease, refspec) = keeper.log().swap_arguments(&renewal.tip, renewal.old)?;
            arguments.push(lease);
            refspecs.push(refspec);
        }
        if let Some(how) = self.session.ui.progress() {
            arguments.push(how.to_owned());
        }
        arguments.extend(["--".to_owned(), self.remote().to_owned()]);
        arguments.extend(refspecs);
        let mut command = std::process::Command::new("git");
        self.session.ui.run_git(command.args(&arguments).env(PUSHING, "1")).map_err(|error| {
            Error::usage(format!("git cannot be started: {error}"), "git has to be on the PATH")
        })
    }

    fn done(&self, keeper: &mut Keeper<'_>, renewed: &[String]) -> Value {
        keeper.show();
        if !self.output.is_json() && !self.output.is_quiet() {
            for scope in renewed {
                complain(&format!("git-lane: renewed `{scope}`\n"));
            }
        }
        auto_release::release_landed(
            self.session,
            keeper,
            &Landing { pushed: Some(self.tip), ..Landing::default() },
        );
        lock_args::notes(keeper, self.output);
        let (reference, remote) = (&self.reference, self.remote());
        json!({ "pushed": reference, "commit": self.tip, "remote": remote, "renewed": renewed })
    }

    fn refused(&self, status: ExitStatus) -> Outcome {
        if self.is_rewritten()? {
            let (remote, branch) = (self.remote(), lane_core::report::quote(self.branch().as_bytes()));
            // What is on top of the base by now is made anew beside it; sync leaves that out again.
            let others = format!(
                "if somebody else pushed to it, see what: git log HEAD..refs/remotes/{remote}/{branch}\n\
                 then take that in: git rebase --autostash refs/remotes/{remote}/{branch}\n\
                 and go back onto the base: git lane sync"
            );
            let help = match self.args.force_with_lease {
                false => format!("if you rewrote it: git lane push --force-with-lease\n{others}"),
                true => others,
            };
            complain(&self.output.refusal("the remote has another edition of this branch", &help));
        }
        // 128 is git's way to say that it came to nothing at all: no such remote, no network.
        Ok(if status.code() == Some(1) { 1 } else { 2 })
    }

    /// Whether the remote's edition of the branch is no part of it.
    fn is_rewritten(&self) -> Result<bool, Error> {
        let repo = &self.session.repo;
        Ok(match repo.find_ref(&format!("refs/remotes/{}/{}", self.remote(), self.branch()))? {
            Some(old) => repo.merge_base(old, &[self.tip])? != Some(old),
            None => false,
        })
    }
}

/// Another agent has the lock by now.
fn lost(scope: &str, output: &Output) -> u8 {
    let word = lane_core::report::quote(scope.as_bytes());
    complain(&output.refusal(
        &format!("the lock `{scope}` changed hands while you pushed; nothing was pushed"),
        &format!("who has it, and why: git lane locks --log {word}\nthen wait for it: git lane lock {word} --wait 1h"),
    ));
    1
}
