# What the seller's console says.

console-skip = Skip to the content
console-nav = Console
console-test-mode = Test mode: no real money moves here.
console-home = Overview
console-orders = Orders
console-order = Order
console-order-title = Order { $number }
console-licenses = Licenses
console-license = License
console-license-title = License …{ $tail }
console-customers = Customers
console-customer = Customer
console-notices = Notices
console-search = Search
console-search-label = Search orders, customers, licenses and devices
console-search-placeholder = Order, email, key, device …
console-search-what = Enter an order number, an email address, a license key or its last four symbols, a device by its name or fingerprint, or an id of the gateway.
console-search-nothing = Nothing was found. Check for a typing error, or try the email address.
console-leave = Sign out
console-filter = Filter
console-filter-all = All
console-older = Older
console-error-prefix = Error:
console-error-title = There is a problem

console-sign-in = Sign in
console-sign-in-how = We send you a link that works once, for 30 minutes. There is no password.
console-sign-in-terminal = No mail? On the server, this prints a link:
console-sign-in-sent-title = Look into your mail
console-sign-in-sent = If { $email } belongs to somebody who works here, a link is on its way. It works once, for 30 minutes.
console-send-link = Send me a link
console-enter-title = Sign in to { $shop }
console-enter-how = Press the button to use the link up and sign in on this device.
console-enter = Sign in
console-link-dead-title = This link no longer works
console-link-dead = It was used already, or is older than 30 minutes.
console-email = Email address
console-name = Name
console-country = Country
console-since = Since

console-todo = To do
console-todo-none = Nothing waits for you.
console-todo-parked =
    { $count ->
        [one] { NUMBER($count) } message from a gateway makes no sense and waits for you
       *[other] { NUMBER($count) } messages from gateways make no sense and wait for you
    }
console-todo-refused =
    { $count ->
        [one] { NUMBER($count) } mail was refused by the receiver's mail server
       *[other] { NUMBER($count) } mails were refused by the receivers' mail servers
    }
console-todo-held =
    { $count ->
        [one] { NUMBER($count) } mail is held since a restore; its receiver may have it already
       *[other] { NUMBER($count) } mails are held since a restore; their receivers may have them already
    }
console-latest-orders = Latest orders
console-all-orders = All orders
console-orders-empty = No orders here yet. Every visit to the checkout shows up in this list, paid or not.
console-open-storefront = Open the storefront
console-licenses-empty = No licenses here yet. Each paid unit becomes one at once.
console-customers-empty = No customers yet. Whoever presses “Pay” becomes one.
console-notices-empty = No notices here. Gateways send one for everything that happens to a payment.
console-notices-what = Everything that gateways told us, as it came. What makes no sense is parked: nothing was issued for it.

console-number = Number
console-state = State
console-total = Amount
console-what = What
console-when = When
console-quantity = Quantity
console-unit = Each
console-id = Id
console-key = Key
console-seats = Seats
console-kind = Kind
console-event = Event
console-reason = Reason
console-reference = Reference
console-method = Method
console-to = To
console-mail = Mail
console-mails = Mails
console-mails-what = Everything that was written to people. Refused means that the receiver's mail server will never take it: ask the buyer for another address.
console-mails-empty = No mails here. One goes out for every paid order.
console-mail-send = Send now
console-report = Report
console-report-what = Every sale that was paid since the last report, with its licenses and what caused them, signed: anybody can check it with the shop's public keys. It names nobody.
console-report-make = Make the report
console-payment = Payment
console-payments = Payments
console-refunds = Refunds
console-dispute = Dispute
console-device = Device
console-devices = Devices
console-devices-empty = No device has been activated yet.
console-fingerprint = Fingerprint
console-seen = Last seen
console-expires = Expires
console-never = Never
console-features = Features
console-timeline = Timeline
console-body = Message as it came
console-release = Free this seat
console-buyer-page = Buyer's page
console-buyer-page-open = Open what the buyer sees
console-refunded = { $amount } given back
console-no-license-yet = None yet: licenses are issued the moment the order is paid.
console-no-payment-yet = Nobody has pressed “Pay” yet.
console-no-mail-yet = No mail yet.
console-check-now = Ask the gateway
console-check-why = The outcome is still open. The gateway is asked by itself; the button asks now.
console-resend = Send receipt and keys again
console-apply-again = Apply again
console-notice-came = Notice { $kind }

