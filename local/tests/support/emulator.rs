//! An emulator of AWS for one test: moto, spoken to without the SDK.

use std::{net::TcpListener, process::Stdio, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// A running emulator, killed when it is dropped.
pub(crate) struct Emulator {
    /// Where it answers.
    pub(crate) url: String,
    port: String,
    server: Child,
}

impl Emulator {
    /// Starts an emulator at a free port and waits until it answers.
    pub(crate) async fn start() -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let emulator =
            Self { url: format!("http://127.0.0.1:{port}"), server: server(&port), port };
        emulator.answers().await;
        emulator
    }

    /// Ends it, and with it all that it has.
    pub(crate) async fn stop(&mut self) {
        self.server.kill().await.unwrap();
    }

    /// Starts it again at the same port, with nothing in it.
    pub(crate) async fn restart(&mut self) {
        self.server = server(&self.port);
        self.answers().await;
    }

    /// The argument with which the gateway finds it.
    pub(crate) fn argument(&self) -> String {
        format!("AWS_ENDPOINT_URL={}", self.url)
    }

    /// A call of Secrets Manager.
    pub(crate) async fn secrets(&self, action: &str, body: Value) -> Value {
        let call = self.request(Method::POST, "/", "secretsmanager");
        let call = call.header("x-amz-target", format!("secretsmanager.{action}"));
        answer(call.header("content-type", "application/x-amz-json-1.1"), &body).await
    }

    /// A call of SQS.
    pub(crate) async fn sqs(&self, action: &str, body: Value) -> Value {
        let call = self.request(Method::POST, "/", "sqs");
        let call = call.header("x-amz-target", format!("AmazonSQS.{action}"));
        answer(call.header("content-type", "application/x-amz-json-1.0"), &body).await
    }

    /// A call of SES, version 2.
    pub(crate) async fn ses(&self, path: &str, body: Value) -> Value {
        let call = self.request(Method::POST, &format!("/v2/email/{path}"), "ses");
        answer(call.header("content-type", "application/json"), &body).await
    }

    /// Makes a queue before anybody else does.
    pub(crate) async fn create_queue(&self, name: &str) {
        self.sqs("CreateQueue", json!({ "QueueName": name })).await;
    }

    /// Puts a message into a queue; its id.
    pub(crate) async fn send(&self, queue: &str, body: &str) -> String {
        let message = json!({ "QueueUrl": self.queue_url(queue), "MessageBody": body });
        let answer = self.sqs("SendMessage", message).await;
        answer["MessageId"].as_str().unwrap().to_owned()
    }

    /// How many messages a queue has, whether somebody is at work on them or not.
    pub(crate) async fn count(&self, queue: &str) -> u32 {
        let attributes = self.attributes(queue).await;
        let number = |name: &str| attributes[name].as_str().unwrap().parse::<u32>().unwrap();
        number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible")
    }

    /// What a queue says of itself.
    pub(crate) async fn attributes(&self, queue: &str) -> Value {
        let all = json!({ "QueueUrl": self.queue_url(queue), "AttributeNames": ["All"] });
        self.sqs("GetQueueAttributes", all).await["Attributes"].take()
    }

    /// Waits until a queue has so many messages.
    pub(crate) async fn until_count(&self, queue: &str, expected: u32) {
        let waiting = async {
            while self.count(queue).await != expected {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(super::PATIENCE, waiting).await.expect("it never had so many");
    }

    /// Takes up to ten messages out of a queue; their bodies, in order of the alphabet.
    pub(crate) async fn take(&self, queue: &str) -> Vec<String> {
        let url = self.queue_url(queue);
        let ten = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
        let answer = self.sqs("ReceiveMessage", ten).await;
        let mut bodies = Vec::new();
        for message in answer["Messages"].as_array().into_iter().flatten() {
            let handle = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
            self.sqs("DeleteMessage", handle).await;
            bodies.push(message["Body"].as_str().unwrap().to_owned());
        }
        bodies.sort();
        bodies
    }

    /// A queue's address.
    pub(crate) fn queue_url(&self, name: &str) -> String {
        format!("{}/000000000000/{name}", self.url)
    }

    /// The signature is not looked at, but for region and service in it.
    fn request(&self, method: Method, path: &str, service: &str) -> RequestBuilder {
        let credential = format!("Credential=local/20260101/us-east-1/{service}/aws4_request");
        reqwest::Client::new().request(method, format!("{}{path}", self.url)).header(
            "authorization",
            format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
        )
    }

    async fn answers(&self) {
        let answers = async {
            while reqwest::get(format!("{}/moto-api/", self.url)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_mins(1), answers).await.expect("moto does not answer");
    }
}

fn server(port: &str) -> Child {
    Command::new("moto_server")
        .args(["-H", "127.0.0.1", "-p", port])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("moto_server: run the tests by `make test`")
}

async fn answer(request: RequestBuilder, body: &Value) -> Value {
    let response = request.body(body.to_string()).send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    // Some calls answer with nothing.
    serde_json::from_str(&text).unwrap_or_default()
}
