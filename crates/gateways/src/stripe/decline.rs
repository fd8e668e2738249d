//! What Stripe's decline codes ask for next, as one table.
//!
//! Relies on Stripe's published lists and on the networks' advice codes
//! (NOTES.md, "Declines"). Never calls an unknown code final: a new code of
//! Stripe's must not end a membership.

use domain::{Decline, DeclineClass};

use super::object::PaymentError;

/// By `decline_code`, and by the `code` of errors that have none.
#[rustfmt::skip]
const CODES: &[(&str, DeclineClass)] = &[
    // Cards: may work later with the same card.
    ("approve_with_id", DeclineClass::Soft),
    ("call_issuer", DeclineClass::Soft),
    ("card_decline_rate_limit_exceeded", DeclineClass::Soft),
    ("card_declined", DeclineClass::Soft),
    ("card_velocity_exceeded", DeclineClass::Soft),
    ("charge_exceeds_source_limit", DeclineClass::Soft),
    ("charge_exceeds_transaction_limit", DeclineClass::Soft),
    ("do_not_honor", DeclineClass::Soft),
    ("duplicate_transaction", DeclineClass::Soft),
    ("generic_decline", DeclineClass::Soft),
    ("insufficient_funds", DeclineClass::Soft),
    ("invalid_amount", DeclineClass::Soft),
    ("issuer_not_available", DeclineClass::Soft),
    ("no_action_taken", DeclineClass::Soft),
    ("reenter_transaction", DeclineClass::Soft),
    ("service_not_allowed", DeclineClass::Soft),
    ("try_again_later", DeclineClass::Soft),
    ("withdrawal_count_limit_exceeded", DeclineClass::Soft),
    // Cards: another card, or other data of the same.
    ("card_not_supported", DeclineClass::UpdateMethod),
    ("currency_not_supported", DeclineClass::UpdateMethod),
    ("expired_card", DeclineClass::UpdateMethod),
    ("incorrect_address", DeclineClass::UpdateMethod),
    ("incorrect_cvc", DeclineClass::UpdateMethod),
    ("incorrect_number", DeclineClass::UpdateMethod),
    ("incorrect_pin", DeclineClass::UpdateMethod),
    ("incorrect_postal_code", DeclineClass::UpdateMethod),
    ("incorrect_zip", DeclineClass::UpdateMethod),
    ("invalid_card_type", DeclineClass::UpdateMethod),
    ("invalid_cvc", DeclineClass::UpdateMethod),
    ("invalid_expiry_month", DeclineClass::UpdateMethod),
    ("invalid_expiry_year", DeclineClass::UpdateMethod),
    ("invalid_number", DeclineClass::UpdateMethod),
    ("invalid_pin", DeclineClass::UpdateMethod),
    ("new_account_information_available", DeclineClass::UpdateMethod),
    ("offline_pin_required", DeclineClass::UpdateMethod),
    ("online_or_offline_pin_required", DeclineClass::UpdateMethod),
    ("pin_try_exceeded", DeclineClass::UpdateMethod),
    ("testmode_charges_only", DeclineClass::UpdateMethod),
    ("testmode_decline", DeclineClass::UpdateMethod),
    // Strong customer authentication.
    ("authentication_failure", DeclineClass::Authenticate),
    ("authentication_required", DeclineClass::Authenticate),
    ("mobile_device_authentication_required", DeclineClass::Authenticate),
    ("payment_intent_action_required", DeclineClass::Authenticate),
    ("payment_intent_authentication_failure", DeclineClass::Authenticate),
    ("setup_intent_authentication_failure", DeclineClass::Authenticate),
    ("three_d_secure_authentication_not_supported", DeclineClass::Authenticate),
    // Cards: this one will not work again.
    ("do_not_try_again", DeclineClass::Hard),
    ("invalid_account", DeclineClass::Hard),
    ("lost_card", DeclineClass::Hard),
    ("not_permitted", DeclineClass::Hard),
    ("pickup_card", DeclineClass::Hard),
    ("restricted_card", DeclineClass::Hard),
    ("security_violation", DeclineClass::Hard),
    ("stolen_card", DeclineClass::Hard),
    ("transaction_not_allowed", DeclineClass::Hard),
    // The payer took the permission back: network codes R0, R1, R3, and mandates that ended.
    ("billing_invalid_mandate", DeclineClass::Revoked),
    ("debit_authorization_not_match", DeclineClass::Revoked),
    ("debit_disputed", DeclineClass::Revoked),
    ("debit_not_authorized", DeclineClass::Revoked),
    ("india_recurring_payment_mandate_canceled", DeclineClass::Revoked),
    ("payment_intent_mandate_invalid", DeclineClass::Revoked),
    ("revocation_of_all_authorizations", DeclineClass::Revoked),
    ("revocation_of_authorization", DeclineClass::Revoked),
    ("setup_intent_mandate_invalid", DeclineClass::Revoked),
    ("stop_payment_order", DeclineClass::Revoked),
    // Suspected fraud.
    ("fraudulent", DeclineClass::Fraud),
    ("merchant_blacklist", DeclineClass::Fraud),
    // Bank debits.
    ("generic_could_not_process", DeclineClass::Soft),
    ("refer_to_customer", DeclineClass::Soft),
    ("account_number_invalid", DeclineClass::UpdateMethod),
    ("bank_account_bad_routing_numbers", DeclineClass::UpdateMethod),
    ("branch_does_not_exist", DeclineClass::UpdateMethod),
    ("incorrect_account_holder_address", DeclineClass::UpdateMethod),
    ("incorrect_account_holder_name", DeclineClass::UpdateMethod),
    ("incorrect_account_holder_tax_id", DeclineClass::UpdateMethod),
    ("invalid_account_number", DeclineClass::UpdateMethod),
    ("invalid_currency", DeclineClass::UpdateMethod),
    ("routing_number_invalid", DeclineClass::UpdateMethod),
    ("sepa_unsupported_account", DeclineClass::UpdateMethod),
    ("account_closed", DeclineClass::Hard),
    ("account_frozen", DeclineClass::Hard),
    ("bank_account_closed", DeclineClass::Hard),
    ("bank_account_declined", DeclineClass::Hard),
    ("bank_account_restricted", DeclineClass::Hard),
    ("bank_account_unusable", DeclineClass::Hard),
    ("bank_ownership_changed", DeclineClass::Hard),
    ("no_account", DeclineClass::Hard),
    ("payment_method_bank_account_blocked", DeclineClass::Hard),
    ("recipient_deceased", DeclineClass::Hard),
    // Wallets and redirects.
    ("payment_intent_payment_attempt_expired", DeclineClass::Soft),
    ("payment_intent_payment_attempt_failed", DeclineClass::Soft),
    ("payment_method_provider_decline", DeclineClass::Soft),
    ("expired_payment_method", DeclineClass::UpdateMethod),
    ("payment_method_currency_mismatch", DeclineClass::UpdateMethod),
    ("payment_method_customer_decline", DeclineClass::UpdateMethod),
    ("payment_method_restricted", DeclineClass::UpdateMethod),
    ("payment_method_unactivated", DeclineClass::UpdateMethod),
    // Not the method's fault.
    ("payment_method_not_available", DeclineClass::GatewayError),
    ("payment_method_provider_timeout", DeclineClass::GatewayError),
    ("processing_error", DeclineClass::GatewayError),
    ("three_d_secure_authentication_upstream_error", DeclineClass::GatewayError),
];

