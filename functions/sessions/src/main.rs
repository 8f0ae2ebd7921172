//! The program: [`sessions`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    sessions::run().await
}
