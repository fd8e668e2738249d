//! The content of published files: a folder outside of the database, each content under its SHA-256.
//!
//! A content appears whole or not at all, and is never changed: what is there under a digest is that content. On many
//! nodes the folder is a shared one. Rows point here, and nothing here points to rows, so a content whose commit failed
//! only takes room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use domain::ContentDigest;

/// How the names of what is still being received begin.
const INCOMING: &str = ".incoming-";

/// After how long what was being received is given up: whoever received it is gone.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// The folder.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
    is_chosen: bool,
}

/// What was found where a content should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is there, as long as it should be.
    Whole,
    /// Nothing is there.
    Nothing,
    /// Something of another length is there.
    OtherSize(u64),
    /// Something of the same length is there, and it is another content.
    OtherContent,
}

/// A content that was read to its end, and is thrown away unless it is kept.
#[derive(Debug)]
pub struct Received {
    /// What it is known by.
    pub digest: ContentDigest,
    /// How many bytes it has.
    pub size: u64,
    path: PathBuf,
}

impl Drop for Received {
    fn drop(&mut self) {
        // Where it was kept, the name leads nowhere by now.
        let _ = fs::remove_file(&self.path);
    }
}

impl Files {
    /// The contents in this folder, which is made when the first one comes.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), is_chosen: true }
    }

    /// The same, in a folder that nobody chose: whoever has several nodes must, so that all of them have one.
    #[must_use]
    pub fn by_default_at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), is_chosen: false }
    }

    /// Whether somebody has said where it is.
    #[must_use]
    pub fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where this content is, or would be.
    fn path(&self, digest: ContentDigest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    /// Reads a content to its end, onto the disk. `chance` names what is unfinished, so that two who receive at once do
    /// not meet. Blocks.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn receive(&self, from: impl Read, chance: u128) -> io::Result<Received> {
        self.make_folder()?;
        self.sweep();
        let path = self.folder.join(format!("{INCOMING}{chance:032x}"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        // From here on it is removed, however this ends.
        let mut received = Received { digest: ContentDigest([0; 32]), size: 0, path };
        let (mut context, mut chunk) = (Context::new(&SHA256), vec![0; CHUNK]);
        each_chunk(from, &mut chunk, |bytes| {
            context.update(bytes);
            received.size += u64::try_from(bytes.len()).unwrap_or_default();
            file.write_all(bytes)
        })?;
        file.sync_all()?;
        received.digest.0.copy_from_slice(context.finish().as_ref());
        Ok(received)
    }

    /// Gives a content its name, for good. What stood there before was the same content, or a damaged one. Blocks.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn keep(&self, received: &Received) -> io::Result<()> {
        fs::rename(&received.path, self.path(received.digest))?;
        File::open(&self.folder)?.sync_all()
    }

    /// Looks for a content, and opens it: a name that is there and cannot be read is of no use to anybody. Blocks for as
    /// long as the disk needs to find a name.
    ///
    /// # Errors
    /// When the folder or the content cannot be read.
    pub fn look_for(&self, digest: ContentDigest, size: u64) -> io::Result<Found> {
        self.found(digest, size).map(|(found, _)| found)
    }

    fn found(&self, digest: ContentDigest, size: u64) -> io::Result<(Found, Option<File>)> {
        let file = match File::open(self.path(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Found::Nothing, None)),
            Err(error) => return Err(error),
        };
        let known = file.metadata()?;
        let is_whole = known.is_file() && known.len() == size;
        Ok(if is_whole { (Found::Whole, Some(file)) } else { (Found::OtherSize(known.len()), None) })
    }

    /// Reads a content to its end and compares it with what it is known by. Blocks; `read` is told each number of bytes.
    ///
    /// # Errors
    /// When the folder or the content cannot be read.
    pub fn verify(&self, digest: ContentDigest, size: u64, mut read: impl FnMut(u64)) -> io::Result<Found> {
        let (found, file) = self.found(digest, size)?;
        let Some(file) = file else { return Ok(found) };
        let (mut context, mut chunk) = (Context::new(&SHA256), vec![0; CHUNK]);
        each_chunk(file, &mut chunk, |bytes| {
            context.update(bytes);
            read(u64::try_from(bytes.len()).unwrap_or_default());
            Ok(())
        })?;
        Ok(if context.finish().as_ref() == digest.0 { found } else { Found::OtherContent })
    }

    /// What is in the folder under a digest, with its size, whether or not a row points to it. Blocks.
    ///
    /// # Errors
    /// When the folder cannot be read; one that is not there is empty.
    pub fn kept(&self) -> io::Result<Vec<(ContentDigest, u64)>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut kept = Vec::new();
        for entry in entries {
            let entry = entry?;
            if let Some(digest) = entry.file_name().to_str().and_then(ContentDigest::parse) {
                kept.push((digest, entry.metadata()?.len()));
            }
        }
        kept.sort_unstable();
        Ok(kept)
    }

    /// A content to read from; `None`: it is not there, or not whole.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn open(&self, digest: ContentDigest, size: u64) -> io::Result<Option<tokio::fs::File>> {
        let file = match tokio::fs::File::open(self.path(digest)).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let known = file.metadata().await?;
        Ok(Some(file).filter(|_| known.is_file() && known.len() == size))
    }

    fn make_folder(&self) -> io::Result<()> {
        let missing: Vec<&Path> = self.folder.ancestors().take_while(|folder| !is_folder(folder)).collect();
        for folder in missing.into_iter().rev() {
            match fs::DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
            // The name of each level is kept by the one above it.
            let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(above)?.sync_all()?;
        }
        Ok(())
    }

    /// Throws away what somebody who is gone was receiving.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let is_unfinished = entry.file_name().to_string_lossy().starts_with(INCOMING);
            let age = entry.metadata().and_then(|known| known.modified()).ok().and_then(|then| then.elapsed().ok());
            if is_unfinished && age.is_some_and(|age| age > GIVEN_UP_AFTER) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn is_folder(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

/// Reads to the end, a piece at a time.
fn each_chunk(mut from: impl Read, chunk: &mut [u8], mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    loop {
        match from.read(chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&chunk[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::SystemTime;

    use store::testing::Directory;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn names(files: &Files) -> Vec<String> {
        let entries = fs::read_dir(files.folder()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_content_is_there_whole_or_not_at_all() {
        let directory = Directory::new();
        let files = Files::at(&directory.path().join("data").join("shop").join("files"));
        assert_eq!(files.kept().unwrap(), []);
        let content = vec![7; 3 * CHUNK + 1];
        let received = files.receive(content.as_slice(), 1).unwrap();
        let digest = ContentDigest::parse(&"0".repeat(64)).unwrap();
        assert_ne!(received.digest, digest, "it was counted in");
        let (digest, size) = (received.digest, received.size);
        assert_eq!(size, 3 * (256 << 10) + 1);
        assert_eq!(files.look_for(digest, size).unwrap(), Found::Nothing, "not before it is kept");
        files.keep(&received).unwrap();
        drop(received);
        assert_eq!(names(&files), [digest.to_string()]);
        assert_eq!(files.look_for(digest, size).unwrap(), Found::Whole);
        let mut read = Vec::new();
        files.open(digest, size).await.unwrap().unwrap().read_to_end(&mut read).await.unwrap();
        assert!(read == content);
        let mut told = 0;
        assert_eq!(files.verify(digest, size, |read| told += read).unwrap(), Found::Whole);
        assert_eq!((told, files.kept().unwrap()), (size, vec![(digest, size)]));

        // One byte that has turned is found by reading, and by nothing less.
        let mut turned = content.clone();
        turned[CHUNK + 1] = 8;
        fs::write(files.folder().join(digest.to_string()), &turned).unwrap();
        assert_eq!(files.look_for(digest, size).unwrap(), Found::Whole);
        assert_eq!(files.verify(digest, size, |_| {}).unwrap(), Found::OtherContent);

        // The same again is the same, and what was damaged is mended by it.
        fs::write(files.folder().join(digest.to_string()), b"cut off").unwrap();
        assert_eq!(files.look_for(digest, size).unwrap(), Found::OtherSize(7));
        assert_eq!(files.verify(digest, size, |_| {}).unwrap(), Found::OtherSize(7));
        assert!(files.open(digest, size).await.unwrap().is_none());
        files.keep(&files.receive(content.as_slice(), 2).unwrap()).unwrap();
        assert_eq!(files.look_for(digest, size).unwrap(), Found::Whole);

        // What nobody keeps leaves nothing behind, nor does what cannot be read to its end.
        drop(files.receive(&b"other"[..], 3).unwrap());
        let broken = files.receive(Read::chain(&b"other"[..], Broken), 4);
        assert_eq!(broken.err().map(|error| error.kind()), Some(io::ErrorKind::UnexpectedEof));
        assert_eq!(names(&files), [digest.to_string()]);
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    #[test]
    fn what_somebody_who_is_gone_was_receiving_is_thrown_away() {
        let directory = Directory::new();
        let files = Files::at(directory.path());
        let old = directory.path().join(format!("{INCOMING}{:032x}", 1));
        let (fresh, other) = (directory.path().join(format!("{INCOMING}{:032x}", 2)), directory.path().join("other"));
        for path in [&old, &fresh, &other] {
            fs::write(path, b"x").unwrap();
        }
        for path in [&old, &other] {
            let then = SystemTime::now() - 2 * GIVEN_UP_AFTER;
            File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        }
        files.receive(&b""[..], 3).unwrap();
        assert_eq!([old.exists(), fresh.exists(), other.exists()], [false, true, true]);
    }
}
