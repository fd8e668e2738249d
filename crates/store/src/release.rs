//! Versions of products and their files. The content of a file is not here; its row says what it is known by.

use std::collections::HashMap;

use domain::{
    ContentDigest, FileName, ProductId, Published, Release, ReleaseFile, ReleaseFileId, ReleaseId, ShopId, Timestamp,
};

use crate::column::Columns;
use crate::page::all;
use crate::statement::{read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Rows, Statement, Store};

const WHAT: &str = "release";

/// What collides when two publish the same name at once.
const FILE: &str = "release file";

macro_rules! columns {
    () => {
        "shop_id, id, version, product_id, number, notes, published_at, withdrawn_at, created_at"
    };
}

macro_rules! file_columns {
    () => {
        "shop_id, id, release_id, name, platform, size, digest, created_at"
    };
}

/// The newest of a product that came out before a moment.
macro_rules! newest {
    ($columns:expr, $condition:literal) => {
        concat!(
            "select ",
            $columns,
            " from releases where shop_id = $1 and product_id = $2 and published_at < $3",
            $condition,
            " order by published_at desc, id desc limit $4"
        )
    };
}

macro_rules! files_of {
    ($releases:expr) => {
        concat!(
            "select ",
            file_columns!(),
            " from release_files where shop_id = $1 and release_id in (",
            $releases,
            ")"
        )
    };
}

const OUT: &str = newest!(columns!(), " and withdrawn_at is null");
const FILES_OUT: &str = files_of!(newest!("id", " and withdrawn_at is null"));
const ANY_OUT: &str = newest!("1", " and withdrawn_at is null");
const EVERY: &str = newest!(columns!(), "");
const FILES_OF_EVERY: &str = files_of!(newest!("id", ""));
const BY_NUMBER: &str =
    concat!("select ", columns!(), " from releases where shop_id = $1 and product_id = $2 and number = $3");
const FILES_BY_NUMBER: &str =
    files_of!("select id from releases where shop_id = $1 and product_id = $2 and number = $3");
const FILE_BY_ID: &str = concat!("select ", file_columns!(), " from release_files where shop_id = $1 and id = $2");
const OF_FILE: &str = concat!(
    "select ",
    columns!(),
    " from releases where shop_id = $1 and id = (select release_id from release_files where shop_id = $1 and id = $2)"
);
const INSERT: &str = concat!("insert into releases (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8)");
const UPDATE: &str = "update releases set version = version + 1, notes = $4, published_at = $5, withdrawn_at = $6 \
    where shop_id = $1 and id = $2 and version = $3";
const INSERT_FILE: &str =
    concat!("insert into release_files (", file_columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8)");

texts![
    OUT,
    FILES_OUT,
    ANY_OUT,
    EVERY,
    FILES_OF_EVERY,
    BY_NUMBER,
    FILES_BY_NUMBER,
    FILE_BY_ID,
    OF_FILE,
    INSERT,
    UPDATE,
    INSERT_FILE
];

/// What is out of one product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Whether any version is out, whichever were asked for.
    pub has_any: bool,
    /// Those that were asked for, the newest first.
    pub releases: Vec<Published>,
}

fn row(row: &mut Row) -> Result<Release, RowError> {
    let mut columns = Columns::of(row);
    Ok(Release {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        product: columns.id()?,
        number: columns.text()?,
        notes: columns.text()?,
        published_at: columns.time()?,
        withdrawn_at: columns.optional_time()?,
        created_at: columns.time()?,
    })
}

fn file_row(row: &mut Row) -> Result<ReleaseFile, RowError> {
    let mut columns = Columns::of(row);
    Ok(ReleaseFile {
        shop: columns.id()?,
        id: columns.id()?,
        release: columns.id()?,
        name: columns.word("a file name", |text| FileName::parse(text).ok())?,
        platform: columns.optional_text()?,
        size: columns.quantity()?,
        digest: columns.word("a SHA-256", ContentDigest::parse)?,
        created_at: columns.time()?,
    })
}

