//! The laws of the domain as questions about all stored rows at once: each gives the rows that break it.
//!
//! `domain::invariant` says the same of one sale; `doctor` and the tests run
//! both. These read whole tables, and belong on no page that a buyer waits for.

use std::collections::BTreeMap;

use domain::{ContentDigest, FileName, OrderId, PlanId, ShopId, Timestamp};

use crate::column::Columns;
use crate::page::all;
use crate::statement::{Text, read, values};
use crate::table::TABLES;
use crate::{Engine, ReadError, Row, RowError, Store, Value};

/// A law that a stored row breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The law, by its name; one that `domain::invariant` knows too has the same there.
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
    /// What `$1` stands for, where the text has one.
    bytes: Option<&'static [u8]>,
    detail: fn(expected: &str, found: &str) -> String,
}

/// How many rows that break one law are told: enough to see what is wrong.
macro_rules! most {
    () => {
        " limit 100"
    };
}

/// Whether money was captured for an order at some time.
macro_rules! was_paid {
    () => {
        "orders.state in ('paid', 'partially_refunded', 'refunded', 'disputed', 'lost')"
    };
}

/// Whether a payment was captured, and is not on its way back because the order was paid otherwise.
macro_rules! is_kept {
    () => {
        "payments.state = 'succeeded' and not exists (select 1 from refunds as surprises \
         where surprises.shop_id = payments.shop_id and surprises.order_id = payments.order_id \
         and surprises.payment_id = payments.id and surprises.reason = 'surprise_capture')"
    };
}

/// What has gone back of a payment, or is on its way.
macro_rules! went_back {
    () => {
        "(select coalesce(sum(refunds.amount_minor), 0) from refunds where refunds.shop_id = payments.shop_id \
         and refunds.order_id = payments.order_id and refunds.payment_id = payments.id \
         and refunds.state in ('pending', 'succeeded'))"
    };
}

/// Whether there is a dispute of a payment in one of these states.
macro_rules! disputed {
    ($states:literal) => {
        concat!(
            "exists (select 1 from disputes where disputes.shop_id = payments.shop_id \
             and disputes.order_id = payments.order_id and disputes.payment_id = payments.id and disputes.state in (",
            $states,
            "))"
        )
    };
}

