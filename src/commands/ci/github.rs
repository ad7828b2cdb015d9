//! What a policy job asks GitHub, and what it tells there.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::ci::waivers::{self, WaiverFacts};
use crate::ci::{Host, Job};
use crate::cli::diagnostics;
use crate::cli::output::{note, print_error};
use crate::gather::{CiRange, HostFacts};
use lane_core::error::Error;
use lane_core::facts::{self, Event, Fact, IdentityProof, Oid, Unavailable};
use lane_core::identity::{is_maintainer_on_github, lists_maintainers_on_github};
use lane_core::policy::Plan;
use lane_core::policy::model::Level;
use lane_core::report::{Finding, Report, Verdict, summary, text};
use lane_core::requests::record::Person;
use lane_core::rules::{self, Need};
use lane_git::Repository;
use lane_github::{
    self as github, Annotation, CheckRun, Comment, Conclusion, GitHub, Permission, PullRequest,
    RepositoryName, Settings,
};

/// The name of the check: another one than jobs usually have, of which it can be seen beside it.
const CHECK: &str = "git-lane policy";
/// The mark of the comment.
const MARK: &str = "git-lane";

/// A connection to the repository of a pull request.
pub(in crate::commands) struct GitHubJob {
    github: GitHub,
}

impl GitHubJob {
    /// Connects where there is a token; without one nothing is asked, unless something is to be published.
    ///
    /// # Errors
    /// Something is to be published, and nobody says where or as whom.
    pub fn open(repo: &dyn Repository, job: &Job, publishes: bool) -> Result<Option<Self>, Error> {
        if job.host != Host::GitHub {
            return match publishes {
                true => Err(Error::usage(
                    "--publish needs a GitHub job",
                    "omit it; use --write sarif=FILE or --write gitlab=FILE elsewhere",
                )),
                false => Ok(None),
            };
        }
        let remote = repo.config("lane.remote")?.pop().unwrap_or_else(|| "origin".to_owned());
        let address = repo.config(&format!("remote.{remote}.url"))?.pop();
        match Settings::of_process(address.as_deref()).and_then(|settings| GitHub::connect(&settings)) {
            Ok(github) => Ok(Some(Self { github })),
            Err(error) if publishes => Err(Unavailable::from(error).into()),
            Err(_) => {
                if job
                    .request
                    .labels
                    .as_ref()
                    .is_some_and(|labels| !waivers::requested_rules(labels).is_empty())
                {
                    note("waiver labels need a token, to look up who added them");
                }
                Ok(None)
            }
        }
    }

    /// Adds what GitHub knows of the pull request: its title and labels as they are now, who pushed its head,
    /// and which labels waive something. What cannot be found out speaks for nobody.
    ///
    /// # Errors
    /// The pull request cannot be read.
    pub fn publish_verdict(
        &self,
        located: &CiRange,
        job: &mut Job,
        told: &mut HostFacts,
        now: i64,
    ) -> Result<(), Error> {
        let Some(number) = job.request.number else {
            return Ok(());
        };
        let pull = match self.github.pull_request(number) {
            Ok(pull) => pull,
            Err(error) if error.is_forbidden() => {
                note(&format!("the pull request could not be read from GitHub: {error}; {}", error.help()));
                told.reviews = unread_reviews(&located.loaded.plan);
                return Ok(());
            }
            Err(error) => return Err(Unavailable::from(error).into()),
        };
        if !job.is_queue {
            has_moved(job, &pull, located.head)?;
        } else if !pull.is_fork {
            job.branch = Some(pull.head_ref.clone());
        }
        // A payload is as old as its event, also where the job is run again. Title and labels as they are now count.
        told.request = request(&pull);
        told.proofs = vec![IdentityProof::GithubAccount(pull.author.clone())];
        let plan = &located.loaded.plan;
        let asks = !waivers::requested_rules(&pull.labels).is_empty();
        let is_told = asks || plan.has_accounts();
        let pushed = if is_told { self.push_of(&pull) } else { None };
        if is_told {
            told.proofs.push(match &pushed {
                Some((actor, _)) => IdentityProof::GithubAccount(actor.clone()),
                None => IdentityProof::UnknownPusher,
            });
        }
        let asked = RefCell::new(HashMap::new());
        let is_maintainer = |login: &str| self.is_maintainer_once(plan, login, &asked);
        if wants_reviews(plan) {
            told.reviews = self.approvals(plan, &pull, &told.proofs, &is_maintainer).into();
        }
        if asks {
            let history = self.github.label_events(number).map_err(Unavailable::from)?;
            // What was let stand against one base says nothing of another.
            let pushed = pushed.map(|(_, at)| history.base_changed.map_or(at, |changed| changed.max(at)));
            let known = WaiverFacts { labels: &pull.labels, events: &history.events, pushed, now };
            let (granted, refused) = waivers::grant_waivers(plan, &known, &is_maintainer);
            told.waivers = granted;
            refused.iter().for_each(|why| note(why));
        }
        Ok(())
    }

