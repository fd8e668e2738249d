-- What buyers and shops write to each other about an order. Its place is its own: two that are written at the same moment
-- come one after the other. The body is sealed.
create table messages (
    shop_id {text} not null,
    id {text} not null,
    order_id {text} not null,
    place bigint not null check (place >= 0),
    -- 'buyer', or the id of a person of the shop.
    author {text} not null,
    body_sealed {bytes} not null,
    at bigint not null,
    primary key (shop_id, id)
);
create unique index messages_order on messages (shop_id, order_id, place);

-- Since when a buyer waits for an answer; null: nobody does.
alter table orders add column unanswered_since bigint;
create index orders_unanswered on orders (shop_id, unanswered_since, id) where unanswered_since is not null;

-- Whether somebody is at a job, until its time.
alter table jobs add column is_taken bigint not null default 0 check (is_taken in (0, 1));

-- Whether the license of a claim does not work: then nothing is handed out, and the claim stands in no queue.
alter table claims add column is_dormant bigint not null default 0 check (is_dormant in (0, 1));
update claims set is_dormant = 1 where exists (select 1 from licenses where licenses.shop_id = claims.shop_id
    and licenses.id = claims.license_id and licenses.state <> 'active');
drop index claims_waiting;
drop index claims_asked;
drop index claims_due;

-- What waits in a shop: for whom, the longest first, and all of it by the ids of its licenses.
create index claims_waiting on claims (shop_id, pool_id, created_at, order_id, line, unit)
    where state = 'waiting' and is_dormant = 0;
create index claims_asked on claims (created_at, shop_id, license_id)
    where state = 'waiting' and is_dormant = 0 and endpoint_id is not null;
create index claims_due on claims (shop_id, due_at, license_id)
    where state = 'waiting' and is_dormant = 0 and due_at is not null;
create index claims_program on claims (shop_id, created_at, license_id)
    where state = 'waiting' and is_dormant = 0 and endpoint_id is not null;
create index claims_stock on claims (shop_id, created_at, license_id)
    where state = 'waiting' and is_dormant = 0 and pool_id is not null;
create index claims_open on claims (shop_id, license_id) where state = 'waiting' and is_dormant = 0;