console-refund = Refund
console-refund-open = Give money back
console-refund-amount = Amount in { $currency }
console-refund-most = At most { $amount }
console-refund-licenses = Licenses
console-refund-default = End them when everything has been given back
console-refund-revoke = End them now
console-refund-keep = Keep them working
console-refund-continue = Continue
console-refund-confirm-title = Give back { $amount }?
console-refund-confirm-what = The money goes back the way it came. This cannot be undone.
console-refund-confirm = Give back { $amount } now
console-refund-left-after = Can still be given back afterwards
console-refund-turn-back = Do not give back
console-surplus = { $amount } came twice
console-surplus-why = The order was paid twice. The second payment goes back by itself, and this could not.
console-surplus-give-back = Give back { $amount }
console-refusal-refund-exceeds-payment = At most { $most } can be given back.
console-refusal-refund-not-positive = Enter an amount above zero, at most { $most }.
console-refusal-order-not-paid = This order has not been paid, so there is nothing to give back.
console-refusal-no-surplus = Nothing was paid too much, or it is back or on its way already.
console-refusal-amount-out-of-range = Enter an amount as 19.99, at most { $most }.
console-refusal-currency-mismatch = The amount must be in the currency of the order, at most { $most }.

console-reason-requested-by-customer = The customer asked
console-reason-duplicate = Paid twice
console-reason-fraudulent = Suspected fraud
console-reason-surprise-capture = Came after the order was paid otherwise
console-reason-made-at-gateway = Made at the gateway

console-told-refunded = The refund is on its way.
console-told-refund-waits = The refund is written down, but the gateway does not answer right now. It is sent by itself as soon as the gateway does.
console-told-refund-refused = The gateway refused the refund. Its words stand with the refund below.
console-told-resent = Receipt and keys are on their way.
console-told-let-go = It is on its way; it may be the second one that its receiver gets.
console-told-checked = The gateway has answered; this page shows how the payment stands now.
console-told-still-open = The gateway has answered: the outcome is still open.
console-told-contradiction = The gateway's answer contradicts what is stored. Nothing was changed; see the log of the server.
console-told-gateway-silent = The gateway does not answer right now. Nothing was changed; it will be asked again by itself.
console-told-released = The seat is free.
console-told-was-free = That seat was free already.
console-told-applied = Applied. What it says is in the rows now.
console-told-duplicate = It had been applied already.
console-told-ignored = There is nothing for us in it.
console-told-parked-again = It still makes no sense, for the reason below.
console-told-stored = It is stored and will be applied in a moment.

console-actor-gateway = Gateway
console-actor-system = Latchkey
console-actor-buyer = Buyer
console-actor-app = App
console-actor-api = API
console-actor-user = Console

console-mail-order-paid = Receipt and keys
console-mail-order-fulfilled = What was on its way
console-mail-pool-low = To you: few codes left
console-mail-payment-failed = Payment failed
console-mail-order-refunded = Money given back
console-mail-portal-code = Portal code
console-mail-console-link = Console link
console-mail-keys-requested = Keys, as asked for
console-mail-key-replaced = New key
console-mail-key-signed-again = Key, signed anew
console-mail-license-received = License received
console-mail-transfer-offered = License offered
console-mail-transfer-started = License is offered
console-mail-transfer-done = License handed on

console-state-pending = Waiting for money
console-state-paid = Paid
console-state-partially-refunded = Partly refunded
console-state-refunded = Refunded
console-state-disputed = Disputed
console-state-lost = Lost in dispute
console-state-expired = Expired
console-state-created = Created
console-state-sent = Sent
console-state-requires-action = Buyer must confirm
console-state-processing = Under way
console-state-unknown = Unknown
console-state-canceled = Canceled
console-state-failed = Failed
console-state-succeeded = Succeeded
console-state-active = Active
console-state-suspended = Suspended
console-state-revoked = Revoked
console-state-suspended-by-dispute = Suspended by dispute
console-state-suspended-by-person = Suspended by hand
console-state-revoked-by-refund = Revoked by refund
console-state-revoked-by-dispute = Revoked by dispute
console-state-revoked-by-person = Revoked by hand
console-state-lapsed = Lease over
console-state-queued = Queued
console-state-refused = Refused
console-state-bounced = Bounced
console-state-received = Received
console-state-applied = Applied
console-state-ignored = Ignored
console-state-parked = Parked
console-state-released = Freed

