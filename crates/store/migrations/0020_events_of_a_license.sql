-- What happened to one license, without reading what happened to its order's others.
create index events_license on events (shop_id, license_id, id) where license_id is not null;
