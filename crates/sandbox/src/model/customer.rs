//! Customers: who a payment method belongs to.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::event::emit;
use super::input::{Input, Metadata, merge_metadata};
use super::list::{self, Page};
use super::moment::Moment;
use super::{Context, Object, World, method, owned, owned_mut};

/// A buyer, as the merchant knows them at the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    id: String,
    account: String,
    created: Moment,
    /// Where mail goes.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    phone: Option<String>,
    description: Option<String>,
    address: Option<Metadata>,
    preferred_locales: Vec<String>,
    default_method: Option<String>,
    metadata: Metadata,
    deleted: bool,
}

impl Object for Customer {
    const NOUN: &'static str = "customer";
    fn id(&self) -> &str {
        &self.id
    }
    fn account(&self) -> &str {
        &self.account
    }
    fn created(&self) -> Moment {
        self.created
    }
    fn render(&self, _world: &World) -> Value {
        if self.deleted {
            return json!({ "id": self.id, "object": "customer", "deleted": true });
        }
        json!({
            "id": self.id, "object": "customer", "address": self.address, "balance": 0,
            "created": self.created.seconds(), "currency": null, "default_source": null, "delinquent": false,
            "description": self.description, "discount": null, "email": self.email,
            "invoice_settings": { "custom_fields": null, "default_payment_method": self.default_method, "footer": null,
                                  "rendering_options": null },
            "livemode": false, "metadata": self.metadata, "name": self.name, "phone": self.phone,
            "preferred_locales": self.preferred_locales, "shipping": null, "tax_exempt": "none", "test_clock": null,
        })
    }
}

/// The parts of an address, as the API takes them.
///
/// # Errors
/// When it is no object or has unknown parts.
pub fn read_address(input: &mut Input, name: &str) -> Result<Option<Metadata>, ApiError> {
    let Some(mut parts) = input.object(name)? else { return Ok(None) };
    let mut address = Metadata::new();
    for part in ["city", "country", "line1", "line2", "postal_code", "state"] {
        if let Some(text) = parts.text(part)? {
            address.insert(part.to_owned(), text);
        }
    }
    parts.finish()?;
    Ok(Some(address))
}

/// A customer whom the hosted page makes for a buyer.
pub fn make(world: &mut World, at: &Context, email: Option<String>, name: Option<String>) -> String {
    let id = make_silently(world, at);
    if let Some(customer) = world.customers.get_mut(&id) {
        customer.email = email;
        customer.name = name;
    }
    let shown = world.customers.get(&id).map_or(Value::Null, |customer| customer.render(world));
    emit(world, at, "customer.created", shown);
    id
}

/// A customer that exists and was not deleted.
///
/// # Errors
/// `resource_missing` on `customer` otherwise.
pub fn living<'world>(world: &'world World, at: &Context, id: &str) -> Result<&'world Customer, ApiError> {
    owned(&world.customers, &at.account, id)
        .ok()
        .filter(|customer| !customer.deleted)
        .ok_or_else(|| ApiError::missing(Customer::NOUN, id).param("customer"))
}

/// `POST /v1/customers`
///
/// # Errors
/// When a parameter is wrong, or the payment method cannot be attached.
pub fn create(world: &mut World, at: &Context, input: Input) -> Result<Value, ApiError> {
    let changes = read_changes(input)?;
    let id = make_silently(world, at);
    if let Some(wanted) = &changes.payment_method {
        let attached = method::attach_checked(world, at, wanted, &id);
        if let Err(refused) = attached {
            world.customers.remove(&id);
            return Err(refused);
        }
    }
    write_changes(world, at, &id, changes)?;
    let shown = owned(&world.customers, &at.account, &id)?.render(world);
    emit(world, at, "customer.created", shown.clone());
    Ok(shown)
}

/// `GET /v1/customers/{id}`
///
/// # Errors
/// When there is none.
pub fn retrieve(world: &World, at: &Context, id: &str) -> Result<Value, ApiError> {
    Ok(owned(&world.customers, &at.account, id)?.render(world))
}

