//! Every table with its columns and its key: what is copied row by row, whichever engine it goes to.
//!
//! The one list of tables. A test holds it against the schema of both engines,
//! so that a table or a column that a migration adds is copied as well, or the
//! test fails. The texts here are put together from this list alone.

use std::cmp::Ordering;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::statement::read;
use crate::{Expect, Row, Statement, Value};

/// A table as it is copied.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The primary key, in its order.
    pub(crate) key: &'static [&'static str],
    /// The columns of text, of numbers (`bigint`) and of bytes; together all there are.
    pub(crate) texts: &'static [&'static str],
    pub(crate) numbers: &'static [&'static str],
    pub(crate) bytes: &'static [&'static str],
}

/// The setting that says that a database must not be used; it speaks of this database, and is never copied.
pub(crate) const FENCE: &str = "fence";

/// Every table, each after those that it refers to.
#[rustfmt::skip]
pub(crate) const TABLES: &[Table] = &[
    Table { name: "shops", key: &["id"],
        texts: &["id", "name", "mode", "host", "seller", "default_locale", "default_currency", "default_country", "terms",
            "terms_version", "refund_policy", "compat"],
        numbers: &["version", "created_at"], bytes: &[] },
    Table { name: "products", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "slug", "name", "tagline", "description", "setup_guides", "fulfilment"],
        numbers: &["version", "is_active", "created_at"], bytes: &[] },
    Table { name: "plans", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "product_id", "slug", "name", "highlights", "prices", "policy", "fulfilment",
            "bundle", "questions"],
        numbers: &["version", "max_quantity", "position", "is_active", "created_at"], bytes: &[] },
    Table { name: "releases", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "product_id", "number", "notes"],
        numbers: &["version", "published_at", "withdrawn_at", "created_at"], bytes: &[] },
    Table { name: "release_files", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "release_id", "name", "platform", "digest"],
        numbers: &["size", "created_at"], bytes: &[] },
    Table { name: "pools", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "slug", "name", "when_out"],
        numbers: &["version", "low_at", "alerted_at", "held_at", "created_at"], bytes: &[] },
    Table { name: "pool_codes", key: &["shop_id", "code_hash"],
        texts: &["shop_id", "pool_id", "state", "reserved_by", "order_id"],
        numbers: &["reserved_until", "added_at", "line", "unit", "taken_at"], bytes: &["code_hash", "code_sealed"] },
    Table { name: "endpoints", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "slug", "url"],
        numbers: &["version", "secrets", "created_at"], bytes: &[] },
    Table { name: "gateway_accounts", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "adapter", "mode"],
        numbers: &["version", "is_active", "events_read_to", "created_at"], bytes: &["credentials_sealed"] },
    Table { name: "users", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "email", "email_key", "name"],
        numbers: &["version", "created_at"], bytes: &[] },
    Table { name: "login_links", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "holder"],
        numbers: &["version", "expires_at", "used_at", "failures", "created_at"], bytes: &[] },
    Table { name: "sessions", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "holder"],
        numbers: &["expires_at", "created_at"], bytes: &["token_hash"] },
    Table { name: "api_keys", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "name", "mode", "scope"],
        numbers: &["created_at", "revoked_at"], bytes: &["token_hash"] },
    Table { name: "customers", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "email", "email_key", "name", "country", "locale"],
        numbers: &["version", "created_at"], bytes: &[] },
    Table { name: "checkouts", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "order_id", "state", "success_url", "cancel_url"],
        numbers: &["version", "expires_at", "created_at"], bytes: &[] },
    Table { name: "orders", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "number", "checkout_id", "customer_id", "email", "country", "locale", "lines",
            "currency", "state", "seller", "consent", "metadata"],
        numbers: &["version", "units", "claims", "total_minor", "refunded_minor", "created_at", "paid_at",
            "unanswered_since"],
        bytes: &[] },
    Table { name: "payments", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "order_id", "gateway_account_id", "currency", "mode", "state", "page_reference",
            "page_url", "reference", "method", "decline", "opening"],
        numbers: &["version", "amount_minor", "check_at", "checks", "created_at"], bytes: &[] },
    Table { name: "refunds", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "payment_id", "order_id", "currency", "reason", "state", "reference", "requested_by",
            "failure"],
        numbers: &["version", "amount_minor", "revokes", "created_at"], bytes: &[] },
    Table { name: "disputes", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "payment_id", "order_id", "reference", "currency", "reason", "state"],
        numbers: &["version", "amount_minor", "evidence_due_at", "created_at", "told_at"], bytes: &[] },
    Table { name: "license_groups", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "name"],
        numbers: &["version", "max_licenses", "max_seats", "created_at"], bytes: &[] },
    Table { name: "licenses", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "order_id", "product_id", "plan_id", "customer_id", "key_tail", "policy", "state",
            "own_acts", "batch_id", "group_id"],
        numbers: &["version", "line", "unit", "seats", "seats_used", "expires_at", "created_at", "started_at",
            "updates_until", "lease_seconds", "uses", "uses_since"],
        bytes: &["key_hash", "key_sealed"] },
    Table { name: "claims", key: &["shop_id", "license_id"],
        texts: &["shop_id", "order_id", "license_id", "fulfilment", "pool_id", "endpoint_id", "state"],
        numbers: &["line", "unit", "created_at", "fulfilled_at", "due_at", "is_dormant"],
        bytes: &["content_hash", "content_sealed"] },
    Table { name: "activations", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "license_id", "fingerprint", "name", "metadata", "state", "components",
            "label", "search_name"],
        numbers: &["version", "created_at", "last_seen_at"], bytes: &[] },
    Table { name: "attempts", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "license_id", "kind", "verdict", "rule", "key_tail", "fingerprint", "product", "asked",
            "app"],
        numbers: &["times", "first_at", "last_at"], bytes: &["key_hash"] },
    Table { name: "shadow_differences", key: &["shop_id", "system", "call", "pointer", "kind"],
        texts: &["shop_id", "system", "call", "pointer", "kind", "ours", "theirs"],
        numbers: &["times", "first_at", "last_at"], bytes: &[] },
    Table { name: "shadow_counts", key: &["shop_id", "system", "outcome"],
        texts: &["shop_id", "system", "outcome"],
        numbers: &["times", "first_at", "last_at"], bytes: &[] },
    Table { name: "retired_keys", key: &["shop_id", "license_id", "key_hash"],
        texts: &["shop_id", "license_id", "key_tail"],
        numbers: &["retired_at"], bytes: &["key_hash"] },
    Table { name: "foreign_keys", key: &["shop_id", "license_id"],
        texts: &["shop_id", "license_id", "system"],
        numbers: &["imported_at", "retired_at"], bytes: &["key_hash", "key_sealed"] },
    Table { name: "signed_keys", key: &["shop_id", "license_id"],
        texts: &["shop_id", "license_id", "kid"],
        numbers: &["signed_at"], bytes: &["text_sealed"] },
    Table { name: "revocations", key: &["shop_id", "subject_id", "code"],
        texts: &["shop_id", "subject_id", "code"],
        numbers: &["revoked_at", "listed_until"], bytes: &[] },
    Table { name: "foreign_ids", key: &["shop_id", "system", "foreign_id"],
        texts: &["shop_id", "system", "foreign_id", "license_id", "activation_id"],
        numbers: &[], bytes: &[] },
    Table { name: "foreign_plans", key: &["shop_id", "system", "plan_id"],
        texts: &["shop_id", "system", "plan_id", "names"],
        numbers: &[], bytes: &[] },
    Table { name: "transfers", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "license_id", "from_customer_id", "recipient", "state"],
        numbers: &["version", "frees_seats", "created_at", "expires_at", "settled_at"], bytes: &[] },
    Table { name: "batches", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "plan_id", "reason", "actor"],
        numbers: &["version", "licenses", "created_at"], bytes: &[] },
    Table { name: "messages", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "order_id", "author"],
        numbers: &["place", "at"], bytes: &["body_sealed"] },
    Table { name: "deliveries", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "mail", "subject", "recipient", "locale", "order_id", "customer_id", "state",
            "last_error"],
        numbers: &["version", "attempts", "created_at", "sent_at", "without_keys"], bytes: &[] },
    Table { name: "notices", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "gateway_account_id", "event_id", "kind", "state", "reason", "detail", "order_id"],
        numbers: &["version", "received_at", "settled_at", "claim_at"], bytes: &["body"] },
    Table { name: "events", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "kind", "actor", "order_id", "license_id", "customer_id", "data"],
        numbers: &["at", "place"], bytes: &[] },
    Table { name: "postings", key: &["shop_id", "cause"],
        texts: &["shop_id", "cause", "order_id", "debit", "credit", "currency"],
        numbers: &["amount_minor", "at"], bytes: &[] },
    Table { name: "jobs", key: &["shop_id", "id"],
        texts: &["shop_id", "id", "kind", "subject", "last_error"],
        numbers: &["run_at", "attempts", "created_at", "is_taken"], bytes: &[] },
    Table { name: "signing_keys", key: &["kid"],
        texts: &["kid", "state"],
        numbers: &["created_at", "signs_from"], bytes: &["public_key", "seed_sealed"] },
    Table { name: "settings", key: &["key"],
        texts: &["key", "value"],
        numbers: &[], bytes: &[] },
    Table { name: "idempotency_keys", key: &["shop_id", "id"],
        texts: &["shop_id", "body"],
        numbers: &["held_until", "status", "created_at"], bytes: &["id", "request_digest", "holder"] },
];