console-parked-amount-mismatch = The gateway reports another amount than was asked for. Compare the payment at the gateway with the order; if the money is yours, give it back there.
console-parked-currency-mismatch = The gateway reports another currency than was asked for. Compare the payment at the gateway with the order.
console-parked-mode-mismatch = Test money for a live shop, or the other way round. Check which keys and webhooks of the gateway point here.
console-parked-account-mismatch = The payment belongs to another gateway account. Check which webhooks point to which account.
console-parked-reference-mismatch = The message names a payment of ours but another object at the gateway. Somebody may have copied the reference; compare both at the gateway.
console-parked-payment-unknown = The message names an order or payment that is not here. Was this database restored from a backup, or does another installation share the gateway account?
console-parked-refund-exceeds-payment = More went back than was paid. Compare the refunds at the gateway with the order.
console-parked-refund-not-positive = The gateway reports a refund of nothing. Look at the refund there; if it is an error, tell the gateway.
console-parked-unreadable = The message is authentic and yet cannot be read. Use a newer version of Latchkey, then apply it again.
console-parked-amount-out-of-range = The amount is larger than can be counted. Look at the payment at the gateway.

console-event-checkout-opened = Checkout opened
console-event-checkout-submitted = Buyer pressed pay
console-event-checkout-expired = Checkout expired
console-event-payment-sent = Payment page opened at the gateway
console-event-payment-unknown = The gateway did not answer
console-event-payment-requires-action = Buyer must confirm the payment
console-event-payment-declined = Declined
console-event-payment-processing = Debit under way
console-event-payment-succeeded = Money captured
console-event-payment-surprise-capture = Money came unexpectedly
console-event-payment-failed = Payment failed
console-event-payment-canceled = Payment canceled
console-event-order-paid = Paid
console-event-order-refund-changed = Refunded in total
console-event-order-disputed = Disputed
console-event-order-dispute-won = Dispute won
console-event-order-lost = Dispute lost
console-event-refund-requested = Refund requested
console-event-refund-pending = Refund under way
console-event-refund-succeeded = Refund done
console-event-refund-failed = Refund failed
console-event-dispute-changed = Dispute moved
console-event-license-issued = License issued
console-event-claim-waiting = Waits to be handed over
console-event-claim-fulfilled = Handed over
console-event-pool-stocked = Codes in stock
console-event-pool-low = Few codes left
console-event-pool-withdrawn = Codes taken out of stock
console-event-pool-released = Stock let go after a restore
console-event-release-published = A version came out
console-event-release-withdrawn = A version was withdrawn
console-event-license-suspended = License suspended
console-event-license-revoked = License revoked
console-event-license-reinstated = License works again
console-event-license-used = Use counted
console-event-license-started = The license's time began
console-event-activation-created = Device activated
console-event-activation-released = Seat freed
console-event-activation-changed = Device known by another fingerprint
console-event-activation-lapsed = Leases ended, seats free again
console-event-license-offered = Offered to somebody else
console-event-license-offer-withdrawn = Offer withdrawn
console-event-license-transferred = Moved to another customer
console-event-activation-renamed = Device renamed
console-event-delivery-sent = Mail sent
console-event-delivery-refused = Mail refused
console-event-session-started = Signed in
console-event-notice-replayed = Notice applied again

## What a license allows out of the ordinary

console-policy-days =
    { $count ->
        [one] 1 day
       *[other] { NUMBER($count) } days
    }
