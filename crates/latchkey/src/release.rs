//! `releases`: versions of products and their files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use app::{App, Found, Received, ReleaseInput};
use clap::{Args, Subcommand};
use domain::{Actor, FileName, Product, Published, Shop, Timestamp, plain_text};
use serde_json::{Value, json};

use crate::config::Settings;
use crate::output::Output;
use crate::wiring;

/// After how many bytes it is told how far it has come.
const TELL_EVERY: u64 = 64 << 20;

/// More versions than any product has.
const MOST: u32 = 10_000;

/// The longest name of a version, and of a platform, in characters.
const LONGEST: usize = 60;

/// What to do with versions.
#[derive(Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Publishes a version with its files, or adds files to it. What is there already is left alone.
    Add(AddArguments),
    /// Every version with its files, the newest first.
    List(ListArguments),
    /// Takes a version back: nobody downloads it any more, and its number is not used again.
    Withdraw(VersionArguments),
    /// Reads every published content from end to end and compares it with its SHA-256.
    Verify,
}

#[derive(Args)]
pub(crate) struct AddArguments {
    /// The product, by its slug.
    product: String,
    /// What buyers see the version called, as 3.2.0.
    #[arg(value_name = "VERSION")]
    number: String,
    /// The files, under the names that buyers save them by.
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// What is new, in Markdown.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// What these files run on, as macOS.
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// When the version came out or will, as 2026-11-24T09:00:00Z; now where nothing is said. Licenses whose updates
    /// ended before do not cover it.
    #[arg(long, value_name = "TIME")]
    published_at: Option<String>,
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

#[derive(Args)]
pub(crate) struct ListArguments {
    /// The product, by its slug; every product where nothing is said.
    product: Option<String>,
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

#[derive(Args)]
pub(crate) struct VersionArguments {
    /// The product, by its slug.
    product: String,
    /// The version.
    #[arg(value_name = "VERSION")]
    number: String,
    /// The host name of the shop, where there are several.
    #[arg(long)]
    shop: Option<String>,
}

/// Does it.
pub(crate) async fn run(settings: &Settings, output: &Output, command: ReleaseCommand) -> anyhow::Result<ExitCode> {
    let wired = wiring::wire(settings, settings.listen, false).await?;
    let app = &wired.app;
    match command {
        ReleaseCommand::Add(arguments) => add(app, output, arguments).await?,
        ReleaseCommand::List(arguments) => list(app, output, &arguments).await?,
        ReleaseCommand::Withdraw(arguments) => withdraw(app, output, &arguments).await?,
        ReleaseCommand::Verify => return verify(app, output).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn product(app: &App, shop: &Shop, slug: &str) -> anyhow::Result<Product> {
    if let Some(product) = app.store.product_by_slug(shop.id, slug).await? {
        return Ok(product);
    }
    let known: Vec<String> = app.store.products(shop.id).await?.into_iter().map(|product| product.slug).collect();
    bail!("there is no product {slug}; the shop has: {}. A [[product]] in the shop file makes one", known.join(", "))
}

/// A line of text as it is kept.
fn line(what: &str, text: &str) -> anyhow::Result<String> {
    plain_text(text, LONGEST).with_context(|| format!("{what} {text:?}"))
}

async fn add(app: &App, output: &Output, arguments: AddArguments) -> anyhow::Result<()> {
    let shop = wiring::shop(app, arguments.shop.as_deref()).await?;
    let product = product(app, &shop, &arguments.product).await?;
    let published_at = match arguments.published_at.as_deref() {
        None => None,
        Some(text) => Some(
            Timestamp::parse(text)
                .with_context(|| format!("--published-at must be a time, as 2026-11-24T09:00:00Z, not {text}"))?,
        ),
    };
    let input = ReleaseInput {
        number: line("the version", &arguments.number)?,
        notes: arguments.notes,
        published_at,
        platform: arguments.platform.as_deref().map(|platform| line("--platform", platform)).transpose()?,
    };
    let mut received = Vec::new();
    for path in &arguments.paths {
        received.push((file_name(path)?, receive(app, output, path)?));
    }
    let publishing = app.publish(&product, &input, &received, Actor::System).await?;
    let (release, added) = (&publishing.release, &publishing.added);
    let name = format!("{} {}", product.name, release.number);
    let mut lines = vec![match (publishing.is_new, added.len(), publishing.changes.is_empty()) {
        (true, ..) => format!("Published {name}, out since {}:", release.published_at),
        (false, _, true) => format!("Nothing to change: {name} is out with these files."),
        (false, 0, false) => format!("Changed what is said of {name}."),
        (false, ..) => format!("Added to {name}:"),
    }];
    if publishing.is_new && release.published_at > app.clock.now() {
        lines = vec![format!("{name} comes out at {}:", release.published_at)];
    }
    lines.extend(added.iter().map(|file| format!("  {} ({} bytes, SHA-256 {})", file.name, file.size, file.digest)));
    if !publishing.changes.is_empty() {
        lines.push(format!(
            "Next: buyers find it on the pages of their orders, apps by POST {}/v1/licenses/downloads.\nThe content is \
             in {}: back that folder up as well.",
            app.settings.public_url,
            app.files()?.folder().display()
        ));
    }
    lines.extend(app.files_of_one_node()?.map(|told| format!("Mind: {told}.")));
    let report = json!({
        "release": release.id, "product": product.slug, "version": release.number,
        "published_at": release.published_at, "new": publishing.is_new, "changed": !publishing.changes.is_empty(),
        "added": added.iter().map(|file| json!({
            "name": file.name, "platform": file.platform, "size": file.size, "sha256": file.digest,
        })).collect::<Vec<Value>>(),
    });
    output.result(&report, &lines.join("\n"))
}

fn file_name(path: &Path) -> anyhow::Result<FileName> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no name that can be written down", path.display()))?;
    FileName::parse(name).with_context(|| format!("the name of {}", path.display()))
}

fn receive(app: &App, output: &Output, path: &Path) -> anyhow::Result<Received> {
    let what = || path.display().to_string();
    let file = File::open(path).with_context(what)?;
    let known = file.metadata().with_context(what)?;
    if !known.is_file() {
        bail!("{} is not a file", path.display());
    }
    let told = Told { file, far: Far::of(output, known.len()) };
    let files = app.files()?;
    files
        .receive(told, app.entropy.rng().next_u128())
        .with_context(|| format!("{} cannot be copied into {}", path.display(), files.folder().display()))
}

/// A file that tells how far it has been read.
struct Told<'a> {
    file: File,
    far: Far<'a>,
}

impl Read for Told<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.far.add(u64::try_from(read).unwrap_or_default());
        Ok(read)
    }
}

