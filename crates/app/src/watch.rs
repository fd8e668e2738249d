//! What is counted, for whoever watches the shop from outside.

use domain::{ClaimKind, Timestamp};
use metrics::{Counter, Exposition, Family, Gauge, Histogram, Label};
use store::{Backlog, Owed};

use crate::receive::Source;
use crate::{App, Error, NoticeOutcome};

/// The numbers of this process. What happens on the way of a request is an atomic addition.
pub struct Metrics {
    /// Answers, by route, method and status.
    pub requests: Family<Counter, 3>,
    /// How long they took, by route and method.
    pub request_duration: Family<Histogram, 2>,
    /// Requests that were turned away, by class and reason.
    pub shed: Family<Counter, 2>,
    /// Requests that are being answered, by class.
    pub busy: Family<Gauge, 1>,
    /// Requests that wait for a place, by class.
    pub waiting: Family<Gauge, 1>,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that were closed by us, by reason.
    pub connections_closed: Family<Counter, 1>,
    /// Spans that the collector was too slow for.
    pub spans_dropped: Counter,
    /// When somebody last asked whether we are ready, in microseconds since 1970; 0 before that.
    pub(crate) ready_asked: Gauge,
    pub(crate) notices: Family<Counter, 3>,
    pub(crate) webhooks_refused: Family<Counter, 2>,
    pub(crate) jobs: Family<Counter, 2>,
    pub(crate) gateway_calls: Family<Counter, 3>,
    pub(crate) gateway_call_duration: Family<Histogram, 2>,
    pub(crate) mails: Family<Counter, 2>,
    pub(crate) licenses_issued: Counter,
    pub(crate) validations: Family<Counter, 1>,
}

impl Default for Metrics {
    fn default() -> Self {
        let counter = Counter::default;
        Self {
            requests: Family::new(["route", "method", "status"], counter),
            request_duration: Family::new(["route", "method"], Histogram::latency),
            shed: Family::new(["class", "reason"], counter),
            busy: Family::new(["class"], Gauge::default),
            waiting: Family::new(["class"], Gauge::default),
            connections: Gauge::default(),
            connections_closed: Family::new(["reason"], counter),
            spans_dropped: Counter::default(),
            ready_asked: Gauge::default(),
            notices: Family::new(["account", "source", "outcome"], counter),
            webhooks_refused: Family::new(["account", "reason"], counter),
            jobs: Family::new(["kind", "outcome"], counter),
            gateway_calls: Family::new(["adapter", "call", "outcome"], counter),
            gateway_call_duration: Family::new(["adapter", "call"], Histogram::latency),
            mails: Family::new(["mail", "outcome"], counter),
            licenses_issued: Counter::default(),
            validations: Family::new(["code"], counter),
        }
    }
}

impl Metrics {
    fn write(&self, out: &mut Exposition) {
        out.counters("latchkey_http_requests_total", "Answered requests.", &self.requests);
        out.histograms("latchkey_http_request_duration_seconds", "How long answers took.", &self.request_duration);
        out.counters("latchkey_http_shed_total", "Requests turned away before they were begun.", &self.shed);
        out.gauges("latchkey_http_busy", "Requests being answered, by class of work.", values(&self.busy));
        out.gauges("latchkey_http_waiting", "Requests waiting for a place, by class.", values(&self.waiting));
        out.gauge("latchkey_http_connections", "Open connections.", &self.connections);
        out.counters(
            "latchkey_http_connections_closed_total",
            "Connections closed by the server.",
            &self.connections_closed,
        );
        out.counters(
            "latchkey_notices_total",
            "Events of gateways, by how they came and what became of them.",
            &self.notices,
        );
        out.counters("latchkey_webhooks_refused_total", "Webhooks that were not taken.", &self.webhooks_refused);
        out.counters("latchkey_jobs_total", "Jobs taken up, by what became of them.", &self.jobs);
        out.counters("latchkey_gateway_calls_total", "Calls to gateways, by outcome.", &self.gateway_calls);
        out.histograms(
            "latchkey_gateway_call_duration_seconds",
            "How long gateways took.",
            &self.gateway_call_duration,
        );
        out.counters("latchkey_mails_total", "Mails, by outcome.", &self.mails);
        out.counter("latchkey_licenses_issued_total", "Licenses that this process issued.", &self.licenses_issued);
        out.counters("latchkey_validations_total", "Answers to license validations, by verdict.", &self.validations);
        out.counter("latchkey_spans_dropped_total", "Spans that the collector was too slow for.", &self.spans_dropped);
    }
}

fn values<const LABELS: usize>(family: &Family<Gauge, LABELS>) -> Vec<(Label, u64)> {
    family.series().into_iter().map(|(label, gauge)| (label, gauge.get())).collect()
}

/// What is only known by asking the store.
struct Stored {
    inbox: Backlog,
    outbox: Backlog,
    jobs: u64,
    parked: u64,
    free_codes: Vec<(Label, u64)>,
    waiting_claims: Vec<(Label, u64)>,
    claims: Vec<(Label, u64)>,
    overdue_claims: u64,
    unanswered: u64,
    webhooks: Vec<(Label, u64)>,
}

