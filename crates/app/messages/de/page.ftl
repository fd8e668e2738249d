# What the shop's pages say.

## Around every page

page-skip = Zum Inhalt springen
page-navigation = Shop
page-portal = Meine Lizenzen
page-terms = Allgemeine Geschäftsbedingungen
page-refunds = Rückerstattung
page-language = Sprache
page-language-choose = Sprache wechseln
page-tax-id = USt-IdNr.
page-test-mode = Testmodus: Es fließt kein echtes Geld.
page-to-shop = Zum Shop

## When a page cannot be shown

failure-not_found-title = Diese Seite gibt es nicht
failure-not_found = Prüfen Sie die Adresse, oder beginnen Sie im Shop. Die Seite einer Bestellung öffnen Sie über den Link in Ihrer Bestellmail.
failure-foreign_form-title = Dieses Formular kam nicht von unserer Seite
failure-foreign_form = Zu Ihrer Sicherheit ist nichts geschehen. Öffnen Sie die Seite erneut, und senden Sie das Formular von dort ab.
failure-not_configured-title = Dieser Shop kann noch keine Zahlungen annehmen
failure-not_configured = Es wurde nichts abgebucht. Der Verkäufer hat noch keinen Zahlungsweg eingerichtet. Kommen Sie bitte später wieder, oder schreiben Sie an die Adresse unten.
failure-not_on_sale-title = Das steht nicht zum Verkauf
failure-not_on_sale = Es wurde aus dem Verkauf genommen oder hat keinen Preis für Ihr Land. Im Shop sehen Sie, was Sie kaufen können.
failure-unavailable-title = Wir können gerade nicht antworten
failure-unavailable = Es ist nichts verloren gegangen und nichts doppelt geschehen. Versuchen Sie es bitte gleich noch einmal.
failure-refused-title = Das geht nicht
failure-refused = Die Anfrage passt nicht zum jetzigen Stand. Öffnen Sie die Seite erneut, um zu sehen, was möglich ist.
failure-broken-title = Bei uns ist etwas schiefgegangen
failure-broken = Versuchen Sie es bitte gleich noch einmal. Wenn es dabei bleibt, schreiben Sie an die Adresse unten, und nennen Sie diese Nummer.
failure-request = Nummer dieser Anfrage:
failure-download-title = Diese Datei lässt sich nicht herunterladen
failure-download-link-invalid = Der Link wurde verändert oder abgeschnitten, oder seine Lizenz hat inzwischen einen anderen Inhaber oder einen anderen Schlüssel. Öffnen Sie Ihre Bestellung oder die Lizenz unter „Meine Lizenzen“: Dort steht ein neuer Link.
failure-download-link-ended = Links zu Dateien gelten 24 Stunden, und dieser ist älter. Öffnen Sie Ihre Bestellung oder die Lizenz unter „Meine Lizenzen“: Dort steht ein neuer Link.
failure-download-withdrawn = Der Verkäufer hat diese Version zurückgezogen. Ihre Bestellung zeigt, welche Versionen es gibt.
failure-download-not-out = Der Verkäufer hat den Tag dieser Version verschoben: Sie ist noch nicht erschienen. Ihre Bestellung zeigt, welche Versionen es gibt.
failure-download-many = Zu dieser Lizenz laufen schon viele Downloads. Lassen Sie einen davon enden und kommen Sie dann wieder.
failure-download-missing = Die Datei ist nicht dort, wo sie sein sollte. Das ist unser Fehler: Bitte schreiben Sie an die Adresse unten.
failure-code = Code:

## Prices

price-from = ab { $price }
price-only = { $price }
price-from-quantity = Ab { NUMBER($quantity) } Stück: je { $price }
price-tax-included = inkl. Steuern
price-country = Preise für Käufer aus
price-show = Preise zeigen

## Shop and product

