//! What commits have besides files: messages, and who made them, with real repositories.

use crate::advice::{commands, sh};
use crate::support::ci::Job;
use crate::support::server::{self, Server};
use crate::support::{POLICY, Scratch, Worktree};

const PUSH: [&str; 4] = ["push", "-q", "origin", "HEAD"];
/// A message that passes: `[A2] AB-1: x`, and why.
const GOOD: &str = "AB-1: x\n\nIt is so.";

/// The reference policy with more under `message`, and sections of its own.
fn policy(message: &str, sections: &str) -> String {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", "merges: allow");
    assert!(policy.contains("types: [] }"));
    policy.replace("types: [] }", &format!("types: []{message} }}")) + sections
}

fn messages() -> String {
    let keys = ", pattern: '^[A-Z]+-\\d+: ', example: 'AB-1: add a cache', forbid: ['(?i)\\bwip\\b'], subject_max: 40, \
                body: required";
    policy(keys, "")
}

/// Messages that are refused, by which rule, and what an editor does about them.
const REFUSED: &[(&str, &str, &str)] = &[
    ("message-pattern", "no number\n\nIt is so.", "1s/no number/AB-1: x/"),
    ("message-pattern", "AB-1: x\n\nStill a wip.", "s/ a wip//"),
    (
        "message-length",
        "AB-1: this goes on, and on, and on, and on\n\nIt is so.",
        "1s/, and on, and on, and on//",
    ),
    ("missing-body", "AB-1: x\n\nAgent: a2", "1s/$/\\n\\nIt is so./"),
];

#[test]
fn what_is_told_of_messages_leads_on() {
    let (_scratch, tree) = Scratch::installed_with(&messages());
    for (at, (rule, message, edit)) in REFUSED.iter().enumerate() {
        let refused = tree.git(&["commit", "-q", "--allow-empty", "-m", message]).fails(1);
        refused.says(&format!("[{rule}]")).says("then commit again");
        for commits in 1..3 {
            tree.git(&["switch", "-q", "-c", &format!("feat/a2/{at}-{commits}"), "origin/main"]).ok();
            for n in 0..commits {
                let path = format!("services/rag_pipeline/{n}.py");
                tree.sneak(&path, "x\n", &format!("[A2] {message}"));
            }
            let ran = tree.git(&PUSH).fails(1).says(&format!("[{rule}]"));
            let told = commands(&ran.all());
            assert_eq!(told.len(), 1, "{told:?}");
            let editors = "export GIT_SEQUENCE_EDITOR='sed -i s/^pick/reword/'; export GIT_EDITOR=\"sed -i";
            sh(&tree, &format!("{editors} '{edit}'\"; {}", told[0])).ok();
            tree.git(&PUSH).ok().does_not_say("[message").does_not_say("[missing");
            let log = tree.git(&["log", "--format=%B", "--name-only", "origin/main.."]).out;
            assert_eq!(log.matches(".py").count(), commits, "{log}");
        }
    }
    tree.git(&["commit", "-q", "--allow-empty", "-m", "x"])
        .fails(1)
        .says("write it like `AB-1: add a cache`");
}

