//! A shop's accounts at gateways. Credentials are sealed on the way in and opened on the way out.

use domain::{GatewayAccount, GatewayAccountId, Mode, ShopId};
use zeroize::Zeroizing;

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Row, RowError, Statement, Store, Vault};

const WHAT: &str = "gateway_account";

macro_rules! columns {
    () => {
        "shop_id, id, version, adapter, mode, credentials_sealed, is_active, events_read_to, created_at"
    };
}

const OF_SHOP: &str = concat!("select ", columns!(), " from gateway_accounts where shop_id = $1 order by id");
const BY_ID: &str = concat!("select ", columns!(), " from gateway_accounts where id = $1");
const INSERT: &str =
    concat!("insert into gateway_accounts (", columns!(), ") values ($1, $2, 1, $3, $4, $5, $6, $7, $8)");
const UPDATE: &str = "update gateway_accounts set version = version + 1, credentials_sealed = $4, is_active = $5, \
    events_read_to = $6 where shop_id = $1 and id = $2 and version = $3";

texts![OF_SHOP, BY_ID, INSERT, UPDATE];

/// The account with its credentials still sealed.
struct Sealed {
    account: GatewayAccount,
    credentials: Vec<u8>,
}

fn row(row: &mut Row) -> Result<Sealed, RowError> {
    let mut columns = Columns::of(row);
    let (shop, id, version) = (columns.id()?, columns.id()?, columns.integer()?);
    let (adapter, mode) = (columns.text()?, columns.word("a mode", Mode::parse)?);
    let credentials = columns.bytes()?;
    let account = GatewayAccount {
        shop,
        id,
        version,
        adapter,
        mode,
        credentials: String::new(),
        is_active: columns.flag()?,
        events_read_to: columns.time()?,
        created_at: columns.time()?,
    };
    Ok(Sealed { account, credentials })
}

impl Sealed {
    fn open(self, vault: &Vault) -> Result<GatewayAccount, ReadError> {
        let corrupt = |why: &str| ReadError::Corrupt(format!("the credentials of {}: {why}", self.account.id));
        let opened: Zeroizing<Vec<u8>> = vault
            .open(Purpose::GatewayCredentials, &self.account.id.to_string(), &self.credentials)
            .map_err(|error| corrupt(&error.to_string()))?;
        let credentials = str::from_utf8(&opened).map_err(|_| corrupt("not text"))?.to_owned();
        Ok(GatewayAccount { credentials, ..self.account })
    }
}

pub(crate) fn statement(account: &GatewayAccount, vault: &Vault) -> Result<Statement, CommitError> {
    let sealed = vault.seal(Purpose::GatewayCredentials, &account.id.to_string(), account.credentials.as_bytes())?;
    Ok(match account.version {
        0 => write(
            WHAT,
            INSERT,
            values![
                account.shop,
                account.id,
                account.adapter.as_str(),
                account.mode.as_str(),
                sealed,
                account.is_active,
                account.events_read_to,
                account.created_at,
            ],
        ),
        version => write(
            WHAT,
            UPDATE,
            values![account.shop, account.id, version, sealed, account.is_active, account.events_read_to],
        ),
    })
}

impl Store {
    /// Every account of the shop, in use or not, oldest first.
    ///
    /// # Errors
    /// When the database does not answer, a row cannot be read, or credentials were sealed with another master key.
    pub async fn gateway_accounts(&self, shop: ShopId) -> Result<Vec<GatewayAccount>, ReadError> {
        let sealed = self.every(read(WHAT, OF_SHOP, values![shop]), row).await?;
        sealed.into_iter().map(|account| account.open(&self.vault)).collect()
    }

    /// The account with this id, of whichever shop: a webhook's address names nothing else.
    ///
    /// # Errors
    /// When the database does not answer, the row cannot be read, or its credentials were sealed with another master key.
    pub async fn gateway_account(&self, account: GatewayAccountId) -> Result<Option<GatewayAccount>, ReadError> {
        let sealed = self.one(read(WHAT, BY_ID, values![account]), row).await?;
        sealed.map(|account| account.open(&self.vault)).transpose()
    }
}
