//! Every code that a problem can carry, and the page that explains them.
//!
//! A problem's `doc_url` leads to `/docs/errors#<code>`. The list below is that
//! page, and `docs/errors.md` says the same; tests hold both against the code.
//! What a question about a license can end in is explained to buyers as well,
//! and so in every language: its words are messages.

use app::{Catalog, Diagnosis};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Locale;

use crate::Web;
use crate::problem::Problem;
use crate::public::frame::{Frame, page};
use crate::visit::Visit;

/// One code: what it means and what to do.
struct ErrorCode {
    code: &'static str,
    status: u16,
    cause: &'static str,
    fix: &'static str,
}

struct Section {
    title: &'static str,
    codes: &'static [ErrorCode],
}

/// What a question about a license can end in: the codes that say the same, each with the statuses that it comes with,
/// and the word that the messages explain it under.
struct LicenseCode {
    word: &'static str,
    codes: &'static [(&'static str, &'static [u16])],
}

const fn license(word: &'static str, codes: &'static [(&'static str, &'static [u16])]) -> LicenseCode {
    LicenseCode { word, codes }
}

/// The title of the section of [`LICENSE_CODES`], and the section that it stands before.
const LICENSE_SECTION: (&str, &str) = ("License endpoints", "Downloads");

/// What a verdict and an error have in common is told once. The first code of each is its word.
#[rustfmt::skip]
const LICENSE_CODES: &[LicenseCode] = &[
    license("valid", &[("valid", &[200])]),
    license("unknown", &[("unknown", &[200]), ("license_unknown", &[404])]),
    license("key_not_genuine", &[("key_not_genuine", &[200]), ("license_key_not_genuine", &[403])]),
    license("key_retired", &[("key_retired", &[200]), ("license_key_retired", &[403])]),
    license("wrong_product", &[("wrong_product", &[200]), ("license_wrong_product", &[403])]),
    license("revoked", &[("revoked", &[200]), ("license_revoked", &[403])]),
    license("suspended", &[("suspended", &[200]), ("license_suspended", &[403])]),
    license("expired", &[("expired", &[200]), ("license_expired", &[403])]),
    license("update_not_covered", &[("update_not_covered", &[200]), ("license_update_not_covered", &[403])]),
    license("not_activated", &[("not_activated", &[200, 409])]),
    license("check_in_overdue", &[("check_in_overdue", &[200, 409])]),
    license("seat_limit_reached", &[("seat_limit_reached", &[409])]),
    license("license_group_full", &[("license_group_full", &[409])]),
    license("missing_feature", &[("missing_feature", &[200, 403])]),
    license("usage_exhausted", &[("usage_exhausted", &[200, 409])]),
    license("usage_not_counted", &[("usage_not_counted", &[409])]),
    license("license_not_usable", &[("license_not_usable", &[403])]),
    license("seats_below_used", &[("seats_below_used", &[409])]),
    license("fingerprint_invalid", &[("fingerprint_invalid", &[422])]),
    license("text_invalid", &[("text_invalid", &[422])]),
    license("fingerprint_required", &[("fingerprint_required", &[422])]),
    license("ttl_out_of_range", &[("ttl_out_of_range", &[422])]),
    license("request_not_genuine", &[("request_not_genuine", &[403])]),
];

const fn code(code: &'static str, status: u16, cause: &'static str, fix: &'static str) -> ErrorCode {
    ErrorCode { code, status, cause, fix }
}