const LAWS: &[Law] = &[
    Law {
        name: "at_most_one_capture",
        bytes: None,
        sql: concat!(
            "select payments.order_id, 1, count(*) from payments where ",
            is_kept!(),
            " group by payments.shop_id, payments.order_id having count(*) > 1",
            most!()
        ),
        detail: |_, kept| format!("{kept} captured payments are kept"),
    },
    Law {
        name: "paid_means_captured",
        bytes: None,
        sql: concat!(
            "select orders.id, case when ",
            was_paid!(),
            " then 'a' else 'no' end, orders.state from orders where (",
            was_paid!(),
            ") <> exists (select 1 from payments where payments.shop_id = orders.shop_id \
             and payments.order_id = orders.id and ",
            is_kept!(),
            // What costs nothing is paid without a payment.
            ") and orders.total_minor > 0",
            most!()
        ),
        detail: |expected, state| match expected {
            "no" => format!("the order is {state}, and a payment was captured"),
            _ => format!("the order is {state}, and no payment was captured"),
        },
    },
    Law {
        name: "paid_means_issued",
        bytes: None,
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
        name: "paid_means_claimed",
        bytes: None,
        sql: concat!(
            "select orders.id, case when ",
            was_paid!(),
            " then orders.claims else 0 end, count(claims.order_id) from orders \
             left join claims on claims.shop_id = orders.shop_id and claims.order_id = orders.id \
             group by orders.shop_id, orders.id, orders.claims, orders.state \
             having count(claims.order_id) <> case when ",
            was_paid!(),
            " then orders.claims else 0 end",
            most!()
        ),
        detail: |units, claims| format!("{claims} claims for {units} paid units whose content is made elsewhere"),
    },
    Law {
        name: "a_claim_has_its_license",
        bytes: None,
        sql: concat!(
            "select claims.license_id, 1, 0 from claims where not exists (select 1 from licenses \
             where licenses.shop_id = claims.shop_id and licenses.id = claims.license_id \
             and licenses.order_id = claims.order_id and licenses.line = claims.line \
             and licenses.unit = claims.unit)",
            most!()
        ),
        detail: |_, _| "a claim is about a license that its unit does not have".to_owned(),
    },
    Law {
        name: "a_claim_sleeps_with_its_license",
        bytes: None,
        sql: concat!(
            "select claims.license_id, case when licenses.state = 'active' then 0 else 1 end, claims.is_dormant \
             from claims join licenses on licenses.shop_id = claims.shop_id and licenses.id = claims.license_id \
             where (licenses.state = 'active') <> (claims.is_dormant = 0)",
            most!()
        ),
        detail: |_, is_dormant| match is_dormant {
            "0" => "it waits to be handed over, and its license does not work".to_owned(),
            _ => "it stands in no queue, and its license works".to_owned(),
        },
    },
    Law {
        name: "a_code_is_handed_out_once",
        bytes: None,
        sql: concat!(
            "select min(license_id), 1, count(*) from claims where content_hash is not null \
             group by shop_id, content_hash having count(*) > 1",
            most!()
        ),
        detail: |_, found| format!("one code was handed out to {found} units"),
    },
    Law {
        name: "what_left_the_stock_is_with_a_buyer",
        bytes: None,
        sql: concat!(
            "select subject, 1, 0 from (\
             select pool_codes.order_id as subject from pool_codes where pool_codes.state = 'taken' \
             and not exists (select 1 from claims where claims.shop_id = pool_codes.shop_id \
             and claims.order_id = pool_codes.order_id and claims.line = pool_codes.line \
             and claims.unit = pool_codes.unit and claims.content_hash = pool_codes.code_hash) \
             union all select claims.order_id from claims where claims.state = 'fulfilled' \
             and claims.pool_id is not null and not exists (select 1 from pool_codes \
             where pool_codes.shop_id = claims.shop_id and pool_codes.code_hash = claims.content_hash \
             and pool_codes.pool_id = claims.pool_id and pool_codes.state = 'taken' \
             and pool_codes.order_id = claims.order_id)) as differences",
            most!()
        ),
        detail: |_, _| "a code left the stock and is with no unit, or is with a unit and did not leave".to_owned(),
    },
    Law {
        name: "issued_means_captured",
        bytes: None,
        sql: concat!(
            "select licenses.id, 1, 0 from licenses where not exists (select 1 from payments \
             where payments.shop_id = licenses.shop_id and payments.order_id = licenses.order_id \
             and payments.state = 'succeeded') and not exists (select 1 from orders \
             where orders.shop_id = licenses.shop_id and orders.id = licenses.order_id and orders.total_minor = 0)",
            most!()
        ),
        detail: |_, _| "no payment of its order was captured".to_owned(),
    },
    Law {
        name: "paid_means_completed",
        bytes: None,
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
        bytes: None,
        sql: concat!(
            "select payments.id, orders.total_minor, payments.amount_minor from payments \
             join orders on orders.shop_id = payments.shop_id and orders.id = payments.order_id \
             where payments.state = 'succeeded' \
             and (payments.amount_minor <> orders.total_minor or payments.currency <> orders.currency)",
            most!()
        ),
        detail: |asked, captured| {
            format!("{captured} captured for an order of {asked} minor units, or another currency")
        },
    },
    Law {
        name: "refunds_within_payment",
        bytes: None,
        sql: concat!(
            "select id, amount, returned from (select payments.id as id, payments.amount_minor as amount, cast(",
            went_back!(),
            " as bigint) as returned from payments where payments.state = 'succeeded') as captures where returned > amount",
            most!()
        ),
        detail: |captured, returned| format!("{returned} minor units went back of {captured}"),
    },
    Law {
        name: "order_follows_money",
        bytes: None,
        sql: concat!(
            "select id, derived, state from (select orders.id as id, orders.state as state, case when ",
            disputed!("'accepted', 'lost'"),
            " then 'lost' when ",
            disputed!("'opened', 'evidence_sent'"),
            " then 'disputed' when ",
            went_back!(),
            " = 0 then 'paid' when ",
            went_back!(),
            " < payments.amount_minor then 'partially_refunded' else 'refunded' end as derived from payments \
             join orders on orders.shop_id = payments.shop_id and orders.id = payments.order_id where ",
            is_kept!(),
            ") as sales where derived <> state",
            most!()
        ),
        detail: |derived, state| format!("the order is {state} and the money says {derived}"),
    },
    Law {
        name: "refunded_is_the_sum",
        bytes: None,
        sql: concat!(
            "select id, returned, refunded from (select orders.id as id, orders.refunded_minor as refunded, \
             cast(coalesce((select sum(",
            went_back!(),
            ") from payments where payments.shop_id = orders.shop_id and payments.order_id = orders.id and ",
            is_kept!(),
            "), 0) as bigint) as returned from orders) as sales where returned <> refunded",
            most!()
        ),
        detail: |returned, refunded| format!("the order says {refunded} minor units, its refunds say {returned}"),
    },
    Law {
        name: "open_means_asked",
        bytes: None,
        sql: concat!(
            "select id, case when check_at is null then 'is not asked about' else 'is asked about' end, state \
             from payments where (state in ('created', 'sent', 'requires_action', 'processing', 'unknown')) \
             <> (check_at is not null)",
            most!()
        ),
        detail: |asked, state| format!("it is {state} and {asked}"),
    },
    Law {
        name: "a_payment_has_a_buyer",
        bytes: None,
        sql: concat!(
            "select payments.id, 1, 0 from payments \
             join orders on orders.shop_id = payments.shop_id and orders.id = payments.order_id \
             where orders.customer_id is null or orders.email is null",
            most!()
        ),
        detail: |_, _| "a payment was made for nobody".to_owned(),
    },
    Law {
        name: "books_match",
        bytes: None,
        sql: concat!(
            "select order_id, account || ' should stand at ' || cast(sum(by_rows) as bigint) || ' ' || currency, \
             cast(sum(by_books) as bigint) from (\
             select shop_id, order_id, currency, 'gateway:' || gateway_account_id as account, \
             amount_minor as by_rows, 0 as by_books from payments where state = 'succeeded' \
             union all select shop_id, order_id, currency, 'sales', -amount_minor, 0 from payments \
             where state = 'succeeded' \
             union all select refunds.shop_id, refunds.order_id, refunds.currency, \
             'gateway:' || payments.gateway_account_id, -refunds.amount_minor, 0 from refunds \
             join payments on payments.shop_id = refunds.shop_id and payments.id = refunds.payment_id \
             where refunds.state in ('pending', 'succeeded') \
             union all select shop_id, order_id, currency, 'sales', amount_minor, 0 from refunds \
             where state in ('pending', 'succeeded') \
             union all select disputes.shop_id, disputes.order_id, disputes.currency, \
             'gateway:' || payments.gateway_account_id, -disputes.amount_minor, 0 from disputes \
             join payments on payments.shop_id = disputes.shop_id and payments.id = disputes.payment_id \
             where disputes.state in ('opened', 'evidence_sent', 'accepted', 'lost') \
             union all select shop_id, order_id, currency, 'disputes', amount_minor, 0 from disputes \
             where state in ('opened', 'evidence_sent', 'accepted', 'lost') \
             union all select shop_id, order_id, currency, debit, 0, amount_minor from postings \
             union all select shop_id, order_id, currency, credit, 0, -amount_minor from postings\
             ) as movements group by shop_id, order_id, currency, account having sum(by_rows) <> sum(by_books)",
            most!()
        ),
        detail: |owed, books| format!("{owed} by its rows, and stands at {books} by the books"),
    },
    Law {
        name: "a_seat_is_a_seat",
        bytes: None,
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
        bytes: None,
        sql: concat!("select id, seats, seats_used from licenses where seats_used > seats", most!()),
        detail: |seats, used| format!("{used} seats are taken of {seats}"),
    },
    Law {
        name: "queued_mail_has_a_job",
        bytes: None,
        sql: concat!(
            "select id, 1, 0 from deliveries where state = 'queued' and state <> 'sent' and not exists (select 1 from jobs \
             where jobs.shop_id = deliveries.shop_id and jobs.subject = deliveries.id and jobs.kind = 'send_mail')",
            most!()
        ),
        detail: |_, _| "it waits to be sent, and no job will send it".to_owned(),
    },
    Law {
        name: "requested_refund_has_a_job",
        bytes: None,
        sql: concat!(
            "select id, 1, 0 from refunds where state = 'created' and not exists (select 1 from jobs \
             where jobs.shop_id = refunds.shop_id and jobs.subject = refunds.id and jobs.kind = 'send_refund')",
            most!()
        ),
        detail: |_, _| "it was asked for, and no job will tell the gateway".to_owned(),
    },
    Law {
        name: "one_license_a_unit",
        bytes: None,
        sql: concat!(
            "select order_id, 1, count(*) from licenses group by shop_id, order_id, line, unit having count(*) > 1",
            most!()
        ),
        detail: |_, found| format!("{found} licenses for one unit"),
    },
    Law {
        name: "a_notice_counts_once",
        bytes: None,
        sql: concat!(
            "select event_id, 1, count(*) from notices group by shop_id, gateway_account_id, event_id \
             having count(*) > 1",
            most!()
        ),
        detail: |_, found| format!("the event of the gateway stands here {found} times"),
    },
    Law {
        name: "issued_is_in_the_journal",
        bytes: None,
        sql: concat!(
            "select licenses.id, 1, 0 from licenses where not exists (select 1 from events \
             where events.shop_id = licenses.shop_id and events.order_id = licenses.order_id \
             and events.license_id = licenses.id and events.kind = 'license.issued')",
            most!()
        ),
        detail: |_, _| "the journal does not know that it was issued".to_owned(),
    },
    Law {
        name: "books_balance",
        bytes: None,
        sql: concat!("select cause, debit, credit from postings where debit = credit", most!()),
        detail: |debit, credit| format!("it moves money from {credit} to {debit}: nowhere"),
    },
    Law {
        name: "books_in_one_currency",
        bytes: None,
        sql: concat!(
            "select postings.cause, orders.currency, postings.currency from postings join orders \
             on orders.shop_id = postings.shop_id and orders.id = postings.order_id \
             where orders.currency <> postings.currency",
            most!()
        ),
        detail: |order, posting| format!("a movement in {posting} of an order in {order}"),
    },
    Law {
        name: "one_seat_a_device",
        bytes: None,
        sql: concat!(
            "select license_id, 1, count(*) from activations where state = 'active' \
             group by shop_id, license_id, fingerprint having count(*) > 1",
            most!()
        ),
        detail: |_, seats| format!("one device has {seats} seats"),
    },
    Law {
        name: "a_license_has_its_group",
        bytes: None,
        // Another shop's group of the same id is none of its own.
        sql: concat!(
            "select licenses.id, 1, licenses.group_id from licenses where licenses.group_id is not null \
             and not exists (select 1 from license_groups where license_groups.shop_id = licenses.shop_id \
             and license_groups.id = licenses.group_id)",
            most!()
        ),
        detail: |_, group| format!("it is in {group}, and the shop has no such group"),
    },
    Law {
        name: "sealed_at_rest",
        bytes: Some(&[crate::vault::SEALED]),
        sql: concat!(
            "select id, 1, 0 from (select id, key_sealed as sealed from licenses \
             union all select id, credentials_sealed from gateway_accounts \
             union all select license_id, key_sealed from foreign_keys \
             union all select license_id, text_sealed from signed_keys \
             union all select pool_id, code_sealed from pool_codes \
             union all select license_id, content_sealed from claims where content_sealed is not null \
             union all select id, body_sealed from messages \
             union all select kid, seed_sealed from signing_keys) as secrets \
             where substr(sealed, 1, 1) <> $1 or length(sealed) < 29 \
             union all select shop_id, 1, 0 from idempotency_keys \
             where substr(body, 1, 1) <> 'A' or length(body) < 40",
            most!()
        ),
        detail: |_, _| "a secret is not sealed".to_owned(),
    },
    Law {
        name: "what_is_kept_says_why",
        bytes: None,
        sql: concat!(
            "select id, state, state from (select id, state, reason from notices where state in ('parked', 'ignored') \
             union all select id, state, last_error from deliveries where state in ('refused', 'bounced')) as kept \
             where reason is null or reason = ''",
            most!()
        ),
        detail: |_, state| format!("it is {state}, and nobody can see why"),
    },
];

