//! What happens to a sale, in words: the language of the tables. The sale is two units at 49.00 EUR.

use money::{Currency, Money};

use crate::fixture::{Reporter, START, World, buyer, decline};
use crate::{
    Changes, DisputeState, Duration, Fact, LicenseState, Occurrence, PaymentStatus, RefundId, RefundReason,
    RefundState, RefundStatus, Refusal, expire_checkout, submit_checkout,
};

pub(super) struct Story {
    pub(super) world: World,
}

/// The kind of an occurrence in a table: its words without amounts and names.
pub(super) fn kind_of(words: &str) -> String {
    let words = words.strip_prefix("2nd: ").unwrap_or(words);
    let plain = words.split(' ').take_while(|word| !word.starts_with(|first: char| first.is_ascii_digit()));
    plain.take(2).collect::<Vec<_>>().join(" ")
}

fn amount(words: &str) -> Money {
    let mut parts = words.split(' ');
    let major = parts.next().unwrap();
    let currency = parts.next().and_then(|code| Currency::parse(code).ok()).unwrap_or(Currency::EUR);
    Money::parse_major(major, currency).unwrap()
}

/// When a dispute stood like that: `appeal` is later than everything that is told without a word, `again` later than
/// that, and an `answer` is of now.
fn as_of(mut told: Occurrence, when: &str) -> Occurrence {
    if let Occurrence::Reported { fact: Fact::Dispute(report), .. } = &mut told {
        report.as_of = match when {
            "" => report.as_of,
            "appeal" => Some(START.after(Duration::days(1))),
            "again" => Some(START.after(Duration::days(2))),
            "answer" => None,
            other => panic!("when is {other:?}?"),
        };
    }
    told
}

impl Story {
    /// The buyer has pressed pay; nobody has told the gateway yet.
    pub(super) fn new() -> Self {
        Self { world: World::submitted() }
    }

    /// What the words mean for the sale as it stands. `2nd:` is about the second payment.
    pub(super) fn occurrence(&self, words: &str) -> Occurrence {
        let (index, words) = words.strip_prefix("2nd: ").map_or((0, words), |rest| (1, rest));
        let reporter = Reporter::of(&self.world.sale, index);
        let payment = self.world.sale.payments[index].id;
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        match first {
            "page" => reporter.page(),
            "unanswered" => Occurrence::CallUnanswered { payment },
            "call" => Occurrence::CallRefused { payment, decline: decline("account_closed") },
            "still" => Occurrence::StillOpen { payment },
            "open" => reporter.payment(PaymentStatus::Open { declined: None }),
            "declined" => reporter.payment(PaymentStatus::Open { declined: Some(decline(rest)) }),
            "challenge" => reporter.payment(PaymentStatus::RequiresAction),
            "processing" => reporter.payment(PaymentStatus::Processing),
            "captured" => reporter.payment(PaymentStatus::Succeeded { captured: amount(rest) }),
            "failed" => reporter.payment(PaymentStatus::Failed(decline(rest))),
            "canceled" => reporter.payment(PaymentStatus::Canceled),
            "refund" => self.refund(&reporter, rest),
            "dispute" => {
                let (state, rest) = rest.split_once(' ').unwrap();
                let (minor, when) = rest.split_once(' ').unwrap_or((rest, ""));
                let told = reporter.dispute("case_1", amount(minor).minor(), DisputeState::parse(state).unwrap());
                as_of(told, when)
            }
            other => panic!("what is {other:?}?"),
        }
    }

