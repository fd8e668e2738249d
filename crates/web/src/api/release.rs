//! Files of releases, for an app that knows a key: what there is, and where it is fetched.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{
    AttemptKind, ContentDigest, License, LicenseId, Published, ReleaseFile, ReleaseFileId, ReleaseId, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::license::Asker;
use super::{Json, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DownloadsInput {
    key: String,
}

#[derive(Serialize)]
struct DownloadsView<'a> {
    license: LicenseId,
    links_end_at: Timestamp,
    releases: Vec<ReleaseView<'a>>,
}

#[derive(Serialize)]
struct ReleaseView<'a> {
    id: ReleaseId,
    version: &'a str,
    notes: &'a str,
    published_at: Timestamp,
    files: Vec<FileView<'a>>,
}

#[derive(Serialize)]
struct FileView<'a> {
    id: ReleaseFileId,
    name: &'a str,
    platform: Option<&'a str>,
    size: u64,
    sha256: ContentDigest,
    url: String,
}

/// The versions that the license covers, the newest first, with links that end.
pub(crate) async fn list(State(web): State<Web>, asker: Asker, sent: Json) -> Result<Response, Problem> {
    let input: DownloadsInput = sent.read()?;
    let key = asker.key(&web, AttemptKind::Validate, &input.key, None).await?;
    let found = web.app.releases_of_key(asker.shop.id, &key).await;
    let (license, releases) = found.map_err(|error| asker.refused(&web, error))?;
    let links_end_at = web.app.download_ends_at();
    let releases = releases.iter().map(|published| release(&web, &license, published, links_end_at)).collect();
    Ok(answer(StatusCode::OK, &DownloadsView { license: license.id, links_end_at, releases }))
}

fn release<'a>(web: &Web, license: &License, published: &'a Published, links_end_at: Timestamp) -> ReleaseView<'a> {
    let Published { release, files } = published;
    let file = |file: &'a ReleaseFile| FileView {
        id: file.id,
        name: file.name.as_str(),
        platform: file.platform.as_deref(),
        size: file.size,
        sha256: file.digest,
        url: format!("{}{}", web.app.settings.public_url, web.app.download_path(license, file.id, links_end_at)),
    };
    ReleaseView {
        id: release.id,
        version: &release.number,
        notes: &release.notes,
        published_at: release.published_at,
        files: files.iter().map(file).collect(),
    }
}