/// How far something has come, told now and then.
struct Far<'a> {
    output: &'a Output,
    of: u64,
    done: u64,
    told: u64,
    began: Instant,
}

impl<'a> Far<'a> {
    fn of(output: &'a Output, of: u64) -> Self {
        Self { output, of, done: 0, told: 0, began: Instant::now() }
    }

    fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if self.done - self.told >= TELL_EVERY {
            self.told = self.done;
            let milliseconds = self.began.elapsed().as_millis().max(1);
            let (done, left) = (u128::from(self.done), u128::from(self.of.saturating_sub(self.done)));
            let (rate, seconds) = (done * 1_000 / milliseconds, left * milliseconds / done.max(1) / 1_000);
            self.output.progress(
                &json!({ "done": self.done, "of": self.of, "per_second": rate, "seconds_left": seconds }),
                &format!("{} of {} bytes, {rate} a second, {seconds} s left", self.done, self.of),
            );
        }
    }
}

/// Exit code 1 when one of them is not what it should be.
async fn verify(app: &App, output: &Output) -> anyhow::Result<ExitCode> {
    let files = app.files()?;
    let contents = app.contents().await?;
    let mut far = Far::of(output, contents.values().map(|content| content.size).sum());
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for content in contents.values() {
        let found = match files.verify(content.digest, content.size, |read| far.add(read)) {
            Ok(Found::Whole) => continue,
            Ok(Found::Nothing) => "is missing".to_owned(),
            Ok(Found::OtherSize(size)) => format!("has {size} bytes instead of {}", content.size),
            Ok(Found::OtherContent) => "has another content than was published".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        let store::report::Content { name, product, number, digest, .. } = content;
        lines.push(format!("{name} of {product} {number} {found} (SHA-256 {digest})"));
        rows.push(json!({ "product": product, "version": number, "name": name, "sha256": digest, "found": found }));
    }
    let (count, bad) = (contents.len(), rows.len());
    let is_good = rows.is_empty();
    lines.push(match (count, is_good) {
        (0, _) => "There is no published file yet.".to_owned(),
        (_, true) => format!("Read {count} contents of {} bytes: each is what was published.", far.done),
        (_, false) => format!(
            "{bad} of {count} contents are not what was published.\nNext: bring {} back from its backup, or run latchkey \
             releases add with the same version and file.",
            files.folder().display()
        ),
    });
    output.result(&json!({ "contents": count, "bytes": far.done, "bad": rows }), &lines.join("\n"))?;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(app: &App, output: &Output, arguments: &ListArguments) -> anyhow::Result<()> {
    let shop = wiring::shop(app, arguments.shop.as_deref()).await?;
    let products = match &arguments.product {
        Some(slug) => vec![product(app, &shop, slug).await?],
        None => app.store.products(shop.id).await?,
    };
    let now = app.clock.now();
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for product in products {
        for Published { release, files } in app.store.releases(shop.id, product.id, MOST).await? {
            let how = match release.withdrawn_at {
                Some(at) => format!("withdrawn at {at}"),
                None if release.published_at > now => format!("comes out at {}", release.published_at),
                None => format!("out since {}", release.published_at),
            };
            lines.push(format!("{} {}, {how}", product.slug, release.number));
            lines.extend(files.iter().map(|file| {
                let platform = file.platform.as_ref().map(|platform| format!(", {platform}")).unwrap_or_default();
                format!("  {}{platform}, {} bytes, SHA-256 {}", file.name, file.size, file.digest)
            }));
            rows.push(json!({
                "release": release.id, "product": product.slug, "version": release.number, "notes": release.notes,
                "published_at": release.published_at, "withdrawn_at": release.withdrawn_at,
                "files": files.iter().map(|file| json!({
                    "name": file.name, "platform": file.platform, "size": file.size, "sha256": file.digest,
                })).collect::<Vec<Value>>(),
            }));
        }
    }
    if lines.is_empty() {
        lines.push("There is no version yet: latchkey releases add PRODUCT VERSION FILE publishes one.".to_owned());
    }
    output.result(&json!({ "data": rows }), &lines.join("\n"))
}

async fn withdraw(app: &App, output: &Output, arguments: &VersionArguments) -> anyhow::Result<()> {
    let shop = wiring::shop(app, arguments.shop.as_deref()).await?;
    let product = product(app, &shop, &arguments.product).await?;
    let number = line("the version", &arguments.number)?;
    let is_done = match app.withdraw(&product, &number, Actor::System).await {
        Ok(is_done) => is_done,
        Err(app::Error::NotFound { .. }) => {
            let known = app.store.releases(shop.id, product.id, MOST).await?;
            let known: Vec<&str> = known.iter().map(|published| published.release.number.as_str()).collect();
            bail!("there is no version {number} of {}; there are: {}", product.slug, known.join(", "))
        }
        Err(error) => return Err(error.into()),
    };
    let name = format!("{} {number}", product.name);
    let text = if is_done {
        format!(
            "Took {name} back: links to its files lead nowhere from now on.\nNext: publish what is mended under another \
             version."
        )
    } else {
        format!("Nothing to change: {name} was withdrawn before.")
    };
    output.result(&json!({ "product": product.slug, "version": number, "changed": is_done }), &text)
}