    /// Who approves the head of the pull request, of those who did not make it.
    fn approvals(
        &self,
        plan: &Plan,
        pull: &PullRequest,
        makers: &[IdentityProof],
        is_maintainer: &dyn Fn(&str) -> Result<bool, String>,
    ) -> Result<Vec<Person>, Unavailable> {
        let mut people = Vec::new();
        for review in self.github.reviews(pull.number).map_err(Unavailable::from)? {
            let is_current = review.commit.as_deref() == Some(pull.head_sha.as_str());
            let is_maker = |proof: &IdentityProof| {
                proof.account().is_some_and(|account| account.eq_ignore_ascii_case(&review.author))
            };
            if !review.approves || makers.iter().any(is_maker) {
                continue;
            }
            if !is_current {
                note(&format!(
                    "the approval of `{}` is of an earlier head, and does not count",
                    review.author
                ));
                continue;
            }
            if let Some(agent) = plan.agent_of_account(&review.author) {
                people.push(Person::Agent(agent.to_owned()));
            } else if is_maintainer(&review.author).map_err(|why| {
                Unavailable::new(why, "give the job a token that may read the repository, or run it again")
            })? {
                people.push(Person::Maintainer(review.author));
            }
        }
        Ok(people)
    }

    /// Who pushed the head, and when; nothing where the branch was moved on, or moved back to it, since.
    fn push_of(&self, pull: &PullRequest) -> Option<(String, i64)> {
        let repository = RepositoryName::parse(pull.head_repository.as_deref()?)?;
        match self.github.pushes(&repository, &pull.head_ref, Some(&pull.head_sha)) {
            Ok(pushes) => {
                let push = pushes.into_iter().next().filter(|push| push.after == pull.head_sha);
                if push.is_none() {
                    note("who pushed the head of the pull request, and when, could not be determined");
                }
                push.map(|push| (push.actor, push.at))
            }
            Err(error) => {
                note(&format!("who pushed the head could not be determined: {error}; {}", error.help()));
                None
            }
        }
    }

    /// The same, asked once for each account.
    fn is_maintainer_once(
        &self,
        plan: &Plan,
        login: &str,
        asked: &RefCell<HashMap<String, bool>>,
    ) -> Result<bool, String> {
        if let Some(known) = asked.borrow().get(login) {
            return Ok(*known);
        }
        let is_it = self.is_maintainer(plan, login)?;
        asked.borrow_mut().insert(login.to_owned(), is_it);
        Ok(is_it)
    }