/// Product and number of a release never change.
pub(crate) fn statement(release: &Release) -> Statement {
    let Release { shop, id, version, product, published_at, withdrawn_at, created_at, .. } = *release;
    let (number, notes) = (release.number.as_str(), release.notes.as_str());
    match version {
        0 => write(WHAT, INSERT, values![shop, id, product, number, notes, published_at, withdrawn_at, created_at]),
        version => write(WHAT, UPDATE, values![shop, id, version, notes, published_at, withdrawn_at]),
    }
}

pub(crate) fn file_statement(file: &ReleaseFile) -> Result<Statement, CommitError> {
    let size = i64::try_from(file.size)
        .map_err(|_| CommitError::Unavailable("a file is larger than a row can say".to_owned()))?;
    let (name, platform) = (file.name.as_str(), file.platform.as_deref());
    let digest = file.digest.to_string();
    let values = values![file.shop, file.id, file.release, name, platform, size, digest, file.created_at];
    Ok(write(FILE, INSERT_FILE, values))
}

impl Store {
    /// What is out of several products before this moment, in one visit to the database, in their order; of each the
    /// newest that came out before a moment of its own, and nothing but whether there is any where it has none.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn shelves(
        &self,
        shop: ShopId,
        before: Timestamp,
        wanted: &[(ProductId, Option<Timestamp>)],
        limit: u32,
    ) -> Result<Vec<Shelf>, ReadError> {
        let mut statements = Vec::new();
        for (product, own) in wanted {
            statements.push(read(WHAT, ANY_OUT, values![shop, *product, before, 1_u32]));
            if let Some(own) = own {
                let values = values![shop, *product, *own, limit];
                statements.extend([read(WHAT, OUT, values.clone()), read(FILE, FILES_OUT, values)]);
            }
        }
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let mut answers = self.engine.query(statements).await?.into_iter();
        let mut shelves = Vec::with_capacity(wanted.len());
        for (_, own) in wanted {
            let has_any = answers.next().is_some_and(|rows| !rows.is_empty());
            let releases = match own {
                Some(_) => published(answers.next().unwrap_or_default(), answers.next().unwrap_or_default())?,
                None => Vec::new(),
            };
            shelves.push(Shelf { has_any, releases });
        }
        Ok(shelves)
    }

    /// Every version of a product, withdrawn or not yet out as well, the newest first, with their files.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn releases(&self, shop: ShopId, product: ProductId, limit: u32) -> Result<Vec<Published>, ReadError> {
        let values = values![shop, product, i64::MAX, limit];
        self.published(read(WHAT, EVERY, values.clone()), read(FILE, FILES_OF_EVERY, values)).await
    }

    /// The version of this number.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn release_by_number(
        &self,
        shop: ShopId,
        product: ProductId,
        number: &str,
    ) -> Result<Option<Published>, ReadError> {
        let values = values![shop, product, number];
        let found = self.published(read(WHAT, BY_NUMBER, values.clone()), read(FILE, FILES_BY_NUMBER, values)).await?;
        Ok(found.into_iter().next())
    }

    /// A file with the release that it is of.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn release_file(
        &self,
        shop: ShopId,
        file: ReleaseFileId,
    ) -> Result<Option<(Release, ReleaseFile)>, ReadError> {
        let found = self
            .published(read(WHAT, OF_FILE, values![shop, file]), read(FILE, FILE_BY_ID, values![shop, file]))
            .await?;
        let whole = found.into_iter().next().map(|Published { release, files }| (release, files.into_iter().next()));
        Ok(whole.and_then(|(release, file)| Some((release, file?))))
    }

    /// Releases and their files in one visit to the database.
    async fn published(&self, releases: Statement, files: Statement) -> Result<Vec<Published>, ReadError> {
        let mut answers = self.engine.query(vec![releases, files]).await?.into_iter();
        published(answers.next().unwrap_or_default(), answers.next().unwrap_or_default())
    }
}

/// Releases with their files, by name.
fn published(releases: Rows, files: Rows) -> Result<Vec<Published>, ReadError> {
    let mut of_release: HashMap<ReleaseId, Vec<ReleaseFile>> = HashMap::new();
    for file in all(FILE, files, file_row)? {
        of_release.entry(file.release).or_default().push(file);
    }
    let with_files = |release: Release| {
        let mut files = of_release.remove(&release.id).unwrap_or_default();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Published { release, files }
    };
    Ok(all(WHAT, releases, row)?.into_iter().map(with_files).collect())
}
