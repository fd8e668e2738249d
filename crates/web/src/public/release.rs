//! Files of releases: what a buyer may download, and the download itself.
//!
//! A link is made whenever a page is shown, and ends after a day. The license is looked at again when the link is used,
//! so that what was given back downloads nothing. A file is sent in pieces as they are taken, from where it is asked for.

use std::io;

use app::Versions;
use app::mail::markdown;
use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use data_encoding::BASE64;
use domain::{FileName, License, Published, Refusal, ReleaseFile, Standing, Timestamp};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};
use tokio::sync::mpsc;

use crate::Web;
use crate::admission::Stay;
use crate::problem::Problem;
use crate::public::fields::{Fields, address};
use crate::public::words::Words;
use crate::range::{Wanted, wanted};
use crate::visit::Visit;

/// How much is read at once. Whoever takes less than this within the idle deadline takes nothing.
const CHUNK: usize = 64 << 10;

/// How many pieces are read ahead of whoever takes them.
const AHEAD: usize = 2;

/// In how many seconds to come again for a content that is missing: somebody has to bring it back.
const MISSING_FOR: u32 = 300;

/// In how many seconds to come again when a license has as many downloads under way as it may.
const MANY_FOR: u32 = 10;

static REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// What `downloads.html` shows of one product.
pub(crate) struct DownloadsView {
    /// For the ids of elements.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Why there is nothing to download.
    pub(crate) refused: Option<String>,
    pub(crate) newest: Option<ReleaseView>,
    pub(crate) older: Vec<ReleaseView>,
    pub(crate) older_label: String,
    /// Where all of them are shown, when these are the newest few.
    pub(crate) all: Option<String>,
}

/// One version.
#[derive(Template)]
#[template(path = "public/release.html")]
pub(crate) struct ReleaseView {
    id: String,
    name: String,
    date: String,
    /// Safe HTML; empty where nothing is said.
    notes: String,
    files: Vec<FileView>,
    checksum: String,
}

struct FileView {
    name: String,
    path: String,
    /// What the button says, and what it says to whoever does not see the name beside it.
    verb: String,
    label: String,
    about: String,
    digest: String,
}

/// A license, and what is shown of the product that it is of.
pub(crate) struct Buy<'a> {
    pub(crate) license: &'a License,
    pub(crate) product_name: String,
    /// Whether files are what it was bought for, so that it is said when there are none yet.
    pub(crate) is_download: bool,
}

/// The field of an address that says that all versions are wanted.
const VERSIONS: &str = "versions";

/// How many versions a page is asked for.
pub(crate) fn wanted_versions(fields: &Fields) -> Versions {
    if fields.get(VERSIONS) == "all" { Versions::All } else { Versions::Newest }
}

/// What can be downloaded with these licenses of one shop, a product each in the order of the licenses. `path` is the
/// page that shows it.
pub(crate) async fn downloads(
    web: &Web,
    words: &Words,
    bought: &[Buy<'_>],
    versions: Versions,
    path: &str,
) -> Result<Vec<DownloadsView>, Problem> {
    let Some(shop) = bought.first().map(|first| first.license.shop) else { return Ok(Vec::new()) };
    let now = web.app.clock.now();
    // Of several licenses of a product, the one that covers most.
    let mut best: Vec<&License> = Vec::new();
    let worth = |license: &License| {
        let covered_until = license.covered_until(now);
        (license.standing(now) == Standing::Active, covered_until.is_none(), covered_until)
    };
    for Buy { license, .. } in bought {
        match best.iter_mut().find(|known| known.product == license.product) {
            Some(known) if worth(license) > worth(known) => *known = license,
            Some(_) => {}
            None => best.push(license),
        }
    }
    let mut views = Vec::new();
    for shelf in web.app.shelves(shop, &best, versions).await? {
        let of_product = || bought.iter().filter(|other| other.license.product == shelf.license.product);
        let refused = match &shelf.releases {
            Ok(releases) if !releases.is_empty() => None,
            Ok(_) | Err(_) if !shelf.has_any => {
                if !of_product().any(|other| other.is_download) {
                    continue;
                }
                Some("page-downloads-none")
            }
            Ok(_) => Some("page-downloads-not-covered"),
            Err(Refusal::LicenseNotUsable(standing)) => Some(closed(*standing)),
            Err(refusal) => return Err(refusal.clone().into()),
        };
        let releases = shelf.releases.as_deref().unwrap_or_default();
        let mut shown = releases.iter().map(|published| release_view(web, words, shelf.license, published));
        let newest = shown.next();
        let older: Vec<ReleaseView> = shown.collect();
        let count = i64::try_from(older.len()).unwrap_or(i64::MAX);
        views.push(DownloadsView {
            id: shelf.license.product.to_string(),
            name: of_product().next().map(|other| other.product_name.clone()).unwrap_or_default(),
            refused: refused.map(|id| words.say(id)),
            newest,
            older_label: words.fill("page-downloads-older", &[("count", count.into())]),
            older,
            all: shelf.has_more.then(|| address(path, &[(VERSIONS, "all")])),
        });
    }
    Ok(views)
}

/// Why a license that does not work downloads nothing.
fn closed(standing: Standing) -> &'static str {
    match standing {
        Standing::Suspended => "page-downloads-suspended",
        Standing::Expired => "page-downloads-expired",
        Standing::Active | Standing::Revoked => "page-downloads-revoked",
    }
}

