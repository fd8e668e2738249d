# Was die Verwaltung des Verkäufers sagt.

console-skip = Zum Inhalt springen
console-nav = Verwaltung
console-test-mode = Testmodus: Hier fließt kein echtes Geld.
console-home = Übersicht
console-orders = Bestellungen
console-order = Bestellung
console-order-title = Bestellung { $number }
console-licenses = Lizenzen
console-license = Lizenz
console-license-title = Lizenz …{ $tail }
console-customers = Kunden
console-customer = Kunde
console-notices = Meldungen
console-search = Suche
console-search-label = Bestellungen, Kunden, Lizenzen und Geräte suchen
console-search-placeholder = Bestellung, E-Mail, Schlüssel, Gerät …
console-search-what = Geben Sie eine Bestellnummer, eine E-Mail-Adresse, einen Lizenzschlüssel oder seine letzten vier Zeichen, ein Gerät mit Namen oder Fingerabdruck oder eine Kennung des Zahlungsdienstes ein.
console-search-nothing = Nichts gefunden. Prüfen Sie auf Tippfehler oder versuchen Sie es mit der E-Mail-Adresse.
console-leave = Abmelden
console-filter = Filter
console-filter-all = Alle
console-older = Ältere
console-error-prefix = Fehler:
console-error-title = Es gibt ein Problem

console-sign-in = Anmelden
console-sign-in-how = Wir senden Ihnen einen Link, der einmal und 30 Minuten lang funktioniert. Ein Passwort gibt es nicht.
console-sign-in-terminal = Keine Mail? Auf dem Server zeigt dieser Befehl einen Link an:
console-sign-in-sent-title = Sehen Sie in Ihr Postfach
console-sign-in-sent = Wenn { $email } zu jemandem gehört, der hier arbeitet, ist ein Link unterwegs. Er funktioniert einmal und 30 Minuten lang.
console-send-link = Link zusenden
console-enter-title = Bei { $shop } anmelden
console-enter-how = Mit der Schaltfläche verbrauchen Sie den Link und melden sich auf diesem Gerät an.
console-enter = Anmelden
console-link-dead-title = Dieser Link funktioniert nicht mehr
console-link-dead = Er wurde schon benutzt oder ist älter als 30 Minuten.
console-email = E-Mail-Adresse
console-name = Name
console-country = Land
console-since = Seit

console-todo = Zu erledigen
console-todo-none = Nichts wartet auf Sie.
console-todo-parked =
    { $count ->
        [one] { NUMBER($count) } Meldung eines Zahlungsdienstes ergibt keinen Sinn und wartet auf Sie
       *[other] { NUMBER($count) } Meldungen von Zahlungsdiensten ergeben keinen Sinn und warten auf Sie
    }
console-todo-refused =
    { $count ->
        [one] { NUMBER($count) } Mail wurde vom Mailserver des Empfängers abgelehnt
       *[other] { NUMBER($count) } Mails wurden von den Mailservern der Empfänger abgelehnt
    }
console-todo-held =
    { $count ->
        [one] { NUMBER($count) } Mail wird seit einer Wiederherstellung zurückgehalten; ihr Empfänger hat sie womöglich schon
       *[other] { NUMBER($count) } Mails werden seit einer Wiederherstellung zurückgehalten; ihre Empfänger haben sie womöglich schon
    }
console-latest-orders = Neueste Bestellungen
console-all-orders = Alle Bestellungen
console-orders-empty = Hier gibt es noch keine Bestellungen. Jeder Besuch an der Kasse erscheint in dieser Liste, ob bezahlt oder nicht.
console-open-storefront = Zum Shop
console-licenses-empty = Hier gibt es noch keine Lizenzen. Aus jeder bezahlten Einheit wird sofort eine.
console-customers-empty = Noch keine Kunden. Wer auf „Bestellen“ drückt, wird einer.
console-notices-empty = Hier gibt es keine Meldungen. Zahlungsdienste senden eine zu allem, was mit einer Zahlung geschieht.
console-notices-what = Alles, was Zahlungsdienste gemeldet haben, so wie es kam. Was keinen Sinn ergibt, ist zurückgestellt: Dafür wurde nichts ausgegeben.

