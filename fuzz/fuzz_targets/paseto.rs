//! The verifier of PASETOs: see [`fuzz::tokens`].
#![no_main]

use std::sync::LazyLock;

use fuzz::tokens::Tokens;
use libfuzzer_sys::fuzz_target;
use shared::auth::TokenFormat;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(TokenFormat::Paseto));

fuzz_target!(|data: &[u8]| TOKENS.try_all(data));
