# Why a question about a license ended as it did: for each code its cause, what the buyer does, and what the shop's support does.

diagnosis-cause = Ursache
diagnosis-buyer = Was der Käufer tut
diagnosis-support = Was der Support tut

diagnosis-valid-cause = Alle Regeln sind erfüllt: Die Lizenz gilt für das Gerät, das Produkt und die Funktionen, nach denen gefragt wurde.
diagnosis-valid-buyer = Es ist nichts zu tun.
diagnosis-valid-support = Es ist nichts zu tun. Verweigert das Programm trotzdem den Dienst, hält es ein altes Zertifikat oder fragt nach einer anderen Lizenz: Lassen Sie es mit Internetverbindung noch einmal fragen.

diagnosis-unknown-cause = Keine Lizenz dieses Shops hat diesen Schlüssel. Er ist vertippt, wurde nicht ganz kopiert oder gehört zu einem anderen Shop oder zu dessen Testmodus.
diagnosis-unknown-buyer = Kopieren Sie den ganzen Schlüssel aus der E-Mail, der Seite der Bestellung oder dem Portal, und fügen Sie ihn ein.
diagnosis-unknown-support = Suchen Sie die Lizenz über die Bestellung oder die E-Mail-Adresse, vergleichen Sie die letzten vier Zeichen des Schlüssels, und senden Sie die E-Mail der Bestellung erneut. Ein Schlüssel aus dem Testmodus gilt im echten Shop nicht.

diagnosis-key_not_genuine-cause = Der Schlüssel soll vom Shop unterschrieben sein und ist es nicht: Ein Teil fehlt, jemand hat ihn verändert, oder der Signaturschlüssel wurde seither gesperrt.
diagnosis-key_not_genuine-buyer = Kopieren Sie den ganzen Schlüssel von der Seite der Bestellung oder aus dem Portal, und fügen Sie ihn ein.
diagnosis-key_not_genuine-support = Der Fehler sagt, was nicht stimmt: „bad_encoding“ ist ein abgeschnittener Schlüssel, „unknown_key“ einer eines anderen Shops oder eines gesperrten Signaturschlüssels, „bad_signature“ einer, den jemand verändert hat. Senden Sie die E-Mail der Bestellung erneut: Sie enthält den Schlüssel, der gilt.

diagnosis-key_retired-cause = Der Schlüssel wurde durch einen neuen ersetzt, etwa weil er in falsche Hände geraten war.
diagnosis-key_retired-buyer = Geben Sie den neuen Schlüssel ein. Er steht im Portal und auf der Seite der Bestellung.
diagnosis-key_retired-support = Im Verlauf der Lizenz steht, wer den Schlüssel warum ersetzt hat. Senden Sie die E-Mail der Bestellung erneut: Sie enthält den neuen Schlüssel.

diagnosis-wrong_product-cause = Der Schlüssel gehört zu einem anderen Produkt als dem, das das Programm annimmt.
diagnosis-wrong_product-buyer = Geben Sie den Schlüssel in dem Programm ein, für das Sie ihn gekauft haben, oder installieren Sie dieses Programm.
diagnosis-wrong_product-support = Vergleichen Sie das Produkt der Lizenz mit dem, nach dem gefragt wurde. Nennt das Programm ein Produkt, das es im Shop nicht gibt, berichtigt sein Hersteller die Kennung oder den Kurznamen.

diagnosis-revoked-cause = Die Lizenz wurde zurückgenommen: Die Zahlung wurde erstattet oder zurückgebucht, jemand im Shop hat sie widerrufen, oder ihr Tarif beendet sie mit ihrer Laufzeit.
diagnosis-revoked-buyer = Fragen Sie im Shop, in dem Sie sie gekauft haben, nach dem Grund, oder kaufen Sie sie neu.
diagnosis-revoked-support = Die Regel nennt den Grund, und die Bestellung zeigt die Erstattung oder die Rückbuchung. Zurückgezahltes Geld kommt nicht von selbst wieder: Der Käufer braucht eine neue Bestellung.

diagnosis-suspended-cause = Die Lizenz ist vorübergehend gesperrt: Über die Zahlung läuft ein Rückbuchungsverfahren, oder jemand im Shop hat sie gesperrt.
diagnosis-suspended-buyer = Fragen Sie im Shop, in dem Sie sie gekauft haben. Haben Sie der Zahlung versehentlich widersprochen, bitten Sie Ihre Bank, den Widerspruch zurückzuziehen.
diagnosis-suspended-support = Sehen Sie die Bestellung an. Ist ein Verfahren gewonnen oder zurückgezogen, gilt die Lizenz von selbst wieder; sonst steht im Verlauf, wer sie gesperrt hat.

diagnosis-expired-cause = Die Lizenz ist abgelaufen, und auch ihre Nachfrist ist vorbei.
diagnosis-expired-buyer = Kaufen Sie die Lizenz neu, oder bitten Sie den Shop, sie zu verlängern.
diagnosis-expired-support = Vergleichen Sie das Ende der Lizenz mit dem, was gekauft wurde. Auf ihrer Seite können Sie für diese eine Lizenz ein späteres Ende setzen.

