# What went wrong and how to mend it, one message a cause.

error-title = Fehler: { $title }
error-summary = Bitte korrigieren Sie dies

## Email address

error-email-empty = Geben Sie Ihre E-Mail-Adresse ein.
error-email-no_at = In der E-Mail-Adresse fehlt das @. Sie sollte aussehen wie name@example.com.
error-email-two_ats = Die E-Mail-Adresse enthält mehr als ein @. Entfernen Sie eines.
error-email-no_name = In der E-Mail-Adresse steht nichts vor dem @.
error-email-bad_domain = Was nach dem @ steht, ist keine Domain. Sie sollte aussehen wie example.com.
error-email-bad_character = Die E-Mail-Adresse enthält ein Leerzeichen oder ein Zeichen, das dort nicht stehen kann.
error-email-too_long = Die E-Mail-Adresse ist zu lang. Prüfen Sie, ob Sie noch etwas anderes mit eingefügt haben.

## Till

error-country = Wählen Sie Ihr Land.
error-consent = Setzen Sie das Häkchen, damit wir sofort liefern dürfen. Ohne Ihre Zustimmung können wir nicht an Verbraucher in der Europäischen Union verkaufen.
error-answer-missing = „{ $label }“ fehlt. Bitte füllen Sie es aus.
error-answer-too_long = „{ $label }“ darf höchstens { NUMBER($max) } Zeichen haben. Bitte kürzen Sie es.
error-answer-not_a_choice = Wählen Sie bei „{ $label }“ eine Antwort aus der Liste.
error-answer-card_number = „{ $label }“ sieht aus wie eine Kartennummer. Geben Sie hier nie eine ein: Sie bezahlen auf der nächsten Seite.
error-quantity-empty = Geben Sie die Menge ein.
error-quantity-not_a_number = Geben Sie die Menge als ganze Zahl ein, zum Beispiel 1.
error-quantity-zero = Die Menge muss mindestens 1 sein.
error-quantity-too_many = Sie können höchstens { NUMBER($max) } auf einmal kaufen. Schreiben Sie uns, wenn Sie mehr brauchen.

## Portal

error-code-empty = Geben Sie den Code aus der Mail ein.
error-code-wrong = Dieser Code ist falsch, verbraucht oder abgelaufen. Prüfen Sie die acht Ziffern, oder fordern Sie einen neuen Code an.
error-key-empty = Geben Sie Ihren Lizenzschlüssel ein.
error-key-length = Ein Lizenzschlüssel hat { NUMBER($length) } Buchstaben und Ziffern. Prüfen Sie, ob Sie ihn ganz kopiert haben.
error-key-symbol = Der Lizenzschlüssel enthält ein Zeichen, das in keinem Schlüssel vorkommt. Kopieren Sie ihn aus Ihrem Beleg.
error-key-typo = Im Lizenzschlüssel steckt ein Tippfehler. Vergleichen Sie ihn mit Ihrem Beleg, oder fügen Sie ihn als Kopie ein.
error-key-mismatch = Dieser Schlüssel und diese Bestellnummer gehören nicht zusammen. Prüfen Sie beide auf Ihrem Beleg.
error-request-empty = Es fehlt die Anfrage. Fügen Sie sie ein, oder wählen Sie die Datei.
error-request-unreadable = Das ist keine vollständige Anfrage.
error-request-newer = Die Anfrage kommt von einem neueren Programm, als dieser Shop kennt.
error-request-damaged = Die Anfrage wurde unterwegs verändert.
error-request-seat = Diesen Platz gibt es in diesem Shop nicht.
error-request-not_genuine = Die Anfrage wurde nicht mit dem Schlüssel dieser Lizenz erstellt.
error-number-empty = Geben Sie die Bestellnummer ein.
error-number-malformed = Eine Bestellnummer hat acht Buchstaben und Ziffern, zum Beispiel K7QM-2X9P.