console-policy-seconds = { NUMBER($count) } seconds
console-policy-starts = Time begins
console-policy-starts-issue = when it is issued
console-policy-starts-first-activation = with the first device
console-policy-starts-first-validation = with the first use
console-policy-started = Began
console-policy-updates = Covers versions until
console-policy-grace = Grace after its end
console-policy-at-expiry = After its end
console-policy-at-expiry-restrict = works no more
console-policy-at-expiry-keep = works on for devices and versions of that day
console-policy-at-expiry-allow = works on
console-policy-at-expiry-end = is over as if revoked
console-policy-trial = Trial
console-policy-trial-yes = yes
console-policy-check-in = Devices report within
console-policy-seats-for = Seats are for
console-policy-seats-for-device = devices
console-policy-seats-for-user = people
console-policy-lease = A seat without a heartbeat is held for
console-policy-usage = Used
console-policy-usage-of = { NUMBER($used) } of { NUMBER($limit) }
console-policy-usage-counted = { NUMBER($used) }, no limit
console-policy-usage-resets = Counts anew
console-policy-overage = Beyond its seats
console-policy-overage-deny = nobody
console-policy-overage-1-25x = up to a quarter more
console-policy-overage-1-5x = up to half as many again
console-policy-overage-2x = up to twice as many
console-policy-overage-always = anybody

## Changing what a license allows

console-plan = Plan
console-adjust = Change what it allows
console-adjust-what = For this license alone. What is left empty stays; a later change of the plan leaves it as it is.
console-adjust-usage = Usage limit
console-adjust-expires = Works until the end of
console-adjust-button = Change this license
console-adopt-title = What { $plan } says now
console-adopt-what = A license keeps what its plan said when it was bought. Below is what would change if these licenses took on what the plan says now. Nothing has changed yet.
console-adopt-changes = What changes
console-adopt-same = nothing
console-adopt-refused = stays as it is: more devices hold a seat than there would be
console-adopt-button =
    { $count ->
        [one] Change 1 license
       *[other] Change { NUMBER($count) } licenses
    }
console-told-adjusted = The license is changed.
console-told-adjust-same = The license says that already.
console-told-adjust-seats = More devices hold a seat than that. Free some first.
console-told-adjust-usage = This license counts no use.
console-told-adjust-unread = Nothing was changed: give a reason, and whole numbers.
console-told-adopted = The licenses say what the plan says.
console-email-correct = Correct the address
console-email-correct-what = For an address that was mistyped at the till. What was sent already stays in the wrong mailbox: replace keys that somebody else may have.
console-email-right = Right address
console-email-resend = Send receipts and keys of paid orders there
console-email-correct-button = Correct the address
console-told-email-corrected = The address is corrected.
console-told-email-resent = The address is corrected, and receipts and keys are on their way there.
console-told-email-taken = Another customer has this address.
console-told-email-unread = Nothing was changed: enter an address as name@example.com, and a reason.
console-event-customer-changed = The address of the customer was corrected
console-event-license-changed = What the license allows was changed

## A new key

console-reissue = Replace the key
console-reissue-what = The license stays, with its devices and its time. The old key says that it was replaced; the buyer finds the new one in the portal and on the order's page.
console-reissue-release = Every device must enter the new key
console-reissue-button = Replace the key
console-told-reissued = The license has a new key.
console-file = License file
console-file-what = The license as a file, for devices without a network. It works on every device that it is carried to, and takes no seat: give one for a single device from the list above where that is enough.
console-file-days =
    { $days ->
        [0] For how many days, less than one at most; empty: as long as the license allows
        [one] For how many days, one at most; empty: as long as the license allows
       *[other] For how many days, { NUMBER($days) } at most; empty: as long as the license allows
    }
console-file-button = Download
console-file-device = File
console-told-file-time = There was no file made: it cannot count for so many days.
console-told-file-unusable = There was no file made: the license does not work now.
console-told-file-seat = There was no file made: the device holds no seat now.
console-event-license-file-given = License file given
console-event-license-reissued = Key replaced
console-event-license-signed-again = Key signed again

## A license, by hand

