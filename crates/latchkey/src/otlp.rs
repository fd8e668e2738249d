//! Traces for a collector: OTLP over HTTP in its JSON encoding (OpenTelemetry protocol 1.x, `/v1/traces`).
//!
//! Spans wait in a bounded queue and leave in batches. A collector that is
//! slow or gone costs spans, which are counted, and nothing else.

use std::sync::{Arc, Weak};
use std::time::Duration;

use app::App;
use app::trace::{Span, SpanKind, SpanSink};
use gateways::{HttpRequest, Method};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// How many spans may wait.
const WAITING: usize = 8_192;

/// How many leave together at most.
const BATCH: usize = 512;

/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_millis(500);

/// The sending half: what the app gives its spans to.
struct Queue {
    spans: mpsc::Sender<Span>,
    app: Weak<App>,
}

impl SpanSink for Queue {
    fn take(&self, span: Span) {
        if self.spans.try_send(span).is_err()
            && let Some(app) = self.app.upgrade()
        {
            app.metrics.spans_dropped.count();
        }
    }
}

/// The task that sends.
pub(crate) struct Exporter {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Sends the spans of the app to the collector at this address from now on.
    pub(crate) fn start(app: &Arc<App>, endpoint: &str) -> Self {
        let (sender, spans) = mpsc::channel(WAITING);
        let (stop, stopped) = oneshot::channel();
        app.trace_to(Box::new(Queue { spans: sender, app: Arc::downgrade(app) }));
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let task = tokio::spawn(export(Arc::clone(app), url, spans, stopped));
        Self { stop, task }
    }

    /// Sends what waits, for a moment, and ends.
    pub(crate) async fn end(self) {
        // The task may have ended by itself; then there is nobody to tell.
        let _ = self.stop.send(());
        if tokio::time::timeout(Duration::from_secs(1), self.task).await.is_err() {
            tracing::debug!("the last spans did not reach the collector");
        }
    }
}

async fn export(app: Arc<App>, url: String, mut spans: mpsc::Receiver<Span>, mut stopped: oneshot::Receiver<()>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut was_well = true;
    loop {
        let is_last = tokio::select! {
            received = spans.recv_many(&mut batch, BATCH) => received == 0,
            _ = &mut stopped => true,
        };
        if is_last {
            spans.close();
            while let Ok(span) = spans.try_recv() {
                batch.push(span);
            }
        } else if batch.len() < BATCH {
            let gather = async { while batch.len() < BATCH && spans.recv_many(&mut batch, BATCH).await > 0 {} };
            // Those that came stay in the batch.
            let _ = tokio::time::timeout(GATHER, gather).await;
        }
        if !batch.is_empty() {
            let request = HttpRequest {
                method: Method::Post,
                url: url.clone(),
                headers: vec![("content-type", "application/json".to_owned())],
                body: document(&batch).to_string().into_bytes(),
            };
            let sent = app.http.send(request).await;
            let is_well = sent.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status));
            if !is_well {
                app.metrics.spans_dropped.add(u64::try_from(batch.len()).unwrap_or_default());
                if was_well {
                    let said = sent.map_or_else(|error| error.0, |answer| format!("it answered {}", answer.status));
                    tracing::warn!(said, "the collector of traces takes nothing");
                }
            }
            was_well = is_well;
            batch.clear();
        }
        if is_last {
            return;
        }
    }
}

fn document(spans: &[Span]) -> Value {
    let resource = [text("service.name", "latchkey"), text("service.version", env!("CARGO_PKG_VERSION"))];
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{
            "scope": { "name": "latchkey", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans.iter().map(view).collect::<Vec<_>>(),
        }],
    }] })
}

/// One span. Ids are hexadecimal and 64-bit numbers are texts, as the encoding asks.
fn view(span: &Span) -> Value {
    let kind = match span.kind {
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Consumer => 5,
    };
    let attributes: Vec<Value> = span.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let mut view = json!({
        "traceId": span.context.trace_hex(),
        "spanId": span.context.span_hex(),
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": span.began.to_string(),
        "endTimeUnixNano": span.ended.to_string(),
        "attributes": attributes,
        "status": if span.has_failed { json!({ "code": 2 }) } else { json!({}) },
    });
    if let Some(parent) = span.parent {
        view["parentSpanId"] = json!(parent.span_hex());
    }
    view
}

fn attribute(name: &str, value: &Value) -> Value {
    match value.as_i64() {
        Some(number) => json!({ "key": name, "value": { "intValue": number.to_string() } }),
        None => text(name, value.as_str().unwrap_or_default()),
    }
}

fn text(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}
