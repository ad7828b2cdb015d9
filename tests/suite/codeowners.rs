//! CODEOWNERS in and out, as a user types it: `init --from`, `policy codeowners`, and what `policy check` says.

use crate::support::Scratch;

const FILE: &str = "\
# who owns what
*            @org/all
/services/   @org/back   # both
/services/web/ @org/front @alice
/docs/*      docs@example.com
*.[ch]       @org/c
/free/
";

fn repository() -> Scratch {
    let scratch = Scratch::empty();
    for path in
        ["services/web/a.ts", "services/api/b.go", "docs/a.md", "docs/deep/b.md", "free/x", "Makefile"]
    {
        scratch.write(path, "x\n");
    }
    scratch.write(".github/CODEOWNERS", FILE);
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "x"]).ok();
    scratch
}

#[test]
fn init_takes_it_over() {
    let scratch = repository();
    let told = scratch.lane(&["init", "--from", "CODEOWNERS"]).ok();
    told.says("5 agents")
        .says("6 of 7 files have owners in .github/CODEOWNERS")
        .says(".github/CODEOWNERS:6: ");
    scratch.lane(&["policy", "check"]).ok().says("no mistakes").does_not_say("different owners");
    scratch.lane(&["policy", "test"]).ok().says("all true");
    for (path, owner) in
        [("services/web/a.ts", "alice and front"), ("docs/deep/b.md", "only all"), ("free/x", "anyone")]
    {
        scratch.lane(&["who", path]).ok().says(owner);
    }
    // Each agent keeps to what is its own.
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "policy"]).ok();
    let tree = scratch.worktree("front", "feat/front/x");
    tree.lane(&["install", "--agent", "front"]).ok();
    tree.commit("services/web/c.ts", "x\n", "feat: c").ok();
    tree.commit("services/api/c.go", "x\n", "feat: c").fails(1).says("[foreign-path]");
}

#[test]
fn init_says_what_it_cannot_take_over() {
    let scratch = repository();
    scratch.lane(&["init", "--from", "nowhere"]).fails(2).says("nowhere cannot be read");
    scratch.write("empty", "# nothing\n/x/\n");
    scratch
        .lane(&["init", "--from", "empty"])
        .fails(2)
        .says("gives nobody anything, as GitHub reads it")
        .says("git lane init");
    assert!(!scratch.root().join("policy.yaml").exists());
    scratch.write("owners", "[Docs][2] @docs\n/docs/\n^[Hint]\n*.go @go\n[Both] @x\n/docs/deep/\n");
    let told = scratch.lane(&["init", "--from", "owners", "--stdout"]).ok();
    told.says("owners:1: `[Docs][2]`")
        .says("owners:3: `^[Hint]`")
        .says("1 file has owners in several sections");
    // As GitHub reads it, headings are patterns that it does not know.
    scratch
        .lane(&["init", "--from", "owners", "--stdout", "--host", "github"])
        .ok()
        .says("GitHub skips the line");
    scratch.lane(&["init"]).ok();
}

const POLICY: &str = "version: 1\nservices: { paths: 'services/{service}/**' }\nmaintainers: ['github:boss']\n\
    agents: { a1: { services: [web], owner: '@org/front' }, a2: { services: [api], owner: ['@org/back', '@bob'] } }\n\
    areas:\n  - { name: docs, paths: ['/docs/*'], access: owner, owner: [a1, a2] }\n  \
    - { name: c, paths: ['*.[ch]'], access: open }\n  - { name: policy, paths: [/policy.yaml, /.github/], access: maintainer }\n";

#[test]
fn a_policy_is_written_and_held_against_what_is_there() {
    let scratch = repository();
    scratch.write("policy.yaml", POLICY);
    let check = scratch.lane(&["policy", "check"]).ok().says("no mistakes").says("warning");
    let check = check
        .says(".github/CODEOWNERS and the policy give")
        .says("services/api/b.go: @bob @org/back in the policy, @org/back in");
    check.says("git lane policy codeowners\n");
    let told = scratch.lane(&["policy", "codeowners"]).ok().says("warning: policy.yaml:");
    assert!(
        told.out.contains("\n/services/api/ @org/back @bob\n")
            && told.out.contains("\n/docs/ @org/front @org/back @bob\n")
    );
    assert!(told.out.contains("\n# not said here: *.[ch]: "), "{}", told.out);
    // What somebody wrote by hand stays.
    scratch
        .lane(&["policy", "codeowners", "--write", ".github/CODEOWNERS"])
        .fails(2)
        .says("git-lane did not write it");
    assert_eq!(std::fs::read_to_string(scratch.root().join(".github/CODEOWNERS")).unwrap(), FILE);
    std::fs::remove_file(scratch.root().join(".github/CODEOWNERS")).unwrap();
    for _ in 0..2 {
        scratch
            .lane(&["policy", "codeowners", "--write", ".github/CODEOWNERS"])
            .ok()
            .says("wrote .github/CODEOWNERS for GitHub: 5 lines");
    }
    assert_eq!(std::fs::read_to_string(scratch.root().join(".github/CODEOWNERS")).unwrap(), told.out);
    scratch.lane(&["policy", "check"]).ok().does_not_say("different owners");
    let gitlab = scratch.lane(&["policy", "codeowners", "--host", "gitlab", "--format", "json"]).ok().json();
    assert_eq!(gitlab["host"], "GitLab");
    assert!(gitlab["text"].as_str().unwrap().contains("\n*.[ch]\n"), "{gitlab}");
    let json = scratch.lane(&["policy", "check", "--format", "json"]).ok().json();
    assert!(json["codeowners"].is_null(), "{json}");
}
