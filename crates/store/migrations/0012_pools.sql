-- Where what the buyer of a plan gets comes from, as JSON; null: a key that is made here. The word in products is kept
-- for programs of the release before, and read by nobody.
alter table plans add column fulfilment {text};
-- How many units of an order have a claim, so that the laws can be checked over all rows at once.
alter table orders add column claims bigint not null default 0 check (claims >= 0);

create table pools (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    slug {text} not null,
    name {text} not null,
    when_out {text} not null check (when_out in ('back_order', 'stop')),
    low_at bigint not null check (low_at >= 0),
    alerted_at bigint,
    -- Since when nothing is handed out, after a restore.
    held_at bigint,
    created_at bigint not null,
    primary key (shop_id, id)
);
create unique index pools_slug on pools (shop_id, slug);

-- A code is in a shop once, whatever stock it is in. A row is never deleted: a code that was taken is known for ever.
create table pool_codes (
    shop_id {text} not null,
    code_hash {bytes} not null,
    code_sealed {bytes} not null,
    pool_id {text} not null,
    state {text} not null check (state in ('free', 'taken', 'withdrawn')),
    -- Who keeps it while paying, and until when; 0: nobody.
    reserved_by {text},
    reserved_until bigint not null,
    added_at bigint not null,
    -- Which unit it was handed out to.
    order_id {text},
    line bigint,
    unit bigint,
    taken_at bigint,
    primary key (shop_id, code_hash),
    check ((state = 'taken') = (order_id is not null))
);
create index pool_codes_stock on pool_codes (shop_id, pool_id, state, reserved_until, added_at, code_hash);
create index pool_codes_reserved on pool_codes (shop_id, reserved_by) where reserved_by is not null;
-- A unit gets one code.
create unique index pool_codes_unit on pool_codes (shop_id, order_id, line, unit) where order_id is not null;

create table claims (
    shop_id {text} not null,
    order_id {text} not null,
    line bigint not null check (line >= 0),
    unit bigint not null check (unit >= 0),
    license_id {text} not null,
    fulfilment {text} not null,
    pool_id {text},
    state {text} not null check (state in ('waiting', 'fulfilled')),
    content_hash {bytes},
    content_sealed {bytes},
    created_at bigint not null,
    fulfilled_at bigint,
    primary key (shop_id, license_id),
    check ((state = 'fulfilled') = (content_hash is not null and content_sealed is not null and fulfilled_at is not null))
);
-- A unit has one claim.
create unique index claims_unit on claims (shop_id, order_id, line, unit);
-- What was handed out once is handed out to nobody else.
create unique index claims_content on claims (shop_id, content_hash) where content_hash is not null;
-- Who waits, the longest first.
create index claims_waiting on claims (shop_id, pool_id, created_at, order_id, line, unit) where state = 'waiting';
