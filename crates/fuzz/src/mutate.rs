//! One input made of others: bits, bytes, words, numbers at their limits, pieces moved, doubled and left out.

use domain::Rng;

/// The longest input; what the outside may send is capped at the door.
const LONGEST: usize = 16_384;

/// Numbers where something may turn over.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "127",
    "128",
    "255",
    "256",
    "32768",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "0.1",
    "1e-7",
    "00",
    "NaN",
    "99999999999999999999999999999999999999",
];

/// Text that is more, or less, than it looks.
const TEXTS: &[&str] = &[
    "\u{0}",
    "\r\n",
    "\u{feff}",
    "\u{202e}",
    "\u{200b}",
    "\u{ff10}",
    "\u{130}",
    "\u{df}",
    "e\u{301}",
    "\u{1f600}",
    "\u{fdfa}",
    "%00",
    "%2e%2e/",
    "\\u0000",
    "\\ud800",
    "\"",
    "\\",
    "'",
    "<script>",
    "{{",
    "..",
    "//",
    "null",
    "true",
    "[]",
    "{}",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":",
    "=",
    "&",
    ";",
    ",",
    ":",
    "-",
    "_",
    "@",
    "+",
    "\t",
];

/// A new input.
pub(crate) fn mutate(pool: &[Vec<u8>], words: &[&str], rng: &mut Rng) -> Vec<u8> {
    let mut input = pick(pool, rng).clone();
    let most = 1 << rng.below(4);
    for _ in 0..=rng.below(most) {
        step(&mut input, pool, words, rng);
    }
    input.truncate(LONGEST);
    input
}

fn step(input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str], rng: &mut Rng) {
    let at = place(input.len() + 1, rng);
    match rng.below(12) {
        0 => flip(input, rng),
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = pick(&[0, 1, 9, 10, 13, 32, 34, 39, 47, 58, 92, 127, 128, 255], rng).to_owned();
            }
        }
        2 => drop(input.drain(range(input.len(), rng))),
        3 => {
            let piece = input[range(input.len(), rng)].to_vec();
            put(input, at, &piece);
        }
        4 => {
            let other = pick(pool, rng);
            let piece = other[range(other.len(), rng)].to_vec();
            put(input, at, &piece);
        }
        5 => {
            let other = pick(pool, rng);
            let from = place(other.len() + 1, rng);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        6 | 7 if !words.is_empty() => put(input, at, pick(words, rng).as_bytes()),
        8 => number(input, rng),
        9 => put(input, at, pick(TEXTS, rng).as_bytes()),
        10 => {
            let piece = input[range(input.len(), rng)].to_vec();
            let times = 1 << rng.below(10);
            for _ in 0..times {
                if input.len() + piece.len() > LONGEST {
                    break;
                }
                put(input, at, &piece);
            }
        }
        _ => put(input, at, &rng.bytes::<1>()),
    }
}

fn flip(input: &mut [u8], rng: &mut Rng) {
    let at = place(input.len(), rng);
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << rng.below(8);
    }
}

/// Puts another number where one stands.
fn number(input: &mut Vec<u8>, rng: &mut Rng) {
    let starts: Vec<usize> = (0..input.len())
        .filter(|&at| input[at].is_ascii_digit() && (at == 0 || !input[at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = *pick(&starts, rng);
    let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    input.splice(start..start + length, pick(NUMBERS, rng).bytes());
}

fn put(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let at = at.min(input.len());
    input.splice(at..at, piece.iter().copied());
}

fn pick<'a, T>(from: &'a [T], rng: &mut Rng) -> &'a T {
    &from[place(from.len(), rng)]
}

fn place(below: usize, rng: &mut Rng) -> usize {
    usize::try_from(rng.below(below as u64)).unwrap_or_default()
}

/// Mostly short.
fn range(length: usize, rng: &mut Rng) -> std::ops::Range<usize> {
    let start = place(length + 1, rng);
    let most = (length - start).min(1 << rng.below(9));
    start..start + place(most + 1, rng)
}
