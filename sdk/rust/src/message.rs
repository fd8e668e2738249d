//! Sentences for the person in front of the program, for when the shop did not send its own.

/// A language that we have sentences in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// The language of a BCP 47 tag, as `de-AT`; English where we have no other.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("de") { Self::German } else { Self::English }
    }

    /// Its tag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

/// Every code that a client library gives by itself, with its sentence in English and in German. The shop's codes
/// are among them, for when one is told again without asking.
#[rustfmt::skip]
pub const CODES: &[(&str, &str, &str)] = &[
    ("valid", "The license works.", "Die Lizenz ist gültig."),
    ("refresh_due", "The license works. It should be confirmed online soon.", "Die Lizenz ist gültig. Sie sollte bald online bestätigt werden."),
    ("released", "This device has given its seat back.", "Dieses Gerät hat seinen Platz freigegeben."),
    ("not_activated", "This device is not activated. Enter your license key.", "Dieses Gerät ist nicht aktiviert. Geben Sie Ihren Lizenzschlüssel ein."),
    ("key_missing", "Enter your license key.", "Geben Sie Ihren Lizenzschlüssel ein."),
    ("key_mistyped", "The license key is mistyped. Compare it with your receipt, or paste it.", "Der Lizenzschlüssel enthält einen Tippfehler. Vergleichen Sie ihn mit Ihrem Beleg, oder fügen Sie ihn ein."),
    ("unknown", "The shop does not know this license key.", "Der Shop kennt diesen Lizenzschlüssel nicht."),
    ("revoked", "The license was taken back.", "Die Lizenz wurde zurückgenommen."),
    ("suspended", "The license is suspended. The shop can say why.", "Die Lizenz ist ausgesetzt. Der Shop kann sagen, warum."),
    ("expired", "The license has expired. Renew it in the portal.", "Die Lizenz ist abgelaufen. Verlängern Sie sie im Portal."),
    ("wrong_product", "The license is for another product.", "Die Lizenz gehört zu einem anderen Produkt."),
    ("seat_limit_reached", "Every seat of the license is taken. Free one in the portal.", "Alle Plätze der Lizenz sind belegt. Geben Sie im Portal einen frei."),
    ("group_full", "The licenses of your group share seats, and every one is taken. Free one in the portal.", "Die Lizenzen Ihrer Gruppe teilen sich Plätze, und alle sind belegt. Geben Sie im Portal einen frei."),
    ("unavailable", "The shop cannot answer right now. Please try again later.", "Der Shop kann gerade nicht antworten. Bitte versuchen Sie es später noch einmal."),
    ("timeout", "The shop did not answer in time. Please try again later.", "Der Shop hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es später noch einmal."),
    ("network", "The shop cannot be reached. Check your internet connection.", "Der Shop ist nicht erreichbar. Prüfen Sie Ihre Internetverbindung."),
    ("answer_unreadable", "Something between here and the shop answered in its place. Check your internet connection.", "Etwas auf dem Weg zum Shop hat an seiner Stelle geantwortet. Prüfen Sie Ihre Internetverbindung."),
    ("unknown_key", "The shop's answer is signed with a key that this version does not know. Update the program.", "Die Antwort des Shops trägt eine Unterschrift, die diese Version nicht kennt. Aktualisieren Sie das Programm."),
    ("certificate_refused", "The shop's answer cannot be verified.", "Die Antwort des Shops lässt sich nicht prüfen."),
    ("key_not_genuine", "The key was changed, or is not from this shop. Copy it whole from your receipt.", "Der Schlüssel wurde verändert oder ist nicht von diesem Shop. Kopieren Sie ihn ganz aus Ihrem Beleg."),
    ("key_retired", "The key was replaced. Enter the new one; it stands in the portal.", "Der Schlüssel wurde ersetzt. Geben Sie den neuen ein; er steht im Portal."),
    ("file_awaited", "Carry the request to the shop's page, and come back with the license file.", "Bringen Sie die Anfrage zur Seite des Shops, und kommen Sie mit der Lizenzdatei zurück."),
    ("file_unreadable", "This is not a whole license file.", "Das ist keine vollständige Lizenzdatei."),
    ("file_not_awaited", "This license file answers another request. Make a new request.", "Diese Lizenzdatei beantwortet eine andere Anfrage. Erstellen Sie eine neue Anfrage."),
    ("file_outdated", "This license file is older than what is known here. Make a new request.", "Diese Lizenzdatei ist älter als das, was hier bekannt ist. Erstellen Sie eine neue Anfrage."),
    ("revocations_refused", "The list of revoked licenses cannot be verified.", "Die Liste zurückgenommener Lizenzen lässt sich nicht prüfen."),
    ("clock_wrong", "The clock of this device is wrong. Set it and try again.", "Die Uhr dieses Geräts geht falsch. Stellen Sie sie, und versuchen Sie es noch einmal."),
    ("clock_rolled_back", "The clock of this device was set back. Set it right, or connect to the internet.", "Die Uhr dieses Geräts wurde zurückgestellt. Stellen Sie sie richtig, oder verbinden Sie sich mit dem Internet."),
    ("lease_ended", "The license has to be confirmed online. Connect to the internet.", "Die Lizenz muss online bestätigt werden. Verbinden Sie sich mit dem Internet."),
    ("lease_damaged", "What is stored about the license is damaged. Connect to the internet.", "Die gespeicherten Angaben zur Lizenz sind beschädigt. Verbinden Sie sich mit dem Internet."),
    ("wrong_device", "What is stored about the license belongs to another device. Connect to the internet.", "Die gespeicherten Angaben zur Lizenz gehören zu einem anderen Gerät. Verbinden Sie sich mit dem Internet."),
];

/// The sentence for a code; for a newer one of the shop's, that the license does not work.
#[must_use]
pub fn message(code: &str, language: Language) -> &'static str {
    let (english, german) =
        CODES.iter().find(|(known, _, _)| *known == code).map_or(
            ("The license does not work now.", "Die Lizenz ist gerade nicht nutzbar."),
            |(_, english, german)| (english, german),
        );
    match language {
        Language::English => english,
        Language::German => german,
    }
}
