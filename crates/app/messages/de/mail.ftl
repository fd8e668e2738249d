# What mails say.

## In every mail

mail-test-mode = Testmodus: Es wurde kein echtes Geld bewegt.
mail-sold-by = Verkauft von
mail-tax-id = USt-IdNr. oder Steuernummer: { $tax_id }
mail-questions = Fragen? Schreiben Sie an { $email } oder antworten Sie auf diese Mail.
mail-link-hint = Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:

## About an order

mail-order-number = Bestellung
mail-order-date = Datum
mail-document = Beleg
mail-item = Artikel
mail-amount = Betrag
mail-quantity = { NUMBER($quantity) } × { $unit_amount }
mail-total = Gesamt
mail-paid-with = Bezahlt mit
mail-open-order = Bestellung öffnen
mail-open-portal = Alle Ihre Lizenzen und Geräte
mail-method = { $kind ->
    [card] Karte
    [sepa_debit] SEPA-Lastschrift
    [paypal] PayPal
    [ideal] iDEAL | Wero
    [bank_transfer] Überweisung
    [apple_pay] Apple Pay
    [google_pay] Google Pay
    [link] Link
    [klarna] Klarna
   *[other] { $kind }
}

## Paid

order-paid-subject = Ihre Bestellung { $number } bei { $shop }
order-paid-title = Vielen Dank für Ihre Bestellung
order-paid-intro = { $count ->
    [0] Ihre Zahlung ist eingegangen.
    [one] Ihre Zahlung ist eingegangen, und hier ist Ihr Lizenzschlüssel. Bewahren Sie diese Mail auf: Sie ist Ihre Quittung.
   *[other] Ihre Zahlung ist eingegangen, und hier sind Ihre { NUMBER($count) } Lizenzschlüssel. Bewahren Sie diese Mail auf: Sie ist Ihre Quittung.
}
order-paid-keys = { $count ->
    [0] Was Sie gekauft haben
    [one] Ihr Lizenzschlüssel
   *[other] Ihre Lizenzschlüssel
}
order-paid-key-later = Unterwegs. Sie erhalten eine weitere Mail, sobald er da ist.
order-paid-by-hand = Das erledigen unsere Leute bis { $date }, und dann erhalten Sie eine weitere Mail.
order-paid-by-hand-late = Unsere Leute wollten das bis { $date } erledigen und sind im Verzug. Das tut uns leid; sobald es erledigt ist, erhalten Sie eine weitere Mail.
order-paid-valid-forever = Läuft nicht ab
order-paid-valid-until = Gültig bis { $date }
order-paid-files = Die Dateien stehen auf der Seite Ihrer Bestellung und lassen sich dort herunterladen, so oft Sie sie brauchen.
mail-license-number = Lizenznummer { $key }
order-paid-setup = So beginnen Sie mit { $product }
order-paid-receipt = Quittung
order-paid-document = Quittung über einen Verkauf
order-paid-refunds = Erstattungen
order-paid-terms = Für Ihre Bestellung gilt Fassung { $version } unserer Verkaufsbedingungen, der Sie zugestimmt haben.
order-paid-consent = Am { $date } haben Sie verlangt, dass wir vor Ablauf der Widerrufsfrist sofort liefern, und bestätigt, dass Ihr Widerrufsrecht mit Beginn der Lieferung erlischt.

## What was still owed is there

order-fulfilled-subject = Der Rest Ihrer Bestellung { $number } bei { $shop }
order-fulfilled-title = Worauf Sie gewartet haben, ist da
order-fulfilled-intro = { $count ->
    [0] Worauf Sie gewartet haben, ist erledigt. Das sagen wir zu Ihrer Bestellung { $number }. Bewahren Sie diese Mail auf.
    [one] Hier ist der Schlüssel zu Ihrer Bestellung { $number }. Bewahren Sie diese Mail auf.
   *[other] Hier sind die { NUMBER($count) } Schlüssel zu Ihrer Bestellung { $number }. Bewahren Sie diese Mail auf.
}

## Payment failed

