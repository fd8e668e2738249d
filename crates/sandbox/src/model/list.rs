//! Lists: newest first, in pages, as Stripe cuts them.

use serde_json::{Value, json};

use super::error::ApiError;
use super::input::Input;
use super::moment::Moment;
use super::table::Table;
use super::{Object, World};

/// Which page, and which span of time.
#[derive(Debug, Clone, Default)]
pub struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    created: Span,
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    at_least: Option<i64>,
    at_most: Option<i64>,
}

impl Span {
    fn contains(self, created: Moment) -> bool {
        let seconds = created.seconds();
        self.at_least.is_none_or(|least| seconds >= least) && self.at_most.is_none_or(|most| seconds <= most)
    }
}

impl Page {
    /// Reads the parameters that every list has.
    ///
    /// # Errors
    /// When a bound is broken or both cursors are given.
    pub fn read(input: &mut Input) -> Result<Self, ApiError> {
        let limit = input.integer("limit")?.unwrap_or(10);
        let limit = usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=100).contains(limit))
            .ok_or_else(|| ApiError::invalid("The limit is from 1 to 100.").param("limit"))?;
        let page = Self {
            limit,
            starting_after: input.text("starting_after")?,
            ending_before: input.text("ending_before")?,
            created: read_span(input)?,
        };
        if page.starting_after.is_some() && page.ending_before.is_some() {
            return Err(ApiError::invalid("Give starting_after or ending_before, not both.").param("ending_before"));
        }
        Ok(page)
    }
}

/// One page of an account's rows that pass `keep`.
///
/// # Errors
/// When a cursor is no row of this account.
pub fn list<T: Object>(
    world: &World,
    table: &Table<T>,
    account: &str,
    url: &str,
    page: &Page,
    keep: impl Fn(&T) -> bool,
) -> Result<Value, ApiError> {
    let cursor = |id: &Option<String>, param: &str| match id {
        None => Ok(None),
        Some(id) => super::owned(table, account, id).map(|_| table.position(id)).map_err(|_| {
            ApiError::invalid(format!("No such {}: '{id}'", T::NOUN)).code("resource_missing").param(param)
        }),
    };
    let below = cursor(&page.starting_after, "starting_after")?;
    let above = cursor(&page.ending_before, "ending_before")?;
    let wanted = |position: u64, row: &T| {
        row.account() == account
            && below.is_none_or(|below| position < below)
            && above.is_none_or(|above| position > above)
            && page.created.contains(row.created())
            && keep(row)
    };
    let one_more = page.limit.saturating_add(1);
    let mut rows: Vec<&T> = if above.is_some() {
        let nearest = table.oldest_first().filter(|(position, _, row)| wanted(*position, row));
        nearest.take(one_more).map(|(_, _, row)| row).collect()
    } else {
        let newest = table.oldest_first().rev().filter(|(position, _, row)| wanted(*position, row));
        newest.take(one_more).map(|(_, _, row)| row).collect()
    };
    let has_more = rows.len() > page.limit;
    rows.truncate(page.limit);
    if above.is_some() {
        rows.reverse();
    }
    Ok(of(rows.into_iter().map(|row| row.render(world)).collect(), has_more, url))
}

/// The JSON of a list.
#[must_use]
pub fn of(data: Vec<Value>, has_more: bool, url: &str) -> Value {
    json!({ "object": "list", "data": Value::Array(data), "has_more": has_more, "url": url })
}

fn read_span(input: &mut Input) -> Result<Span, ApiError> {
    // `created` is a number, or an object of bounds: try the object first.
    let Ok(Some(mut bounds)) = input.clone().object("created") else {
        let exact = input.integer("created")?;
        return Ok(Span { at_least: exact, at_most: exact });
    };
    input.object("created")?;
    let above = bounds.integer("gt")?.map(|bound| bound.saturating_add(1));
    let least = bounds.integer("gte")?;
    let under = bounds.integer("lt")?.map(|bound| bound.saturating_sub(1));
    let most = bounds.integer("lte")?;
    bounds.finish()?;
    Ok(Span {
        at_least: [above, least].into_iter().flatten().max(),
        at_most: [under, most].into_iter().flatten().min(),
    })
}