console-number = Nummer
console-state = Stand
console-total = Betrag
console-what = Was
console-when = Wann
console-quantity = Anzahl
console-unit = Je Stück
console-id = Kennung
console-key = Schlüssel
console-seats = Plätze
console-kind = Art
console-event = Ereignis
console-reason = Grund
console-reference = Referenz
console-method = Zahlungsart
console-to = An
console-mail = Mail
console-mails = Mails
console-mails-what = Alles, was an Menschen geschrieben wurde. „Abgelehnt“ heißt, dass der Mailserver des Empfängers die Mail nie annehmen wird: Bitten Sie den Käufer um eine andere Adresse.
console-mails-empty = Hier gibt es keine Mails. Zu jeder bezahlten Bestellung geht eine hinaus.
console-mail-send = Jetzt senden
console-report = Bericht
console-report-what = Jeder Verkauf, der seit dem letzten Bericht bezahlt wurde, mit seinen Lizenzen und ihrem Anlass, unterschrieben: Mit den öffentlichen Schlüsseln des Shops kann ihn jeder prüfen. Er nennt niemanden.
console-report-make = Bericht erstellen
console-payment = Zahlung
console-payments = Zahlungen
console-refunds = Erstattungen
console-dispute = Zahlungsstreit
console-device = Gerät
console-devices = Geräte
console-devices-empty = Noch ist kein Gerät aktiviert.
console-fingerprint = Gerätekennung
console-seen = Zuletzt gesehen
console-expires = Läuft ab
console-never = Nie
console-features = Funktionen
console-timeline = Verlauf
console-body = Meldung, wie sie kam
console-release = Platz freigeben
console-buyer-page = Seite des Käufers
console-buyer-page-open = Ansehen, was der Käufer sieht
console-refunded = { $amount } erstattet
console-no-license-yet = Noch keine: Lizenzen entstehen in dem Augenblick, in dem die Bestellung bezahlt ist.
console-no-payment-yet = Noch hat niemand auf „Bestellen“ gedrückt.
console-no-mail-yet = Noch keine Mail.
console-check-now = Zahlungsdienst fragen
console-check-why = Der Ausgang ist noch offen. Der Zahlungsdienst wird von selbst gefragt; die Schaltfläche fragt jetzt.
console-resend = Beleg und Schlüssel erneut senden
console-apply-again = Erneut anwenden
console-notice-came = Meldung { $kind }

console-refund = Erstattung
console-refund-open = Geld zurückgeben
console-refund-amount = Betrag in { $currency }
console-refund-most = Höchstens { $amount }
console-refund-licenses = Lizenzen
console-refund-default = Beenden, sobald alles erstattet ist
console-refund-revoke = Jetzt beenden
console-refund-keep = Weiter gelten lassen
console-refund-continue = Weiter
console-refund-confirm-title = { $amount } erstatten?
console-refund-confirm-what = Das Geld geht auf dem Weg zurück, auf dem es kam. Das lässt sich nicht rückgängig machen.
console-refund-confirm = Jetzt { $amount } erstatten
console-refund-left-after = Danach noch erstattbar
console-refund-turn-back = Nicht erstatten
console-surplus = { $amount } kamen doppelt
console-surplus-why = Die Bestellung wurde zweimal bezahlt. Die zweite Zahlung geht von selbst zurück; diese konnte nicht zurückgehen.
console-surplus-give-back = { $amount } zurückgeben
console-refusal-refund-exceeds-payment = Höchstens { $most } können erstattet werden.
console-refusal-refund-not-positive = Geben Sie einen Betrag über null ein, höchstens { $most }.
console-refusal-order-not-paid = Diese Bestellung wurde nicht bezahlt; es gibt nichts zu erstatten.
console-refusal-no-surplus = Es wurde nichts zu viel bezahlt, oder es ist schon zurück oder unterwegs.
console-refusal-amount-out-of-range = Geben Sie einen Betrag wie 19,99 ein, höchstens { $most }.
console-refusal-currency-mismatch = Der Betrag muss in der Währung der Bestellung sein, höchstens { $most }.

console-reason-requested-by-customer = Auf Wunsch des Kunden
console-reason-duplicate = Doppelt bezahlt
console-reason-fraudulent = Verdacht auf Betrug
console-reason-surprise-capture = Kam, nachdem die Bestellung anders bezahlt war
console-reason-made-at-gateway = Beim Zahlungsdienst erstattet

console-told-refunded = Die Erstattung ist unterwegs.
console-told-refund-waits = Die Erstattung ist vermerkt, aber der Zahlungsdienst antwortet gerade nicht. Sie wird von selbst gesendet, sobald er antwortet.
console-told-refund-refused = Der Zahlungsdienst hat die Erstattung abgelehnt. Was er dazu sagt, steht unten bei der Erstattung.
console-told-resent = Beleg und Schlüssel sind unterwegs.
console-told-let-go = Sie ist unterwegs; ihr Empfänger hat sie womöglich schon.
console-told-checked = Der Zahlungsdienst hat geantwortet; diese Seite zeigt, wie die Zahlung jetzt steht.
console-told-still-open = Der Zahlungsdienst hat geantwortet: Der Ausgang ist noch offen.
console-told-contradiction = Die Antwort des Zahlungsdienstes widerspricht dem, was gespeichert ist. Nichts wurde geändert; sehen Sie ins Protokoll des Servers.
console-told-gateway-silent = Der Zahlungsdienst antwortet gerade nicht. Nichts wurde geändert; er wird von selbst wieder gefragt.
console-told-released = Der Platz ist frei.
console-told-was-free = Dieser Platz war schon frei.
console-told-applied = Angewendet. Was sie sagt, steht jetzt in den Daten.
console-told-duplicate = Sie war schon angewendet.
console-told-ignored = Für uns steht nichts darin.
console-told-parked-again = Sie ergibt noch immer keinen Sinn; der Grund steht unten.
console-told-stored = Sie ist gespeichert und wird gleich angewendet.

console-actor-gateway = Zahlungsdienst
console-actor-system = Latchkey
console-actor-buyer = Käufer
console-actor-app = App
console-actor-api = API
console-actor-user = Verwaltung