#[rustfmt::skip]
const SECTIONS: &[Section] = &[
    Section { title: "Any request", codes: &[
        code("api_key_invalid", 401, "No API key was sent, or it is mistyped or was withdrawn.", "Send `Authorization: Bearer lk_live_…` or `lk_test_…` with a key of the shop."),
        code("scope_missing", 403, "The API key works, but its scope does not cover this call.", "Use a key with the scope that `detail` names."),
        code("not_found", 404, "Nothing has this id or address, in the shop of the API key or of the host name.", "Check the id, and that it belongs to the same shop and mode as the key."),
        code("method_not_allowed", 405, "The address exists, the method does not.", "Use a method that the header `Allow` names."),
        code("too_slow", 408, "The body took more than 15 seconds to arrive, or the answer more than 60.", "Ask again; for a POST, with the same `Idempotency-Key`."),
        code("content_encoding_refused", 415, "The body has a content encoding. Signatures are over the bytes that were sent, and nothing is unpacked.", "Send the body as it is."),
        code("content_type_refused", 415, "The body is not said to be JSON.", "Send JSON, with `Content-Type: application/json`."),
        code("body_too_large", 413, "The body is larger than 64 KiB, or than 1 MiB for a webhook.", "Send less. A gateway's event of that size is not one of its documented events."),
        code("rate_limited", 429, "The API key has made its calls of a minute; the headers `RateLimit` and `RateLimit-Policy` tell how many there are.", "Come again after `Retry-After` seconds."),
        code("overloaded", 503, "More was asked at once than the server takes on. Nothing was begun, and what was accepted before goes on.", "Come again after `Retry-After` seconds; for a POST, with the same `Idempotency-Key`."),
        code("unavailable", 503, "Nobody can tell right now: storage or a gateway does not answer. It says nothing about the question.", "Ask again after `Retry-After` seconds; for a POST, with the same `Idempotency-Key`."),
        code("not_configured", 409, "The shop is not completely set up, as when no gateway account is connected.", "The shop's owner finds the reason with `latchkey doctor`."),
    ] },
    Section { title: "Reading the request", codes: &[
        code("request_malformed", 400, "The address or the head of the request cannot be read.", "Send addresses as percent-encoded UTF-8."),
        code("body_incomplete", 400, "The body did not arrive whole.", "Send it again; a POST with the same `Idempotency-Key`."),
        code("json_malformed", 400, "The body is not JSON.", "`detail` names line and column."),
        code("form_malformed", 400, "The body is not a form.", "Send `name=value` pairs, percent-encoded, as `application/x-www-form-urlencoded`."),
        code("query_malformed", 400, "What stands after the `?` cannot be read.", "Percent-encode names and values."),
        code("parameter_missing", 422, "A field that must be there is not.", "`param` names it."),
        code("parameter_invalid", 422, "A field or parameter is of the wrong kind or out of its range.", "`param` names it where it can be told; the OpenAPI description says what fits."),
        code("parameter_unknown", 422, "The body has a field, or the query a parameter, that this call does not take.", "Leave it out. Lists take `limit`, `starting_after` and `ending_before`."),
        code("idempotency_key_invalid", 422, "The header `Idempotency-Key` is empty, longer than 255 characters, or not visible ASCII.", "Send a random text, as a UUID."),
        code("idempotency_key_reused", 422, "The same `Idempotency-Key` came with another request before.", "Use a new key for every new call, and the same one only to repeat a call."),
        code("idempotency_in_flight", 409, "A request with this `Idempotency-Key` is being answered at this moment.", "Wait a second and repeat the call: it gives the answer of the first."),
    ] },
    Section { title: "Checkouts", codes: &[
        code("plan_unknown", 422, "No plan of the shop has this id or slug.", "List the plans with `GET /v1/products`."),
        code("plan_not_on_sale", 422, "The plan, or its product, is switched off.", "Offer another plan, or put it on sale again."),
        code("quantity_out_of_range", 422, "The quantity is not a whole number from 1 to what the plan allows.", "Send a JSON integer; the plan's `max_quantity` is the most."),
        code("currency_unknown", 422, "The currency is not an ISO 4217 code.", "Send a code as `EUR`."),
        code("out_of_stock", 409, "The codes that the plan sells from are all handed out, and it is sold no more until there are new ones.", "Bring codes into stock, or let the stock sell on back order."),
        code("on_back_order", 409, "The codes that the plan sells from are all handed out, and the buyer was not told that the code comes later.", "Show the checkout page again: it says so, and can be paid."),
        code("no_price_in_currency", 422, "The plan has no price in this currency.", "Use a currency of the plan's `prices`, or leave it out."),
        code("amount_out_of_range", 422, "The amounts of the order do not fit.", "Order fewer."),
        code("coupon_unknown", 422, "No coupon has this code.", "Leave the field out, or check the code."),
        code("email_invalid", 422, "The address cannot take mail; `detail` says why.", "Send one address, without a name or brackets."),
        code("country_unknown", 422, "The country is not an ISO 3166-1 alpha-2 code.", "Send a code as `DE`."),
        code("locale_invalid", 422, "The language is not a BCP 47 tag.", "Send a tag as `de` or `pt-BR`."),
        code("code_invalid", 422, "A code is empty, longer than 255 characters, or looks like a card number.", "Leave it out, or send it as it was made; `param` names its place."),
        code("code_made_elsewhere", 409, "What the buyer holds was made elsewhere, so no other can be made here.", "Send the buyer another code, or give the money back."),
        code("plan_is_bundle", 409, "The plan sells others together, and has no licenses of its own.", "Name the plans that are in it, one by one."),
        code("code_from_stock", 409, "The content of this license comes out of a stock, and nobody chooses which code.", "Bring codes into the stock; who waits is served by itself."),
        code("nothing_owed", 409, "The key of this license was made here, and nothing else is owed.", "Send content only for licenses whose plan is fulfilled by hand or by your program."),
        code("fulfilled_otherwise", 409, "The buyer has other content already, and what was handed out is never taken back.", "Read the license to see what it is."),
        code("content_taken", 409, "Another license has this content, or a stock holds it: a code goes to one buyer.", "Send a code that was handed to nobody."),
        code("name_invalid", 422, "The name is empty, longer than 200 characters, or looks like a card number.", "Send the name as one line of text, or leave it out."),
        code("url_invalid", 422, "The address is not an absolute http or https address of up to 2000 characters.", "Send it whole, with `https://`, percent-encoded, without user or password."),
        code("metadata_too_large", 422, "There are too many notes, or one is too long.", "A checkout takes 50 entries, names of 40 and values of 500 characters; an activation 20, 40 and 200."),
        code("card_number_refused", 422, "A text looks like a card number. Card numbers are never kept here.", "Remove it. Cards are typed on the gateway's page only."),
        code("checkout_expired", 409, "The checkout can no longer be paid.", "Open a new one."),
        code("checkout_completed", 409, "The checkout was paid already.", "Read its order."),
        code("consent_missing", 422, "A consumer in the European Union did not agree to immediate supply.", "The buyer ticks the box on the checkout page."),
        code("answer_missing", 422, "What the plan asks must be answered before paying, and was not.", "The buyer answers it on the checkout page; `detail` names the question."),
        code("answer_invalid", 422, "An answer has more than 200 characters, is not one of the choices, looks like a card number, or answers no question of the plan.", "`param` names the question, `detail` says what is wrong; the plan's `questions` say what is asked."),
    ] },
    Section { title: "Pages", codes: &[
        code("messages_unanswered", 409, "A buyer wrote many messages about the order that are not answered yet.", "Wait for an answer; what was written stands on the page of the order."),
        code("message_unreadable", 409, "The buyer of the order can read no message: it is not paid, or has no address.", "Write to the buyer another way."),
        code("submitted_otherwise", 409, "Pay was pressed before for this visit, with other answers.", "Open the page of the plan again: that is another visit, and another order."),
    ] },
    Section { title: "Refunds", codes: &[
        code("order_not_paid", 409, "Nothing was paid for the order, so nothing can be given back.", "Read the order's payments."),
        code("no_surplus", 409, "A surplus was to be given back, and the order was paid once, or the surplus is back or on its way.", "Read the order's refunds."),
        code("refund_exceeds_payment", 422, "More was asked for than is left of the payment.", "`detail` says how much is left; leave `amount` out to give back all of it."),
        code("refund_not_positive", 422, "The amount is zero or below.", "Send an amount above zero."),
        code("currency_mismatch", 409, "The amount is in another currency than the payment.", "Use the order's currency, or send the amount as a plain number of minor units."),
    ] },
    Section { title: "Customers", codes: &[
        code("email_taken", 409, "Another customer of the shop has this address.", "Correct an order of that customer, or choose another address."),
    ] },
    Section { title: "Licenses by hand and in the portal", codes: &[
        code("release_quota_reached", 409, "The owner freed as many devices as the plan allows in so many days.", "Wait until the moment that `detail` names, deactivate in the app, or let the shop free the device."),
        code("rotation_quota_reached", 409, "The owner took as many new keys as are given in thirty days.", "Wait until the moment that `detail` names, or let the shop replace the key."),
        code("transfer_quota_reached", 409, "The license was offered to others as often as is allowed in thirty days.", "Wait until the moment that `detail` names, or let the shop move the license."),
        code("transfer_to_owner", 409, "The license belongs to this customer already.", "Name another address."),
        code("transfer_over", 409, "The offer was taken or withdrawn, or its time is over.", "Let the owner offer the license again."),
        code("batch_differs", 409, "The batch was begun with another plan, or another number of licenses.", "Go on with what it was begun with, or begin another."),
        code("customer_unknown", 422, "The shop has no customer with this address or id.", "Name somebody who bought, or was given a license; `GET /v1/customers` lists them."),
        code("license_state_unfit", 409, "What is to be done does not go with the state of the license, as suspending one that is suspended.", "Read the license."),
        code("not_undoable", 409, "The event tells of nothing that can be undone.", "Undo only what was changed by hand."),
        code("changed_since", 409, "What is to be undone was changed again since, or the money of its order says something else by now.", "Read the license, and change it as it should be."),
        code("group_unknown", 422, "The shop has no group with this id.", "List the groups with `GET /v1/groups`; leave a license out of any with `null`."),
        code("group_licenses_reached", 409, "The group has as many licenses as it takes.", "Let the group take more, or take another license out of it."),
        code("group_below_used", 409, "The group holds more licenses, or more seats, than it would be allowed.", "`detail` says how many; take licenses out or free seats first."),
        code("group_not_empty", 409, "A group is deleted when no license is in it, also none that was taken back.", "Take its licenses out: `GET /v1/licenses?group=…` lists them."),
    ] },
    Section { title: "Downloads", codes: &[
        code("download_link_invalid", 403, "The link was changed or cut off, or its license has another owner or another key by now.", "Open the order's page, or ask again with the key: both make a new link."),
        code("download_link_ended", 410, "The link is older than 24 hours.", "Open the order's page, or ask again with the key: both make a new link."),
        code("release_withdrawn", 410, "The seller took this version back.", "Take another version of the list."),
        code("release_not_out", 403, "The seller moved the day of this version, and it is still to come.", "Come again when it is out, or take another version of the list."),
        code("range_not_satisfiable", 416, "The file has no such part; `Content-Range` says how long it is.", "Ask for a part that it has, or for all of it."),
        code("content_differs", 412, "`If-Match` names another content than the file has.", "Download the file from its beginning."),
        code("release_file_missing", 503, "The file was published, and its content is not where it should be.", "Come again when `Retry-After` says. The shop's owner finds out with `latchkey doctor`, and publishes the same file again."),
        code("too_many_downloads", 429, "As many downloads of this license are under way as one license has at once.", "Wait until one of them is done; `Retry-After` says when to come again."),
    ] },
    Section { title: "Webhooks in", codes: &[
        code("signature_missing", 401, "The message carries no signature.", "Only the gateway may call this address."),
        code("signature_malformed", 401, "The signature cannot be read.", "Check that no proxy changes headers."),
        code("signature_mismatch", 401, "The signature was not made over these bytes with a secret of this account.", "Compare the webhook secret with the gateway's; check that no proxy changes the body."),
        code("signature_outside_tolerance", 401, "The message was signed too long ago, or in the future.", "Check the server's clock; gateways sign each try anew."),
        code("webhook_secret_missing", 401, "The gateway account has no webhook secret, so nothing can be proven.", "Enter the secret that the gateway shows for this address."),
        code("body_malformed", 401, "The signature holds, but the message is not one that the gateway sends.", "Check that the address belongs to this gateway."),
    ] },
    Section { title: "What a gateway reports", codes: &[
        code("amount_mismatch", 409, "The gateway reports another amount than the payment is for.", "A person must look: the notice is parked and can be applied again."),
        code("mode_mismatch", 409, "A report of test money for a live payment, or the other way round.", "Compare the keys of the gateway account with the mode of the shop."),
        code("account_mismatch", 409, "The report came for another gateway account than the payment was sent to.", "Compare the webhook addresses at the gateway."),
        code("reference_mismatch", 409, "The report names our payment but another object at the gateway.", "A person must look: the notice is parked and can be applied again."),
        code("payment_unknown", 404, "The report names an order or payment that is not here.", "Check whether another installation uses the same gateway account."),
    ] },
    Section { title: "Pages", codes: &[
        code("foreign_form", 403, "A form was sent from another site.", "Send it from the shop's own page."),
    ] },
];

