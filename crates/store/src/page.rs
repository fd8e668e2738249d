//! Lists, page by page: newest first, from the id of the last row seen, never by counting rows.

use std::fmt::Display;

use domain::{ShopId, Timestamp};

use crate::statement::{any, read, values};
use crate::{CommitError, Listing, Page, ReadError, Row, RowError, Rows, Statement, Store, Value};

const LARGEST_PAGE: u32 = 100;

/// Sorts after every id.
pub(crate) const AFTER_EVERY_ID: &str = "~";

/// What waits for a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub count: u64,
    /// Since when the oldest of them is there.
    pub oldest: Option<Timestamp>,
}

/// One list in both directions. `$1` is the shop, `$2` the id to go on from, `$3` how many; the list's own conditions
/// follow from `$4`.
pub(crate) struct Lists {
    pub(crate) older: &'static str,
    pub(crate) newer: &'static str,
}

/// The [`Lists`] of a `select … from … where shop_id = $1 …`.
macro_rules! lists {
    ($($select:tt)*) => {
        $crate::page::Lists {
            older: concat!($($select)*, " and id < $2 order by id desc limit $3"),
            newer: concat!($($select)*, " and id > $2 order by id limit $3"),
        }
    };
}
pub(crate) use lists;

impl Store {
    /// One page of a list of `what`. Where both ends are given, `starting_after` counts.
    pub(crate) async fn page<Id: Display, Noun>(
        &self,
        what: &'static str,
        lists: &Lists,
        shop: ShopId,
        page: &Page<Id>,
        conditions: Vec<Value>,
        row: impl Fn(&mut Row) -> Result<Noun, RowError>,
    ) -> Result<Listing<Noun>, ReadError> {
        let limit = page.limit.clamp(1, LARGEST_PAGE);
        let (sql, from, upwards) = match (&page.starting_after, &page.ending_before) {
            (Some(id), _) => (lists.older, id.to_string(), false),
            (None, Some(id)) => (lists.newer, id.to_string(), true),
            (None, None) => (lists.older, AFTER_EVERY_ID.to_owned(), false),
        };
        // One more than is shown tells whether there are more.
        let mut values = values![shop, from, limit + 1];
        values.extend(conditions);
        let mut listing = cut(self.every(read(what, sql, values), row).await?, limit);
        if upwards {
            listing.data.reverse();
        }
        Ok(listing)
    }

    /// The one row of a statement that can find at most one.
    pub(crate) async fn one<Noun>(
        &self,
        statement: Statement,
        row: impl Fn(&mut Row) -> Result<Noun, RowError>,
    ) -> Result<Option<Noun>, ReadError> {
        let what = statement.what;
        let rows = self.engine.look_up(vec![statement]).await?.pop().unwrap_or_default();
        Ok(all(what, rows, row)?.pop())
    }

    /// The number that a statement counts.
    pub(crate) async fn counted(&self, statement: Statement) -> Result<u64, ReadError> {
        let what = statement.what;
        let counted = self.every(statement, |row| row.integer(0)).await?;
        counted
            .into_iter()
            .next()
            .and_then(|count| u64::try_from(count).ok())
            .ok_or_else(|| ReadError::Corrupt(format!("{what}: nothing was counted")))
    }

    /// How many rows a statement counts, and the time of the oldest.
    pub(crate) async fn backlog(&self, statement: Statement) -> Result<Backlog, ReadError> {
        let row = |row: &mut Row| Ok((row.integer(0)?, row.optional_timestamp(1)?));
        let found = self.every(statement, row).await?.into_iter().next();
        Ok(found.map_or_else(Backlog::default, |(count, oldest)| Backlog {
            count: u64::try_from(count).unwrap_or_default(),
            oldest,
        }))
    }

    /// What was claimed. A row that cannot be read must not hold up the others: it is left for whoever can, once its
    /// lease ends.
    pub(crate) async fn claimed<Noun>(
        &self,
        claim: Statement,
        row: impl Fn(&mut Row) -> Result<Noun, RowError>,
    ) -> Result<Vec<Noun>, CommitError> {
        let what = claim.what;
        let rows = self.engine.commit_returning(vec![any(claim)]).await?.pop().unwrap_or_default();
        let readable = rows.into_iter().filter_map(|mut found| match row(&mut found) {
            Ok(noun) => Some(noun),
            Err(error) => {
                tracing::error!(what, %error, "a claimed row cannot be read");
                None
            }
        });
        Ok(readable.collect())
    }

    /// Every row of a statement.
    pub(crate) async fn every<Noun>(
        &self,
        statement: Statement,
        row: impl Fn(&mut Row) -> Result<Noun, RowError>,
    ) -> Result<Vec<Noun>, ReadError> {
        let what = statement.what;
        let rows = self.engine.query(vec![statement]).await?.pop().unwrap_or_default();
        all(what, rows, row)
    }
}

/// What is shown of rows that were read one further than that, which tells whether there are more.
pub(crate) fn cut<Noun>(mut data: Vec<Noun>, limit: u32) -> Listing<Noun> {
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = data.len() > shown;
    data.truncate(shown);
    Listing { data, has_more }
}

/// Every row as what it stands for.
pub(crate) fn all<Noun>(
    what: &'static str,
    rows: Rows,
    row: impl Fn(&mut Row) -> Result<Noun, RowError>,
) -> Result<Vec<Noun>, ReadError> {
    rows.into_iter()
        .map(|mut found| row(&mut found).map_err(|error| ReadError::Corrupt(format!("{what}: {error}"))))
        .collect()
}
