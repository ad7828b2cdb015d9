//! Writing objects: git-hash-object(1).

use super::Plumbing;
use super::process::run;
use crate::repository::ObjectWriter;
use lane_core::error::Error;
use lane_core::facts::Oid;

impl Plumbing {
    fn write(&self, kind: &str, bytes: &[u8]) -> Result<Oid, Error> {
        let ran = run(self.git.command(&["hash-object", "-t", kind, "-w", "--stdin"]), bytes)?;
        match (ran.code, Oid::from_hex(ran.text().trim())) {
            (Some(0), Some(oid)) => Ok(oid),
            _ => {
                let folder = self.layout.common_dir.join("objects");
                Err(Error::write(
                    format!("an object cannot be written: {}", ran.error_text()),
                    format!("nothing was changed; check free space and permissions of {}", folder.display()),
                ))
            }
        }
    }
}

impl ObjectWriter for Plumbing {
    fn write_commit(&self, raw: &[u8]) -> Result<Oid, Error> {
        self.write("commit", raw)
    }

    fn write_empty_tree(&self) -> Result<Oid, Error> {
        self.write("tree", b"")
    }

    fn write_blob(&self, bytes: &[u8]) -> Result<Oid, Error> {
        self.write("blob", bytes)
    }

    fn write_tree_of(&self, name: &str, blob: Oid) -> Result<Oid, Error> {
        self.write("tree", &[b"100644 ", name.as_bytes(), b"\0", blob.as_bytes()].concat())
    }

    fn write_tree(&self, raw: &[u8]) -> Result<Oid, Error> {
        self.write("tree", raw)
    }
}