console-undo = Undo
console-standing = Switch off or take back
console-standing-what = What you decide here stands until somebody undoes it, whatever the money does. Every act can be undone beside its line in the timeline.
console-suspend = Suspend
console-reinstate = Let it work again
console-take-back = Take it back
console-move = Move to another customer
console-move-what = Key and devices go along. The order stays with who paid. The customer must have bought or received something here; else let the owner hand the license on in the portal.
console-move-to = Email address of the customer
console-move-button = Move the license
console-back = Back
console-reissue-confirm = The key that ends in { $tail } stops working at once, in every app. This cannot be undone.
console-reissue-mail = Mail the new key to { $email }
console-reissue-nobody = The license belongs to nobody who could be mailed. Read the new key on the page of its order, or by the API.
console-told-reason-missing = Nothing was done: give a reason.
console-told-suspended = The license is suspended.
console-told-reinstated = The license follows its order again: it works, unless the money went back meanwhile.
console-told-taken-back = The license is taken back.
console-told-moved = The license belongs to that customer.
console-told-move-unknown = No customer of this shop has that address.
console-told-undone = It is as it was before.
console-told-changed-since = Not undone: that was changed again since, or the money of the order says otherwise. Change it to what it should be.
console-told-not-undoable = That cannot be undone.
console-told-unfit = The license is so already, or its state does not allow that.
## Attempts

console-attempts = Questions of programs
console-attempts-what = What programs asked and were told, newest first, with the rule that decided. Ordinary yeses are counted by day and kept for a week; the rest is kept for thirty days.
console-attempts-empty = No program has asked lately.
console-attempts-times = { $count ->
        [one] once
       *[other] { NUMBER($count) } times
    }
console-attempt-asked = Asked
console-attempt-verdict = Verdict
console-attempt-why = Why, and what to do
console-attempt-validate = Does it work?
console-attempt-activate = Activate
console-attempt-deactivate = Deactivate
console-attempt-heartbeat = Still in use
console-attempt-usage = Report use
console-strangers = Unknown keys
console-strangers-what = What programs asked with a key that opens no license, newest first. Of such a key only its end is kept.

## Licenses that nobody pays for

console-batches = Issue without payment
console-batches-what = Giveaways, schools, resellers who settle elsewhere. These are orders that ask nothing; the reason stands in the journal where a payment would.
console-batch = Licenses issued together
console-batch-licenses = How many, with keys that you hand out
console-batch-emails = Or to these addresses, one license each
console-batch-mail = Mail each of them the key
console-batch-issue = Issue licenses
console-batch-issued = { NUMBER($issued) } of { NUMBER($of) } issued
console-batch-part = This batch was cut off. Press the button of its form again, or go on with the command line.
console-batch-keys = Download the keys (CSV)
console-batch-keys-what = Whoever has the file has the licenses. The keys are sealed where they are kept; this page opens them for you.
console-batch-count = Nothing was issued: enter from 1 to { NUMBER($count) } licenses, or as many addresses. The command line takes more.
console-batch-email = Nothing was issued: { $email } is no email address.
console-told-batch-issued = The licenses are issued.
console-told-batch-differs = Nothing more was issued: this batch was begun for other licenses.
console-export-licenses = All licenses (CSV)
console-export-devices = All devices (CSV)
## Groups

console-groups = Groups
console-groups-what = Licenses that belong together, as those of one company, and what they may hold in all.
console-groups-empty = No group yet.
console-group = Group
console-group-none = None
console-group-new = A new group
console-group-new-button = Make the group
console-group-max-licenses = Licenses at most; empty: any number
console-group-max-seats = Seats at most, over all its licenses; empty: as many as each of them allows
console-group-what = A license in a group keeps its own seats, and takes one only while the group has one left. What was taken back counts for nothing; what only ended by its time counts until it is taken out or taken back.
console-group-empty = No license is in it.
console-group-license = Id of a license
console-group-put = Put it into the group
console-group-regroup = Change the group
console-group-change = Change name and limits
console-group-delete = Delete the group
console-told-group-made = The group is there.
console-told-group-changed = The group is changed.
console-told-group-unread = Nothing was changed: give a name of up to 100 characters, whole numbers, and a reason.
console-told-group-below-used = Nothing was changed: the group holds more than that. Take licenses out or free seats first.
console-told-group-deleted = The group is deleted.
console-told-group-not-empty = Not deleted: there are licenses in it. Take them out first.
console-told-group-license-unknown = There is no such license.
console-told-group-licenses-reached = The group has as many licenses as it takes.
console-told-group-full = With the devices of this license the group would hold more seats than it may.
console-told-grouped = The license is in the group.
console-told-ungrouped = The license is in no group.
console-event-group-created = Group made
console-event-group-changed = Group changed
console-event-group-deleted = Group deleted

