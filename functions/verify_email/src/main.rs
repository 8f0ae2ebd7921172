//! The program: [`verify_email`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    verify_email::run().await
}
