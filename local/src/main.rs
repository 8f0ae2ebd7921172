//! The bank on one machine.
fn main() {}
