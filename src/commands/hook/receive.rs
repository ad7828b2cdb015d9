//! `git lane hook pre-receive` and `update`: what a server asks about a push.

use std::ffi::OsString;

use super::{Hook, HookVerdict};
use crate::cli::diagnostics;
use crate::cli::output::print_error;
use crate::gather::server_policy::{self, InForce};
use crate::gather::{
    Environment, LoadedPolicy, PushLine, Request, Subject, parse_received_lines, received_line,
};
use crate::ops::{self, CallerKind};
use lane_core::error::{Error, Kind};
use lane_core::facts::{Event, Unavailable};
use lane_core::text::help_block;
use lane_git::{GitRepo, Repository};

/// As deep as git follows refs that lead to others.
const DEEPEST: usize = 5;

impl Hook<'_> {
    /// Judges the refs of a push before they are there. A push that would leave a policy with which nothing could be judged
    /// any more is an error, too.
    pub(super) fn receive(&self, event: Event) -> Result<HookVerdict, Error> {
        let input = self.input("what is pushed")?;
        let lines = match &input {
            Some(input) => parse_received_lines(input)?,
            None => vec![update_line(self.args)?],
        };
        if std::env::var_os("GIT_NAMESPACE").is_some_and(|name| !name.is_empty()) {
            return Err(Unavailable::new(
                "the server uses git namespaces, so the owner of a ref cannot be determined",
                "a server administrator has to give each repository its own folder, without GIT_NAMESPACE",
            )
            .into());
        }
        let repo = GitRepo::open()?;
        log::debug!("repository: {:?}", repo.layout());
        let lines =
            lines.into_iter().map(|line| resolve_symbolic(&repo, line)).collect::<Result<Vec<_>, _>>()?;
        let code = if lines.is_empty() { 0 } else { self.lines(&repo, event, &lines)? };
        Ok(HookVerdict { code, input, repo: Some(repo) })
    }

    fn lines(&self, repo: &GitRepo, event: Event, lines: &[PushLine]) -> Result<u8, Error> {
        let environment = Environment::of_process();
        let loaded = match server_policy::find(repo, lines)? {
            InForce::Nothing(why) => {
                self.output
                    .hook_says(&format!("note: no policy applies here yet ({why}); nothing was judged\n"));
                None
            }
            InForce::Policy(loaded) => Some(loaded),
        };
        let mut code = 0;
        if let Some(loaded) = &loaded {
            log::debug!("policy: {}, base: {:?}", loaded.plan.source.name, loaded.base);
            // What comes of a record that cannot be read is refused in any case.
            let has_records = lines.iter().any(|line| loaded.plan.always_binds(&line.remote_ref));
            self.observes.set(loaded.plan.observes() && !has_records);
            let judge = |loaded: &LoadedPolicy, of: Vec<PushLine>| {
                let subject = Subject::Received { lines: of, all: lines.to_vec() };
                let request = Request { event, agent: None, branch: None, subject };
                let (report, _) =
                    ops::judged(repo, &environment, loaded, &request, CallerKind::Clone, self.output)?;
                Ok::<u8, Error>(self.output.hook_report(&report))
            };
            let mut common = Vec::new();
            for line in lines {
                match server_policy::of_branch(repo, loaded, line)? {
                    Some(own) => code = code.max(judge(&own, vec![line.clone()])?),
                    None => common.push(line.clone()),
                }
            }
            if !common.is_empty() {
                code = code.max(judge(loaded, common)?);
            }
        }
        // Whether a policy can be used is no rule of it.
        self.observes.set(false);
        if code == 0 {
            code = self.new_policies(repo, loaded.as_deref(), event, lines)?;
        }
        Ok(code)
    }

    /// A policy with mistakes on the base would keep out everything, the next edit of it too.
    fn new_policies(
        &self,
        repo: &GitRepo,
        loaded: Option<&LoadedPolicy>,
        event: Event,
        lines: &[PushLine],
    ) -> Result<u8, Error> {
        match server_policy::check_new(repo, loaded, lines) {
            Ok(notes) => {
                notes.iter().for_each(|note| self.output.hook_says(&format!("note: {note}\n")));
                Ok(0)
            }
            Err(error) => {
                if error.kind() != Kind::Policy {
                    return Err(error);
                }
                print_error(&diagnostics::render_error(&error, false));
                self.output.hook_says(&format!(
                    "git-lane: refused; nothing was pushed ({}): with this policy, nothing could be pushed any \
                     more\n{}",
                    event.name(),
                    help_block("fix it, then push again; to see its mistakes: git lane policy check", false)
                ));
                Ok(1)
            }
        }
    }
}

fn update_line(args: &[OsString]) -> Result<PushLine, Error> {
    let words: Vec<Option<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    match words.as_slice() {
        [Some(name), Some(old), Some(new)] => Ok(received_line(name, old, new)?),
        _ => Err(Error::usage(
            "update was not given a ref and two object ids",
            "name them, as git does: git lane hook update REF OLD_OID NEW_OID",
        )),
    }
}

/// git follows a ref that leads to another one: what moves is the other.
fn resolve_symbolic(repo: &GitRepo, mut line: PushLine) -> Result<PushLine, Unavailable> {
    for _ in 0..DEEPEST {
        match repo.symbolic_ref(&line.remote_ref)? {
            Some(target) => line.remote_ref = target,
            None => return Ok(line),
        }
    }
    Err(Unavailable::new(
        format!("the ref {} on the server is a symbolic-ref loop", line.local_ref),
        format!("a server administrator can see its target: git symbolic-ref {}", line.local_ref),
    ))
}
