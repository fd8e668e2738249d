//! The one secret that stays outside the database.
//!
//! From `LATCHKEY_MASTER_KEY` (64 hexadecimal digits), or from `master.key` in
//! the data folder, which is made on the first start, readable by its owner alone.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};

const FILE: &str = "master.key";
const VARIABLE: &str = "LATCHKEY_MASTER_KEY";

/// Reads the master key, or makes it of `random`, which gives none where there is data already: that has its own key,
/// and another one opens nothing of it.
///
/// # Errors
/// When it cannot be read or written, is not 64 hexadecimal digits, or is missing.
pub(crate) fn load(data: &Path, random: impl FnOnce() -> Option<[u8; 32]>) -> anyhow::Result<[u8; 32]> {
    if let Ok(text) = std::env::var(VARIABLE) {
        return parse(&text).with_context(|| format!("{VARIABLE} must be 64 hexadecimal digits"));
    }
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mode = fs::metadata(&path)?.permissions().mode();
            if mode & 0o077 != 0 {
                bail!("{} can be read by others: chmod 600 {}", path.display(), path.display());
            }
            parse(&text).with_context(|| format!("{} must hold 64 hexadecimal digits", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let Some(key) = random() else {
                bail!(
                    "the master key of this database is missing: put it into {} (chmod 600), or set {VARIABLE}",
                    path.display()
                );
            };
            write(&path, data, &key).with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Durable before anything is sealed with it: the file, then the folder that names it.
fn write(path: &Path, folder: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{digits}")?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}

fn parse(text: &str) -> anyhow::Result<[u8; 32]> {
    let digits = text.trim().as_bytes();
    if digits.len() != 64 {
        bail!("{} digits", digits.len());
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = std::env::temp_dir().join(format!("latchkey-master-key-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(load(&folder, || Some([7; 32])).unwrap(), [7; 32]);
        assert_eq!(load(&folder, || Some([8; 32])).unwrap(), [7; 32]);
        assert_eq!(fs::metadata(folder.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load(&folder, || Some([8; 32])).unwrap_err().to_string().contains("chmod 600"));
        fs::remove_file(folder.join(FILE)).unwrap();
        assert!(load(&folder, || None).unwrap_err().to_string().contains("is missing"));
        assert!(!folder.join(FILE).exists(), "and no other is made");
        fs::remove_dir_all(&folder).unwrap();
    }
}
