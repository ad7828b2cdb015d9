//! What requests are: [`record`] (what is stored), [`rights`] and [`step`] (who may do what), [`migration`], and [`order`];
//! [`below`] says whose the files of a folder are. `docs/requests.md` has the format.

pub mod folder_owners;
pub mod migration;
pub mod order;
pub mod record;
pub mod rights;
pub mod step;