## Declined payments

error-decline-insufficient_funds = Ihre Bank hat die Zahlung abgelehnt: Das Konto ist nicht gedeckt. Es wurde nichts abgebucht. Versuchen Sie eine andere Karte oder Zahlungsart.
error-decline-expired_card = Die Karte ist abgelaufen. Es wurde nichts abgebucht. Versuchen Sie eine andere Karte.
error-decline-incorrect_cvc = Die Prüfnummer war falsch. Es wurde nichts abgebucht. Prüfen Sie die Nummer auf der Karte, und versuchen Sie es erneut.
error-decline-incorrect_number = Die Kartennummer war falsch. Es wurde nichts abgebucht. Prüfen Sie die Nummer, und versuchen Sie es erneut.
error-decline-update_method = Die Bank konnte diese Karten- oder Kontodaten nicht annehmen. Es wurde nichts abgebucht. Prüfen Sie die Daten, oder versuchen Sie eine andere Zahlungsart.
error-decline-authenticate = Die Bank konnte nicht bestätigen, dass Sie es waren. Es wurde nichts abgebucht. Versuchen Sie es erneut, und bestätigen Sie in Ihrer Banking-App, oder wählen Sie eine andere Zahlungsart.
error-decline-gateway_error = Die Zahlung konnte gerade nicht verarbeitet werden. Es wurde nichts abgebucht. Versuchen Sie es erneut.
error-decline-revoked = Die Erlaubnis, dieses Konto zu belasten, wurde zurückgezogen. Es wurde nichts abgebucht. Versuchen Sie eine andere Zahlungsart.
error-decline-soft = Ihre Bank hat die Zahlung abgelehnt. Es wurde nichts abgebucht. Versuchen Sie es später, oder wählen Sie eine andere Zahlungsart.
error-decline-hard = Ihre Bank hat die Zahlung ohne Angabe von Gründen abgelehnt. Es wurde nichts abgebucht. Versuchen Sie eine andere Karte oder Zahlungsart, oder fragen Sie Ihre Bank.

## Eine Lizenz für ihren Besitzer

error-device-name = Geben Sie einen Namen mit höchstens 100 Zeichen ohne Zeilenumbruch ein, oder lassen Sie das Feld leer.
error-transfer-to-owner = Dieser Adresse gehört die Lizenz bereits. Geben Sie eine andere ein.
error-transfer-quota = Diese Lizenz wurde vorerst so oft angeboten, wie möglich ist. Sie kann am { $date } wieder angeboten werden.
error-transfer-not-usable = Diese Lizenz gilt zurzeit nicht und kann deshalb nicht weitergegeben werden.
error-transfer-code = Zu dieser Lizenz gehört ein Code, der anderswo entstanden ist und nicht ersetzt werden kann. Deshalb kann sie nicht weitergegeben werden.
error-key-quota = Sie haben vorerst so viele neue Schlüssel geholt, wie möglich ist. Den nächsten gibt es am { $date }. Wenn es eilt, schreiben Sie uns.
error-key-not-usable = Diese Lizenz gilt zurzeit nicht, deshalb gibt es für sie keinen neuen Schlüssel.
error-key-code = Zu dieser Lizenz gehört ein Code, der anderswo entstanden ist. Deshalb gibt es für sie keinen neuen Schlüssel.
error-message-empty = Geben Sie Ihre Nachricht ein.
error-message-long = Ihre Nachricht ist länger als 2.000 Zeichen. Kürzen Sie sie, oder senden Sie sie in Teilen.
error-message-card = In Ihrer Nachricht steht etwas wie eine Kartennummer. Nehmen Sie sie heraus: Hier braucht sie niemand.
error-message-unanswered = Sie haben mehrere Nachrichten geschrieben, die noch nicht beantwortet sind. Bitte warten Sie auf eine Antwort, oder schreiben Sie an die Adresse unten.