/// One of [`LICENSE_CODES`] in the language of the visit.
struct LicenseEntry {
    codes: Vec<(&'static str, String)>,
    diagnosis: Diagnosis,
}

fn statuses(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn license_entries(catalog: &Catalog, locale: &Locale) -> Vec<LicenseEntry> {
    let entry = |entry: &LicenseCode| LicenseEntry {
        codes: entry.codes.iter().map(|(code, told)| (*code, statuses(told))).collect(),
        diagnosis: catalog.diagnosis(locale, entry.word),
    };
    LICENSE_CODES.iter().map(entry).collect()
}

#[derive(Template)]
#[template(path = "api/error_code.html")]
struct ErrorCodes<'a> {
    frame: &'a Frame,
    sections: &'a [Section],
    /// Title of the section of licenses, and of the one that follows it.
    license_section: (&'static str, &'static str),
    licenses: Vec<LicenseEntry>,
}

pub(crate) async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let frame = Frame::new(&web, &visit, "Error codes".to_owned());
    let licenses = license_entries(&web.app.catalog, frame.words.locale());
    let codes = ErrorCodes { frame: &frame, sections: SECTIONS, license_section: LICENSE_SECTION, licenses };
    page(StatusCode::OK, &frame, &codes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;
    use std::fmt::Write as _;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn listed() -> impl Iterator<Item = &'static ErrorCode> {
        SECTIONS.iter().flat_map(|section| section.codes)
    }

