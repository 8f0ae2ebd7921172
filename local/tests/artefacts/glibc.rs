//! The C library that programs ask for is one that Lambda has.

use std::{collections::BTreeSet, fs};

use object::{Endianness, elf::FileHeader64, read::elf::FileHeader};

use super::{artefact, folder, functions};
use crate::support;

/// Major and minor version. Amazon Linux 2023 has this one, on both architectures.
const LAMBDA_HAS: (u32, u32) = (2, 34);

/// What a program wants of the C library's symbols that is newer than this version.
fn newer_than(limit: (u32, u32), program: &[u8]) -> BTreeSet<String> {
    let header = FileHeader64::<Endianness>::parse(program).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, program).unwrap();
    let (mut libraries, link) =
        sections.gnu_verneed(endian, program).unwrap().expect("it needs no library");
    let strings = sections.strings(endian, program, link).unwrap();
    let mut newer = BTreeSet::new();
    while let Some((_, mut versions)) = libraries.next().unwrap() {
        while let Some(version) = versions.next().unwrap() {
            let name = String::from_utf8(version.name(endian, strings).unwrap().to_vec()).unwrap();
            // Others are not the C library's.
            let Some(numbers) = name.strip_prefix("GLIBC_") else { continue };
            let mut numbers = numbers.split('.').map(str::parse);
            match (numbers.next(), numbers.next()) {
                (Some(Ok(major)), Some(Ok(minor))) if (major, minor) <= limit => {}
                // `GLIBC_PRIVATE` too is of one version alone.
                _ => drop(newer.insert(name)),
            }
        }
    }
    newer
}

#[test]
fn no_artefact_needs_a_newer_c_library_than_lambda_has() {
    // What is built for this machine may need what this machine has.
    if folder().is_none() {
        return;
    }
    for function in functions() {
        let program = fs::read(artefact(&function)).unwrap();
        assert_eq!(newer_than(LAMBDA_HAS, &program), BTreeSet::new(), "{function}");
    }
}

#[test]
fn what_a_program_needs_is_found_in_it() {
    let program = fs::read(support::binaries().join("bank-local")).unwrap();
    assert_eq!(newer_than((u32::MAX, 0), &program), BTreeSet::new());
    // The oldest that Rust supports is one newer.
    let newer = newer_than((2, 16), &program);
    assert!(newer.iter().any(|name| name.starts_with("GLIBC_2.")), "{newer:?}");
}
