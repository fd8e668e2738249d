//! Versions of a product, each with its files, and who may download them.
//!
//! A file is known by its content: the rows hold its digest, and the content lies outside of them. Nothing here reads a
//! file, and no content is ever changed under a name that was published.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use crate::text::is_invisible;
use crate::{
    Actor, Changes, Duration, Event, EventId, EventKind, License, ProductId, Refusal, ReleaseFileId, ReleaseId, Rng,
    ShopId, Standing, Timestamp, Version,
};

/// How long the link of a file opens it. A page makes new ones whenever it is shown.
pub const LINK_LIFETIME: Duration = Duration::hours(24);

/// One version of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The product.
    pub product: ProductId,
    /// What the seller calls it, as `3.2.0`; unique in the product, for ever.
    pub number: String,
    /// What is new in it, in Markdown.
    pub notes: String,
    /// When it came out, or will: licenses whose updates end before do not cover it.
    pub published_at: Timestamp,
    /// When the seller took it back.
    pub withdrawn_at: Option<Timestamp>,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl Release {
    /// Whether it is out at this moment.
    #[must_use]
    pub fn is_out(&self, now: Timestamp) -> bool {
        self.withdrawn_at.is_none() && self.published_at <= now
    }
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its id.
    pub id: ReleaseFileId,
    /// The shop.
    pub shop: ShopId,
    /// The release.
    pub release: ReleaseId,
    /// The name it is saved under, unique in the release.
    pub name: FileName,
    /// What it runs on, as the seller writes it.
    pub platform: Option<String>,
    /// How many bytes it has.
    pub size: u64,
    /// What its content is known by.
    pub digest: ContentDigest,
    /// When it was entered.
    pub created_at: Timestamp,
}

/// A release with its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The release.
    pub release: Release,
    /// Its files, by name.
    pub files: Vec<ReleaseFile>,
}

/// The SHA-256 of a content: what it is found and checked by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub [u8; 32]);

impl ContentDigest {
    /// Reads 64 hexadecimal digits in small letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let is_hex = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 64 || !digits.iter().all(is_hex) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, place) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(text.get(place..place + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The name of a file: one that can be saved on any machine, and shows what it is. What was read once reads as itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FileName(String);

/// Why a text is no name for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileNameError {
    /// Nothing, or only dots and spaces.
    #[error("is empty")]
    Empty,
    /// Longer than file systems take.
    #[error("has more than {} bytes", FileName::LONGEST)]
    TooLong,
    /// A character that is not seen, leads out of a folder, or stands in no name on some machines.
    #[error("has a character that stands in no file name: {}", .0.escape_debug())]
    BadCharacter(char),
    /// A name that means a device on Windows, whatever follows its first dot.
    #[error("cannot be saved on Windows, where it is a device")]
    Device,
}

/// What names a device on Windows; a digit follows the last two.
const DEVICES: [&str; 8] = ["con", "prn", "aux", "nul", "conin$", "conout$", "com", "lpt"];

impl FileName {
    /// The longest, in bytes: file systems take 255, and browsers add to a name that is there already.
    pub const LONGEST: usize = 200;

    /// Reads a name without a folder.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FileNameError> {
        let name: String = text.nfc().collect();
        let is_bad = |character: &char| {
            is_invisible(*character) || matches!(character, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        };
        if let Some(bad) = name.chars().find(is_bad) {
            return Err(FileNameError::BadCharacter(bad));
        }
        let name = name.trim_start().trim_end_matches(|last: char| last == '.' || last.is_whitespace());
        if name.is_empty() {
            Err(FileNameError::Empty)
        } else if name.len() > Self::LONGEST {
            Err(FileNameError::TooLong)
        } else if is_device(name) {
            Err(FileNameError::Device)
        } else {
            Ok(Self(name.to_owned()))
        }
    }

