//! Every file that the page needs: all of them are in the program, so that nothing is fetched from
//! elsewhere.

/// The page itself. What it names stands below `docs/`, relative to wherever it is.
pub(crate) const PAGE: &str = include_str!("../page/page.html");
/// What the page shows.
pub(crate) const DOCUMENT: &str = include_str!("../openapi.json");

/// The media type and the text of a file below `docs/`.
pub(crate) fn find(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "page.css" => Some((CSS, include_str!("../page/page.css"))),
        "page.js" => Some((JAVASCRIPT, include_str!("../page/page.js"))),
        "swagger-ui.css" => Some((CSS, include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.css")))),
        "swagger-ui.js" => {
            Some((JAVASCRIPT, include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.js"))))
        }
        // Whoever is given Swagger UI is to be given these as well.
        "licence.txt" => Some((TEXT, include_str!(concat!(env!("OUT_DIR"), "/licence.txt")))),
        _ => None,
    }
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
