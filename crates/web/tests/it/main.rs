//! The pages, asked as a browser asks: request in, page and cookies out. The
//! database is real, the gateway is the simulated one over loopback, and the
//! steps of the workers are driven by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod absence;
mod buying;
mod compat;
mod console;
mod downloads;
mod keygen;
mod offline;
mod opening;
mod pages;
mod portal;
mod shadow;
mod signed_key;
mod support;
mod without_key;
