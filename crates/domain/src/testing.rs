//! Applying changes to a sale in memory, for tests: what the store does to
//! rows, with the same checks of versions, and the same indexes as the last lock.

use std::collections::BTreeSet;

use crate::{Changes, Check, MailKind, Posting, Sale, Version};

/// Writes the changes into the sale and the books, or says why the store would not.
///
/// # Errors
/// When a row has moved on since it was read, or an index of the store would be violated.
pub fn apply(sale: &mut Sale, postings: &mut Vec<Posting>, changes: &Changes) -> Result<(), String> {
    for check in &changes.checks {
        match check {
            Check::Order { id, version, .. } if *id != sale.order.id || *version != sale.order.version => {
                return Err(format!("{id} has moved on"));
            }
            Check::Order { .. } | Check::License { .. } => {}
        }
    }
    let mut after = sale.clone();
    for row in &changes.orders {
        write(std::slice::from_mut(&mut after.order), row, |row| row.id, |row| &mut row.version)?;
    }
    for row in &changes.checkouts {
        write(std::slice::from_mut(&mut after.checkout), row, |row| row.id, |row| &mut row.version)?;
    }
    for row in &changes.payments {
        put(&mut after.payments, row, |row| row.id, |row| &mut row.version)?;
    }
    for row in &changes.refunds {
        put(&mut after.refunds, row, |row| row.id, |row| &mut row.version)?;
    }
    for row in &changes.disputes {
        put(&mut after.disputes, row, |row| row.id, |row| &mut row.version)?;
    }
    for row in changes.licenses.iter().chain(changes.issued.iter().map(|(license, _)| license)) {
        put(&mut after.licenses, row, |row| row.id, |row| &mut row.version)?;
    }
    after.keys_mailed |= changes.deliveries.iter().any(|row| matches!(row.mail, MailKind::OrderPaid { .. }));
    let mut books = postings.clone();
    books.extend(changes.postings.iter().cloned());

    unique("license for a unit", after.licenses.iter().map(|license| (license.line, license.unit)))?;
    unique("cause of a posting", books.iter().map(|posting| posting.cause.clone()))?;
    unique(
        "reference of a refund",
        after.refunds.iter().filter_map(|refund| Some((refund.payment, refund.reference.clone()?))),
    )?;
    unique(
        "reference of a dispute",
        after.disputes.iter().map(|dispute| (dispute.payment, dispute.reference.clone())),
    )?;
    unique(
        "page of a payment",
        after.payments.iter().filter_map(|row| Some((row.gateway_account, row.page_reference.clone()?))),
    )?;
    unique(
        "reference of a payment",
        after.payments.iter().filter_map(|row| Some((row.gateway_account, row.reference.clone()?))),
    )?;
    if let Some(posting) = changes.postings.iter().find(|posting| !posting.amount.is_positive()) {
        return Err(format!("{} moves {}", posting.cause, posting.amount));
    }
    *sale = after;
    *postings = books;
    Ok(())
}

fn unique<Key: Ord + std::fmt::Debug>(what: &str, keys: impl Iterator<Item = Key>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if seen.contains(&key) {
            return Err(format!("a second {what}: {key:?}"));
        }
        seen.insert(key);
    }
    Ok(())
}

/// Inserts a row of version 0, and updates any other as [`write`] does.
fn put<Row: Clone, Id: PartialEq + std::fmt::Debug>(
    rows: &mut Vec<Row>,
    row: &Row,
    id: impl Fn(&Row) -> Id,
    version: impl Fn(&mut Row) -> &mut Version,
) -> Result<(), String> {
    let mut written = row.clone();
    if *version(&mut written) != 0 {
        return write(rows, row, id, version);
    }
    if rows.iter().any(|known| id(known) == id(row)) {
        return Err(format!("{:?} is there already", id(row)));
    }
    *version(&mut written) = 1;
    rows.push(written);
    Ok(())
}

/// Updates a row that still has the version it was read at.
fn write<Row: Clone, Id: PartialEq + std::fmt::Debug>(
    rows: &mut [Row],
    row: &Row,
    id: impl Fn(&Row) -> Id,
    version: impl Fn(&mut Row) -> &mut Version,
) -> Result<(), String> {
    let Some(known) = rows.iter_mut().find(|known| id(known) == id(row)) else {
        return Err(format!("{:?} is not there", id(row)));
    };
    let mut written = row.clone();
    if *version(known) != *version(&mut written) {
        return Err(format!("{:?} has moved on", id(row)));
    }
    *version(&mut written) += 1;
    *known = written;
    Ok(())
}