/// What `synchronous_standby_names` and `synchronous_commit` say, how many standbys are there, and for how many of
/// them a commit waits. Who may not look into the state of a standby learns only what is set.
const REPLICATION: Text = Text {
    sqlite: "select '', '', 0, 0",
    postgres: "select current_setting('synchronous_standby_names'), current_setting('synchronous_commit'), \
        (select count(*) from pg_stat_replication where state is distinct from 'backup'), \
        (select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum'))",
};

/// How an acknowledged commit gets to another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// The standbys for which a commit is to wait, as PostgreSQL is told; empty: for none.
    pub required: String,
    /// How far a commit waits: `on`, `remote_apply`, `remote_write` or `local`.
    pub commit: String,
    /// Standbys that are connected.
    pub standbys: i64,
    /// Those for which a commit waits.
    pub synchronous: i64,
}

/// What becomes of an acknowledged commit when this machine is lost. `None` on an engine that has no standbys.
///
/// # Errors
/// When the database does not answer.
pub async fn replication(store: &Store) -> Result<Option<Replication>, ReadError> {
    let name = store.engine.name();
    if name != "postgres" {
        return Ok(None);
    }
    let rows = store.engine.query(vec![read("replication", REPLICATION.on(name), values![])]).await?;
    let found = all("replication", rows.into_iter().next().unwrap_or_default(), |row| {
        Ok(Replication {
            required: row.take_text(0)?,
            commit: row.take_text(1)?,
            standbys: row.integer(2)?,
            synchronous: row.integer(3)?,
        })
    })?;
    Ok(found.into_iter().next())
}

