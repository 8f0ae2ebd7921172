//! The program: [`send_verify_email`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    send_verify_email::run().await
}