#[test]
fn messages_as_git_makes_them() {
    let (scratch, tree) = Scratch::installed_with(&messages());
    let commit = |options: &str, text: &str| {
        std::fs::write(tree.home.join("message"), text).unwrap();
        sh(&tree, &format!("git {options} commit -q --allow-empty -F \"$HOME/message\""))
    };
    // Line ends of Windows, comments that stay, scissors that cut nothing where no editor was.
    commit("", "AB-1: x\r\n\r\nIt is so.\r\n").ok();
    commit("", "AB-1: x\n\n# It is so.\n").ok();
    commit("-c commit.cleanup=strip", "AB-1: x\n\n# It is so.\n").fails(1).says("[missing-body]");
    commit("-c commit.cleanup=verbatim", "# AB-1\n\nwip\n").fails(1).says("`wip`, which");
    commit("-c core.commentChar=';' -c commit.cleanup=strip", "; wip\nAB-1: x\n\nIt is so.\n").ok();
    let editor = "cp \"$HOME/message\" \"$1\"; cat \"$HOME/below\" >>\"$1\"";
    let scissors = "# ------------------------ >8 ------------------------\n";
    std::fs::write(tree.home.join("below"), format!("# wip\n{scissors}diff wip\n")).unwrap();
    std::fs::write(tree.home.join("editor"), editor).unwrap();
    std::fs::write(tree.home.join("message"), GOOD.to_owned() + "\n").unwrap();
    let edited = "GIT_EDITOR='sh \"$HOME/editor\"' git -c commit.verbose=true commit -q --allow-empty";
    sh(&tree, edited).ok();
    // Another encoding, whose bytes are characters here and there.
    let latin = [b"AB-1: ".as_slice(), &[0xe9; 34], b"\n\nIt is so.\n"].concat();
    std::fs::write(tree.home.join("message"), &latin).unwrap();
    let again = "git -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -F \"$HOME/message\"";
    sh(&tree, again).fails(1).says("45 characters");
    sh(&tree, "git config i18n.commitEncoding ISO-8859-1").ok();
    let short = [b"AB-1: ".as_slice(), &[0xe9; 29], b"\n\nIt is so.\n"].concat();
    std::fs::write(tree.home.join("message"), &short).unwrap();
    sh(&tree, "git commit -q --allow-empty -F \"$HOME/message\"").ok();
    // What git writes itself.
    tree.git(&["revert", "--no-edit", "HEAD~1"]);
    tree.git(&["commit", "-q", "--allow-empty", "--fixup", "HEAD"]).ok();
    scratch.main().sneak("a", "x\n", "wip");
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.git(&["merge", "-q", "--no-edit", "origin/main"]).ok();
    tree.git(&PUSH).ok();
    // What the base has is left alone here; a merge in one's own words is not.
    tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    tree.git(&["merge", "-q", "--no-verify", "-m", "[A2] my merge", "origin/main"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD:refs/heads/feat/a2/y"]).fails(1).says("[message-pattern]");
}

#[test]
fn what_is_told_of_sign_offs_leads_on() {
    let (_scratch, tree) = Scratch::installed_with(&policy(", sign_off: required", ""));
    let commit = ["commit", "-q", "--allow-empty", "-m", "feat: x"];
    tree.git(&commit).fails(1).says("[missing-sign-off]").says("sign it off with `-s`");
    let other = ["--trailer", "Signed-off-by: B <b@example.com>"];
    tree.git(&[&commit[..], &other].concat()).fails(1).says("the sign-off of `B <b@example.com>`");
    tree.git(&[&commit[..], &["-s"]].concat()).ok();
    for commits in 1..4 {
        tree.git(&["switch", "-q", "-c", &format!("feat/a2/{commits}"), "origin/main"]).ok();
        for n in 0..commits.min(2) {
            tree.sneak(&format!("services/rag_pipeline/{n}.py"), "x\n", "[A2] feat: x");
        }
        if commits == 3 {
            tree.git(&["merge", "-q", "--no-verify", "-m", "[A2] my merge", "feat/a2/x"]).ok();
        }
        let told = commands(&tree.git(&PUSH).fails(1).says("[missing-sign-off]").all());
        assert_eq!(told.len(), 1, "{told:?}");
        sh(&tree, &told[0]).ok();
        tree.git(&PUSH).ok();
    }
}

/// As somebody has it who tells git who they are by its configuration.
const CONFIGURED: &str = "unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL;";

fn people() -> String {
    let corp = "email: '@corp\\.example$'";
    policy("", &format!("author: {{ {corp} }}\ncommitter: {{ {corp}, name: '^[A-Z]' }}\n"))
}

#[test]
fn what_is_told_of_people_leads_on() {
    let (_scratch, tree) = Scratch::installed_with(&people());
    let run = |script: &str| sh(&tree, &format!("{CONFIGURED} {script}"));
    run("git config user.name Ada; git config user.email ada@home.example").ok();
    let commit = "commit -q --allow-empty -m 'feat: x'";
    let ran = run(&format!("git {commit}")).fails(1).says("[author-pattern]").says("[committer-pattern]");
    ran.says("the author's address `ada@home.example` does not match `@corp\\.example$`");
    let ada = "git -c user.email=ada@corp.example";
    run(&format!("{ada} {commit}")).ok();
    let other = run(&format!("{ada} {commit} --author 'Eve <eve@x>'")).fails(1).says("`eve@x`");
    other.does_not_say("[committer-pattern]");
    // What is amended keeps its author.
    run(&format!("{ada} {commit} --no-verify --author 'Eve <eve@x>'")).ok();
    let amend = format!("{ada} commit -q --amend --allow-empty -m 'feat: y'");
    run(&amend).fails(1).says("with --reset-author");
    run(&format!("{amend} --reset-author")).ok();
    for commits in 1..3 {
        tree.git(&["switch", "-q", "-c", &format!("feat/a2/{commits}"), "origin/main"]).ok();
        run("git config user.email ada@home.example").ok();
        if commits > 1 {
            let grace = "--author 'Grace <grace@corp.example>' --date 2020-01-02T03:04:05Z";
            run(&format!("git commit -q --no-verify --allow-empty -m '[A2] of grace' {grace}")).ok();
        }
        tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] feat: x");
        let told = commands(&tree.git(&PUSH).fails(1).says("[author-pattern]").all());
        assert!(told.len() >= 4, "{told:?}");
        for command in told {
            run(&command.replace("ADDRESS", "ada@corp.example")).ok();
        }
        tree.git(&PUSH).ok();
        let log = tree.git(&["log", "--format=%ae %cn", "origin/main.."]).out;
        assert!(log.starts_with("ada@corp.example Ada\n"), "{log}");
        assert!(commits == 1 || log.ends_with("grace@corp.example Ada\n"), "{log}");
    }
    // A cherry-pick keeps the author, and runs no hook for messages.
    run("git switch -q -c eve --no-track origin/main; echo x >services/rag_pipeline/e.py; git add -A; \
         git commit -q --no-verify --author 'Eve <eve@x>' -m '[A2] of eve'; git switch -q feat/a2/1; \
         git cherry-pick eve")
    .ok();
    tree.git(&PUSH).fails(1).says("whose author's address `eve@x` does not match").does_not_say("[committer");
}

#[test]
fn people_and_sign_offs_at_the_server_and_in_the_job() {
    let policy = people().replace("types: [] }", "types: [], sign_off: required }");
    let server = Server::with(&policy);
    let tree = server.clone("c", "feat/a2/x");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] feat: x");
    let ran = server::push(&tree, &["HEAD"]).fails(1).says("[author-pattern]").says("[committer-pattern]");
    ran.says("[missing-sign-off]").says("`test@example.com`");
    let amend = "export GIT_COMMITTER_EMAIL=ada@corp.example GIT_AUTHOR_EMAIL=ada@corp.example; \
                 git commit -q --amend --no-verify --reset-author --no-edit -s";
    sh(&tree, amend).ok();
    server::push(&tree, &["HEAD"]).ok();

    let job = Job::with_policy(&policy);
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: x");
    // git goes by the first address, and not by the last.
    let forged = "git cat-file commit HEAD | sed 's/^author .*/author Eve <eve@x> <ada@corp.example> 1 +0000/' >c; \
                  git update-ref HEAD $(git hash-object -t commit -w --literally c); rm c";
    sh(&job.tree, forged).ok();
    job.push();
    let checkout = job.checkout(&[]);
    let log = job.on_github(&checkout, &[], &job.payload(|_| {}), &[]).fails(1).says("author-pattern");
    log.says("`eve@x`").says("committer-pattern").says("missing-sign-off");
}

