# What mails say.

## In every mail

mail-test-mode = Test mode: no real money was moved.
mail-sold-by = Sold by
mail-tax-id = Tax ID: { $tax_id }
mail-questions = Questions? Write to { $email } or reply to this mail.
mail-link-hint = If the button does not work, open this address:

## About an order

mail-order-number = Order
mail-order-date = Date
mail-document = Document
mail-item = Item
mail-amount = Amount
mail-quantity = { NUMBER($quantity) } × { $unit_amount }
mail-total = Total
mail-paid-with = Paid with
mail-open-order = Open your order
mail-open-portal = All your licenses and devices
mail-method = { $kind ->
    [card] Card
    [sepa_debit] SEPA Direct Debit
    [paypal] PayPal
    [ideal] iDEAL | Wero
    [bank_transfer] Bank transfer
    [apple_pay] Apple Pay
    [google_pay] Google Pay
    [link] Link
    [klarna] Klarna
   *[other] { $kind }
}

## Paid

order-paid-subject = Your order { $number } at { $shop }
order-paid-title = Thank you for your order
order-paid-intro = { $count ->
    [0] Your payment has arrived.
    [one] Your payment has arrived, and here is your license key. Keep this mail: it is your receipt.
   *[other] Your payment has arrived, and here are your { NUMBER($count) } license keys. Keep this mail: it is your receipt.
}
order-paid-keys = { $count ->
    [0] What you bought
    [one] Your license key
   *[other] Your license keys
}
order-paid-key-later = On its way. You get another mail as soon as it is there.
order-paid-by-hand = Our people do this by { $date }, and you get another mail then.
order-paid-by-hand-late = Our people were to do this by { $date } and are late. We are sorry; you get another mail when it is done.
order-paid-valid-forever = Does not expire
order-paid-valid-until = Valid until { $date }
order-paid-files = The files are on your order’s page: download them there as often as you need.
mail-license-number = License number { $key }
order-paid-setup = How to start with { $product }
order-paid-receipt = Receipt
order-paid-document = Receipt for a sale
order-paid-refunds = Refunds
order-paid-terms = Your order is governed by version { $version } of our terms of sale, which you accepted.
order-paid-consent = On { $date } you asked us to supply at once, before the withdrawal period ends, and confirmed that you lose your right of withdrawal once supply has begun.

## What was still owed is there

order-fulfilled-subject = The rest of your order { $number } at { $shop }
order-fulfilled-title = What you waited for is here
order-fulfilled-intro = { $count ->
    [0] What you waited for is done. This is what we say of your order { $number }. Keep this mail.
    [one] Here is the key for your order { $number }. Keep this mail.
   *[other] Here are the { NUMBER($count) } keys for your order { $number }. Keep this mail.
}

## Payment failed

payment-failed-subject = Your payment for order { $number } did not go through
payment-failed-title = Your payment did not go through
payment-failed-intro = Your payment of { $amount } to { $shop } failed. Your order is kept, but it is not paid yet.
payment-failed-reason-none = The payment service gave no reason.
payment-failed-reason-soft = Your bank declined it for now. Often there is too little money in the account, or a limit is reached.
payment-failed-reason-update-method = The details of your card or account were not accepted. Please check them, or use another card or account.
payment-failed-reason-authenticate = Your bank wanted you to confirm the payment, and it was not confirmed.
payment-failed-reason-hard = This card or account cannot be used for the payment. Please use another one.
payment-failed-reason-revoked = The permission to charge this account was withdrawn.
payment-failed-reason-gateway-error = The payment service had a problem. It was not your card or account.
payment-failed-retry = Try again

## Refunded

order-refunded-subject = Refund for your order { $number } at { $shop }
order-refunded-title = Your money is on its way back
order-refunded-intro = We have given back { $refunded } for your order { $number }.
order-refunded-document = Refund
order-refunded-paid = Paid
order-refunded-refunded = Given back in all
order-refunded-remaining = Remains paid
order-refunded-when = It goes back the way you paid. Banks usually need five to ten days.
order-refunded-license-ended = The license of this order has ended, and its key no longer works.
order-refunded-license-ended-no-key = The license of this order has ended.
order-refunded-license-works = The license of this order keeps working.

## Code for the portal

