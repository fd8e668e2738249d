//! How often each occurrence met each state of an order, of its payment, and of what was sold: what the generator of a
//! run reached.
//!
//! The shell says at the level of debug what it decides on about money; this
//! listens. Nothing in the shell knows of it. What met a license, a seat, a key
//! or a stock is told by whoever asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::universe::{Universe, hold};

/// How often what is held to it must meet over the seeds of a test run.
const ENOUGH: u64 = 100;

/// What must meet each state that often. What is not here meets seldom, by a race that the generator does not force,
/// or cannot meet; see [`impossible`].
const HELD: &[(&str, &[&str])] = &[
    (
        "order:pending",
        &[
            "call_unanswered",
            "page_opened",
            "payment_canceled",
            "payment_declined",
            "payment_failed",
            "payment_open",
            "payment_processing",
            "payment_requires_action",
            "payment_succeeded",
            "still_open",
        ],
    ),
    (
        "order:paid",
        &[
            "dispute_lost",
            "dispute_opened",
            "dispute_warning",
            "dispute_won",
            "payment_succeeded",
            "refund_failed",
            "refund_pending",
            "refund_requested",
            "refund_succeeded",
        ],
    ),
    (
        "order:partially_refunded",
        &[
            "dispute_opened",
            "dispute_won",
            "payment_succeeded",
            "refund_failed",
            "refund_pending",
            "refund_requested",
            "refund_succeeded",
        ],
    ),
    (
        "order:refunded",
        &[
            "dispute_opened",
            "dispute_warning",
            "dispute_won",
            "payment_succeeded",
            "refund_failed",
            "refund_pending",
            "refund_requested",
            "refund_succeeded",
        ],
    ),
    (
        "order:disputed",
        &[
            "dispute_evidence_sent",
            "dispute_lost",
            "dispute_opened",
            "dispute_won",
            "payment_succeeded",
            "refund_requested",
        ],
    ),
    (
        "order:lost",
        &[
            "dispute_evidence_sent",
            "dispute_lost",
            "dispute_opened",
            "dispute_warning",
            "dispute_won",
            "payment_succeeded",
            "refund_requested",
            "refund_succeeded",
        ],
    ),
    (
        "payment:sent",
        &[
            "payment_canceled",
            "payment_declined",
            "payment_open",
            "payment_processing",
            "payment_requires_action",
            "payment_succeeded",
            "still_open",
        ],
    ),
    (
        "payment:requires_action",
        &["payment_canceled", "payment_declined", "payment_requires_action", "payment_succeeded", "still_open"],
    ),
    ("payment:processing", &["payment_processing", "payment_succeeded"]),
    ("payment:failed", &["payment_processing"]),
    (
        "payment:succeeded",
        &[
            "dispute_closed",
            "dispute_evidence_sent",
            "dispute_lost",
            "dispute_opened",
            "dispute_warning",
            "dispute_won",
            "payment_processing",
            "payment_succeeded",
            "refund_failed",
            "refund_pending",
            "refund_requested",
            "refund_succeeded",
        ],
    ),
    ("payment:canceled", &["payment_canceled"]),
    ("payment:created", &["call_unanswered", "page_opened"]),
    ("payment:unknown", &["page_opened"]),
    ("license:not_begun", &["app_activates", "app_validates"]),
    ("license:running", &QUESTIONS),
    ("license:in_grace", &["app_validates"]),
    ("license:over", &["app_activates", "app_validates"]),
    ("license:kept", &["app_validates"]),
    ("license:suspended", &["app_activates", "app_reports", "app_validates"]),
    ("license:revoked", &QUESTIONS),
    ("seat:held", &QUESTIONS),
    ("seat:lapsed", &["app_activates", "app_reports", "app_validates", "seat_passes_on"]),
    ("seat:some_free", &QUESTIONS),
    ("seat:others_lapsed", &["app_activates", "app_reports", "app_validates"]),
    ("seat:none_free", &["app_activates", "app_reports", "app_validates"]),
    ("seat:freed", &["key_replaced"]),
    ("seat:left", &["key_replaced"]),
    ("key:current", &QUESTIONS),
    ("key:retired", &["app_activates", "app_validates"]),
    ("key:replaced", &["app_validates"]),
    ("key:code", &["app_activates", "app_leaves", "app_reports", "app_validates", "key_replaced"]),
    ("key:in_stock", &["app_validates"]),
    ("key:text", &QUESTIONS),
    ("key:retired_text", &QUESTIONS),
    ("key:revoked", &["app_validates"]),
    ("text:none", &["key_signed"]),
    ("text:signing", &["checked_offline"]),
    ("text:retired", &["checked_offline", "key_signed"]),
    ("text:revoked", &["checked_offline", "key_signed"]),
    ("text:over", &["checked_offline"]),
    ("certificate:signing", &["checked_offline"]),
    ("certificate:retired", &["checked_offline"]),
    ("certificate:revoked", &["checked_offline"]),
    ("certificate:over", &["checked_offline"]),
    ("turn:announced", &["signing_key_added"]),
    ("turn:at_once", &["signing_key_added"]),
    ("turn:over", &["signing_key_retired"]),
    ("stock:some", &["codes_arrive"]),
    ("stock:kept", &["unit_sold"]),
    ("stock:empty", &["codes_arrive", "unit_sold"]),
    ("stock:waited_for", &["codes_arrive", "unit_sold"]),
    ("stock:gone", &["codes_arrive"]),
    ("code:free", &["codes_withdrawn"]),
    ("code:handed_out", &["codes_withdrawn"]),
    ("unit:waiting", &["unit_served"]),
    ("unit:given_back", &["waits_for_ever"]),
    ("group:no_limit", &["app_activates", "license_put_in"]),
    ("group:room", &["app_activates", "license_put_in"]),
    ("group:others_lapsed", &["app_activates"]),
    ("group:full", &["app_activates", "app_was_refused", "license_put_in"]),
    ("group:exceeded", &["app_activates"]),
    ("group:left", &["license_put_in"]),
    ("group:licenses_reached", &["license_put_in"]),
    ("group:too_full", &["license_put_in"]),
    ("group:done", &["group_changed"]),
    ("group:below_used", &["group_changed"]),
    ("group:empty", &["group_ended"]),
    ("hand:active", &["person_moves", "person_revokes", "person_suspends", "person_undoes"]),
    ("hand:disputed", &["person_revokes", "person_suspends"]),
    ("hand:suspended", &["person_reinstates", "person_undoes"]),
    ("hand:paid_back", &["person_reinstates", "person_revokes"]),
    ("hand:revoked", &["person_reinstates", "person_undoes"]),
    ("hand:longer", &["person_adjusts"]),
    ("hand:for_ever", &["person_adjusts"]),
    ("hand:shorter", &["person_adjusts"]),
    ("hand:seats", &["person_adjusts"]),
    ("hand:offered", &["owner_hands_on"]),
    ("hand:with_its_key", &["owner_hands_on"]),
    ("hand:with_new_key", &["owner_hands_on"]),
    ("hand:told_active", &["app_validates"]),
    ("hand:told_suspended", &["app_validates"]),
    ("hand:told_revoked", &["app_validates"]),
    ("hand:suspended", &QUESTIONS),
    ("hand:revoked", &QUESTIONS),
];

