//! Who made a commit, as the rules about authors and committers read it.

use super::context::{Context, Draft, Findings};
use crate::facts::{Commit, Oid, People, Person, Stage, Unavailable};
use crate::policy::{Expression, PersonExpressions};

/// One of the two who make a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who wrote it.
    Author,
    /// Who made this commit of it.
    Committer,
}

/// What of somebody is held against an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Email,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Committer => "committer",
        }
    }
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "address",
        }
    }

    fn of(self, person: &Person) -> &str {
        match self {
            Self::Name => &person.name,
            Self::Email => &person.email,
        }
    }

    /// The first step: git has another from now on.
    fn configure(self) -> &'static str {
        match self {
            Self::Name => "set the name that is wanted: git config user.name NAME",
            Self::Email => "set the address that is wanted: git config user.email ADDRESS",
        }
    }
}

impl<'a> Context<'a> {
    /// Who makes the commit that is being made, or made one.
    ///
    /// # Errors
    /// It is not known.
    pub fn people(&self, commit: Option<&'a Commit>) -> Result<&'a People, Unavailable> {
        match commit {
            None => self.facts.people.get(),
            Some(commit) => commit.people.get(),
        }
    }

    /// Holds the author or the committer of each new commit against the expressions of the policy.
    ///
    /// # Errors
    /// Who it is is not known, or an expression cannot be compiled.
    pub fn people_findings(
        &self,
        role: Role,
        expressions: &PersonExpressions,
        findings: &mut Findings,
    ) -> Result<(), Unavailable> {
        let commits: Vec<Option<&'a Commit>> = if self.facts.event.stages() == [Stage::CommitMsg] {
            vec![None]
        } else {
            let new = self.commits()?.iter().filter(|commit| !commit.is_published && !commit.is_pushed);
            new.map(Some).collect()
        };
        for commit in commits {
            let people = self.people(commit)?;
            let person = if role == Role::Author { &people.author } else { &people.committer };
            for (part, expression) in [(Part::Name, &expressions.name), (Part::Email, &expressions.email)] {
                let Some(expression) = expression else { continue };
                if !expression.is_match(part.of(person))? {
                    findings.add(self.person_draft(commit, role, part, person, expression));
                }
            }
        }
        Ok(())
    }

    fn person_draft(
        &self,
        commit: Option<&Commit>,
        role: Role,
        part: Part,
        person: &Person,
        expression: &Expression,
    ) -> Draft {
        let (who, what, value) = (role.word(), part.word(), part.of(person));
        let mismatch = format!("{who}'s {what} `{value}` does not match `{}`", expression.text());
        let configure = part.configure();
        let Some(commit) = commit else {
            let again = match role {
                Role::Author => "then commit again; where you amend or reuse a commit, with --reset-author",
                Role::Committer => "then commit again",
            };
            let help = format!("{configure}\n{again}");
            return Draft {
                headline: format!("the {mismatch}"),
                help,
                span: expression.span(),
                ..Draft::default()
            };
        };
        let step = match role {
            Role::Committer => self.reword_from(
                Some(commit.oid),
                "git commit --amend --no-edit",
                "git rebase --force-rebase",
            ),
            Role::Author => self.take_over(commit.oid, part, value),
        };
        let help = self.first_step().unwrap_or_else(|| format!("{configure}\n{step}"));
        let headline = format!("whose {mismatch}");
        Draft { headline, help, span: expression.span(), ..Draft::of_commit(commit) }
    }

    /// How somebody else's name on commits becomes one's own, where they are. Commits of others among them stay theirs.
    fn take_over(&self, commit: Oid, part: Part, value: &str) -> String {
        let amend = "git commit --amend --no-edit --reset-author";
        // It goes into a shell twice.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+- ".contains(c);
        if !value.chars().all(is_plain) || value.is_empty() {
            let reword = self.reword_from(Some(commit), amend, "mark it with `edit` in: git rebase -i");
            return format!(
                "if it is your work, make it yours\n{reword}\nwhere it stops, use --amend --no-edit --reset-author"
            );
        }
        let format = if part == Part::Name { "%an" } else { "%ae" };
        let rebase = format!(
            "git rebase --exec 'test \"$(git log -1 --format={format})\" != \"{value}\" || {amend} --allow-empty'"
        );
        format!("if it is your work, make it yours\n{}", self.reword_from(Some(commit), amend, &rebase))
    }
}