console-mail-order-paid = Beleg und Schlüssel
console-mail-order-fulfilled = Was unterwegs war
console-mail-pool-low = An Sie: nur noch wenige Codes
console-mail-payment-failed = Zahlung fehlgeschlagen
console-mail-order-refunded = Geld erstattet
console-mail-portal-code = Code für das Kundenportal
console-mail-console-link = Link zur Verwaltung
console-mail-keys-requested = Schlüssel auf Anfrage
console-mail-key-replaced = Neuer Schlüssel
console-mail-key-signed-again = Schlüssel, neu signiert
console-mail-license-received = Lizenz erhalten
console-mail-transfer-offered = Lizenz angeboten
console-mail-transfer-started = Lizenz ist angeboten
console-mail-transfer-done = Lizenz weitergegeben

console-state-pending = Wartet auf Zahlung
console-state-paid = Bezahlt
console-state-partially-refunded = Teilweise erstattet
console-state-refunded = Erstattet
console-state-disputed = Strittig
console-state-lost = Im Streit verloren
console-state-expired = Abgelaufen
console-state-created = Angelegt
console-state-sent = Gesendet
console-state-requires-action = Käufer muss bestätigen
console-state-processing = Läuft
console-state-unknown = Unbekannt
console-state-canceled = Abgebrochen
console-state-failed = Fehlgeschlagen
console-state-succeeded = Erfolgreich
console-state-active = Aktiv
console-state-suspended = Ausgesetzt
console-state-revoked = Entzogen
console-state-suspended-by-dispute = Ausgesetzt wegen Zahlungsstreit
console-state-suspended-by-person = Von Hand ausgesetzt
console-state-revoked-by-refund = Entzogen durch Erstattung
console-state-revoked-by-dispute = Entzogen durch Zahlungsstreit
console-state-revoked-by-person = Von Hand entzogen
console-state-lapsed = Frist abgelaufen
console-state-queued = Wartet
console-state-refused = Abgelehnt
console-state-bounced = Zurückgekommen
console-state-received = Empfangen
console-state-applied = Angewendet
console-state-ignored = Nichts für uns
console-state-parked = Zurückgestellt
console-state-released = Freigegeben

console-parked-amount-mismatch = Der Zahlungsdienst meldet einen anderen Betrag, als verlangt wurde. Vergleichen Sie die Zahlung dort mit der Bestellung; ist das Geld bei Ihnen, erstatten Sie es dort.
console-parked-currency-mismatch = Der Zahlungsdienst meldet eine andere Währung, als verlangt wurde. Vergleichen Sie die Zahlung dort mit der Bestellung.
console-parked-mode-mismatch = Testgeld für einen echten Shop oder umgekehrt. Prüfen Sie, welche Schlüssel und Webhooks des Zahlungsdienstes hierher zeigen.
console-parked-account-mismatch = Die Zahlung gehört zu einem anderen Konto beim Zahlungsdienst. Prüfen Sie, welche Webhooks zu welchem Konto zeigen.
console-parked-reference-mismatch = Die Meldung nennt eine Zahlung von uns, aber einen anderen Vorgang beim Zahlungsdienst. Vielleicht hat jemand die Referenz kopiert; vergleichen Sie beide dort.
console-parked-payment-unknown = Die Meldung nennt eine Bestellung oder Zahlung, die es hier nicht gibt. Wurde diese Datenbank aus einer Sicherung wiederhergestellt, oder teilt sich eine andere Installation das Konto?
console-parked-refund-exceeds-payment = Es ging mehr zurück, als bezahlt wurde. Vergleichen Sie die Erstattungen beim Zahlungsdienst mit der Bestellung.
console-parked-refund-not-positive = Der Zahlungsdienst meldet eine Erstattung von nichts. Sehen Sie sich die Erstattung dort an; ist es ein Fehler, sagen Sie es dem Zahlungsdienst.
console-parked-unreadable = Die Meldung ist echt und doch nicht lesbar. Verwenden Sie eine neuere Version von Latchkey und wenden Sie sie dann erneut an.
console-parked-amount-out-of-range = Der Betrag ist größer, als sich zählen lässt. Sehen Sie sich die Zahlung beim Zahlungsdienst an.

