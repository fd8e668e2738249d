//! A drive of its own, whose power can be cut: an image behind a loop device.
//!
//! What the kernel has handed to the drive is in the image; what it still holds in memory is not. A copy of the image,
//! taken while nobody writes to it, is what a machine finds that has lost its power at that moment.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A drive with a file system, mounted.
pub struct Drive {
    image: PathBuf,
    folder: PathBuf,
}

/// A name that nothing else on this machine has.
fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("latchkey-{what}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Drive {
    /// A new drive; `None` where nobody may make one.
    pub fn attach(megabytes: u64) -> Option<Self> {
        let drive = Self::unmounted("drive")?;
        fs::File::create(&drive.image).and_then(|file| file.set_len(megabytes << 20)).ok()?;
        told("mkfs.ext4", &["-q", "-F", path(&drive.image)])?;
        // The file system syncs what it is told to sync, and by itself hardly ever.
        drive.mount("loop,commit=300")?;
        // PostgreSQL does not run as root.
        fs::set_permissions(&drive.folder, Permissions::from_mode(0o777)).ok()?;
        Some(drive)
    }

    fn unmounted(what: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(unique(what));
        fs::create_dir(&folder).ok()?;
        Some(Self { image: folder.with_extension("image"), folder })
    }

    fn mount(&self, options: &str) -> Option<String> {
        told("mount", &["-o", options, path(&self.image), path(&self.folder)])
    }

    /// Where it is mounted.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that was written so far is on the drive.
    pub fn sync(&self) {
        told("sync", &["-f", path(&self.folder)]).expect("a sync");
    }

    /// What is found when its power is cut now. It goes on itself. Whoever writes to it has to stand still meanwhile; what
    /// the kernel writes by itself is waited for.
    pub fn cut(&self) -> Self {
        let found = Self::unmounted("found").expect("a folder");
        let stands_still = (0..50).any(|_| {
            told("cp", &["--sparse=always", path(&self.image), path(&found.image)]).expect("a copy");
            told("cmp", &["--silent", path(&self.image), path(&found.image)]).is_some()
        });
        assert!(stands_still, "the kernel writes without end");
        found.mount("loop").expect("the file system is whole");
        found
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        // Lazily: the server may have it open still when the test has failed.
        told("umount", &["-l", path(&self.folder)]);
        let _ = fs::remove_dir(&self.folder);
        let _ = fs::remove_file(&self.image);
    }
}

/// What a program says; `None` when it fails, with its reason on standard error.
pub fn told(program: &str, arguments: &[&str]) -> Option<String> {
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    if !ended.status.success() {
        eprintln!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&ended.stderr).trim());
        return None;
    }
    Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
}

pub fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
