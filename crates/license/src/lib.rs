//! latchkey-license