console-event-checkout-opened = Kasse geöffnet
console-event-checkout-submitted = Käufer hat bestellt
console-event-checkout-expired = Kasse abgelaufen
console-event-payment-sent = Zahlungsseite beim Zahlungsdienst geöffnet
console-event-payment-unknown = Der Zahlungsdienst hat nicht geantwortet
console-event-payment-requires-action = Käufer muss die Zahlung bestätigen
console-event-payment-declined = Abgelehnt
console-event-payment-processing = Lastschrift läuft
console-event-payment-succeeded = Geld eingegangen
console-event-payment-surprise-capture = Geld kam unerwartet
console-event-payment-failed = Zahlung fehlgeschlagen
console-event-payment-canceled = Zahlung abgebrochen
console-event-order-paid = Bezahlt
console-event-order-refund-changed = Insgesamt erstattet
console-event-order-disputed = Strittig
console-event-order-dispute-won = Zahlungsstreit gewonnen
console-event-order-lost = Zahlungsstreit verloren
console-event-refund-requested = Erstattung verlangt
console-event-refund-pending = Erstattung läuft
console-event-refund-succeeded = Erstattung erledigt
console-event-refund-failed = Erstattung fehlgeschlagen
console-event-dispute-changed = Zahlungsstreit bewegt sich
console-event-license-issued = Lizenz ausgegeben
console-event-claim-waiting = Wartet auf die Übergabe
console-event-claim-fulfilled = Übergeben
console-event-pool-stocked = Codes auf Lager
console-event-pool-low = Nur noch wenige Codes
console-event-pool-withdrawn = Codes aus dem Bestand genommen
console-event-pool-released = Bestand nach Wiederherstellung freigegeben
console-event-release-published = Version erschienen
console-event-release-withdrawn = Version zurückgezogen
console-event-license-suspended = Lizenz ausgesetzt
console-event-license-revoked = Lizenz entzogen
console-event-license-reinstated = Lizenz gilt wieder
console-event-license-used = Nutzung gezählt
console-event-license-started = Laufzeit der Lizenz hat begonnen
console-event-activation-created = Gerät aktiviert
console-event-activation-released = Platz freigegeben
console-event-activation-changed = Gerät hat einen neuen Fingerabdruck
console-event-activation-lapsed = Frist abgelaufen, Plätze wieder frei
console-event-license-offered = Jemand anderem angeboten
console-event-license-offer-withdrawn = Angebot zurückgezogen
console-event-license-transferred = An anderen Kunden gegangen
console-event-activation-renamed = Gerät umbenannt
console-event-delivery-sent = Mail gesendet
console-event-delivery-refused = Mail abgelehnt
console-event-session-started = Angemeldet
console-event-notice-replayed = Meldung erneut angewendet

## What a license allows out of the ordinary

console-policy-days =
    { $count ->
        [one] 1 Tag
       *[other] { NUMBER($count) } Tage
    }
console-policy-seconds = { NUMBER($count) } Sekunden
console-policy-starts = Laufzeit beginnt
console-policy-starts-issue = mit der Ausgabe
console-policy-starts-first-activation = mit dem ersten Gerät
console-policy-starts-first-validation = mit der ersten Nutzung
console-policy-started = Begonnen
console-policy-updates = Gilt für Versionen bis
console-policy-grace = Kulanz nach dem Ende
console-policy-at-expiry = Nach dem Ende
console-policy-at-expiry-restrict = gilt nicht mehr
console-policy-at-expiry-keep = gilt weiter für Geräte und Versionen jenes Tages
console-policy-at-expiry-allow = gilt weiter
console-policy-at-expiry-end = ist vorbei wie entzogen
console-policy-trial = Testlizenz
console-policy-trial-yes = ja
console-policy-check-in = Geräte melden sich binnen
console-policy-seats-for = Plätze sind für
console-policy-seats-for-device = Geräte
console-policy-seats-for-user = Personen
console-policy-lease = Ein Platz ohne Lebenszeichen hält
console-policy-usage = Genutzt
console-policy-usage-of = { NUMBER($used) } von { NUMBER($limit) }
console-policy-usage-counted = { NUMBER($used) }, ohne Grenze
console-policy-usage-resets = Zählt neu ab
console-policy-overage = Über die Plätze hinaus
console-policy-overage-deny = niemand
console-policy-overage-1-25x = bis zu einem Viertel mehr
console-policy-overage-1-5x = bis zur Hälfte mehr
console-policy-overage-2x = bis zu doppelt so viele
console-policy-overage-always = alle

## Changing what a license allows

console-plan = Tarif
console-adjust = Umfang ändern
console-adjust-what = Nur für diese Lizenz. Was leer bleibt, bleibt; eine spätere Änderung des Tarifs lässt es, wie es ist.
console-adjust-usage = Nutzungsgrenze
console-adjust-expires = Gilt bis zum Ende des
console-adjust-button = Diese Lizenz ändern
console-adopt-title = Was { $plan } jetzt besagt
console-adopt-what = Eine Lizenz behält, was ihr Tarif beim Kauf besagte. Hier steht, was sich ändern würde, wenn diese Lizenzen übernähmen, was der Tarif jetzt besagt. Noch ist nichts geändert.
console-adopt-changes = Was sich ändert
console-adopt-same = nichts
console-adopt-refused = bleibt: mehr Geräte haben einen Platz, als es gäbe
console-adopt-button =
    { $count ->
        [one] 1 Lizenz ändern
       *[other] { NUMBER($count) } Lizenzen ändern
    }
