-- Money that came twice and could not be sent back: few rows of many, and a person must see them.
create index refunds_surplus on refunds (shop_id, reason, order_id)
    where reason = 'surprise_capture' and state in ('canceled', 'failed');

-- Mails that were to carry keys and left when none of them worked.
alter table deliveries add column without_keys bigint not null default 0 check (without_keys in (0, 1));

-- When a dispute stood as it stands, by the gateway's clock; null: when it was first heard of.
alter table disputes add column told_at bigint;

-- What the gateway is asked for the page of a payment, until the page is known.
alter table payments add column opening {text};

-- How many links somebody was sent lately.
create index login_links_holder on login_links (shop_id, holder, created_at);
