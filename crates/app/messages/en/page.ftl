# What the shop's pages say.

## Around every page

page-skip = Skip to content
page-navigation = Shop
page-portal = My licenses
page-terms = Terms of sale
page-refunds = Refunds
page-language = Language
page-language-choose = Change language
page-tax-id = Tax ID
page-test-mode = Test mode: no real money moves.
page-to-shop = To the shop

## When a page cannot be shown

failure-not_found-title = This page does not exist
failure-not_found = Check the address, or start from the shop. An order’s page opens from the link in your receipt mail.
failure-foreign_form-title = This form was not sent from our page
failure-foreign_form = For your safety nothing was done. Open the page again and send the form from there.
failure-not_configured-title = This shop cannot take payments yet
failure-not_configured = Nothing was charged. The seller has not connected a way to pay; please come back later or write to the address below.
failure-not_on_sale-title = This is not on sale
failure-not_on_sale = It was taken off sale, or it has no price for your country. The shop shows what you can buy.
failure-unavailable-title = We cannot answer right now
failure-unavailable = Nothing is lost and nothing was done twice. Please try again in a moment.
failure-refused-title = This cannot be done
failure-refused = The request does not fit how things stand now. Open the page again to see what is possible.
failure-broken-title = Something went wrong on our side
failure-broken = Please try again in a moment. If it stays like this, write to the address below and name this number.
failure-request = Number of this request:
failure-download-title = This file cannot be downloaded
failure-download-link-invalid = The link was changed or cut off, or its license has another owner or another key by now. Open your order, or the license in “My licenses”: a new link is there.
failure-download-link-ended = Links of files work for 24 hours, and this one is older. Open your order, or the license in “My licenses”: a new link is there.
failure-download-withdrawn = The seller has taken this version back. Your order shows the versions that there are.
failure-download-not-out = The seller has moved the day of this version: it is not out yet. Your order shows the versions that there are.
failure-download-many = Many downloads of this license are under way already. Let one of them end, then come again.
failure-download-missing = The file is not where it should be, and that is our fault. Please write to the address below.
failure-code = Code:

## Prices

price-from = from { $price }
price-only = { $price }
price-from-quantity = From { NUMBER($quantity) } on: { $price } each
price-tax-included = Taxes included
price-country = Prices for buyers from
price-show = Show prices

## Shop and product

storefront-empty = Nothing is on sale here yet. Please come back soon.
storefront-look = See editions and prices
product-tiers = Editions and prices
product-choose = Choose { $plan }
product-later = Ordered on demand: the code comes by mail
product-out = Out of stock at the moment
product-about = About
terms-version = Version { $version }

## Till

till-title = Buy { $name }
till-summary = Your order
till-tiers = Edition
till-quantity = Quantity
till-update = Update total
till-units = { NUMBER($quantity) } × { $price }
till-total = Total
till-buyer = Your details
till-email = Email address
till-email-hint = Your license key and your receipt go here.
till-email-hint-no-key = Your receipt and everything about your order go here.
till-optional = { $label } (optional)
till-choose = Please choose
till-country = Country
till-consent = I ask you to supply at once, before the withdrawal period ends. I know that I lose my right of withdrawal as soon as supply begins.
till-pay = Pay { $total }
till-mandate = By pressing “{ $button }” you place a binding order with { $seller } and accept the terms of sale.
till-terms = Terms of sale, version { $version } (opens in a new tab)
till-next = You pay on the next page, which belongs to our payment provider. Your card details never reach us.
till-later = There is no code in stock right now. You can order all the same: yours is reserved in order of payment and comes by mail as soon as there is stock.
till-out = This is out of stock at the moment and cannot be bought.
till-stock-changed = The stock changed while you were deciding. Please look at what is said below before you pay.
till-seller = Seller
till-cancel = Back to the seller’s site
till-changed = The total has changed. Please check it and press the button once more.
till-asked-changed = What we ask has changed. Please look at the questions and press the button once more.

