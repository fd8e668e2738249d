//! `move`, `backup`, `restore`: a whole shop from one place to another.
//!
//! None of them reads the master key: what is sealed goes over sealed.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use app::{Clock, Entropy, Found};
use clap::Args;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::copy::Progress;
use store::moving::{self, Backup, MoveError};
use store::place::{Place, schema_version};
use store::report::{self, Content};
use store::{Access, TableSum};

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// A move.
#[derive(Args)]
pub(crate) struct MoveArguments {
    /// Where to: postgres://user:password@host/database, or a data folder for SQLite.
    #[arg(long, value_name = "URL or DIR", required_unless_present = "give_up")]
    to: Option<String>,
    /// Gives up a move that was begun and not finished, so that servers start here again.
    #[arg(long, conflicts_with = "to")]
    give_up: bool,
}

/// A backup's folder.
#[derive(Args)]
pub(crate) struct FolderArguments {
    /// The folder of the backup.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// The file of a backup that holds the rows.
const ROWS: &str = "rows.sqlite";

/// What stands beside it, written last: a folder without it holds no backup.
const MANIFEST: &str = "manifest.json";

const MANIFEST_FORMAT: u32 = 1;

/// What a backup says of itself. No secret is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// Names the backup, so that a restore that was killed goes on.
    id: String,
    /// The program that wrote it.
    version: String,
    /// The number of its last migration.
    schema: i64,
    /// What the shop ran on; it can be restored to either engine.
    engine: String,
    taken_at: String,
    file: String,
    bytes: u64,
    sha256: String,
    /// Always false: the key is kept apart from what it opens.
    holds_master_key: bool,
    /// Always false: the contents of published files lie beside the database.
    #[serde(default)]
    holds_files: bool,
    /// How many rows broke a law, in the shop as in the backup.
    broken_laws: usize,
    tables: Vec<TableSum>,
}