payment-failed-subject = Ihre Zahlung für Bestellung { $number } ist fehlgeschlagen
payment-failed-title = Ihre Zahlung ist fehlgeschlagen
payment-failed-intro = Ihre Zahlung von { $amount } an { $shop } ist fehlgeschlagen. Ihre Bestellung bleibt bestehen, ist aber noch nicht bezahlt.
payment-failed-reason-none = Der Zahlungsdienst hat keinen Grund genannt.
payment-failed-reason-soft = Ihre Bank hat vorerst abgelehnt. Oft ist das Konto nicht gedeckt oder ein Limit erreicht.
payment-failed-reason-update-method = Die Angaben zu Ihrer Karte oder Ihrem Konto wurden nicht angenommen. Bitte prüfen Sie sie, oder nehmen Sie eine andere Karte oder ein anderes Konto.
payment-failed-reason-authenticate = Ihre Bank wollte, dass Sie die Zahlung bestätigen, und sie wurde nicht bestätigt.
payment-failed-reason-hard = Diese Karte oder dieses Konto kann für die Zahlung nicht verwendet werden. Bitte nehmen Sie eine andere Karte oder ein anderes Konto.
payment-failed-reason-revoked = Die Erlaubnis, dieses Konto zu belasten, wurde zurückgezogen.
payment-failed-reason-gateway-error = Der Zahlungsdienst hatte eine Störung. An Ihrer Karte oder Ihrem Konto lag es nicht.
payment-failed-retry = Noch einmal versuchen

## Refunded

order-refunded-subject = Erstattung zu Ihrer Bestellung { $number } bei { $shop }
order-refunded-title = Ihr Geld ist auf dem Rückweg
order-refunded-intro = Wir haben Ihnen { $refunded } für Ihre Bestellung { $number } erstattet.
order-refunded-document = Erstattung
order-refunded-paid = Bezahlt
order-refunded-refunded = Insgesamt erstattet
order-refunded-remaining = Bleibt bezahlt
order-refunded-when = Das Geld geht denselben Weg zurück, auf dem Sie bezahlt haben. Banken brauchen meist fünf bis zehn Tage.
order-refunded-license-ended = Die Lizenz dieser Bestellung ist beendet, ihr Schlüssel funktioniert nicht mehr.
order-refunded-license-ended-no-key = Die Lizenz dieser Bestellung ist beendet.
order-refunded-license-works = Die Lizenz dieser Bestellung funktioniert weiterhin.

## Code for the portal

portal-code-subject = Ihr Code für { $shop }
portal-code-title = Ihr Code
portal-code-intro = Geben Sie diesen Code ein, um Ihre Bestellungen und Lizenzen bei { $shop } zu sehen:
portal-code-valid = { $minutes ->
    [one] Er gilt einmal und eine Minute lang.
   *[other] Er gilt einmal und { NUMBER($minutes) } Minuten lang.
}
portal-code-warning = Wenn Sie ihn nicht angefordert haben, müssen Sie nichts tun. Geben Sie den Code niemandem: Wir werden Sie nie danach fragen.

## Link to the console

console-link-subject = Anmelden in der Konsole von { $shop }
console-link-title = In der Konsole anmelden
console-link-intro = Dieser Link meldet Sie in der Konsole von { $shop } an:
console-link-open = Anmelden
console-link-valid = { $minutes ->
    [one] Er gilt einmal und eine Minute lang.
   *[other] Er gilt einmal und { NUMBER($minutes) } Minuten lang.
}
console-link-warning = Wenn Sie ihn nicht angefordert haben, müssen Sie nichts tun. Geben Sie den Link nicht weiter: Er öffnet die Konsole jedem, der ihn hat.

## Über Lizenzen

