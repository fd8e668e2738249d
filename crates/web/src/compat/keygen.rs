//! Keygen's API for apps (<https://keygen.sh/docs/api/>): JSON:API, every answer signed as theirs are.
//!
//! A machine there is an activation here, an entitlement is a feature, a
//! component is a component. Ids are UUIDs: those that Keygen gave, for what was
//! taken over from there, and ours written as UUIDs for everything else. What
//! Keygen has and we have not (cores, processes, users) is answered as under a
//! policy without it. The host decides the shop; the account in the address is
//! only told again.

mod call;
mod check_out;
mod document;
mod fault;
mod judge;
mod license;
mod machine;
mod signature;

pub(crate) use check_out::{license_file, machine_file, raw_license_file, raw_machine_file};
pub(crate) use fault::no_endpoint;
pub(crate) use license::{
    check_in, decrement, entitlements, increment, machines, me, none_of_license, quick, reset, show, validate,
    validate_key,
};
pub(crate) use machine::{
    activate, components, deactivate, list as list_machines, none_of_machine, ping, reset as reset_heartbeat,
    show as show_machine, update as update_machine,
};
pub(crate) use signature::{sign, word};

/// The media type of JSON:API.
const JSON_API: &str = "application/vnd.api+json";
