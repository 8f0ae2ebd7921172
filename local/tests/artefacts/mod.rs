//! The functions as they are deployed: under AWS's own emulator of the Lambda runtime, which the SAM CLI
//! brings, with the environment that the template gives them.
//!
//! `make test-artefacts` has what `make build` made tried so; without the variable `ARTEFACTS` it is the
//! workspace's debug build, so that no change waits for a release to be tried.

mod glibc;
mod life;
mod recorded;
mod rie;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{bank::people::ROOT, support};

/// The folder of artefacts, if there is one.
#[expect(clippy::disallowed_methods, reason = "tests are told where artefacts are this way")]
fn folder() -> Option<PathBuf> {
    env::var_os("ARTEFACTS").map(|folder| Path::new(ROOT).join(folder))
}

/// What would be, or was, deployed as this function. Those for tests stand beside the folder.
fn artefact(function: &str) -> PathBuf {
    let program = match folder() {
        Some(folder) if function == "careless" => {
            folder.with_file_name("lambda-tests").join(function).join("bootstrap")
        }
        Some(folder) => folder.join(function).join("bootstrap"),
        None => support::binaries().join(function),
    };
    assert!(program.exists(), "{} is not built", program.display());
    program
}

/// All functions, by their folders.
fn functions() -> Vec<String> {
    let folders = fs::read_dir(Path::new(ROOT).join("functions")).unwrap();
    let mut names: Vec<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
