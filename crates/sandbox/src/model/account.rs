//! An account: what a secret key opens. It comes to be when its key is first used.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{ApiError, ErrorKind};
use super::moment::Moment;
use super::{Context, World};

/// A merchant at the simulated gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    id: String,
    /// The name that buyers see on the hosted page, where it has one of its own.
    pub name: Option<String>,
    created: Moment,
}

/// The account that this secret key opens, made on first use.
///
/// # Errors
/// When the key is not a test key: a simulated gateway has no use for a live one.
pub fn open(world: &mut World, now: Moment, secret_key: &str) -> Result<String, ApiError> {
    let refuse = |message: String| ApiError::new(401, ErrorKind::InvalidRequest, message);
    if secret_key.is_empty() {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization header, \
                       using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
        return Err(refuse(message.to_owned()));
    }
    if secret_key.starts_with("sk_live_") || secret_key.starts_with("rk_live_") {
        let message = "This is a simulated gateway. It takes test keys only: sk_test_…".to_owned();
        return Err(refuse(message).code("api_key_live_in_test"));
    }
    let tail = secret_key.strip_prefix("sk_test_").unwrap_or_default();
    let well_formed =
        !tail.is_empty() && tail.len() <= 240 && tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !well_formed {
        let shown: String = secret_key.chars().take(8).collect();
        return Err(refuse(format!("Invalid API Key provided: {shown}****")).code("api_key_invalid"));
    }
    if let Some(account) = world.accounts.get(secret_key) {
        return Ok(account.id.clone());
    }
    let id = world.mint("acct", 16);
    let account = Account { id: id.clone(), name: None, created: now };
    world.accounts.insert(secret_key, account);
    Ok(id)
}

/// The name that buyers of this account see.
#[must_use]
pub fn seller_name(world: &World, account: &str) -> String {
    find(world, account).and_then(|found| found.name.clone()).unwrap_or_else(|| world.seller_name.clone())
}

/// Gives the account of this key another name on the hosted page.
///
/// # Errors
/// When the key is not a test key.
pub fn rename(world: &mut World, now: Moment, secret_key: &str, name: &str) -> Result<(), ApiError> {
    open(world, now, secret_key)?;
    if let Some(account) = world.accounts.get_mut(secret_key) {
        account.name = Some(name.to_owned());
    }
    Ok(())
}

/// `GET /v1/account`
///
/// # Errors
/// Never for an account that `open` returned.
pub fn retrieve(world: &World, at: &Context) -> Result<Value, ApiError> {
    let account = find(world, &at.account).ok_or_else(|| ApiError::missing("account", &at.account))?;
    let name = seller_name(world, &at.account);
    Ok(json!({
        "id": account.id, "object": "account", "created": account.created.seconds(),
        "business_profile": { "name": name, "url": null, "support_email": null },
        "settings": { "dashboard": { "display_name": name, "timezone": "Etc/UTC" } },
        "charges_enabled": true, "payouts_enabled": true, "details_submitted": true,
        "country": "DE", "default_currency": "eur", "type": "standard",
        "capabilities": { "card_payments": "active", "sepa_debit_payments": "active", "transfers": "active" },
    }))
}

fn find<'world>(world: &'world World, account: &str) -> Option<&'world Account> {
    world.accounts.oldest_first().map(|(_, _, row)| row).find(|row| row.id == account)
}
