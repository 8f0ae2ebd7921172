//! The program: [`create_user`].

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::http::Error> {
    create_user::run().await
}
