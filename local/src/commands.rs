//! The commands that answer once and end, and the one that becomes a function.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    process::Command,
    slice,
};

use serde_json::Value;
use tokio::select;

use crate::{
    Error,
    cli::Options,
    console, describe, invoker,
    lambda::{Invocation, InvokeError, aws_variables},
    serve::api_url,
    spec,
    stop::StopSignal,
    template::{Function, Template},
};

/// Invokes one function, which only has to be built and configured itself.
pub(crate) async fn invoke(
    options: &Options,
    template: &Template,
    name: &str,
    data: &str,
) -> Result<(), Error> {
    let function = function(template, name)?;
    let invocation = Invocation {
        payload: payload(data)?.to_string().into(),
        trace_id: Invocation::new_trace_id(),
    };
    let functions = slice::from_ref(&function);
    let lambda = invoker(options, template, functions, &api_url(options.address())).await?;
    let stop = StopSignal::listen().map_err(Error::Io)?;
    let answer = select! {
        answer = lambda.invoke(&function.name, invocation, function.patience()) => answer,
        () = stop.received() => return Err(Error::Stopped),
    };
    match answer {
        Ok(answer) => {
            console::print(&String::from_utf8_lossy(&answer));
            Ok(())
        }
        Err(InvokeError::Function(error) | InvokeError::FunctionTimeout(error)) => {
            let error = serde_json::to_string(&error).unwrap_or_else(|_| error.to_string());
            Err(Error::Function(error))
        }
        Err(error) => Err(Error::Function(error.to_string())),
    }
}

/// Becomes a function: its process is this one, so that signals and the exit code need nobody to pass
/// them on.
pub(crate) fn exec(options: &Options, template: &Template, name: &str) -> Result<(), Error> {
    let function = function(template, name)?;
    let spec = spec(options, template, &function, &api_url(options.address()))?;
    let mut command = Command::new(&spec.binary);
    command.env_clear().envs(&spec.environment);
    let error = replace_by(&mut command);
    Err(Error::Exec { binary: spec.binary, error })
}

/// Returns only if it fails.
#[cfg(unix)]
fn replace_by(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Where a process cannot be replaced, it waits for the other one and ends like it.
#[cfg(not(unix))]
fn replace_by(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// The function of this crate, or with this name in the template.
fn function<'t>(template: &'t Template, name: &str) -> Result<Function<'t>, Error> {
    let mut functions = template.functions()?.into_iter();
    functions
        .find(|function| function.name == name || function.logical_id == name)
        .ok_or_else(|| Error::NoFunction(name.to_owned()))
}

fn payload(data: &str) -> Result<Value, Error> {
    let text = match data.strip_prefix('@') {
        Some(path) => {
            fs::read_to_string(path).map_err(|error| Error::Data(format!("{path}: {error}")))?
        }
        None => data.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| Error::Data(error.to_string()))
}

/// Prints the variables of all functions, which must not contradict each other, those with which they
/// find their AWS, and the further ones.
pub(crate) fn env(options: &Options, template: &Template) -> Result<(), Error> {
    let aws = aws_variables(template.aws_endpoint()).into_iter();
    let mut all: BTreeMap<String, (String, String)> =
        aws.map(|(name, value)| (name, (value, "AWS".to_owned()))).collect();
    for function in template.functions()? {
        for (name, value) in function.environment(&api_url(options.address()))? {
            match all.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert((value, function.logical_id.clone()));
                }
                Entry::Occupied(entry) if entry.get().0 != value => {
                    let (name, other) = (entry.key().clone(), entry.get().1.clone());
                    return Err(Error::Clash { name, one: other, other: function.logical_id });
                }
                Entry::Occupied(_) => {}
            }
        }
    }
    for (name, value) in &options.env {
        all.insert(name.clone(), (value.clone(), String::new()));
    }
    for (name, (value, _)) in all {
        console::print(&format!("{name}={}", quoted(&value)));
    }
    Ok(())
}

/// A value as the readers of such files take it: what has more in it than letters, digits and a few
/// signs stands between quotation marks that it does not contain itself.
fn quoted(value: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "!%+,-./:@_".contains(sign);
    let mark = ['\'', '`', '"'].into_iter().find(|mark| !value.contains(*mark));
    match mark {
        Some(mark) if !value.chars().all(is_plain) => format!("{mark}{value}{mark}"),
        Some(_) | None => value.to_owned(),
    }
}

/// Prints a table of the routes.
pub(crate) fn routes(template: &Template) -> Result<(), Error> {
    let api = template.api()?;
    let width = api.routes.iter().map(|route| route.path.len()).max().unwrap_or_default();
    let row = |method: &str, path: &str, function: &str, auth: &str| {
        console::print(&format!("{method:<7} {path:<width$} {function:<16} {auth}"));
    };
    row("METHOD", "PATH", "FUNCTION", "AUTH");
    for route in &api.routes {
        let auth = api.authorizer_of(route).unwrap_or("-");
        row(&route.method, &route.path, &route.function, auth);
    }
    Ok(())
}

/// Prints all that was read from the template.
pub(crate) fn describe(options: &Options, template: &Template) -> Result<(), Error> {
    let description = describe::describe(template, &api_url(options.address()))?;
    console::print(&format!("{description:#}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_they_must_be() {
        for (value, expected) in [
            ("", ""),
            ("600", "600"),
            ("k4.public.AA-_,k4.public.BB", "k4.public.AA-_,k4.public.BB"),
            ("postgres://a:b@c/d?e=f", "'postgres://a:b@c/d?e=f'"),
            (r#"{"current":null}"#, r#"'{"current":null}'"#),
            ("it's", "`it's`"),
        ] {
            assert_eq!(quoted(value), expected);
        }
    }
}
