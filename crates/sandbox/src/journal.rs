//! The world on disk: one file of JSON lines, each the changes of one call.
//!
//! A line is written and synced before its call is answered, so a killed process
//! loses nothing that it said. A torn last line was never answered and is cut
//! off. Opening writes the whole world afresh when the file has grown long.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::model::World;
use crate::model::table::Change;

const FILE: &str = "sandbox.journal";
/// From so many lines on, opening rewrites the file.
const LONG: usize = 2_000;

/// The open journal of a data directory. Only one process holds it.
pub(crate) struct Journal {
    file: File,
    length: u64,
    /// Changes that could not be written yet; they go before the next ones.
    unwritten: Vec<Change>,
    _lock: File,
}

impl Journal {
    /// Opens or makes the journal, and repeats it into the world.
    pub(crate) fn open(directory: &Path, world: &mut World) -> Result<Self> {
        let shown = directory.display();
        fs::create_dir_all(directory).with_context(|| format!("cannot make the data directory {shown}"))?;
        let lock =
            File::create(directory.join("sandbox.lock")).with_context(|| format!("cannot write into {shown}"))?;
        if lock.try_lock().is_err() {
            bail!("another process holds {shown}; stop it, or choose another data directory");
        }
        let path = directory.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        let (lines, length) = repeat(&mut file, world).with_context(|| format!("cannot read {}", path.display()))?;
        file.set_len(length).with_context(|| format!("cannot cut the torn end off {}", path.display()))?;
        file.seek(SeekFrom::End(0)).with_context(|| format!("cannot read {}", path.display()))?;
        let mut journal = Self { file, length, unwritten: Vec::new(), _lock: lock };
        if lines >= LONG {
            journal.rewrite(&path, world)?;
        }
        world.index();
        Ok(journal)
    }

    /// Writes what a call changed, and waits for the disk.
    pub(crate) fn append(&mut self, changes: Vec<Change>) -> Result<()> {
        self.unwritten.extend(changes);
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let line = to_line(&self.unwritten)?;
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line in the middle would make everything after it unreadable.
            self.file
                .set_len(self.length)
                .and_then(|()| self.file.seek(SeekFrom::End(0)))
                .context("cannot mend the journal")?;
            return Err(error).context("cannot write the journal");
        }
        self.length = self.length.saturating_add(u64::try_from(line.len())?);
        self.unwritten.clear();
        Ok(())
    }

    fn rewrite(&mut self, path: &Path, world: &World) -> Result<()> {
        let new: PathBuf = path.with_extension("journal.new");
        let line = to_line(&world.all_changes()?)?;
        let mut file = File::create(&new).with_context(|| format!("cannot write {}", new.display()))?;
        file.write_all(&line)
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {}", new.display()))?;
        fs::rename(&new, path).with_context(|| format!("cannot replace {}", path.display()))?;
        if let Some(directory) = path.parent() {
            File::open(directory)
                .and_then(|directory| directory.sync_all())
                .context("cannot sync the data directory")?;
        }
        self.file = file;
        self.length = u64::try_from(line.len())?;
        Ok(())
    }
}

fn to_line(changes: &[Change]) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(changes)?;
    line.push(b'\n');
    Ok(line)
}

/// Repeats every whole line; says how many there were and where the last one ends.
fn repeat(file: &mut File, world: &mut World) -> Result<(usize, u64)> {
    let mut reader = BufReader::new(file);
    let (mut lines, mut end) = (0_usize, 0_u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok((lines, end));
        }
        let changes: Vec<Change> =
            serde_json::from_slice(&line).with_context(|| format!("line {} is damaged", lines.saturating_add(1)))?;
        for change in changes {
            let of = format!("{} {}", change.table, change.id);
            world.repeat(change).with_context(|| format!("line {}: {of}", lines.saturating_add(1)))?;
        }
        lines = lines.saturating_add(1);
        end = end.saturating_add(u64::try_from(read)?);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::moment::Moment;
    use crate::model::{account, truth};

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("sandbox-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_rest_kept() {
        let directory = directory("torn");
        let mut world = World::new(1, "http://sandbox");
        let mut journal = Journal::open(&directory, &mut world).unwrap();
        let id = account::open(&mut world, Moment::from_seconds(1), "sk_test_kept").unwrap();
        journal.append(world.take_changes().unwrap()).unwrap();
        journal.file.write_all(b"[{\"table\":\"accou").unwrap();
        drop(journal);

        let mut again = World::new(9, "http://sandbox");
        let mut journal = Journal::open(&directory, &mut again).unwrap();
        assert_eq!(account::open(&mut again, Moment::from_seconds(2), "sk_test_kept").unwrap(), id);
        account::open(&mut again, Moment::from_seconds(2), "sk_test_second").unwrap();
        journal.append(again.take_changes().unwrap()).unwrap();
        drop(journal);

        let mut third = World::new(9, "http://sandbox");
        Journal::open(&directory, &mut third).unwrap();
        assert_eq!(third.accounts.len(), 2);
        assert_eq!(truth::show(&third, None), truth::show(&again, None));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error_and_not_a_loss() {
        let directory = directory("damaged");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(FILE), b"[]\nnonsense\n[]\n").unwrap();
        let error = Journal::open(&directory, &mut World::new(1, "")).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").contains("line 2 is damaged"), "{error:#}");
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn two_processes_do_not_share_a_directory() {
        let directory = directory("shared");
        let held = Journal::open(&directory, &mut World::new(1, "")).unwrap();
        let error = Journal::open(&directory, &mut World::new(1, "")).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("another process holds"), "{error}");
        drop(held);
        Journal::open(&directory, &mut World::new(1, "")).unwrap();
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_long_journal_is_written_afresh_and_says_the_same() {
        let directory = directory("long");
        let mut world = World::new(1, "");
        let mut journal = Journal::open(&directory, &mut world).unwrap();
        for number in 0..LONG {
            world.settings_mut().clock_offset = i64::try_from(number).unwrap();
            journal.append(world.take_changes().unwrap()).unwrap();
        }
        drop(journal);
        let before = fs::metadata(directory.join(FILE)).unwrap().len();
        let mut again = World::new(2, "");
        drop(Journal::open(&directory, &mut again).unwrap());
        assert!(fs::metadata(directory.join(FILE)).unwrap().len() < before / 100);
        let mut third = World::new(3, "");
        Journal::open(&directory, &mut third).unwrap();
        assert_eq!(third.settings(), world.settings());
        fs::remove_dir_all(&directory).unwrap();
    }
}