storefront-empty = Hier steht noch nichts zum Verkauf. Schauen Sie bald wieder vorbei.
storefront-look = Editionen und Preise ansehen
product-tiers = Editionen und Preise
product-choose = { $plan } wählen
product-later = Wird nachbestellt: Der Code kommt per Mail
product-out = Zurzeit ausverkauft
product-about = Beschreibung
terms-version = Fassung { $version }

## Till

till-title = { $name } kaufen
till-summary = Ihre Bestellung
till-tiers = Edition
till-quantity = Menge
till-update = Summe neu berechnen
till-units = { NUMBER($quantity) } × { $price }
till-total = Gesamtpreis
till-buyer = Ihre Angaben
till-email = E-Mail-Adresse
till-email-hint = Dorthin gehen Ihr Lizenzschlüssel und Ihr Beleg.
till-email-hint-no-key = Dorthin gehen Ihr Beleg und alles zu Ihrer Bestellung.
till-optional = { $label } (freiwillig)
till-choose = Bitte wählen
till-country = Land
till-consent = Ich verlange, dass Sie sofort und damit vor Ablauf der Widerrufsfrist liefern. Mir ist bekannt, dass ich mein Widerrufsrecht verliere, sobald die Lieferung beginnt.
till-pay = Zahlungspflichtig bestellen – { $total }
till-mandate = Mit „{ $button }“ geben Sie eine verbindliche Bestellung bei { $seller } auf und nehmen die Allgemeinen Geschäftsbedingungen an.
till-terms = Allgemeine Geschäftsbedingungen, Fassung { $version } (öffnet einen neuen Tab)
till-next = Sie bezahlen auf der nächsten Seite bei unserem Zahlungsdienstleister. Ihre Kartendaten erreichen uns nie.
till-later = Zurzeit ist kein Code auf Lager. Sie können trotzdem bestellen: Ihrer wird in der Reihenfolge der Zahlung vorgemerkt und kommt per Mail, sobald wieder Codes da sind.
till-out = Dies ist zurzeit ausverkauft und kann nicht gekauft werden.
till-stock-changed = Der Bestand hat sich geändert, während Sie überlegt haben. Bitte sehen Sie sich vor dem Bezahlen an, was unten steht.
till-seller = Verkäufer
till-cancel = Zurück zur Seite des Verkäufers
till-changed = Der Gesamtpreis hat sich geändert. Prüfen Sie ihn bitte, und drücken Sie die Schaltfläche noch einmal.
till-asked-changed = Was wir wissen müssen, hat sich geändert. Bitte sehen Sie sich die Fragen an, und drücken Sie die Schaltfläche noch einmal.

checkout-title = Bestellung abschließen
checkout-continue-title = Ihre Zahlung ist nicht abgeschlossen
checkout-continue = Ihre Bestellung wartet auf Sie. Bisher wurde nichts abgebucht.
checkout-continue-button = Zahlung fortsetzen: { $total }
checkout-declined-title = Ihre Zahlung ist fehlgeschlagen
checkout-declined = Ihre Bestellung bleibt erhalten. Wählen Sie eine andere Zahlungsart, oder versuchen Sie es erneut.
checkout-expired-title = Dieser Bestellvorgang ist abgelaufen
checkout-expired = Es wurde nichts abgebucht. Sie können mit demselben Inhalt neu beginnen; es gilt der heutige Preis.
checkout-expired-button = Mit derselben Bestellung fortfahren
checkout-change = Bestellung ändern

## An order

