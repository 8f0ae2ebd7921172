//! The bank's contract over gRPC, generated from `simplebank/v1/*.proto` when this is built.

connectrpc::include_generated!();

/// The contract as a compiler read it, with what it imports, for reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/compiled.bin"));
