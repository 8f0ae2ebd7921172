//! The template, as it runs here and as it is deployed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail in any of these ways"
)]

mod deployed;
mod rules;
mod sameness;

use std::sync::LazyLock;

use deployed::Template;

/// What a stack is that is not asked for anything else.
static DEFAULTS: LazyLock<Template> = LazyLock::new(|| Template::transformed(&[]));

/// Parameters by which every condition turns.
const OTHER: [(&str, &str); 15] = [
    ("Stage", "prod"),
    ("MailSender", "bank@example.org"),
    ("PublicUrl", "https://bank.example.org"),
    ("CreateMailIdentity", "false"),
    ("SigningKeyringVersion", "2c9d"),
    ("TokenFormat", "jwt"),
    ("AccessTokenTtlSecs", "60"),
    ("LoginFailuresByName", "3"),
    ("RequireVerifiedEmail", "false"),
    ("LogLevel", "DEBUG"),
    ("LogRetentionDays", "30"),
    ("Release", "7f83b1657f"),
    ("GradualDeployment", "false"),
    ("WebFirewall", "true"),
    ("ReserveConcurrency", "false"),
];

/// A stack with those.
static OTHERS: LazyLock<Template> = LazyLock::new(|| Template::transformed(&OTHER));
