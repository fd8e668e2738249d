//! What is wrong, and the way out.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use domain::{ContentDigest, DeliveryState, Duration, Email, Mode, Seller, Shop, Stock, invariant};
use gateways::{Answer, Call, adapter};
use store::report::{self, Content, Replication};
use store::{OrderFilter, Owed, Page};

use crate::{App, BarePlan, Error, Files, Found};

/// How many sales of each shop are held against the laws of one sale, the newest first. The laws over all rows are
/// asked of all.
const NEWEST_SALES: u32 = 1_000;

/// How many orders of a shop with money to give back are named.
const MOST_SURPLUS: u32 = 100;

/// How long a buyer waits for an answer before it is told.
const ANSWERED_WITHIN: Duration = Duration::days(1);

/// The check of the contents of published files.
const FILES: &str = "files";

/// How many contents without a row are named.
const MOST_LEFTOVERS: usize = 10;

/// What to do where files cannot be read.
const RUN_AS_SERVER: &str = "run every latchkey command as the user of the server, and give that user the folder of files: \
    chown -R";

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, and will hurt some day.
    Warning,
    /// Does not work, or a law is broken.
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: a stable name.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What to do; empty when nothing needs to be done.
    pub way_out: String,
}

impl Finding {
    fn good(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.to_owned(), severity: Severity::Good, found: found.into(), way_out: String::new() }
    }

    fn warning(check: &str, found: impl Into<String>, way_out: &str) -> Self {
        Self { check: check.to_owned(), severity: Severity::Warning, found: found.into(), way_out: way_out.to_owned() }
    }

    fn broken(check: &str, found: impl Into<String>, way_out: &str) -> Self {
        Self { check: check.to_owned(), severity: Severity::Broken, found: found.into(), way_out: way_out.to_owned() }
    }
}

/// A number that is counted no further than [`Owed::COUNTED`].
fn counted(number: u64) -> String {
    if number < Owed::COUNTED { number.to_string() } else { format!("{} or more", Owed::COUNTED) }
}

/// Away from the threads that answer: a shared folder may take its time.
async fn blocking<Answer: Send + 'static>(work: impl FnOnce() -> Answer + Send + 'static) -> Result<Answer, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Unavailable(error.to_string()))
}

/// Looks for each content.
fn examine_contents(files: &Files, contents: impl Iterator<Item = Content>) -> Vec<Finding> {
    const WAY_OUT: &str = "bring the folder of files back from its backup, or run latchkey releases add with the same \
        version and file: it puts the content where it belongs";
    let (mut findings, mut whole) = (Vec::new(), 0_u64);
    for Content { name, number, product, digest, size, .. } in contents {
        let of = format!("{name} of {product} {number}");
        let (found, way_out) = match files.look_for(digest, size) {
            Ok(Found::Whole) => {
                whole += 1;
                continue;
            }
            Ok(Found::Nothing) => (format!("{of} is missing"), WAY_OUT),
            Ok(Found::OtherSize(other)) => (format!("{of} has {other} bytes instead of {size}"), WAY_OUT),
            Ok(Found::OtherContent) => (format!("{of} has another content than was published"), WAY_OUT),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                (format!("{of} cannot be read by this user: {error}"), RUN_AS_SERVER)
            }
            Err(error) => (format!("{of} cannot be read: {error}"), WAY_OUT),
        };
        findings.push(Finding::broken(FILES, found, way_out));
    }
    if findings.is_empty() && whole > 0 {
        let found = format!("each of {whole} published contents is there; latchkey releases verify reads them");
        findings.push(Finding::good(FILES, found));
    }
    findings
}

