-- What buyers of a plan are asked at the till, as JSON; null: nothing.
alter table plans add column questions {text};