#[test]
fn messages_at_the_server_and_in_the_job() {
    let server = Server::with(&messages());
    let tree = server.clone("c", "feat/a2/x");
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] no number");
    server::push(&tree, &["HEAD"]).fails(1).says("[message-pattern]").says("[missing-body]");
    tree.git(&["commit", "-q", "--amend", "--no-verify", "-m", &format!("[A2] {GOOD}")]).ok();
    server::push(&tree, &["HEAD"]).ok();

    let job = Job::with_policy(&messages());
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] AB-1: a wip of many words that does not end");
    job.push();
    let checkout = job.checkout(&[]);
    let report = job.on_github(&checkout, &["--format", "json"], &job.payload(|_| {}), &[]).fails(1).json();
    let findings = report["findings"].as_array().unwrap();
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["message-length", "message-pattern", "missing-body"]);
}

fn tags() -> String {
    let entries = "tags:\n  - { pattern: '**', by: nobody }\n  - { pattern: 'v*', by: maintainers, form: annotated, \
                   change: deny }\n  - { regex: '^a2/\\d+$', by: a2 }\n  - { pattern: 's*', form: signed }\n";
    policy("", entries)
}

#[test]
fn what_is_told_of_tags_leads_on() {
    let (scratch, tree) = Scratch::installed_with(&tags());
    let push = |tree: &Worktree, refs: &str| tree.git(&["push", "-q", "origin", refs]);
    tree.git(&["tag", "-a", "-m", "one", "v1"]).ok();
    push(&tree, "v1").fails(1).says("[protected-tag]").says("which maintainers alone do, but you are a2");
    push(&tree, "v1:refs/tags/a2/x").fails(1).says("which no push does");
    push(&tree, "v1:refs/tags/a2/1").ok();
    let main = scratch.main();
    main.lane(&["install"]).ok();
    main.git(&["tag", "v2"]).ok();
    let ran = push(&main, "v2").fails(1).says("the tag `v2` has no message of its own");
    let told = commands(&ran.all());
    assert_eq!(told, ["git tag -f -a v2 v2^{}"]);
    sh(&main, &format!("GIT_EDITOR='echo two >' {}", told[0])).ok();
    push(&main, "v2").ok();
    main.git(&["tag", "-f", "-a", "-m", "again", "v2", "HEAD"]).ok();
    push(&main, "+v2").fails(1).says("the push moves the tag `v2`, which stays as it is");
    push(&main, ":v2").fails(1).says("the push deletes the tag `v2`, which stays as it is");
    // A signature that git can make here.
    let made = scratch.run(&scratch.home(), "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "key"]);
    if made.code != 0 {
        return;
    }
    sh(&main, "git config gpg.format ssh; git config user.signingKey \"$HOME/key\"").ok();
    main.git(&["tag", "s1"]).ok();
    let told = commands(&push(&main, "s1").fails(1).says("the tag `s1` is not signed").all());
    sh(&main, &format!("GIT_EDITOR='echo one >' {}", told[0])).ok();
    push(&main, "s1").ok();
    let forged = "git cat-file tag s1 | sed 's/^tag s1/tag s2/' >t; \
                  git update-ref refs/tags/s2 $(git hash-object -t tag -w t); rm t";
    sh(&main, forged).ok();
    push(&main, "s2").fails(1).says("has a signature that does not fit what it signs");
}

#[test]
fn tags_at_the_server() {
    let server = Server::with(&server::with_accounts(&tags()));
    let tree = server.clone("c", "feat/a2/x");
    sh(&tree, "git tag -a -m x v1; git tag w; git tag -a -m x a2/1; git tag a3; git tag s1 HEAD^{tree}").ok();
    // Nothing of it is new, and nobody says who pushes.
    server::push(&tree, &["v1"]).fails(1).says("[protected-tag]").says("but the server is not");
    server::push(&tree, &["w"]).fails(1).says("which no push does");
    server::push(&tree, &["a2/1"]).fails(1).says("which is left to a2 and maintainers");
    server::push(&tree, &["s1"]).fails(1).says("is not signed").does_not_say("[identity]");
    server::push_as(&tree, "bot-2", &["v1"]).fails(1).says("which maintainers alone do, but you are a2");
    server::push_as(&tree, "bot-2", &["a2/1"]).ok();
    server::push_as(&tree, "bot-1", &[":refs/tags/a2/1"]).fails(1).says("but you are a1");
    server::push_as(&tree, "lead", &["v1"]).ok();
    server::push_as(&tree, "lead", &[":v1"]).fails(1).says("which stays as it is");
    // A tag on something new is judged as well.
    tree.sneak("services/rag_pipeline/a.py", "x\n", "[A2] feat: x");
    tree.git(&["tag", "-a", "-m", "x", "v3"]).ok();
    server::push(&tree, &["v3"]).fails(1).says("which maintainers alone do, but you are a2");
}

#[test]
fn what_is_told_of_signatures_leads_on() {
    let policy = policy("", "").replace("history: { ", "history: { signatures: required, ");
    let (scratch, tree) = Scratch::installed_with(&policy);
    let made = scratch.run(&scratch.home(), "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "key"]);
    for commits in 1..3 {
        tree.git(&["switch", "-q", "-c", &format!("feat/a2/{commits}"), "origin/main"]).ok();
        for n in 0..commits {
            tree.sneak(&format!("services/rag_pipeline/{n}.py"), "x\n", "[A2] feat: x");
        }
        let told =
            commands(&tree.git(&PUSH).fails(1).says("[unsigned-commit]").says("that is not signed").all());
        assert_eq!(told.len(), 1, "{told:?}");
        if made.code != 0 {
            return;
        }
        sh(&tree, "git config gpg.format ssh; git config user.signingKey \"$HOME/key\"").ok();
        sh(&tree, &told[0]).ok();
        tree.git(&PUSH).ok();
    }
    // A signature of something else, and one that only a keyring could tell.
    let resign = "git cat-file commit HEAD | sed \"$1\" >c; git update-ref HEAD $(git hash-object -t commit -w c); rm c";
    let forge = |edit: &str| sh(&tree, &format!("set -- '{edit}'; {resign}")).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    forge("s/feat: x/feat: y/");
    tree.git(&PUSH).fails(1).says("that has a signature that does not fit what it signs");
    forge("s/SSH SIGNATURE/PGP SIGNATURE/");
    tree.git(&PUSH).ok();
}

#[test]
fn mistakes_of_messages_have_their_places() {
    for (text, told) in [
        ("message: { patern: x }", "did you mean `pattern`"),
        ("message: { pattern: '(x' }", "unclosed group"),
        ("message: { pattern: '(\\w{1000}){100}' }", "it would take more than 2 MB of memory"),
        ("message: { forbid: ['x*'] }", "matches every message"),
        ("message: { forbid: ['[z-a]'] }", "invalid character class range"),
        ("message: { subject_max: 0 }", "which no subject keeps to"),
        ("message: { subject_max: many }", "must be a whole number"),
        ("message: { body: require }", "did you mean `required`"),
        ("message: { example: x }", "is an example of nothing"),
        ("message: { sign_off: true }", "choice for `message.sign_off`"),
        ("author: { mail: x }", "did you mean `email`"),
        ("author: x", "a mapping for `author`"),
        ("committer: { name: '*' }", "repetition operator missing expression"),
        ("history: { signatures: true }", "choice for `history.signatures`"),
        ("tags: { pattern: x }", "a list for `tags`"),
        ("tags: [{ by: nobody }]", "has no `pattern`"),
        ("tags: [{ pattern: x, regex: x }]", "has both `pattern` and `regex`"),
        ("tags: [{ regex: '(x' }]", "unclosed group"),
        ("tags: [{ pattern: '!x' }]", "patterns cannot be negated"),
        ("tags: [{ pattern: x, by: a9 }]", "unknown agent `a9`"),
        ("tags: [{ pattern: x, by: [nobody, maintainers] }]", "is not alone under `by`"),
        ("tags: [{ pattern: x, form: sign }]", "did you mean `signed`"),
        ("message: { pattern: '^y', example: x }", "`x` does not match `^y`"),
        ("message: { pattern: x, forbid: wip, example: x wip }", "`x wip` is forbidden by `wip`"),
        ("message: { pattern: x, subject_max: 2, example: xxx }", "`xxx` has more than 2 characters"),
    ] {
        let scratch = Scratch::with_policy(&format!("version: 1\n{text}\n"));
        scratch.lane(&["policy", "check"]).fails(2).says(told);
    }
    // The caret is inside of the pattern.
    let scratch = Scratch::with_policy("version: 1\nmessage: { pattern: 'abc(def' }\n");
    let ran = scratch.lane(&["policy", "check"]).fails(2);
    let lines: Vec<&str> = ran.out.lines().collect();
    let line = lines.iter().position(|line| line.contains("message:")).unwrap();
    assert_eq!(lines[line].find('('), lines[line + 1].find('^'), "{}", ran.out);
}