console-told-adjusted = Die Lizenz ist geändert.
console-told-adjust-same = Die Lizenz besagt das schon.
console-told-adjust-seats = Mehr Geräte haben einen Platz. Geben Sie erst welche frei.
console-told-adjust-usage = Diese Lizenz zählt keine Nutzung.
console-told-adjust-unread = Nichts geändert: Geben Sie einen Grund an und ganze Zahlen.
console-told-adopted = Die Lizenzen besagen, was der Tarif besagt.
console-email-correct = Adresse berichtigen
console-email-correct-what = Für eine Adresse, die an der Kasse falsch geschrieben wurde. Was schon versandt ist, bleibt im falschen Postfach: Ersetzen Sie Schlüssel, die jemand anderes haben kann.
console-email-right = Richtige Adresse
console-email-resend = Belege und Schlüssel bezahlter Bestellungen dorthin senden
console-email-correct-button = Adresse berichtigen
console-told-email-corrected = Die Adresse ist berichtigt.
console-told-email-resent = Die Adresse ist berichtigt; Belege und Schlüssel sind dorthin unterwegs.
console-told-email-taken = Ein anderer Kunde hat diese Adresse.
console-told-email-unread = Nichts geändert: Geben Sie eine Adresse wie name@example.com und einen Grund an.
console-event-customer-changed = Adresse des Kunden berichtigt
console-event-license-changed = Umfang der Lizenz geändert

## A new key

console-reissue = Schlüssel ersetzen
console-reissue-what = Die Lizenz bleibt, mit ihren Geräten und ihrer Laufzeit. Der alte Schlüssel sagt, dass er ersetzt wurde; den neuen sieht der Käufer im Portal und auf der Seite der Bestellung.
console-reissue-release = Jedes Gerät muss den neuen Schlüssel eingeben
console-reissue-button = Schlüssel ersetzen
console-told-reissued = Die Lizenz hat einen neuen Schlüssel.
console-file = Lizenzdatei
console-file-what = Die Lizenz als Datei, für Geräte ohne Netz. Sie gilt auf jedem Gerät, auf das sie gebracht wird, und belegt keinen Platz: Wo das reicht, geben Sie aus der Liste oben eine für ein einzelnes Gerät.
console-file-days =
    { $days ->
        [0] Für wie viele Tage, höchstens weniger als einen; leer: so lange, wie die Lizenz erlaubt
        [one] Für wie viele Tage, höchstens einen; leer: so lange, wie die Lizenz erlaubt
       *[other] Für wie viele Tage, höchstens { NUMBER($days) }; leer: so lange, wie die Lizenz erlaubt
    }
console-file-button = Herunterladen
console-file-device = Datei
console-told-file-time = Es gibt keine Datei: So viele Tage kann sie nicht gelten.
console-told-file-unusable = Es gibt keine Datei: Die Lizenz ist gerade nicht nutzbar.
console-told-file-seat = Es gibt keine Datei: Das Gerät hat gerade keinen Platz.
console-event-license-file-given = Lizenzdatei ausgegeben
console-event-license-reissued = Schlüssel ersetzt
console-event-license-signed-again = Schlüssel neu unterschrieben

## Eine Lizenz, von Hand

console-undo = Rückgängig
console-standing = Aussetzen oder zurücknehmen
console-standing-what = Was Sie hier entscheiden, gilt, bis es jemand rückgängig macht, was immer mit dem Geld geschieht. Rückgängig geht jede Handlung neben ihrer Zeile im Verlauf.
console-suspend = Aussetzen
console-reinstate = Wieder gelten lassen
console-take-back = Zurücknehmen
console-move = Einem anderen Kunden geben
console-move-what = Schlüssel und Geräte gehen mit. Die Bestellung bleibt bei dem, der bezahlt hat. Der Kunde muss hier schon etwas gekauft oder bekommen haben; sonst kann der Besitzer die Lizenz im Portal weitergeben.
console-move-to = E-Mail-Adresse des Kunden
console-move-button = Lizenz übertragen
console-back = Zurück
console-reissue-confirm = Der Schlüssel, der auf { $tail } endet, gilt sofort in keiner App mehr. Das lässt sich nicht rückgängig machen.
console-reissue-mail = Den neuen Schlüssel an { $email } schicken
console-reissue-nobody = Die Lizenz gehört niemandem, dem man schreiben könnte. Den neuen Schlüssel zeigt die Seite der Bestellung oder die API.
console-told-reason-missing = Nichts getan: Geben Sie einen Grund an.
console-told-suspended = Die Lizenz ist ausgesetzt.
console-told-reinstated = Die Lizenz folgt wieder ihrer Bestellung: Sie gilt, wenn das Geld nicht inzwischen zurückging.
console-told-taken-back = Die Lizenz ist zurückgenommen.
console-told-moved = Die Lizenz gehört diesem Kunden.
console-told-move-unknown = Kein Kunde dieses Shops hat diese Adresse.
console-told-undone = Es ist, wie es vorher war.
console-told-changed-since = Nicht rückgängig gemacht: Das wurde seither noch einmal geändert, oder das Geld der Bestellung sagt etwas anderes. Ändern Sie es auf das, was gelten soll.
console-told-not-undoable = Das lässt sich nicht rückgängig machen.
console-told-unfit = Die Lizenz ist schon so, oder ihr Zustand lässt das nicht zu.
## Attempts

console-attempts = Anfragen von Programmen
console-attempts-what = Was Programme gefragt haben und was ihnen geantwortet wurde, das Neueste zuerst, mit der Regel, die entschieden hat. Gewöhnliche Zusagen werden je Tag gezählt und eine Woche aufbewahrt, alles andere dreißig Tage.
console-attempts-empty = In letzter Zeit hat kein Programm gefragt.
console-attempts-times = { $count ->
        [one] einmal
       *[other] { NUMBER($count) }-mal
    }
