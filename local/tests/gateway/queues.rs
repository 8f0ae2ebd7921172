//! Messages of the emulator's queues reach functions as Lambda would bring them.

use std::{net::TcpListener, path::Path};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{WORKER, worker, worker_arguments};
use crate::support::{self, Emulator, Gateway};

/// For a function that is kept waiting.
const LONG: [&str; 4] = ["--parameter", "Timeout=20", "--parameter", "Comeback=20"];

/// The events that the function was given so far for messages of a queue.
fn events(gateway: &Gateway, queue: &str) -> Vec<Vec<Value>> {
    let log = gateway.log();
    let events = log.lines().filter_map(|line| line.strip_prefix("[worker] event "));
    let records = events.map(|event| {
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["Records"].as_array_mut().map(std::mem::take).unwrap()
    });
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
    records.filter(|records| records[0]["eventSourceARN"] == *arn).collect()
}

/// How often messages with this body were given to the function.
fn deliveries(gateway: &Gateway, queue: &str, body: &str) -> usize {
    events(gateway, queue).iter().flatten().filter(|record| record["body"] == body).count()
}

#[tokio::test]
async fn a_message_is_brought_and_removed() {
    let emulator = Emulator::start().await;
    let gateway = worker(&emulator, &[]).await;
    let message = json!({
        "QueueUrl": emulator.queue_url("Tasks"),
        "MessageBody": "hello",
        "MessageAttributes": { "kind": { "DataType": "String", "StringValue": "greeting" } },
    });
    let sent = emulator.sqs("SendMessage", message).await;
    emulator.until_count("Tasks", 0).await;
    let [records] = &*events(&gateway, "Tasks") else { panic!("one event") };
    let [record] = records.as_slice() else { panic!("one message") };
    for (pointer, expected) in [
        ("/messageId", sent["MessageId"].clone()),
        ("/body", json!("hello")),
        ("/md5OfBody", json!("5d41402abc4b2a76b9719d911017c592")),
        ("/attributes/ApproximateReceiveCount", json!("1")),
        ("/messageAttributes/kind/stringValue", json!("greeting")),
        ("/messageAttributes/kind/dataType", json!("String")),
        ("/eventSource", json!("aws:sqs")),
        ("/eventSourceARN", json!("arn:aws:sqs:us-east-1:000000000000:Tasks")),
        ("/awsRegion", json!("us-east-1")),
    ] {
        assert_eq!(record.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert!(record["receiptHandle"].is_string());
    for attribute in ["SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"] {
        assert!(record["attributes"][attribute].is_string(), "{attribute}");
    }

    // Where the answer is not asked for, it does not count.
    emulator.send("Careless", "fail").await;
    emulator.until_count("Careless", 0).await;
    assert_eq!(deliveries(&gateway, "Careless", "fail"), 1);
}

#[tokio::test]
async fn a_batch_in_hand_is_finished_at_a_stop() {
    let emulator = Emulator::start().await;
    let mut gateway = worker(&emulator, &LONG).await;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(Uuid::new_v4().to_string());
    emulator.send("Tasks", &format!("wait for {}", file.display())).await;
    gateway.logged("[worker] waiting").await;
    gateway.signal("INT");
    let closed = gateway.url.trim_start_matches("http://").to_owned();
    support::until(|| std::net::TcpStream::connect(&closed).is_err()).await;
    std::fs::write(&file, "").unwrap();
    assert!(gateway.ended().await.success());
    assert_eq!(emulator.count("Tasks").await, 0);
}

#[tokio::test]
async fn what_failed_comes_back_until_it_is_given_up() {
    let emulator = Emulator::start().await;
    let gateway = worker(&emulator, &[]).await;
    // So that a process is there and none of the one second is lost.
    gateway.get("/environment").send().await.unwrap();
    for body in ["fine", "fail"] {
        emulator.send("Impatient", body).await;
    }
    emulator.until_count("Dead", 1).await;
    assert_eq!(emulator.take("Dead").await, ["fail"]);
    assert_eq!(emulator.count("Impatient").await, 0);
    assert_eq!(deliveries(&gateway, "Impatient", "fail"), 2);
    assert_eq!(deliveries(&gateway, "Impatient", "fine"), 1);
    gateway.logged("[Impatient] 1 of ").await;
}

#[tokio::test]
async fn a_batch_without_a_proper_answer_comes_back_whole() {
    for (body, complaint) in [
        ("panic", "[Impatient] worker: "),
        ("hang", "[Impatient] worker: Sandbox.Timedout: Task timed out after 1.00 seconds"),
        ("nonsense", "[Impatient] the answer of worker is malformed: \"?\" is none of the batch"),
    ] {
        let emulator = Emulator::start().await;
        // Both are there before anybody reads, and so are read together.
        emulator.create_queue("Impatient").await;
        for body in ["fine", body] {
            emulator.send("Impatient", body).await;
        }
        let gateway = worker(&emulator, &[]).await;
        gateway.logged(complaint).await;
        gateway.logged("[Impatient] 2 of 2 messages have failed").await;
        assert_eq!(emulator.count("Impatient").await, 2, "{body}");
    }
}

#[tokio::test]
async fn batches_are_as_large_as_the_template_says() {
    let emulator = Emulator::start().await;
    for (queue, messages) in [("Pairs", 5), ("Dozens", 12)] {
        emulator.create_queue(queue).await;
        for number in 0..messages {
            emulator.send(queue, &number.to_string()).await;
        }
    }
    let gateway = worker(&emulator, &[]).await;
    let sizes = async |queue: &str| {
        emulator.until_count(queue, 0).await;
        let mut sizes: Vec<usize> = events(&gateway, queue).iter().map(Vec::len).collect();
        sizes.sort_unstable();
        sizes
    };
    assert_eq!(sizes("Pairs").await, [1, 2, 2]);
    // More than SQS gives at a time: the second read is waited for.
    assert_eq!(sizes("Dozens").await, [12]);
}

#[tokio::test]
async fn no_more_batches_than_the_template_says_are_in_hand() {
    let emulator = Emulator::start().await;
    let gateway = worker(&emulator, &LONG).await;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(Uuid::new_v4().to_string());
    for _ in 0..4 {
        emulator.send("Singles", &format!("wait for {}", file.display())).await;
    }
    support::until(|| events(&gateway, "Singles").len() == 2).await;
    // Long enough for another one to be brought, if that were done.
    emulator.send("Careless", "hello").await;
    emulator.until_count("Careless", 0).await;
    assert_eq!(events(&gateway, "Singles").len(), 2);
    std::fs::write(&file, "").unwrap();
    emulator.until_count("Singles", 0).await;
    assert_eq!(events(&gateway, "Singles").len(), 4);
}

#[tokio::test]
async fn an_emulator_that_was_gone_is_read_again() {
    let mut emulator = Emulator::start().await;
    let gateway = worker(&emulator, &[]).await;
    emulator.stop().await;
    gateway.logged("[Tasks] cannot be read: ").await;
    // It comes back with nothing in it.
    emulator.restart().await;
    gateway.logged("[Tasks] can be read again").await;
    emulator.send("Tasks", "hello").await;
    emulator.until_count("Tasks", 0).await;
    assert_eq!(deliveries(&gateway, "Tasks", "hello"), 1);
    let complaints = gateway.log().matches("[Tasks] cannot be read").count();
    assert_eq!(complaints, 1);
}

#[tokio::test]
async fn what_there_has_to_be_is_made_and_kept_right() {
    let emulator = Emulator::start().await;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("secrets");
    for (keyring, timeout) in [("first", "30"), ("second", "20")] {
        std::fs::write(&file, format!("tests/keys={keyring}")).unwrap();
        let timeout_parameter = format!("VisibilityTimeout={timeout}");
        let more = ["--secrets", file.to_str().unwrap(), "--parameter", &timeout_parameter];
        let gateway = worker(&emulator, &more).await;
        let secret = emulator.secrets("GetSecretValue", json!({ "SecretId": "tests/keys" })).await;
        assert_eq!(secret["SecretString"], keyring);
        assert_eq!(emulator.attributes("Tasks").await["VisibilityTimeout"], timeout);
        let policy = emulator.attributes("Impatient").await["RedrivePolicy"].take();
        let policy: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
        assert_eq!(policy["maxReceiveCount"], 2);

        // The functions find it, and their own API.
        let environment = gateway.get("/environment").send().await.unwrap();
        let environment: Value = environment.json().await.unwrap();
        assert_eq!(environment["AWS_ENDPOINT_URL"], emulator.url);
        assert_eq!(environment["TASKS"], emulator.queue_url("Tasks"));
        assert_eq!(environment["LINK"], format!("{}/verify", gateway.url));
    }
}

#[tokio::test]
async fn functions_can_be_somebody_elses() {
    let emulator = Emulator::start().await;
    let (sender, mut events) = mpsc::unbounded_channel();
    let answer = async |State(sender): State<mpsc::UnboundedSender<String>>, event: String| {
        sender.send(event).unwrap();
        (StatusCode::OK, "null")
    };
    let router = Router::new()
        .route("/2015-03-31/functions/worker/invocations", post(answer))
        .with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let _gateway = worker(&emulator, &["--lambda-endpoint", &endpoint]).await;
    let id = emulator.send("Tasks", "hello").await;
    emulator.until_count("Tasks", 0).await;
    let event: Value = serde_json::from_str(&events.recv().await.unwrap()).unwrap();
    assert_eq!(event["Records"][0]["messageId"], id);
}

#[tokio::test]
async fn without_an_emulator_nobody_is_reached() {
    let gateway = Gateway::start(&worker_arguments(&["--env", "AWS_ENDPOINT_URL="])).await;
    gateway.logged("AWS_ENDPOINT_URL names no emulator of AWS: no queues, and no mail.").await;
    let environment = gateway.get("/environment").send().await.unwrap();
    let environment: Value = environment.json().await.unwrap();
    assert_eq!(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:1");
    assert_eq!(environment["TASKS"], "http://127.0.0.1:1/000000000000/Tasks");
    assert_eq!(environment["AWS_ACCESS_KEY_ID"], "local");
    let mail = gateway.get("/_local/mail").send().await.unwrap();
    assert_eq!(mail.status(), StatusCode::NOT_IMPLEMENTED);
    assert!(mail.text().await.unwrap().contains("There is no emulator of AWS, so no mail."));
}

#[tokio::test]
async fn an_emulator_that_does_not_answer_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (endpoint, expected) in [
        (
            format!("http://{nobody}"),
            format!("the emulator of AWS at http://{nobody}: CreateQueue Tasks failed: "),
        ),
        (
            "https://sqs.us-east-1.amazonaws.com".to_owned(),
            "AWS_ENDPOINT_URL: an address that begins with http:// is needed".to_owned(),
        ),
    ] {
        let endpoint = format!("AWS_ENDPOINT_URL={endpoint}");
        let arguments = worker_arguments(&["--port", "0", "--env", &endpoint]);
        let output = support::run(&arguments).await;
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(&expected), "{stderr}");
    }
}

#[tokio::test]
async fn the_variables_of_cargo_lambda_watch_are_those_of_the_functions() {
    let endpoint = "AWS_ENDPOINT_URL=http://a:1";
    let output =
        support::run(&["env", "--template", WORKER, "--port", "8099", "--env", endpoint]).await;
    let expected = "AWS_ACCESS_KEY_ID=local\n\
        AWS_DEFAULT_REGION=us-east-1\n\
        AWS_ENDPOINT_URL=http://a:1\n\
        AWS_REGION=us-east-1\n\
        AWS_SECRET_ACCESS_KEY=local\n\
        LINK=http://127.0.0.1:8099/verify\n\
        TASKS=http://a:1/000000000000/Tasks\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
