//! `git lane mangen DIR`: the manual pages, from the command line itself. `git lane --help` has git open the first of them.

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::commands::TABLE;
use crate::commands::args::command;
use lane_core::error::Error;

/// Write the manual pages to a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that they are written to, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub folder: PathBuf,
}

/// Writes a page for the whole, and one for each command.
///
/// # Errors
/// One of them cannot be written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let fail = |path: &Path, error: &std::io::Error| {
        Error::write(
            format!("{} cannot be written: {error}", path.display()),
            "name a folder you can write to, such as ~/.local/share/man/man1",
        )
    };
    std::fs::create_dir_all(&args.folder).map_err(|error| fail(&args.folder, &error))?;
    let mut root = command();
    root.build();
    let mut pages = vec![("git-lane".to_owned(), whole(&root))];
    pages_below(&root, &mut pages);
    for (name, page) in &pages {
        let path = args.folder.join(format!("{name}.1"));
        let text = page.as_ref().map_err(|error| fail(&path, error))?;
        std::fs::write(&path, text).map_err(|error| fail(&path, &error))?;
    }
    if !output.is_quiet() {
        output.print(&format!("{}\n", args.folder.join("git-lane.1").display()))?;
    }
    Ok(0)
}

type Page = std::io::Result<Vec<u8>>;

fn pages_below(command: &Command, pages: &mut Vec<(String, Page)>) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages.push((display_name(sub), one(sub, command)));
        pages_below(sub, pages);
    }
}

fn display_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn man(command: &Command) -> Man {
    Man::new(command.clone())
        .title(display_name(command).to_uppercase())
        // None: the same version has the same page, whenever it was made. An argument that is empty would be lost.
        .date("\"\"")
        .source(format!("git-lane {}", env!("CARGO_PKG_VERSION")))
        .manual("git-lane Manual")
}

/// The page of a command.
fn one(command: &Command, parent: &Command) -> Page {
    let man = man(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    exit_status(&mut roff);
    roff.control("SH", ["SEE ALSO"]);
    let above = display_name(parent);
    let mut line = vec![bold(above.clone()), roman("(1)")];
    if above != "git-lane" {
        line.extend([roman(", "), bold("git-lane"), roman("(1)")]);
    }
    roff.text(line);
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// The page of the whole.
fn whole(root: &Command) -> Page {
    let man = man(root);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["NAME"]);
    roff.text([roman("git-lane - keep many coding agents inside their lanes")]);
    synopsis(&mut roff);
    roff.control("SH", ["DESCRIPTION"]);
    for (at, text) in DESCRIPTION.iter().enumerate() {
        if at > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(*text)]);
    }
    roff.control("SH", ["COMMANDS"]);
    for group in TABLE {
        roff.control("SS", [group.title]);
        for entry in group.commands {
            let Some(command) = root.find_subcommand(entry.name) else { continue };
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            item(&mut roff, [bold(display_name(command)), roman("(1)")], &about);
        }
    }
    roff.to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut roff = Roff::new();
    roff.control("PP", []);
    roff.text([roman("Further options belong to one command each; its page has them.")]);
    exit_status(&mut roff);
    for (title, intro, items) in SECTIONS {
        roff.control("SH", [*title]);
        if !intro.is_empty() {
            roff.text([roman(*intro)]);
        }
        for (name, text) in *items {
            item(&mut roff, [bold(*name)], text);
        }
    }
    see_also(&mut roff);
    roff.to_writer(&mut page)?;
    Ok(page)
}

fn synopsis(roff: &mut Roff) {
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([
        bold("git lane"),
        roman(" [ "),
        bold("-C "),
        italic("DIR"),
        roman(" ] [ "),
        bold("--color "),
        italic("WHEN"),
        roman(" ] "),
        italic("COMMAND"),
        roman(" [ "),
        italic("ARGS"),
        roman(" ]"),
    ]);
}

fn see_also(roff: &mut Roff) {
    roff.control("SH", ["SEE ALSO"]);
    let pages = [("git", 1), ("githooks", 5), ("git-worktree", 1), ("git-config", 1)];
    let mut line = Vec::new();
    for (at, (name, section)) in pages.into_iter().enumerate() {
        if at > 0 {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman(format!("({section})"))]);
    }
    roff.text(line);
}