/// `POST /v1/customers/{id}`
///
/// # Errors
/// When there is none or a parameter is wrong.
pub fn update(world: &mut World, at: &Context, id: &str, input: Input) -> Result<Value, ApiError> {
    living(world, at, id)?;
    let changes = read_changes(input)?;
    write_changes(world, at, id, changes)?;
    let shown = retrieve(world, at, id)?;
    emit(world, at, "customer.updated", shown.clone());
    Ok(shown)
}

/// `DELETE /v1/customers/{id}`: detaches the payment methods.
///
/// # Errors
/// When there is none.
pub fn delete(world: &mut World, at: &Context, id: &str) -> Result<Value, ApiError> {
    living(world, at, id)?;
    for attached in method::of_customer(world, &at.account, id) {
        method::detach(world, at, &attached)?;
    }
    let shown = retrieve(world, at, id)?;
    owned_mut(&mut world.customers, &at.account, id)?.deleted = true;
    emit(world, at, "customer.deleted", shown);
    retrieve(world, at, id)
}

/// `GET /v1/customers`
///
/// # Errors
/// When a parameter is wrong.
pub fn list(world: &World, at: &Context, mut input: Input) -> Result<Value, ApiError> {
    let page = Page::read(&mut input)?;
    let email = input.text("email")?;
    input.finish()?;
    list::list(world, &world.customers, &at.account, "/v1/customers", &page, |customer| {
        !customer.deleted && (email.is_none() || customer.email == email)
    })
}

#[derive(Default)]
struct Changes {
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    description: Option<String>,
    address: Option<Metadata>,
    preferred_locales: Option<Vec<String>>,
    default_method: Option<String>,
    payment_method: Option<String>,
    metadata: Option<Metadata>,
}

fn read_changes(mut input: Input) -> Result<Changes, ApiError> {
    let mut changes = Changes {
        email: input.text("email")?,
        name: input.text("name")?,
        phone: input.text("phone")?,
        description: input.text("description")?,
        address: read_address(&mut input, "address")?,
        preferred_locales: input.texts("preferred_locales")?,
        payment_method: input.text("payment_method")?,
        metadata: input.metadata("metadata")?,
        default_method: None,
    };
    if let Some(mut settings) = input.object("invoice_settings")? {
        changes.default_method = settings.text("default_payment_method")?;
        settings.finish()?;
    }
    if changes.email.as_deref().is_some_and(|email| !email.contains('@')) {
        return Err(input.wrong("email", "Invalid email address").code("email_invalid"));
    }
    input.finish()?;
    Ok(changes)
}

fn write_changes(world: &mut World, at: &Context, id: &str, changes: Changes) -> Result<(), ApiError> {
    if let Some(default) = &changes.default_method {
        let belongs = owned(&world.methods, &at.account, default)?.customer.as_deref() == Some(id);
        if !belongs {
            let message = "The customer does not have a payment method with this ID. Attach it first.";
            return Err(ApiError::invalid(message)
                .code("resource_missing")
                .param("invoice_settings[default_payment_method]"));
        }
    }
    let customer = owned_mut(&mut world.customers, &at.account, id)?;
    customer.email = changes.email.or_else(|| customer.email.take());
    customer.name = changes.name.or_else(|| customer.name.take());
    customer.phone = changes.phone.or_else(|| customer.phone.take());
    customer.description = changes.description.or_else(|| customer.description.take());
    customer.address = changes.address.or_else(|| customer.address.take());
    customer.default_method = changes.default_method.or_else(|| customer.default_method.take());
    if let Some(locales) = changes.preferred_locales {
        customer.preferred_locales = locales;
    }
    merge_metadata(&mut customer.metadata, changes.metadata);
    Ok(())
}

fn make_silently(world: &mut World, at: &Context) -> String {
    let id = world.mint("cus", 14);
    let customer = Customer {
        id: id.clone(),
        account: at.account.clone(),
        created: at.now,
        email: None,
        name: None,
        phone: None,
        description: None,
        address: None,
        preferred_locales: Vec::new(),
        default_method: None,
        metadata: Metadata::new(),
        deleted: false,
    };
    world.customers.insert(&id, customer);
    id
}