    /// `request all`, `request 20.00 and_revoke`, `call refused`, or a report such as `succeeded 20.00`: of a refund by
    /// its name at the gateway, where `ours` is the one that was asked for here last.
    fn refund(&self, reporter: &Reporter, words: &str) -> Occurrence {
        let refunds = &self.world.sale.refunds;
        let asked = refunds.iter().rev().find(|refund| refund.state == RefundState::Created);
        let ours = asked.or(refunds.last()).map(|refund| refund.id);
        let words: Vec<&str> = words.split(' ').collect();
        let report = |status| {
            let name = words.get(2).copied().unwrap_or("theirs");
            let refund: Option<RefundId> = ours.filter(|_| name == "ours");
            reporter.refund(refund, name, amount(words[1]).minor(), status)
        };
        match words[0] {
            "request" => Occurrence::RefundRequested {
                refund: None,
                amount: (words[1] != "all").then(|| amount(&words[1..words.len().min(3)].join(" "))),
                reason: if words.contains(&"surplus") {
                    RefundReason::SurpriseCapture
                } else {
                    RefundReason::RequestedByCustomer
                },
                revoke: match words.last() {
                    Some(&"and_revoke") => Some(true),
                    Some(&"and_keep") => Some(false),
                    Some(_) | None => None,
                },
            },
            "call" => Occurrence::RefundRefused {
                refund: ours.unwrap_or_else(|| RefundId::mint(self.world.now, &mut crate::fixture::rng(7))),
                message: "not enough balance".to_owned(),
            },
            "pending" => report(RefundStatus::Pending),
            "succeeded" => report(RefundStatus::Succeeded),
            "failed" => report(RefundStatus::Failed),
            "canceled" => report(RefundStatus::Canceled),
            other => panic!("what is {other:?}?"),
        }
    }

    /// Lets it happen. Besides occurrences: `second` presses pay for another gateway, `expire` lets a day pass and
    /// looks at the checkout, `person <state>` changes every license by hand, `mail empty` lets the mail leave when no key
    /// works.
    pub(super) fn tell(&mut self, words: &str) -> Result<Changes, Refusal> {
        let catalog = self.world.catalog.clone();
        let world = &mut self.world;
        match words.split_once(' ').unwrap_or((words, "")) {
            ("second", _) => {
                let account = &catalog.other_account;
                let (changes, _) =
                    submit_checkout(&world.sale, &catalog.shop, None, &buyer(), account, world.now, &mut world.rng)?;
                world.write(&changes);
                Ok(changes)
            }
            ("expire", _) => {
                world.now = world.now.after(Duration::hours(23));
                let changes = expire_checkout(&world.sale, world.now, &mut world.rng);
                world.write(&changes);
                Ok(changes)
            }
            ("person", state) => {
                for license in &mut world.sale.licenses {
                    license.state = LicenseState::parse(state).unwrap();
                    license.version += 1;
                }
                Ok(Changes::default())
            }
            ("mail", _) => {
                world.sale.keys_mailed = false;
                Ok(Changes::default())
            }
            (word, _) => {
                // The sweep asks about a payment when its next check is due.
                let check_at = world.sale.payments[0].check_at.filter(|_| word == "still");
                world.now = check_at.map_or(world.now, |at| world.now.max(at));
                let occurrence = self.occurrence(words);
                self.world.meet(&occurrence)
            }
        }
    }

    /// What one more occurrence makes of payments, order and licenses, and what it has done: mails and jobs.
    pub(super) fn outcome(&mut self, words: &str) -> [String; 4] {
        self.world.mails.clear();
        self.world.jobs.clear();
        let before = self.world.sale.clone();
        match self.tell(words) {
            Err(refusal) => {
                assert_eq!(self.world.sale, before, "a refusal changes nothing");
                [format!("refused {}", refusal.code()), String::new(), String::new(), String::new()]
            }
            Ok(changes) if changes.is_empty() => {
                assert_eq!(changes.checks, vec![before.check()], "nothing to do still checks what it read");
                ["=".to_owned(), String::new(), String::new(), String::new()]
            }
            Ok(_) => {
                let sale = &self.world.sale;
                assert!(sale.order.version > before.order.version, "any change moves the lock of the whole sale");
                let payments: Vec<&str> = sale.payments.iter().map(|payment| payment.state.as_str()).collect();
                let mut licenses: Vec<&str> = sale.licenses.iter().map(|license| license.state.as_str()).collect();
                licenses.dedup();
                let mails = self.world.mails.iter().map(|mail| format!("{} mail", mail.as_str()));
                let jobs = self.world.jobs.iter().map(|job| job.as_str()).filter(|job| *job != "send_mail");
                let effects: Vec<String> = mails.chain(jobs.map(str::to_owned)).collect();
                [payments.join(" "), sale.order.state.as_str().to_owned(), licenses.join(" "), effects.join(", ")]
            }
        }
    }
}