page-order-title = Bestellung { $number }
page-order-paid-title = Vielen Dank für Ihre Bestellung
page-order-paid = Ihre Zahlung ist eingegangen. Alles, was Sie brauchen, steht auf dieser Seite.
page-order-on_its_way = Ihre Zahlung ist eingegangen. Was noch nicht hier steht, ist unterwegs: Es kommt per Mail und erscheint auf dieser Seite, ohne dass Sie etwas tun müssen.
page-order-on_its_way_too = Was sonst noch nicht hier steht, ist unterwegs: Es kommt per Mail und erscheint auf dieser Seite, ohne dass Sie etwas tun müssen.
page-order-partially_refunded-title = Ein Teil Ihres Geldes wurde erstattet
page-order-partially_refunded = { $amount } gehen auf dem Weg zurück, auf dem Sie bezahlt haben. Banken brauchen dafür meist 5 bis 10 Tage. Ihre Lizenz bleibt gültig.
page-order-refunded-title = Ihr Geld wurde erstattet
page-order-refunded = { $amount } gehen auf dem Weg zurück, auf dem Sie bezahlt haben. Banken brauchen dafür meist 5 bis 10 Tage. Die Lizenz ist beendet.
page-order-disputed-title = Ihre Bank prüft diese Zahlung
page-order-disputed = Die Zahlung wurde bei der Bank beanstandet, deshalb ruht die Lizenz. Sobald die Bank zugunsten der Zahlung entscheidet, gilt sie wieder, mit demselben Schlüssel. Schreiben Sie uns, wenn das ein Irrtum ist.
page-order-disputed-no-key = Die Zahlung wurde bei der Bank beanstandet, deshalb ruht, was Sie gekauft haben. Sobald die Bank zugunsten der Zahlung entscheidet, geht es weiter. Schreiben Sie uns, wenn das ein Irrtum ist.
page-order-lost-title = Ihre Bank hat die Zahlung zurückgeholt
page-order-lost = Die Bank hat Ihnen das Geld zurückgegeben, deshalb ist die Lizenz beendet.
page-order-expired-title = Diese Bestellung wurde nicht rechtzeitig bezahlt
page-order-expired = Es wurde nichts abgebucht. Sie können mit demselben Inhalt neu bestellen.
page-order-open-title = Ihre Bestellung ist noch nicht bezahlt
page-order-open = Es wurde nichts abgebucht. Schließen Sie die Bestellung ab, um zu bezahlen.
page-order-processing-title = Ihre Zahlung ist unterwegs
page-order-processing = Ihre Bank zieht den Betrag ein. Das dauert von wenigen Minuten bis zu { NUMBER($days) } Geschäftstage. Wir senden Ihnen den Lizenzschlüssel per Mail, sobald das Geld eingegangen ist; Sie können diese Seite schließen.
page-order-processing-no-key = Ihre Bank zieht den Betrag ein. Das dauert von wenigen Minuten bis zu { NUMBER($days) } Geschäftstage. Wir schreiben Ihnen, sobald das Geld eingegangen ist; Sie können diese Seite schließen.
page-order-requires_action-title = Ihre Bank will wissen, dass Sie es sind
page-order-requires_action = Bisher wurde nichts abgebucht. Fahren Sie fort, um die Zahlung bei Ihrer Bank zu bestätigen.
page-order-sent-title = Ihre Zahlung ist nicht abgeschlossen
page-order-sent = Soweit wir wissen, wurde bisher nichts abgebucht. Wenn Sie gerade bezahlt haben, zieht diese Seite gleich nach.
page-order-declined-title = Ihre Zahlung ist fehlgeschlagen
page-order-declined = Ihre Bestellung bleibt für Sie erhalten. Versuchen Sie es mit einer anderen Zahlungsart.
page-order-failed-title = Ihre Zahlung ist fehlgeschlagen
page-order-failed = Ihre Bestellung bleibt für Sie erhalten. Versuchen Sie es mit einer anderen Zahlungsart.
page-order-canceled = Die Zahlung wurde abgebrochen. Es wurde nichts abgebucht.
page-order-asking-title = Wir fragen beim Zahlungsdienstleister nach
page-order-asking = Der Dienstleister hat uns noch nicht gesagt, wie es um Ihre Zahlung steht. Wir fragen, bis wir es wissen, und senden Ihnen den Lizenzschlüssel per Mail, sobald bezahlt ist. Bitte bezahlen Sie nicht ein zweites Mal.
page-order-asking-no-key = Der Dienstleister hat uns noch nicht gesagt, wie es um Ihre Zahlung steht. Wir fragen, bis wir es wissen, und schreiben Ihnen, sobald bezahlt ist. Bitte bezahlen Sie nicht ein zweites Mal.
page-order-continue = Weiter zur Zahlung
page-order-check = Jetzt nachfragen
page-order-retry = Andere Zahlungsart versuchen
page-order-restart = Zur Kasse
page-order-to-seller = Zurück zur Seite des Verkäufers
page-order-sent-to = Beleg und Schlüssel sind auch unterwegs an
page-order-keys = { $count ->
    [0] Was Sie gekauft haben
    [one] Ihr Lizenzschlüssel
   *[other] Ihre { NUMBER($count) } Lizenzschlüssel
}
page-order-no-keys = Die Lizenz wird gerade erstellt. Sie erscheint hier und kommt per Mail.
page-order-licenses = { $count ->
    [one] Ihre Lizenz
   *[other] Ihre { NUMBER($count) } Lizenzen
}
page-order-hidden = Von den Schlüsseln ist nur das Ende zu sehen. Ganz sehen Sie sie über den Link in Ihrer Bestellmail, oder wenn Sie sich mit Ihrer E-Mail-Adresse anmelden.
page-order-hidden-no-key = Hier ist nicht alles zu sehen. Alles sehen Sie über den Link in Ihrer Bestellmail, oder wenn Sie sich mit Ihrer E-Mail-Adresse anmelden.
page-order-setup = So starten Sie mit { $product }
page-order-receipt = Beleg
page-order-summary = Ihre Bestellung
page-order-number = Bestellnummer
page-order-date = Datum
page-order-method = Bezahlt mit
page-order-seller = Verkäufer
page-order-contact = Kontakt
page-order-refund = Erstattet am { $date }
page-order-refund-pending = Erstattung läuft seit { $date }
page-order-consent = Am { $date } haben Sie sofortige Lieferung verlangt und bestätigt, dass Sie Ihr Widerrufsrecht mit Beginn der Lieferung verlieren.
page-order-terms = Es gilt Fassung { $version } der Bedingungen:
page-order-resend = Mail noch einmal senden
page-order-help-title = Fragen?
page-order-help = Alle Ihre Bestellungen und Geräte finden Sie unter
page-order-done-checked = Wir haben beim Zahlungsdienstleister nachgefragt; diese Seite zeigt die Antwort.
page-order-done-resent = Die Mail ist noch einmal unterwegs.
page-order-done-just_sent = Die Mail wurde gerade erst gesendet. Sehen Sie auch im Spam-Ordner nach, oder versuchen Sie es in einer Minute wieder.
page-order-done-released = Der Geräteplatz ist frei. Sie können ein anderes Gerät aktivieren.
page-order-done-out_of_stock = Dies ist zurzeit ausverkauft und wurde deshalb nicht noch einmal berechnet.
page-order-denied-title = Diese Bestellung öffnet sich hier nicht
page-order-denied = Eine Bestellung öffnet sich nur für den, der sie aufgegeben hat. In diesem Browser können wir nicht erkennen, dass Sie das sind.
page-order-denied-ways = Öffnen Sie den Link in Ihrer Bestellmail, oder melden Sie sich mit Ihrer E-Mail-Adresse oder mit Lizenzschlüssel und Bestellnummer an.
page-order-denied-portal = Anmelden
page-order-state-pending = Noch nicht bezahlt
page-order-state-paid = Bezahlt
page-order-state-partially_refunded = Teilweise erstattet
page-order-state-refunded = Erstattet
page-order-state-disputed = Beanstandet
page-order-state-lost = Von der Bank zurückgeholt
page-order-state-expired = Abgelaufen