/// What lies in the folder and belongs to no row.
fn examine_leftovers(folder: &Path, leftovers: &[(ContentDigest, u64)]) -> Option<Finding> {
    let bytes: u64 = leftovers.iter().map(|(_, size)| size).sum();
    let mut named: Vec<String> =
        leftovers.iter().take(MOST_LEFTOVERS).map(|(digest, size)| format!("{digest} ({size} bytes)")).collect();
    if leftovers.len() > MOST_LEFTOVERS {
        named.push("…".to_owned());
    }
    let found = format!(
        "{} contents of {bytes} bytes in {} belong to no file: {}",
        leftovers.len(),
        folder.display(),
        named.join(", ")
    );
    let way_out = "after a restore, publish again what came out since the backup; what is left over then only takes room, and \
        can be removed";
    (!leftovers.is_empty()).then(|| Finding::warning(FILES, found, way_out))
}

impl App {
    /// Looks at everything that can be looked at from inside: every law on
    /// the stored rows, gateways, addresses, what waits and what failed.
    ///
    /// # Errors
    /// When the store does not answer at all.
    pub async fn examine(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = vec![Finding::good("storage", format!("{} answers", self.store.engine().name()))];
        findings.extend(store::report::replication(&self.store).await?.map(|found| examine_replication(&found)));
        findings.extend(self.examine_laws().await?);
        let shops = self.shops().await;
        findings.push(self.examine_public_url(shops.iter().any(|shop| shop.mode == Mode::Live)));
        for shop in &shops {
            findings.extend(examine_seller(shop));
            findings.extend(self.examine_host(shop));
            if self.store.products(shop.id).await?.is_empty() {
                let found = format!("{} has nothing to sell", shop.name);
                findings.push(Finding::warning(
                    "catalog",
                    found,
                    "describe products and prices: latchkey apply shop.toml",
                ));
            }
        }
        for account in self.gateway_accounts().await {
            findings.push(self.examine_account(&account).await);
            findings.push(self.examine_webhooks(&account).await?);
        }
        if self.gateway_accounts().await.is_empty() {
            findings.push(Finding::warning(
                "gateways",
                "no gateway account is connected",
                "connect one: latchkey gateways connect",
            ));
        }
        for shop in self.shops().await {
            let parked = self.store.parked_notices(shop.id).await?;
            if parked > 0 {
                let found = format!("{parked} parked notices in {}", shop.name);
                findings.push(Finding::warning(
                    "notices",
                    found,
                    "open Notices in the console; mend the cause, then press Apply again",
                ));
            }
            let refused = self.store.count_deliveries(shop.id, DeliveryState::Refused).await?;
            if refused > 0 {
                let found = format!("{refused} mails were refused in {}", shop.name);
                findings.push(Finding::warning(
                    "mail",
                    found,
                    "open the order in the console: correct the address and send the receipt again",
                ));
            }
        }
        findings.extend(self.examine_pools().await?);
        findings.extend(self.examine_promises().await?);
        findings.extend(self.examine_messages().await?);
        findings.extend(self.examine_files().await?);
        findings.extend(self.examine_surplus().await?);
        findings.extend(self.examine_restore().await?);
        let late = self.store.jobs_overdue(self.clock.now().before(Duration::hours(1))).await?;
        findings.push(if late == 0 {
            Finding::good("jobs", "nothing waits longer than an hour")
        } else {
            Finding::warning(
                "jobs",
                format!("{late} jobs wait longer than an hour"),
                "see whether the server runs, and its log for the cause",
            )
        });
        Ok(findings)
    }

    /// Stocks of codes: those that are held or low, and who waits.
    async fn examine_pools(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for shop in self.shops().await {
            for pool in self.store.pools(shop.id).await? {
                let check = format!("pool:{}", pool.slug);
                let Stock { free, waiting, .. } = self.stock(&pool).await?;
                findings.push(match pool.held_at {
                    Some(at) => Finding::warning(
                        &check,
                        format!("held since the restore at {at}: no code is handed out, and {waiting} paid units wait"),
                        "see which codes were handed out since the backup was taken, take them out with latchkey pools \
                         withdraw, then let the others go with latchkey pools release",
                    ),
                    None if waiting > 0 || free <= u64::from(pool.low_at) => Finding::warning(
                        &check,
                        format!("{free} codes are left, and {waiting} paid units wait for one"),
                        "bring codes into stock with latchkey pools import; who waits is served by itself",
                    ),
                    None => Finding::good(&check, format!("{free} codes are left, and nobody waits")),
                });
            }
        }
        Ok(findings)
    }

