//! `expand[]`: ids replaced by what they stand for.

use serde_json::Value;

use super::error::ApiError;
use super::table::Table;
use super::{Context, Object, World, owned, refund, session};

const DEEPEST: usize = 4;

/// Replaces the ids along these paths in an object or a list.
///
/// # Errors
/// When a path leads to nothing that can be expanded.
pub fn expand(world: &World, at: &Context, shown: &mut Value, paths: &[String]) -> Result<(), ApiError> {
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() > DEEPEST {
            let message = format!("You cannot expand more than {DEEPEST} levels of a property. Property: {path}");
            return Err(ApiError::invalid(message).param("expand"));
        }
        walk(world, at, shown, &steps, path)?;
    }
    Ok(())
}

fn walk(world: &World, at: &Context, shown: &mut Value, steps: &[&str], path: &str) -> Result<(), ApiError> {
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    match shown {
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(world, at, item, steps, path)),
        Value::Object(fields) => {
            let kind = fields.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
            let id = fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(list) = included(world, &kind, &id, step) {
                fields.insert((*step).to_owned(), list);
            }
            let Some(value) = fields.get_mut(*step) else { return Err(refused(path)) };
            match value {
                Value::Null => Ok(()),
                Value::String(id) => {
                    *value = by_id(world, at, id).ok_or_else(|| refused(path))?;
                    walk(world, at, value, rest, path)
                }
                Value::Array(_) | Value::Object(_) => walk(world, at, value, rest, path),
                Value::Bool(_) | Value::Number(_) => Err(refused(path)),
            }
        }
        Value::Null => Ok(()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(refused(path)),
    }
}

/// Lists that an object holds only when asked for.
fn included(world: &World, kind: &str, id: &str, step: &str) -> Option<Value> {
    match (kind, step) {
        ("charge", "refunds") => Some(refund::of_charge(world, id)),
        ("checkout.session", "line_items") => world.sessions.get(id).map(session::render_lines),
        _ => None,
    }
}

fn by_id(world: &World, at: &Context, id: &str) -> Option<Value> {
    fn find<T: Object>(world: &World, at: &Context, table: &Table<T>, id: &str) -> Option<Value> {
        owned(table, &at.account, id).ok().map(|row| row.render(world))
    }
    match id.split_once('_')?.0 {
        "ch" => find(world, at, &world.charges, id),
        "cs" => find(world, at, &world.sessions, id),
        "cus" => find(world, at, &world.customers, id),
        "du" => find(world, at, &world.disputes, id),
        "mandate" => find(world, at, &world.mandates, id),
        "pi" => find(world, at, &world.intents, id),
        "pm" => find(world, at, &world.methods, id),
        "re" => find(world, at, &world.refunds, id),
        "seti" => find(world, at, &world.setup_intents, id),
        "txn" => find(world, at, &world.balance, id),
        _ => None,
    }
}

fn refused(path: &str) -> ApiError {
    ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
}
