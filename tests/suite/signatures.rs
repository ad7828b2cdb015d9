//! Signatures of commits: ours against what git and OpenSSH say of the same objects.

use std::path::PathBuf;

use crate::support::{Ran, Scratch, Worktree};
use lane_core::signature::{Key, Kind, Signature, of_commit, split};
use lane_git::{Git2Repository, Repository};

/// Whether keys can be made here.
fn has_ssh_keygen() -> bool {
    let found = std::process::Command::new("ssh-keygen").arg("-?").output().is_ok();
    if !found {
        eprintln!("skipped: ssh-keygen is missing");
    }
    found
}

struct Signer {
    scratch: Scratch,
}

impl Signer {
    fn new() -> Self {
        let scratch = Scratch::empty();
        scratch.main().commit("a", "1\n", "first").ok();
        for (key, value) in [("gpg.format", "ssh"), ("gpg.ssh.allowedSignersFile", "../signers")] {
            scratch.git(&["config", key, value]).ok();
        }
        std::fs::write(scratch.home().join("signers"), "").unwrap();
        Self { scratch }
    }

    fn key(&self, name: &str, args: &[&str]) -> (PathBuf, Key) {
        let path = self.scratch.home().join(name);
        let file = path.to_str().unwrap();
        let args = [&["-q", "-N", "", "-C", "some body", "-f", file], args].concat();
        self.scratch.run(&self.scratch.home(), "ssh-keygen", &args).ok();
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        (path, Key::parse(&public).unwrap())
    }

    /// git believes this key from now on.
    fn allow(&self, key: &Key) {
        std::fs::write(self.scratch.home().join("signers"), format!("test@example.com {key}\n")).unwrap();
    }

    fn commit(&self, key: &std::path::Path, message: &str) -> String {
        self.scratch.git(&["config", "user.signingKey", key.to_str().unwrap()]).ok();
        self.scratch.git(&["commit", "-q", "--allow-empty", "-S", "-m", message]).ok();
        self.scratch.main().head()
    }

    fn raw(&self, oid: &str) -> Vec<u8> {
        let repo = Git2Repository::open_at(&self.scratch.root()).unwrap();
        repo.commit_bytes(repo.resolve(oid).unwrap()).unwrap()
    }

    /// Writes a raw commit, whatever is in it.
    fn write(&self, raw: &[u8]) -> String {
        std::fs::write(self.scratch.home().join("raw"), raw).unwrap();
        let args = ["hash-object", "-t", "commit", "-w", "--literally", "../raw"];
        self.scratch.git(&args).ok().out.trim().to_owned()
    }

    fn ours(&self, oid: &str) -> Signature {
        of_commit(&self.raw(oid), false)
    }

    /// What git says: good and by a key that is believed.
    fn gits(&self, oid: &str) -> bool {
        self.scratch.git(&["verify-commit", oid]).code == 0
    }
}

fn is_invalid(signature: &Signature, why: &str) -> bool {
    matches!(signature, Signature::Invalid { reason, .. } if reason.contains(why))
}

#[test]
fn good_signatures_of_all_kinds_of_keys() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    let kinds: [(&str, &[&str]); 6] = [
        ("ed25519", &["-t", "ed25519"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa2048", &["-t", "rsa", "-b", "2048"]),
        ("rsa4096", &["-t", "rsa", "-b", "4096"]),
    ];
    for (name, args) in kinds {
        let (path, key) = signer.key(name, args);
        signer.allow(&key);
        let oid = signer.commit(&path, &format!("by {name}\n\nwith a body\n\n gpgsig in it"));
        assert!(signer.gits(&oid), "{name}");
        assert_eq!(signer.ours(&oid), Signature::Valid { key: key.clone() }, "{name}");
        let shown =
            signer.scratch.run(&signer.scratch.home(), "ssh-keygen", &["-l", "-f", path.to_str().unwrap()]);
        assert!(shown.ok().out.contains(key.fingerprint()), "{name}");
    }
}

#[test]
fn another_key_is_valid_and_not_the_one() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    let (mine, my_key) = signer.key("mine", &["-t", "ed25519"]);
    let (_, other) = signer.key("other", &["-t", "ed25519"]);
    signer.allow(&other);
    let oid = signer.commit(&mine, "x");
    assert!(!signer.gits(&oid));
    assert_eq!(signer.ours(&oid), Signature::Valid { key: my_key });
}

