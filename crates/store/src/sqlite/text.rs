//! `$1` as SQLite must see it: `?1`. SQLite takes `$1` for a name and numbers names by order of appearance.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The texts of one connection, rewritten once each. A text is known by where it stands in the program,
/// which for a `&'static str` is as good as its letters and takes no reading.
#[derive(Default)]
pub(super) struct Texts(HashMap<(usize, usize), Box<str>, BuildHasherDefault<AddressHasher>>);

impl Texts {
    pub(super) fn numbered(&mut self, sql: &'static str) -> &str {
        self.0.entry((sql.as_ptr() as usize, sql.len())).or_insert_with(|| number(sql).into_boxed_str())
    }
}

/// Addresses are spread well enough by one multiplication.
#[derive(Default)]
pub(super) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }
    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    }
}

/// Outside of quotes, a dollar before a digit becomes a question mark.
fn number(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len());
    let mut quote = None;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None | Some(_), _) => {}
        }
        let is_placeholder = quote.is_none() && letter == '$' && letters.peek().is_some_and(char::is_ascii_digit);
        numbered.push(if is_placeholder { '?' } else { letter });
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_and_quoted_text_is_left_alone() {
        for (sql, numbered) in [
            ("select $1, $12", "select ?1, ?12"),
            ("select '$1', $2", "select '$1', ?2"),
            ("select 'it''s $1', $2", "select 'it''s $1', ?2"),
            ("select \"$1\", $", "select \"$1\", $"),
        ] {
            assert_eq!(number(sql), numbered);
            assert_eq!(Texts::default().numbered(sql), numbered);
        }
    }
}
