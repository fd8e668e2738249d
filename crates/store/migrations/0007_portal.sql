-- What owners do by themselves with their licenses, and licenses that nobody paid for.

-- When the owner freed seats and took new keys, as far as that is bounded; null: never.
alter table licenses add column own_acts {text};
-- What the owner calls the device, whatever its app says; null: as the app does.
alter table activations add column label {text};
-- The name for people in small letters, for support to find it by its beginning.
alter table activations add column search_name {text};
update activations set search_name = lower(name) where name is not null;
create index activations_name on activations (shop_id, search_name, id) where search_name is not null;
-- A key of another system that was replaced opens nothing, and is known all the same.
alter table foreign_keys add column retired_at bigint;

-- Licenses that are offered to another person.
create table transfers (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    license_id {text} not null,
    from_customer_id {text} not null,
    recipient {text} not null,
    frees_seats bigint not null check (frees_seats in (0, 1)),
    state {text} not null check (state in ('offered', 'accepted', 'withdrawn')),
    created_at bigint not null,
    expires_at bigint not null,
    settled_at bigint,
    primary key (shop_id, id)
);
create index transfers_license on transfers (shop_id, license_id, id);

-- Licenses that were issued together without a payment.
create table batches (
    shop_id {text} not null,
    id {text} not null,
    version bigint not null,
    plan_id {text} not null,
    reason {text} not null,
    actor {text} not null,
    licenses bigint not null check (licenses > 0),
    created_at bigint not null,
    primary key (shop_id, id)
);
alter table licenses add column batch_id {text};
create index licenses_batch on licenses (shop_id, batch_id, id) where batch_id is not null;
