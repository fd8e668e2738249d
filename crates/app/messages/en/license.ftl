# How a license stands, and what a validation found: said by the buyer's app, or shown by it.

license-valid = The license is valid.
license-unknown = There is no license with this key. Check it for typing errors.
license-key_not_genuine = This key was changed, or was never signed by this shop. Copy it whole from the order's page.
license-key_retired = This key was replaced. The new one ends in { $tail }; it stands in the portal of the shop and on the order's page.
license-expired = The license has expired.
license-suspended = The license is suspended. The shop that sold it can say why.
license-revoked = The license was revoked. The shop that sold it can say why.
license-not_activated = This device is not activated yet.
license-update_not_covered = This version came out after the updates that the license covers. Install an earlier version, or buy updates again.
license-check_in_overdue = This device has not reported for too long. Connect it to the internet and start the program again.
license-wrong_product = The key belongs to another product.
license-missing_feature = The license does not include { $feature }.
license-usage_exhausted = Everything that the license allows to use in this period is used.
license-usage_left = { NUMBER($left) } of { NUMBER($limit) } are left to use in this period. Nothing was counted.
license-usage_not_counted = The license counts no use.
license-fingerprint_required = The license is given as a file for one device at a time. Activate the device first.
license-ttl_out_of_range = A license file counts from { NUMBER($shortest) } to { NUMBER($longest) } seconds.
license-seat_limit_reached =
    { $seats ->
        [one] The license has one seat, and it is taken. Deactivate the other device first.
       *[other] All { NUMBER($seats) } seats of the license are taken. Deactivate another device first.
    }
license-group_full =
    { $seats ->
        [one] The license belongs to a group that has one seat, and it is taken. Deactivate the other device first.
       *[other] The license belongs to a group, and all { NUMBER($seats) } seats of the group are taken. Deactivate another device of one of its licenses first.
    }

## A key that cannot be one

license-key-empty = Enter the license key.
license-key-length = A license key has { NUMBER($length) } letters and digits; this one has { NUMBER($found) }. Check that you copied all of it.
license-key-symbol = Character { NUMBER($position) } of the key is { $symbol }, which no license key contains. Check it for typing errors.
license-key-cut = A part of the key is missing. Copy it whole from the order's page or the mail: it begins with key/ and ends with ==.
license-key-long = This is too long to be a license key. Copy only the key from the order's page or the mail: it begins with key/ and ends with ==.
license-key-signer = The key is signed with a signature that this shop does not use, or no longer. The order's page and the portal have the one that works.
license-key-mistyped = The key is mistyped: at least one character is wrong or in the wrong place.