#[test]
fn what_was_tampered_with() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let (path, key) = signer.key(kind, &["-t", kind]);
        signer.allow(&key);
        let raw = signer.raw(&signer.commit(&path, "pay 10 to bob"));
        let text = String::from_utf8(raw).unwrap();
        let agree = |changed: &str, why: &str| {
            assert_ne!(changed, text);
            let oid = signer.write(changed.as_bytes());
            let ours = signer.ours(&oid);
            assert!(is_invalid(&ours, why), "{kind}: {ours:?}");
            assert!(!signer.gits(&oid), "{kind}: {why}");
        };
        agree(&text.replace("pay 10", "pay 99"), "does not fit");
        agree(&text.replace("Test <test@", "Eve <test@"), "does not fit");
        let digit = if text.as_bytes()[5] == b'0' { "1" } else { "0" };
        agree(&format!("tree {digit}{}", &text[6..]), "does not fit");
        // Every line of the signature itself.
        let begin = text.find("-----BEGIN").unwrap();
        let end = text.find("-----END").unwrap();
        let lines = text[begin..end].lines().count();
        for line in 1..lines {
            let mut changed: Vec<String> = text.lines().map(str::to_owned).collect();
            let at = text[..begin].lines().count() - 1 + line;
            let swapped = if changed[at].as_bytes()[9] == b'A' { "B" } else { "A" };
            changed[at].replace_range(9..10, swapped);
            agree(&(changed.join("\n") + "\n"), "");
        }
        // The signature of another commit.
        let other = String::from_utf8(signer.raw(&signer.commit(&path, "something else"))).unwrap();
        let armour = |text: &str| {
            let end = text.find("-----END").unwrap();
            text[text.find("gpgsig ").unwrap()..end].to_owned()
        };
        agree(&text.replace(&armour(&text), &armour(&other)), "does not fit");
    }
}

#[test]
fn a_signature_for_something_else() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    let (path, key) = signer.key("key", &["-t", "ed25519"]);
    signer.allow(&key);
    let payload = split(&signer.raw("HEAD"), false).payload;
    std::fs::write(signer.scratch.home().join("payload"), &payload).unwrap();
    for (namespace, hash, is_good) in [
        ("git", "sha512", true),
        ("git", "sha256", true),
        ("file", "sha512", false),
        ("git2", "sha512", false),
    ] {
        let hash = format!("hashalg={hash}");
        let file = path.to_str().unwrap();
        let args = ["-Y", "sign", "-n", namespace, "-O", &hash, "-f", file, "payload"];
        let _ = std::fs::remove_file(signer.scratch.home().join("payload.sig"));
        signer.scratch.run(&signer.scratch.home(), "ssh-keygen", &args).ok();
        let armour = std::fs::read_to_string(signer.scratch.home().join("payload.sig")).unwrap();
        let oid = signer.write(&with_signature(&payload, &armour));
        assert_eq!(signer.gits(&oid), is_good, "{namespace} {hash}");
        match signer.ours(&oid) {
            Signature::Valid { key: by } => assert!(is_good && by == key),
            ours => assert!(!is_good && is_invalid(&ours, "another purpose than git"), "{ours:?}"),
        }
    }
}

/// A commit with a signature put in where git puts it.
fn with_signature(payload: &[u8], armour: &str) -> Vec<u8> {
    let text = std::str::from_utf8(payload).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    let folded = armour.trim_end().replace('\n', "\n ");
    format!("{head}\ngpgsig {folded}\n\n{body}").into_bytes()
}

