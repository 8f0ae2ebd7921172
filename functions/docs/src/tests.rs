use serde_json::{Value, json};
use shared::testing::{Answer, Event, send};

use crate::handler::handle;

async fn get(route: &str) -> Answer {
    send((), handle, Event::new(&format!("GET {route}"))).await
}

async fn asset(name: &str) -> Answer {
    send((), handle, Event::new("GET /docs/{asset}").path("asset", name)).await
}

#[tokio::test]
async fn health_needs_nothing() {
    let answer = get("/healthz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
}

#[tokio::test]
async fn the_document_leaves_as_it_is_written() {
    let answer = get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let written: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap();
    assert_eq!(answer.body, written);
    // The address of the API is wherever the document was found: below a stage's name, or not.
    assert_eq!(written["servers"], json!([{ "url": "." }]));
}

#[tokio::test]
async fn the_page_runs_nothing_but_its_files_and_asks_nobody_else() {
    let answer = get("/docs").await;
    assert_eq!(answer.status, 200);
    for (header, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
             connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(answer.headers[header], value);
    }
    for inline in ["<script>", "<style", "style=", "onclick=", "//"] {
        let page = answer.page.replace("https://simplebank.dev/problems/", "");
        assert!(!page.contains(inline), "{inline}");
    }
    // Relative to the page, whatever is before it in the address.
    let linked = answer.page.split("=\"docs/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let linked: Vec<&str> = linked.collect();
    assert_eq!(linked, ["swagger-ui.css", "page.css", "swagger-ui.js", "page.js", "licence.txt"]);
    for name in linked {
        assert_eq!(asset(name).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn the_pages_files_are_a_closed_list() {
    let (css, javascript) = ("text/css; charset=utf-8", "text/javascript; charset=utf-8");
    for (name, media_type, words) in [
        ("page.css", css, "#session"),
        ("page.js", javascript, "SwaggerUIBundle({"),
        ("swagger-ui.css", css, ".swagger-ui"),
        ("swagger-ui.js", javascript, "SwaggerUIBundle="),
        ("licence.txt", "text/plain; charset=utf-8", "Apache License"),
    ] {
        let answer = asset(name).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.headers["content-type"], media_type, "{name}");
        assert!(answer.page.contains(words), "{name}");
        // Lambda gives back 6 MB at most, of JSON that has this as a string.
        assert!(serde_json::to_vec(&answer.page).unwrap().len() < 3_000_000, "{name}");
    }
    for name in ["", "docs", "page.html", "openapi.json", "PAGE.JS", "../openapi.json", "page.js "]
    {
        let answer = asset(name).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{name}");
    }
}
