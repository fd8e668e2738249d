//! What a query or a form says, field by field. Unknown fields are ignored and
//! missing ones are empty, so that a page never fails for the sake of its address.

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// One field alone.
    pub(crate) fn of(name: &str, value: &str) -> Self {
        Self(vec![(name.to_owned(), value.to_owned())])
    }

    /// Fields that were read already.
    pub(crate) fn of_pairs(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The first field of this name, or nothing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }
}

/// An address with these parameters; empty ones are left out.
pub(crate) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let given: Vec<_> = parameters.iter().filter(|(_, value)| !value.is_empty()).collect();
    if given.is_empty() {
        return path.to_owned();
    }
    // Pairs of texts can always be written.
    format!("{path}?{}", serde_urlencoded::to_string(given).unwrap_or_default())
}