## A license

page-license-valid = Aktiv, läuft nicht ab
page-license-valid-until = Aktiv, gültig bis { $date }
page-license-expired = Abgelaufen am { $date }
page-license-in-grace = Abgelaufen am { $date }, gilt noch bis { $until }
page-license-kept = Abgelaufen am { $date }; gilt weiter für aktivierte Geräte und die Versionen jenes Tages
page-license-allowed = Abgelaufen am { $date }; gilt weiter
page-license-waits-activation = Aktiv; die Laufzeit beginnt mit dem ersten aktivierten Gerät
page-license-waits-use = Aktiv; die Laufzeit beginnt mit der ersten Nutzung
page-license-trial = Eine Testlizenz
page-license-updates = Gilt für jede Version, die vor dem { $date } erscheint
page-license-usage = { NUMBER($used) } von { NUMBER($limit) } genutzt
page-license-suspended-dispute = Ruht, solange die Bank die Zahlung prüft
page-license-suspended-person = Vom Verkäufer angehalten
page-license-revoked-refund = Beendet: Das Geld wurde erstattet
page-license-revoked-dispute = Beendet: Die Bank hat das Geld zurückgeholt
page-license-revoked-person = Vom Verkäufer beendet
page-license-copy = Kopieren
page-license-copied = Kopiert
page-license-on-its-way = Unterwegs
page-license-number = Lizenznummer
page-license-seats = { NUMBER($used) } von { NUMBER($seats) } Geräten aktiviert
page-license-seats-users = { NUMBER($used) } von { NUMBER($seats) } Personen aktiviert
page-license-seats-any = Für beliebig viele Geräte
page-license-no-device = Wartet auf Ihr erstes Gerät. Es erscheint hier, sobald Sie es aktivieren.
page-license-device-unnamed = Gerät …{ $tail }
page-license-device-seen = Zuletzt gesehen: { $date }
page-license-release = Geräteplatz freigeben
page-license-refused = Am { $date } wurde ein Programm abgewiesen.
page-license-device-release = Geräteplatz von { $device } freigeben
page-license-file = Lizenzdatei
page-license-device-file = Lizenzdatei für { $device }
page-license-offline = Ein Gerät ohne Internet aktivieren