mail-keys-subject = Ihre Lizenzschlüssel bei { $shop }
mail-keys-title = Ihre Lizenzschlüssel
mail-keys-intro = { $count ->
    [one] Jemand hat den Lizenzschlüssel zu dieser Adresse angefordert. Hier ist er:
   *[other] Jemand hat die Lizenzschlüssel zu dieser Adresse angefordert. Hier sind sie:
}
mail-keys-closing = Wenn Sie das nicht waren, müssen Sie nichts tun: Außer Ihnen hat niemand diese E-Mail bekommen.
mail-replaced-subject = Ihr neuer Lizenzschlüssel bei { $shop }
mail-replaced-title = Ihr neuer Lizenzschlüssel
mail-replaced-intro = Ihre Lizenz hat einen neuen Schlüssel. Der alte gilt nicht mehr; geben Sie den neuen in der App ein.
mail-replaced-closing = Wenn weder Sie das waren noch wir auf Ihren Wunsch, antworten Sie auf diese E-Mail.
mail-signed-subject = Ihr Lizenzschlüssel bei { $shop }, neu signiert
mail-signed-title = Ihr neu signierter Lizenzschlüssel
mail-signed-intro = Der Schlüssel, mit dem wir Lizenzschlüssel signieren, wurde zurückgezogen; darum haben wir Ihren neu signiert. Ihre Lizenz und ihre Geräte sind wie zuvor, nur der Text des Schlüssels ist ein anderer. Geben Sie den neuen ein, wenn eine App nach einem Schlüssel fragt, und heben Sie ihn anstelle des alten auf, den Apps nicht mehr annehmen:
mail-signed-closing = Sie haben nichts falsch gemacht, und es ist nichts zu bezahlen. Der neue Schlüssel steht auch unter der Adresse oben.
mail-offered-subject = Ihnen wird eine Lizenz für { $name } angeboten
mail-offered-title = Eine Lizenz für Sie
mail-offered-intro = { $other } möchte eine Lizenz für { $name } an Sie weitergeben. Um sie zu nehmen, öffnen Sie diesen Link und bestätigen Sie:
mail-offered-button = Angebot ansehen
mail-offered-closing = Das Angebot gilt bis { $until }. Wenn Sie es nicht möchten, müssen Sie nichts tun. Geben Sie den Link nicht weiter: Wer ihn hat, kann die Lizenz nehmen.
mail-offering-subject = Sie geben eine Lizenz für { $name } weiter
mail-offering-title = Ihre Lizenz ist angeboten
mail-offering-intro = Ihre Lizenz für { $name } wurde { $other } angeboten. Sie bleibt Ihre, bis das Angebot angenommen ist; das geht bis { $until }.
mail-offering-button = Angebot ansehen oder zurückziehen
mail-offering-closing = Wenn Sie das nicht waren, ziehen Sie das Angebot zurück und antworten Sie auf diese E-Mail.
mail-transferred-subject = Ihre Lizenz für { $name } wurde weitergegeben
mail-transferred-title = Ihre Lizenz wurde weitergegeben
mail-transferred-intro = { $other } hat Ihre Lizenz für { $name } genommen. Sie gehört Ihnen nicht mehr.
mail-transferred-closing = Ihr Beleg bleibt gültig. Wenn das nicht Ihr Wunsch war, antworten Sie auf diese E-Mail.
mail-received-subject = Ihre Lizenz bei { $shop }
mail-received-title = Eine Lizenz gehört Ihnen
mail-received-intro = Diese Lizenz gehört von jetzt an Ihnen. Hier ist ihr Schlüssel:
mail-received-closing = Unter der Adresse oben sehen Sie Ihre Geräte; melden Sie sich mit der Adresse an, an die diese E-Mail ging.

## To the seller: a stock gets low

pool-low-subject = Nur noch wenige Codes in { $pool }
pool-low-title = Nur noch wenige Codes in { $pool }
pool-low-free = { $free ->
    [0] Es ist kein Code mehr auf Lager.
    [one] Es ist noch ein Code auf Lager.
   *[other] Es sind noch { NUMBER($free) } Codes auf Lager.
}
pool-low-waiting = { $waiting ->
    [0] Niemand wartet auf einen.
    [one] Ein bezahltes Stück wartet auf einen. Es wird beliefert, sobald Codes da sind.
   *[other] { NUMBER($waiting) } bezahlte Stücke warten auf einen. Sie werden beliefert, sobald Codes da sind, wer am längsten wartet, zuerst.
}
pool-low-open = Codes nachfüllen

## Messages about an order

message-shop-subject = Eine Nachricht zu Ihrer Bestellung { $number } bei { $shop }
message-shop-title = { $shop } hat Ihnen zu Ihrer Bestellung { $number } geschrieben
message-shop-answer = Bestellung öffnen und dort antworten
message-buyer-subject = Eine Nachricht zu Bestellung { $number }
message-buyer-title = Ein Käufer hat zu Bestellung { $number } geschrieben
message-buyer-intro = Was er geschrieben hat, steht in der Verwaltung, und Ihre Antwort geht per Mail an ihn. Eine Stunde lang erhalten Sie dazu keine weitere Mail, was er auch noch schreibt.
message-buyer-open = Lesen und antworten