/// The states of an order, in the order of the table.
pub const ORDER_STATES: [&str; 7] =
    ["pending", "paid", "partially_refunded", "refunded", "disputed", "lost", "expired"];

/// The states of a payment, in the order of the table; the last is an occurrence whose names tell of no payment.
pub const PAYMENT_STATES: [&str; 8] =
    ["created", "sent", "requires_action", "processing", "unknown", "canceled", "failed", "succeeded"];

/// Everything that can occur to a sale, in the order of the table.
pub const OCCURRENCES: [&str; 24] = [
    "payment_open",
    "payment_declined",
    "payment_requires_action",
    "payment_processing",
    "payment_succeeded",
    "payment_failed",
    "payment_canceled",
    "refund_pending",
    "refund_succeeded",
    "refund_failed",
    "refund_canceled",
    "dispute_warning",
    "dispute_closed",
    "dispute_opened",
    "dispute_evidence_sent",
    "dispute_won",
    "dispute_accepted",
    "dispute_lost",
    "page_opened",
    "call_unanswered",
    "call_refused",
    "still_open",
    "refund_requested",
    "refund_refused",
];

/// What an app can ask about its license.
const QUESTIONS: [&str; 4] = ["app_validates", "app_activates", "app_reports", "app_leaves"];

/// Every table: of what, its states, and what can occur to it. A license that is `kept` is past its end and works on for
/// whoever is in; a seat of `others_lapsed`, or a place in a group, is free only because leases are over; a key is
/// `replaced` in the moment that all nodes are asked about it; a key that is a `text` is signed, and told to be not
/// genuine where its signing key was `revoked`; a text is signed where there was `none`, where the key before it was
/// `retired`, or where its signing key was `revoked`; a group is `exceeded` when a license in it works again. Of what
/// people do by hand, the states are those of the license before, and `unfit` is what is refused.
const TABLES: &[(&str, &[&str], &[&str])] = &[
    ("order", &ORDER_STATES, &OCCURRENCES),
    ("payment", &PAYMENT_STATES, &OCCURRENCES),
    ("license", &["not_begun", "running", "in_grace", "over", "kept", "suspended", "revoked"], &QUESTIONS),
    ("seat", &["held", "lapsed", "some_free", "others_lapsed", "none_free"], &QUESTIONS),
    ("seat", &["lapsed", "freed", "left"], &["seat_passes_on", "key_replaced"]),
    ("key", &["current", "retired", "replaced", "code", "in_stock", "text", "retired_text", "revoked"], &QUESTIONS),
    ("key", &["code", "retired"], &["key_replaced"]),
    ("certificate", &["signing", "retired", "revoked", "over"], &["checked_offline"]),
    ("text", &["none", "retired", "revoked"], &["key_signed"]),
    ("text", &["signing", "retired", "revoked", "over"], &["checked_offline"]),
    ("turn", &["announced", "at_once", "over"], &["signing_key_added", "signing_key_retired"]),
    ("stock", &["some", "kept", "empty", "waited_for", "gone"], &["unit_sold", "codes_arrive", "waits_for_ever"]),
    ("code", &["free", "handed_out"], &["codes_withdrawn"]),
    ("unit", &["waiting", "given_back"], &["unit_served", "waits_for_ever"]),
    ("group", &["no_limit", "room", "others_lapsed", "full", "exceeded"], &["app_activates", "license_put_in"]),
    ("group", &["full"], &["app_was_refused"]),
    ("group", &["left", "licenses_reached", "too_full"], &["license_put_in"]),
    ("group", &["done", "below_used"], &["group_changed"]),
    ("group", &["empty", "not_empty"], &["group_ended"]),
    ("hand", &["active", "disputed", "suspended", "paid_back", "revoked", "unfit"], &ACTS),
    ("hand", &["longer", "for_ever", "shorter", "seats", "unfit"], &["person_adjusts"]),
    ("hand", &["offered", "withdrawn", "too_late", "with_its_key", "with_new_key", "unfit"], &["owner_hands_on"]),
    ("hand", &["told_active", "told_suspended", "told_revoked", "told_expired"], &["app_validates"]),
    ("hand", &["suspended", "revoked"], &QUESTIONS),
    ("hand", &["changed_elsewhere"], &["person_undoes"]),
];

