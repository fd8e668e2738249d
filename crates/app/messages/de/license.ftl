# How a license stands, and what a validation found: said by the buyer's app, or shown by it.

license-valid = Die Lizenz ist gültig.
license-unknown = Es gibt keine Lizenz mit diesem Schlüssel. Prüfen Sie ihn auf Tippfehler.
license-key_not_genuine = Dieser Schlüssel wurde verändert, oder dieser Shop hat ihn nie unterschrieben. Kopieren Sie ihn ganz von der Seite der Bestellung.
license-key_retired = Dieser Schlüssel wurde ersetzt. Der neue endet auf { $tail }; er steht im Portal des Shops und auf der Seite der Bestellung.
license-expired = Die Lizenz ist abgelaufen.
license-suspended = Die Lizenz ist vorübergehend gesperrt. Den Grund erfahren Sie im Shop, in dem Sie sie gekauft haben.
license-revoked = Die Lizenz wurde widerrufen. Den Grund erfahren Sie im Shop, in dem Sie sie gekauft haben.
license-not_activated = Dieses Gerät ist noch nicht aktiviert.
license-update_not_covered = Diese Version ist nach dem Ende der Updates erschienen, für die die Lizenz gilt. Installieren Sie eine ältere Version, oder kaufen Sie Updates nach.
license-check_in_overdue = Dieses Gerät hat sich zu lange nicht gemeldet. Verbinden Sie es mit dem Internet, und starten Sie das Programm neu.
license-wrong_product = Der Schlüssel gehört zu einem anderen Produkt.
license-missing_feature = Die Lizenz enthält { $feature } nicht.
license-usage_exhausted = Alles, was die Lizenz in diesem Zeitraum zu nutzen erlaubt, ist verbraucht.
license-usage_left = In diesem Zeitraum sind noch { NUMBER($left) } von { NUMBER($limit) } zu nutzen. Es wurde nichts gezählt.
license-usage_not_counted = Die Lizenz zählt keine Nutzung.
license-fingerprint_required = Die Lizenz gibt es als Datei nur für ein einzelnes Gerät. Aktivieren Sie das Gerät zuerst.
license-ttl_out_of_range = Eine Lizenzdatei gilt { NUMBER($shortest) } bis { NUMBER($longest) } Sekunden.
license-seat_limit_reached =
    { $seats ->
        [one] Die Lizenz gilt für ein Gerät, und dieser Platz ist belegt. Deaktivieren Sie zuerst das andere Gerät.
       *[other] Alle { NUMBER($seats) } Plätze der Lizenz sind belegt. Deaktivieren Sie zuerst ein anderes Gerät.
    }
license-group_full =
    { $seats ->
        [one] Die Lizenz gehört zu einer Gruppe mit einem Platz, und er ist belegt. Deaktivieren Sie zuerst das andere Gerät.
       *[other] Die Lizenz gehört zu einer Gruppe, und alle { NUMBER($seats) } Plätze der Gruppe sind belegt. Deaktivieren Sie zuerst ein anderes Gerät einer ihrer Lizenzen.
    }

## A key that cannot be one

license-key-empty = Geben Sie den Lizenzschlüssel ein.
license-key-length = Ein Lizenzschlüssel hat { NUMBER($length) } Buchstaben und Ziffern; dieser hat { NUMBER($found) }. Prüfen Sie, ob Sie ihn ganz kopiert haben.
license-key-symbol = Das { NUMBER($position) }. Zeichen des Schlüssels ist { $symbol }; das kommt in keinem Lizenzschlüssel vor. Prüfen Sie ihn auf Tippfehler.
license-key-cut = Ein Teil des Schlüssels fehlt. Kopieren Sie ihn ganz von der Seite der Bestellung oder aus der E-Mail: Er beginnt mit key/ und endet mit ==.
license-key-long = Das ist zu lang für einen Lizenzschlüssel. Kopieren Sie nur den Schlüssel von der Seite der Bestellung oder aus der E-Mail: Er beginnt mit key/ und endet mit ==.
license-key-signer = Der Schlüssel trägt eine Unterschrift, die dieser Shop nicht verwendet oder nicht mehr. Auf der Seite der Bestellung und im Portal steht der, der gilt.
license-key-mistyped = Der Schlüssel enthält einen Tippfehler: Mindestens ein Zeichen ist falsch oder steht an der falschen Stelle.