#[test]
fn a_merge_of_a_signed_tag() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    let (path, key) = signer.key("key", &["-t", "ed25519"]);
    signer.allow(&key);
    let git = |args: &[&str]| signer.scratch.git(args).ok();
    git(&["config", "user.signingKey", path.to_str().unwrap()]);
    git(&["switch", "-q", "-c", "side"]);
    signer.scratch.main().commit("b", "1\n", "on the side").ok();
    git(&["tag", "-s", "-m", "a signed tag", "v1"]);
    git(&["switch", "-q", "main"]);
    git(&["merge", "-q", "--no-ff", "-S", "-m", "merge it", "v1"]);
    let raw = signer.raw("HEAD");
    assert!(String::from_utf8_lossy(&raw).contains("\nmergetag object"));
    assert!(signer.gits("HEAD"));
    assert_eq!(signer.ours("HEAD"), Signature::Valid { key });
    // The tag's own signature is none of the commit.
    git(&["reset", "-q", "--hard", "HEAD^"]);
    git(&["merge", "-q", "--no-ff", "-m", "merge it unsigned", "v1"]);
    assert_eq!(signer.ours("HEAD"), Signature::None);
    assert!(!signer.gits("HEAD"));
}

#[test]
fn weak_keys_and_certificates_are_refused() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    let weak = signer.scratch.home().join("weak");
    let file = weak.to_str().unwrap();
    let home = signer.scratch.home();
    let made =
        signer.scratch.run(&home, "ssh-keygen", &["-q", "-N", "", "-t", "rsa", "-b", "1024", "-f", file]);
    if made.code == 0 {
        let public = std::fs::read_to_string(weak.with_extension("pub")).unwrap();
        assert!(Key::parse(&public).unwrap_err().contains("1024 bits"));
        let oid = signer.commit(&weak, "weak");
        assert!(is_invalid(&signer.ours(&oid), "1024 bits"), "{:?}", signer.ours(&oid));
    }
    let (authority, _) = signer.key("authority", &["-t", "ed25519"]);
    let (path, _) = signer.key("key", &["-t", "ed25519"]);
    let public = path.with_extension("pub");
    let args = ["-q", "-s", authority.to_str().unwrap(), "-I", "id", "-n", "test", public.to_str().unwrap()];
    signer.scratch.run(&home, "ssh-keygen", &args).ok();
    let certificate = home.join("key-cert.pub");
    let text = std::fs::read_to_string(&certificate).unwrap();
    assert!(Key::parse(&text).unwrap_err().contains("is a certificate"));
    let oid = signer.commit(&certificate, "by a certificate");
    assert!(
        is_invalid(
            &signer.ours(&oid),
            "is not a signature by a plain SSH key (certificates are not supported)"
        ),
        "{:?}",
        signer.ours(&oid)
    );
}

#[test]
fn no_signature_and_one_of_another_kind() {
    let scratch = Scratch::new();
    let tree: Worktree = scratch.main();
    let repo = Git2Repository::open_at(&scratch.root()).unwrap();
    let raw = repo.commit_bytes(repo.resolve("HEAD").unwrap()).unwrap();
    let shown = tree.git(&["cat-file", "commit", "HEAD"]).ok().out;
    assert_eq!(String::from_utf8_lossy(&raw), shown);
    assert_eq!(of_commit(&raw, false), Signature::None);
    let pgp = with_signature(&raw, "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n");
    assert_eq!(of_commit(&pgp, false), Signature::OtherKind(Kind::OpenPgp));
    assert_eq!(split(&pgp, false).payload, raw);
    let tree_oid = repo.resolve("HEAD").and_then(|oid| repo.commit(oid)).unwrap().tree;
    assert!(repo.commit_bytes(tree_oid).unwrap_err().reason.contains("is not a commit"));
}

/// What signs for a security key that nobody has here: plain keys with the security key's envelope around.
mod security_key {
    use std::path::Path;

    use sha2::{Digest, Sha256};
    use ssh_key::{HashAlg, PrivateKey, SigningKey, SshSig};