## Key pools

console-pools = Key pools
console-pools-what = Codes that were made elsewhere and are sold here, each once.
console-pools-empty = No pool yet. A [[pool]] in the shop file makes one, and a plan with fulfilment = "pool" sells from it.
console-pool-free = In stock
console-pool-reserved = Kept for who is paying
console-pool-taken = Handed out
console-pool-withdrawn = Taken out
console-pool-waiting = Waiting for a code
console-pool-nobody = Nobody waits.
console-pool-since = Since
console-pool-good = Enough
console-pool-low = Low
console-pool-low-at = You are told at
console-pool-held = Held since a restore
console-pool-held-why = The shop was restored from a backup on { $date }. Codes that are free here may have been handed out after it was taken, so none leaves by itself. Take out those that were (latchkey pools withdraw), then let the others go.
console-pool-release = Let them go: nobody has these codes
console-told-pool-released = The pool hands out codes again.
console-pool-out = When it is empty
console-pool-out-back-order = Sold on; the code comes later
console-pool-out-stop = Not sold until there is more
console-pool-add = Add codes
console-pool-codes = Codes
console-pool-codes-hint = One a line, or a table whose first column is the code.
console-pool-add-button = Add
console-pool-many = More than a thousand go in by the command line:
console-pool-added = { NUMBER($new) } codes are new in stock; { NUMBER($known) } were there already.
console-pool-none = There is no code in what was sent.
console-pool-line = Line { NUMBER($count) }
console-pool-line-unreadable = not a code: longer than 255 characters, or like a card number
console-pool-line-repeated = the same code stands in line { NUMBER($count) }
console-pool-line-elsewhere = it is in another pool
console-pool-line-gone = it was handed out or taken out before
console-pool-lines-more = and { NUMBER($count) } more
console-license-code = Code
console-license-code-from = From { $pool }, handed out
console-license-code-waiting = On its way, from { $pool }

## Shadow mode

console-shadow = Shadow mode
console-shadow-what = An old system answers your apps, and what we would have said is held against it. Values that may be a secret or name somebody are not shown.
console-shadow-none = Nothing is compared. [shop.compat.shadow] in the shop file names an old system.
console-shadow-empty = No differences.
console-shadow-counts = { $compared } answers compared: { $equal } equal, { $different } different. { $unanswered } without an answer of the old system.
console-shadow-since = Since { $date }.
console-shadow-unasked = No app has asked yet.
console-shadow-place = Place
console-shadow-call = Call
console-shadow-kind = Difference
console-shadow-ours = Ours
console-shadow-theirs = Theirs
console-shadow-times = Times
console-shadow-last = Last seen
console-shadow-whole = The whole answer
console-shadow-status = HTTP status
console-shadow-missing-here = Missing here
console-shadow-only-here = Only here
console-shadow-other-value = Another value
console-shadow-other-type = Another type

## What is to be done

