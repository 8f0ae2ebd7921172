//! What is done for every call, once: it is answered for, logged, and its caller found out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use connectrpc::{
    CodecFormat, ConnectError, Interceptor, Next, RequestContext, Spec, async_trait,
    interceptor::{UnaryRequest, UnaryResponse},
};
use http::{Request, Response, header};
use proto::simplebank::v1::{
    SIMPLE_BANK_CREATE_USER_SPEC, SIMPLE_BANK_LOGIN_USER_SPEC, SIMPLE_BANK_RENEW_ACCESS_SPEC,
    SIMPLE_BANK_SERVICE_NAME, SIMPLE_BANK_VERIFY_EMAIL_SPEC,
};
use shared::{
    auth::bearer,
    bank::BankError,
    domain::Caller,
    guard::guarded,
    http::{Origin, Problem},
    telemetry::{Spent, chain, measured, metrics},
};

use crate::{app::App, refused::Refused};

/// The methods that anybody may call, of which the metadata `authorization` is ignored.
const OPEN: [Spec; 4] = [
    SIMPLE_BANK_CREATE_USER_SPEC,
    SIMPLE_BANK_LOGIN_USER_SPEC,
    SIMPLE_BANK_RENEW_ACCESS_SPEC,
    SIMPLE_BANK_VERIFY_EMAIL_SPEC,
];

/// Answers for a call that panics or never ends, and logs one line for each that reached a method.
pub(crate) struct Guard;

#[async_trait]
impl Interceptor for Guard {
    async fn intercept_unary(
        &self,
        request: UnaryRequest,
        next: Next<'_>,
    ) -> Result<UnaryResponse, ConnectError> {
        let method = request.ctx.path().unwrap_or_default().to_owned();
        let ids = Ids::of(request.ctx.extensions());
        if let Some(reached) = request.ctx.extensions().get::<Reached>() {
            reached.0.store(true, Ordering::Relaxed);
        }
        let work = async {
            refuse_arrays(&request)?;
            next.run(request).await.map_err(Refused::in_our_words)
        };
        let (outcome, spent) = measured(guarded(work)).await;
        let outcome = outcome.map_err(ConnectError::from);
        let code = outcome.as_ref().err().map(|error| code_of(error, &ids));
        let status = outcome.as_ref().err().map_or("ok", |error| error.code.as_str());
        log(&method, code.unwrap_or("ok"), &ids, spent);
        metrics::answered(&method, status, code, spent);
        outcome
    }
}

/// Finds out who calls. Whether their session still lives is the store's to say.
pub(crate) struct Identify(pub(crate) Arc<App>);

#[async_trait]
impl Interceptor for Identify {
    async fn intercept_unary(
        &self,
        mut request: UnaryRequest,
        next: Next<'_>,
    ) -> Result<UnaryResponse, ConnectError> {
        if is_guarded(request.ctx.spec()) {
            let caller = self.caller(&request.ctx).map_err(Refused::from)?;
            request.ctx.extensions_mut().insert(caller);
        }
        next.run(request).await
    }
}

impl Identify {
    fn caller(&self, context: &RequestContext) -> Result<Caller, BankError> {
        let header = context.header(header::AUTHORIZATION).ok_or(BankError::Unauthenticated)?;
        let token = bearer(header.to_str().unwrap_or_default());
        let claims = self.0.verifier.verify(token.ok_or(BankError::Unauthenticated)?)?;
        Ok(claims.caller(self.0.clock.now())?)
    }
}

/// Every method of the bank is, but for those that are open. Health and reflection are not the bank's.
fn is_guarded(spec: Option<Spec>) -> bool {
    spec.is_none_or(|spec| {
        spec.service() == SIMPLE_BANK_SERVICE_NAME
            && !OPEN.iter().any(|open| open.same_method(spec))
    })
}

/// A derived decoder would take an array for a message, member by member.
fn refuse_arrays(request: &UnaryRequest) -> Result<(), BankError> {
    let is_object = || {
        let first = request.payload.bytes().iter().find(|byte| !byte.is_ascii_whitespace());
        first == Some(&b'{')
    };
    if request.payload.format() == CodecFormat::Json && !is_object() {
        return Err(BankError::Malformed("The message must be a JSON object."));
    }
    Ok(())
}

/// Whether a call got as far as to the interceptors, which log it.
#[derive(Clone, Default)]
struct Reached(Arc<AtomicBool>);

/// Serves a request, and logs it if it did not get as far as to a method: an unknown one was called, or
/// what was sent is no message.
pub(crate) async fn logged<B, R>(
    mut request: Request<B>,
    serve: impl AsyncFnOnce(Request<B>) -> Response<R>,
) -> Response<R> {
    let reached = Reached::default();
    let ids = Ids::of(request.extensions());
    request.extensions_mut().insert(reached.clone());
    let (response, spent) = measured(Box::pin(serve(request))).await;
    if !reached.0.load(Ordering::Relaxed) {
        let status = response.status();
        log("(none)", &format!("unread, {}", status.as_u16()), &ids, spent);
        metrics::answered("(none)", status.as_str(), None, spent);
    }
    response
}

/// By which a call is found again in logs.
struct Ids {
    request: String,
    trace: String,
}

impl Ids {
    fn of(extensions: &http::Extensions) -> Self {
        let origin = extensions.get::<Origin>();
        let of = |id: fn(&Origin) -> &String| origin.map(id).cloned().unwrap_or_default();
        Self { request: of(|origin| &origin.request_id), trace: of(|origin| &origin.trace_id) }
    }
}

/// The code of an error, whose cause goes to the log if it is our fault.
fn code_of(error: &ConnectError, ids: &Ids) -> &'static str {
    let source = error.source_arc();
    let Some(error_of_bank) = source.as_ref().and_then(|it| it.downcast_ref::<BankError>()) else {
        return error.code.as_str();
    };
    let problem = Problem::from(error_of_bank);
    if problem.status().is_server_error() {
        let (request_id, trace_id) = (&ids.request, &ids.trace);
        tracing::error!(request_id, trace_id, cause = chain(error_of_bank), "call failed");
    }
    problem.code()
}

/// One line for a call: nothing that a client sent but the method's name.
fn log(method: &str, code: &str, ids: &Ids, spent: Spent) {
    static IS_WARM: AtomicBool = AtomicBool::new(false);
    tracing::info!(
        method,
        code,
        duration_ms = spent.duration_ms(),
        database_ms = spent.database_ms(),
        request_id = ids.request,
        trace_id = ids.trace,
        cold_start = !IS_WARM.swap(true, Ordering::Relaxed),
        "call"
    );
}