/// Mastercard's merchant advice codes, which Visa's and Stripe's own advice is mapped onto.
#[rustfmt::skip]
const NETWORK_ADVICE: &[(&str, DeclineClass)] = &[
    ("01", DeclineClass::UpdateMethod), // new account information
    ("02", DeclineClass::Soft),         // try again later
    ("03", DeclineClass::Hard),         // do not try again
    ("04", DeclineClass::UpdateMethod), // token requirements not met
    ("21", DeclineClass::Revoked),      // the payer ended the recurring payment
    ("24", DeclineClass::Soft),         // after 1 hour
    ("25", DeclineClass::Soft),         // after 24 hours
    ("26", DeclineClass::Soft),         // after 2 days
    ("27", DeclineClass::Soft),         // after 4 days
    ("28", DeclineClass::Soft),         // after 6 days
    ("29", DeclineClass::Soft),         // after 8 days
    ("30", DeclineClass::Soft),         // after 10 days
    ("40", DeclineClass::UpdateMethod), // prepaid card that cannot be loaded
    ("41", DeclineClass::UpdateMethod), // virtual card for a single use
    ("42", DeclineClass::Hard),         // sanctions
];

const STRIPE_ADVICE: &[(&str, DeclineClass)] = &[
    ("confirm_card_data", DeclineClass::UpdateMethod),
    ("do_not_try_again", DeclineClass::Hard),
    ("try_again_later", DeclineClass::Soft),
];

/// The decline that an error tells of.
pub(super) fn decline(error: &PaymentError) -> Decline {
    let code = error.decline_code.as_deref().or(error.code.as_deref()).unwrap_or("unknown");
    Decline { class: class(error), code: printable(code) }
}