    const APPLICATION: &str = "ssh:";

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    fn signed(key: &impl SigningKey, text: &[u8]) -> Vec<u8> {
        key.try_sign(text).unwrap().as_bytes().to_vec()
    }

    /// The public key, and the bytes of a SSHSIG over a payload.
    pub fn sign(file: &Path, payload: &[u8]) -> (String, Vec<u8>) {
        let key = PrivateKey::read_openssh_file(file).unwrap();
        let public = key.public_key().key_data();
        let (kind, public) = match (public.ed25519(), public.ecdsa()) {
            (Some(public), _) => ("sk-ssh-ed25519@openssh.com", string(&public.0)),
            (_, Some(public)) => {
                let point = string(public.as_sec1_bytes());
                ("sk-ecdsa-sha2-nistp256@openssh.com", [string(b"nistp256"), point].concat())
            }
            _ => unreachable!(),
        };
        let blob = [string(kind.as_bytes()), public, string(APPLICATION.as_bytes())].concat();
        let text = SshSig::signed_data("git", HashAlg::Sha512, payload).unwrap();
        let trailer = [&[1][..], &7_u32.to_be_bytes()].concat();
        let text = [&Sha256::digest(APPLICATION)[..], &trailer, &Sha256::digest(text)[..]].concat();
        let signature = [string(kind.as_bytes()), string(&signed(&key, &text)), trailer].concat();
        let parts =
            [string(&blob), string(b"git"), string(b""), string(b"sha512"), string(&signature)].concat();
        let all = [b"SSHSIG".to_vec(), 1_u32.to_be_bytes().to_vec(), parts].concat();
        (format!("{kind} {}", super::base64(&blob).replace('\n', "")), all)
    }
}

fn base64(bytes: &[u8]) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child =
        Command::new("base64").arg("-w70").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn security_keys() {
    if !has_ssh_keygen() {
        return;
    }
    let signer = Signer::new();
    let payload = split(&signer.raw("HEAD"), false).payload;
    for kind in ["ed25519", "ecdsa"] {
        let (path, _) = signer.key(kind, &["-t", kind]);
        let (public, bytes) = security_key::sign(&path, &payload);
        let key = Key::parse(&public).unwrap();
        signer.allow(&key);
        let armoured = |bytes: &[u8]| {
            format!("-----BEGIN SSH SIGNATURE-----\n{}-----END SSH SIGNATURE-----\n", base64(bytes))
        };
        let good = signer.write(&with_signature(&payload, &armoured(&bytes)));
        assert!(signer.gits(&good), "{kind}");
        assert_eq!(signer.ours(&good), Signature::Valid { key }, "{kind}");
        // The last bytes are the counter, which is signed too.
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        let bad = signer.write(&with_signature(&payload, &armoured(&changed)));
        assert!(!signer.gits(&bad) && is_invalid(&signer.ours(&bad), "does not fit"), "{kind}");
    }
}

/// A repository whose policy lists a key for a1 and one for a2, and a worktree of a2.
fn keyed(require: &str) -> (Scratch, Worktree) {
    let keys = Scratch::empty();
    let (home, mut lines) = (keys.home(), Vec::new());
    for name in ["a1", "a2", "stranger"] {
        let file = home.join(name);
        let args = ["-q", "-N", "", "-t", "ed25519", "-C", name, "-f", file.to_str().unwrap()];
        keys.run(&home, "ssh-keygen", &args).ok();
        lines.push(std::fs::read_to_string(file.with_extension("pub")).unwrap().trim().to_owned());
    }
    let mut policy = crate::support::POLICY.replace("max_age: 3h", "max_age: null");
    for (at, agent) in ["a1", "a2"].into_iter().enumerate() {
        let proof = format!("  {agent}:\n    identity: {{ signing_keys: [\"{}\"] }}\n", lines[at]);
        policy = policy.replace(&format!("  {agent}:\n"), &proof);
    }
    for agent in ["a3", "a4"] {
        let proof = format!("  {agent}:\n    identity: {{ github: [bot-{agent}] }}\n");
        policy = policy.replace(&format!("  {agent}:\n"), &proof);
    }
    let scratch = Scratch::with_policy(&format!("{policy}\nidentity: {{ require: {require} }}\n"));
    for name in ["a1", "a2", "stranger"] {
        std::fs::rename(home.join(name), scratch.home().join(format!("{name}.key"))).unwrap();
        std::fs::rename(home.join(format!("{name}.pub")), scratch.home().join(format!("{name}.key.pub")))
            .unwrap();
    }
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.git(&["config", "--worktree", "gpg.format", "ssh"]).ok();
    (scratch, tree)
}

