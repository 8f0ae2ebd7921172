//! What the routes promise.

use shared::{domain::SessionId, http::contract::Operation};

use crate::response::SessionBody;

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /users/logout", "sessions", "logOut", "Ends the session, at once")
            .with_token()
            .query([])
            .no_content("It has ended."),
        Operation::new(
            "GET /sessions",
            "sessions",
            "listSessions",
            "Lists one's own live sessions",
        )
        .with_token()
        .query([])
        .ok_list::<SessionBody>("The sessions, newest first."),
        Operation::new("DELETE /sessions/{id}", "sessions", "endSession", "Ends one of them")
            .with_token()
            .path::<SessionId>("id")
            .query([])
            .no_content("It has ended."),
    ]
}