/// What a table is read and written with.
struct Texts {
    first: String,
    after: String,
    last_key: String,
    insert: String,
}

static TEXTS: LazyLock<Vec<Texts>> = LazyLock::new(|| TABLES.iter().map(Table::texts).collect());

impl Table {
    /// Every column, in the order in which rows are read, hashed and written.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.texts.iter().chain(self.numbers).chain(self.bytes).copied()
    }

    fn texts(&self) -> Texts {
        let columns = self.columns().collect::<Vec<_>>().join(", ");
        let (name, key) = (self.name, self.key.join(", "));
        let descending = self.key.iter().map(|column| format!("{column} desc")).collect::<Vec<_>>().join(", ");
        // A fence speaks of the database that it stands in.
        let but = if name == "settings" { format!("key <> '{FENCE}'") } else { "1 = 1".to_owned() };
        let placeholders = |count: usize| (1..=count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        let (keys, limit) = (self.key.len(), self.key.len() + 1);
        Texts {
            first: format!("select {columns} from {name} where {but} order by {key} limit $1"),
            after: format!(
                "select {columns} from {name} where ({key}) > ({}) and {but} order by {key} limit ${limit}",
                placeholders(keys)
            ),
            last_key: format!("select {key} from {name} where {but} order by {descending} limit 1"),
            insert: format!("insert into {name} ({columns}) values ({})", placeholders(self.columns().count())),
        }
    }

    /// The texts of this table. They live as long as the program, as the engines ask of every text.
    fn known(&self) -> Option<&'static Texts> {
        TABLES.iter().zip(TEXTS.iter()).find(|(table, _)| table.name == self.name).map(|(_, texts)| texts)
    }

    /// The rows after this key, in the order of keys.
    pub(crate) fn page(&self, after: Option<&[Value]>, limit: i64) -> Statement {
        let texts = self.known();
        let (sql, mut values) = match after {
            None => (texts.map(|texts| texts.first.as_str()), Vec::new()),
            Some(key) => (texts.map(|texts| texts.after.as_str()), key.to_vec()),
        };
        values.push(Value::Integer(limit));
        read(self.name, sql.unwrap_or_default(), values)
    }

    /// The greatest key there is.
    pub(crate) fn last_key(&self) -> Statement {
        read(self.name, self.known().map_or("", |texts| texts.last_key.as_str()), Vec::new())
    }

    /// A row as another database gave it.
    pub(crate) fn insert(&self, row: &Row) -> Statement {
        let sql = self.known().map_or("", |texts| texts.insert.as_str());
        Statement { sql, values: row.values().to_vec(), expect: Expect::Rows(1), what: self.name }
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, row: &Row) -> Vec<Value> {
        let place = |name: &&str| self.columns().position(|column| column == *name);
        self.key.iter().filter_map(|name| row.values().get(place(name)?).cloned()).collect()
    }
}

