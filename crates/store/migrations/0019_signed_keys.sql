-- Texts of keys that are signed, as their buyers have them. Sealed: a text opens its license. One for each license whose
-- key is signed; a new key takes its place.
create table signed_keys (
    shop_id {text} not null,
    license_id {text} not null,
    -- The signing key that signed it.
    kid {text} not null,
    text_sealed {bytes} not null,
    signed_at bigint not null,
    primary key (shop_id, license_id)
);
-- What has to be signed again when a signing key is revoked.
create index signed_keys_kid on signed_keys (kid, license_id);
