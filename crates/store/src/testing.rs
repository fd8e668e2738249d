//! Real databases for tests: a file in a directory of its own, a database on a server of its own.
//!
//! The PostgreSQL server is started once in a test process and ends with it,
//! however the process ends. `LATCHKEY_TEST_POSTGRES` names a running server
//! instead, as `postgres://user:password@host:port`. Behind the feature
//! `testing`; nothing of it is in the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "a test asks its environment for a server")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::postgres::{Postgres, PostgresOptions};
use crate::sqlite::{Sqlite, SqliteOptions};
use crate::{Engine, Store, Vault, migrate};

/// The master key of every store in a test.
pub const MASTER_KEY: [u8; 32] = [42; 32];

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn number() -> u32 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// An empty directory that is removed when it is dropped.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default that makes a directory would surprise")]
    pub fn new() -> Self {
        // A process that was killed has left its own behind, and its number is given to another one day.
        loop {
            let path = std::env::temp_dir().join(format!("latchkey-test-{}-{}", std::process::id(), number()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Self(path),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "a directory for the test: {error}");
                }
            }
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A migrated store on SQLite, with the directory that it lives in.
pub async fn sqlite_store() -> (Store, Directory) {
    let directory = Directory::new();
    let engine = Sqlite::open(&directory.path().join("shop.db"), SqliteOptions::default()).expect("SQLite opens");
    (migrated(Arc::new(engine)).await, directory)
}

/// A migrated store in a PostgreSQL database of its own.
pub async fn postgres_store() -> Store {
    postgres_store_at(&postgres_database().await).await
}

/// A store in the PostgreSQL database at this address.
///
/// # Panics
/// When it does not open.
pub async fn postgres_store_at(url: &str) -> Store {
    let engine = Postgres::open(url, PostgresOptions::default()).await.expect("PostgreSQL opens");
    migrated(Arc::new(engine)).await
}

async fn migrated(engine: Arc<dyn Engine>) -> Store {
    migrate(engine.as_ref()).await.expect("the migrations run");
    Store::new(engine, Arc::new(Vault::from_master_key(MASTER_KEY).expect("a vault")))
}

/// The address of a new, empty database on the server of this test process.
pub async fn postgres_database() -> String {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    match std::env::var("LATCHKEY_TEST_POSTGRES") {
        Ok(url) => create_database(url.trim_end_matches('/')).await,
        Err(_) => create_database(SERVER.get_or_init(|| PostgresServer::start("")).url()).await,
    }
}

async fn create_database(server: &str) -> String {
    let name = format!("latchkey_test_{}_{}", std::process::id(), number());
    let (client, connection) = tokio_postgres::connect(&format!("{server}/postgres"), tokio_postgres::NoTls)
        .await
        .unwrap_or_else(|error| panic!("no PostgreSQL at {server}: {error}"));
    let driver = tokio::spawn(connection);
    client.batch_execute(&format!("drop database if exists {name}")).await.expect("an old database of that name goes");
    client.batch_execute(&format!("create database {name}")).await.expect("a database for the test");
    drop(client);
    driver.await.expect("the connection ends").expect("the connection ends well");
    format!("{server}/{name}")
}

/// A PostgreSQL server in a temporary directory, which ends and is removed when the test process ends.
pub struct PostgresServer {
    url: String,
    directory: PathBuf,
    keeper: Child,
}

/// Starts the server and ends it when standard input closes, which the kernel sees to whatever becomes of the test.
const KEEPER: &str = r#"
set -eu
if [ -n "$8" ]; then directory=$8; else directory=$(mktemp -d "$7/latchkey-postgres-XXXXXX"); fi
server=
# At once, without a last checkpoint: nobody will read these files again.
end() {
    if [ -n "$server" ]; then kill -QUIT "$server" 2>/dev/null && wait "$server" || true; fi
    rm -rf "$directory"
}
trap end EXIT
trap 'exit 1' HUP INT TERM
if [ -n "$8" ]; then
    # Whoever had it is gone, with the machine.
    rm -f "$directory/data/postmaster.pid"
elif [ -n "$6" ]; then
    "$1/pg_basebackup" -D "$directory/data" -d "$6" -R -X stream -c fast >"$directory/log" 2>&1 \
        || { cat "$directory/log" >&2; exit 1; }
else
    "$1/initdb" -D "$directory/data" -U latchkey -A trust -E UTF8 --locale=C -N >"$directory/log" 2>&1 \
        || { cat "$directory/log" >&2; exit 1; }
fi
{
    echo "listen_addresses = '127.0.0.1'"
    echo "port = $2"
    echo "unix_socket_directories = '$directory'"
    echo "max_connections = 200"
    echo "deadlock_timeout = 50ms"
    echo "$3"
    if [ -n "$4" ]; then echo "ssl = on"; fi
} >>"$directory/data/postgresql.conf"
(umask 077; printf '%s' "$4" >"$directory/data/server.crt"; printf '%s' "$5" >"$directory/data/server.key")
# Whatever those files say of it: they may be those of a server that did not sync.
"$1/postgres" -D "$directory/data" ${8:+-c fsync=on} >>"$directory/log" 2>&1 </dev/null &
server=$!
for attempt in $(seq 600); do
    if grep -qE '^(ready|standby)' "$directory/data/postmaster.pid" 2>/dev/null; then
        echo "ready $directory"
        break
    fi
    if ! kill -0 "$server" 2>/dev/null; then cat "$directory/log" >&2; exit 1; fi
    sleep 0.05
done
cat >/dev/null
"#;

/// How a server is started.
struct Launch<'a> {
    /// A line more of its configuration.
    configuration: &'a str,
    /// What it shows to those who want TLS, and the key to it, both in PEM; none when empty.
    certificate: &'a str,
    key: &'a str,
    /// Whom it follows; nobody when empty.
    primary: &'a str,
    /// Where it makes a folder for its files.
    parent: &'a Path,
    /// The folder whose files it goes on with; a new one when empty.
    existing: &'a str,
}

