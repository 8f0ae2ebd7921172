//! The program: [`transfer`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    transfer::run().await
}
