# What went wrong and how to mend it, one message a cause.

error-title = Error: { $title }
error-summary = Please correct this

## Email address

error-email-empty = Enter your email address.
error-email-no_at = The email address has no @. It should look like name@example.com.
error-email-two_ats = The email address has more than one @. Remove one.
error-email-no_name = The email address has nothing before the @.
error-email-bad_domain = What stands after the @ is no domain. It should look like example.com.
error-email-bad_character = The email address has a space or a character that does not belong there.
error-email-too_long = The email address is too long. Check that you pasted nothing else with it.

## Till

error-country = Choose your country.
error-consent = Tick the box so that we may supply at once. Without it we cannot sell to consumers in the European Union.
error-answer-missing = “{ $label }” is missing. Please fill it in.
error-answer-too_long = “{ $label }” takes at most { NUMBER($max) } characters. Please shorten it.
error-answer-not_a_choice = For “{ $label }”, choose one of the answers in the list.
error-answer-card_number = “{ $label }” looks like a card number. Never type one here: you pay on the next page.
error-quantity-empty = Enter how many you want.
error-quantity-not_a_number = Enter the quantity as a whole number, such as 1.
error-quantity-zero = Enter a quantity of at least 1.
error-quantity-too_many = You can buy at most { NUMBER($max) } at once. Write to us if you need more.

## Portal

error-code-empty = Enter the code from the mail.
error-code-wrong = This code is wrong, used or too old. Check the eight digits, or get a new code.
error-key-empty = Enter your license key.
error-key-length = A license key has { NUMBER($length) } letters and digits. Check that you copied all of it.
error-key-symbol = The license key has a character that no key contains. Copy it from your receipt.
error-key-typo = There is a typo in the license key. Compare it with your receipt, or copy and paste it.
error-key-mismatch = This key and this order number do not belong together. Check both on your receipt.
error-request-empty = There is no request. Paste it, or choose the file.
error-request-unreadable = This is not a whole request.
error-request-newer = The request was made by a newer app than this shop knows.
error-request-damaged = The request was changed on the way.
error-request-seat = There is no such seat in this shop.
error-request-not_genuine = The request was not made with the key of this license.
error-number-empty = Enter the order number.
error-number-malformed = An order number has eight letters and digits, such as K7QM-2X9P.

## Declined payments

error-decline-insufficient_funds = Your bank declined the payment: not enough funds. Nothing was charged. Try another card or method.
error-decline-expired_card = The card has expired. Nothing was charged. Try another card.
error-decline-incorrect_cvc = The security code was wrong. Nothing was charged. Check the code on the card and try again.
error-decline-incorrect_number = The card number was wrong. Nothing was charged. Check the number and try again.
error-decline-update_method = The bank could not accept these card or account details. Nothing was charged. Check them, or try another method.
error-decline-authenticate = The bank could not confirm that it was you. Nothing was charged. Try again and confirm in your banking app, or try another method.
error-decline-gateway_error = The payment could not be processed at the moment. Nothing was charged. Try again.
error-decline-revoked = The permission to charge this account was withdrawn. Nothing was charged. Try another method.
error-decline-soft = Your bank declined the payment. Nothing was charged. Try again later, or try another method.
error-decline-hard = Your bank declined the payment and gives no reason. Nothing was charged. Try another card or method, or ask your bank.

## A license for its owner

error-device-name = Enter a name of at most 100 characters, without line breaks, or leave it empty.
error-transfer-to-owner = This is the address that the license belongs to already. Enter another one.
error-transfer-quota = This license was offered as often as is possible for now. It can be offered again on { $date }.
error-transfer-not-usable = This license does not work at present, so it cannot be handed on.
error-transfer-code = This license comes with a code that was made elsewhere and cannot be replaced, so it cannot be handed on.
error-key-quota = You have taken as many new keys as there are for now. The next one can be had on { $date }. If it is urgent, write to us.
error-key-not-usable = This license does not work at present, so there is no new key for it.
error-key-code = This license comes with a code that was made elsewhere, so there is no new key for it.
error-message-empty = Enter your message.
error-message-long = Your message is longer than 2,000 characters. Shorten it, or send it in parts.
error-message-card = There is what looks like a card number in your message. Take it out: nobody here needs it.
error-message-unanswered = You have written several messages that are not answered yet. Please wait for an answer, or write to the address below.