checkout-title = Complete your order
checkout-continue-title = Your payment is not finished
checkout-continue = Your order is waiting for you. Nothing has been charged yet.
checkout-continue-button = Continue payment: { $total }
checkout-declined-title = Your payment did not go through
checkout-declined = Your order is kept. Choose another way to pay, or try again.
checkout-expired-title = This checkout has expired
checkout-expired = Nothing was charged. You can start again with the same contents; the price is the one that is valid now.
checkout-expired-button = Continue with the same order
checkout-change = Change the order

## An order

page-order-title = Order { $number }
page-order-paid-title = Thank you for your order
page-order-paid = Your payment has arrived. Everything you need is on this page.
page-order-on_its_way = Your payment has arrived. What is not here yet is on its way: it comes by mail and stands on this page, without your doing anything.
page-order-on_its_way_too = What else is not here yet is on its way: it comes by mail and stands on this page, without your doing anything.
page-order-partially_refunded-title = Part of your money has been refunded
page-order-partially_refunded = { $amount } go back the way you paid. Banks usually need 5 to 10 days. Your license keeps working.
page-order-refunded-title = Your money has been refunded
page-order-refunded = { $amount } go back the way you paid. Banks usually need 5 to 10 days. The license has ended.
page-order-disputed-title = Your bank is looking into this payment
page-order-disputed = The payment was disputed with the bank, so the license is paused. It works again, with the same key, as soon as the bank decides for the payment. If this is a mistake, write to us.
page-order-disputed-no-key = The payment was disputed with the bank, so what you bought is paused. It goes on as soon as the bank decides for the payment. If this is a mistake, write to us.
page-order-lost-title = Your bank took the payment back
page-order-lost = The bank returned the money to you, so the license has ended.
page-order-expired-title = This order was not paid in time
page-order-expired = Nothing was charged. You can order again with the same contents.
page-order-open-title = Your order is not paid yet
page-order-open = Nothing has been charged. Complete the order to pay.
page-order-processing-title = Your payment is under way
page-order-processing = Your bank is collecting the money. That takes from minutes up to { NUMBER($days) } business days. We send the license key by mail the moment the money arrives; you can close this page.
page-order-processing-no-key = Your bank is collecting the money. That takes from minutes up to { NUMBER($days) } business days. We write to you the moment the money arrives; you can close this page.
page-order-requires_action-title = Your bank wants to know that it is you
page-order-requires_action = Nothing has been charged yet. Continue to confirm the payment with your bank.
page-order-sent-title = Your payment is not finished
page-order-sent = Nothing has been charged yet, as far as we know. If you have just paid, this page follows in a moment.
page-order-declined-title = Your payment did not go through
page-order-declined = Your order is kept for you. Try again with another method.
page-order-failed-title = Your payment did not go through
page-order-failed = Your order is kept for you. Try again with another method.
page-order-canceled = The payment was called off. Nothing was charged.
page-order-asking-title = We are asking the payment provider
page-order-asking = The provider has not told us yet how your payment stands. We ask until we know and send the license key by mail once it is paid. Please do not pay a second time.
page-order-asking-no-key = The provider has not told us yet how your payment stands. We ask until we know and write to you once it is paid. Please do not pay a second time.
page-order-continue = Continue to payment
page-order-check = Check now
page-order-retry = Try another method
page-order-restart = Go to checkout
page-order-to-seller = Back to the seller’s site
page-order-sent-to = Receipt and key are also on their way to
page-order-keys = { $count ->
    [0] What you bought
    [one] Your license key
   *[other] Your { NUMBER($count) } license keys
}
page-order-no-keys = The license is being made. It appears here and arrives by mail.
page-order-licenses = { $count ->
    [one] Your license
   *[other] Your { NUMBER($count) } licenses
}
page-order-hidden = Only the ends of the keys are shown. To see them whole, open the link in your receipt mail, or sign in with your email address.
page-order-hidden-no-key = Not everything is shown here. To see all of it, open the link in your receipt mail, or sign in with your email address.
page-order-setup = How to start with { $product }
page-order-receipt = Receipt
page-order-summary = Your order
page-order-number = Order number
page-order-date = Date
page-order-method = Paid with
page-order-seller = Seller
page-order-contact = Contact
page-order-refund = Refunded on { $date }
page-order-refund-pending = Refund under way since { $date }
page-order-consent = On { $date } you asked for immediate supply and confirmed that you lose your right of withdrawal once supply begins.
page-order-terms = Sold under version { $version } of our
page-order-resend = Send the mail again
page-order-help-title = Questions?
page-order-help = All your orders and devices are under
page-order-done-checked = We have asked the payment provider; this page shows the answer.
page-order-done-resent = The mail is on its way once more.
page-order-done-just_sent = The mail was sent a moment ago. Look into your spam folder too, or try again in a minute.
page-order-done-released = The device is free. You can activate another one.
page-order-done-out_of_stock = This is out of stock at the moment, so it was not charged again.
page-order-denied-title = This order does not open here
page-order-denied = An order opens only for its buyer. In this browser we cannot tell that it is you.
page-order-denied-ways = Open the link in your receipt mail, or sign in with your email address or with a license key and the order number.
page-order-denied-portal = Sign in
page-order-state-pending = Not paid yet
page-order-state-paid = Paid
page-order-state-partially_refunded = Partly refunded
page-order-state-refunded = Refunded
page-order-state-disputed = Disputed
page-order-state-lost = Taken back by the bank
page-order-state-expired = Expired

