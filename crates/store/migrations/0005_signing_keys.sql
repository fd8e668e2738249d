-- From when a key signs. It is published from the moment it is there, so that it is known before it is used.
alter table signing_keys add column signs_from bigint not null default 0;
update signing_keys set signs_from = created_at;
