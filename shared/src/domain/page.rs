//! Pages of a list.

use super::Invalid;

/// The last page that can be asked for. It bounds the rows that Postgres skips, and keeps the
/// offset far from overflow.
pub const MAX_PAGE_NUMBER: i64 = 10_000;

/// A slice of an ordered list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    limit: i64,
    offset: i64,
}

impl Page {
    /// The number of rows when a client does not say.
    pub const DEFAULT_LIMIT: i64 = 20;
    /// The most rows in one answer.
    pub const MAX_LIMIT: i64 = 100;
    /// The fewest rows of a numbered page.
    pub const MIN_PAGE_SIZE: i64 = 5;

    /// What a client asks for: the first rows, or a page by its number and size, one of which will do.
    ///
    /// # Errors
    /// When there is a limit besides.
    pub fn asked(
        limit: Option<Self>,
        number: Option<i64>,
        size: Option<i64>,
    ) -> Result<Self, Invalid> {
        match (limit, number, size) {
            (limit, None, None) => Ok(limit.unwrap_or_default()),
            (None, number, size) => {
                Ok(Self::numbered(number.unwrap_or(1), size.unwrap_or(Self::DEFAULT_LIMIT)))
            }
            (Some(_), _, _) => Err(Invalid::from("does not go together with a numbered page")),
        }
    }

    /// The first `limit` rows.
    ///
    /// # Errors
    /// When `limit` is not in 1 … 100.
    pub fn first(limit: i64) -> Result<Self, Invalid> {
        if (1..=Self::MAX_LIMIT).contains(&limit) {
            Ok(Self { limit, offset: 0 })
        } else {
            Err(Invalid::from("must be a whole number from 1 to 100"))
        }
    }

    /// A page's size, for [`Page::asked`].
    ///
    /// # Errors
    /// When it is not in 5 … 100.
    pub fn size(size: i64) -> Result<i64, Invalid> {
        if (Self::MIN_PAGE_SIZE..=Self::MAX_LIMIT).contains(&size) {
            Ok(size)
        } else {
            Err(Invalid::from("must be a whole number from 5 to 100"))
        }
    }

    /// A page's number, for [`Page::asked`].
    ///
    /// # Errors
    /// When it is not in 1 … [`MAX_PAGE_NUMBER`].
    pub fn number(number: i64) -> Result<i64, Invalid> {
        if (1..=MAX_PAGE_NUMBER).contains(&number) {
            Ok(number)
        } else {
            Err(Invalid::from("must be a whole number from 1 to 10000"))
        }
    }

    /// A page of `size` rows, counted from 1.
    #[must_use]
    pub fn numbered(number: i64, size: i64) -> Self {
        Self { limit: size, offset: number.saturating_sub(1).saturating_mul(size) }
    }

    /// The most rows to answer with.
    #[must_use]
    pub fn limit(self) -> i64 {
        self.limit
    }

    /// The rows to skip.
    #[must_use]
    pub fn offset(self) -> i64 {
        self.offset
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, offset: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_pages_are_bounded() {
        assert_eq!(Page::asked(None, Some(3), Some(5)), Ok(Page { limit: 5, offset: 10 }));
        assert_eq!(Page::asked(None, Some(2), None), Ok(Page { limit: 20, offset: 20 }));
        assert!(Page::asked(Page::first(5).ok(), Some(1), None).is_err());
        for number in [i64::MIN, -1, 0, MAX_PAGE_NUMBER + 1, 2_147_483_647, i64::MAX] {
            assert!(Page::number(number).is_err(), "{number}");
        }
        for size in [i64::MIN, 0, 4, 101, i64::MAX] {
            assert!(Page::size(size).is_err(), "{size}");
        }
    }
}