## Portal

page-portal-title = Ihre Lizenzen
page-portal-lead = Sehen Sie Ihre Bestellungen, Lizenzschlüssel und Geräte. Ein Passwort gibt es nicht: Wählen Sie einen von drei Wegen.
page-portal-by-email = Mit Ihrer E-Mail-Adresse
page-portal-email-hint = Mit der Sie gekauft haben. Wir senden Ihnen einen Code.
page-portal-send = Code senden
page-portal-code-title = Code eingeben
page-portal-code-sent = Wenn jemand mit dieser Adresse hier gekauft hat, ist ein Code aus acht Ziffern dorthin unterwegs. Er gilt 10 Minuten. Sehen Sie auch im Spam-Ordner nach.
page-portal-code = Code aus der Mail
page-portal-code-again = Andere Adresse verwenden oder neuen Code anfordern
page-portal-enter = Anmelden
page-portal-by-key = Mit Lizenzschlüssel und Bestellnummer
page-portal-key-hint = Falls Sie Ihre Mails nicht erreichen. Öffnet nur diese eine Bestellung.
page-portal-key = Lizenzschlüssel
page-portal-number = Bestellnummer
page-portal-number-hint = Sie steht auf dem Beleg und sieht aus wie K7QM-2X9P.
page-portal-by-receipt = Mit dem Link in Ihrem Beleg
page-portal-receipt-hint = In der Mail, die wir Ihnen nach der Zahlung gesendet haben, steht ein Link, der Ihre Bestellung sofort öffnet.
page-portal-help = Keiner der Wege hilft?
page-portal-signed-in = Angemeldet als { $email }
page-portal-leave = Abmelden
page-portal-empty = Zu dieser Adresse gibt es noch keine Bestellung.
page-portal-open = Bestellung öffnen
page-portal-older = Ältere Bestellungen
page-portal-newest = Neueste Bestellungen

## A device without internet

