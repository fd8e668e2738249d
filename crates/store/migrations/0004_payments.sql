-- Money that came twice and could not be sent back: few rows of many, and a person must see them.
create index refunds_surplus on refunds (shop_id, order_id)
    where reason = 'surprise_capture' and state in ('canceled', 'failed');
