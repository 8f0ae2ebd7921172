//! From an event to a response: the one loop that every HTTP function runs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use lambda_http::{Body, Error, Response, service_fn};

use super::{
    Failure, Problem, Reply, Request,
    reply::{Told, response},
};
use crate::{
    bank::BankError,
    guard::guarded,
    telemetry::{Spent, chain, measured, metrics},
};

/// Runs a function: each event goes through `handler`. Returns when the runtime shuts down.
///
/// # Errors
/// When the Lambda runtime cannot be reached any more.
pub async fn serve<App, Handler, Outcome, Failed>(app: App, handler: Handler) -> Result<(), Error>
where
    App: Send + Sync + 'static,
    Handler: Fn(Arc<App>, Request) -> Outcome + Copy + Send + Sync + 'static,
    Outcome: Future<Output = Result<Reply, Failed>> + Send,
    Failed: Into<Failure> + From<BankError>,
{
    let app = Arc::new(app);
    lambda_http::run(service_fn(move |event| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Error>(answer(app, handler, event).await) }
    }))
    .await
}

/// Answers one event. A handler that panics or takes too long is answered for, and the next event
/// is served as if nothing had happened.
pub async fn answer<App, Handler, Outcome, Failed>(
    app: Arc<App>,
    handler: Handler,
    event: lambda_http::Request,
) -> Response<Body>
where
    Handler: Fn(Arc<App>, Request) -> Outcome,
    Outcome: Future<Output = Result<Reply, Failed>>,
    Failed: Into<Failure> + From<BankError>,
{
    let request = Request::new(event);
    let (route, id, trace_id) =
        (request.route.clone(), request.id.clone(), request.trace_id.clone());
    let work = async {
        // Whether the route reads it or not.
        if request.is_too_large() {
            Err(Failed::from(BankError::PayloadTooLarge))
        } else {
            handler(app, request).await
        }
    };
    let (outcome, spent) = measured(guarded(work)).await;
    let outcome = outcome.map_err(|failed| {
        let Failure { error, page } = failed.into();
        let problem = Problem::from(&error);
        if problem.status().is_server_error() {
            tracing::error!(request_id = id, trace_id, cause = chain(&error), "request failed");
        }
        Told { problem, page }
    });
    tell(&route, &id, &trace_id, &outcome, spent);
    response(outcome, &id)
}

/// One line in the log, and the metrics.
fn tell(
    route: &str,
    request_id: &str,
    trace_id: &str,
    outcome: &Result<Reply, Told>,
    spent: Spent,
) {
    static IS_WARM: AtomicBool = AtomicBool::new(false);
    let (status, code) = match outcome {
        Ok(reply) => (reply.status(), None),
        Err(Told { problem, .. }) => (problem.status(), Some(problem.code())),
    };
    tracing::info!(
        route,
        status = status.as_u16(),
        code = code.unwrap_or("ok"),
        duration_ms = spent.duration_ms(),
        database_ms = spent.database_ms(),
        request_id,
        trace_id,
        cold_start = !IS_WARM.swap(true, Ordering::Relaxed),
        "request"
    );
    metrics::answered(route, status.as_str(), code, spent);
    metrics::flush();
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::request;

    /// An event of payload version 2, as `cargo lambda watch` sends it: it names no route.
    fn event(path: &str, parameters: &Value) -> lambda_http::Request {
        request(&json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {},
            "pathParameters": parameters,
            "requestContext": {
                "http": { "method": "GET", "path": path, "sourceIp": "192.0.2.1" },
                "requestId": "request-1",
                "stage": "$default",
            },
            "isBase64Encoded": false,
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_never_ends_is_given_up() {
        let handler = |_: Arc<()>, _: Request| std::future::pending::<Result<Reply, BankError>>();
        let response = answer(Arc::new(()), handler, event("/healthz", &json!({}))).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["code"], "outcome_unknown");
    }

    #[tokio::test]
    async fn a_route_without_a_name_is_put_together_again() {
        for (path, parameters, expected) in [
            ("/healthz", json!({}), "GET /healthz"),
            ("/accounts/7", json!({ "id": "7" }), "GET /accounts/{id}"),
            ("/accounts/7/deposits", json!({ "id": "7" }), "GET /accounts/{id}/deposits"),
        ] {
            let handler = |_: Arc<()>, request: Request| async move {
                Reply::ok(&(request.route(), &request.client().ip))
            };
            let response = answer(Arc::new(()), handler, event(path, &parameters)).await;
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(body, json!([expected, "192.0.2.1"]));
        }
    }
}
