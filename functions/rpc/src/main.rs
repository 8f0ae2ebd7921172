//! The program: [`rpc`].

/// Gives 19 MiB back when a password is hashed, where the system's keeps them for each of its arenas: a
/// hundred sign-ups would leave 800 MB behind.
#[cfg(feature = "server")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), shared::http::Error> {
    rpc::run()
}
