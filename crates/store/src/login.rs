//! Links that sign in once, and the sessions that they begin. Neither can be turned back into what was handed out.

use domain::{LoginLink, LoginLinkId, Session, SessionHolder, ShopId, Timestamp};

use crate::column::Columns;
use crate::statement::{any, json, read, texts, values, write};
use crate::{CommitError, ReadError, Row, RowError, Statement, Store};

const LINK: &str = "login_link";
const SESSION: &str = "session";

macro_rules! link_columns {
    () => {
        "shop_id, id, version, holder, expires_at, used_at, failures, created_at"
    };
}

macro_rules! session_columns {
    () => {
        "shop_id, id, token_hash, holder, expires_at, created_at"
    };
}

const LINK_BY_ID: &str = concat!("select ", link_columns!(), " from login_links where shop_id = $1 and id = $2");
const COUNT_LINKS: &str = "select count(*) from login_links where shop_id = $1 and holder = $2 and created_at > $3";
const INSERT_LINK: &str =
    concat!("insert into login_links (", link_columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7)");
const UPDATE_LINK: &str = "update login_links set version = version + 1, expires_at = $4, used_at = $5, failures = $6 \
    where shop_id = $1 and id = $2 and version = $3";
const SESSION_BY_TOKEN: &str = concat!("select ", session_columns!(), " from sessions where token_hash = $1");
const INSERT_SESSION: &str = concat!("insert into sessions (", session_columns!(), ") values ($1, $2, $3, $4, $5, $6)");
const DELETE_SESSION: &str = "delete from sessions where token_hash = $1";
const DELETE_EXPIRED_LINKS: &str = "delete from login_links where expires_at < $1";
const DELETE_EXPIRED_SESSIONS: &str = "delete from sessions where expires_at < $1";

texts![
    LINK_BY_ID,
    COUNT_LINKS,
    INSERT_LINK,
    UPDATE_LINK,
    SESSION_BY_TOKEN,
    INSERT_SESSION,
    DELETE_SESSION,
    DELETE_EXPIRED_LINKS,
    DELETE_EXPIRED_SESSIONS
];

fn link_row(row: &mut Row) -> Result<LoginLink, RowError> {
    let mut columns = Columns::of(row);
    Ok(LoginLink {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        holder: columns.json("the holder of a session")?,
        expires_at: columns.time()?,
        used_at: columns.optional_time()?,
        failures: columns.count()?,
        created_at: columns.time()?,
    })
}

fn session_row(row: &mut Row) -> Result<Session, RowError> {
    let mut columns = Columns::of(row);
    Ok(Session {
        shop: columns.id()?,
        id: columns.id()?,
        token_hash: columns.bytes()?,
        holder: columns.json("the holder of a session")?,
        expires_at: columns.time()?,
        created_at: columns.time()?,
    })
}

pub(crate) fn link_statement(link: &LoginLink) -> Result<Statement, CommitError> {
    Ok(match link.version {
        0 => write(
            LINK,
            INSERT_LINK,
            values![
                link.shop,
                link.id,
                json(&link.holder)?,
                link.expires_at,
                link.used_at,
                link.failures,
                link.created_at
            ],
        ),
        version => {
            write(LINK, UPDATE_LINK, values![link.shop, link.id, version, link.expires_at, link.used_at, link.failures])
        }
    })
}

pub(crate) fn session_statement(session: &Session) -> Result<Statement, CommitError> {
    Ok(write(
        SESSION,
        INSERT_SESSION,
        values![
            session.shop,
            session.id,
            session.token_hash.as_slice(),
            json(&session.holder)?,
            session.expires_at,
            session.created_at,
        ],
    ))
}

impl Store {
    /// The link with this id, used or not, expired or not.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn login_link(&self, shop: ShopId, link: LoginLinkId) -> Result<Option<LoginLink>, ReadError> {
        self.one(read(LINK, LINK_BY_ID, values![shop, link]), link_row).await
    }

    /// How many links somebody was given since, used or not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_login_links(
        &self,
        shop: ShopId,
        holder: SessionHolder,
        since: Timestamp,
    ) -> Result<u64, ReadError> {
        let holder = json(&holder).map_err(|error| ReadError::Corrupt(error.to_string()))?;
        self.counted(read(LINK, COUNT_LINKS, values![shop, holder, since])).await
    }

    /// The session with this hash of what its cookie holds, expired or not.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn session(&self, token_hash: &[u8]) -> Result<Option<Session>, ReadError> {
        self.one(read(SESSION, SESSION_BY_TOKEN, values![token_hash]), session_row).await
    }

    /// Signs a browser out. Signing out twice is no error.
    ///
    /// # Errors
    /// When nothing was written, or nobody knows.
    pub async fn end_session(&self, token_hash: &[u8]) -> Result<(), CommitError> {
        self.engine.commit(vec![any(write(SESSION, DELETE_SESSION, values![token_hash]))]).await
    }

    /// Forgets links and sessions that ended before this moment.
    ///
    /// # Errors
    /// When nothing was written, or nobody knows.
    pub async fn forget_expired_logins(&self, ended_before: Timestamp) -> Result<(), CommitError> {
        let delete = |what, sql| any(write(what, sql, values![ended_before]));
        self.engine.commit(vec![delete(LINK, DELETE_EXPIRED_LINKS), delete(SESSION, DELETE_EXPIRED_SESSIONS)]).await
    }
}