diagnosis-update_not_covered-cause = Die Version des Programms ist nach dem Ende der Updates erschienen, für die die Lizenz gilt.
diagnosis-update_not_covered-buyer = Installieren Sie eine Version, die vor dem Ende der Updates erschienen ist, oder kaufen Sie Updates nach.
diagnosis-update_not_covered-support = Vergleichen Sie das Ende der Updates mit dem Tag der Version, nach der gefragt wurde, und bieten Sie dem Käufer die letzte Version an, für die die Lizenz gilt.

diagnosis-not_activated-cause = Das Gerät hat keinen Platz: Es wurde nie aktiviert, sein Platz wurde freigegeben, oder es hat sich nicht rechtzeitig gemeldet.
diagnosis-not_activated-buyer = Aktivieren Sie die Lizenz auf diesem Gerät: Geben Sie den Schlüssel im Programm noch einmal ein.
diagnosis-not_activated-support = Vergleichen Sie den Fingerabdruck mit den Geräten der Lizenz. Ist er bei jedem Start ein anderer, bildet das Programm ihn aus etwas, das nicht gleich bleibt; das muss sein Hersteller beheben.

diagnosis-check_in_overdue-cause = Das Gerät hat sich länger nicht gemeldet, als der Tarif erlaubt.
diagnosis-check_in_overdue-buyer = Verbinden Sie das Gerät mit dem Internet, und starten Sie das Programm neu.
diagnosis-check_in_overdue-support = Sehen Sie nach, wann das Gerät sich zuletzt gemeldet hat. Ist es mit dem Internet verbunden, kann eine Firewall oder ein Proxy dem Programm den Weg zum Shop versperren.

diagnosis-seat_limit_reached-cause = Alle Plätze der Lizenz sind von anderen Geräten belegt.
diagnosis-seat_limit_reached-buyer = Deaktivieren Sie ein Gerät, das Sie nicht mehr nutzen: im Programm dort oder im Portal.
diagnosis-seat_limit_reached-support = Geben Sie in der Liste der Geräte einen Platz frei, oder erlauben Sie mehr Plätze. Mehrere Geräte mit einem Namen sind meist ein Gerät, dessen Fingerabdruck sich ändert.

diagnosis-license_group_full-cause = Die Lizenz gehört zu einer Gruppe, und deren Lizenzen belegen zusammen so viele Plätze, wie sie dürfen.
diagnosis-license_group_full-buyer = Deaktivieren Sie ein Gerät, das Sie nicht mehr nutzen, von dieser oder einer anderen Lizenz Ihrer Firma.
diagnosis-license_group_full-support = Die Seite der Gruppe zeigt ihre Lizenzen und was sie belegen. Geben Sie einen Platz einer von ihnen frei, oder erlauben Sie der Gruppe mehr; an den Plätzen der Lizenz selbst fehlt es nicht. Abgelaufene Lizenzen zählen, bis sie aus der Gruppe genommen oder zurückgenommen werden.

diagnosis-missing_feature-cause = Das Programm hat nach einer Funktion gefragt, die die Lizenz nicht enthält.
diagnosis-missing_feature-buyer = Kaufen Sie einen Tarif, der die Funktion enthält, oder arbeiten Sie ohne sie.
diagnosis-missing_feature-support = Vergleichen Sie die Funktionen der Lizenz mit der, nach der gefragt wurde; sie müssen gleich geschrieben sein. Was ein Tarif später hinzubekam, geben Sie auf der Seite des Tarifs an seine Lizenzen weiter.

diagnosis-usage_exhausted-cause = In diesem Zeitraum ist weniger zu nutzen übrig, als verlangt wurde. Es wurde nichts gezählt.
diagnosis-usage_exhausted-buyer = Warten Sie, bis die Zählung neu beginnt, oder bitten Sie den Shop um eine höhere Grenze.
diagnosis-usage_exhausted-support = Die Seite der Lizenz zeigt, was genutzt ist und wann die Zählung neu beginnt. Erhöhen Sie dort die Grenze; eine falsche Zählung wird über die API berichtigt.

diagnosis-usage_not_counted-cause = Das Programm meldet Nutzung, und der Tarif der Lizenz zählt keine.
diagnosis-usage_not_counted-buyer = Sagen Sie es dem Shop, in dem Sie sie gekauft haben; auf dem Gerät ist nichts zu beheben.
diagnosis-usage_not_counted-support = Lassen Sie den Tarif die Nutzung zählen und geben Sie das an seine Lizenzen weiter, oder lassen Sie das Programm für diesen Tarif keine melden.

## Codes that are no verdict

diagnosis-license_not_usable-cause = Die Lizenz gilt in diesem Augenblick nicht.
diagnosis-license_not_usable-buyer = Versuchen Sie es noch einmal; bleibt es so, fragen Sie im Shop, in dem Sie sie gekauft haben.
diagnosis-license_not_usable-support = Sehen Sie die Anfragen zu der Lizenz an: Das Ergebnis einer Prüfung sagt, warum.