fn item(roff: &mut Roff, name: impl Into<Vec<Inline>>, text: &str) {
    roff.control("TP", []);
    roff.text(name);
    roff.text([roman(text)]);
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, text) in EXIT_STATUS {
        item(roff, [bold(*code)], text);
    }
}

const DESCRIPTION: &[&str] = &[
    "Git hooks and a policy engine for repositories in which many coding agents work at the same time, each in its own worktree. A file policy.yaml says which paths each agent may change, which need a lock, how branches and \
     messages are named and how large a change may be. Every commit and every push is checked against it, and what breaks it \
     is refused with the line of the policy that decided and the next command to run.",
    "The policy is read from the base branch, never from the branch that is judged. The same verdict, with the same \
     names of rules, is given at commit, at push, on a server and in the job of a pull request.",
    "A repository gets its first policy from git lane init; git lane install puts the hooks into a worktree, git lane \
     setup makes a worktree for each agent. From then on git does the rest, and git lane check gives the verdict before a \
     hook does.",
];

const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Passed, or done. Warnings do not change it."),
    ("1", "Refused: a rule found an error, or the command did not do what was asked."),
    ("2", "Could not decide: something could not be read, or the command line has a mistake. Hooks block."),
];

type Section = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SECTIONS: &[Section] = &[
    (
        "EXAMPLES",
        "",
        &[
            (
                "git lane join a2 search-filters",
                "Become agent a2 in this worktree, on a branch for that feature.",
            ),
            ("git lane who services/billing/api.py", "See who may change a file, before changing it."),
            (
                "git lane lock common --wait 1h",
                "Take the lock on an area, or wait in the queue for at most an hour.",
            ),
            ("git lane check --worktree", "Judge the branch with everything in the working tree."),
            ("git lane sync --push", "Rebase on the base, and push the result."),
        ],
    ),
    (
        "ENVIRONMENT",
        "",
        &[
            (
                "AGENT_ID",
                "The agent that works here, where neither --agent nor lane.agent says so; they must agree.",
            ),
            ("LANE_PID", "The process that locks are held for, as --pid of git lane lock."),
            ("LANE_LOG", "With debug, traces on standard error what was read and why it was decided."),
            ("LANE_TIMINGS", "With 1, hooks show what each rule takes, as git lane check --timings does."),
            (
                "LANE_GIT_BACKEND",
                "Who reads the repository: git2 or git. By default git2, and git where that cannot.",
            ),
            (
                "GH_TOKEN, GITHUB_TOKEN",
                "The account on GitHub, for git lane pr, git lane ci --publish and git lane status.",
            ),
            ("DATABASE_URL", "The database with the schemas of the agents."),
            ("GIT_PAGER, PAGER", "What shows output that is longer than the terminal; see git(1)."),
            (
                "NO_COLOR, CLICOLOR_FORCE",
                "Never, or always, use colours, unless --color says something else.",
            ),
        ],
    ),
    (
        "CONFIGURATION",
        "Read from the configuration of git; see git-config(1).",
        &[
            ("lane.agent", "The agent of this worktree, set by git lane install --agent, setup and join."),
            ("lane.custom", "On a server: whether commands of the policy are run there."),
            ("lane.notifyExec", "A command that git lane watch runs for each notice; empty: none."),
            ("lane.notifyWebhook", "The address of its webhook, or ${NAME}; empty: none."),
            ("lane.notifyDesktop", "Whether it shows notices on the desktop."),
            ("core.pager, pager.lane", "The pager, and whether git lane uses one, or which."),
        ],
    ),
    (
        "FILES",
        "",
        &[
            ("policy.yaml", "The policy, at the root of the repository; the one on the base branch counts."),
            ("policy.tests.yaml", "Sentences about the policy, proven by git lane policy test."),
            (".agent.env", "An agent's environment in its worktree, kept out of git."),
            (".git/lane/", "The program that starts hooks, and notes that hooks keep for one another."),
            ("refs/lane/", "Locks and requests, with who did what and when."),
        ],
    ),
];
