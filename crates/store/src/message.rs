//! What buyers and shops write to each other. It is written and read, never changed, and sealed at rest.

use domain::{Author, Message, MessageBody, MessageId, OrderId, ShopId, Timestamp};

use crate::column::Columns;
use crate::statement::{read, texts, values, write};
use crate::{CommitError, Purpose, ReadError, Row, RowError, Statement, Store, Vault};

const WHAT: &str = "message";

/// More than is written about an order.
const MOST: u32 = 500;

macro_rules! columns {
    () => {
        "shop_id, id, order_id, place, author, body_sealed, at"
    };
}

const BY_ID: &str = concat!("select ", columns!(), " from messages where shop_id = $1 and id = $2");
const OF_ORDER: &str =
    concat!("select ", columns!(), " from messages where shop_id = $1 and order_id = $2 order by place desc limit $3");
const INSERT: &str = concat!("insert into messages (", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7)");

texts![BY_ID, OF_ORDER, INSERT];

struct SealedMessage {
    shop: ShopId,
    id: MessageId,
    order: OrderId,
    place: u32,
    author: Author,
    body: Vec<u8>,
    at: Timestamp,
}

fn row(row: &mut Row) -> Result<SealedMessage, RowError> {
    let mut columns = Columns::of(row);
    Ok(SealedMessage {
        shop: columns.id()?,
        id: columns.id()?,
        order: columns.id()?,
        place: columns.count()?,
        author: columns.word("an author", Author::parse)?,
        body: columns.bytes()?,
        at: columns.time()?,
    })
}

impl SealedMessage {
    fn open(self, vault: &Vault) -> Result<Message, ReadError> {
        let Self { shop, id, order, place, author, body, at } = self;
        let corrupt = |why: String| ReadError::Corrupt(format!("the body of {id}: {why}"));
        let opened =
            vault.open(Purpose::Message, &id.to_string(), &body).map_err(|error| corrupt(error.to_string()))?;
        let body = str::from_utf8(&opened).ok().and_then(|text| MessageBody::parse(text).ok());
        let body = body.ok_or_else(|| corrupt("not a message".to_owned()))?;
        Ok(Message { id, shop, order, place, author, body, at })
    }
}

/// # Errors
/// When the body cannot be sealed; nothing is committed then.
pub(crate) fn statement(message: &Message, vault: &Vault) -> Result<Statement, CommitError> {
    let body = vault.seal(Purpose::Message, &message.id.to_string(), message.body.as_str().as_bytes())?;
    Ok(write(
        WHAT,
        INSERT,
        values![message.shop, message.id, message.order, message.place, message.author.to_text(), body, message.at,],
    ))
}

impl Store {
    /// The message with this id.
    ///
    /// # Errors
    /// When the database does not answer, or the message was sealed with another master key.
    pub async fn message(&self, shop: ShopId, message: MessageId) -> Result<Option<Message>, ReadError> {
        let sealed = self.one(read(WHAT, BY_ID, values![shop, message]), row).await?;
        sealed.map(|message| message.open(&self.vault)).transpose()
    }

    /// What was written about an order, the oldest first; the last five hundred.
    ///
    /// # Errors
    /// As [`Store::message`].
    pub async fn messages(&self, shop: ShopId, order: OrderId) -> Result<Vec<Message>, ReadError> {
        let sealed = self.every(read(WHAT, OF_ORDER, values![shop, order, MOST]), row).await?;
        sealed.into_iter().rev().map(|message| message.open(&self.vault)).collect()
    }
}
