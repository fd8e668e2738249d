-- Where our answers to apps of another system differ from those of the old one, which still answers. Rows are counted
-- up, and cleared by the seller; nothing refers to them.
create table shadow_differences (
    shop_id {text} not null,
    system {text} not null,
    -- Method and path, without ids.
    call {text} not null,
    -- The place in the answer, as a JSON pointer, or "status".
    pointer {text} not null,
    kind {text} not null check (kind in ('missing_here', 'only_here', 'other_value', 'other_type')),
    -- What was said last, as JSON; null: it may be a secret.
    ours {text},
    theirs {text},
    times bigint not null check (times > 0),
    first_at bigint not null,
    last_at bigint not null,
    primary key (shop_id, system, call, pointer, kind)
);

-- How many answers were compared, and how that ended.
create table shadow_counts (
    shop_id {text} not null,
    system {text} not null,
    outcome {text} not null check (outcome in ('equal', 'different', 'unanswered')),
    times bigint not null check (times > 0),
    first_at bigint not null,
    last_at bigint not null,
    primary key (shop_id, system, outcome)
);