## A license

page-license-valid = Active, does not expire
page-license-valid-until = Active, valid until { $date }
page-license-expired = Expired on { $date }
page-license-in-grace = Expired on { $date }, works until { $until }
page-license-kept = Expired on { $date }; works on for activated devices and the versions of that day
page-license-allowed = Expired on { $date }; works on
page-license-waits-activation = Active; its time begins with the first activated device
page-license-waits-use = Active; its time begins with the first use
page-license-trial = A trial license
page-license-updates = Covers every version that comes out before { $date }
page-license-usage = { NUMBER($used) } of { NUMBER($limit) } used
page-license-suspended-dispute = Paused while the bank looks into the payment
page-license-suspended-person = Paused by the seller
page-license-revoked-refund = Ended: the money was refunded
page-license-revoked-dispute = Ended: the bank took the money back
page-license-revoked-person = Ended by the seller
page-license-copy = Copy
page-license-copied = Copied
page-license-on-its-way = On its way
page-license-number = License number
page-license-seats = { NUMBER($used) } of { NUMBER($seats) } devices activated
page-license-seats-users = { NUMBER($used) } of { NUMBER($seats) } people activated
page-license-seats-any = For any number of devices
page-license-no-device = Waiting for your first device. It appears here when you activate it.
page-license-device-unnamed = Device …{ $tail }
page-license-device-seen = Last seen { $date }
page-license-release = Free this seat
page-license-refused = A program was refused on { $date }.
page-license-device-release = Free the seat of { $device }
page-license-file = License file
page-license-device-file = License file for { $device }
page-license-offline = Activate a device without internet

## Portal

page-portal-title = Your licenses
page-portal-lead = See your orders, license keys and devices. There is no password: choose one of three ways.
page-portal-by-email = With your email address
page-portal-email-hint = The one you bought with. We send you a code.
page-portal-send = Send the code
page-portal-code-title = Enter the code
page-portal-code-sent = If somebody bought here with this address, a code of eight digits is on its way to it. It works for 10 minutes. Look into your spam folder too.
page-portal-code = Code from the mail
page-portal-code-again = Use another address, or get a new code
page-portal-enter = Sign in
page-portal-by-key = With license key and order number
page-portal-key-hint = For when you cannot reach your mail. Opens this one order.
page-portal-key = License key
page-portal-number = Order number
page-portal-number-hint = It stands on the receipt and looks like K7QM-2X9P.
page-portal-by-receipt = With the link in your receipt
page-portal-receipt-hint = The mail that we sent when you paid has a link that opens your order at once.
page-portal-help = None of these works?
page-portal-signed-in = Signed in as { $email }
page-portal-leave = Sign out
page-portal-empty = There is no order for this address yet.
page-portal-open = Open order
page-portal-older = Older orders
page-portal-newest = Newest orders