diagnosis-seats_below_used-cause = Es belegen mehr Geräte einen Platz der Lizenz, als es dann Plätze gäbe.
diagnosis-seats_below_used-buyer = Geben Sie im Portal die Plätze von Geräten frei, die Sie nicht mehr nutzen.
diagnosis-seats_below_used-support = Geben Sie zuerst Plätze frei, oder erlauben Sie so viele, wie belegt sind.

diagnosis-fingerprint_invalid-cause = Der Fingerabdruck, den das Programm gesendet hat, ist leer, länger als 255 Zeichen oder sieht wie eine Kartennummer aus.
diagnosis-fingerprint_invalid-buyer = Aktualisieren Sie das Programm; mit der Lizenz ist alles in Ordnung.
diagnosis-fingerprint_invalid-support = Der Hersteller des Programms sendet einen undurchsichtigen Text, der auf dem Gerät gleich bleibt, etwa einen Hashwert.

diagnosis-text_invalid-cause = Ein Name oder eine Notiz, die das Programm gesendet hat, ist leer, zu lang oder sieht wie eine Kartennummer aus.
diagnosis-text_invalid-buyer = Geben Sie dem Gerät einen kurzen Namen ohne Ziffern, die wie eine Kartennummer aussehen.
diagnosis-text_invalid-support = Die Antwort nennt das Feld; der Hersteller des Programms kürzt es.

diagnosis-fingerprint_required-cause = Die Plätze der Lizenz sind gezählt; eine Datei gibt es darum nur für ein bestimmtes Gerät, und es wurde keines genannt.
diagnosis-fingerprint_required-buyer = Aktivieren Sie zuerst das Gerät und holen Sie dann die Datei für dieses Gerät.
diagnosis-fingerprint_required-support = Geben Sie die Datei auf der Seite der Lizenz neben dem Gerät aus.

diagnosis-ttl_out_of_range-cause = Die Datei sollte länger oder kürzer gelten, als der Tarif erlaubt.
diagnosis-ttl_out_of_range-buyer = Bitten Sie den Shop um eine Datei, oder verbinden Sie das Gerät hin und wieder mit dem Internet.
diagnosis-ttl_out_of_range-support = „file_days“ im Tarif sagt, wie lange Dateien gelten; die Seite der Lizenz gibt eine von Hand aus.

diagnosis-request_not_genuine-cause = Die Anfrage des Geräts wurde nicht mit dem Schlüssel der Lizenz gemacht, deren Platz sie nennt.
diagnosis-request_not_genuine-buyer = Erstellen Sie die Anfrage im Programm neu, mit dem Schlüssel, den das Portal zeigt.
diagnosis-request_not_genuine-support = Vergleichen Sie das Ende des Schlüssels; eine Anfrage aus der Zeit vor einem Schlüsseltausch wird nicht angenommen.

## The rule that decided

diagnosis-rule-all_hold = alle Regeln sind erfüllt
diagnosis-rule-key_form = die Form des Schlüssels: Länge, Zeichen, Prüfzeichen
diagnosis-rule-key_signature = die Unterschrift des Schlüssels
diagnosis-rule-key_known = ob es den Schlüssel gibt
diagnosis-rule-key_replaced = ob der Schlüssel ersetzt wurde
diagnosis-rule-product = das Produkt der Lizenz
diagnosis-rule-revoked_by_refund = der Zustand der Lizenz: erstattet
diagnosis-rule-revoked_by_dispute = der Zustand der Lizenz: zurückgebucht
diagnosis-rule-revoked_by_person = der Zustand der Lizenz: von einer Person widerrufen
diagnosis-rule-suspended_by_dispute = der Zustand der Lizenz: ein Rückbuchungsverfahren läuft
diagnosis-rule-suspended_by_person = der Zustand der Lizenz: von einer Person gesperrt
diagnosis-rule-at_expiry_end = das Ende der Lizenz, nach dem sie als zurückgenommen gilt
diagnosis-rule-expires_at = das Ende der Lizenz einschließlich der Nachfrist
diagnosis-rule-at_expiry_keep = das Ende der Lizenz, nach dem nichts Neues mehr zugelassen wird
diagnosis-rule-updates_until = das Ende der Updates
diagnosis-rule-seat = der Platz des Geräts: Es hat keinen
diagnosis-rule-seat_released = der Platz des Geräts: Er wurde freigegeben
diagnosis-rule-lease_seconds = die Frist, bis zu der das Gerät seinen Platz behält
diagnosis-rule-check_in_days = die Tage, in denen ein Gerät sich meldet
diagnosis-rule-seats = die Zahl der Plätze einschließlich der Überziehung
diagnosis-rule-group_max_seats = die Zahl der Plätze der Gruppe, über alle ihre Lizenzen
diagnosis-rule-features = die Funktionen der Lizenz
diagnosis-rule-usage_limit = die Nutzungsgrenze
diagnosis-rule-metered = ob Nutzung gezählt wird