console-attempt-asked = Gefragt
console-attempt-verdict = Ergebnis
console-attempt-why = Warum, und was zu tun ist
console-attempt-validate = Gilt sie?
console-attempt-activate = Aktivieren
console-attempt-deactivate = Deaktivieren
console-attempt-heartbeat = Noch in Gebrauch
console-attempt-usage = Nutzung melden
console-strangers = Unbekannte Schlüssel
console-strangers-what = Was Programme mit einem Schlüssel gefragt haben, der keine Lizenz öffnet, das Neueste zuerst. Von einem solchen Schlüssel wird nur sein Ende aufbewahrt.

## Lizenzen, die niemand bezahlt

console-batches = Ohne Zahlung ausstellen
console-batches-what = Verschenktes, Schulen, Händler, die anders abrechnen. Es sind Bestellungen, die nichts kosten; der Grund steht im Journal, wo sonst die Zahlung steht.
console-batch = Zusammen ausgestellte Lizenzen
console-batch-licenses = Wie viele, mit Schlüsseln, die Sie verteilen
console-batch-emails = Oder an diese Adressen, je eine Lizenz
console-batch-mail = Jedem den Schlüssel schicken
console-batch-issue = Lizenzen ausstellen
console-batch-issued = { NUMBER($issued) } von { NUMBER($of) } ausgestellt
console-batch-part = Das wurde unterbrochen. Drücken Sie den Knopf des Formulars noch einmal, oder machen Sie auf der Kommandozeile weiter.
console-batch-keys = Schlüssel herunterladen (CSV)
console-batch-keys-what = Wer die Datei hat, hat die Lizenzen. Die Schlüssel liegen versiegelt; diese Seite öffnet sie für Sie.
console-batch-count = Nichts ausgestellt: Geben Sie 1 bis { NUMBER($count) } Lizenzen an, oder so viele Adressen. Die Kommandozeile nimmt mehr.
console-batch-email = Nichts ausgestellt: { $email } ist keine E-Mail-Adresse.
console-told-batch-issued = Die Lizenzen sind ausgestellt.
console-told-batch-differs = Nichts weiter ausgestellt: Dieser Vorgang wurde für andere Lizenzen begonnen.
console-export-licenses = Alle Lizenzen (CSV)
console-export-devices = Alle Geräte (CSV)
## Groups

console-groups = Gruppen
console-groups-what = Lizenzen, die zusammengehören, etwa die einer Firma, und was sie insgesamt belegen dürfen.
console-groups-empty = Noch keine Gruppe.
console-group = Gruppe
console-group-none = Keine
console-group-new = Neue Gruppe
console-group-new-button = Gruppe anlegen
console-group-max-licenses = Höchstens so viele Lizenzen; leer: beliebig viele
console-group-max-seats = Höchstens so viele Plätze, über alle ihre Lizenzen; leer: so viele, wie jede erlaubt
console-group-what = Eine Lizenz in einer Gruppe behält ihre eigenen Plätze und vergibt einen nur, solange die Gruppe noch einen hat. Was zurückgenommen wurde, zählt nicht; was nur abgelaufen ist, zählt, bis es herausgenommen oder zurückgenommen wird.
console-group-empty = Keine Lizenz gehört dazu.
console-group-license = Id einer Lizenz
console-group-put = In die Gruppe aufnehmen
console-group-regroup = Gruppe ändern
console-group-change = Name und Grenzen ändern
console-group-delete = Gruppe löschen
console-told-group-made = Die Gruppe ist angelegt.
console-told-group-changed = Die Gruppe ist geändert.
console-told-group-unread = Nichts geändert: Geben Sie einen Namen mit höchstens 100 Zeichen, ganze Zahlen und einen Grund an.
console-told-group-below-used = Nichts geändert: Die Gruppe umfasst mehr. Nehmen Sie zuerst Lizenzen heraus, oder geben Sie Plätze frei.
console-told-group-deleted = Die Gruppe ist gelöscht.
console-told-group-not-empty = Nicht gelöscht: Es gehören Lizenzen dazu. Nehmen Sie diese zuerst heraus.
console-told-group-license-unknown = Diese Lizenz gibt es nicht.
console-told-group-licenses-reached = Die Gruppe hat schon so viele Lizenzen, wie sie aufnimmt.
console-told-group-full = Mit den Geräten dieser Lizenz belegte die Gruppe mehr Plätze, als sie darf.
console-told-grouped = Die Lizenz gehört zu der Gruppe.
console-told-ungrouped = Die Lizenz gehört zu keiner Gruppe.
console-event-group-created = Gruppe angelegt
console-event-group-changed = Gruppe geändert
console-event-group-deleted = Gruppe gelöscht

## Key pools