## A device without internet

page-activate-title = Activate a device without internet
page-activate-lead = The app on that device shows a request, as text or as a QR code. Bring it here, and take the answer back to the device.
page-activate-request = Request of the app
page-activate-request-hint = Paste all of the text that the app shows. It contains your license key: give it to nobody else.
page-activate-file = Or choose a file with the request
page-activate-send = Send the request
page-activate-scan = Scanned the QR code with this phone? Then the request is filled in already. If the field is empty, paste the scanned text into it as a whole.
page-activate-release-hint = A request that gives the seat of a device back goes here too.
page-activate-help = It does not work?
page-activate-done-title = The device is activated
page-activate-done = The device has its seat. Now take the answer to it.
page-activate-done-again = The device had its seat already; the same seat is yours. Take the answer to it.
page-activate-released-title = The seat is free
page-activate-released = The device has given its seat back. You can activate another one.
page-activate-license = License
page-activate-device = Device
page-activate-seats = Seats
page-activate-works-until = Works without internet until
page-activate-download = Download the license file
page-activate-next = Take it to the device
page-activate-next-file = Carry the license file to the device, on a USB stick for example, and open it in the app.
page-activate-next-qr = Or let the camera of the device scan this code.
page-activate-qr = The answer as a QR code
page-activate-as-text = Show it as text
page-activate-another = Another request
page-activate-advice-again = Make the request anew in the app, and bring all of it here.
page-activate-advice-unknown = Compare the key in the app with your receipt, and make the request anew.
page-activate-advice-seats = Free a seat in the portal, then send the same request again: it stays good.
page-activate-advice-expired = Renew the license, then send the same request again.
page-activate-advice-seller = Write to the seller: the address stands below.
page-activate-advice-retired = Copy the new key from the portal, enter it in the app, and make the request anew.
page-activate-advice-product = Find the key of this product in the portal, enter it in the app, and make the request anew.

## The sandbox's mailbox

mailbox-title = Mailbox
mailbox-lead = This test shop keeps its mails here instead of sending them.
mailbox-empty = No mail yet. Buy something.
mailbox-back = All mails
mailbox-from = From
mailbox-to = To
mailbox-at = Sent
mailbox-text = As plain text
mailbox-html = As formatted mail

## A license for its owner

page-license-handed-on = Handed on to somebody else
page-license-manage = Name devices, take a new key, hand it on
page-license-releases = You can free { NUMBER($count) } of { NUMBER($of) } devices yourself within { NUMBER($days) } days. What you deactivate in the app does not count.
page-license-releases-none = You have freed as many devices as you can for now. The next one can be freed on { $date }. Deactivating in the app is always possible.
page-order-done-release_quota = The device was not freed: you have freed as many as you can for now. Below stands when the next is possible.
page-own-back = All your licenses
page-own-license-back = Back to the license
page-own-key = License key
page-own-key-lead = Somebody else knows your key? Take a new one; the old one stops working at once.
page-own-key-take = Take a new key
page-own-key-title = A new key
page-own-key-what = You get a new key for this license, by mail too. The old key stops working at once. Apps that hold a seat ask for the new key the next time they look.
page-own-key-now = The key that stops working:
page-own-key-left = You can take { NUMBER($count) } more within { NUMBER($days) } days.
page-own-key-release = Free all devices as well, so that nobody works on with the old key.
page-own-key-confirm = Replace the key
page-own-devices = Devices
page-own-group = Together with other licenses of a group: { NUMBER($used) } of { NUMBER($seats) } seats taken
page-own-group-any = Together with other licenses of a group: { $used ->
    [one] one seat
   *[other] { NUMBER($used) } seats
 } taken