page-activate-title = Ein Gerät ohne Internet aktivieren
page-activate-lead = Das Programm auf diesem Gerät zeigt eine Anfrage, als Text oder als QR-Code. Bringen Sie sie hierher, und nehmen Sie die Antwort mit zurück.
page-activate-request = Anfrage des Programms
page-activate-request-hint = Fügen Sie den ganzen Text ein, den das Programm zeigt. Er enthält Ihren Lizenzschlüssel: Geben Sie ihn niemand anderem.
page-activate-file = Oder wählen Sie eine Datei mit der Anfrage
page-activate-send = Anfrage senden
page-activate-scan = Den QR-Code mit diesem Telefon gescannt? Dann ist die Anfrage schon eingetragen. Ist das Feld leer, fügen Sie den gescannten Text ganz ein.
page-activate-release-hint = Auch eine Anfrage, die den Platz eines Geräts freigibt, gehört hierher.
page-activate-help = Klappt es nicht?
page-activate-done-title = Das Gerät ist aktiviert
page-activate-done = Das Gerät hat seinen Platz. Bringen Sie ihm jetzt die Antwort.
page-activate-done-again = Das Gerät hatte seinen Platz schon; es bleibt derselbe. Bringen Sie ihm die Antwort.
page-activate-released-title = Der Platz ist frei
page-activate-released = Das Gerät hat seinen Platz freigegeben. Sie können ein anderes aktivieren.
page-activate-license = Lizenz
page-activate-device = Gerät
page-activate-seats = Plätze
page-activate-works-until = Nutzbar ohne Internet bis
page-activate-download = Lizenzdatei herunterladen
page-activate-next = Zum Gerät bringen
page-activate-next-file = Bringen Sie die Lizenzdatei auf das Gerät, zum Beispiel mit einem USB-Stick, und öffnen Sie sie im Programm.
page-activate-next-qr = Oder lassen Sie die Kamera des Geräts diesen Code scannen.
page-activate-qr = Die Antwort als QR-Code
page-activate-as-text = Als Text zeigen
page-activate-another = Eine weitere Anfrage
page-activate-advice-again = Erstellen Sie die Anfrage im Programm neu, und bringen Sie sie ganz hierher.
page-activate-advice-unknown = Vergleichen Sie den Schlüssel im Programm mit Ihrem Beleg, und erstellen Sie die Anfrage neu.
page-activate-advice-seats = Geben Sie im Portal einen Platz frei, und senden Sie dann dieselbe Anfrage noch einmal: Sie bleibt gültig.
page-activate-advice-expired = Verlängern Sie die Lizenz, und senden Sie dann dieselbe Anfrage noch einmal.
page-activate-advice-seller = Schreiben Sie dem Verkäufer: Die Adresse steht unten.
page-activate-advice-retired = Kopieren Sie den neuen Schlüssel aus dem Portal, geben Sie ihn im Programm ein, und erstellen Sie die Anfrage neu.
page-activate-advice-product = Suchen Sie im Portal den Schlüssel dieses Produkts, geben Sie ihn im Programm ein, und erstellen Sie die Anfrage neu.

## The sandbox's mailbox

mailbox-title = Postfach
mailbox-lead = Dieser Testshop sammelt seine Mails hier, statt sie zu versenden.
mailbox-empty = Noch keine Mail. Kaufen Sie etwas.
mailbox-back = Alle Mails
mailbox-from = Von
mailbox-to = An
mailbox-at = Gesendet
mailbox-text = Als reiner Text
mailbox-html = Als formatierte Mail

## Eine Lizenz für ihren Besitzer