/// How two keys follow each other in both engines: byte by byte.
pub(crate) fn compare_keys(one: &[Value], other: &[Value]) -> Ordering {
    fn bytes(value: &Value) -> &[u8] {
        match value {
            Value::Text(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            Value::Null | Value::Integer(_) | Value::Flag(_) => &[],
        }
    }
    one.iter().map(bytes).cmp(other.iter().map(bytes))
}

/// What a table holds: how many rows, and the digest of all of them in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over every value of every row, in hexadecimal digits; the same on either engine.
    pub sha256: String,
}

/// Adds rows up to a [`TableSum`].
pub(crate) struct Summing {
    rows: u64,
    context: digest::Context,
}

impl Summing {
    pub(crate) fn new() -> Self {
        Self { rows: 0, context: digest::Context::new(&digest::SHA256) }
    }

    /// The kind and the length stand before each value, so that no two rows read alike.
    pub(crate) fn add(&mut self, row: &Row) {
        self.rows += 1;
        for value in row.values() {
            match value {
                Value::Null => self.context.update(b"-"),
                Value::Integer(integer) => self.whole(b'n', &integer.to_be_bytes()),
                Value::Flag(flag) => self.whole(b'n', &i64::from(*flag).to_be_bytes()),
                Value::Text(text) => self.whole(b't', text.as_bytes()),
                Value::Bytes(bytes) => self.whole(b'b', bytes),
            }
        }
    }

