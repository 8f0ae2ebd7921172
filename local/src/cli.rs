//! What can be asked for on the command line.

use std::{
    collections::BTreeMap,
    env, fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use axum::http::Uri;
use clap::{Args, Parser, Subcommand};

use crate::{emulator::Secrets, lambda::AWS_ENDPOINT_URL, template::Supplied};

/// Serves the REST API of a SAM template on one machine, for development and tests only.
///
/// It reads the template and runs the same function binaries that are deployed, each in processes of
/// its own, over the Lambda Runtime API. It is no replacement for API Gateway and is never deployed.
///
/// Queues, secrets and mail are those of the emulator of AWS that `AWS_ENDPOINT_URL` names, such as
/// moto. It is given the queues and senders that the template has, and the secrets of --secrets. Queues that invoke functions are read as
/// Lambda reads them, and mail can be read at /_local/mail. Without an emulator there is none of it.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// The command; to serve, if none is given.
    pub(crate) fn command(&self) -> &Command {
        self.command.as_ref().unwrap_or(&Command::Serve)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API until Ctrl-C (the default).
    Serve,
    /// Invoke one function once and print its answer.
    Invoke {
        /// The function's crate, such as `migrate`, or its name in the template.
        function: String,
        /// The event: JSON, or @FILE with JSON in it.
        #[arg(long, value_name = "JSON", default_value = "null")]
        data: String,
    },
    /// Become one function, with its environment but outside Lambda: for those that serve by themselves.
    Exec {
        /// The function's crate, such as `rpc`, or its name in the template.
        function: String,
    },
    /// Print the environment variables of all functions as NAME=VALUE lines.
    Env,
    /// Print the routes.
    Routes,
    /// Print all that was read from the template, as JSON.
    Describe,
}

/// Where things are, and how much of them there may be.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The SAM template.
    #[arg(long, value_name = "FILE", default_value = "template.yaml", global = true)]
    pub(crate) template: PathBuf,
    /// Where the function binaries are.
    #[arg(long, value_name = "DIR", default_value = "target/debug", global = true)]
    pub(crate) functions: PathBuf,
    /// The address to listen at.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", global = true)]
    pub(crate) host: IpAddr,
    /// The port to listen at; 0 is any free one.
    #[arg(long, value_name = "N", default_value_t = 8080, global = true)]
    pub(crate) port: u16,
    /// A value for a parameter of the template; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair, global = true)]
    parameter: Vec<(String, String)>,
    /// A file with a NAME=VALUE on each line; # begins a comment line.
    #[arg(long, value_name = "FILE", global = true)]
    parameters: Option<PathBuf>,
    /// A file with secrets for the emulator, in the same form.
    #[arg(long, value_name = "FILE", global = true)]
    secrets: Option<PathBuf>,
    /// A further environment variable for every function, which wins over the template's; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair, global = true)]
    pub(crate) env: Vec<(String, String)>,
    /// The most processes of one function; its reserved concurrency may allow less.
    #[arg(long, value_name = "N", default_value_t = 10, global = true)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) max_processes: usize,
    /// After how long without work a process is ended.
    #[arg(long, value_name = "N", default_value_t = 60, global = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) idle_secs: u64,
    /// Run nothing here, but invoke the functions at this address (cargo lambda watch).
    #[arg(long, value_name = "URL", value_parser = parse_endpoint, global = true)]
    pub(crate) lambda_endpoint: Option<Uri>,
}

impl Options {
    /// The parameters from the file and the command line together.
    pub(crate) fn supplied(&self) -> Result<Supplied, String> {
        let mut supplied = pairs(self.parameters.as_deref())?;
        supplied.extend(self.parameter.iter().cloned());
        Ok(supplied)
    }

    /// The secrets that the emulator is to have.
    pub(crate) fn secrets(&self) -> Result<Secrets, String> {
        pairs(self.secrets.as_deref())
    }

    /// Where the emulator of AWS answers, if there is one: what the functions are given wins over
    /// this process's own environment.
    pub(crate) fn emulator(&self) -> Result<Option<String>, String> {
        let given = self.env.iter().rev().find(|(name, _)| name == AWS_ENDPOINT_URL);
        let url = given.map(|(_, url)| url.clone()).or_else(own_endpoint).unwrap_or_default();
        if url.is_empty() {
            return Ok(None);
        }
        parse_endpoint(&url).map_err(|problem| format!("{AWS_ENDPOINT_URL}: {problem}"))?;
        Ok(Some(url.trim_end_matches('/').to_owned()))
    }

    /// Where to listen.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

#[expect(clippy::disallowed_methods, reason = "no setting of the bank's: it names its AWS")]
fn own_endpoint() -> Option<String> {
    env::var(AWS_ENDPOINT_URL).ok()
}

/// The pairs of a file, if there is one.
fn pairs(file: Option<&Path>) -> Result<BTreeMap<String, String>, String> {
    let Some(path) = file else { return Ok(BTreeMap::new()) };
    let text = fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    parse_pairs(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse_pairs(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(parse_pair).collect()
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        // A value is not shown: it may be half of a secret.
        "NAME=VALUE is needed".to_owned()
    })?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_endpoint(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    match uri.scheme_str() {
        Some("http") => Ok(uri),
        _ => Err("an address that begins with http:// is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_emulator_of_the_functions_is_the_emulator() {
        let emulator = |url: &str| {
            let pair = format!("AWS_ENDPOINT_URL={url}");
            let arguments =
                ["bank-local", "--env", "AWS_ENDPOINT_URL=http://first", "--env", &pair];
            Cli::parse_from(arguments).options.emulator()
        };
        assert_eq!(emulator("http://127.0.0.1:5000/"), Ok(Some("http://127.0.0.1:5000".into())));
        assert_eq!(emulator(""), Ok(None));
        // Whatever it is, it could be the real one.
        assert!(emulator("https://sqs.us-east-1.amazonaws.com").is_err());
    }

    #[test]
    fn a_file_of_pairs_may_have_comments() {
        let parameters = parse_pairs("# keys\n\nA=1\n  B=x=y \n").unwrap();
        let expected = [("A", "1"), ("B", "x=y")];
        assert_eq!(parameters, expected.map(|(name, value)| (name.into(), value.into())).into());
        assert!(parse_pairs("A").is_err());
    }
}
