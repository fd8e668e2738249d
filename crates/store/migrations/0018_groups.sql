-- Licenses that belong together, and what they may hold together.
create table license_groups (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    name {text} not null,
    -- Null: as many as like.
    max_licenses bigint check (max_licenses >= 0),
    max_seats bigint check (max_seats >= 0),
    created_at bigint not null,
    primary key (shop_id, id)
);
alter table licenses add column group_id {text};
create index licenses_group on licenses (shop_id, group_id, id) where group_id is not null;
