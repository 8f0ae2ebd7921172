//! What invokes a function. Another kind of event is another variant of [`Event`].

use super::{
    Function, TemplateError,
    node::Node,
    triggers::{self, QueueTrigger, ScheduleTrigger},
};

/// The first part of the paths that are this tool's own.
const OWN_FOLDER: &str = "/_local";

/// The method of a route that answers every method.
pub(crate) const ANY: &str = "ANY";

/// Something that invokes a function.
pub(super) enum Event {
    /// A route of the REST API.
    Api(Route),
    /// The messages of a queue.
    Queue(QueueTrigger),
    /// The clock.
    Schedule(ScheduleTrigger),
}

/// One method of one path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    /// In upper case; [`ANY`] stands for all.
    pub(crate) method: String,
    /// As in the template: `/accounts/{id}`.
    pub(crate) path: String,
    /// The binary's name.
    pub(crate) function: String,
    /// What the event says about its authorizer.
    pub(crate) auth: RouteAuth,
    /// The API that it belongs to.
    pub(super) api: String,
    /// Where the template defines it.
    pub(super) at: String,
}

/// What an event says about its authorizer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RouteAuth {
    /// Nothing: the API's default holds.
    Default,
    /// `NONE`: everyone may call it.
    Open,
    /// A name.
    Named(String),
}

/// Reads the event called `name`; nothing if it is switched off.
pub(super) fn read(
    name: &str,
    event: &Node<'_>,
    function: &Function<'_>,
) -> Result<Option<Event>, TemplateError> {
    let kind = event.require("Type")?;
    let properties = event.require("Properties")?;
    match kind.text()?.as_str() {
        "Api" => Ok(Some(Event::Api(route(&properties, &function.name)?))),
        "SQS" => Ok(triggers::queue(&properties, function)?.map(Event::Queue)),
        "Schedule" => Ok(triggers::schedule(&properties, name, function)?.map(Event::Schedule)),
        other => Err(kind.error(format!("an event of type {other} is not supported"))),
    }
}

fn route(properties: &Node<'_>, function: &str) -> Result<Route, TemplateError> {
    properties.only(&["RestApiId", "Path", "Method", "Auth"])?;
    let path = properties.require("Path")?;
    let route = Route {
        method: properties.require("Method")?.text()?.to_uppercase(),
        path: path.text()?,
        function: function.to_owned(),
        auth: auth(properties)?,
        // Without it SAM would make an API of its own, with none of this one's settings.
        api: properties.require("RestApiId")?.text()?,
        at: properties.at().to_owned(),
    };
    if !route.path.starts_with('/') {
        return Err(path.error(format!("{:?} does not start with /", route.path)));
    }
    if route
        .path
        .strip_prefix(OWN_FOLDER)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    {
        return Err(path.error(format!("{OWN_FOLDER}/ is this tool's own")));
    }
    Ok(route)
}

fn auth(properties: &Node<'_>) -> Result<RouteAuth, TemplateError> {
    let Some(auth) = properties.get("Auth")? else { return Ok(RouteAuth::Default) };
    auth.only(&["Authorizer"])?;
    Ok(match auth.text_of("Authorizer")? {
        None => RouteAuth::Default,
        Some(name) if name == "NONE" => RouteAuth::Open,
        Some(name) => RouteAuth::Named(name),
    })
}
