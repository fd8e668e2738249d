//! What a gateway can do, as data.

/// What a webhook of the gateway proves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The body is signed: it can be believed.
    Authentic,
    /// The message only points at something: the gateway is asked.
    Pointer,
    /// There are no webhooks: asked when the buyer returns, and by the sweep.
    ReturnOnly,
}

/// What a gateway can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// What its webhooks prove.
    pub trust: Trust,
    /// Whether it has a payment page of its own.
    pub hosted_page: bool,
    /// Whether it keeps methods for later charges.
    pub saved_methods: bool,
    /// Whether a saved method can be charged while the buyer is away.
    pub off_session: bool,
    /// Whether less than everything can be given back.
    pub partial_refund: bool,
    /// Whether it lists past events, so that lost webhooks can be made good.
    pub event_list: bool,
    /// Whether disputes can be read.
    pub disputes: bool,
    /// Whether some methods answer only minutes or days later.
    pub asynchronous_settlement: bool,
    /// For how long it remembers an idempotency key, in hours.
    pub idempotency_hours: u32,
    /// How far a signed time may be from ours, either way, in seconds.
    pub signature_tolerance_seconds: i64,
    /// The kinds of method, in our words.
    pub methods: &'static [&'static str],
}