    fn whole(&mut self, kind: u8, bytes: &[u8]) {
        self.context.update(&[kind]);
        self.context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.context.update(bytes);
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn finish(self, table: &Table) -> TableSum {
        let sha256 = HEXLOWER.encode(self.context.finish().as_ref());
        TableSum { table: table.name.to_owned(), rows: self.rows, sha256 }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{Directory, postgres_database};
    use crate::{Engine, migrate};

    /// Each table with its columns and what they hold, and its key.
    type Schema = BTreeMap<String, (BTreeMap<String, String>, Vec<String>)>;

    fn listed(text: &str, number: &str, bytes: &str) -> Schema {
        let kind = |columns: &[&str], kind: &str| -> Vec<(String, String)> {
            columns.iter().map(|column| ((*column).to_owned(), kind.to_owned())).collect()
        };
        TABLES
            .iter()
            .map(|table| {
                let columns = [kind(table.texts, text), kind(table.numbers, number), kind(table.bytes, bytes)];
                let key = table.key.iter().map(|column| (*column).to_owned()).collect();
                (table.name.to_owned(), (columns.concat().into_iter().collect(), key))
            })
            .collect()
    }

    /// Neither list may know more than the other; the table of migrations is the engine's own.
    fn same(real: &Schema, listed: &Schema) {
        for (name, (columns, key)) in real.iter().filter(|(name, _)| *name != "migrations") {
            let known = listed.get(name).unwrap_or_else(|| panic!("table.rs does not name the table {name}"));
            assert_eq!((columns, key), (&known.0, &known.1), "the table {name}");
        }
        for name in listed.keys() {
            assert!(real.contains_key(name), "there is no table {name}");
        }
    }

    #[tokio::test]
    async fn every_table_and_column_of_sqlite_is_in_the_list() {
        let directory = Directory::new();
        let path = directory.path().join("shop.db");
        let engine = crate::sqlite::Sqlite::open(&path, crate::sqlite::SqliteOptions::default()).unwrap();
        migrate(&engine).await.unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        let mut real = Schema::new();
        let mut statement = connection
            .prepare(
                "select m.name, c.name, lower(c.type), c.pk from sqlite_schema m join pragma_table_info(m.name) c \
                 where m.type = 'table' order by m.name, c.pk",
            )
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let table = real.entry(row.get(0).unwrap()).or_default();
            table.0.insert(row.get(1).unwrap(), row.get(2).unwrap());
            if row.get::<_, i64>(3).unwrap() > 0 {
                table.1.push(row.get(1).unwrap());
            }
        }
        same(&real, &listed("text", "bigint", "blob"));
    }

    #[tokio::test]
    async fn every_table_and_column_of_postgres_is_in_the_list() {
        let url = postgres_database().await;
        let engine = crate::postgres::Postgres::open(&url, crate::postgres::PostgresOptions::default()).await.unwrap();
        migrate(&engine).await.unwrap();
        let ask = async |sql: &'static str| engine.query(vec![read("schema", sql, vec![])]).await.unwrap().remove(0);
        let mut real = Schema::new();
        let columns = "select cast(table_name as text), cast(column_name as text), cast(data_type as text) \
            from information_schema.columns where table_schema = 'public'";
        for row in ask(columns).await {
            let table = real.entry(row.text(0).unwrap().to_owned()).or_default();
            table.0.insert(row.text(1).unwrap().to_owned(), row.text(2).unwrap().to_owned());
        }
        let keys = "select cast(c.table_name as text), cast(k.column_name as text) \
            from information_schema.table_constraints c join information_schema.key_column_usage k \
            on k.constraint_name = c.constraint_name and k.table_schema = c.table_schema \
            where c.table_schema = 'public' and c.constraint_type = 'PRIMARY KEY' order by c.table_name, k.ordinal_position";
        for row in ask(keys).await {
            real.get_mut(row.text(0).unwrap()).unwrap().1.push(row.text(1).unwrap().to_owned());
        }
        same(&real, &listed("text", "bigint", "bytea"));
    }

    #[tokio::test]
    async fn every_table_can_be_read_and_written_on_both_engines() {
        let directory = Directory::new();
        let sqlite = crate::sqlite::Sqlite::open(&directory.path().join("shop.db"), Default::default()).unwrap();
        let postgres = crate::postgres::Postgres::open(&postgres_database().await, Default::default()).await.unwrap();
        for engine in [&sqlite as &dyn Engine, &postgres] {
            migrate(engine).await.unwrap();
            for table in TABLES {
                let key: Vec<Value> =
                    table
                        .key
                        .iter()
                        .map(|column| {
                            if table.bytes.contains(column) {
                                Value::Bytes(vec![1])
                            } else {
                                Value::Text("a".to_owned())
                            }
                        })
                        .collect();
                let asked = vec![table.page(None, 1), table.page(Some(&key), 1), table.last_key()];
                let found = engine.query(asked).await.unwrap_or_else(|error| panic!("{}: {error}", table.name));
                assert!(found.iter().all(Vec::is_empty), "{}", table.name);
            }
        }
    }

    #[test]
    fn a_sum_tells_every_value_and_where_it_stands() {
        let sum = |values: &[Vec<Value>]| {
            let mut summing = Summing::new();
            for row in values {
                summing.add(&Row::new(row.clone()));
            }
            summing.finish(&TABLES[0]).sha256
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let sums = [
            sum(&[vec![text("a"), text("b")]]),
            sum(&[vec![text("ab"), text("")]]),
            sum(&[vec![text("a")], vec![text("b")]]),
            sum(&[vec![Value::Null, text("a")]]),
            sum(&[vec![text("a"), Value::Null]]),
            sum(&[vec![Value::Bytes(b"a".to_vec()), text("b")]]),
            sum(&[vec![Value::Integer(1)]]),
        ];
        for (place, one) in sums.iter().enumerate() {
            // The rows of one table all have its columns, so where a row ends need not be told.
            let alike = sums.iter().filter(|other| *other == one).count();
            assert_eq!(alike, if place == 0 || place == 2 { 2 } else { 1 }, "{place}");
        }
        assert_eq!(sum(&[vec![Value::Flag(true)]]), sum(&[vec![Value::Integer(1)]]));
    }
}
