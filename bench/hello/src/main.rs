//! The least that a function can be, for comparison: it says hello to whatever comes. A package of its own, so
//! that it can be built just as the functions are.

use lambda_http::{Body, Error, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_: Request| {
        Ok::<_, Error>(Response::new(Body::from(r#"{"message":"hello"}"#)))
    }))
    .await
}
