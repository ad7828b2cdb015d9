//! Nothing that speaks to GitHub.

use url::Url;

use super::{Answer, Call, Patience};
use crate::error::Error;
use crate::settings::Settings;

pub struct Transport {}

impl Transport {
    pub fn new(_: &Settings, _: &Patience) -> Result<Self, Error> {
        Err(Error::settings(
            "this git-lane was built without its client of GitHub".to_owned(),
            "build it with the feature `github`, which is on by default: cargo install git-lane",
        ))
    }

    /// Never sent.
    ///
    /// # Errors
    /// Always.
    pub fn send(&self, _: &Call) -> Result<Answer, String> {
        Err("there is no client of GitHub".to_owned())
    }

    /// Never fetched.
    ///
    /// # Errors
    /// Always.
    pub fn fetch(&self, _: &Url, _: usize) -> Result<(Answer, Vec<u8>), String> {
        Err("there is no client of GitHub".to_owned())
    }
}