portal-code-subject = Your code for { $shop }
portal-code-title = Your code
portal-code-intro = Enter this code to see your orders and licenses at { $shop }:
portal-code-valid = { $minutes ->
    [one] It works once, for one minute.
   *[other] It works once, for { NUMBER($minutes) } minutes.
}
portal-code-warning = If you did not ask for it, you need not do anything. Give the code to nobody: we will never ask you for it.

## Link to the console

console-link-subject = Sign in to the console of { $shop }
console-link-title = Sign in to the console
console-link-intro = This link signs you in to the console of { $shop }:
console-link-open = Sign in
console-link-valid = { $minutes ->
    [one] It works once, for one minute.
   *[other] It works once, for { NUMBER($minutes) } minutes.
}
console-link-warning = If you did not ask for it, you need not do anything. Do not pass the link on: it opens the console to whoever has it.

## About licenses

mail-keys-subject = Your license keys at { $shop }
mail-keys-title = Your license keys
mail-keys-intro = { $count ->
    [one] Somebody asked for the license key that belongs to this address. Here it is:
   *[other] Somebody asked for the license keys that belong to this address. Here they are:
}
mail-keys-closing = If you did not ask for this, you need not do anything: nobody but you received this mail.
mail-replaced-subject = Your new license key at { $shop }
mail-replaced-title = Your new license key
mail-replaced-intro = Your license has a new key. The old one has stopped working; enter the new one in the app.
mail-replaced-closing = If neither you nor we did this at your wish, answer this mail.
mail-signed-subject = Your license key at { $shop }, signed anew
mail-signed-title = Your license key, signed anew
mail-signed-intro = The key that we sign license keys with was withdrawn, so we have signed yours anew. Your license and its devices are as they were; only the text of the key is another. Enter the new one when an app asks for a key, and keep it in place of the old one, which apps no longer take:
mail-signed-closing = You did nothing wrong, and nothing is to be paid. The new key stands at the address above, too.
mail-offered-subject = A license for { $name } is offered to you
mail-offered-title = A license for you
mail-offered-intro = { $other } would like to hand a license for { $name } on to you. To take it, open this link and confirm:
mail-offered-button = Look at the offer
mail-offered-closing = The offer stands until { $until }. If you do not want it, you need not do anything. Do not pass the link on: whoever has it can take the license.
mail-offering-subject = You are handing a license for { $name } on
mail-offering-title = Your license is offered
mail-offering-intro = Your license for { $name } was offered to { $other }. It stays yours until the offer is taken, which is possible until { $until }.
mail-offering-button = See or withdraw the offer
mail-offering-closing = If this was not you, withdraw the offer and answer this mail.
mail-transferred-subject = Your license for { $name } was handed on
mail-transferred-title = Your license was handed on
mail-transferred-intro = { $other } has taken your license for { $name }. It does not belong to you any more.
mail-transferred-closing = Your receipt stays valid. If this was not your wish, answer this mail.
mail-received-subject = Your license at { $shop }
mail-received-title = A license is yours
mail-received-intro = This license belongs to you from now on. Here is its key:
mail-received-closing = Under the address above you see your devices; sign in with the address that this mail went to.

## To the seller: a stock gets low

pool-low-subject = Few codes are left in { $pool }
pool-low-title = Few codes are left in { $pool }
pool-low-free = { $free ->
    [0] No code is left to be handed out.
    [one] One code is left to be handed out.
   *[other] { NUMBER($free) } codes are left to be handed out.
}
pool-low-waiting = { $waiting ->
    [0] Nobody is waiting for one.
    [one] One paid unit is waiting for one. It is served as soon as codes are there.
   *[other] { NUMBER($waiting) } paid units are waiting for one. They are served as soon as codes are there, whoever has waited longest first.
}
pool-low-open = Add codes

## Messages about an order

message-shop-subject = A message about your order { $number } at { $shop }
message-shop-title = { $shop } wrote to you about your order { $number }
message-shop-answer = Open your order and answer there
message-buyer-subject = A message about order { $number }
message-buyer-title = A buyer wrote about order { $number }
message-buyer-intro = What they wrote stands in the console, and your answer goes to them by mail. You get no further mail about it for an hour, whatever more they write.
message-buyer-open = Read and answer
