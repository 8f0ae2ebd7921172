//! The bank on one machine: serves the REST API of `template.yaml` with the functions' own binaries.
//!
//! [`template`] reads what is to be served, [`gateway`] plays API Gateway, [`lambda`] plays Lambda,
//! and [`triggers`] what invokes functions besides. Other services are an [`emulator`]'s to play,
//! whose mail [`mailbox`] shows.
//! It is a development and test tool, depends on none of the bank's code and is never deployed.

mod cli;
mod clock;
mod commands;
mod console;
mod describe;
mod emulator;
mod gateway;
mod lambda;
mod mailbox;
mod serve;
mod stop;
mod template;
mod triggers;

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use thiserror::Error;

use crate::{
    cli::{Cli, Command, Options},
    emulator::{EmulatorError, NOWHERE},
    gateway::RouteConflict,
    lambda::{Common, Endpoint, FunctionSpec, Invoker, MissingBinary, RuntimeApi},
    template::{Function, Template, TemplateError},
};

/// Why the tool ends without having done what was asked.
#[derive(Debug, Error)]
enum Error {
    #[error("{0}")]
    Options(String),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Routes(#[from] RouteConflict),
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    #[error(transparent)]
    NotBuilt(#[from] MissingBinary),
    #[error("the template has no function {0}")]
    NoFunction(String),
    #[error("{} cannot be run: {error}", binary.display())]
    Exec { binary: PathBuf, error: io::Error },
    #[error("--data is not JSON: {0}")]
    Data(String),
    #[error("{0}")]
    Function(String),
    #[error("stopped before there was an answer")]
    Stopped,
    #[error("{name} has one value in {one} and another in {other}")]
    Clash { name: String, one: String, other: String },
    #[error("port {0} is in use: stop what listens there or pass --port")]
    PortInUse(u16),
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
    #[error(transparent)]
    Io(io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::log(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Error> {
    let options = &cli.options;
    let supplied = options.supplied().map_err(Error::Options)?;
    let emulator = options.emulator().map_err(Error::Options)?;
    let aws_endpoint = emulator.as_deref().unwrap_or(NOWHERE);
    let template = Template::read(&options.template, supplied, aws_endpoint)?;
    match cli.command() {
        Command::Serve => serve::serve(options, &template, emulator.as_deref()).await,
        Command::Invoke { function, data } => {
            commands::invoke(options, &template, function, data).await
        }
        Command::Exec { function } => commands::exec(options, &template, function),
        Command::Env => commands::env(options, &template),
        Command::Routes => commands::routes(&template),
        Command::Describe => commands::describe(options, &template),
    }
}

/// The way to run these functions that the options ask for; the API answers, or would, at `api_url`.
async fn invoker(
    options: &Options,
    template: &Template,
    functions: &[Function<'_>],
    api_url: &str,
) -> Result<Invoker, Error> {
    if let Some(endpoint) = &options.lambda_endpoint {
        return Ok(Invoker::Endpoint(Box::new(Endpoint::new(endpoint))));
    }
    let specs = functions.iter().map(|function| spec(options, template, function, api_url));
    let specs = specs.collect::<Result<_, _>>()?;
    let runtime_api = RuntimeApi::start().await.map_err(Error::Io)?;
    Ok(Invoker::processes(specs, &runtime_api))
}

/// How a function that has been built is started here.
fn spec(
    options: &Options,
    template: &Template,
    function: &Function<'_>,
    api_url: &str,
) -> Result<FunctionSpec, Error> {
    let common = Common {
        binaries: &options.functions,
        environment: &options.env,
        api_url,
        aws_endpoint: template.aws_endpoint(),
        max_processes: options.max_processes,
    };
    Ok(FunctionSpec::new(function, common)?.built()?)
}
