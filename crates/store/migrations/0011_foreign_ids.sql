-- Ids that another system gave to a license or to a device of it: its apps go on asking by them.
create table foreign_ids (
    shop_id {text} not null,
    system {text} not null,
    foreign_id {text} not null,
    license_id {text} not null,
    activation_id {text},
    primary key (shop_id, system, foreign_id)
);
create index foreign_ids_license on foreign_ids (shop_id, license_id);
