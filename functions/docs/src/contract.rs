//! What the routes promise.

use shared::http::contract::Operation;

use crate::handler::Health;

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /healthz", "service", "health", "Says that functions are reached")
            .ok::<Health>("They are; with their version."),
        Operation::new("GET /openapi.json", "service", "openapi", "This document")
            .ok_other(&["application/json"], "OpenAPI 3.1."),
        Operation::new("GET /docs", "service", "docs", "This document as a page to try it on")
            .page("The page."),
        Operation::new("GET /docs/{asset}", "service", "docsAsset", "What the page is made of")
            .path::<Asset>("asset")
            .ok_other(&["text/css", "text/javascript", "text/plain"], "The file."),
    ]
}

/// The name of a file.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, example = "page.css")]
#[expect(dead_code, reason = "it stands in a path")]
struct Asset(String);
