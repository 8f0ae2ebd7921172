//! The bank over gRPC-Web, Connect, native gRPC and the original's JSON paths.

mod curl;
mod edges;
mod grpcio;
mod load;
mod native;
mod node;
mod parity;
mod wire;