    /// Whether both are one name where capital letters do not count, as on most desktops.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        folded(&self.0) == folded(&other.0)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Through capitals, so that what has several small forms has one.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase().nfc().collect()
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    DEVICES.iter().any(|device| match stem.strip_prefix(device) {
        Some("") => !matches!(*device, "com" | "lpt"),
        Some(digit) => {
            matches!(*device, "com" | "lpt")
                && matches!(digit, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        }
        None => false,
    })
}

/// A version that is to come out, or to have more files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease {
    /// The shop.
    pub shop: ShopId,
    /// The product.
    pub product: ProductId,
    /// What the seller calls it.
    pub number: String,
    /// What is new in it; `None`: as it was, or nothing.
    pub notes: Option<String>,
    /// When it came out; `None`: as it was, or now.
    pub published_at: Option<Timestamp>,
    /// Its files, or more of them.
    pub files: Vec<NewFile>,
}

/// A file that is to be published, whose content was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// The name it is saved under.
    pub name: FileName,
    /// What it runs on; `None`: as it was, or nothing is said.
    pub platform: Option<String>,
    /// How many bytes it has.
    pub size: u64,
    /// What its content is known by.
    pub digest: ContentDigest,
}

/// What publishing comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publishing {
    /// The release as it is then.
    pub release: Release,
    /// The files that are new.
    pub added: Vec<ReleaseFile>,
    /// Whether the version was not there before.
    pub is_new: bool,
    /// What is written; empty when all of it was there.
    pub changes: Changes,
}

/// Why a version is not published. Nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Nothing can be downloaded of it.
    #[error("a version needs a file")]
    NoFile,
    /// The version was taken back, and its number with it.
    #[error("this version was withdrawn; publish what is mended under another number")]
    Withdrawn,
    /// Two of the files have one name.
    #[error("two files have the name {0}, capital letters apart")]
    NamedTwice(FileName),
    /// The name is taken by another content, which buyers may have.
    #[error("{0} was published with another content, which buyers may have; publish it under another version")]
    OtherContent(FileName),
    /// The file was published for something else.
    #[error("{0} was published for another platform")]
    OtherPlatform(FileName),
}