fn class(error: &PaymentError) -> DeclineClass {
    // `code` says more than `decline_code` only when the latter is new to us.
    let by_code = find(CODES, error.decline_code.as_deref())
        .or_else(|| find(CODES, error.code.as_deref()))
        .unwrap_or(DeclineClass::Soft);
    let advice = find(NETWORK_ADVICE, error.network_advice_code.as_deref())
        .or_else(|| find(STRIPE_ADVICE, error.advice_code.as_deref()));
    match (by_code, advice) {
        (class, None) => class,
        // The buyer is never told of a suspicion, whatever else is advised.
        (DeclineClass::Fraud, Some(_)) => DeclineClass::Fraud,
        // "Later" does not help a buyer who must prove who they are.
        (DeclineClass::Authenticate, Some(DeclineClass::Soft)) => DeclineClass::Authenticate,
        (_, Some(advised)) => advised,
    }
}

fn find(table: &[(&str, DeclineClass)], code: Option<&str>) -> Option<DeclineClass> {
    let code = code?;
    table.iter().find(|(known, _)| *known == code).map(|(_, class)| *class)
}

/// Codes are open: whatever comes is kept short and safe to print.
fn printable(code: &str) -> String {
    code.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '_').take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(decline_code: &str, advice: Option<&str>, network_advice: Option<&str>, expected: DeclineClass) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let error = PaymentError {
            code: Some("card_declined".to_owned()),
            decline_code: Some(decline_code.to_owned()),
            advice_code: owned(advice),
            network_advice_code: owned(network_advice),
            ..PaymentError::default()
        };
        assert_eq!(
            decline(&error),
            Decline { class: expected, code: decline_code.to_owned() },
            "{decline_code} {advice:?} {network_advice:?}"
        );
    }

    #[test]
    fn a_code_asks_for_what_helps() {
        #[rustfmt::skip]
        let table = [
            ("insufficient_funds", DeclineClass::Soft),
            ("expired_card", DeclineClass::UpdateMethod),
            ("authentication_required", DeclineClass::Authenticate),
            ("lost_card", DeclineClass::Hard),
            ("stolen_card", DeclineClass::Hard),
            ("revocation_of_authorization", DeclineClass::Revoked),
            ("fraudulent", DeclineClass::Fraud),
            ("processing_error", DeclineClass::GatewayError),
            ("a_code_of_next_year", DeclineClass::Soft),
        ];
        for (code, class) in table {
            check(code, None, None, class);
        }
    }

    #[test]
    fn advice_outranks_the_code_and_the_networks_outranks_stripes() {
        check("do_not_honor", Some("do_not_try_again"), None, DeclineClass::Hard);
        check("do_not_honor", Some("confirm_card_data"), None, DeclineClass::UpdateMethod);
        check("do_not_honor", Some("try_again_later"), Some("03"), DeclineClass::Hard);
        check("do_not_honor", None, Some("21"), DeclineClass::Revoked);
        check("invalid_account", None, Some("01"), DeclineClass::UpdateMethod);
        check("lost_card", None, Some("25"), DeclineClass::Soft);
        check("do_not_honor", Some("next_year"), Some("99"), DeclineClass::Soft);
    }

    #[test]
    fn advice_never_tells_of_a_suspicion_nor_waits_for_an_authentication() {
        check("fraudulent", Some("try_again_later"), Some("02"), DeclineClass::Fraud);
        check("authentication_required", Some("try_again_later"), None, DeclineClass::Authenticate);
        check("authentication_required", None, Some("03"), DeclineClass::Hard);
    }

    #[test]
    fn an_error_without_a_decline_code_is_read_by_its_code() {
        let error = |code: &str| PaymentError { code: Some(code.to_owned()), ..PaymentError::default() };
        assert_eq!(decline(&error("payment_intent_mandate_invalid")).class, DeclineClass::Revoked);
        assert_eq!(decline(&error("payment_intent_mandate_invalid")).code, "payment_intent_mandate_invalid");
        let nothing = decline(&PaymentError::default());
        assert_eq!((nothing.class, nothing.code.as_str()), (DeclineClass::Soft, "unknown"));
        assert_eq!(decline(&error("<b>\n\u{202e}x")).code, "bx");
    }

    #[test]
    fn no_code_stands_in_a_table_twice() {
        for table in [CODES, NETWORK_ADVICE, STRIPE_ADVICE] {
            for (place, (code, _)) in table.iter().enumerate() {
                assert!(!table[..place].iter().any(|(earlier, _)| earlier == code), "{code}");
            }
        }
    }
}
