-- Keys that another system issued, and that go on working as they are: each opens one license of ours.
create table foreign_keys (
    shop_id {text} not null,
    license_id {text} not null,
    system {text} not null,
    key_hash {bytes} not null,
    key_sealed {bytes} not null,
    imported_at bigint not null,
    primary key (shop_id, license_id)
);
-- A sandbox may try the same file as the live shop beside it, so a key is unique in its shop alone.
create unique index foreign_keys_key on foreign_keys (shop_id, key_hash);

-- What apps of another system call a plan of ours: the ids that they compare.
create table foreign_plans (
    shop_id {text} not null,
    system {text} not null,
    plan_id {text} not null,
    names {text} not null,
    primary key (shop_id, system, plan_id)
);
