//! The country selector, in the language of the visit and in its order.

use domain::Country;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::public::words::Words;

pub(crate) struct CountryOption {
    pub(crate) code: &'static str,
    pub(crate) name: String,
    pub(crate) is_chosen: bool,
}

/// Every country by name; letters with marks stand with those without, as in dictionaries.
pub(crate) fn options(words: &Words, chosen: Country) -> Vec<CountryOption> {
    let mut options: Vec<(String, CountryOption)> = Country::all()
        .map(|country| {
            let name = words.say(&format!("country-{country}"));
            let order = name.nfd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase).collect();
            (order, CountryOption { code: country.code(), name, is_chosen: country == chosen })
        })
        .collect();
    options.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    options.into_iter().map(|(_, option)| option).collect()
}