const PAID_BETWEEN: &str = "select id from orders where shop_id = $1 and id > $2 and paid_at >= $3 and paid_at < $4 \
    order by id limit $5";
const BALANCES: &str = "select currency, account, cast(sum(minor) as bigint) from (\
    select currency, debit as account, amount_minor as minor from postings where shop_id = $1 and at >= $2 and at < $3 \
    union all select currency, credit, -amount_minor from postings where shop_id = $1 and at >= $2 and at < $3\
    ) as movements group by currency, account order by currency, account";

#[cfg(test)]
pub(crate) fn texts() -> impl Iterator<Item = Text> {
    LAWS.iter()
        .map(|law| law.sql)
        .chain([PAID_BETWEEN, BALANCES, CONTENTS, COUNT_HELD])
        .map(Text::both)
        .chain([REPLICATION])
}

const CONTENTS: &str = "select release_files.digest, release_files.size, release_files.name, releases.number, \
    products.slug, releases.withdrawn_at from release_files \
    join releases on releases.shop_id = release_files.shop_id and releases.id = release_files.release_id \
    join products on products.shop_id = releases.shop_id and products.id = releases.product_id \
    order by products.slug, releases.published_at, releases.number, release_files.name";
const COUNT_HELD: &str = "select count(*) from licenses where shop_id = $1 and plan_id = $2 and state = 'active'";

