//! Versions of products: how they come out, and how whoever holds a license gets their files.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Actor, AttemptKind, ContentDigest, FileName, Fulfilment, LINK_LIFETIME, License, LicenseId, NewFile, NewRelease,
    Plan, Product, ProductId, Published, Publishing, Refusal, ReleaseFile, ReleaseFileId, ShopId, Timestamp,
    downloadable, publish_release, releases_for, withdraw_release,
};
use latchkey_license::KeyCode;
use store::Purpose;
use store::report::{self, Content};

use crate::fulfil::TRIES;
use crate::{App, Error, Files, Received};

/// How many versions an app is told of, the newest first, and a page shows when all of them are asked for.
const MOST_SHOWN: u32 = 100;

/// How many a page shows by itself.
const SHOWN: u32 = 10;

/// A plan that sells the files of a product of which no version is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarePlan {
    /// The plan.
    pub plan: Plan,
    /// Its product.
    pub product: Product,
    /// How many licenses of it were paid and work: whoever has them waits.
    pub held: u64,
}

/// How many versions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// The newest few.
    Newest,
    /// As many as are ever shown.
    All,
}

/// What a license of a product opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf<'a> {
    /// The license.
    pub license: &'a License,
    /// Whether the product has a version that is out.
    pub has_any: bool,
    /// The versions that may be downloaded, the newest first, or why it is none at all.
    pub releases: Result<Vec<Published>, Refusal>,
    /// Whether there are more than the newest few.
    pub has_more: bool,
}

/// A version that is to come out, or to have more files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseInput {
    /// What the seller calls it.
    pub number: String,
    /// What is new in it, in Markdown; `None`: as it was, or nothing.
    pub notes: Option<String>,
    /// When it came out; `None`: as it was, or now.
    pub published_at: Option<Timestamp>,
    /// What the files run on.
    pub platform: Option<String>,
}

/// What a link leads to.
#[derive(Debug)]
pub struct Download {
    /// The license that opened it.
    pub license: LicenseId,
    /// The file.
    pub file: ReleaseFile,
    /// Its content; `None`: it is not where it should be.
    pub content: Option<tokio::fs::File>,
}

/// What the link of a file says, before anybody knows whether we made it.
struct Link<'a> {
    license: LicenseId,
    file: ReleaseFileId,
    /// In seconds since 1970.
    ends_at: i64,
    tag: &'a str,
}

impl<'a> Link<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let link = Self {
            license: LicenseId::parse(parts.next()?).ok()?,
            file: ReleaseFileId::parse(parts.next()?).ok()?,
            ends_at: parts.next()?.parse().ok()?,
            tag: parts.next()?,
        };
        parts.next().is_none().then_some(link)
    }
}

/// What the link of a file is made of. A license that was handed on, or has another key, takes its links with it.
fn subject(license: &License, file: ReleaseFileId, ends_at: i64) -> String {
    let owner = license.customer.map(|customer| customer.to_string()).unwrap_or_default();
    format!("{}.{file}.{ends_at}.{owner}.{}", license.id, license.key_tail)
}

impl App {
    /// Keeps the content of published files in this folder. Once; whoever says another folder later is not heard.
    pub fn keep_files(&self, files: Files) {
        let _ = self.files.set(files);
    }

    /// Where the content of published files is.
    ///
    /// # Errors
    /// When nobody has said where.
    pub fn files(&self) -> Result<&Files, Error> {
        self.files.get().ok_or_else(|| Error::Configuration("no folder is set for the files of releases".to_owned()))
    }