console-pools = Schlüsselvorräte
console-pools-what = Codes, die anderswo entstanden sind und hier verkauft werden, jeder einmal.
console-pools-empty = Noch kein Vorrat. Ein [[pool]] in der Shop-Datei legt einen an, und ein Tarif mit fulfilment = "pool" verkauft daraus.
console-pool-free = Auf Lager
console-pool-reserved = Zurückgelegt, solange bezahlt wird
console-pool-taken = Ausgegeben
console-pool-withdrawn = Herausgenommen
console-pool-waiting = Warten auf einen Code
console-pool-nobody = Niemand wartet.
console-pool-since = Seit
console-pool-good = Genug
console-pool-low = Wenig
console-pool-low-at = Hinweis an Sie ab
console-pool-held = Angehalten seit einer Wiederherstellung
console-pool-held-why = Der Shop wurde am { $date } aus einer Sicherung wiederhergestellt. Codes, die hier frei sind, können nach der Sicherung ausgegeben worden sein, deshalb geht keiner von selbst hinaus. Nehmen Sie diese heraus (latchkey pools withdraw), und geben Sie die übrigen frei.
console-pool-release = Freigeben: Niemand hat diese Codes
console-told-pool-released = Aus dem Vorrat werden wieder Codes ausgegeben.
console-pool-out = Wenn er leer ist
console-pool-out-back-order = Verkauf geht weiter, der Code kommt später
console-pool-out-stop = Kein Verkauf, bis es Nachschub gibt
console-pool-add = Codes nachfüllen
console-pool-codes = Codes
console-pool-codes-hint = Einer je Zeile, oder eine Tabelle, deren erste Spalte der Code ist.
console-pool-add-button = Nachfüllen
console-pool-many = Mehr als tausend kommen über die Befehlszeile:
console-pool-added = { NUMBER($new) } Codes sind neu auf Lager; { NUMBER($known) } waren schon da.
console-pool-none = Darin steht kein Code.
console-pool-line = Zeile { NUMBER($count) }
console-pool-line-unreadable = kein Code: länger als 255 Zeichen, oder wie eine Kartennummer
console-pool-line-repeated = derselbe Code steht in Zeile { NUMBER($count) }
console-pool-line-elsewhere = er ist in einem anderen Vorrat
console-pool-line-gone = er wurde schon ausgegeben oder herausgenommen
console-pool-lines-more = und { NUMBER($count) } weitere
console-license-code = Code
console-license-code-from = Aus { $pool }, ausgegeben
console-license-code-waiting = Unterwegs, aus { $pool }

## Schattenbetrieb

console-shadow = Schattenbetrieb
console-shadow-what = Ein altes System antwortet Ihren Programmen, und was wir gesagt hätten, wird damit verglichen. Werte, die ein Geheimnis sein oder jemanden nennen können, werden nicht gezeigt.
console-shadow-none = Nichts wird verglichen. [shop.compat.shadow] in der Shop-Datei nennt ein altes System.
console-shadow-empty = Keine Unterschiede.
console-shadow-counts = { $compared } Antworten verglichen: { $equal } gleich, { $different } verschieden. { $unanswered } ohne Antwort des alten Systems.
console-shadow-since = Seit { $date }.
console-shadow-unasked = Noch hat kein Programm gefragt.
console-shadow-place = Stelle
console-shadow-call = Aufruf
console-shadow-kind = Unterschied
console-shadow-ours = Hier
console-shadow-theirs = Dort
console-shadow-times = Wie oft
console-shadow-last = Zuletzt
console-shadow-whole = Die ganze Antwort
console-shadow-status = HTTP-Status
console-shadow-missing-here = Fehlt hier
console-shadow-only-here = Nur hier
console-shadow-other-value = Anderer Wert
console-shadow-other-type = Andere Art

## What is to be done