console-claims = To hand over
console-claims-badge = { $overdue ->
    [0] { $shown }
   *[other] { $shown }, { $late } overdue
}
console-claims-what = Paid units that wait: what people have promised, by when it is due; then what your own program has not answered yet, and what waits for a code. Units whose money went back are not here.
console-claims-empty = Nothing waits here.
console-claims-more = More
console-claims-overdue = { $count ->
    [one] One unit is overdue.
   *[other] { $shown } units are overdue.
}
console-todo-overdue = { $count ->
    [one] { $shown } paid unit is overdue: its buyer was promised it by now
   *[other] { $shown } paid units are overdue: their buyers were promised them by now
}
console-todo-owed = { $count ->
    [one] { $shown } paid unit waits to be handed over
   *[other] { $shown } paid units wait to be handed over
}
console-todo-unanswered = { $count ->
    [one] { $shown } buyer waits for an answer
   *[other] { $shown } buyers wait for an answer
}
console-claim-kind-manual = By a person
console-claim-kind-webhook = By your program
console-claim-kind-pool = Out of a pool
console-claim-title = To hand over for order { $number }
console-claim-title-done = Handed over for order { $number }
console-claim-waits-for = How
console-claim-due = Due
console-claim-due-hours = { $count ->
    [0] in less than an hour
    [one] in one hour
   *[other] in { NUMBER($count) } hours
}
console-claim-due-days = in { NUMBER($count) } days
console-claim-overdue-hours = { $count ->
    [0] overdue, by less than an hour
    [one] overdue, by one hour
   *[other] overdue, by { NUMBER($count) } hours
}
console-claim-overdue-days = overdue, by { NUMBER($count) } days
console-claim-last-error = When it was asked last
console-claim-handed-over = Handed over
console-claim-proof = { $date }, by: { $who }, ends in …{ $tail }
console-claim-proof-said = { $date }, by: { $who }
console-claim-proof-where = It stands in full on the buyer's page, and went out by mail.
console-claim-proof-where-said = So it stands on the buyer's page, and so it went out by mail.
console-claim-unanswered = Not answered
console-claim-waits = Waits
console-claim-waits-until = Waits, due
console-claim-content = Hand it over
console-claim-content-label = What the buyer gets
console-claim-content-hint = Up to 255 characters. It goes to the buyer by mail and stays on the page of the order, and cannot be changed afterwards.
console-claim-content-hint-code = The code, by hand: up to 255 characters, told to nobody else. It goes to the buyer by mail, and cannot be changed afterwards.
console-claim-content-empty = Enter what the buyer gets.
console-claim-content-long = That is longer than 255 characters. Shorten it, or write a message below.
console-claim-content-card = That looks like a card number, which must not be kept here. Leave it out.
console-claim-done = Done
console-claim-ask = Ask again now
console-claim-ask-what = Your program is asked by itself until it answers; the button asks now.
console-claim-stock = It comes out of a pool, in order of payment, as soon as codes are there.
console-claim-stock-open = Open the pool
console-claim-stock-sleeps = It comes out of a pool, and only once the license works again: the money went back, or somebody holds it.
console-claim-refused-fulfilled = Something else was handed over already, and stays with the buyer.
console-claim-refused-taken = Another buyer has this code, or it is in a pool. Enter another one.
console-claim-refused-stock = What this buyer gets comes out of a pool. Add codes there.
console-claim-refused-license = Nothing is handed over while the license does not work: the money went back, or somebody holds it.
console-claim-refused-nothing = Nothing is owed for this license.
console-told-claim-done = It is with the buyer.
console-told-claim-asked = Your program was asked. What came of it stands on this page.
console-told-claim-underway = Your program is being asked already. Reload this page in a moment.
console-told-claim-not-asked = It was not asked: nothing waits for your program here, or the license does not work now.
console-told-message-written = Your message is written, and on its way by mail.
console-told-message-held = Your message is written. The mail about it waits under Mails for you to let it go: it is held since a restore.
console-told-message-before = The same message was written a moment ago. It was not sent a second time.

## Messages about an order

console-messages = Messages
console-messages-waits = Waits for an answer since { $date }
console-filter-unanswered = Waiting for an answer
console-orders-unanswered-empty = Nobody waits for an answer.
console-messages-none = Nobody has written about this order yet.
console-message-label = Write to the buyer
console-message-hint = Up to 2,000 characters. The buyer gets it by mail and can answer on the page of the order. Never ask for a card number.
console-message-send = Send
console-message-empty = Enter a message.
console-message-long = The message is longer than 2,000 characters.
console-message-unreadable = The buyer can read no message: the order is not paid, or there is no address.
console-message-card = There is what looks like a card number in the message, which must not be kept here. Leave it out.
console-mail-message-from-shop = To the buyer: your message
console-mail-message-from-buyer = To you: a buyer wrote
console-event-message-written = Message written