/// Publishes a version, or adds files to one that is out. What is there already is left alone, so that the same call
/// can be made again.
///
/// # Errors
/// When the version was withdrawn, or a name stands for something else.
pub fn publish_release(
    known: Option<&Published>,
    wanted: &NewRelease,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Publishing, PublishError> {
    let before = known.map(|known| &known.release);
    if before.is_some_and(|before| before.withdrawn_at.is_some()) {
        return Err(PublishError::Withdrawn);
    }
    let release = Release {
        id: before.map_or_else(|| ReleaseId::mint(now, rng), |before| before.id),
        shop: wanted.shop,
        version: before.map_or(0, |before| before.version),
        product: wanted.product,
        number: wanted.number.clone(),
        notes: wanted.notes.clone().or_else(|| before.map(|before| before.notes.clone())).unwrap_or_default(),
        published_at: wanted.published_at.or_else(|| before.map(|before| before.published_at)).unwrap_or(now),
        withdrawn_at: None,
        created_at: before.map_or(now, |before| before.created_at),
    };
    let added = added_files(known.map_or(&[], |known| &known.files), release.id, wanted, now, rng)?;
    if before.is_none() && added.is_empty() {
        return Err(PublishError::NoFile);
    }
    let is_new = before.is_none();
    let mut changes = Changes::default();
    if added.is_empty() && before == Some(&release) {
        return Ok(Publishing { release, added, is_new, changes });
    }
    let names: Vec<&FileName> = added.iter().map(|file| &file.name).collect();
    let data = json!({ "release": release.id, "product": release.product, "number": release.number, "files": names,
        "published_at": release.published_at });
    changes.events.push(told(&release, EventKind::ReleasePublished, data, actor, now, rng));
    // The row is written for its files as well: its version keeps two who add files at once apart.
    changes.releases.push(release.clone());
    changes.release_files.clone_from(&added);
    Ok(Publishing { release, added, is_new, changes })
}

/// Those of the files that are not there yet.
fn added_files(
    known: &[ReleaseFile],
    release: ReleaseId,
    wanted: &NewRelease,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Vec<ReleaseFile>, PublishError> {
    let mut added: Vec<ReleaseFile> = Vec::new();
    for file in &wanted.files {
        if added.iter().any(|other| other.name.is_same(&file.name)) {
            return Err(PublishError::NamedTwice(file.name.clone()));
        }
        match known.iter().find(|known| known.name.is_same(&file.name)) {
            Some(known) if known.digest != file.digest => return Err(PublishError::OtherContent(file.name.clone())),
            Some(known) if file.platform.is_some() && known.platform != file.platform => {
                return Err(PublishError::OtherPlatform(file.name.clone()));
            }
            Some(_) => {}
            None => added.push(ReleaseFile {
                id: ReleaseFileId::mint(now, rng),
                shop: wanted.shop,
                release,
                name: file.name.clone(),
                platform: file.platform.clone(),
                size: file.size,
                digest: file.digest,
                created_at: now,
            }),
        }
    }
    Ok(added)
}

/// Takes a version back: nobody downloads it any more. `None`: it was taken back already.
#[must_use]
pub fn withdraw_release(release: &Release, actor: Actor, now: Timestamp, rng: &mut Rng) -> Option<Changes> {
    if release.withdrawn_at.is_some() {
        return None;
    }
    let data = json!({ "release": release.id, "product": release.product, "number": release.number });
    let event = told(release, EventKind::ReleaseWithdrawn, data, actor, now, rng);
    let withdrawn = Release { withdrawn_at: Some(now), ..release.clone() };
    Some(Changes { releases: vec![withdrawn], events: vec![event], ..Changes::default() })
}

fn told(
    release: &Release,
    kind: EventKind,
    data: serde_json::Value,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Event {
    let id = EventId::mint(now, rng);
    Event { id, shop: release.shop, kind, actor, order: None, license: None, customer: None, data, at: now }
}

/// Whether whoever holds a license may download a version.
///
/// # Errors
/// The first rule that speaks against it.
pub fn downloadable(license: &License, release: &Release, now: Timestamp) -> Result<(), Refusal> {
    match license.standing(now) {
        Standing::Active => {}
        standing @ (Standing::Suspended | Standing::Expired | Standing::Revoked) => {
            return Err(Refusal::LicenseNotUsable(standing));
        }
    }
    if release.product != license.product {
        return Err(Refusal::WrongProduct);
    }
    if release.withdrawn_at.is_some() {
        return Err(Refusal::ReleaseWithdrawn);
    }
    if !release.is_out(now) {
        return Err(Refusal::ReleaseNotOut);
    }
    if license.covers(Some(release.published_at), now) { Ok(()) } else { Err(Refusal::UpdateNotCovered) }
}

/// The versions that whoever holds a license may download, in the order that they come in.
///
/// # Errors
/// Why it is none at all: the license does not work.
pub fn releases_for<'a>(
    license: &License,
    releases: &'a [Published],
    now: Timestamp,
) -> Result<Vec<&'a Published>, Refusal> {
    match license.standing(now) {
        Standing::Active => {
            Ok(releases.iter().filter(|published| downloadable(license, &published.release, now).is_ok()).collect())
        }
        standing @ (Standing::Suspended | Standing::Expired | Standing::Revoked) => {
            Err(Refusal::LicenseNotUsable(standing))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{Reporter, START, World, rng};
    use crate::{AtExpiry, LicenseState, PaymentStatus};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    fn day(day: i64) -> Timestamp {
        START.after(Duration::days(day))
    }

    fn release(number: &str, of: &License, published_on: i64) -> Release {
        Release {
            id: ReleaseId::mint(day(published_on), &mut rng(7)),
            shop: of.shop,
            version: 1,
            product: of.product,
            number: number.to_owned(),
            notes: String::new(),
            published_at: day(published_on),
            withdrawn_at: None,
            created_at: START,
        }
    }

    /// Reads `end keep, updates 30, revoked_by_refund`: a license of 365 days by what differs from a new one.
    fn described(text: &str) -> License {
        let mut license = license();
        for part in text.split(", ").filter(|part| *part != "new") {
            match part.split(' ').collect::<Vec<_>>()[..] {
                ["for", "ever"] => license.expires_at = None,
                ["grace", days] => license.policy.term.grace_days = days.parse().unwrap(),
                ["end", word] => license.policy.term.at_expiry = AtExpiry::parse(word).unwrap(),
                ["updates", days] => license.updates_until = Some(day(days.parse().unwrap())),
                [state] => license.state = LicenseState::parse(state).unwrap(),
                _ => panic!("{part}"),
            }
        }
        license
    }

    #[test]
    fn who_holds_a_working_license_downloads_what_it_covers() {
        // Published: 1.0 on day 0, 2.0 on day 30, 3.0 on day 400; 1.5, which was withdrawn, and one of another product.
        let table = "
            license                     | day | downloads                | why
            new                         | 0   | 1.0                      | what is to come is not out yet
            new                         | 30  | 1.0 2.0                  | out from the first moment of its day
            new                         | 364 | 1.0 2.0                  |
            new                         | 365 | refused license_expired  | its time is over
            for ever                    | 400 | 1.0 2.0 3.0              |
            for ever, updates 30        | 400 | 1.0                      | the end of the updates is not covered
            for ever, updates 31        | 400 | 1.0 2.0                  |
            for ever, updates 0         | 400 | -                        | works, and covers no version
            grace 10                    | 370 | 1.0 2.0                  | in its grace it works
            grace 10                    | 375 | refused license_expired  |
            end keep                    | 400 | 1.0 2.0                  | the versions of its last day
            end allow                   | 400 | 1.0 2.0 3.0              |
            end end                     | 400 | refused license_revoked  |
            suspended_by_dispute        | 30  | refused license_suspended |
            suspended_by_person         | 30  | refused license_suspended |
            revoked_by_refund           | 30  | refused license_revoked  |
            revoked_by_dispute          | 30  | refused license_revoked  |
            revoked_by_person           | 400 | refused license_revoked  | what was taken back is not merely expired
        ";
        for row in table.trim().lines().skip(1) {
            let [license, on, downloads, why] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let license = described(license);
            let mut releases =
                vec![release("3.0", &license, 400), release("2.0", &license, 30), release("1.0", &license, 0)];
            releases.push(Release { withdrawn_at: Some(START), ..release("1.5", &license, 10) });
            releases.push(Release { product: ProductId::mint(START, &mut rng(8)), ..release("9.0", &license, 0) });
            let releases: Vec<Published> =
                releases.into_iter().map(|release| Published { release, files: Vec::new() }).collect();
            let now = day(on.parse().unwrap());
            let told = match releases_for(&license, &releases, now) {
                Ok(found) if found.is_empty() => "-".to_owned(),
                Ok(found) => {
                    found.iter().rev().map(|found| found.release.number.as_str()).collect::<Vec<_>>().join(" ")
                }
                Err(refusal) => format!("refused {}", refusal.code()),
            };
            assert_eq!(told, downloads, "{row} {why}");
        }
    }

    #[test]
    fn a_link_is_refused_for_the_first_reason_that_holds() {
        let works = described("for ever, updates 31");
        let other = ProductId::mint(START, &mut rng(8));
        #[rustfmt::skip]
        let table = [
            (Ok(()),                                                  works.clone(),                 release("2.0", &works, 30)),
            (Err(Refusal::UpdateNotCovered),                          works.clone(),                 release("2.1", &works, 31)),
            (Err(Refusal::ReleaseNotOut),                             works.clone(),                 release("3.0", &works, 400)),
            (Err(Refusal::ReleaseWithdrawn),                          works.clone(),                 Release { withdrawn_at: Some(day(40)), ..release("3.0", &works, 400) }),
            (Err(Refusal::ReleaseWithdrawn),                          works.clone(),                 Release { withdrawn_at: Some(day(40)), ..release("2.0", &works, 30) }),
            (Err(Refusal::WrongProduct),                              works.clone(),                 Release { product: other, ..release("2.0", &works, 30) }),
            (Err(Refusal::LicenseNotUsable(Standing::Revoked)),       described("revoked_by_refund"), release("2.1", &works, 31)),
        ];
        for (expected, license, release) in table {
            assert_eq!(downloadable(&license, &release, day(60)), expected, "{}", release.number);
        }
        let expired = downloadable(&described("new"), &release("2.0", &works, 30), day(365));
        assert_eq!(expired, Err(Refusal::LicenseNotUsable(Standing::Expired)));
    }

    fn file(name: &str, content: u8) -> NewFile {
        NewFile { name: FileName::parse(name).unwrap(), platform: None, size: 3, digest: ContentDigest([content; 32]) }
    }

    fn wanted(files: Vec<NewFile>) -> NewRelease {
        let license = license();
        let number = "1.0".to_owned();
        NewRelease { shop: license.shop, product: license.product, number, notes: None, published_at: None, files }
    }

    #[test]
    fn what_is_published_is_never_another_content_and_the_same_call_changes_nothing() {
        let linux = NewFile { platform: Some("Linux".to_owned()), ..file("app.tar.gz", 2) };
        let first = wanted(vec![file("app.zip", 1), linux.clone()]);
        let published = publish_release(None, &first, Actor::System, START, &mut rng(1)).unwrap();
        assert_eq!((published.is_new, published.added.len(), published.changes.events.len()), (true, 2, 1));
        let known = Published { release: Release { version: 1, ..published.release }, files: published.added };
        let again = |wanted: &NewRelease| {
            publish_release(Some(&known), wanted, Actor::System, day(9), &mut rng(2))
                .map(|told| (told.added.len(), told.changes.is_empty(), told.release.published_at))
        };
        let withdrawn = Release { withdrawn_at: Some(START), ..known.release.clone() };
        let withdrawn = Published { release: withdrawn, files: known.files.clone() };
        let late = publish_release(Some(&withdrawn), &first, Actor::System, START, &mut rng(2));
        assert_eq!(late.unwrap_err(), PublishError::Withdrawn);
        let name = |name: &str| FileName::parse(name).unwrap();
        let windows = NewFile { platform: Some("Windows".to_owned()), ..linux };
        #[rustfmt::skip]
        let table = [
            ("the same again",           first.clone(),                                                        Ok((0, true, START))),
            ("one of two again",         wanted(vec![file("app.zip", 1)]),                                     Ok((0, true, START))),
            ("nothing",                  wanted(vec![]),                                                       Ok((0, true, START))),
            ("one more",                 wanted(vec![file("app.zip", 1), file("app.dmg", 3)]),                 Ok((1, false, START))),
            ("in capital letters",       wanted(vec![file("App.ZIP", 1)]),                                     Ok((0, true, START))),
            ("other notes",              NewRelease { notes: Some("New".to_owned()), ..first.clone() },        Ok((0, false, START))),
            ("another day",              NewRelease { published_at: Some(day(2)), ..first.clone() },           Ok((0, false, day(2)))),
            ("other bytes",              wanted(vec![file("app.zip", 9)]),                                     Err(PublishError::OtherContent(name("app.zip")))),
            ("other bytes in capitals",  wanted(vec![file("App.ZIP", 9)]),                                     Err(PublishError::OtherContent(name("App.ZIP")))),
            ("another platform",         wanted(vec![windows]),                                                Err(PublishError::OtherPlatform(name("app.tar.gz")))),
            ("one name for two",         wanted(vec![file("b", 1), file("b", 1)]),                             Err(PublishError::NamedTwice(name("b")))),
            ("one name but for capitals", wanted(vec![file("straße", 1), file("STRASSE", 1)]),                 Err(PublishError::NamedTwice(name("STRASSE")))),
        ];
        for (what, wanted, expected) in table {
            assert_eq!(again(&wanted), expected, "{what}");
        }
        let empty = publish_release(None, &wanted(vec![]), Actor::System, START, &mut rng(1));
        assert_eq!(empty.unwrap_err(), PublishError::NoFile);
    }

    #[test]
    fn what_is_withdrawn_is_withdrawn_once() {
        let out = release("1.0", &license(), 0);
        let changes = withdraw_release(&out, Actor::System, day(3), &mut rng(1)).unwrap();
        assert_eq!((changes.releases[0].withdrawn_at, changes.events.len()), (Some(day(3)), 1));
        assert_eq!(withdraw_release(&changes.releases[0], Actor::System, day(4), &mut rng(1)), None);
    }

    #[test]
    fn a_name_can_be_saved_anywhere_and_shows_what_it_is() {
        #[rustfmt::skip]
        let table = [
            ("Lumen 3.dmg",        Ok("Lumen 3.dmg")),
            (" a.zip. ",           Ok("a.zip")),
            ("Gro\u{308}ße.zip",   Ok("Größe.zip")),
            (".hidden",            Ok(".hidden")),
            ("a.zip. .\u{a0}.",    Ok("a.zip")),
            ("console.txt",        Ok("console.txt")),
            ("com.txt",            Ok("com.txt")),
            ("com10",              Ok("com10")),
            ("auxiliary",          Ok("auxiliary")),
            ("aux",                Err(FileNameError::Device)),
            ("Aux.tar.gz",         Err(FileNameError::Device)),
            ("NUL .txt",           Err(FileNameError::Device)),
            ("com7.exe",           Err(FileNameError::Device)),
            ("LPT¹",               Err(FileNameError::Device)),
            ("conin$",             Err(FileNameError::Device)),
            ("..",                 Err(FileNameError::Empty)),
            ("",                   Err(FileNameError::Empty)),
            ("a/b",                Err(FileNameError::BadCharacter('/'))),
            ("a\\b",               Err(FileNameError::BadCharacter('\\'))),
            ("a\nb",               Err(FileNameError::BadCharacter('\n'))),
            ("a\u{202e}gpj.exe",   Err(FileNameError::BadCharacter('\u{202e}'))),
            ("a\"b",               Err(FileNameError::BadCharacter('"'))),
        ];
        for (text, expected) in table {
            assert_eq!(
                FileName::parse(text).map(|name| name.as_str().to_owned()),
                expected.map(str::to_owned),
                "{text:?}"
            );
        }
        assert_eq!(FileName::parse(&"x".repeat(201)), Err(FileNameError::TooLong));
    }

    proptest! {
        #[test]
        fn a_name_that_was_kept_reads_back_as_it_is(
            text in prop_oneof![any::<String>(), "[ .a-zA-Z\u{a0}\u{2000}\u{300}-\u{30f}\u{308}\u{212a}]{0,12}"]
        ) {
            if let Ok(name) = FileName::parse(&text) {
                prop_assert_eq!(FileName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!(name.is_same(&name));
            }
        }
    }

    #[test]
    fn a_digest_reads_back_and_nothing_else_reads_as_one() {
        let digest = ContentDigest([0xa7; 32]);
        assert_eq!(ContentDigest::parse(&digest.to_string()), Some(digest));
        for wrong in [String::new(), "a7".repeat(31), "A7".repeat(32), "g7".repeat(32), format!("{digest}0")] {
            assert_eq!(ContentDigest::parse(&wrong), None, "{wrong}");
        }
    }
}
