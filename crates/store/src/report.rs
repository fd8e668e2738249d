//! The laws of the domain as questions about all stored rows at once: each gives the rows that break it.
//!
//! `domain::invariant` says the same of one sale; `doctor` and the tests run
//! both. These read whole tables, and belong on no page that a buyer waits for.

use crate::column::Columns;
use crate::page::all;
use crate::statement::{read, values};
use crate::{ReadError, Store};

/// A law that a stored row breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The law, by its name.
    pub law: &'static str,
    /// The id of the row.
    pub subject: String,
    /// What was expected, and what was found.
    pub detail: String,
}

/// A question that gives the rows that break a law: the id, what was expected, what was found.
struct Law {
    name: &'static str,
    sql: &'static str,
    detail: fn(expected: i64, found: i64) -> String,
}

/// How many rows that break one law are told: enough to see what is wrong.
macro_rules! most {
    () => {
        " limit 100"
    };
}

macro_rules! was_paid {
    () => {
        "orders.state in ('paid', 'partially_refunded', 'refunded', 'disputed', 'lost')"
    };
}

/// Captured money that is not on its way back because the order was paid otherwise.
macro_rules! kept {
    () => {
        "payments.state = 'succeeded' and not exists (select 1 from refunds where refunds.shop_id = payments.shop_id \
         and refunds.order_id = payments.order_id and refunds.payment_id = payments.id \
         and refunds.reason = 'surprise_capture')"
    };
}

