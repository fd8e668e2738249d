-- What apps asked about licenses, what they were told, and which rule decided. Rows are counted up and swept away;
-- nothing refers to them.
create table attempts (
    shop_id {text} not null,
    id {text} not null,
    -- Null: the key opened no license.
    license_id {text},
    kind {text} not null,
    verdict {text} not null,
    rule {text} not null,
    -- The end of a key that opened nothing, and a keyed hash of all of it.
    key_tail {text},
    key_hash {bytes},
    fingerprint {text},
    product {text},
    asked {text},
    app {text},
    times bigint not null check (times > 0),
    first_at bigint not null,
    last_at bigint not null,
    primary key (shop_id, id)
);
create index attempts_license on attempts (shop_id, license_id, id);
create index attempts_refused on attempts (shop_id, license_id, id) where verdict <> 'valid';
create index attempts_verdict on attempts (shop_id, verdict, id);
create index attempts_tail on attempts (shop_id, key_tail, id) where key_tail is not null;
create index attempts_key on attempts (shop_id, key_hash, id) where key_hash is not null;
create index attempts_device on attempts (shop_id, fingerprint, id) where fingerprint is not null;
