//! Mails that came back: delivery status notifications (RFC 3464, RFC 6522).
//!
//! Pure, and fed by strangers: whatever is not such a notification about a
//! delivery of ours is `None`. The delivery is known by the Message-ID of the
//! mail that came back, which nobody but its receiver has seen.

use domain::DeliveryId;

/// How deep parts may lie in parts: a notification that was forwarded is one level deeper.
const DEEPEST: u8 = 4;

/// What a mail server says about a mail that it took, or that it passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The status as three numbers, such as `5.1.1` (RFC 3463).
    pub status: String,
    /// Whether it has failed for good; otherwise it is only late.
    pub permanent: bool,
}

/// Reads a notification, as received. `None` when the mail is something else,
/// tells of a success, or is about no delivery of ours.
#[must_use]
pub fn parse_bounce(raw_mail: &[u8]) -> Option<Bounce> {
    let text = String::from_utf8_lossy(raw_mail).replace("\r\n", "\n");
    let mail = Part::read(&text);
    let report = find_report(&mail, 0)?;
    let parts = report.parts();
    let status = parts.iter().find(|part| part.is("message/delivery-status"))?;
    let recipient = worst_recipient(status.body)?;

    let returned = parts.iter().filter(|part| {
        part.is("message/rfc822") || part.is("text/rfc822-headers") || part.is("message/global-headers")
    });
    let returned_ids = returned.filter_map(|part| Fields::read(part.body).get("message-id"));
    let envelope = groups(status.body).next().and_then(|message| message.get("original-envelope-id"));
    let answered = ["in-reply-to", "references"].into_iter().filter_map(|name| mail.fields.get(name));
    let delivery = returned_ids.chain(envelope).chain(answered).find_map(|text| delivery_in(&text))?;
    Some(Bounce { delivery, status: recipient.status, permanent: recipient.permanent })
}

struct Recipient {
    status: String,
    permanent: bool,
}

/// Of several receivers, the one for whom it is over. Our mails have one; a forwarder may name more.
fn worst_recipient(status: &str) -> Option<Recipient> {
    let recipients = groups(status).filter_map(|fields| {
        let action = fields.get("action")?.to_ascii_lowercase();
        let status = fields.get("status").and_then(|status| status_code(&status))?;
        match action.as_str() {
            "failed" => Some(Recipient { permanent: status.starts_with('5'), status }),
            "delayed" => Some(Recipient { permanent: false, status }),
            _ => None,
        }
    });
    recipients.max_by_key(|recipient| recipient.permanent)
}

/// `5.1.1` out of `5.1.1 (bad destination mailbox)`.
fn status_code(text: &str) -> Option<String> {
    let code = text.split([' ', '\t', '(']).next()?;
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let known =
        code.split('.').filter(is_number).count() == 3 && code.split('.').count() == 3 && code.starts_with(['4', '5']);
    known.then(|| code.to_owned())
}

/// The delivery whose id is the left half of a Message-ID in the text.
fn delivery_in(text: &str) -> Option<DeliveryId> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .find_map(|word| DeliveryId::parse(word).ok().or_else(|| DeliveryId::parse(&word.to_ascii_lowercase()).ok()))
}

fn find_report<'a>(part: &Part<'a>, depth: u8) -> Option<Part<'a>> {
    if part.is("multipart/report") {
        return Some(part.clone());
    }
    if depth >= DEEPEST || !part.media_type.starts_with("multipart/") {
        return None;
    }
    part.parts().iter().find_map(|inner| find_report(inner, depth + 1))
}

/// The blocks of fields of a delivery status: one about the mail, then one for each receiver.
fn groups(status: &str) -> impl Iterator<Item = Fields> {
    status.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(Fields::read)
}

/// Header fields, unfolded, names in lower case.
#[derive(Clone)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(text: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.trim_start_matches('\n').lines().take_while(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Self(fields)
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// A mail or a part of one.
#[derive(Clone)]
struct Part<'a> {
    fields: Fields,
    media_type: String,
    boundary: Option<String>,
    body: &'a str,
}

impl<'a> Part<'a> {
    fn read(text: &'a str) -> Self {
        // A part may begin with an empty line, and then has no fields.
        let (head, body) =
            if text.starts_with('\n') { ("", text) } else { text.split_once("\n\n").unwrap_or((text, "")) };
        let fields = Fields::read(head);
        let content_type = fields.get("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let boundary = content_type.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
        });
        Self { fields, media_type, boundary: boundary.filter(|boundary| !boundary.is_empty()), body }
    }

    fn is(&self, media_type: &str) -> bool {
        self.media_type == media_type
    }

    fn parts(&self) -> Vec<Part<'a>> {
        let Some(boundary) = &self.boundary else { return Vec::new() };
        let delimiter = format!("--{boundary}");
        let mut parts = Vec::new();
        let mut begins: Option<usize> = None;
        let mut at = 0;
        for line in self.body.split_inclusive('\n') {
            let next = at + line.len();
            let shown = line.trim_end();
            let is_last = shown.strip_prefix(&delimiter) == Some("--");
            if shown == delimiter || is_last {
                parts.extend(begins.and_then(|begin| self.body.get(begin..at)).map(Part::read));
                begins = (!is_last).then_some(next);
            }
            at = next;
        }
        // A notification that was cut off still ends with a part.
        parts.extend(begins.and_then(|begin| self.body.get(begin..)).map(Part::read));
        parts
    }
}