const LAWS: &[Law] = &[
    Law {
        name: "paid_means_issued",
        sql: concat!(
            "select orders.id, case when ",
            was_paid!(),
            " then orders.units else 0 end, count(licenses.id) from orders \
             left join licenses on licenses.shop_id = orders.shop_id and licenses.order_id = orders.id \
             group by orders.shop_id, orders.id, orders.units, orders.state \
             having count(licenses.id) <> case when ",
            was_paid!(),
            " then orders.units else 0 end",
            most!()
        ),
        detail: |units, licenses| format!("{licenses} licenses for {units} paid units"),
    },
    Law {
        name: "issued_means_captured",
        sql: concat!(
            "select licenses.id, 1, 0 from licenses where not exists (select 1 from payments \
             where payments.shop_id = licenses.shop_id and payments.order_id = licenses.order_id \
             and payments.state = 'succeeded')",
            most!()
        ),
        detail: |_, _| "no payment of its order was captured".to_owned(),
    },
    Law {
        name: "at_most_one_capture",
        sql: concat!(
            "select payments.order_id, 1, count(*) from payments where ",
            kept!(),
            " group by payments.shop_id, payments.order_id having count(*) > 1",
            most!()
        ),
        detail: |_, kept| format!("{kept} captured payments are kept"),
    },
    Law {
        name: "paid_means_captured",
        sql: concat!(
            "select orders.id, case when ",
            was_paid!(),
            " then 1 else 0 end, case when ",
            was_paid!(),
            " then 0 else 1 end from orders where (",
            was_paid!(),
            ") <> exists (select 1 from payments where payments.shop_id = orders.shop_id \
             and payments.order_id = orders.id and ",
            kept!(),
            ")",
            most!()
        ),
        detail: |expected, _| match expected {
            0 => "a payment was captured, and the order is not paid".to_owned(),
            _ => "the order is paid, and no payment was captured".to_owned(),
        },
    },
    Law {
        name: "paid_means_completed",
        sql: concat!(
            "select orders.id, 1, 0 from orders where ",
            was_paid!(),
            " and not exists (select 1 from checkouts where checkouts.shop_id = orders.shop_id \
             and checkouts.order_id = orders.id and checkouts.state = 'completed')",
            most!()
        ),
        detail: |_, _| "the order is paid, and its checkout is not completed".to_owned(),
    },
    Law {
        name: "captured_what_was_asked",
        sql: concat!(
            "select payments.id, orders.total_minor, payments.amount_minor from payments \
             join orders on orders.shop_id = payments.shop_id and orders.id = payments.order_id \
             where payments.state = 'succeeded' \
             and (payments.amount_minor <> orders.total_minor or payments.currency <> orders.currency)",
            most!()
        ),
        detail: |asked, captured| format!("{captured} captured for an order of {asked} minor units, or another currency"),
    },
    Law {
        name: "refunds_within_payment",
        sql: concat!(
            "select payments.id, payments.amount_minor, cast(sum(refunds.amount_minor) as bigint) from payments \
             join refunds on refunds.shop_id = payments.shop_id and refunds.order_id = payments.order_id \
             and refunds.payment_id = payments.id where refunds.state in ('pending', 'succeeded') \
             group by payments.shop_id, payments.id, payments.amount_minor \
             having sum(refunds.amount_minor) > payments.amount_minor",
            most!()
        ),
        detail: |captured, refunded| format!("{refunded} minor units went back of {captured}"),
    },
    Law {
        name: "books_match",
        sql: concat!(
            "select order_id, cast(sum(by_rows) as bigint), cast(sum(by_books) as bigint) from (\
             select shop_id, order_id, currency, amount_minor as by_rows, 0 as by_books from payments \
             where state = 'succeeded' \
             union all select shop_id, order_id, currency, -amount_minor, 0 from refunds \
             where state in ('pending', 'succeeded') \
             union all select shop_id, order_id, currency, -amount_minor, 0 from disputes \
             where state in ('opened', 'evidence_sent', 'accepted', 'lost') \
             union all select shop_id, order_id, currency, 0, \
             case when debit like 'gateway:%' then amount_minor else 0 end \
             - case when credit like 'gateway:%' then amount_minor else 0 end from postings\
             ) as movements group by shop_id, order_id, currency having sum(by_rows) <> sum(by_books)",
            most!()
        ),
        detail: |rows, books| {
            format!("gateways hold {books} minor units by the books, {rows} by captures, refunds and disputes")
        },
    },
    Law {
        name: "a_seat_is_a_seat",
        sql: concat!(
            "select licenses.id, licenses.seats_used, count(activations.id) from licenses \
             left join activations on activations.shop_id = licenses.shop_id \
             and activations.license_id = licenses.id and activations.state = 'active' \
             group by licenses.shop_id, licenses.id, licenses.seats_used \
             having count(activations.id) <> licenses.seats_used",
            most!()
        ),
        detail: |counted, taken| format!("{taken} seats are taken, {counted} are counted"),
    },
    Law {
        name: "seats_within_license",
        sql: concat!(
            "select id, seats, seats_used from licenses where seats is not null and seats_used > seats",
            most!()
        ),
        detail: |seats, used| format!("{used} seats are taken of {seats}"),
    },
    Law {
        name: "open_payments_are_watched",
        sql: concat!(
            "select id, 1, 0 from payments where check_at is null \
             and state in ('created', 'sent', 'requires_action', 'processing', 'unknown')",
            most!()
        ),
        detail: |_, _| "its outcome is open, and nobody will ask the gateway".to_owned(),
    },
    Law {
        name: "queued_mail_has_a_job",
        sql: concat!(
            "select id, 1, 0 from deliveries where state = 'queued' and state <> 'sent' and not exists (select 1 from jobs \
             where jobs.shop_id = deliveries.shop_id and jobs.subject = deliveries.id and jobs.kind = 'send_mail')",
            most!()
        ),
        detail: |_, _| "it waits to be sent, and no job will send it".to_owned(),
    },
    Law {
        name: "requested_refund_has_a_job",
        sql: concat!(
            "select id, 1, 0 from refunds where state = 'created' and not exists (select 1 from jobs \
             where jobs.shop_id = refunds.shop_id and jobs.subject = refunds.id and jobs.kind = 'send_refund')",
            most!()
        ),
        detail: |_, _| "it was asked for, and no job will tell the gateway".to_owned(),
    },
];

#[cfg(test)]
pub(crate) fn texts() -> impl Iterator<Item = crate::statement::Text> {
    LAWS.iter().map(|law| crate::statement::Text::both(law.sql))
}

/// Every row that breaks a law, up to a hundred for each law, all of one snapshot.
///
/// # Errors
/// When the database does not answer.
pub async fn broken_laws(store: &Store) -> Result<Vec<Finding>, ReadError> {
    let asked = LAWS.iter().map(|law| read(law.name, law.sql, values![])).collect();
    let mut findings = Vec::new();
    for (law, rows) in LAWS.iter().zip(store.engine.query(asked).await?) {
        findings.extend(all(law.name, rows, |row| {
            let mut columns = Columns::of(row);
            let subject = columns.text()?;
            let (expected, found) = (columns.integer()?, columns.integer()?);
            Ok(Finding { law: law.name, subject, detail: (law.detail)(expected, found) })
        })?);
    }
    Ok(findings)
}
