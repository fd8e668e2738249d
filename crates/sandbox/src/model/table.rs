//! Rows by id, in the order in which they came, remembering which were touched.
//!
//! The journal writes what `take_changes` returns; a world read back from those
//! changes is the world that wrote them.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One row as it was written last; `row` is null when it was removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which table.
    pub table: String,
    /// The row's id.
    pub id: String,
    /// Its place in the order of arrival.
    pub position: u64,
    /// What it holds.
    pub row: Option<Value>,
}

/// A table of the world.
#[derive(Debug)]
pub struct Table<T> {
    rows: BTreeMap<String, (u64, T)>,
    order: BTreeMap<u64, String>,
    touched: BTreeSet<String>,
    next_position: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), order: BTreeMap::new(), touched: BTreeSet::new(), next_position: 0 }
    }
}

impl<T> Table<T> {
    /// The row of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id).map(|(_, row)| row)
    }

    /// The row of this id, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let (_, row) = self.rows.get_mut(id)?;
        self.touched.insert(id.to_owned());
        Some(row)
    }

    /// Adds a row, or replaces the one of that id in its place.
    pub fn insert(&mut self, id: &str, row: T) {
        let position = self.rows.get(id).map_or(self.next_position, |(position, _)| *position);
        self.place(id, position, row);
        self.touched.insert(id.to_owned());
    }

    /// Takes a row out.
    pub fn remove(&mut self, id: &str) -> Option<T> {
        let (position, row) = self.rows.remove(id)?;
        self.order.remove(&position);
        self.touched.insert(id.to_owned());
        Some(row)
    }

    /// Where in the order of arrival the row stands.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<u64> {
        self.rows.get(id).map(|(position, _)| *position)
    }

    /// The position that the next new row will take.
    #[must_use]
    pub const fn next_position(&self) -> u64 {
        self.next_position
    }

    /// Rows in order of arrival.
    pub fn oldest_first(&self) -> impl DoubleEndedIterator<Item = (u64, &str, &T)> {
        self.order.iter().filter_map(|(position, id)| self.get(id).map(|row| (*position, id.as_str(), row)))
    }

    /// The row with the smallest id.
    #[must_use]
    pub fn first_by_id(&self) -> Option<(&str, &T)> {
        self.rows.first_key_value().map(|(id, (_, row))| (id.as_str(), row))
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn place(&mut self, id: &str, position: u64, row: T) {
        self.rows.insert(id.to_owned(), (position, row));
        self.order.insert(position, id.to_owned());
        self.next_position = self.next_position.max(position.saturating_add(1));
    }
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    /// What was touched since the last call, as it is now.
    ///
    /// # Errors
    /// When a row cannot be written as JSON.
    pub fn take_changes(&mut self, table: &str, into: &mut Vec<Change>) -> Result<(), serde_json::Error> {
        for id in std::mem::take(&mut self.touched) {
            into.push(match self.rows.get(&id) {
                Some((position, row)) => {
                    Change { table: table.to_owned(), id, position: *position, row: Some(serde_json::to_value(row)?) }
                }
                None => Change { table: table.to_owned(), id, position: 0, row: None },
            });
        }
        Ok(())
    }

    /// Every row, as `take_changes` would write it.
    ///
    /// # Errors
    /// When a row cannot be written as JSON.
    pub fn all(&self, table: &str, into: &mut Vec<Change>) -> Result<(), serde_json::Error> {
        for (position, id, row) in self.oldest_first() {
            let row = Some(serde_json::to_value(row)?);
            into.push(Change { table: table.to_owned(), id: id.to_owned(), position, row });
        }
        Ok(())
    }

    /// Repeats a change that was taken from another table.
    ///
    /// # Errors
    /// When the row is not of this table's shape.
    pub fn repeat(&mut self, change: Change) -> Result<(), serde_json::Error> {
        match change.row {
            Some(row) => self.place(&change.id, change.position, serde_json::from_value(row)?),
            None => {
                self.remove(&change.id);
                self.touched.remove(&change.id);
            }
        }
        Ok(())
    }
}