    /// Every code, with whether it is told as an error.
    fn every_code() -> impl Iterator<Item = (&'static str, bool)> {
        let of_licenses = LICENSE_CODES.iter().flat_map(|entry| entry.codes);
        let of_licenses = of_licenses.map(|(code, statuses)| (*code, statuses.iter().any(|status| *status != 200)));
        listed().map(|entry| (entry.code, true)).chain(of_licenses)
    }

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect()
    }

    /// The second argument of every call of these functions, where it is a literal.
    fn second_arguments(code: &str) -> Vec<String> {
        // Wherever the formatter broke the lines.
        let code = code.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
        ["Problem::new(", "Problem::invalid(", "Self::new(StatusCode"]
            .iter()
            .flat_map(|call| code.split(call).skip(1))
            .filter_map(|rest| rest.split(',').nth(1)?.trim().strip_prefix('"')?.strip_suffix('"').map(str::to_owned))
            .collect()
    }

    /// What the arms of a `code()` give.
    fn arms(code: &str) -> Vec<String> {
        let body = code.split_once("fn code(").unwrap().1;
        let body = body.split_once("\n    }\n").unwrap().0;
        body.lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\",").map(str::to_owned)).collect()
    }

    #[test]
    fn every_code_that_a_problem_can_carry_is_explained() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut told: BTreeSet<String> = BTreeSet::new();
        for path in sources(&here.join("src")).iter().filter(|path| !path.ends_with("error_code.rs")) {
            let code = fs::read_to_string(path).unwrap();
            let code = code.split("#[cfg(test)]").next().unwrap();
            // However the lines are broken.
            let code = &code.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
            told.extend(second_arguments(code));
            // Chosen first, told later.
            told.extend(
                every_code()
                    .filter(|(known, is_error)| *is_error && code.contains(&format!("(\"{known}\", ")))
                    .map(|(known, _)| known.to_owned()),
            );
        }
        for path in ["../domain/src/refusal.rs", "../gateways/src/notice.rs"] {
            told.extend(arms(&fs::read_to_string(here.join(path)).unwrap()));
        }
        let listed: BTreeSet<String> =
            every_code().filter(|(_, is_error)| *is_error).map(|(code, _)| code.to_owned()).collect();
        assert!(told.len() > 40, "the search finds the codes: {told:?}");
        assert_eq!(told.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "codes that nobody explains");
        assert_eq!(listed.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "codes that nothing gives");
    }

    #[test]
    fn every_code_is_explained_once_and_in_sentences() {
        let mut seen = BTreeSet::new();
        for (code, _) in every_code() {
            assert!(seen.insert(code), "{code} stands twice");
        }
        for entry in listed() {
            assert!(StatusCode::from_u16(entry.status).is_ok_and(|status| !status.is_success()), "{}", entry.code);
            assert!(entry.cause.ends_with('.') && entry.fix.ends_with('.'), "{}", entry.code);
        }
    }

    #[test]
    fn every_way_a_license_question_can_end_is_explained() {
        let words: BTreeSet<&str> = LICENSE_CODES.iter().map(|entry| entry.word).collect();
        assert_eq!(words, app::explained().collect());
        for entry in LICENSE_CODES {
            assert_eq!(entry.codes[0].0, entry.word);
        }
        let verdicts = LICENSE_CODES.iter().flat_map(|entry| entry.codes).filter(|(_, told)| told.contains(&200));
        let described: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let described = &described["components"]["schemas"]["Validation"]["properties"]["code"]["enum"];
        let described: BTreeSet<&str> =
            described.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(verdicts.map(|(code, _)| *code).collect::<BTreeSet<_>>(), described, "the verdicts of a validation");
    }

    fn license_table() -> String {
        let catalog = Catalog::new(None).unwrap();
        let mut table = format!(
            "\n## {}\n\nA validation answers with 200 and its verdict; the other calls answer with an error. The first \
             reason that holds is told. The server tells all of this at `/docs/errors` in the language of the reader. What \
             apps asked and were told is kept: [diagnosis.md](diagnosis.md).\n\n| code | cause | the buyer | support |\n\
             | --- | --- | --- | --- |\n",
            LICENSE_SECTION.0
        );
        for LicenseEntry { codes, diagnosis } in license_entries(&catalog, &Locale::parse("en").unwrap()) {
            let codes: Vec<String> = codes.iter().map(|(code, status)| format!("`{code}` {status}")).collect();
            let Diagnosis { cause, buyer, support } = diagnosis;
            writeln!(table, "| {} | {cause} | {buyer} | {support} |", codes.join(", ")).unwrap();
        }
        table
    }

    #[test]
    fn the_document_says_what_the_page_says() {
        let mut document = String::from(
            "# Error codes\n\nEvery error is `application/problem+json` (RFC 9457) with a stable `code`; `doc_url` leads to \
             this list on the server itself, at `/docs/errors`. `retryable` says whether the same request may work later.\n",
        );
        for section in SECTIONS {
            if section.title == LICENSE_SECTION.1 {
                document.push_str(&license_table());
            }
            write!(
                document,
                "\n## {}\n\n| code | status | cause | what to do |\n| --- | --- | --- | --- |\n",
                section.title
            )
            .unwrap();
            for ErrorCode { code, status, cause, fix } in section.codes {
                writeln!(document, "| `{code}` | {status} | {cause} | {fix} |").unwrap();
            }
        }
        let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md")).unwrap();
        assert!(document == kept, "docs/errors.md must be\n{document}");
    }
}
