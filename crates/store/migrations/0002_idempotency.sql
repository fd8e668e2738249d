-- What was answered to a call that may be repeated, found by a digest of who called what under which key.

create table idempotency_keys (
    shop_id {text} not null references shops (id),
    id {bytes} not null,
    request_digest {bytes} not null,
    holder {bytes} not null,
    held_until bigint not null,
    status bigint,
    body {text},
    created_at bigint not null,
    primary key (shop_id, id),
    check ((status is null) = (body is null))
);
create index idempotency_keys_created on idempotency_keys (shop_id, created_at);
