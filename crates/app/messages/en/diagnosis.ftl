# Why a question about a license ended as it did: for each code its cause, what the buyer does, and what the shop's support does.

diagnosis-cause = Cause
diagnosis-buyer = What the buyer does
diagnosis-support = What support does

diagnosis-valid-cause = Every rule holds: the license works for the device, the product and the features that were asked about.
diagnosis-valid-buyer = Nothing is to be done.
diagnosis-valid-support = Nothing is to be done. Where the program refuses all the same, it holds an old certificate or asks about another license: let it ask again while it is online.

diagnosis-unknown-cause = No license of this shop has the key. It is mistyped, was not copied whole, or belongs to another shop or to its test mode.
diagnosis-unknown-buyer = Copy the whole key from the mail, the page of the order or the portal, and paste it.
diagnosis-unknown-support = Find the license by the order or the email address, compare the last four symbols of the key, and send the mail of the order again. A key of test mode opens nothing in the live shop.

diagnosis-key_not_genuine-cause = The key means to be signed by the shop, and is not: a part of it is missing, somebody changed it, or the signing key was revoked since.
diagnosis-key_not_genuine-buyer = Copy the whole key from the page of the order or the portal, and paste it.
diagnosis-key_not_genuine-support = The slip says what is wrong: “bad_encoding” is a key that was cut off, “unknown_key” one of another shop or of a signing key that was revoked, “bad_signature” one that somebody changed. Send the mail of the order again: it carries the key that works.

diagnosis-key_retired-cause = The key was replaced by a new one, as when it was in the wrong hands.
diagnosis-key_retired-buyer = Enter the new key. It stands in the portal and on the page of the order.
diagnosis-key_retired-support = The timeline of the license says who replaced the key and why. Send the mail of the order again: it carries the new key.

diagnosis-wrong_product-cause = The key belongs to another product than the one that the program takes.
diagnosis-wrong_product-buyer = Enter the key in the program that it was bought for, or install that program.
diagnosis-wrong_product-support = Compare the product of the license with the one that was asked about. Where the program names a product that the shop does not have, its maker corrects the id or the short name.

diagnosis-revoked-cause = The license was taken back: the payment was refunded or charged back, somebody in the shop revoked it, or its plan ends it with its term.
diagnosis-revoked-buyer = Ask the shop that sold it why it was taken back, or buy it again.
diagnosis-revoked-support = The rule tells which of these it was, and the order shows the refund or the dispute. Money that went back does not come again by itself: the buyer needs a new order.

diagnosis-suspended-cause = The license is switched off for now: a dispute about the payment is open, or somebody in the shop switched it off.
diagnosis-suspended-buyer = Ask the shop that sold it. If you disputed the payment by mistake, tell your bank to withdraw the dispute.
diagnosis-suspended-support = Look at the order. When a dispute is won or withdrawn, the license works again by itself; the timeline says who switched it off otherwise.

diagnosis-expired-cause = The license has reached its end, and its days of grace are over.
diagnosis-expired-buyer = Buy the license again, or ask the shop that sold it to extend it.
diagnosis-expired-support = Compare the end of the license with what was bought. Its page lets you set a later end, for this license alone.

diagnosis-update_not_covered-cause = The version of the program came out after the updates that the license covers.
diagnosis-update_not_covered-buyer = Install a version that came out before the updates ended, or buy updates again.
diagnosis-update_not_covered-support = Compare the end of the updates with the day of the version that was asked about, and offer the buyer the last version that is covered.

diagnosis-not_activated-cause = The device holds no seat: it was never activated, its seat was freed, or its lease ended because it did not report in time.
diagnosis-not_activated-buyer = Activate the license on this device: enter the key in the program once more.
diagnosis-not_activated-support = Compare the fingerprint with the devices of the license. If it is a new one at every start, the program makes it from something that does not stay the same, and its maker must mend that.

diagnosis-check_in_overdue-cause = The device has not reported for longer than the plan allows.
diagnosis-check_in_overdue-buyer = Connect the device to the internet and start the program again.
diagnosis-check_in_overdue-support = See when the device was last heard of. If it is online, a firewall or a proxy may keep the program from reaching the shop.

diagnosis-seat_limit_reached-cause = Every seat of the license is taken by another device.
diagnosis-seat_limit_reached-buyer = Deactivate a device that you no longer use: in the program there, or in the portal.
diagnosis-seat_limit_reached-support = Free a seat in the list of devices, or allow more seats. Several devices with one name are mostly one device whose fingerprint changes.

diagnosis-license_group_full-cause = The license belongs to a group, and its licenses hold as many seats together as they may.
diagnosis-license_group_full-buyer = Deactivate a device that you no longer use, of this license or of another one of your company.
diagnosis-license_group_full-support = The page of the group shows its licenses and what they hold. Free a seat of one of them, or let the group hold more; the license's own seats are not what is missing. Licenses that ended by their time count until they are taken out of the group or taken back.

