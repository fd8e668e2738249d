-- What a license needs to know of its time and of its seats besides its policy.

-- When the clock began; null: it waits for the first activation or validation.
alter table licenses add column started_at bigint;
update licenses set started_at = created_at;
-- Until when versions come out that the license covers; null: every version.
alter table licenses add column updates_until bigint;
-- What the policy says of leases, so that seats whose leases are over are counted where they stand.
alter table licenses add column lease_seconds bigint;

-- What was used in the period that began then. Written as differences only, and not by what else changes a license.
alter table licenses add column uses bigint not null default 0 check (uses >= 0);
alter table licenses add column uses_since bigint;
