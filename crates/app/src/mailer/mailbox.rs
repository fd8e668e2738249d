//! A folder in place of a mail server: what a sandbox shows on its mailbox page.
//!
//! Every mail is two files named after its delivery, `.eml` as it would go
//! over the wire and `.json` for reading back. Each appears whole or not at
//! all, and a mail that is sent twice is one mail.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use domain::DeliveryId;

use super::{MailError, Mailer, mime};
use crate::mail::Mail;

/// Mails in a folder.
#[derive(Debug, Clone)]
pub struct Mailbox {
    folder: Arc<Path>,
    /// One writer at a time: two tries of one delivery share the name of their unfinished file.
    writing: Arc<Mutex<()>>,
}

impl Mailbox {
    /// The mailbox below `data`, in the folder `mailbox`, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("mailbox");
        create_private(&folder)?;
        Ok(Self { folder: folder.into(), writing: Arc::default() })
    }

    /// The newest mails, the newest first. A file that is not a mail is left out, and logged.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn newest(&self, limit: usize) -> io::Result<Vec<Mail>> {
        let mailbox = self.clone();
        blocking(move || {
            let mut deliveries = mailbox.deliveries()?;
            // A delivery's id begins with the time when it was asked for.
            deliveries.sort_unstable_by(|one, other| other.cmp(one));
            let read = |id: DeliveryId| match mailbox.read(id) {
                Ok(mail) => mail,
                Err(error) => {
                    tracing::warn!(delivery = %id, %error, "a file in the mailbox is not a mail");
                    None
                }
            };
            Ok(deliveries.into_iter().filter_map(read).take(limit).collect())
        })
        .await
    }

    /// The mail of this delivery.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub async fn find(&self, delivery: DeliveryId) -> io::Result<Option<Mail>> {
        let mailbox = self.clone();
        blocking(move || mailbox.read(delivery)).await
    }

    /// The mail as it would go over the wire.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub async fn raw(&self, delivery: DeliveryId) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(delivery, "eml");
        blocking(move || if_there(fs::read(path))).await
    }

    fn path(&self, delivery: DeliveryId, extension: &str) -> PathBuf {
        self.folder.join(format!("{delivery}.{extension}"))
    }

    fn deliveries(&self) -> io::Result<Vec<DeliveryId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let id =
                name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(|id| DeliveryId::parse(id).ok());
            found.extend(id);
        }
        Ok(found)
    }

    fn read(&self, delivery: DeliveryId) -> io::Result<Option<Mail>> {
        let bytes = if_there(fs::read(self.path(delivery, "json")))?;
        Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
    }

    fn keep(&self, mail: &Mail, raw: &[u8]) -> io::Result<()> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // The list goes by the second file, so a mail that is listed has both.
        self.replace(mail.delivery, "eml", raw)?;
        self.replace(mail.delivery, "json", &serde_json::to_vec_pretty(mail)?)
    }

    fn replace(&self, delivery: DeliveryId, extension: &str, content: &[u8]) -> io::Result<()> {
        let unfinished = self.path(delivery, &format!("{extension}.unfinished"));
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.path(delivery, extension))
    }
}

impl Mailer for Mailbox {
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(async move {
            let raw = mime::message(&mail)?.formatted();
            let mailbox = self.clone();
            blocking(move || mailbox.keep(&mail, &raw))
                .await
                .map_err(|error| MailError::later(format!("the mailbox: {error}")))
        })
    }

    fn name(&self) -> &'static str {
        "mailbox"
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A folder that only its owner can look into: the mails hold keys.
#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