diagnosis-missing_feature-cause = The program asked for a feature that the license does not include.
diagnosis-missing_feature-buyer = Buy a plan that includes the feature, or work without it.
diagnosis-missing_feature-support = Compare the features of the license with the one that was asked about; they must be written alike. What a plan gained later is given to its licenses on the page of the plan.

diagnosis-usage_exhausted-cause = Less is left to use in this period than was asked for. Nothing was counted.
diagnosis-usage_exhausted-buyer = Wait until the count begins again, or ask the shop for a higher limit.
diagnosis-usage_exhausted-support = The page of the license shows what is used and when the count begins again. Raise the limit there; a count that is wrong is corrected through the API.

diagnosis-usage_not_counted-cause = The program reports use, and the plan of the license counts none.
diagnosis-usage_not_counted-buyer = Tell the shop that sold it; on the device there is nothing to mend.
diagnosis-usage_not_counted-support = Let the plan count use and give that to its licenses, or let the program report none for this plan.

## Codes that are no verdict

diagnosis-license_not_usable-cause = The license does not work at this moment.
diagnosis-license_not_usable-buyer = Try again; if it stays so, ask the shop that sold it.
diagnosis-license_not_usable-support = Look at the attempts of the license: the verdict of a validation says why.

diagnosis-seats_below_used-cause = More devices hold a seat of the license than there would be seats.
diagnosis-seats_below_used-buyer = Free the seats of devices that you no longer use, in the portal.
diagnosis-seats_below_used-support = Free seats first, or allow as many as are taken.

diagnosis-fingerprint_invalid-cause = The fingerprint that the program sent is empty, longer than 255 characters, or looks like a card number.
diagnosis-fingerprint_invalid-buyer = Update the program; nothing is wrong with the license.
diagnosis-fingerprint_invalid-support = The maker of the program sends an opaque text that stays the same on the device, as a hash.

diagnosis-text_invalid-cause = A name or a note that the program sent is empty, too long, or looks like a card number.
diagnosis-text_invalid-buyer = Give the device a short name without digits that look like a card number.
diagnosis-text_invalid-support = The answer names the field; the maker of the program shortens it.

diagnosis-fingerprint_required-cause = The seats of the license are counted, so it is given as a file for one device at a time, and no device was named.
diagnosis-fingerprint_required-buyer = Activate the device first, and take the file for this device.
diagnosis-fingerprint_required-support = Give the file on the page of the license, beside the device.

diagnosis-ttl_out_of_range-cause = The file was to count for longer, or for less time, than the plan allows.
diagnosis-ttl_out_of_range-buyer = Ask the shop for a file, or connect the device now and then.
diagnosis-ttl_out_of_range-support = The plan's “file_days” says how long files count; the page of the license gives one by hand.

diagnosis-request_not_genuine-cause = The request of the device was not made with the key of the license whose seat it names.
diagnosis-request_not_genuine-buyer = Make the request anew in the program, with the key that the portal shows.
diagnosis-request_not_genuine-support = Compare the end of the key; a request that was made before the key was replaced is not taken.

## The rule that decided

diagnosis-rule-all_hold = every rule holds
diagnosis-rule-key_form = the form of the key: its length, its symbols, its check symbols
diagnosis-rule-key_signature = the signature of the key
diagnosis-rule-key_known = whether there is such a key
diagnosis-rule-key_replaced = whether the key was replaced
diagnosis-rule-product = the product of the license
diagnosis-rule-revoked_by_refund = the state of the license: refunded
diagnosis-rule-revoked_by_dispute = the state of the license: charged back
diagnosis-rule-revoked_by_person = the state of the license: revoked by a person
diagnosis-rule-suspended_by_dispute = the state of the license: a dispute is open
diagnosis-rule-suspended_by_person = the state of the license: switched off by a person
diagnosis-rule-at_expiry_end = the end of the license, past which it is as if taken back
diagnosis-rule-expires_at = the end of the license, days of grace included
diagnosis-rule-at_expiry_keep = the end of the license, past which nothing new is let in
diagnosis-rule-updates_until = the end of the updates
diagnosis-rule-seat = the seat of the device: it holds none
diagnosis-rule-seat_released = the seat of the device: it was given back
diagnosis-rule-lease_seconds = the lease of the device's seat
diagnosis-rule-check_in_days = the days within which a device reports
diagnosis-rule-seats = the number of seats, overage included
diagnosis-rule-group_max_seats = the number of seats of the group, over all its licenses
diagnosis-rule-features = the features of the license
diagnosis-rule-usage_limit = the usage limit
diagnosis-rule-metered = whether use is counted
