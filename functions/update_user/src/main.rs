//! The program: [`update_user`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    update_user::run().await
}
