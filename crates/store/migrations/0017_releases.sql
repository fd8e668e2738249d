-- Versions of products. Who has taken a number has it for ever, also when the version was withdrawn.
create table releases (
    shop_id {text} not null references shops (id),
    id {text} not null,
    version bigint not null,
    product_id {text} not null,
    number {text} not null,
    notes {text} not null,
    published_at bigint not null,
    withdrawn_at bigint,
    created_at bigint not null,
    primary key (shop_id, id),
    foreign key (shop_id, product_id) references products (shop_id, id)
);
create unique index releases_number on releases (shop_id, product_id, number);
create index releases_newest on releases (shop_id, product_id, published_at, id);

-- Their files. The content lies outside of the database and is found by its SHA-256, in hexadecimal digits; a row is
-- never changed.
create table release_files (
    shop_id {text} not null,
    id {text} not null,
    release_id {text} not null,
    name {text} not null,
    platform {text},
    size bigint not null check (size >= 0),
    digest {text} not null check (length(digest) = 64),
    created_at bigint not null,
    primary key (shop_id, id),
    foreign key (shop_id, release_id) references releases (shop_id, id)
);
create unique index release_files_name on release_files (shop_id, release_id, name);
