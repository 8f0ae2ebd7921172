//! Who sends requests.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result, bail};

/// Somebody with an account and a session.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    /// The user's name.
    pub(crate) name: String,
    /// The number of their account.
    pub(crate) account: u64,
    /// An access token of theirs.
    pub(crate) token: String,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Customers(Arc<Vec<Customer>>);

impl Customers {
    /// The first of a file that has a name, an account and a token on each line.
    pub(crate) fn read(file: &Path, most: Option<usize>) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let lines = text.lines().take(most.unwrap_or(usize::MAX));
        let customers = lines.map(read).collect::<Result<Vec<_>>>()?;
        if customers.is_empty() {
            bail!("there is nobody in {}", file.display());
        }
        Ok(Self(Arc::new(customers)))
    }

    /// Any of them.
    pub(crate) fn draw(&self, random: &mut fastrand::Rng) -> Result<&Customer> {
        self.0.get(random.usize(..self.0.len())).context("nobody is there")
    }
}

fn read(line: &str) -> Result<Customer> {
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(name), Some(account), Some(token)) = (words.next(), words.next(), words.next())
    else {
        bail!("a line has to have a name, an account and a token");
    };
    Ok(Customer { name, account: account.parse()?, token })
}
