-- Plans that a plan sells together, as JSON; null: itself.
alter table plans add column bundle {text};

-- Programs of the seller's that are asked for what buyers are owed. Their secrets are derived, and stand in no row.
create table endpoints (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    slug {text} not null,
    url {text} not null,
    secrets bigint not null check (secrets > 0),
    created_at bigint not null,
    primary key (shop_id, id)
);
create unique index endpoints_slug on endpoints (shop_id, slug);

-- Whom a claim waits for, where it is no stock: the seller's program, or a person until then.
alter table claims add column endpoint_id {text};
alter table claims add column due_at bigint;
-- What waits for the seller's program, to be asked for again.
create index claims_asked on claims (created_at, shop_id, license_id) where state = 'waiting' and endpoint_id is not null;
-- What waits for people, by when it is due.
create index claims_due on claims (shop_id, due_at, license_id) where state = 'waiting' and due_at is not null;