fn commit_with(tree: &Worktree, name: &str) {
    let key = tree.home.join(format!("{name}.key"));
    tree.git(&["config", "--worktree", "user.signingKey", key.to_str().unwrap()]).ok();
    tree.write(&format!("services/rag_pipeline/{name}.py"), "x\n");
    tree.git(&["add", "-A"]).ok();
    tree.git(&["commit", "-q", "-S", "-m", "feat: x"]).ok();
}

#[test]
fn one_commit_is_signed_as_the_refusal_says() {
    if !has_ssh_keygen() {
        return;
    }
    let (scratch, tree) = keyed("proven");
    scratch.add_origin();
    tree.git(&["config", "--worktree", "--unset", "gpg.format"]).ok();
    tree.commit("services/rag_pipeline/x.py", "x\n", "feat: x").ok();
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("sign with a key of a2");
    let commands = [
        "git config --worktree gpg.format ssh",
        "git config --worktree user.signingKey KEY_FILE",
        "git config --worktree commit.gpgSign true",
        "git commit --amend --no-edit -S --only",
    ];
    let key = tree.home.join("a2.key").display().to_string();
    crate::advice_errors::leads_on(&tree, &ran, &commands, &[("KEY_FILE", &key)]);
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn signed_commits_prove_the_agent() {
    if !has_ssh_keygen() {
        return;
    }
    let (_scratch, tree) = keyed("claimed");
    commit_with(&tree, "a2");
    let report = tree.lane(&["check", "--format", "json"]).ok().json();
    assert_eq!(
        (&report["identity"], &report["changes"][0]["identity"]),
        (&"proven".into(), &"proven".into())
    );
    tree.git(&["commit", "-q", "--allow-empty", "-m", "feat: unsigned"]).ok();
    assert_eq!(tree.lane(&["check", "--format", "json"]).ok().json()["identity"], "claimed");
    commit_with(&tree, "stranger");
    assert_eq!(tree.lane(&["check", "--format", "json"]).ok().json()["identity"], "claimed");
    commit_with(&tree, "a1");
    tree.lane(&["check"])
        .fails(1)
        .says("error[identity]: 1 commit signed with the key of a1, but you are a2");
}

#[test]
fn where_proofs_are_wanted_the_way_to_them_is_told() {
    if !has_ssh_keygen() {
        return;
    }
    let (scratch, tree) = keyed("proven");
    scratch.add_origin();
    for name in ["one", "two"] {
        tree.commit(&format!("services/rag_pipeline/{name}.py"), "x\n", "feat: x").ok();
    }
    let push = ["push", "-q", "origin", "feat/a2/x"];
    let ran = tree
        .git(&push)
        .fails(1)
        .says("error[identity]: 2 commits without a signature; sign with a key of a2");
    // The commands work as they stand, but for the key's place.
    let key = tree.home.join("a2.key");
    let told = crate::advice::commands(&ran.all());
    assert_eq!(told.len(), 4, "{told:?}");
    for command in told {
        let command = command.replace("KEY_FILE", key.to_str().unwrap());
        let ran: Ran = tree.command("sh").args(["-c", &command]).output().unwrap().into();
        ran.ok();
    }
    tree.git(&push).ok();
    assert_eq!(tree.lane(&["check", "--format", "json"]).ok().json()["identity"], "proven");
}
