//! Attempts at a password, which are counted when they fail.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use super::{Credentials, Username};

/// How many wrong passwords there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// The failure in a row by which a name is locked.
    pub by_name: i32,
    /// The failure within ten minutes by which an address is locked.
    pub by_address: i32,
}

/// Who tries a password, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The name that is tried, which somebody may have.
    pub username: Username,
    /// What failures are counted by: the address, of IPv6 the network of 64 bits that one customer
    /// of a provider has.
    pub address: String,
}

impl Attempt {
    /// An attempt from the address that the gateway saw.
    #[must_use]
    pub fn new(username: Username, client_ip: &str) -> Self {
        let address = match client_ip.parse().map(|address: IpAddr| address.to_canonical()) {
            Ok(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            Ok(IpAddr::V4(address)) => address.to_string(),
            Err(_) => "unknown".to_owned(),
        };
        Self { username, address }
    }
}

/// What there is to check a password against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The user of that name, if somebody has it.
    pub credentials: Option<Credentials>,
    /// For how long no password is looked at, because too many were wrong.
    pub locked_for: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_by_customer() {
        let username = Username::parse("alice").unwrap();
        for (client_ip, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("192.0.2.7, 203.0.113.9", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(Attempt::new(username.clone(), client_ip).address, expected);
        }
    }
}
