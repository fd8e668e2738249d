-- The first schema. One text for both engines; two words differ and are put in by the runner:
--   {text}   text, compared byte by byte: text collate "C" on PostgreSQL, text on SQLite
--   {bytes}  bytea on PostgreSQL, blob on SQLite
-- Times are microseconds since the epoch, money is minor units beside its currency, flags are 0 or 1, and what only
-- Rust looks into is JSON in a text. A row belongs to a shop, and its keys and indexes begin with the shop, save where
-- the one who asks does not know the shop yet: a worker, or whoever holds a secret.

create table shops (
    id {text} not null,
    version bigint not null,
    name {text} not null,
    mode {text} not null check (mode in ('live', 'sandbox')),
    host {text},
    seller {text} not null,
    default_locale {text} not null,
    default_currency {text} not null,
    default_country {text} not null,
    terms {text} not null,
    terms_version {text} not null,
    refund_policy {text} not null,
    created_at bigint not null,
    primary key (id)
);
create unique index shops_host on shops (host) where host is not null;

create table products (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    slug {text} not null,
    name {text} not null,
    tagline {text} not null,
    description {text} not null,
    setup_guides {text} not null,
    fulfilment {text} not null,
    is_active bigint not null check (is_active in (0, 1)),
    created_at bigint not null,
    primary key (shop_id, id)
);
create unique index products_slug on products (shop_id, slug);

create table plans (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    product_id {text} not null,
    slug {text} not null,
    name {text} not null,
    highlights {text} not null,
    prices {text} not null,
    policy {text} not null,
    max_quantity bigint not null check (max_quantity > 0),
    position bigint not null,
    is_active bigint not null check (is_active in (0, 1)),
    created_at bigint not null,
    primary key (shop_id, id),
    foreign key (shop_id, product_id) references products (shop_id, id)
);
create unique index plans_slug on plans (shop_id, slug);
create index plans_product on plans (shop_id, product_id, position, id);