/// Moves every row to another database.
pub(crate) async fn run(settings: &Settings, output: &Output, arguments: &MoveArguments) -> anyhow::Result<ExitCode> {
    let from = wiring::place(settings);
    let Some(to) = &arguments.to else {
        moving::give_up(&from).await?;
        output.result(
            &json!({ "given_up": true, "database": from.to_string() }),
            &format!("The move is given up; servers start on {from} again.\nWhat had gone over is of no use: empty that database before another move."),
        )?;
        return Ok(ExitCode::SUCCESS);
    };
    let to_folder = (!is_address(to)).then(|| PathBuf::from(to));
    let to = match &to_folder {
        Some(folder) => {
            make_folder(folder)?;
            wiring::file_in(folder)
        }
        None => Place::Postgres(to.clone()),
    };
    let id = new_id();
    let sums = moving::move_rows(&from, &to, id, &mut |progress| output.progress(&progress, &shown(progress))).await?;
    let start = match &to_folder {
        Some(folder) => format!("latchkey serve --data {}", folder.display()),
        None => format!("latchkey serve --database {to}   (with its user and password; --data stays)"),
    };
    let is_elsewhere = |folder: &Path| !is_same_folder(folder, &settings.data);
    let key = match &to_folder {
        Some(folder) if is_elsewhere(folder) => {
            format!(
                "\n      copy {} there, unless LATCHKEY_MASTER_KEY is set;",
                settings.data.join("master.key").display()
            )
        }
        Some(_) | None => String::new(),
    };
    let has_files = published_files(&sums) > 0;
    // What is in the data folder stays there, and a shared folder is found from everywhere.
    let files = (has_files && settings.files.is_none()).then(|| settings.files());
    let files_told = match (&files, &to_folder) {
        (Some(files), Some(folder)) if is_elsewhere(folder) => {
            format!(
                "\n      copy {} there too, or name it with --files: the published files are in it;",
                files.display()
            )
        }
        (Some(files), None) => {
            format!(
                "\n      the published files stay in {}; with several nodes, share one folder and name it with --files;",
                files.display()
            )
        }
        (Some(_) | None, _) => String::new(),
    };
    let lines = format!(
        "Moved {} rows of {} tables from {from} to {to}; counts and digests of every table are the same.\n\
         Servers refuse {from} from now on; keep it until you trust the new one.\n\
         Next:{key}{files_told} start the servers with\n        {start}\n      and look: latchkey doctor, with the same setting.",
        total(&sums),
        sums.len()
    );
    let data = json!({
        "moved": true, "from": from.to_string(), "to": to.to_string(), "rows": total(&sums), "tables": sums,
        "files": has_files.then(|| settings.files()),
    });
    output.result(&data, &lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a backup beside whoever serves.
pub(crate) async fn back_up(
    settings: &Settings,
    output: &Output,
    arguments: &FolderArguments,
) -> anyhow::Result<ExitCode> {
    let folder = &arguments.folder;
    let from = wiring::place(settings);
    if !from.exists() {
        return Err(MoveError::Missing(from).into());
    }
    make_folder(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty: name a new folder for each backup", folder.display());
    }
    let taken_at = Clock::System.now();
    let file = folder.join(ROWS);
    let backed_up = moving::back_up(&from, &file, &mut |progress| output.progress(&progress, &shown(progress))).await?;
    let (bytes, sha256) = digest_of(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let manifest = Manifest {
        format: MANIFEST_FORMAT,
        id: new_id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: schema_version(),
        engine: from.engine().to_owned(),
        taken_at: taken_at.to_string(),
        file: ROWS.to_owned(),
        bytes,
        sha256,
        holds_master_key: false,
        holds_files: false,
        broken_laws: backed_up.broken.len(),
        tables: backed_up.sums,
    };
    write_manifest(folder, &manifest).with_context(|| format!("{} cannot be written", folder.display()))?;
    for finding in &backed_up.broken {
        output.talk(&format!("the shop breaks a law: {}: {}: {}", finding.law, finding.subject, finding.detail));
    }
    let key = match std::env::var_os("LATCHKEY_MASTER_KEY") {
        Some(_) => "LATCHKEY_MASTER_KEY".to_owned(),
        None => settings.data.join("master.key").display().to_string(),
    };
    let files = match published_files(&manifest.tables) {
        0 => String::new(),
        count => format!(
            "The contents of {count} published files are NOT in it: back up {} as well, after the rows.\n",
            settings.files().display()
        ),
    };
    let lines = format!(
        "Backed up {} rows of {} tables to {}; read back, and counts and digests of every table are the same.\n\
         The master key is NOT in it, and without that key no license key, no gateway credential and no signing key in it\n\
         can ever be opened: keep {key} somewhere else, safely.\n\
         {files}Next: copy the folder to another machine, and try it there: latchkey restore {}",
        total(&manifest.tables),
        manifest.tables.len(),
        folder.display(),
        folder.display(),
    );
    output.result(&manifest, &lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Brings a backup into an empty data folder or database.
pub(crate) async fn restore(
    settings: &Settings,
    output: &Output,
    arguments: &FolderArguments,
) -> anyhow::Result<ExitCode> {
    let folder = &arguments.folder;
    let manifest = read_manifest(folder)?;
    let file = folder.join(ROWS);
    let (bytes, sha256) = digest_of(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    if (bytes, &sha256) != (manifest.bytes, &manifest.sha256) {
        bail!("{} is not the file that was backed up: its digest differs", file.display());
    }
    let taken_at = Timestamp::parse(&manifest.taken_at).context("the manifest does not say when it was taken")?;
    make_folder(&settings.data)?;
    let to = wiring::place(settings);
    let backup = Backup { file: &file, id: &manifest.id, taken_at, sums: &manifest.tables };
    let now = Clock::System.now();
    let held = moving::restore(&backup, &to, now, &mut |progress| output.progress(&progress, &shown(progress))).await?;
    let key = settings.data.join("master.key");
    let has_key = key.exists() || std::env::var_os("LATCHKEY_MASTER_KEY").is_some();
    let needs_key = if has_key {
        String::new()
    } else {
        format!("\n      put the master key of that shop into {} (chmod 600) or LATCHKEY_MASTER_KEY;", key.display())
    };
    let missing = missing_contents(settings, &to).await?;
    let needs_files = match missing.len() {
        0 => String::new(),
        count => format!(
            "\n      bring back {}: {count} contents of published files are missing there, {} bytes;",
            settings.files().display(),
            missing.iter().map(|content| content.size).sum::<u64>()
        ),
    };
    let lines = format!(
        "Restored {} rows of {} tables, as of {taken_at}, into {to}; counts and digests of every table are the same.\n\
         No mail is sent again by itself: {held} that waited then are held, as are those that follow from what the\n\
         gateways tell of the time since. See Mails in the console, or: latchkey mails list\n\
         Whoever was signed in must sign in again. An API key that was revoked since works again: revoke it again.\n\
         Next:{needs_key}{needs_files} start the server. Before it answers anybody it asks every gateway what happened since the backup;\n\
         \x20     then look: latchkey doctor",
        total(&manifest.tables),
        manifest.tables.len(),
    );
    let data = json!({
        "restored": true, "database": to.to_string(), "taken_at": manifest.taken_at, "rows": total(&manifest.tables),
        "held_mails": held, "needs_master_key": !has_key,
        "files": settings.files(), "missing_contents": missing.len(),
    });
    output.result(&data, &lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether both name one folder, however they are written.
fn is_same_folder(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        // What is not there is no folder that anything could stay in.
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// How many files the rows tell of.
fn published_files(sums: &[TableSum]) -> u64 {
    sums.iter().find(|sum| sum.table == "release_files").map_or(0, |sum| sum.rows)
}

/// The contents of published files that are not where the settings say, each once.
async fn missing_contents(settings: &Settings, place: &Place) -> anyhow::Result<Vec<Content>> {
    let engine = place.open(Access::Shared).await?;
    let wanted = report::wanted(report::contents(engine.as_ref()).await?);
    let files = wiring::files(settings);
    let is_missing = |content: &Content| !matches!(files.look_for(content.digest, content.size), Ok(Found::Whole));
    Ok(wanted.into_values().filter(is_missing).collect())
}

fn total(sums: &[TableSum]) -> u64 {
    sums.iter().map(|sum| sum.rows).sum()
}

fn shown(progress: Progress) -> String {
    let Progress { table, rows, is_done, place, of } = progress;
    format!("[{place}/{of}] {table}: {rows} rows{}", if is_done { "" } else { " …" })
}

fn new_id() -> String {
    format!("{:032x}", Entropy::System.rng().next_u128())
}

fn make_folder(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))
}

/// How long a file is, and its SHA-256.
fn digest_of(file: &Path) -> io::Result<(u64, String)> {
    let mut file = fs::File::open(file)?;
    let mut digest = store::moving::FileDigest::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finish()),
            length => digest.add(&buffer[..length]),
        }
    }
}

/// Written whole or not at all: it is what makes a folder a backup.
fn write_manifest(folder: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let begun = folder.join("manifest.json.new");
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&begun)?;
    file.write_all(&serde_json::to_vec_pretty(manifest)?)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&begun, folder.join(MANIFEST))?;
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

fn read_manifest(folder: &Path) -> anyhow::Result<Manifest> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).with_context(|| {
        format!("{} cannot be read: is this the folder of a backup that ended well?", path.display())
    })?;
    let manifest: Manifest =
        serde_json::from_slice(&text).with_context(|| format!("{} is no manifest", path.display()))?;
    if manifest.format != MANIFEST_FORMAT || manifest.schema != schema_version() {
        bail!(
            "the backup was written by latchkey {} (schema {}), and this is {} (schema {}): restore it with that version, \
             then start this one, which brings the schema up to date",
            manifest.version,
            manifest.schema,
            env!("CARGO_PKG_VERSION"),
            schema_version()
        );
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use store::testing::Directory;

    use super::*;

    #[test]
    fn a_folder_is_the_same_however_it_is_written() {
        let folder = Directory::new();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        fs::create_dir(at("other")).unwrap();
        for (one, other, is_same) in [
            ("data", "data", true),
            ("./data", "data", true),
            ("other/../data/", "data", true),
            ("other", "data", false),
            ("data", "missing", false),
        ] {
            assert_eq!(is_same_folder(&at(one), &at(other)), is_same, "{one} {other}");
        }
    }
}
