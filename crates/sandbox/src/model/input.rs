//! The parameters of a call, read by name. What nobody read is refused.
//!
//! Stripe refuses what it does not know, and so does this: a misspelt parameter
//! that is swallowed here would be money lost there.

use std::collections::BTreeMap;

use super::error::ApiError;

/// A parameter: text, or named parameters within it. Lists are named by their index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// `name=text`
    Text(String),
    /// `name[inner]=…`
    Nested(BTreeMap<String, Param>),
}

/// Text by name, as merchants attach it to objects.
pub type Metadata = BTreeMap<String, String>;

/// The parameters that are still to be read, and where they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    path: String,
    fields: BTreeMap<String, Param>,
}

impl Input {
    /// The parameters of a whole request.
    #[must_use]
    pub const fn new(fields: BTreeMap<String, Param>) -> Self {
        Self { path: String::new(), fields }
    }

    /// The full name of a parameter here, as the client wrote it.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.path) }
    }

    /// Text; absent and empty are the same.
    ///
    /// # Errors
    /// When it is not text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(Param::Text(text)) if text.is_empty() => Ok(None),
            Some(Param::Text(text)) => Ok(Some(text)),
            Some(Param::Nested(_)) => Err(self.wrong(name, "Invalid string")),
        }
    }

    /// Text that must be there.
    ///
    /// # Errors
    /// When it is missing or not text.
    pub fn required_text(&mut self, name: &str) -> Result<String, ApiError> {
        let text = self.text(name)?;
        text.ok_or_else(|| self.required(name))
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is not one.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(self.wrong(name, &format!("Invalid integer: {text}")).code("parameter_invalid_integer")),
            },
        }
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// When it is missing or not one.
    pub fn required_integer(&mut self, name: &str) -> Result<i64, ApiError> {
        let number = self.integer(name)?;
        number.ok_or_else(|| self.required(name))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(self.wrong(name, &format!("Invalid boolean: {other}"))),
        }
    }

    /// One of the values that are simulated.
    ///
    /// # Errors
    /// When it is something else; the message lists what it may be.
    pub fn choice(&mut self, name: &str, allowed: &[&str]) -> Result<Option<String>, ApiError> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) if allowed.contains(&text.as_str()) => Ok(Some(text)),
            Some(text) => {
                let message = format!("Invalid {}: {text} must be one of {}", self.name(name), allowed.join(", "));
                Err(self.wrong(name, &message))
            }
        }
    }

    /// Named parameters within this one. Call `finish` on what you get.
    ///
    /// # Errors
    /// When it is text.
    pub fn object(&mut self, name: &str) -> Result<Option<Self>, ApiError> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(Param::Text(text)) if text.is_empty() => Ok(None),
            Some(Param::Text(_)) => Err(self.wrong(name, "Invalid object")),
            Some(Param::Nested(fields)) => Ok(Some(Self { path: self.name(name), fields })),
        }
    }

    /// A list of objects, in order of their index.
    ///
    /// # Errors
    /// When it, or an item, is not that.
    pub fn objects(&mut self, name: &str) -> Result<Vec<Self>, ApiError> {
        let path = self.name(name);
        let mut objects = Vec::new();
        for (index, item) in self.items(name)? {
            match item {
                Param::Nested(fields) => objects.push(Self { path: format!("{path}[{index}]"), fields }),
                Param::Text(_) => return Err(ApiError::invalid("Invalid object").param(&format!("{path}[{index}]"))),
            }
        }
        Ok(objects)
    }

    /// A list of texts, in order of their index; `None` when it was not given.
    ///
    /// # Errors
    /// When it, or an item, is not that.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        if !self.fields.contains_key(name) {
            return Ok(None);
        }
        let path = self.name(name);
        let mut texts = Vec::new();
        for (index, item) in self.items(name)? {
            match item {
                Param::Text(text) => texts.push(text),
                Param::Nested(_) => return Err(ApiError::invalid("Invalid string").param(&format!("{path}[{index}]"))),
            }
        }
        Ok(Some(texts))
    }

    /// Metadata: at most 50 names of 40 characters with values of 500. `None` when not given.
    ///
    /// # Errors
    /// When a bound is broken.
    pub fn metadata(&mut self, name: &str) -> Result<Option<Metadata>, ApiError> {
        let cleared = matches!(self.fields.get(name), Some(Param::Text(text)) if text.is_empty());
        let Some(input) = self.object(name)? else {
            return Ok(cleared.then(Metadata::new));
        };
        let mut metadata = Metadata::new();
        for (key, value) in input.fields {
            let param = format!("{}[{key}]", input.path);
            let Param::Text(value) = value else {
                return Err(ApiError::invalid("Metadata values are strings.").param(&param));
            };
            if key.chars().count() > 40 {
                return Err(ApiError::invalid("Metadata keys have at most 40 characters.").param(&param));
            }
            if value.chars().count() > 500 {
                return Err(ApiError::invalid("Metadata values have at most 500 characters.").param(&param));
            }
            metadata.insert(key, value);
        }
        if metadata.len() > 50 {
            return Err(ApiError::invalid("Metadata has at most 50 keys.").param(&input.path));
        }
        Ok(Some(metadata))
    }

    /// Refuses what was not read.
    ///
    /// # Errors
    /// When a parameter is left: nobody here knows it.
    pub fn finish(self) -> Result<(), ApiError> {
        let unknown: Vec<String> = self.fields.keys().map(|name| self.name(name)).collect();
        let Some(first) = unknown.first() else {
            return Ok(());
        };
        let noun = if unknown.len() == 1 { "parameter" } else { "parameters" };
        Err(ApiError::invalid(format!("Received unknown {noun}: {}", unknown.join(", ")))
            .code("parameter_unknown")
            .param(first))
    }

    /// An error about a parameter here.
    #[must_use]
    pub fn wrong(&self, name: &str, message: &str) -> ApiError {
        ApiError::invalid(message).param(&self.name(name))
    }

    /// The error that a parameter is missing.
    #[must_use]
    pub fn required(&self, name: &str) -> ApiError {
        let name = self.name(name);
        ApiError::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(&name)
    }

    fn items(&mut self, name: &str) -> Result<Vec<(usize, Param)>, ApiError> {
        let fields = match self.fields.remove(name) {
            None => return Ok(Vec::new()),
            Some(Param::Text(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(Param::Text(_)) => return Err(self.wrong(name, "Invalid array")),
            Some(Param::Nested(fields)) => fields,
        };
        let mut items = Vec::new();
        for (index, item) in fields {
            match index.parse::<usize>() {
                Ok(index) => items.push((index, item)),
                Err(_) => return Err(self.wrong(name, "Invalid array")),
            }
        }
        items.sort_by_key(|(index, _)| *index);
        Ok(items)
    }
}

/// Writes new metadata over old: an empty value takes a key away, an empty map all of them.
pub fn merge_metadata(held: &mut Metadata, given: Option<Metadata>) {
    let Some(given) = given else { return };
    if given.is_empty() {
        held.clear();
    }
    for (key, value) in given {
        if value.is_empty() {
            held.remove(&key);
        } else {
            held.insert(key, value);
        }
    }
}
