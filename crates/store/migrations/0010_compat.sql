-- How a shop answers apps of other systems: their host names, and what counts. Null: it answers none of their names.
alter table shops add column compat {text};