    /// The plans of a shop that sell files of which there are none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn plans_without_files(&self, shop: ShopId) -> Result<Vec<BarePlan>, Error> {
        let mut plans = self.store.plans_of_shop(shop).await?;
        plans.retain(|plan| plan.fulfilment == Fulfilment::Download);
        let wanted: Vec<_> = plans.iter().map(|plan| (plan.product, None)).collect();
        let found = self.store.shelves(shop, just_after(self.clock.now()), &wanted, 1).await?;
        let mut bare = Vec::new();
        for (plan, shelf) in plans.into_iter().zip(found) {
            if shelf.has_any {
                continue;
            }
            let Some(product) = self.store.product(shop, plan.product).await? else { continue };
            let held = report::licenses_held(&self.store, shop, plan.id).await?;
            bare.push(BarePlan { plan, product, held });
        }
        Ok(bare)
    }

    /// What is to be said of the folder where several nodes could serve one shop, each with a folder of its own.
    ///
    /// # Errors
    /// When nobody has said where the folder is.
    pub fn files_of_one_node(&self) -> Result<Option<String>, Error> {
        let files = self.files()?;
        let is_shared = files.is_chosen() || self.store.engine().name() != "postgres";
        Ok((!is_shared).then(|| {
            format!(
                "the files are in {}, a folder of this machine; where several nodes serve the shop each needs the same \
                 one: name a shared folder with --files (LATCHKEY_FILES) on all of them",
                files.folder().display()
            )
        }))
    }

    /// Every content that is to be in the folder, of versions that were not withdrawn, with one of the files that it is
    /// of.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn contents(&self) -> Result<BTreeMap<ContentDigest, Content>, Error> {
        Ok(report::wanted(report::contents(self.store.engine().as_ref()).await?))
    }

    /// Publishes a version with these files, or adds them to the version that is out. The contents are kept first and
    /// told of then, so that nobody is shown a file that is not there. What is there already is left alone.
    ///
    /// # Errors
    /// When a name stands for something else already, the disk does not take a content, or the store does not answer.
    pub async fn publish(
        &self,
        product: &Product,
        input: &ReleaseInput,
        received: &[(FileName, Received)],
        actor: Actor,
    ) -> Result<Publishing, Error> {
        let files = self.files()?;
        let file = |(name, content): &(FileName, Received)| NewFile {
            name: name.clone(),
            platform: input.platform.clone(),
            size: content.size,
            digest: content.digest,
        };
        let wanted = NewRelease {
            shop: product.shop,
            product: product.id,
            number: input.number.clone(),
            notes: input.notes.clone(),
            published_at: input.published_at,
            files: received.iter().map(file).collect(),
        };
        let mut is_kept = false;
        for _ in 0..TRIES {
            let known = self.store.release_by_number(product.shop, product.id, &input.number).await?;
            let now = self.clock.now();
            let publishing = publish_release(known.as_ref(), &wanted, actor, now, &mut self.entropy.rng())
                .map_err(|error| Error::Configuration(format!("{} {}: {error}", product.slug, input.number)))?;
            if !is_kept {
                let kept = received.iter().try_for_each(|(_, content)| files.keep(content));
                kept.map_err(|error| cannot_be_used(files, &error))?;
                is_kept = true;
            }
            // Otherwise somebody published the same version at the same moment: look again.
            if self.commits(&publishing.changes, None).await? {
                return Ok(publishing);
            }
        }
        Err(Error::Conflict { what: "release" })
    }

    /// Takes a version back. `false`: it was taken back already.
    ///
    /// # Errors
    /// When there is no such version, or the store does not answer.
    pub async fn withdraw(&self, product: &Product, number: &str, actor: Actor) -> Result<bool, Error> {
        for _ in 0..TRIES {
            let known = self.store.release_by_number(product.shop, product.id, number).await?;
            let Published { release, .. } = known.ok_or(Error::NotFound { what: "release" })?;
            let now = self.clock.now();
            let Some(changes) = withdraw_release(&release, actor, now, &mut self.entropy.rng()) else {
                return Ok(false);
            };
            if self.commits(&changes, None).await? {
                return Ok(true);
            }
        }
        Err(Error::Conflict { what: "release" })
    }

    /// What each of these licenses of one shop opens, in one visit to the database.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn shelves<'a>(
        &self,
        shop: ShopId,
        licenses: &[&'a License],
        versions: Versions,
    ) -> Result<Vec<Shelf<'a>>, Error> {
        let now = self.clock.now();
        let after_now = just_after(now);
        let few = usize::try_from(SHOWN).unwrap_or(usize::MAX);
        let (shown, limit) = match versions {
            // One more tells whether there are more.
            Versions::Newest => (few, SHOWN + 1),
            Versions::All => (usize::MAX, MOST_SHOWN),
        };
        let covered = |license: &License| {
            // What does not work opens nothing, however much there is.
            releases_for(license, &[], now).ok()?;
            Some(license.covered_until(now).map_or(after_now, |covered| covered.min(after_now)))
        };
        let wanted: Vec<_> = licenses.iter().map(|license| (license.product, covered(license))).collect();
        let found = self.store.shelves(shop, after_now, &wanted, limit).await?;
        let shelf = |(license, found): (&&'a License, store::Shelf)| {
            let releases = releases_for(license, &found.releases, now);
            let releases = releases.map(|open| open.into_iter().take(shown).cloned().collect());
            Shelf { license, has_any: found.has_any, releases, has_more: found.releases.len() > shown }
        };
        Ok(licenses.iter().zip(found).map(shelf).collect())
    }

    /// The versions that whoever holds a license may download now, the newest first; a hundred at most.
    ///
    /// # Errors
    /// `Refused` when the license does not work; or when the store does not answer.
    pub async fn releases_of(&self, license: &License) -> Result<Vec<Published>, Error> {
        match self.shelves(license.shop, &[license], Versions::All).await?.pop() {
            Some(shelf) => Ok(shelf.releases?),
            None => Ok(Vec::new()),
        }
    }

    /// Whether one of these products has a version that is out.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn has_releases(&self, shop: ShopId, products: &BTreeSet<ProductId>) -> Result<bool, Error> {
        let wanted: Vec<_> = products.iter().map(|product| (*product, None)).collect();
        let found = self.store.shelves(shop, just_after(self.clock.now()), &wanted, 1).await?;
        Ok(found.iter().any(|shelf| shelf.has_any))
    }

    /// The same for an app that knows a key, with the license.
    ///
    /// # Errors
    /// When there is no such key, or as [`App::releases_of`].
    pub async fn releases_of_key(&self, shop: ShopId, key: &KeyCode) -> Result<(License, Vec<Published>), Error> {
        let now = self.clock.now();
        let Some(view) = self.store.seat(shop, key, None, now).await? else {
            return Err(self.no_license(shop, key, AttemptKind::Validate, None, now).await);
        };
        let releases = self.releases_of(&view.license).await?;
        Ok((view.license, releases))
    }

    /// When a link ends that is made now.
    #[must_use]
    pub fn download_ends_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.clock.now().after(LINK_LIFETIME).as_seconds())
    }

    /// The address of a file for whoever holds a license, until this moment. Whether they may have it is asked when it
    /// is used.
    #[must_use]
    pub fn download_path(&self, license: &License, file: ReleaseFileId, ends_at: Timestamp) -> String {
        let ends_at = ends_at.as_seconds();
        let tag = self.store.vault().token(Purpose::DownloadLink, &subject(license, file, ends_at));
        format!("/downloads/{}.{file}.{ends_at}.{tag}", license.id)
    }

    /// What a link leads to, if we made it, its time is not over, and its license may have it at this moment.
    ///
    /// # Errors
    /// `Refused` with the reason; or when the store or the disk does not answer.
    pub async fn open_download(&self, shop: ShopId, token: &str) -> Result<Download, Error> {
        let invalid = || Error::from(Refusal::DownloadLinkInvalid);
        let link = Link::read(token).ok_or_else(invalid)?;
        let now = self.clock.now();
        let license = self.store.license(shop, link.license).await?.ok_or_else(invalid)?;
        let subject = subject(&license, link.file, link.ends_at);
        if !self.store.vault().is_token(Purpose::DownloadLink, &subject, link.tag) {
            return Err(invalid());
        }
        if link.ends_at <= now.as_seconds() {
            return Err(Refusal::DownloadLinkEnded.into());
        }
        let (release, file) = self.store.release_file(shop, link.file).await?.ok_or_else(invalid)?;
        downloadable(&license, &release, now)?;
        let content = match self.files() {
            Ok(files) => files.open(file.digest, file.size).await.map_err(|error| cannot_be_used(files, &error))?,
            Err(_) => None,
        };
        if content.is_none() {
            tracing::error!(file = %file.id, digest = %file.digest, "the content of a published file is missing");
        }
        Ok(Download { license: license.id, file, content })
    }
}

/// What came out at this moment came out before the next.
fn just_after(now: Timestamp) -> Timestamp {
    Timestamp::from_microseconds(now.as_microseconds().saturating_add(1))
}

fn cannot_be_used(files: &Files, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("the folder of files {} cannot be used: {error}", files.folder().display()))
}
