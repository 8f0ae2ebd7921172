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
        Self::ALL.into_iter().find(|currency| currency.code() == code).ok_or_else(|| {
            Invalid::from(format!("must be one of {}", Self::ALL.map(Self::code).join(", ")))
        })
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
    use proptest::{prelude::*, sample::select};

    use super::*;

    /// Any number at all, and as often one that is next to a bound.
    fn number() -> impl Strategy<Value = i64> {
        let bounds = vec![i64::MIN, -MAX_MINOR_UNITS, 0, MAX_MINOR_UNITS, i64::MAX];
        let next_to_bound =
            (select(bounds), -2..=2_i64).prop_map(|(bound, step)| bound.saturating_add(step));
        prop_oneof![any::<i64>(), -MAX_MINOR_UNITS..=MAX_MINOR_UNITS, next_to_bound]
    }

    fn amount() -> impl Strategy<Value = Amount> {
        number().prop_filter_map("an amount", |number| Amount::new(number).ok())
    }

    fn balance() -> impl Strategy<Value = Balance> {
        number().prop_filter_map("a balance", Balance::new)
    }

    proptest! {
        /// 53 bits are what every reader of JSON keeps: 64 without the sign and ten more.
        #[test]
        fn money_is_what_fits_53_bits(number in number()) {
            let fits = number >= 0 && number.leading_zeros() >= 64 - 53;
            let balance = Balance::new(number);
            prop_assert_eq!(balance.is_some(), fits);
            prop_assert_eq!(Amount::new(number).is_ok(), fits && number != 0);
            if let Some(balance) = balance {
                prop_assert_eq!(balance.minor_units(), number);
            }
        }

        /// `move_money` decides before it adds, by a comparison that cannot overflow. It has to be
        /// the one that the bounds of a balance make.
        #[test]
        fn a_balance_that_is_paid_stays_one_or_is_at_its_limit(
            balance in balance(),
            amount in amount(),
        ) {
            let (held, paid) = (balance.minor_units(), amount.minor_units());
            let after = held.checked_add(paid).and_then(Balance::new);
            let room = MAX_MINOR_UNITS.checked_sub(paid);
            prop_assert_eq!(after.is_none(), room.is_some_and(|room| held > room));
            if let Some(after) = after {
                prop_assert!(after > balance);
                let back = after.minor_units().checked_sub(paid).and_then(Balance::new);
                prop_assert_eq!(back, Some(balance));
            }
        }

        /// The same of the other comparison.
        #[test]
        fn a_balance_that_pays_stays_one_or_has_too_little(
            balance in balance(),
            amount in amount(),
        ) {
            let (held, paid) = (balance.minor_units(), amount.minor_units());
            let after = held.checked_sub(paid);
            prop_assert!(after.is_some(), "two kinds of money never overflow");
            prop_assert_eq!(after.and_then(Balance::new).is_none(), held < paid);
        }
    }

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