    /// Whether an account may waive and approve: one that the policy lists, or, where it lists none on GitHub, one that may
    /// maintain the repository.
    fn is_maintainer(&self, plan: &Plan, login: &str) -> Result<bool, String> {
        if lists_maintainers_on_github(plan) {
            return Ok(is_maintainer_on_github(plan, login));
        }
        match self.github.permission(login) {
            Ok(permission) => Ok(permission >= Permission::Maintain),
            Err(github::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(format!("the permissions of `{login}` could not be read: {error}")),
        }
    }

    /// Puts the verdict beside the commit and, where it is not a pass, on the pull request; gives 2 where that
    /// was not possible. A token that may only read, as pull requests of forks have it, is no failure.
    ///
    /// # Errors
    /// None so far: what GitHub does not take is told.
    pub fn publish(
        &self,
        job: &Job,
        head: Option<Oid>,
        is_binding: bool,
        report: &Report,
    ) -> Result<u8, Error> {
        let sha = match (&job.head.commit, head) {
            (Some(commit), _) if job.is_queue => commit.clone(),
            (_, Some(head)) => head.to_string(),
            (Some(commit), None) if Oid::from_hex(commit).is_some() => commit.clone(),
            // It is unknown beside which commit.
            _ => return Ok(2),
        };
        // A check speaks for a commit, whichever base it was held against: what passes on its way to a branch that
        // nobody protects must not look as if it might go anywhere.
        let mut code = if is_binding {
            outcome("the check run", self.github.publish_check(&check_run(job, sha, report)).map(|_| ()))
        } else {
            note("no check run is published: the policy does not protect the base by its name");
            0
        };
        if let Some(number) = job.request.number.filter(|_| !job.is_queue) {
            let body = (report.verdict != Verdict::Pass || report.spared().is_some())
                .then(|| summary::markdown(report, summary::COMMENT - 1_000));
            let comment: Result<Comment, _> = self.github.publish_comment(number, MARK, body.as_deref());
            code = code.max(outcome("the comment", comment.map(|_| ())));
        }
        Ok(code)
    }
}

fn wants_reviews(plan: &Plan) -> bool {
    rules::needs(plan, Event::Ci.stages()).contains(&Need::Approvals)
}

/// The reviews of a pull request that could not be read.
pub(in crate::commands) fn unread_reviews(plan: &Plan) -> Fact<Vec<Person>> {
    if !wants_reviews(plan) {
        return Fact::NotGathered;
    }
    Fact::Unavailable(Unavailable::new(
        "the reviews of the pull request could not be read from GitHub",
        "give the job a token with `pull-requests: read`, as GITHUB_TOKEN",
    ))
}

/// A job that is run again, or was overtaken, judges what the pull request was: its verdict is for nobody.
fn has_moved(job: &Job, pull: &PullRequest, head: Oid) -> Result<(), Error> {
    let base = job.base.branch.as_deref().unwrap_or_default();
    let what = if pull.head_sha != head.to_string() {
        format!("its head is now {}", pull.head_sha)
    } else if pull.base_ref != base {
        format!("it now goes into `{}`", pull.base_ref)
    } else {
        return Ok(());
    };
    Err(Unavailable::new(
        format!("{} has moved on: {what}", job.what),
        "the newer job decides; if none runs, push again, or close the pull request and open it again",
    )
    .into())
}

/// What a pull request says of itself as it is now.
fn request(pull: &PullRequest) -> facts::PullRequest {
    facts::PullRequest {
        number: Some(pull.number),
        title: Some(pull.title.clone()),
        labels: Some(pull.labels.clone()),
        author: Some(pull.author.clone()),
        is_fork: pull.is_fork,
    }
}

fn outcome(what: &str, done: Result<(), github::Error>) -> u8 {
    match done {
        Ok(()) => 0,
        Err(error) if error.is_forbidden() => {
            note(&format!("{what} was not published: {error}; see annotations and summary instead"));
            0
        }
        Err(error) => {
            let error = Error::write(format!("{what} was not published: {error}"), error.help());
            print_error(&diagnostics::render_error(&error, false));
            error.kind().exit_code()
        }
    }
}

fn check_run(job: &Job, head_sha: String, report: &Report) -> CheckRun {
    CheckRun {
        name: CHECK.to_owned(),
        head_sha,
        conclusion: match report.verdict {
            Verdict::Pass if report.spared().is_some() => Conclusion::Neutral,
            Verdict::Pass => Conclusion::Success,
            Verdict::Fail => Conclusion::Failure,
            Verdict::Undecided => Conclusion::ActionRequired,
        },
        title: text::verdict_words(report),
        summary: summary::markdown(report, summary::COMMENT - 1_000),
        text: None,
        annotations: report.findings.iter().filter_map(annotation).collect(),
        details_url: None,
        external_id: job.request.number.map_or_else(|| "queue".to_owned(), |number| format!("pull-{number}")),
    }
}

/// A remark on a file that can be named; all others stand in the summary.
fn annotation(finding: &Finding) -> Option<Annotation> {
    let path = finding.path.as_ref()?.as_text()?.to_owned();
    let level = match (&finding.waived, finding.level) {
        (Some(_), _) => github::Level::Notice,
        (None, Level::Error) => github::Level::Failure,
        (None, _) => github::Level::Warning,
    };
    let next = match &finding.waived {
        Some(waived) => waived.words(),
        None => format!("next: {}", finding.help(finding.path.as_slice())),
    };
    let message = format!("{}\n{next}", finding.message);
    Some(Annotation {
        path,
        start_line: 1,
        end_line: 1,
        level,
        message,
        title: format!("git-lane: {}", finding.rule),
    })
}
