//! The pages that buyers see: storefront, till, order, portal.
//!
//! One file a page, its template beside it. Every page is complete without
//! JavaScript. What stands around a page is in [`frame`], who may see an order
//! in [`access`], what is said when something goes wrong in [`failure`].

pub(crate) mod activate;
pub(crate) mod buy;
pub(crate) mod checkout;
pub(crate) mod failure;
pub(crate) mod fields;
pub(crate) mod frame;
pub(crate) mod language;
pub(crate) mod mailbox;
pub(crate) mod order;
pub(crate) mod own_license;
pub(crate) mod portal;
pub(crate) mod product;
pub(crate) mod release;
pub(crate) mod storefront;
pub(crate) mod terms;
pub(crate) mod transfer;
pub(crate) mod words;

mod access;
mod country;
pub(crate) mod download;
mod license;
mod pricing;
mod qr;
mod till;
mod upload;

pub(crate) use failure::not_found;