    /// What people have promised to buyers; nothing is said of a shop where nobody has.
    async fn examine_promises(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        let now = self.clock.now();
        for shop in self.shops().await {
            let owed = self.store.owed(shop.id, now).await?;
            let (overdue, manual) = (counted(owed.overdue), counted(owed.manual));
            if owed.overdue > 0 {
                findings.push(Finding::warning(
                    "claims",
                    format!("{overdue} of {manual} paid units that wait for a person in {} are overdue", shop.name),
                    "hand them over in the console, under To hand over, or with POST /v1/licenses/{id}/content",
                ));
            } else if owed.manual > 0 {
                let text = format!("{manual} paid units wait for a person in {}, and none is overdue", shop.name);
                findings.push(Finding::good("claims", text));
            }
        }
        Ok(findings)
    }

    /// Who waits for an answer to a message; nothing is said of a shop where nobody does, and mails can tell it.
    async fn examine_messages(&self) -> Result<Vec<Finding>, Error> {
        const CHECK: &str = "messages";
        let mut findings = Vec::new();
        let now = self.clock.now();
        for shop in self.shops().await {
            let waiting = self.store.unanswered(shop.id, now).await?;
            let late = waiting.oldest.filter(|since| now.since(*since) >= ANSWERED_WITHIN);
            let buyers = counted(waiting.count);
            if let Some(since) = late {
                findings.push(Finding::warning(
                    CHECK,
                    format!("{buyers} buyers of {} wait for an answer, the first since {since}", shop.name),
                    "answer them in the console: Orders, Waiting for an answer",
                ));
            } else if waiting.count > 0 {
                let text = format!("{buyers} buyers of {} wait for an answer, none for a day", shop.name);
                findings.push(Finding::good(CHECK, text));
            }
            if Email::parse(&shop.seller.email).is_err() {
                findings.push(Finding::warning(
                    CHECK,
                    format!(
                        "{} has no address of the seller that can be read: no mail tells that a buyer wrote",
                        shop.name
                    ),
                    "set email under [seller] in the file of the shop, and run latchkey apply",
                ));
            }
        }
        Ok(findings)
    }

    /// The content of every file of a version that was not withdrawn: whether it is there, can be read, and is as long as
    /// it should be; what else lies there; and who has paid for files that there are none of.
    async fn examine_files(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.examine_waiting().await?;
        let Ok(files) = self.files() else { return Ok(findings) };
        let looked = files.clone();
        // Before the rows: what is published meanwhile is then no content without a row.
        let kept = blocking(move || looked.kept()).await?;
        let contents = report::contents(self.store.engine().as_ref()).await?;
        if let Some(told) = self.files_of_one_node()?.filter(|_| !contents.is_empty()) {
            let way_out = "with one node nothing needs to be done; with several, give all of them one shared folder";
            findings.push(Finding::warning(FILES, told, way_out));
        }
        let known: BTreeSet<ContentDigest> = contents.iter().map(|content| content.digest).collect();
        let looked = files.clone();
        findings.extend(blocking(move || examine_contents(&looked, report::wanted(contents).into_values())).await?);
        match kept {
            Ok(kept) => {
                let leftovers: Vec<_> = kept.into_iter().filter(|(digest, _)| !known.contains(digest)).collect();
                findings.extend(examine_leftovers(files.folder(), &leftovers));
            }
            Err(error) => {
                let found = format!("{} cannot be read: {error}", files.folder().display());
                findings.push(Finding::broken(FILES, found, RUN_AS_SERVER));
            }
        }
        Ok(findings)
    }