/// What people of the shop do to one license.
const ACTS: [&str; 5] = ["person_suspends", "person_reinstates", "person_revokes", "person_moves", "person_undoes"];

/// How often each occurrence met each state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells(BTreeMap<(String, String), u64>);

impl Cells {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (cell, times) in &other.0 {
            *self.0.entry(cell.clone()).or_default() += times;
        }
    }

    /// How often an occurrence met a state: `order:paid`, `payment:sent`.
    #[must_use]
    pub fn times(&self, occurrence: &str, state: &str) -> u64 {
        self.0.get(&(occurrence.to_owned(), state.to_owned())).copied().unwrap_or(0)
    }

    /// What should have met and did so too seldom, and what met although it cannot.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for (state, occurrences) in HELD {
            for occurrence in *occurrences {
                let times = self.times(occurrence, state);
                if times < ENOUGH {
                    gaps.push(format!("{occurrence} met {state} only {times} times"));
                }
            }
        }
        for ((occurrence, state), times) in &self.0 {
            if let Some(why) = impossible(occurrence, state) {
                gaps.push(format!("{occurrence} met {state} {times} times, which cannot be: {why}"));
            }
        }
        gaps
    }

    pub(crate) fn note(&mut self, occurrence: &str, state: String) {
        *self.0.entry((occurrence.to_owned(), state)).or_default() += 1;
    }
}