page-license-handed-on = An jemand anderen weitergegeben
page-license-manage = Geräte benennen, neuen Schlüssel holen, weitergeben
page-license-releases = Sie können selbst { NUMBER($count) } von { NUMBER($of) } Geräten innerhalb von { NUMBER($days) } Tagen freigeben. Was Sie in der App deaktivieren, zählt nicht.
page-license-releases-none = Sie haben vorerst so viele Geräte freigegeben, wie möglich ist. Das nächste geht am { $date }. In der App deaktivieren können Sie jederzeit.
page-order-done-release_quota = Das Gerät wurde nicht freigegeben: Sie haben vorerst so viele freigegeben, wie möglich ist. Unten steht, wann das nächste geht.
page-own-back = Alle Ihre Lizenzen
page-own-license-back = Zurück zur Lizenz
page-own-key = Lizenzschlüssel
page-own-key-lead = Jemand anderes kennt Ihren Schlüssel? Holen Sie einen neuen; der alte gilt sofort nicht mehr.
page-own-key-take = Neuen Schlüssel holen
page-own-key-title = Ein neuer Schlüssel
page-own-key-what = Sie bekommen einen neuen Schlüssel für diese Lizenz, auch per E-Mail. Der alte Schlüssel gilt sofort nicht mehr. Apps auf aktivierten Geräten fragen beim nächsten Prüfen nach dem neuen.
page-own-key-now = Der Schlüssel, der dann nicht mehr gilt:
page-own-key-left = Sie können innerhalb von { NUMBER($days) } Tagen noch { NUMBER($count) } holen.
page-own-key-release = Auch alle Geräte freigeben, damit niemand mit dem alten Schlüssel weiterarbeitet.
page-own-key-confirm = Schlüssel ersetzen
page-own-devices = Geräte
page-own-group = Zusammen mit anderen Lizenzen einer Gruppe: { NUMBER($used) } von { NUMBER($seats) } Plätzen belegt
page-own-group-any = Zusammen mit anderen Lizenzen einer Gruppe: { $used ->
    [one] ein Platz
   *[other] { NUMBER($used) } Plätze
 } belegt
page-own-device-name = Ihr Name für das Gerät
page-own-device-rename = Namen speichern
page-own-transfer-title = Lizenz weitergeben
page-own-transfer-lead = Sie geht an eine andere E-Mail-Adresse, sobald der Empfänger bestätigt.
page-own-transfer = Weitergeben
page-own-transfer-what = Wir schicken dem Empfänger einen Link. Die Lizenz wechselt, wenn er dort bestätigt; bis dahin bleibt sie Ihre, und Sie können das Angebot zurückziehen. Ihr Beleg bleibt bei Ihnen.
page-own-transfer-to = E-Mail-Adresse des Empfängers
page-own-transfer-hint = Auch eine andere Adresse von Ihnen geht.
page-own-transfer-devices = Ihre Geräte
page-own-transfer-free = Freigeben: Der Empfänger bekommt einen neuen Schlüssel, Ihrer gilt nicht mehr.
page-own-transfer-keep = Behalten: Schlüssel und Geräte gehen mit, etwa wenn sich nur Ihre Adresse ändert.
page-own-transfer-confirm = Angebot senden
page-own-offered = { $email } angeboten, bis { $date }.
page-own-withdraw = Angebot zurückziehen
page-own-done-renamed = Der Name ist gespeichert.
page-own-done-released = Das Gerät ist frei. Sie können ein anderes aktivieren.
page-own-done-release_quota = Das Gerät wurde nicht freigegeben: Sie haben vorerst so viele freigegeben, wie möglich ist. Unten steht, wann das nächste geht.
page-own-done-rotated = Hier ist Ihr neuer Schlüssel. Er ist auch per E-Mail unterwegs; der alte gilt nicht mehr.
page-own-done-offered = Das Angebot ist unterwegs. Sie bekommen eine E-Mail, wenn es angenommen wird.
page-own-done-withdrawn = Das Angebot ist zurückgezogen. Die Lizenz bleibt Ihre.
page-transfer-title = Eine Lizenz für Sie
page-transfer-lead = { $email } möchte eine Lizenz für { $name } an Sie weitergeben.
page-transfer-free = Sie bekommen einen eigenen Schlüssel, und alle Plätze sind frei.
page-transfer-keep = Schlüssel und Geräte bleiben, wie sie sind.
page-transfer-accept = Lizenz nehmen
page-transfer-until = Das Angebot gilt bis { $date }. Wenn Sie es nicht möchten, schließen Sie einfach diese Seite.
page-transfer-taken-title = Die Lizenz gehört Ihnen
page-transfer-taken = Ihr Schlüssel ist per E-Mail unterwegs. Melden Sie sich mit der Adresse an, an die das Angebot ging, um Ihre Geräte zu sehen.
page-transfer-over-title = Dieses Angebot gilt nicht
page-transfer-over = Es wurde angenommen oder zurückgezogen, seine Zeit ist vorbei, oder der Link ist nicht vollständig. Bitten Sie um ein neues Angebot.
page-portal-received = An Sie weitergegeben
page-portal-send-keys = Schlüssel per E-Mail schicken
page-portal-keys-hint = Schlüssel verloren? Wir schicken alle Schlüssel, die zu dieser Adresse gehören.
page-portal-keys-sent = Wenn jemand hier mit dieser Adresse gekauft hat, sind ihre Schlüssel dorthin unterwegs. Sehen Sie auch im Spam-Ordner nach.
page-portal-by-mail-needed = Ein neuer Schlüssel oder das Weitergeben einer Lizenz ist nur für den, der Ihre E-Mails liest. Bitte melden Sie sich mit Ihrer E-Mail-Adresse an.

