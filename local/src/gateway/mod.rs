//! The REST API, as API Gateway would serve it: a request becomes an event, a function's answer
//! becomes a response, and what goes wrong in between becomes a gateway response.

mod answer;
mod authorizer;
mod body;
mod call;
mod event;
mod gateway_response;
mod head;
mod path;
mod policy;
mod response_type;
mod route;
mod verdict;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    response::Response,
};

pub(crate) use self::route::RouteConflict;
use self::{
    authorizer::Guard, call::Call, gateway_response::ResponseRules, response_type::ResponseType,
    route::RouteTable,
};
use crate::{
    console,
    lambda::{Invocation, InvokeError, Invoker},
    template::Api,
};

/// How long API Gateway waits for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(29);

/// Everything a request needs.
pub(crate) struct Gateway {
    stage: String,
    port: u16,
    binary_media_types: Vec<String>,
    routes: RouteTable,
    guards: BTreeMap<String, Guard>,
    responses: ResponseRules,
    lambda: Arc<Invoker>,
}

impl Gateway {
    /// Builds the gateway from the template's API; it listens at `port`.
    pub(crate) fn new(api: Api, lambda: Arc<Invoker>, port: u16) -> Result<Self, RouteConflict> {
        Ok(Self {
            routes: RouteTable::new(&api)?,
            stage: api.stage,
            port,
            binary_media_types: api.binary_media_types,
            guards: api
                .authorizers
                .into_iter()
                .map(|(name, one)| (name, Guard::new(one)))
                .collect(),
            responses: ResponseRules::new(api.responses),
            lambda,
        })
    }

    /// The service for [`axum::serve`]; it wants to know the peer's address.
    pub(crate) fn into_router(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }

    /// A response in any case: what a function did not answer, a gateway response does.
    async fn handle(&self, peer: SocketAddr, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let mut call = Call::new(head, peer, self.port, &self.stage);
        // First of all: a client that is still sending would miss a refusal.
        let body = body::read(body).await;
        let answer = match body.and_then(|body| head::check(&call.head).map(|()| body)) {
            Ok(body) => self.answer(&mut call, &body).await,
            Err(refusal) => Err(refusal),
        };
        answer.unwrap_or_else(|refusal| {
            console::log(&format!("[gateway] {call}: {}", refusal.name()));
            self.responses.render(refusal, &call)
        })
    }

    async fn answer(&self, call: &mut Call, body: &[u8]) -> Result<Response, ResponseType> {
        let found = self
            .routes
            .find(&call.head.method, call.head.uri.path())
            .ok_or(ResponseType::MissingAuthenticationToken)?;
        call.resource_path = Some(found.resource_path.to_owned());
        if let Some(name) = &found.target.authorizer {
            let guard = self.guards.get(name).ok_or(ResponseType::AuthorizerConfigurationError)?;
            guard.authorize(call, &self.lambda).await?;
        }
        let event = event::build(call, &found.path_parameters, body, &self.binary_media_types);
        let invocation = Invocation { payload: event.into(), trace_id: call.trace_id.clone() };
        let answer =
            self.lambda.invoke(&found.target.function, invocation, INTEGRATION_LIMIT).await;
        answer::to_response(&answer.map_err(|error| refusal(&error))?, call)
    }
}

async fn serve(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    gateway.handle(peer, request).await
}

/// What API Gateway says when a function could not be had.
fn refusal(error: &InvokeError) -> ResponseType {
    match error {
        // Lambda's own throttling is no client's fault, and reads like any failure of a function.
        InvokeError::Function(_) | InvokeError::Throttled => ResponseType::Default5xx,
        InvokeError::FunctionTimeout(_) | InvokeError::CallerTimeout => {
            ResponseType::IntegrationTimeout
        }
        InvokeError::TooLarge => ResponseType::RequestTooLarge,
        InvokeError::Unreachable(reason) => {
            console::log(&format!("[gateway] {reason}"));
            ResponseType::IntegrationFailure
        }
    }
}
