-- What a license needs to know of its time and of its seats besides its policy.

-- When the clock began; null: it waits for the first activation or validation.
alter table licenses add column started_at bigint;
update licenses set started_at = created_at;
-- Until when versions come out that the license covers; null: every version.
alter table licenses add column updates_until bigint;
-- What the policy says of leases, so that seats whose leases are over are counted where they stand.
alter table licenses add column lease_seconds bigint;

-- What the device on a seat is made of; null: nothing was said.
alter table activations add column components {text};

-- What was used in the period that began then. Written as differences only, and not by what else changes a license.
alter table licenses add column uses bigint not null default 0 check (uses >= 0);
alter table licenses add column uses_since bigint;

-- Keys that were replaced. The hash alone is kept: an old key is recognised, and never shown again.
create table retired_keys (
    shop_id {text} not null,
    license_id {text} not null,
    key_hash {bytes} not null,
    key_tail {text} not null,
    retired_at bigint not null,
    primary key (shop_id, license_id, key_hash)
);
create unique index retired_keys_key on retired_keys (key_hash);