## What a person does, and messages

page-order-receipt-sent-to = Der Beleg ist auch unterwegs an
page-order-by_hand = Ihre Zahlung ist eingegangen. Unsere Leute erledigen das bis { $date }. Dann erhalten Sie eine Mail, und es steht auf dieser Seite.
page-order-done-written = Ihre Nachricht ist beim Shop. Die Antwort kommt per Mail und steht auf dieser Seite.
page-license-by-hand = Unsere Leute erledigen das bis { $date }
page-license-by-hand-late = Unsere Leute wollten das bis { $date } erledigen und sind im Verzug. Das tut uns leid.
page-order-by_hand_late = Ihre Zahlung ist eingegangen. Unsere Leute wollten das bis { $date } erledigen und sind im Verzug; das tut uns leid. Sie erhalten eine Mail, sobald es erledigt ist.
page-own-by-hand = Was Sie gekauft haben
page-own-download = Lizenz
page-license-manage-download = Die Lizenz weitergeben
page-license-manage-code = Den Code ansehen, Geräte benennen
page-license-manage-by-hand = Bei Ihren Lizenzen ansehen
page-messages = Nachrichten
page-message-you = Sie
page-message-label = Dem Shop schreiben
page-message-hint = Zu dieser Bestellung, bis zu 2.000 Zeichen. Schreiben Sie hier nie eine Kartennummer.
page-message-send = Senden

## Dateien zum Herunterladen

page-downloads = Downloads
page-downloads-version = Version { $version }
page-downloads-date = vom { $date }
page-downloads-download = Herunterladen
page-downloads-file = { $name } herunterladen
page-downloads-checksum = Prüfsumme (SHA-256)
page-downloads-bytes = { $size ->
    [one] 1 Byte
   *[other] { NUMBER($size) } Byte
}
page-downloads-kilobytes = { NUMBER($size) } kB
page-downloads-megabytes = { NUMBER($size) } MB
page-downloads-gigabytes = { NUMBER($size) } GB
page-downloads-older = { $count ->
    [one] Eine frühere Version
   *[other] { NUMBER($count) } frühere Versionen
}
page-downloads-all = Alle Versionen zeigen
page-downloads-links = Jeder Link gilt 24 Stunden; diese Seite macht neue. Ein abgebrochener Download geht dort weiter, wo er endete.
page-downloads-none = Die Dateien sind noch nicht da. Sie erscheinen auf dieser Seite.
page-downloads-not-covered = Alle Versionen, die es gibt, erschienen nach den Aktualisierungen dieser Lizenz.
page-downloads-suspended = Diese Lizenz ist angehalten, deshalb gibt es zurzeit nichts herunterzuladen.
page-downloads-expired = Diese Lizenz ist abgelaufen, deshalb gibt es nichts mehr herunterzuladen.
page-downloads-revoked = Diese Lizenz ist beendet, deshalb gibt es nichts mehr herunterzuladen.
