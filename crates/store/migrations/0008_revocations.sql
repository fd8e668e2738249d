-- What was taken back though certificates of it may still count: licenses and activations, with the verdict since.
create table revocations (
    shop_id {text} not null,
    subject_id {text} not null,
    code {text} not null,
    revoked_at bigint not null,
    listed_until bigint not null,
    primary key (shop_id, subject_id, code)
);
-- The list is read, and cleared of what is over, by when its entries end.
create index revocations_listed on revocations (shop_id, listed_until);