/// A content that a row of a file says there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is known by.
    pub digest: ContentDigest,
    /// How many bytes it has.
    pub size: u64,
    /// The name that it is saved under.
    pub name: FileName,
    /// The version that it is of.
    pub number: String,
    /// The slug of the product.
    pub product: String,
    /// When its version was taken back.
    pub withdrawn_at: Option<Timestamp>,
}

/// Every content that a row says there is, in every shop, of versions that were withdrawn as well.
///
/// # Errors
/// When the database does not answer, or a row cannot be read.
pub async fn contents(engine: &dyn Engine) -> Result<Vec<Content>, ReadError> {
    let rows = engine.query(vec![read("release file", CONTENTS, Vec::new())]).await?;
    all("release file", rows.into_iter().next().unwrap_or_default(), |row| {
        let mut columns = Columns::of(row);
        Ok(Content {
            digest: columns.word("a SHA-256", ContentDigest::parse)?,
            size: columns.quantity()?,
            name: columns.word("a file name", |text| FileName::parse(text).ok())?,
            number: columns.text()?,
            product: columns.text()?,
            withdrawn_at: columns.optional_time()?,
        })
    })
}

/// Those of versions that were not withdrawn, each once, with one of the files that it is of.
#[must_use]
pub fn wanted(contents: Vec<Content>) -> BTreeMap<ContentDigest, Content> {
    let out = contents.into_iter().filter(|content| content.withdrawn_at.is_none());
    out.map(|content| (content.digest, content)).collect()
}

/// How many licenses of a plan are neither paused nor taken back.
///
/// # Errors
/// When the database does not answer.
pub async fn licenses_held(store: &Store, shop: ShopId, plan: PlanId) -> Result<u64, ReadError> {
    store.counted(read("license", COUNT_HELD, values![shop, plan])).await
}

/// What moved on one account of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The currency.
    pub currency: String,
    /// The account, as in the books.
    pub account: String,
    /// Debits less credits, in minor units.
    pub minor: i64,
}

