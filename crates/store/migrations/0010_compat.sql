-- How a shop answers apps of other systems: their host names, and what counts.
alter table shops add column compat {text} not null default '{}';