page-own-device-name = Your name for the device
page-own-device-rename = Save the name
page-own-transfer-title = Hand the license on
page-own-transfer-lead = It moves to another email address as soon as the receiver confirms.
page-own-transfer = Hand it on
page-own-transfer-what = We send the receiver a link. The license moves when they confirm there; until then it stays yours, and you can withdraw the offer. Your receipt stays with you.
page-own-transfer-to = Email address of the receiver
page-own-transfer-hint = Your own other address works too.
page-own-transfer-devices = Your devices
page-own-transfer-free = Free them: the receiver gets a new key, and yours stops working.
page-own-transfer-keep = Keep them: key and devices go along, as when only your address changes.
page-own-transfer-confirm = Send the offer
page-own-offered = Offered to { $email } until { $date }.
page-own-withdraw = Withdraw the offer
page-own-done-renamed = The name is saved.
page-own-done-released = The device is free. You can activate another one.
page-own-done-release_quota = The device was not freed: you have freed as many as you can for now. Below stands when the next is possible.
page-own-done-rotated = Here is your new key. It is on its way by mail, too; the old one has stopped working.
page-own-done-offered = The offer is on its way. You will get a mail when it is taken.
page-own-done-withdrawn = The offer is withdrawn. The license stays yours.
page-transfer-title = A license for you
page-transfer-lead = { $email } would like to hand a license for { $name } on to you.
page-transfer-free = You get a key of your own, and all seats are free.
page-transfer-keep = Key and devices stay as they are.
page-transfer-accept = Take the license
page-transfer-until = The offer stands until { $date }. If you do not want it, just close this page.
page-transfer-taken-title = The license is yours
page-transfer-taken = Its key is on its way to you by mail. Sign in with the address that the offer went to, to see your devices.
page-transfer-over-title = This offer is not open
page-transfer-over = It was taken or withdrawn, its time is over, or the link is not complete. Ask whoever offered the license to do so again.
page-portal-received = Handed on to you
page-portal-send-keys = Mail me my keys
page-portal-keys-hint = Lost your key? We mail all keys that belong to this address.
page-portal-keys-sent = If somebody bought here with this address, its keys are on their way to it. Look into your spam folder too.
page-portal-by-mail-needed = A new key, or handing a license on, is only for whoever reads your mails. Please sign in with your email address.

## What a person does, and messages

page-order-receipt-sent-to = Your receipt is also on its way to
page-order-by_hand = Your payment has arrived. Our people do this by { $date }. You get a mail then, and it stands on this page.
page-order-done-written = Your message is with the shop. The answer comes by mail and stands on this page.
page-license-by-hand = Our people do this by { $date }
page-license-by-hand-late = Our people were to do this by { $date } and are late. We are sorry.
page-order-by_hand_late = Your payment has arrived. Our people were to have this done by { $date } and are late; we are sorry. You get a mail when it is done.
page-own-by-hand = What you bought
page-own-download = License
page-license-manage-download = Hand the license on
page-license-manage-code = See the code, name devices
page-license-manage-by-hand = See it in your licenses
page-messages = Messages
page-message-you = You
page-message-label = Write to the shop
page-message-hint = About this order, up to 2,000 characters. Never write a card number here.
page-message-send = Send

## Files to download

page-downloads = Downloads
page-downloads-version = Version { $version }
page-downloads-date = of { $date }
page-downloads-download = Download
page-downloads-file = Download { $name }
page-downloads-checksum = SHA-256 checksum
page-downloads-bytes = { $size ->
    [one] 1 byte
   *[other] { NUMBER($size) } bytes
}
page-downloads-kilobytes = { NUMBER($size) } kB
page-downloads-megabytes = { NUMBER($size) } MB
page-downloads-gigabytes = { NUMBER($size) } GB
page-downloads-older = { $count ->
    [one] One earlier version
   *[other] { NUMBER($count) } earlier versions
}
page-downloads-all = Show all versions
page-downloads-links = Each link works for 24 hours; this page makes new ones. A download that was cut off goes on where it ended.
page-downloads-none = The files are not here yet. They appear on this page.
page-downloads-not-covered = Every version that there is came out after the updates of this license.
page-downloads-suspended = This license is paused, so there is nothing to download at present.
page-downloads-expired = This license has expired, so there is nothing to download any more.
page-downloads-revoked = This license has ended, so there is nothing to download any more.
