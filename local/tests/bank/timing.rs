//! Whether the time of an answer tells who is a customer.

use std::{
    cmp::Ordering,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

use super::people::Bank;

/// Log-ins of each kind. The measure's own standard deviation is then 0.02.
const PAIRS: usize = 400;
/// What is not counted, while processes and connections start.
const WARM_UP: usize = 20;

/// In thousandths, how often a time of the first kind is longer than one of the second: 500 when
/// nothing can be told. It is the area under the curve (AUC) of whoever guesses by it.
fn area_under_curve(first: &[Duration], second: &[Duration]) -> usize {
    let halves = first.iter().flat_map(|one| {
        second.iter().map(move |other| match one.cmp(other) {
            Ordering::Greater => 2,
            Ordering::Equal => 1,
            Ordering::Less => 0,
        })
    });
    halves.sum::<usize>() * 1_000 / (2 * first.len() * second.len())
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
#[ignore = "a measurement, which wants the machine for itself: make bench-auth"]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let unlimited =
        ["--parameter=LoginFailuresByName=1000000", "--parameter=LoginFailuresByAddress=1000000"];
    let bank = Bank::start_with(&unlimited).await;
    let alice = bank.customer().await;
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    println!("seed {seed}");

    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + PAIRS {
        let mut names = [(alice.username.clone(), true), (format!("nobody_{round}"), false)];
        if random.random() {
            names.reverse();
        }
        for (name, is_known) in names {
            // As long as alice's, and new each time: a guesser asks for each name once.
            let name = if is_known {
                name
            } else {
                format!("{name:x<width$}", width = alice.username.len())
            };
            let body = json!({ "username": name, "password": "not the password" });
            let started = Instant::now();
            let answer = bank.post("/users/login", &body).await;
            let took = started.elapsed();
            answer.assert_problem(401, "invalid_credentials");
            if round >= WARM_UP {
                if is_known { known.push(took) } else { unknown.push(took) }
            }
        }
    }

    let area = area_under_curve(&known, &unknown);
    println!(
        "{PAIRS} log-ins of each kind: a wrong password takes {:?}, an unknown name {:?} (medians); \
         AUC 0.{area:03}",
        median(&known),
        median(&unknown)
    );
    assert!((450..=550).contains(&area), "AUC 0.{area:03}: the two are told apart");
}