create table gateway_accounts (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    adapter {text} not null,
    mode {text} not null check (mode in ('live', 'sandbox')),
    credentials_sealed {bytes} not null,
    is_active bigint not null check (is_active in (0, 1)),
    events_read_to bigint not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
-- A webhook names the account in its address and nothing else.
create unique index gateway_accounts_id on gateway_accounts (id);

create table users (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    email {text},
    email_key {text},
    name {text} not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
create unique index users_email on users (shop_id, email_key) where email_key is not null;

create table login_links (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    holder {text} not null,
    expires_at bigint not null,
    used_at bigint,
    failures bigint not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
create index login_links_expiry on login_links (expires_at);

create table sessions (
    shop_id {text} not null references shops (id),
    id {text} not null,
    token_hash {bytes} not null,
    holder {text} not null,
    expires_at bigint not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
-- A cookie is a secret and nothing else.
create unique index sessions_token on sessions (token_hash);
create index sessions_expiry on sessions (expires_at);

create table api_keys (
    shop_id {text} not null references shops (id),
    id {text} not null,
    token_hash {bytes} not null,
    name {text} not null,
    mode {text} not null check (mode in ('live', 'sandbox')),
    scope {text} not null,
    created_at bigint not null,
    revoked_at bigint,
    primary key (shop_id, id)
);
-- A call brings the key and nothing else.
create unique index api_keys_token on api_keys (token_hash);

create table customers (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    email {text} not null,
    email_key {text} not null,
    name {text},
    country {text} not null,
    locale {text} not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
create unique index customers_email on customers (shop_id, email_key);

create table checkouts (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    order_id {text} not null,
    state {text} not null check (state in ('open', 'submitted', 'completed', 'expired', 'abandoned')),
    success_url {text},
    cancel_url {text},
    expires_at bigint not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
create unique index checkouts_order on checkouts (shop_id, order_id);
create index checkouts_expiry on checkouts (expires_at) where state <> 'completed' and state <> 'expired';

create table orders (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    number {text} not null,
    checkout_id {text} not null,
    customer_id {text},
    email {text},
    country {text} not null,
    locale {text} not null,
    lines {text} not null,
    -- How many licenses the lines make, so that the laws can be checked over all rows at once.
    units bigint not null check (units > 0),
    currency {text} not null,
    total_minor bigint not null check (total_minor >= 0),
    refunded_minor bigint not null check (refunded_minor >= 0),
    state {text} not null
        check (state in ('pending', 'paid', 'partially_refunded', 'refunded', 'disputed', 'lost', 'expired')),
    seller {text} not null,
    consent {text} not null,
    metadata {text} not null,
    created_at bigint not null,
    paid_at bigint,
    primary key (shop_id, id)
);
create unique index orders_number on orders (shop_id, number);
create index orders_customer on orders (shop_id, customer_id, id) where customer_id is not null;
-- The paid ones are the many: a list of them reads the primary key, and a sale need not write here.
create index orders_state on orders (shop_id, state, id) where state <> 'paid';

create table payments (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    order_id {text} not null,
    gateway_account_id {text} not null,
    currency {text} not null,
    amount_minor bigint not null check (amount_minor >= 0),
    mode {text} not null check (mode in ('live', 'sandbox')),
    state {text} not null check (state in
        ('created', 'sent', 'requires_action', 'processing', 'unknown', 'canceled', 'failed', 'succeeded')),
    page_reference {text},
    page_url {text},
    reference {text},
    method {text},
    decline {text},
    check_at bigint,
    checks bigint not null,
    created_at bigint not null,
    primary key (shop_id, id)
);
create index payments_order on payments (shop_id, order_id, id);
-- One thing at a gateway is one payment here: what was captured once cannot pay for two orders.
create unique index payments_reference on payments (shop_id, reference, gateway_account_id) where reference is not null;
create unique index payments_page_reference on payments (shop_id, page_reference, gateway_account_id)
    where page_reference is not null;
create index payments_check on payments (check_at) where check_at is not null;

create table refunds (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    payment_id {text} not null,
    order_id {text} not null,
    currency {text} not null,
    amount_minor bigint not null check (amount_minor > 0),
    reason {text} not null check (reason in
        ('requested_by_customer', 'duplicate', 'fraudulent', 'surprise_capture', 'made_at_gateway')),
    revokes bigint check (revokes in (0, 1)),
    state {text} not null check (state in ('created', 'pending', 'succeeded', 'canceled', 'failed')),
    reference {text},
    requested_by {text} not null,
    failure {text},
    created_at bigint not null,
    primary key (shop_id, id)
);
create index refunds_order on refunds (shop_id, order_id, id);
create unique index refunds_reference on refunds (shop_id, reference, payment_id) where reference is not null;

create table disputes (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    payment_id {text} not null,
    order_id {text} not null,
    reference {text} not null,
    currency {text} not null,
    amount_minor bigint not null check (amount_minor >= 0),
    reason {text} not null,
    state {text} not null
        check (state in ('warning', 'closed', 'opened', 'evidence_sent', 'won', 'accepted', 'lost')),
    evidence_due_at bigint,
    created_at bigint not null,
    primary key (shop_id, id)
);
create index disputes_order on disputes (shop_id, order_id, id);
create unique index disputes_reference on disputes (shop_id, reference, payment_id);

create table licenses (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    order_id {text} not null,
    line bigint not null check (line >= 0),
    unit bigint not null check (unit >= 0),
    product_id {text} not null,
    plan_id {text} not null,
    customer_id {text},
    key_hash {bytes} not null,
    key_sealed {bytes} not null,
    key_tail {text} not null,
    policy {text} not null,
    -- What the policy says of seats, so that the laws can be checked over all rows at once.
    seats bigint check (seats >= 0),
    seats_used bigint not null check (seats_used >= 0),
    state {text} not null check (state in ('active', 'suspended_by_dispute', 'suspended_by_person',
        'revoked_by_refund', 'revoked_by_dispute', 'revoked_by_person')),
    expires_at bigint,
    created_at bigint not null,
    primary key (shop_id, id)
);
-- The last of the three locks on "one unit, one license".
create unique index licenses_unit on licenses (shop_id, order_id, line, unit);
create unique index licenses_key on licenses (key_hash);
create index licenses_customer on licenses (shop_id, customer_id, id) where customer_id is not null;
create index licenses_tail on licenses (shop_id, key_tail, id);
create index licenses_state on licenses (shop_id, state, id) where state <> 'active';

create table activations (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    license_id {text} not null,
    fingerprint {text} not null,
    name {text},
    metadata {text} not null,
    state {text} not null check (state in ('active', 'released')),
    created_at bigint not null,
    last_seen_at bigint not null,
    primary key (shop_id, id)
);
create unique index activations_seat on activations (shop_id, license_id, fingerprint) where state = 'active';
create index activations_license on activations (shop_id, license_id, id);
create index activations_fingerprint on activations (shop_id, fingerprint, id);

create table deliveries (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    mail {text} not null,
    subject {text} not null,
    recipient {text} not null,
    locale {text} not null,
    order_id {text},
    customer_id {text},
    state {text} not null check (state in ('queued', 'sent', 'refused', 'bounced')),
    attempts bigint not null,
    last_error {text},
    created_at bigint not null,
    sent_at bigint,
    primary key (shop_id, id)
);
create index deliveries_order on deliveries (shop_id, order_id, id) where order_id is not null;
create index deliveries_customer on deliveries (shop_id, customer_id, id) where customer_id is not null;
-- The sent ones are the many: a list of them reads the primary key.
create index deliveries_state on deliveries (shop_id, state, id) where state <> 'sent';

create table notices (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    gateway_account_id {text} not null,
    event_id {text} not null,
    kind {text} not null,
    body {bytes} not null,
    state {text} not null check (state in ('received', 'applied', 'ignored', 'parked')),
    reason {text},
    detail {text},
    order_id {text},
    received_at bigint not null,
    settled_at bigint,
    -- Who claims a notice moves this to the end of the lease; nobody else sees it until then.
    claim_at bigint not null,
    primary key (shop_id, id)
);
create unique index notices_event on notices (shop_id, gateway_account_id, event_id);
create index notices_order on notices (shop_id, order_id, id) where order_id is not null;
create index notices_state on notices (shop_id, state, id) where state <> 'applied';
create index notices_claim on notices (claim_at) where state = 'received';

create table events (
    shop_id {text} not null,
    id {text} not null,
    kind {text} not null,
    actor {text} not null,
    order_id {text},
    license_id {text},
    customer_id {text},
    data {text} not null,
    at bigint not null,
    -- Among the events of one commit, which share their moment.
    place bigint not null,
    primary key (shop_id, id)
);
create index events_order on events (shop_id, order_id, at, place) where order_id is not null;

create table postings (
    shop_id {text} not null,
    -- One cause moves money once.
    cause {text} not null,
    order_id {text} not null,
    debit {text} not null,
    credit {text} not null,
    currency {text} not null,
    amount_minor bigint not null check (amount_minor > 0),
    at bigint not null,
    primary key (shop_id, cause)
);
create index postings_order on postings (shop_id, order_id);

-- Only what is still to be done: a job that was done is deleted in the commit that did it.
create table jobs (
    shop_id {text} not null,
    id {text} not null,
    kind {text} not null,
    subject {text} not null,
    -- Who claims a job moves this to the end of the lease; nobody else sees it until then.
    run_at bigint not null,
    attempts bigint not null,
    last_error {text},
    created_at bigint not null,
    primary key (shop_id, id)
);
create index jobs_subject on jobs (shop_id, subject, kind, id);
create index jobs_due on jobs (run_at);

create table signing_keys (
    kid {text} not null,
    public_key {bytes} not null,
    seed_sealed {bytes} not null,
    state {text} not null,
    created_at bigint not null,
    primary key (kid)
);

create table settings (
    key {text} not null,
    value {text} not null,
    primary key (key)
);