fn release_view(web: &Web, words: &Words, license: &License, published: &Published) -> ReleaseView {
    let Published { release, files } = published;
    let day = words.day(release.published_at);
    let ends_at = web.app.download_ends_at();
    ReleaseView {
        id: release.id.to_string(),
        name: words.fill("page-downloads-version", &[("version", (&release.number).into())]),
        date: words.fill("page-downloads-date", &[("date", (&day).into())]),
        notes: if release.notes.trim().is_empty() { String::new() } else { markdown::to_html(&release.notes) },
        files: files.iter().map(|file| file_view(web, words, license, file, ends_at)).collect(),
        checksum: words.say("page-downloads-checksum"),
    }
}

fn file_view(web: &Web, words: &Words, license: &License, file: &ReleaseFile, ends_at: Timestamp) -> FileView {
    let (id, size) = size(file.size);
    let size = words.fill(id, &[("size", size.into())]);
    FileView {
        name: file.name.to_string(),
        path: web.app.download_path(license, file.id, ends_at),
        verb: words.say("page-downloads-download"),
        label: words.fill("page-downloads-file", &[("name", file.name.as_str().into())]),
        about: match &file.platform {
            Some(platform) => format!("{platform} · {size}"),
            None => size,
        },
        digest: file.digest.to_string(),
    }
}

/// A size for people: two digits at least, and never more than four.
fn size(bytes: u64) -> (&'static str, i64) {
    let (id, unit) = match bytes {
        0..10_000 => ("page-downloads-bytes", 1),
        10_000..10_000_000 => ("page-downloads-kilobytes", 1_000),
        10_000_000..10_000_000_000 => ("page-downloads-megabytes", 1_000_000),
        10_000_000_000.. => ("page-downloads-gigabytes", 1_000_000_000),
    };
    (id, i64::try_from((bytes + unit / 2) / unit).unwrap_or(i64::MAX))
}

