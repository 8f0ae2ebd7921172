//! The bank over gRPC-Web, Connect, native gRPC and the original's JSON paths.

mod native;
mod parity;
