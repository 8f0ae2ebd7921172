//! Money: whole minor units (cents) of one currency, never a fraction.

use std::fmt;

use super::Invalid;

/// The largest amount and the largest balance: 2^53 − 1, the largest integer that JavaScript and
/// every other JSON reader keeps exact (RFC 8259, section 6).
pub const MAX_MINOR_UNITS: i64 = 9_007_199_254_740_991;

/// The currencies that the bank keeps accounts in. This list and the database's domain
/// `currency_code` are the only two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Currency {
    /// United States dollar.
    Usd,
    /// Euro.
    Eur,
    /// Canadian dollar.
    Cad,
}

impl Currency {
    /// Every currency, in the order in which they are listed to people.
    pub const ALL: [Self; 3] = [Self::Usd, Self::Eur, Self::Cad];

    /// The ISO 4217 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Cad => "CAD",
        }
    }

    /// Reads an ISO 4217 code in capitals.
    ///
    /// # Errors
    /// When the bank keeps no accounts in that currency.
    pub fn parse(code: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code() == code)
            .ok_or(Invalid::from("must be one of USD, EUR, CAD"))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// What is moved: 1 to [`MAX_MINOR_UNITS`] minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i64);

impl Amount {
    /// Checks a number of minor units.
    ///
    /// # Errors
    /// When it is not in 1 … 2^53 − 1.
    pub fn new(minor_units: i64) -> Result<Self, Invalid> {
        if (1..=MAX_MINOR_UNITS).contains(&minor_units) {
            Ok(Self(minor_units))
        } else {
            Err(Invalid::from("must be a whole number of minor units from 1 to 9007199254740991"))
        }
    }

    /// Minor units, always positive.
    #[must_use]
    pub fn minor_units(self) -> i64 {
        self.0
    }
}

/// What an account holds: 0 to [`MAX_MINOR_UNITS`] minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Balance(i64);

impl Balance {
    /// Checks a number of minor units; `None` outside 0 … 2^53 − 1.
    #[must_use]
    pub fn new(minor_units: i64) -> Option<Self> {
        (0..=MAX_MINOR_UNITS).contains(&minor_units).then_some(Self(minor_units))
    }

    /// Minor units, never negative.
    #[must_use]
    pub fn minor_units(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_bounds() {
        for (minor_units, valid) in [
            (i64::MIN, false),
            (-1, false),
            (0, false),
            (1, true),
            (MAX_MINOR_UNITS, true),
            (MAX_MINOR_UNITS + 1, false),
            (i64::MAX, false),
        ] {
            assert_eq!(Amount::new(minor_units).is_ok(), valid, "{minor_units}");
        }
    }

    #[test]
    fn balances_have_bounds() {
        for (minor_units, valid) in
            [(-1, false), (0, true), (MAX_MINOR_UNITS, true), (MAX_MINOR_UNITS + 1, false)]
        {
            assert_eq!(Balance::new(minor_units).is_some(), valid, "{minor_units}");
        }
    }

    #[test]
    fn currencies_are_exact_codes() {
        for (code, expected) in
            [("USD", Ok(Currency::Usd)), ("EUR", Ok(Currency::Eur)), ("CAD", Ok(Currency::Cad))]
        {
            assert_eq!(Currency::parse(code), expected);
        }
        for code in ["usd", "USD ", "", "XYZ", "US"] {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }
}
