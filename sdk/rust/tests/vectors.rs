//! The shared vectors are what the Rust library makes of the rules today.

#![allow(clippy::unwrap_used)]

#[path = "../examples/vectors.rs"]
mod vectors;

#[test]
fn the_shared_vectors_are_the_rules_of_today() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors.json");
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let made = vectors::document();
    for (name, value) in made.as_object().unwrap() {
        assert_eq!(kept[name], *value, "write them again: cargo run -p latchkey-client --example vectors");
    }
    assert_eq!(kept, made);
}