    /// Licenses that were paid for the files of a product that has none.
    async fn examine_waiting(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for shop in self.shops().await {
            for bare in self.plans_without_files(shop.id).await? {
                let BarePlan { plan, product, held } = bare;
                let way_out = format!(
                    "publish a version: latchkey releases add {} VERSION FILE; or take the plan off sale",
                    product.slug
                );
                let of = format!("{} sells the files of {}, and no version of it is out", plan.slug, product.slug);
                if held > 0 {
                    let found = format!("{of}: {held} paid licenses open nothing");
                    findings.push(Finding::broken("downloads", found, &way_out));
                } else if plan.is_active && product.is_active {
                    findings.push(Finding::warning("downloads", of, &way_out));
                }
            }
        }
        Ok(findings)
    }

    /// Money that came twice and could not be sent back: the buyer waits for it.
    async fn examine_surplus(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for shop in self.shops().await {
            for order in self.store.orders_with_surplus(shop.id, MOST_SURPLUS).await? {
                let Some(sale) = self.store.sale(shop.id, order).await? else { continue };
                let Some((payment, left)) = sale.surplus() else { continue };
                findings.push(Finding::warning(
                    "surplus",
                    format!("{left} of {} came although {order} had been paid, and could not be sent back", payment.id),
                    "open the order in the console and press the button that gives it back, or POST its refunds with \
                     the reason surprise_capture; where the gateway refuses again, pay the buyer another way",
                ));
            }
        }
        Ok(findings)
    }

    /// What a restore has left for a person to see to.
    async fn examine_restore(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        if let Some(restored) = self.store.restored().await? {
            let from = format!("restored at {} from a backup of {}", restored.restored_at, restored.taken_at);
            findings.push(if restored.is_caught_up {
                Finding::good("restore", format!("{from}; every gateway has told what happened since"))
            } else {
                Finding::warning(
                    "restore",
                    format!("{from}; not every gateway has told what happened since"),
                    "start the server, which asks them; see its log where one does not answer",
                )
            });
        }
        let held = self.store.held_jobs().await?;
        if held > 0 {
            findings.push(Finding::warning(
                "held_mail",
                format!("{held} mails are held since a restore: their receivers may have them already"),
                "look at them and send those that are wanted: Mails in the console, or latchkey mails list",
            ));
        }
        Ok(findings)
    }

    async fn examine_laws(&self) -> Result<Vec<Finding>, Error> {
        let told = |law: &str, found: String| {
            let way_out = "keep a copy of the data (latchkey backup) and write to the authors: this must not happen";
            Finding::broken(&format!("law:{law}"), found, way_out)
        };
        let broken = store::report::broken_laws(&self.store).await?;
        let mut findings: Vec<Finding> =
            broken.into_iter().map(|law| told(law.law, format!("{}: {}", law.subject, law.detail))).collect();
        let mut sales = 0;
        for shop in self.shops().await {
            let mut page = Page { starting_after: None, ending_before: None, limit: 100 };
            for _ in 0..NEWEST_SALES / page.limit {
                let orders = self.store.orders(shop.id, &OrderFilter::default(), page).await?;
                for order in &orders.data {
                    let Some(sale) = self.store.sale(shop.id, order.id).await? else { continue };
                    let postings = self.store.postings(shop.id, order.id).await?;
                    // Two reads: a sale that moved on in between is judged at the next visit.
                    let is_still = self.store.order(shop.id, order.id).await?.is_some_and(|now| now == sale.order);
                    let broken = if is_still { invariant::broken(&sale, &postings) } else { Vec::new() };
                    findings
                        .extend(broken.into_iter().map(|law| told(law.law, format!("{}: {}", order.id, law.found))));
                    sales += 1;
                }
                page.starting_after = orders.data.last().map(|last| last.id);
                if !orders.has_more {
                    break;
                }
            }
        }
        if findings.is_empty() {
            findings.push(Finding::good(
                "laws",
                format!("every law holds on the stored rows, and on each of the newest {sales} sales"),
            ));
        }
        Ok(findings)
    }

