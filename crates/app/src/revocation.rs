//! The revocation list, signed. Read and signed once a minute at most, however often it is asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use domain::{Duration, ShopId, Timestamp};
use latchkey_license::{RevocationList, Revoked};

use crate::clock::has_passed;
use crate::signer::url_text;
use crate::{App, Error};

/// How long a list is given again as it was signed.
const KEPT_FOR: Duration = Duration::minutes(1);

/// A revocation list as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRevocations {
    /// The list: a JWT.
    pub text: String,
    /// What tells two lists apart that say different things, or are signed by different keys.
    pub tag: String,
    /// When it was signed.
    pub at: Timestamp,
}

/// The newest list of each shop.
#[derive(Default)]
pub(crate) struct Lists(Mutex<BTreeMap<ShopId, Arc<SignedRevocations>>>);

impl App {
    /// What was taken back in a shop and may be in certificates that still count. At most a minute old.
    ///
    /// # Errors
    /// When the store does not answer: no list is never an empty one.
    pub async fn revocations(&self, shop: ShopId) -> Result<Arc<SignedRevocations>, Error> {
        let now = self.clock.now();
        let kept = self.revocations.0.lock().unwrap_or_else(PoisonError::into_inner).get(&shop).cloned();
        if let Some(kept) = kept.filter(|kept| !has_passed(KEPT_FOR, kept.at, now)) {
            return Ok(kept);
        }
        let entries = self.store.revocations(shop, now).await?;
        let revoked: Vec<Revoked> = entries
            .into_iter()
            .map(|entry| Revoked { id: entry.subject, code: entry.code, at: entry.at.as_seconds() })
            .collect();
        let signer = self.signer();
        let mut said = digest::Context::new(&digest::SHA256);
        said.update(signer.kid(now).as_bytes());
        for entry in &revoked {
            said.update(format!("\n{} {} {}", entry.id, entry.code, entry.at).as_bytes());
        }
        let tag = url_text(&said.finish().as_ref()[..16]);
        let list = RevocationList { iss: self.settings.public_url.clone(), iat: now.as_seconds(), revoked };
        let signed = Arc::new(SignedRevocations { text: signer.revocations(&list, now), tag, at: now });
        let mut lists = self.revocations.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(shop, Arc::clone(&signed));
        Ok(signed)
    }
}
