//! Our languages in the words of Stripe's hosted page. Relies on the list of
//! Stripe's library 16.1.0 for Python; a language that is not in it is left
//! to the buyer's browser.

use domain::Locale;

#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hi-IN", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl",
    "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];

/// Where Spanish is that of Latin America (UN M.49, region 419).
#[rustfmt::skip]
const LATIN_AMERICA: &[&str] = &[
    "AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "PY", "SV", "UY", "VE",
];

/// The page's language.
pub(super) fn page_locale(locale: &Locale) -> &'static str {
    let find = |tag: &str| KNOWN.iter().copied().find(|known| *known == tag);
    let region = locale.region().unwrap_or_default();
    let other_name = match locale.language() {
        "es" if LATIN_AMERICA.contains(&region) => Some("es-419"),
        "hi" => Some("hi-IN"),
        // Norwegian is written Bokmål on the page, whichever Norwegian was asked for.
        "no" | "nn" => Some("nb"),
        "tl" => Some("fil"),
        "zh" if region == "MO" => Some("zh-HK"),
        _ => None,
    };
    other_name.or_else(|| find(locale.as_str())).or_else(|| find(locale.language())).unwrap_or("auto")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_page_speaks_the_nearest_language_it_knows() {
        #[rustfmt::skip]
        let table = [
            ("de", "de"), ("de-CH", "de"), ("en", "en"), ("en-US", "en"), ("en-GB", "en-GB"), ("es-ES", "es"),
            ("es-MX", "es-419"), ("fr-CA", "fr-CA"), ("fr-BE", "fr"), ("pt-BR", "pt-BR"), ("pt-PT", "pt"),
            ("zh-CN", "zh"), ("zh-TW", "zh-TW"), ("zh-MO", "zh-HK"), ("no", "nb"), ("nn-NO", "nb"), ("tl", "fil"),
            ("hi", "hi-IN"), ("fa-IR", "auto"), ("ar", "auto"), ("he", "auto"), ("ckb", "auto"),
        ];
        for (ours, theirs) in table {
            assert_eq!(page_locale(&Locale::parse(ours).unwrap()), theirs, "{ours}");
        }
    }
}