/// Sends a file, or the part of it that is asked for.
pub(crate) async fn download(
    State(web): State<Web>,
    Extension(stay): Extension<Stay>,
    visit: Visit,
    Path(token): Path<String>,
    method: Method,
) -> Result<Response, Problem> {
    let opened = web.app.open_download(visit.shop.id, &token).await?;
    let file = opened.file;
    let Some(mut content) = opened.content else {
        let detail = "This file is not where it should be. The seller has to bring it back.";
        return Err(Problem {
            retry_after_seconds: Some(MISSING_FOR),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "release_file_missing", detail)
        });
    };
    let Some(stay) = stay.of(opened.license) else {
        let detail = "Many downloads of this license are under way. Let one of them end, then come again.";
        return Err(Problem {
            retry_after_seconds: Some(MANY_FOR),
            ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_downloads", detail)
        });
    };
    let tag = format!("\"{}\"", file.digest);
    let (status, first, length) = match wanted(&method, &visit.headers, &tag, file.size) {
        Wanted::Whole => (StatusCode::OK, 0, file.size),
        Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Wanted::NotModified => {
            // Of no known length: `Content-Length: 0` would say that the file is empty (RFC 9110 §8.6).
            let nothing = Body::from_stream(futures::stream::empty::<io::Result<Bytes>>());
            let mut response = without_content((StatusCode::NOT_MODIFIED, nothing).into_response(), &tag);
            insert(response.headers_mut(), REPR_DIGEST.clone(), &repr_digest(&file));
            return Ok(response);
        }
        Wanted::Beyond => {
            let detail = "The file has no such part; `Content-Range` says how long it is.";
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail);
            let mut response = without_content(problem.into_response(), &tag);
            insert(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", file.size));
            return Ok(response);
        }
        Wanted::OtherContent => {
            let detail = "The file has another content than `If-Match` names.";
            let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "content_differs", detail);
            return Ok(without_content(problem.into_response(), &tag));
        }
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let seek = content.seek(SeekFrom::Start(first)).await;
        seek.map_err(|error| Problem::unavailable(format!("{}: {error}", file.digest)))?;
        in_pieces(content, length, stay)
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    describe(headers, &file, &tag);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{}", first + length - 1, file.size);
        insert(headers, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

/// What is said of a file, however much of it is sent.
fn describe(headers: &mut HeaderMap, file: &ReleaseFile, tag: &str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    insert(headers, header::ETAG, tag);
    insert(headers, header::CONTENT_DISPOSITION, &disposition(&file.name));
    insert(headers, REPR_DIGEST.clone(), &repr_digest(file));
}

/// An answer about a file that has nothing of it. A digest would be that of the answer itself.
fn without_content(mut response: Response, tag: &str) -> Response {
    let headers = response.headers_mut();
    insert(headers, header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// RFC 9530.
fn repr_digest(file: &ReleaseFile) -> String {
    format!("sha-256=:{}:", BASE64.encode(&file.digest.0))
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// To be saved under its name: as ASCII for old programs (RFC 6266), and as it is (RFC 8187).
fn disposition(name: &FileName) -> String {
    let as_ascii: String =
        name.as_str().chars().map(|letter| if letter.is_ascii() && letter != '%' { letter } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.as_str().bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => encoded.push(char::from(byte)),
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{as_ascii}\"; filename*=UTF-8''{encoded}")
}

/// So many bytes from where the file stands. The place is held as long as pieces are taken: whoever takes none for the
/// idle deadline is given up, and the answer breaks off.
fn in_pieces(content: File, length: u64, stay: Stay) -> Body {
    let (sender, pieces) = mpsc::channel(AHEAD);
    tokio::spawn(app::trace::carried(feed(content, length, sender, stay)));
    let stream = futures::stream::unfold((pieces, length), |(mut pieces, left)| async move {
        match pieces.recv().await {
            Some(Ok(piece)) => {
                let left = left.saturating_sub(u64::try_from(Bytes::len(&piece)).unwrap_or(u64::MAX));
                Some((Ok(piece), (pieces, left)))
            }
            Some(Err(error)) => Some((Err(error), (pieces, 0))),
            // Never as if it were whole.
            None if left > 0 => Some((Err(io::ErrorKind::TimedOut.into()), (pieces, 0))),
            None => None,
        }
    });
    Body::from_stream(stream)
}

async fn feed(content: File, length: u64, sender: mpsc::Sender<io::Result<Bytes>>, stay: Stay) {
    let mut content = content.take(length);
    let mut left = length;
    while left > 0 {
        let mut piece = BytesMut::with_capacity(CHUNK);
        let read = match content.read_buf(&mut piece).await {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => Ok(read),
            Err(error) => Err(error),
        };
        let piece = match read {
            Ok(read) => {
                left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
                Ok(piece.freeze())
            }
            Err(error) => {
                tracing::error!(%error, "a published file could not be read to its end");
                left = 0;
                Err(error)
            }
        };
        match tokio::time::timeout(stay.patience, sender.send(piece)).await {
            Ok(Ok(())) => {}
            // Gone, or taking nothing.
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_saved_under_its_name_by_old_programs_and_new_ones() {
        #[rustfmt::skip]
        let table = [
            ("Lumen 3.dmg",  "attachment; filename=\"Lumen 3.dmg\"; filename*=UTF-8''Lumen%203.dmg"),
            ("Größe.zip",    "attachment; filename=\"Gr__e.zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.zip"),
            ("a%20b'(1).gz", "attachment; filename=\"a_20b'(1).gz\"; filename*=UTF-8''a%2520b%27%281%29.gz"),
            ("نور.apk",      "attachment; filename=\"___.apk\"; filename*=UTF-8''%D9%86%D9%88%D8%B1.apk"),
        ];
        for (name, expected) in table {
            assert_eq!(disposition(&FileName::parse(name).unwrap()), expected);
        }
    }

    #[test]
    fn a_size_is_told_in_two_to_four_digits() {
        #[rustfmt::skip]
        let table = [
            (0,              ("page-downloads-bytes", 0)),
            (9_999,          ("page-downloads-bytes", 9_999)),
            (10_000,         ("page-downloads-kilobytes", 10)),
            (10_500,         ("page-downloads-kilobytes", 11)),
            (9_999_400,      ("page-downloads-kilobytes", 9_999)),
            (84_300_000,     ("page-downloads-megabytes", 84)),
            (12_345_678_901, ("page-downloads-gigabytes", 12)),
        ];
        for (bytes, expected) in table {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }
}
