//! The program: [`rpc`].

fn main() -> Result<(), shared::http::Error> {
    rpc::run()
}
