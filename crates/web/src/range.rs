//! Which part of a content is asked for (RFC 9110 §13 and §14). A content here never changes, and its strong entity tag is
//! its digest, so that whoever was cut off goes on where they were.

use axum::http::{HeaderMap, HeaderName, Method, header};

/// What is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// From the first to the last byte, both included.
    Part { first: u64, last: u64 },
    /// A part that it does not have.
    Beyond,
    /// Whoever asks has it.
    NotModified,
    /// Whoever asks wants another content than this.
    OtherContent,
}

/// What a request wants of a content of this length under this entity tag, with its quotes. One range is answered; of
/// several, all of it, as the standard allows.
pub(crate) fn wanted(method: &Method, headers: &HeaderMap, tag: &str, length: u64) -> Wanted {
    let names = |name: HeaderName| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let holds = |list: &str, is_weak: bool| {
        list.split(',').map(str::trim).any(|given| {
            let given = if is_weak { given.strip_prefix("W/").unwrap_or(given) } else { given };
            given == "*" || given == tag
        })
    };
    if headers.contains_key(header::IF_MATCH) && !names(header::IF_MATCH).any(|list| holds(list, false)) {
        return Wanted::OtherContent;
    }
    if names(header::IF_NONE_MATCH).any(|list| holds(list, true)) {
        return Wanted::NotModified;
    }
    // A range is only for GET (RFC 9110 §14.2), and a day is no strong validator here: there is none.
    let is_same = headers.get(header::IF_RANGE).is_none_or(|given| given.as_bytes() == tag.as_bytes());
    let mut ranges = headers.get_all(header::RANGE).iter();
    match (ranges.next().and_then(|range| range.to_str().ok()), ranges.next()) {
        (Some(range), None) if method == Method::GET && is_same => part(range, length).unwrap_or(Wanted::Whole),
        (_, _) => Wanted::Whole,
    }
}

/// `None`: not a range of bytes, or none that can be read, which is as if it were not there.
fn part(range: &str, length: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    match (first, last) {
        ("", last) => {
            let from_the_end = number(last)?;
            Some(match from_the_end {
                0 => Wanted::Beyond,
                _ if length == 0 => Wanted::Beyond,
                from_the_end => Wanted::Part { first: length.saturating_sub(from_the_end), last: length - 1 },
            })
        }
        (first, last) => {
            let first = number(first)?;
            let last = if last.is_empty() { u64::MAX } else { number(last)? };
            match first {
                first if last < first => None,
                first if first >= length => Some(Wanted::Beyond),
                first => Some(Wanted::Part { first, last: last.min(length - 1) }),
            }
        }
    }
}

/// Digits alone; more than can be counted is as far as counting goes.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TAG: &str = "\"a7\"";

    /// Reads `GET | range: bytes=0-1 | if-range: "a7"`.
    fn asked(text: &str, length: u64) -> Wanted {
        let mut parts = text.split('|').map(str::trim);
        let method: Method = parts.next().unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        for part in parts {
            let (name, value) = part.split_once(": ").unwrap();
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        wanted(&method, &headers, TAG, length)
    }

    #[test]
    fn one_range_is_answered_and_what_is_none_is_as_if_it_were_not_there() {
        use Wanted::{Beyond, NotModified, OtherContent, Part, Whole};
        let part = |first, last| Part { first, last };
        #[rustfmt::skip]
        let table = [
            ("GET",                                                     100, Whole),
            ("GET | range: bytes=0-49",                                 100, part(0, 49)),
            ("GET | range: bytes=50-",                                  100, part(50, 99)),
            ("GET | range: bytes=50-99",                                100, part(50, 99)),
            ("GET | range: bytes=50-100",                               100, part(50, 99)),
            ("GET | range: bytes=99-99",                                100, part(99, 99)),
            ("GET | range: bytes=-1",                                   100, part(99, 99)),
            ("GET | range: bytes=-100",                                 100, part(0, 99)),
            ("GET | range: bytes=-500",                                 100, part(0, 99)),
            ("GET | range: Bytes=0-0",                                  100, part(0, 0)),
            ("GET | range: bytes=100-",                                 100, Beyond),
            ("GET | range: bytes=100-200",                              100, Beyond),
            ("GET | range: bytes=-0",                                   100, Beyond),
            ("GET | range: bytes=18446744073709551616-",                100, Beyond),
            ("GET | range: bytes=0-18446744073709551616",               100, part(0, 99)),
            ("GET | range: bytes=0-",                                     0, Beyond),
            ("GET | range: bytes=-5",                                     0, Beyond),
            ("GET",                                                       0, Whole),
            ("GET | range: bytes=9-3",                                  100, Whole),
            ("GET | range: bytes=a-b",                                  100, Whole),
            ("GET | range: bytes=+1-2",                                 100, Whole),
            ("GET | range: bytes=",                                     100, Whole),
            ("GET | range: bytes=-",                                    100, Whole),
            ("GET | range: lines=1-2",                                  100, Whole),
            ("GET | range: 0-1",                                        100, Whole),
            ("GET | range: bytes=0-1,5-6",                              100, Whole),
            ("GET | range: bytes=0-1 | range: bytes=5-6",               100, Whole),
            ("HEAD | range: bytes=0-1",                                 100, Whole),
            ("GET | range: bytes=0-1 | if-range: \"a7\"",               100, part(0, 1)),
            ("GET | range: bytes=0-1 | if-range: \"a8\"",               100, Whole),
            ("GET | range: bytes=0-1 | if-range: W/\"a7\"",             100, Whole),
            ("GET | range: bytes=0-1 | if-range: Tue, 24 Nov 2026 09:00:00 GMT", 100, Whole),
            ("GET | range: bytes=200- | if-range: \"a8\"",              100, Whole),
            ("GET | if-match: \"a7\"",                                  100, Whole),
            ("GET | if-match: \"a8\", \"a7\" | range: bytes=0-1",       100, part(0, 1)),
            ("GET | if-match: *",                                       100, Whole),
            ("GET | if-match: W/\"a7\"",                                100, OtherContent),
            ("GET | if-match: \"a8\" | range: bytes=0-1",               100, OtherContent),
            ("GET | if-none-match: \"a7\"",                             100, NotModified),
            ("HEAD | if-none-match: W/\"a7\"",                          100, NotModified),
            ("GET | if-none-match: \"a8\" | range: bytes=0-1",          100, part(0, 1)),
        ];
        for (request, length, expected) in table {
            assert_eq!(asked(request, length), expected, "{request} of {length}");
        }
    }
}