    /// Buyers come back from the gateway, and open what mails link to, at `public_url`: whether the shop is there.
    #[must_use]
    pub fn examine_host(&self, shop: &Shop) -> Option<Finding> {
        let (host, url) = (shop.host.as_deref()?, &self.settings.public_url);
        let reached_at = reqwest::Url::parse(url).ok()?;
        if self.shop_at_hand(reached_at.host_str().unwrap_or_default()) == Some(shop.id) {
            return None;
        }
        Some(Finding::broken(
            "host",
            format!("{} answers to {host} alone, and its buyers are sent back to {url}", shop.name),
            &format!("set public_url in latchkey.toml to https://{host}, or leave host out of the shop file"),
        ))
    }

    fn examine_public_url(&self, sells_for_money: bool) -> Finding {
        let url = &self.settings.public_url;
        let local = ["http://127.", "http://localhost", "http://[::1]"].iter().any(|start| url.starts_with(start));
        if local && sells_for_money {
            Finding::warning(
                "public_url",
                format!("{url} can be reached from this machine alone, and a shop here sells for money"),
                "set public_url in latchkey.toml to the https address that buyers and the gateway use",
            )
        } else if url.starts_with("https://") || local {
            Finding::good("public_url", url.clone())
        } else {
            Finding::broken(
                "public_url",
                format!("{url} is not https"),
                "set --public-url to the https address that buyers use",
            )
        }
    }

    async fn examine_webhooks(&self, account: &domain::GatewayAccount) -> Result<Finding, Error> {
        let check = format!("webhooks:{}", account.id);
        let webhooks = self.webhooks(account.id).await?;
        let last = webhooks
            .came
            .map_or_else(|| "no webhook has ever come".to_owned(), |at| format!("the last webhook came {at}"));
        Ok(match webhooks.missed {
            Some(missed) if webhooks.are_absent() => Finding::warning(
                &check,
                format!("{last}, and at {missed} asking found events that none had brought"),
                "nothing is lost, only late: check the address and the state of the webhook endpoint at the gateway",
            ),
            Some(_) | None => Finding::good(&check, last),
        })
    }

    pub(crate) async fn examine_account(&self, account: &domain::GatewayAccount) -> Finding {
        let check = format!("gateway:{}", account.id);
        if adapter(&account.adapter).is_none() {
            return Finding::broken(
                &check,
                format!("there is no adapter {}", account.adapter),
                "use a version of latchkey that has it",
            );
        }
        match self.call(account, &Call::CheckAccount).await {
            Ok(Answer::Account { mode, .. }) if mode != account.mode => Finding::broken(
                &check,
                format!("the account is {:?}, its key is {mode:?}", account.mode),
                "use the key of the other mode",
            ),
            Ok(_) => Finding::good(&check, format!("{} accepts our credentials", account.adapter)),
            Err(error) => Finding::broken(
                &check,
                error.to_string(),
                "check the secret key, and whether the gateway can be reached from here",
            ),
        }
    }
}