impl App {
    /// Everything that is told at this moment, as Prometheus reads it. What the store does not answer is left out,
    /// and `latchkey_up` says so.
    pub async fn exposition(&self) -> String {
        let mut out = Exposition::default();
        let build = [("version", env!("CARGO_PKG_VERSION")), ("storage", self.store.engine().name())];
        out.gauges("latchkey_build_info", "What is running.", [(Label::new(build), 1)]);
        for account in self.accounts_at_hand().iter().filter(|account| account.is_active) {
            let account = account.id.to_string();
            for outcome in NoticeOutcome::NEW {
                self.metrics.notices.begin([&account, Source::List.as_str(), outcome.as_str()]);
            }
        }
        self.metrics.write(&mut out);
        self.attempts.write(&mut out);
        self.shadows.write(&mut out);
        self.store.write_metrics(&mut out);
        let now = self.clock.now();
        let patience = std::time::Duration::from_secs(5);
        let stored = tokio::time::timeout(patience, self.stored(now)).await.ok().and_then(Result::ok);
        let can_write = self.can_write().await.is_ok();
        let none = Label::default;
        let is_up = u64::from(stored.is_some() && can_write);
        out.gauges("latchkey_up", "Whether rows can be read and written.", [(none(), is_up)]);
        if let Some(stored) = stored {
            let age = |backlog: Backlog| span(backlog.oldest, now).unwrap_or_default();
            out.gauges(
                "latchkey_inbox_depth",
                "Stored notices that wait to be applied.",
                [(none(), stored.inbox.count)],
            );
            out.seconds("latchkey_inbox_oldest_seconds", "Age of the oldest of them.", [(none(), age(stored.inbox))]);
            out.gauges("latchkey_notices_parked", "Notices that wait for a person.", [(none(), stored.parked)]);
            out.gauges("latchkey_outbox_depth", "Jobs that are due and nobody is at.", [(none(), stored.outbox.count)]);
            out.seconds("latchkey_outbox_oldest_seconds", "Age of the oldest of them.", [(none(), age(stored.outbox))]);
            out.gauges("latchkey_jobs", "Jobs that are due, under way or for later.", [(none(), stored.jobs)]);
            out.gauges("latchkey_pool_codes_free", "Codes in stock that were never handed out.", stored.free_codes);
            let help = "Paid units that wait for a code.";
            out.gauges("latchkey_pool_claims_waiting", help, stored.waiting_claims);
            out.gauges("latchkey_claims_waiting", "Paid units that wait, by whom they wait for.", stored.claims);
            let help = "Paid units that a person should be done with by now.";
            out.gauges("latchkey_claims_overdue", help, [(none(), stored.overdue_claims)]);
            let help = "Orders whose buyers wait for an answer to a message.";
            out.gauges("latchkey_orders_unanswered", help, [(none(), stored.unanswered)]);
            let help = "Since when no webhook of the account came; since it was connected where none ever did.";
            out.seconds("latchkey_webhook_age_seconds", help, stored.webhooks);
        }
        out.into_text()
    }

    async fn stored(&self, now: Timestamp) -> Result<Stored, Error> {
        let mut parked = 0;
        for shop in self.shops().await {
            parked += self.store.parked_notices(shop.id).await?;
        }
        let (mut owed, mut unanswered) = (Owed::default(), 0);
        for shop in self.shops().await {
            owed = owed.and(self.store.owed(shop.id, now).await?);
            unanswered += self.store.unanswered(shop.id, now).await?.count;
        }
        let claims = ClaimKind::ALL.map(|kind| (Label::new([("kind", kind.as_str())]), owed.of(kind)));
        let (mut free_codes, mut waiting_claims) = (Vec::new(), Vec::new());
        for shop in self.shops().await {
            for pool in self.store.pools(shop.id).await? {
                let stock = self.store.stock(shop.id, pool.id, now).await?;
                let id = pool.id.to_string();
                let label = || Label::new([("pool", id.as_str()), ("name", pool.slug.as_str())]);
                free_codes.push((label(), stock.free));
                waiting_claims.push((label(), stock.waiting));
            }
        }
        let mut webhooks = Vec::new();
        for account in self.gateway_accounts().await.iter().filter(|account| account.is_active) {
            let id = account.id.to_string();
            let label = Label::new([("account", id.as_str()), ("adapter", account.adapter.as_str())]);
            let last = self.webhooks(account.id).await?.came.unwrap_or(account.created_at);
            webhooks.push((label, span(Some(last), now).unwrap_or_default()));
        }
        Ok(Stored {
            inbox: self.store.waiting_notices().await?,
            outbox: self.store.waiting_jobs(now).await?,
            jobs: self.store.jobs().await?,
            parked,
            free_codes,
            waiting_claims,
            claims: claims.into(),
            overdue_claims: owed.overdue,
            unanswered,
            webhooks,
        })
    }
}

/// How long ago it was, in microseconds.
fn span(from: Option<Timestamp>, now: Timestamp) -> Option<u64> {
    from.map(|from| u64::try_from(now.since(from).as_microseconds()).unwrap_or_default())
}
