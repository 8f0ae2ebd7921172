//! The command line: what it prints and how it complains.

use std::{net::TcpListener, process::Stdio};

use axum::{Router, extract::Path, http::StatusCode, routing::post};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{TEMPLATE, arguments, run, start};
use crate::support;

async fn complaint(arguments: &[&str]) -> String {
    let output = support::run(&[arguments, &["--port", "0"]].concat()).await;
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_function_is_invoked_by_either_name() {
    for name in ["guard", "GuardFunction"] {
        let data = r#"{"authorizationToken": "Bearer this", "methodArn": "arn"}"#;
        let output = run(&["invoke", name, "--data", data]).await;
        assert!(output.status.success());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["policyDocument"]["Statement"][0]["Resource"], "arn");
    }
}

#[tokio::test]
async fn an_event_may_come_from_a_file() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("event.json");
    std::fs::write(&path, r#"{"pathParameters": {"deed": "malformed"}}"#).unwrap();
    let output = run(&["invoke", "fault", "--data", &format!("@{}", path.display())]).await;
    assert_eq!(output.stdout, b"\"no answer to a request\"\n");
}

#[tokio::test]
async fn a_failing_function_fails_the_command() {
    let data = r#"{"pathParameters": {"deed": "fail"}}"#;
    for (arguments, expected) in [
        (["invoke", "fault", "--data", data], r#""errorMessage":"it went wrong""#),
        (["invoke", "broken", "--data", "{}"], r#""errorType":"Runtime.ExitError""#),
        (["invoke", "nobody", "--data", "{}"], "the template has no function nobody"),
        (["exec", "nobody", "--env", "A=b"], "the template has no function nobody"),
        (["invoke", "fault", "--data", "{"], "--data is not JSON"),
    ] {
        let output = run(&arguments).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(expected), "{stderr}");
    }
}

/// It has what the gateway would give it, but for what says that it is on Lambda.
#[tokio::test]
async fn a_function_takes_the_tools_place() {
    let more = ["--env", "FIRST=1", "--env", "SECRET=s4"];
    let functions = support::examples();
    let more_and_exec = [more.as_slice(), &["exec", "fault"]].concat();
    let mut child = support::command(&arguments(functions.to_str().unwrap(), &more_and_exec))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["pid"], child.id().unwrap());

    let gateway = start(&more).await;
    let echo: Value = gateway.get("/open/echo").send().await.unwrap().json().await.unwrap();
    let mut on_lambda = echo["env"].as_object().unwrap().clone();
    on_lambda.retain(|name, _| {
        let is_logging = name == "AWS_LAMBDA_LOG_FORMAT";
        let places = ["AWS_LAMBDA_", "AWS_EXECUTION_ENV", "LAMBDA_TASK_ROOT", "_"];
        is_logging || !places.iter().any(|place| name.starts_with(place))
    });
    assert_eq!(said["env"].as_object().unwrap(), &on_lambda);
    for (name, value) in [("FIRST", "1"), ("SECRET", "s4"), ("STAGE", "test")] {
        assert_eq!(on_lambda[name], value);
    }

    support::signal(&child.id().unwrap().to_string(), "TERM");
    assert_eq!(lines.next_line().await.unwrap().unwrap(), r#""terminated""#);
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn routes_and_environment_are_printed() {
    let routes = support::run(&["routes", "--template", TEMPLATE]).await;
    let routes = String::from_utf8(routes.stdout).unwrap();
    let rows: Vec<Vec<_>> = routes.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [
            ["METHOD", "PATH", "FUNCTION", "AUTH"],
            ["ANY", "/open/{deed}", "fault", "-"],
            ["GET", "/guarded/{deed}", "fault", "Guard"],
            ["POST", "/files/{path+}", "fault", "-"],
            ["GET", "/broken", "broken", "-"],
        ]
    );
    let env = run(&["env"]).await;
    let env = String::from_utf8(env.stdout).unwrap();
    assert!(env.ends_with("\nSECRET=s3!\nSTAGE=test\n"), "{env}");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let functions = support::examples();
    let functions = functions.to_str().unwrap();
    assert_eq!(
        complaint(&["--template", TEMPLATE, "--functions", functions]).await,
        "FaultFunction.Environment.Variables.SECRET: \
         template parameter Secret has no value: pass --parameter Secret=…"
    );
    let nowhere = complaint(&["--template", TEMPLATE, "--functions", "/nowhere"]).await;
    assert!(nowhere.contains("function guard has no binary at /nowhere/guard"), "{nowhere}");
    assert!(nowhere.contains("cargo build --workspace"), "{nowhere}");
    let secret = ["--parameter", "Secret=s3"];
    let arguments = ["--template", TEMPLATE, "--functions", "/nowhere", "exec", "fault"];
    let nowhere = complaint(&[arguments.as_slice(), &secret].concat()).await;
    assert!(nowhere.contains("function fault has no binary at /nowhere/fault"), "{nowhere}");
    let missing = complaint(&["--template", "/nowhere.yaml"]).await;
    assert!(missing.starts_with("/nowhere.yaml cannot be read"), "{missing}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = run(&["--port", &port]).await;
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = format!("port {port} is in use: stop what listens there or pass --port\n");
    assert_eq!(stderr, expected);
}

#[tokio::test]
async fn functions_can_be_somebody_elses() {
    let answer = async |Path(function): Path<String>, event: String| {
        if event.contains(r#""type":"TOKEN""#) {
            let error = r#"{"errorMessage": "Unauthorized"}"#.to_owned();
            return (StatusCode::INTERNAL_SERVER_ERROR, error);
        }
        (StatusCode::OK, format!(r#"{{"statusCode": 200, "body": "{function}"}}"#))
    };
    let router = Router::new().route("/2015-03-31/functions/{name}/invocations", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let gateway = start(&["--lambda-endpoint", &endpoint]).await;
    let response = gateway.get("/open/echo").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "fault");
    let request = gateway.get("/guarded/echo").header("authorization", "Bearer x");
    assert_eq!(request.send().await.unwrap().status(), 401);

    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    let gateway = start(&["--lambda-endpoint", &endpoint]).await;
    assert_eq!(gateway.get("/open/echo").send().await.unwrap().status(), 504);
}