impl Default for Launch<'_> {
    fn default() -> Self {
        Self { configuration: "", certificate: "", key: "", primary: "", parent: Path::new("/tmp"), existing: "" }
    }
}

impl PostgresServer {
    /// Starts a server with this line more in its configuration, durable as in a shop.
    ///
    /// # Panics
    /// When no PostgreSQL is installed, or it does not start.
    #[must_use]
    pub fn start(configuration: &str) -> Self {
        Self::launch(&Launch { configuration, ..Launch::default() })
    }

    /// Starts a server whose files are in this folder, which anybody may write in.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    #[must_use]
    pub fn start_in(folder: &Path) -> Self {
        Self::launch(&Launch { parent: folder, ..Launch::default() })
    }

    /// Starts a server over the files that another one, started in this folder, has left there; `None`: it does not
    /// start over them.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn start_again_in(folder: &Path) -> Option<Self> {
        let left = std::fs::read_dir(folder).expect("the folder").filter_map(|entry| Some(entry.ok()?.path()));
        let left = left.into_iter().find(|path| path.join("data").exists()).expect("what a server has left");
        Self::try_launch(&Launch { existing: &left.to_string_lossy(), ..Launch::default() })
    }

    /// Starts another server that follows this one, under this name; no commit waits for it until one is told to.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    #[must_use]
    pub fn standby(&self, name: &str) -> Self {
        let primary = format!("{}/postgres?application_name={name}", self.url);
        Self::launch(&Launch { configuration: "hot_standby = on", primary: &primary, ..Launch::default() })
    }

    /// Starts a server that offers TLS with this certificate and its key, both in PEM.
    ///
    /// # Panics
    /// As [`PostgresServer::start`].
    #[must_use]
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::launch(&Launch { certificate, key, ..Launch::default() })
    }

    fn launch(launch: &Launch<'_>) -> Self {
        Self::try_launch(launch)
            .unwrap_or_else(|| panic!("PostgreSQL of {} does not start", postgres_binaries().display()))
    }

    fn try_launch(launch: &Launch<'_>) -> Option<Self> {
        let binaries = postgres_binaries();
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        // PostgreSQL refuses to run as root.
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
            #[cfg(unix)]
            return std::os::unix::fs::MetadataExt::uid(&own) == 0;
            #[cfg(not(unix))]
            return false;
        });
        let mut command = if is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut keeper = command
            .current_dir("/")
            .args(["-c", KEEPER, "keeper"])
            .arg(&binaries)
            .arg(port.to_string())
            .args([launch.configuration, launch.certificate, launch.key, launch.primary])
            .arg(launch.parent)
            .arg(launch.existing)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut ready = String::new();
        BufReader::new(keeper.stdout.take().expect("its output")).read_line(&mut ready).expect("a line of it");
        let Some(directory) = ready.trim().strip_prefix("ready ").map(PathBuf::from) else {
            let _ = keeper.wait();
            return None;
        };
        Some(Self { url: format!("postgres://latchkey@127.0.0.1:{port}"), directory, keeper })
    }

    /// `kill -9`, of the server and of every process that it has started: as when its machine is lost.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Every process of it stands still.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stand_still(&self) {
        self.signal("-STOP");
    }

    /// It goes on from where it stood.
    ///
    /// # Panics
    /// When it does not run.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let file = std::fs::read_to_string(self.directory.join("data/postmaster.pid")).expect("a running server");
        let server = file.lines().next().expect("its number").to_owned();
        let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
        let all = std::iter::once(server.as_str()).chain(children.split_whitespace());
        let told = Command::new("kill").arg(signal).args(all).stderr(Stdio::null()).status();
        told.expect("the program kill");
    }

    /// The address, without a database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new, empty database here.
    pub async fn database(&self) -> String {
        create_database(&self.url).await
    }
}

/// Runs statements on the database at this address, past everything that a shop would say to it.
///
/// # Panics
/// When one fails.
pub async fn run_on(url: &str, statements: &[&str]) {
    let client = client(url).await;
    for statement in statements {
        client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

/// The first column of the first row, as text, of a question to the database at this address.
///
/// # Panics
/// When it fails or gives no row.
pub async fn ask_on(url: &str, question: &str) -> String {
    let answer = client(url).await.query_one(question, &[]).await;
    answer.unwrap_or_else(|error| panic!("{question}: {error:?}")).get(0)
}

async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap_or_else(|error| panic!("no PostgreSQL at {url}: {error}"));
    tokio::spawn(connection);
    client
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut input) = self.keeper.stdin.take() {
            let _ = input.flush();
        }
        let _ = self.keeper.wait();
    }
}

/// The newest that the distribution has, or what is in the path.
fn postgres_binaries() -> PathBuf {
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    installed.sort();
    installed.reverse();
    installed.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    installed
        .into_iter()
        .find(|directory| directory.join("initdb").exists() && directory.join("postgres").exists())
        .expect(
            "PostgreSQL is not installed: install it, name a running server in LATCHKEY_TEST_POSTGRES, \
             or leave these tests out with `--workspace -E 'not test(postgres)'`",
        )
}