impl Store {
    /// The shop's orders that were paid from `since` on and before `until`, after this one, by their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn orders_paid_between(
        &self,
        shop: ShopId,
        since: Timestamp,
        until: Timestamp,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        let after = after.map_or_else(String::new, |order| order.to_string());
        self.every(read("report", PAID_BETWEEN, values![shop, after, since, until, limit]), |row| {
            row.parsed(0, "an id")
        })
        .await
    }

    /// What moved on each account of the shop's books from `since` on and before `until`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn balances(&self, shop: ShopId, since: Timestamp, until: Timestamp) -> Result<Vec<Balance>, ReadError> {
        self.every(read("report", BALANCES, values![shop, since, until]), |row| {
            Ok(Balance { currency: row.take_text(0)?, account: row.take_text(1)?, minor: row.integer(2)? })
        })
        .await
    }
}

/// The names of the laws that are checked here.
pub fn law_names() -> impl Iterator<Item = &'static str> {
    LAWS.iter().map(|law| law.name).chain(["never_a_card_number"])
}

/// Every row that breaks a law, up to a hundred for each law, all of one snapshot.
///
/// # Errors
/// When the database does not answer.
pub async fn broken_laws(store: &Store) -> Result<Vec<Finding>, ReadError> {
    broken_laws_of(store.engine.as_ref()).await
}

/// As [`broken_laws`], of rows that nobody has the master key of: a backup.
///
/// # Errors
/// As [`broken_laws`].
pub async fn broken_laws_of(engine: &dyn Engine) -> Result<Vec<Finding>, ReadError> {
    let asked = LAWS
        .iter()
        .map(|law| read(law.name, law.sql, law.bytes.map(|bytes| values![bytes]).unwrap_or_default()))
        .collect();
    let mut findings = card_numbers(engine).await?;
    for (law, rows) in LAWS.iter().zip(engine.query(asked).await?) {
        findings.extend(all(law.name, rows, |row| {
            let (subject, expected, found) = (shown(row, 0)?, shown(row, 1)?, shown(row, 2)?);
            Ok(Finding { law: law.name, subject, detail: (law.detail)(&expected, &found) })
        })?);
    }
    Ok(findings)
}

/// The columns that hold what people or gateways wrote, by their table. What a buyer typed elsewhere is read as
/// something that no card number is: an address, a country.
const WRITTEN: &[(&str, &[&str])] = &[
    ("customers", &["name"]),
    ("orders", &["metadata"]),
    ("activations", &["name", "metadata"]),
    ("deliveries", &["last_error"]),
    ("notices", &["detail"]),
    ("jobs", &["last_error"]),
];

/// Law 8 on rows: a text that looks like it holds a card number. SQL cannot count its check digit.
async fn card_numbers(engine: &dyn Engine) -> Result<Vec<Finding>, ReadError> {
    let mut findings = Vec::new();
    for (name, columns) in WRITTEN {
        let Some(table) = TABLES.iter().find(|table| table.name == *name) else { continue };
        let places: Vec<usize> =
            table.columns().enumerate().filter(|(_, it)| columns.contains(it)).map(|(at, _)| at).collect();
        let mut after: Option<Vec<Value>> = None;
        while findings.len() < 100 {
            let rows = engine.query(vec![table.page(after.as_deref(), 500)]).await?.pop().unwrap_or_default();
            let Some(last) = rows.last() else { break };
            after = Some(table.key_of(last));
            for row in &rows {
                let holds = |place: &usize| {
                    row.optional_text(*place).ok().flatten().is_some_and(|text| domain::mask_card_numbers(text) != text)
                };
                if places.iter().any(holds) {
                    let subject = table.key_of(row).pop().and_then(|id| match id {
                        Value::Text(id) => Some(id),
                        Value::Null | Value::Integer(_) | Value::Bytes(_) | Value::Flag(_) => None,
                    });
                    findings.push(Finding {
                        law: "never_a_card_number",
                        subject: subject.unwrap_or_default(),
                        detail: format!("a text in {name} looks like a card number"),
                    });
                }
            }
        }
    }
    Ok(findings)
}

/// A number or a word, as it is told.
fn shown(row: &mut Row, column: usize) -> Result<String, RowError> {
    match row.integer(column) {
        Ok(number) => Ok(number.to_string()),
        Err(_) => row.take_text(column),
    }
}
