//! What is known of the program that asks.

use std::net::{IpAddr, Ipv4Addr};

const MAX_USER_AGENT_CHARS: usize = 255;

/// The program that asks, as whoever took its connection saw it: nothing here is what a header claims
/// that others are meant to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// What it calls itself, without control characters and cut to 255 characters.
    pub user_agent: String,
    /// Where it is.
    pub ip: String,
}

impl Client {
    /// Takes over what was seen.
    #[must_use]
    pub fn new(user_agent: Option<&str>, ip: Option<&str>) -> Self {
        let unknown = || IpAddr::V4(Ipv4Addr::UNSPECIFIED).to_string();
        let user_agent = user_agent.unwrap_or_default().chars();
        Self {
            user_agent: user_agent
                .filter(|character| !character.is_control())
                .take(MAX_USER_AGENT_CHARS)
                .collect(),
            ip: ip.map_or_else(unknown, str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_plain() {
        let client = Client::new(Some(&format!("a\u{7}b{}", "c".repeat(300))), Some("192.0.2.1"));
        assert_eq!(client.user_agent.chars().count(), MAX_USER_AGENT_CHARS);
        assert!(client.user_agent.starts_with("abc"));
        assert_eq!(client.ip, "192.0.2.1");
        let nobody = Client { user_agent: String::new(), ip: "0.0.0.0".to_owned() };
        assert_eq!(Client::new(None, None), nobody);
    }
}