console-claims = Zu übergeben
console-claims-badge = { $overdue ->
    [0] { $shown }
   *[other] { $shown }, davon { $late } überfällig
}
console-claims-what = Bezahlte Stücke, die warten: zuerst, was Menschen versprochen haben, nach Fälligkeit; dann, was Ihr eigenes Programm noch nicht beantwortet hat, und was auf einen Code wartet. Stücke, deren Geld zurückging, stehen nicht hier.
console-claims-empty = Hier wartet nichts.
console-claims-more = Mehr
console-claims-overdue = { $count ->
    [one] Ein Stück ist überfällig.
   *[other] { $shown } Stücke sind überfällig.
}
console-todo-overdue = { $count ->
    [one] { $shown } bezahltes Stück ist überfällig: Es war bis jetzt versprochen
   *[other] { $shown } bezahlte Stücke sind überfällig: Sie waren bis jetzt versprochen
}
console-todo-owed = { $count ->
    [one] { $shown } bezahltes Stück wartet darauf, übergeben zu werden
   *[other] { $shown } bezahlte Stücke warten darauf, übergeben zu werden
}
console-todo-unanswered = { $count ->
    [one] { $shown } Käufer wartet auf eine Antwort
   *[other] { $shown } Käufer warten auf eine Antwort
}
console-claim-kind-manual = Von Hand
console-claim-kind-webhook = Durch Ihr Programm
console-claim-kind-pool = Aus einem Vorrat
console-claim-title = Zu übergeben für Bestellung { $number }
console-claim-title-done = Übergeben für Bestellung { $number }
console-claim-waits-for = Wie
console-claim-due = Fällig
console-claim-due-hours = { $count ->
    [0] in weniger als einer Stunde
    [one] in einer Stunde
   *[other] in { NUMBER($count) } Stunden
}
console-claim-due-days = in { NUMBER($count) } Tagen
console-claim-overdue-hours = { $count ->
    [0] überfällig seit weniger als einer Stunde
    [one] überfällig seit einer Stunde
   *[other] überfällig seit { NUMBER($count) } Stunden
}
console-claim-overdue-days = überfällig seit { NUMBER($count) } Tagen
console-claim-last-error = Bei der letzten Anfrage
console-claim-handed-over = Übergeben
console-claim-proof = { $date }, von: { $who }, endet auf …{ $tail }
console-claim-proof-said = { $date }, von: { $who }
console-claim-proof-where = Ganz steht es auf der Seite des Käufers; es ging auch per Mail hinaus.
console-claim-proof-where-said = So steht es auf der Seite des Käufers, und so ging es per Mail hinaus.
console-claim-unanswered = Nicht beantwortet
console-claim-waits = Wartet
console-claim-waits-until = Wartet, fällig
console-claim-content = Übergeben
console-claim-content-label = Was der Käufer bekommt
console-claim-content-hint = Bis zu 255 Zeichen. Es geht per Mail an den Käufer, bleibt auf der Seite der Bestellung und lässt sich danach nicht mehr ändern.
console-claim-content-hint-code = Der Code, von Hand: bis zu 255 Zeichen, für niemanden sonst. Er geht per Mail an den Käufer und lässt sich danach nicht mehr ändern.
console-claim-content-empty = Geben Sie ein, was der Käufer bekommt.
console-claim-content-long = Das ist länger als 255 Zeichen. Kürzen Sie es, oder schreiben Sie unten eine Nachricht.
console-claim-content-card = Das sieht wie eine Kartennummer aus, die hier nicht aufbewahrt werden darf. Lassen Sie sie weg.
console-claim-done = Erledigt
console-claim-ask = Jetzt noch einmal fragen
console-claim-ask-what = Ihr Programm wird von selbst gefragt, bis es antwortet; der Knopf fragt jetzt.
console-claim-stock = Das kommt aus einem Vorrat, in der Reihenfolge der Zahlung, sobald Codes da sind.
console-claim-stock-open = Vorrat öffnen
console-claim-stock-sleeps = Das kommt aus einem Vorrat, und erst, wenn die Lizenz wieder gilt: Das Geld ging zurück, oder jemand hält sie an.
console-claim-refused-fulfilled = Es wurde schon etwas anderes übergeben, und das bleibt beim Käufer.
console-claim-refused-taken = Diesen Code hat ein anderer Käufer, oder er liegt in einem Vorrat. Geben Sie einen anderen ein.
console-claim-refused-stock = Was dieser Käufer bekommt, kommt aus einem Vorrat. Füllen Sie dort nach.
console-claim-refused-license = Es wird nichts übergeben, solange die Lizenz nicht gilt: Das Geld ging zurück, oder jemand hält sie an.
console-claim-refused-nothing = Für diese Lizenz steht nichts aus.
console-told-claim-done = Es ist beim Käufer.
console-told-claim-asked = Ihr Programm wurde gefragt. Was daraus wurde, steht auf dieser Seite.
console-told-claim-underway = Ihr Programm wird gerade schon gefragt. Laden Sie diese Seite gleich neu.
console-told-claim-not-asked = Es wurde nicht gefragt: Hier wartet nichts auf Ihr Programm, oder die Lizenz gilt jetzt nicht.
console-told-message-written = Ihre Nachricht ist geschrieben und per Mail unterwegs.
console-told-message-held = Ihre Nachricht ist geschrieben. Die Mail dazu wartet unter Mails darauf, dass Sie sie freigeben: Sie wird seit einer Wiederherstellung zurückgehalten.
console-told-message-before = Dieselbe Nachricht wurde eben schon geschrieben. Sie ging kein zweites Mal hinaus.

## Messages about an order

console-messages = Nachrichten
console-messages-waits = Wartet auf Antwort seit { $date }
console-filter-unanswered = Wartet auf Antwort
console-orders-unanswered-empty = Niemand wartet auf eine Antwort.
console-messages-none = Zu dieser Bestellung hat noch niemand geschrieben.
console-message-label = Dem Käufer schreiben
console-message-hint = Bis zu 2.000 Zeichen. Der Käufer bekommt sie per Mail und kann auf der Seite der Bestellung antworten. Fragen Sie nie nach einer Kartennummer.
console-message-send = Senden
console-message-empty = Geben Sie eine Nachricht ein.
console-message-long = Die Nachricht ist länger als 2.000 Zeichen.
console-message-unreadable = Der Käufer kann keine Nachricht lesen: Die Bestellung ist nicht bezahlt, oder es gibt keine Adresse.
console-message-card = In der Nachricht steht etwas wie eine Kartennummer, die hier nicht aufbewahrt werden darf. Lassen Sie sie weg.
console-mail-message-from-shop = An den Käufer: Ihre Nachricht
console-mail-message-from-buyer = An Sie: Ein Käufer hat geschrieben
console-event-message-written = Nachricht geschrieben