/// What the law wants to be read beside the pay button, wherever money is real.
fn examine_seller(shop: &Shop) -> Option<Finding> {
    let Seller { legal_name, address, email, .. } = &shop.seller;
    let missing: Vec<&str> = [
        ("seller.legal_name", legal_name.is_empty()),
        ("seller.address", address.is_empty()),
        ("seller.email", email.is_empty()),
        ("terms", shop.terms.is_empty()),
        ("refund_policy", shop.refund_policy.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    (shop.mode == Mode::Live && !missing.is_empty()).then(|| {
        Finding::warning(
            "seller",
            format!("{} sells for money and says nothing of: {}", shop.name, missing.join(", ")),
            "say who sells and on what terms in the shop file, then: latchkey apply shop.toml",
        )
    })
}

/// Whether a sale that was acknowledged is still there when the machine of the database is not.
fn examine_replication(replication: &Replication) -> Finding {
    const CHECK: &str = "replication";
    let Replication { required, commit, standbys, synchronous } = replication;
    match (standbys, synchronous, required.is_empty(), commit.as_str()) {
        (0, _, true, _) => Finding::good(CHECK, "no standby: what was acknowledged is on the disk of one machine"),
        (0, _, false, "on" | "remote_apply" | "remote_write") => Finding::broken(
            CHECK,
            format!("commits wait for a standby ({required}), and none is connected: nothing can be sold"),
            "start the standby, or take it out of synchronous_standby_names and know that a failover can lose sales",
        ),
        (_, 1.., false, "on" | "remote_apply") => {
            Finding::good(CHECK, format!("synchronous: a commit waits for {required}"))
        }
        (_, _, false, "remote_write") => Finding::warning(
            CHECK,
            "the standby answers before its disk has what it was sent (synchronous_commit = remote_write)",
            "set synchronous_commit to on: both machines losing power at once can lose acknowledged sales",
        ),
        (1.., 0, false, "on" | "remote_apply") => Finding::warning(
            CHECK,
            format!("{required} must answer a commit, and none of {standbys} standbys is seen to be synchronous"),
            "grant pg_monitor to our role so that we can see, or correct synchronous_standby_names",
        ),
        (_, _, _, _) => Finding::warning(
            CHECK,
            format!(
                "asynchronous: {standbys} standbys, and no commit waits for any of them (synchronous_commit = {commit}); \
                 a failover can lose sales that were acknowledged"
            ),
            "name the standbys in synchronous_standby_names, with synchronous_commit = on",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sells_for_money_says_who_they_are() {
        let named = Shop {
            id: domain::ShopId::mint(domain::Timestamp::from_seconds(0), &mut domain::Rng::from_seed([1; 32])),
            version: 1,
            name: "Northlight".to_owned(),
            mode: Mode::Live,
            host: None,
            seller: Seller {
                legal_name: "Northlight GmbH".to_owned(),
                address: vec!["Weg 1".to_owned()],
                email: "shop@northlight.example".to_owned(),
                tax_id: None,
            },
            default_locale: domain::Locale::english(),
            default_currency: money::Currency::EUR,
            default_country: domain::Country::DE,
            terms: "Terms".to_owned(),
            terms_version: "1".to_owned(),
            refund_policy: "14 days".to_owned(),
            compat: domain::Compat::default(),
            created_at: domain::Timestamp::from_seconds(0),
        };
        type Case = (&'static str, Mode, fn(&mut Shop), Option<&'static str>);
        let cases: [Case; 4] = [
            ("all is said", Mode::Live, |_| {}, None),
            ("no address", Mode::Live, |shop| shop.seller.address.clear(), Some("seller.address")),
            ("no terms", Mode::Live, |shop| shop.terms.clear(), Some("terms")),
            ("a shop to try", Mode::Sandbox, |shop| shop.terms.clear(), None),
        ];
        for (what, mode, bend, missing) in cases {
            let mut shop = Shop { mode, ..named.clone() };
            bend(&mut shop);
            let found = examine_seller(&shop).map(|finding| finding.found);
            assert_eq!(found.is_some(), missing.is_some(), "{what}: {found:?}");
            assert!(missing.is_none_or(|missing| found.is_some_and(|found| found.ends_with(missing))), "{what}");
        }
    }

    #[test]
    fn asynchronous_replication_is_told_plainly() {
        use Severity::{Broken, Good, Warning};
        for (required, commit, standbys, synchronous, severity, told) in [
            ("", "on", 0, 0, Good, "one machine"),
            ("*", "on", 1, 1, Good, "waits for *"),
            ("ANY 1 (a, b)", "remote_apply", 2, 2, Good, "waits for ANY 1 (a, b)"),
            ("", "on", 1, 0, Warning, "asynchronous: 1 standbys"),
            ("*", "local", 1, 1, Warning, "asynchronous"),
            ("other", "on", 1, 0, Warning, "none of 1 standbys"),
            ("*", "remote_write", 1, 1, Warning, "remote_write"),
            ("*", "on", 0, 0, Broken, "none is connected"),
            ("*", "local", 0, 0, Warning, "asynchronous"),
        ] {
            let replication =
                Replication { required: required.to_owned(), commit: commit.to_owned(), standbys, synchronous };
            let finding = examine_replication(&replication);
            assert_eq!(finding.severity, severity, "{replication:?}");
            assert!(finding.found.contains(told), "{replication:?}: {}", finding.found);
        }
    }
}
