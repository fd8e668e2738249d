//! Which request, notice or job is being worked at: for the log, and for traces where somebody collects them.
//!
//! The context goes with the work, not with the thread. Where nobody collects,
//! a span costs a look at one pointer. Trace contexts are those of W3C Trace
//! Context, level 1.

use std::future::Future;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Rng;

use crate::App;

/// What is being worked at.
#[derive(Debug, Clone)]
struct Context {
    id: String,
    span: Option<SpanContext>,
    program: Option<Arc<str>>,
}

tokio::task_local! {
    static CONTEXT: Context;
}

/// The id of the request, notice or job that is being worked at: what finds its lines in the log.
#[must_use]
pub fn request_id() -> Option<String> {
    CONTEXT.try_with(|context| context.id.clone()).ok()
}

/// What the program that asks calls itself, when a request is being worked at and it told.
pub(crate) fn program() -> Option<Arc<str>> {
    CONTEXT.try_with(|context| context.program.clone()).ok().flatten()
}

/// The trace that is being worked at, where somebody collects it.
#[must_use]
pub fn trace_id() -> Option<String> {
    CONTEXT.try_with(|context| context.span.map(|span| span.trace_hex())).ok().flatten()
}

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanContext {
    trace: u128,
    span: u64,
    is_sampled: bool,
}

impl SpanContext {
    /// Reads a `traceparent` header. What is no such header begins no trace and breaks none.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let goes_on = parts.next().is_some();
        if !hex(version, 2) || version == "ff" || (version == "00" && goes_on) {
            return None;
        }
        if !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace, span, is_sampled })
    }

    /// The header that tells whoever is called where in the trace the call stands.
    #[must_use]
    pub fn header(self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.is_sampled))
    }

    /// The id of the trace, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_hex(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The id of the span, as 16 hexadecimal digits.
    #[must_use]
    pub fn span_hex(self) -> String {
        format!("{:016x}", self.span)
    }

    fn below(parent: Option<Self>, rng: &mut Rng) -> Self {
        let span = rng.next_u64().max(1);
        match parent {
            Some(parent) => Self { span, ..parent },
            None => Self { trace: rng.next_u128().max(1), span, is_sampled: true },
        }
    }
}

/// On which side of a call a span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Somebody asked us.
    Server,
    /// We ask somebody.
    Client,
    /// We take up what was left to do.
    Consumer,
}

/// A piece of work that is over.
#[derive(Debug, Clone)]
pub struct Span {
    /// Where in the trace.
    pub context: SpanContext,
    /// The span that it is a part of.
    pub parent: Option<SpanContext>,
    /// On which side of a call.
    pub kind: SpanKind,
    /// What was done, in few different words.
    pub name: String,
    /// When it began, in nanoseconds since 1970.
    pub began: u128,
    /// When it was over.
    pub ended: u128,
    /// What else is known of it. Never a secret, and nothing that names a person.
    pub attributes: Vec<(&'static str, serde_json::Value)>,
    /// Whether it failed.
    pub has_failed: bool,
}

/// Takes spans away. It must neither wait nor fail: a collector that is gone is no reason to sell nothing.
pub trait SpanSink: Send + Sync {
    /// Takes one.
    fn take(&self, span: Span);
}

/// What a span begins as.
pub struct Begin {
    /// The id of the work when this begins some, or none when this is a part of what is being worked at.
    pub id: Option<String>,
    /// Where in whose trace this stands, when it does not stand in what is being worked at.
    pub parent: Option<SpanContext>,
    /// On which side of a call.
    pub kind: SpanKind,
    /// What the program that asks calls itself, when somebody asked us and told.
    pub program: Option<Arc<str>>,
}

impl App {
    /// Sends the spans of all further work to this sink. The first one stays.
    pub fn trace_to(&self, sink: Box<dyn SpanSink>) {
        // A second sink would be a mistake of the wiring, and nothing is lost by it.
        let _ = self.spans.set(sink);
    }

    /// Does the work, so that what is logged meanwhile carries its id, and tells of it where somebody collects.
    /// `describe` names the span and adds what is known of it.
    pub async fn in_span<T>(
        &self,
        begin: Begin,
        work: impl Future<Output = T>,
        describe: impl FnOnce(&T, &mut Span),
    ) -> T {
        let Some(sink) = self.spans.get() else {
            return match begin.id {
                Some(id) => CONTEXT.scope(Context { id, span: None, program: begin.program }, work).await,
                None => work.await,
            };
        };
        let around = CONTEXT.try_with(Clone::clone).ok();
        let parent = begin.parent.or_else(|| around.as_ref().and_then(|around| around.span));
        let context = SpanContext::below(parent, &mut self.entropy.rng());
        let program = begin.program.or_else(|| around.as_ref().and_then(|around| around.program.clone()));
        let id = begin.id.or_else(|| around.map(|around| around.id)).unwrap_or_default();
        let began = nanoseconds();
        let outcome = CONTEXT.scope(Context { id, span: Some(context), program }, work).await;
        if context.is_sampled {
            let mut span = Span {
                context,
                parent,
                kind: begin.kind,
                name: String::new(),
                began,
                ended: nanoseconds(),
                attributes: Vec::new(),
                has_failed: false,
            };
            describe(&outcome, &mut span);
            sink.take(span);
        }
        outcome
    }
}

/// The same work on another task: it stays what is being worked at.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let context = CONTEXT.try_with(Clone::clone).ok();
    async move {
        match context {
            Some(context) => CONTEXT.scope(context, work).await,
            None => work.await,
        }
    }
}

/// The header for a call that is made now.
pub(crate) fn traceparent() -> Option<String> {
    CONTEXT.try_with(|context| context.span.map(SpanContext::header)).ok().flatten()
}

fn nanoseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_recommendation_says() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(SpanContext::parse(good).map(SpanContext::header).as_deref(), Some(good));
        let rows = [
            ("", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-adds", true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false),
        ];
        for (header, is_read) in rows {
            assert_eq!(SpanContext::parse(header).is_some(), is_read, "{header}");
        }
    }
}
