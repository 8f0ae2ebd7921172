//! The program: [`renew_token`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    renew_token::run().await
}
