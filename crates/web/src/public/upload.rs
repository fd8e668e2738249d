//! What a form says that may carry a file: `multipart/form-data` (RFC 7578) as browsers send it, or an ordinary form.

use axum::http::{HeaderMap, header};

use crate::public::fields::Fields;

/// The fields of a form. What cannot be read is not there, so that the page can say what is missing.
pub(crate) fn fields(headers: &HeaderMap, body: &[u8]) -> Fields {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = match boundary(kind) {
        Some(boundary) => parts(body, boundary),
        None => serde_urlencoded::from_bytes(body).unwrap_or_default(),
    };
    Fields::of_pairs(fields)
}

fn boundary(kind: &str) -> Option<&str> {
    let (kind, parameters) = kind.split_once(';')?;
    let is_multipart = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    let named = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(named.trim_matches('"')).filter(|boundary| is_multipart && !boundary.is_empty())
}

/// Name and content of each part, as text.
fn parts(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line before it.
    let body = [b"\r\n", body].concat();
    let mut rest = after(&body, delimiter.as_bytes());
    let mut fields = Vec::new();
    while let Some(part) = rest {
        let Some(end) = find(part, delimiter.as_bytes()) else { break };
        let (this, following) = (&part[..end], &part[end + delimiter.len()..]);
        if let Some((name, content)) = read(this) {
            fields.push((name, String::from_utf8_lossy(content).into_owned()));
        }
        rest = Some(following);
    }
    fields
}

/// The name of a part, from its head, and its content.
fn read(part: &[u8]) -> Option<(String, &[u8])> {
    let end = find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..end]);
    let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let named = disposition.split(';').find_map(|parameter| parameter.trim().strip_prefix("name="))?;
    Some((named.trim_matches('"').to_owned(), &part[end + 4..]))
}

fn find(text: &[u8], sought: &[u8]) -> Option<usize> {
    text.windows(sought.len()).position(|window| window == sought)
}

fn after<'a>(text: &'a [u8], sought: &[u8]) -> Option<&'a [u8]> {
    find(text, sought).map(|at| &text[at + sought.len()..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use axum::http::HeaderValue;

    use super::*;

    fn read(kind: &str, body: &str) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        let fields = fields(&headers, body.as_bytes());
        (fields.get("request").to_owned(), fields.get("file").to_owned())
    }

    #[test]
    fn a_form_is_read_with_a_file_and_without_and_when_it_is_broken() {
        let multipart = "multipart/form-data; boundary=----x7";
        let part = |name: &str, more: &str, content: &str| {
            format!("------x7\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{content}\r\n")
        };
        let file = "; filename=\"request.txt\"\r\nContent-Type: text/plain";
        let whole = part("request", "", "") + &part("file", file, "abc\r\n--def") + "------x7--\r\n";
        let cut = part("request", "", "a") + part("file", file, "abc").trim_end();
        #[rustfmt::skip]
        let table = [
            ("application/x-www-form-urlencoded", "request=a%2Eb", ("a.b", "")),
            (multipart, whole.as_str(), ("", "abc\r\n--def")),
            ("Multipart/Form-Data; charset=utf-8; boundary=\"----x7\"", whole.as_str(), ("", "abc\r\n--def")),
            (multipart, cut.as_str(), ("a", "")),
            (multipart, "", ("", "")),
            (multipart, "------x7--\r\n", ("", "")),
            (multipart, "------x7\r\n\r\n\r\n------x7--", ("", "")),
            ("multipart/form-data; boundary=", whole.as_str(), ("", "")),
        ];
        for (kind, body, (request, file)) in table {
            assert_eq!(read(kind, body), (request.to_owned(), file.to_owned()), "{kind}: {body}");
        }
    }
}