impl fmt::Display for Cells {
    /// The tables; `-` is what cannot meet.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (of, states, occurrences) in TABLES {
            write!(formatter, "{of:<24}")?;
            for state in *states {
                write!(formatter, "{:>10}", state.chars().take(9).collect::<String>())?;
            }
            writeln!(formatter)?;
            for occurrence in *occurrences {
                write!(formatter, "{occurrence:<24}")?;
                for state in *states {
                    let cell = format!("{of}:{state}");
                    match (self.times(occurrence, &cell), impossible(occurrence, &cell)) {
                        (0, Some(_)) => write!(formatter, "{:>10}", "-")?,
                        (times, _) => write!(formatter, "{times:>10}")?,
                    }
                }
                writeln!(formatter)?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

/// Why an occurrence cannot meet a state in this world; `None` when it can.
#[must_use]
pub fn impossible(occurrence: &str, state: &str) -> Option<&'static str> {
    match (occurrence, state) {
        ("refund_canceled", _) => Some("the simulated gateway never calls a refund off"),
        ("dispute_accepted", _) => Some("the gateway tells of an accepted dispute as of a lost one"),
        (
            "page_opened",
            "order:paid" | "order:partially_refunded" | "order:refunded" | "order:disputed" | "order:lost",
        ) => Some("nobody can pay on a page that is not known yet"),
        ("payment_succeeded", "order:expired" | "payment:canceled" | "payment:failed") => {
            Some("the gateway closes a page for good before it says so")
        }
        ("payment_succeeded", "payment:created" | "payment:unknown") => {
            Some("nobody can pay on a page that is not known yet")
        }
        ("refund_requested", "payment:created" | "payment:sent" | "payment:requires_action" | "payment:processing") => {
            Some("what is asked back is the captured payment's")
        }
        ("refund_refused", "order:pending" | "order:expired") => Some("a refund that is asked for was paid before"),
        ("app_activates" | "app_reports" | "app_leaves", "key:replaced" | "key:in_stock") => {
            Some("no device asks that")
        }
        // By the journal, and not by what was seen before it was asked.
        ("person_suspends", "hand:suspended" | "hand:paid_back" | "hand:revoked")
        | ("person_reinstates", "hand:active" | "hand:disputed")
        | ("person_revokes", "hand:revoked") => Some("it is refused, and so told"),
        ("unit_sold", "stock:gone") | ("codes_arrive", "stock:kept") => Some("a state of the other"),
        ("waits_for_ever", "stock:some" | "stock:kept" | "stock:waited_for" | "stock:gone") => {
            Some("nobody waits while there are codes")
        }
        (_, _) => None,
    }
}

/// Listens to the shell on the thread of a run.
pub(crate) struct Listener {
    pub(crate) universe: Arc<Universe>,
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: Vec<(&'static str, String)>,
}

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.rest.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            // The only word about the time of this machine.
            "elapsed_ms" => {}
            name => self.rest.push((name, format!("{value:?}"))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.rest.push((name, value.to_owned())),
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("app") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.message == "decided" {
            let occurrence = fields.get("occurrence").unwrap_or_default();
            let mut cells = hold(&self.universe.cells);
            if let Some(state) = fields.get("stands") {
                cells.note(occurrence, format!("order:{state}"));
            }
            if let Some(state) = fields.get("payment") {
                cells.note(occurrence, format!("payment:{state}"));
            }
        }
        self.universe.log(|| {
            let rest: Vec<String> = fields.rest.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("  {} {}", fields.message, rest.join(" "))
        });
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}
