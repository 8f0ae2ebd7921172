//! The program: [`accounts`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    accounts::run().await
}
