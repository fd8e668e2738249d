//! A license that is handed on to another person.
//!
//! The owner offers it to an address, and it moves when whoever reads the
//! mails of that address takes it; until then it stays where it is, and the
//! offer can be withdrawn. Its order stays the order of who paid: a refund
//! still goes back there, and still ends the license.

use latchkey_license::KeyCode;
use serde_json::json;

use crate::{
    Actor, Changes, Country, Customer, CustomerId, Delivery, Duration, Email, Event, EventId, EventKind, License,
    LicenseId, Locale, MailKind, Quota, Refusal, Rng, ShopId, Standing, Timestamp, TransferId, Version, reissue,
};

/// How long an offer stands.
const OFFERED_FOR: Duration = Duration::days(7);

/// How often one license may be offered: mails go to addresses that somebody typed.
pub const OFFERS: Quota = Quota { count: 3, days: 30 };

/// How far an offer has come. That its time is over is no state: it follows from the moment one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// Waits for the receiver.
    Offered,
    /// The license has moved.
    Accepted,
    /// Called off, or followed by another offer.
    Withdrawn,
}

impl TransferState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Offered, Self::Accepted, Self::Withdrawn];

    /// The word in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the word in rows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An offer of a license to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// The shop.
    pub shop: ShopId,
    /// How often the row was written.
    pub version: Version,
    /// The license.
    pub license: LicenseId,
    /// Whose it is.
    pub from: CustomerId,
    /// Who is to have it.
    pub to: Email,
    /// Whether the devices are freed and the key is replaced; else both go along.
    pub frees_seats: bool,
    /// How far it has come.
    pub state: TransferState,
    /// When it was offered.
    pub created_at: Timestamp,
    /// Until when it can be taken.
    pub expires_at: Timestamp,
    /// When it was taken or withdrawn.
    pub settled_at: Option<Timestamp>,
}

impl Transfer {
    /// Whether it can still be taken.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        match self.state {
            TransferState::Offered => now < self.expires_at,
            TransferState::Accepted | TransferState::Withdrawn => false,
        }
    }
}

/// What is to be handed on, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct TransferRequest<'a> {
    /// Who is to have it.
    pub to: &'a Email,
    /// Whether the devices are freed and the key is replaced.
    pub frees_seats: bool,
    /// The language of the page that it was asked on, for a receiver whose language nobody knows.
    pub locale: &'a Locale,
}

/// Offers a license to an address, and tells both sides. An offer that stands already is withdrawn.
///
/// # Errors
/// When the license does not work, the address is the owner's, or the license was offered too often.
pub fn offer_transfer(
    license: &License,
    owner: &Customer,
    earlier: &[Transfer],
    request: TransferRequest<'_>,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    match license.standing(now) {
        Standing::Active | Standing::Expired => {}
        standing @ (Standing::Suspended | Standing::Revoked) => return Err(Refusal::LicenseNotUsable(standing)),
    }
    if request.to.key() == owner.email.key() {
        return Err(Refusal::TransferToOwner);
    }
    let offered: Vec<Timestamp> = earlier.iter().map(|transfer| transfer.created_at).collect();
    if let Some(next_at) = OFFERS.next_at(&offered, now) {
        return Err(Refusal::TransferQuotaReached { next_at });
    }
    let transfer = Transfer {
        id: TransferId::mint(now, rng),
        shop: license.shop,
        version: 0,
        license: license.id,
        from: owner.id,
        to: request.to.clone(),
        frees_seats: request.frees_seats,
        state: TransferState::Offered,
        created_at: now,
        expires_at: now.after(OFFERED_FOR),
        settled_at: None,
    };
    let mut changes = Changes {
        // The version of the license makes two offers at once come one after the other.
        licenses: vec![license.clone()],
        transfers: earlier.iter().filter(|transfer| transfer.is_open(now)).map(|open| withdrawn(open, now)).collect(),
        ..Changes::default()
    };
    let data = json!({ "transfer": transfer.id, "to": transfer.to.masked(), "seats_freed": transfer.frees_seats });
    changes.events.push(event(license, EventKind::LicenseOffered, Actor::Buyer, owner.id, data, now, rng));
    let offered = MailKind::TransferOffered { transfer: transfer.id };
    mail(&mut changes, license, offered, (&transfer.to, request.locale, None), now, rng);
    let started = MailKind::TransferStarted { transfer: transfer.id };
    mail(&mut changes, license, started, (&owner.email, &owner.locale, Some(owner.id)), now, rng);
    changes.transfers.push(transfer);
    Ok(changes)
}

/// Calls an offer off.
///
/// # Errors
/// When it was taken, withdrawn, or its time is over.
pub fn withdraw_transfer(
    license: &License,
    transfer: &Transfer,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<Changes, Refusal> {
    if !transfer.is_open(now) {
        return Err(Refusal::TransferOver);
    }
    let data = json!({ "transfer": transfer.id, "to": transfer.to.masked() });
    let event = event(license, EventKind::LicenseOfferWithdrawn, Actor::Buyer, transfer.from, data, now, rng);
    Ok(Changes { transfers: vec![withdrawn(transfer, now)], events: vec![event], ..Changes::default() })
}

/// The two sides of a transfer as they are when it is taken.
#[derive(Debug, Clone, Copy)]
pub struct TransferSides<'a> {
    /// Whose it is.
    pub owner: &'a Customer,
    /// Who takes it, where they bought here before.
    pub receiver: Option<&'a Customer>,
    /// Where a receiver is taken to be who never bought here.
    pub country: Country,
    /// The language that the receiver read the offer in.
    pub locale: &'a Locale,
}

/// Moves the license to whoever was offered it, and tells both sides. `key` is used where the devices are freed.
///
/// # Errors
/// When the offer is not open any more, or the license is another's or does not work by now.
pub fn accept_transfer(
    license: &License,
    transfer: &Transfer,
    sides: TransferSides<'_>,
    key: KeyCode,
    now: Timestamp,
    rng: &mut Rng,
) -> Result<(Changes, Customer), Refusal> {
    if !transfer.is_open(now) || license.customer != Some(transfer.from) {
        return Err(Refusal::TransferOver);
    }
    match license.standing(now) {
        Standing::Active | Standing::Expired => {}
        standing @ (Standing::Suspended | Standing::Revoked) => return Err(Refusal::LicenseNotUsable(standing)),
    }
    let receiver = sides.receiver.cloned().unwrap_or_else(|| Customer {
        id: CustomerId::mint(now, rng),
        shop: license.shop,
        version: 0,
        email: transfer.to.clone(),
        name: None,
        country: sides.country,
        locale: sides.locale.clone(),
        created_at: now,
    });
    let moved = License { customer: Some(receiver.id), ..license.clone() };
    let mut changes = if transfer.frees_seats {
        reissue(&moved, key, true, "", Actor::Buyer, now, rng).0
    } else {
        Changes { licenses: vec![moved.clone()], ..Changes::default() }
    };
    if sides.receiver.is_none() {
        changes.customers.push(receiver.clone());
    }
    let settled = Transfer { state: TransferState::Accepted, settled_at: Some(now), ..transfer.clone() };
    changes.transfers.push(settled);
    let data = json!({
        "transfer": transfer.id, "from": transfer.from, "before": sides.owner.email.masked(),
        "to": receiver.email.masked(), "seats_freed": transfer.frees_seats,
    });
    changes.events.push(event(license, EventKind::LicenseTransferred, Actor::Buyer, receiver.id, data, now, rng));
    let done = MailKind::TransferDone { transfer: transfer.id };
    mail(&mut changes, license, done, (&sides.owner.email, &sides.owner.locale, Some(sides.owner.id)), now, rng);
    let received = MailKind::LicenseReceived { license: license.id };
    mail(&mut changes, license, received, (&receiver.email, &receiver.locale, Some(receiver.id)), now, rng);
    Ok((changes, receiver))
}

fn withdrawn(transfer: &Transfer, now: Timestamp) -> Transfer {
    Transfer { state: TransferState::Withdrawn, settled_at: Some(now), ..transfer.clone() }
}

fn mail(
    changes: &mut Changes,
    license: &License,
    mail: MailKind,
    (to, locale, customer): (&Email, &Locale, Option<CustomerId>),
    now: Timestamp,
    rng: &mut Rng,
) {
    let (mut delivery, job) = Delivery::queued(license.shop, mail, to, locale, now, rng);
    delivery.customer = customer;
    changes.deliveries.push(delivery);
    changes.jobs.push(job);
}

fn event(
    license: &License,
    kind: EventKind,
    actor: Actor,
    customer: CustomerId,
    data: serde_json::Value,
    now: Timestamp,
    rng: &mut Rng,
) -> Event {
    Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: Some(customer),
        data,
        at: now,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::fixture::{Reporter, START, World, owner, rng};
    use crate::{LicenseState, PaymentStatus};

    fn sold() -> (License, Customer) {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        let license = world.sale.licenses[0].clone();
        let owner = owner(&license);
        (license, owner)
    }

    fn offered(license: &License, owner: &Customer, earlier: &[Transfer], now: Timestamp) -> Result<Changes, Refusal> {
        let (to, locale) = (Email::parse("bob@shop.test").unwrap(), Locale::parse("de").unwrap());
        let request = TransferRequest { to: &to, frees_seats: true, locale: &locale };
        offer_transfer(license, owner, earlier, request, now, &mut rng(3))
    }

    fn sides(owner: &Customer) -> (&Customer, Locale) {
        (owner, Locale::parse("de").unwrap())
    }

    #[test]
    fn an_offer_tells_both_and_moves_nothing() {
        let (license, owner) = sold();
        let changes = offered(&license, &owner, &[], START).unwrap();
        assert_eq!(changes.licenses, std::slice::from_ref(&license), "written for its version alone");
        let mails: Vec<_> = changes.deliveries.iter().map(|row| (row.mail.as_str(), row.to.as_str())).collect();
        assert_eq!(mails, [("transfer_offered", "bob@shop.test"), ("transfer_started", "ada@shop.test")]);
        assert!(!changes.events[0].data.to_string().contains("bob@"), "the journal holds no address");
        let to = owner.email.clone();
        let locale = Locale::english();
        let request = TransferRequest { to: &to, frees_seats: false, locale: &locale };
        assert_eq!(offer_transfer(&license, &owner, &[], request, START, &mut rng(3)), Err(Refusal::TransferToOwner));
        for state in [LicenseState::RevokedByRefund, LicenseState::SuspendedByDispute] {
            let license = License { state, ..license.clone() };
            assert!(offered(&license, &owner, &[], START).is_err(), "{state:?}");
        }
    }

    #[test]
    fn a_second_offer_withdraws_the_first_and_the_fourth_waits() {
        let (license, owner) = sold();
        let mut earlier: Vec<Transfer> = Vec::new();
        for turn in 0..4 {
            let now = START.after(Duration::days(turn));
            let changes = offered(&license, &owner, &earlier, now);
            if turn == 3 {
                let next_at = START.after(Duration::days(30));
                assert_eq!(changes, Err(Refusal::TransferQuotaReached { next_at }));
                break;
            }
            for row in changes.unwrap().transfers {
                earlier.retain(|known| known.id != row.id);
                earlier.push(row);
            }
        }
        let open = earlier.iter().filter(|transfer| transfer.is_open(START.after(Duration::days(3)))).count();
        assert_eq!((earlier.len(), open), (3, 1));
    }

    #[test]
    fn whoever_takes_it_has_it_with_a_key_of_their_own_or_with_all_that_was() {
        let (license, owner) = sold();
        let license = License { seats_used: 2, ..license };
        let offer = offered(&license, &owner, &[], START).unwrap().transfers.remove(0);
        for frees_seats in [true, false] {
            let offer = Transfer { frees_seats, ..offer.clone() };
            let (owner, locale) = sides(&owner);
            let sides = TransferSides { owner, receiver: None, country: Country::DE, locale: &locale };
            let key = KeyCode::from_random_bytes(rng(9).bytes());
            let (changes, receiver) =
                accept_transfer(&license, &offer, sides, key.clone(), START, &mut rng(3)).unwrap();
            assert_eq!(changes.customers, std::slice::from_ref(&receiver));
            assert_eq!((receiver.email.as_str(), receiver.locale.as_str()), ("bob@shop.test", "de"));
            let written = match (changes.reissued.first(), changes.licenses.first()) {
                (Some(new), None) => new.license.clone(),
                (None, Some(row)) => row.clone(),
                both => panic!("{both:?}"),
            };
            assert_eq!((written.customer, written.order), (Some(receiver.id), license.order));
            let kept = (written.key_tail == license.key_tail, written.seats_used);
            assert_eq!(kept, if frees_seats { (false, 0) } else { (true, 2) });
            let mails: Vec<_> = changes.deliveries.iter().map(|row| (row.mail.as_str(), row.to.as_str())).collect();
            assert_eq!(mails, [("transfer_done", "ada@shop.test"), ("license_received", "bob@shop.test")]);
            assert_eq!(changes.transfers[0].state, TransferState::Accepted);
        }
    }

    #[test]
    fn an_offer_that_is_over_moves_nothing() {
        let (license, owner) = sold();
        let offer = offered(&license, &owner, &[], START).unwrap().transfers.remove(0);
        let (owner, locale) = sides(&owner);
        let sides = TransferSides { owner, receiver: None, country: Country::DE, locale: &locale };
        let accept = |license: &License, offer: &Transfer, now: Timestamp| {
            let key = KeyCode::from_random_bytes(rng(9).bytes());
            accept_transfer(license, offer, sides, key, now, &mut rng(3)).map(|_| ())
        };
        let other = License { customer: Some(CustomerId::mint(START, &mut rng(8))), ..license.clone() };
        let revoked = License { state: LicenseState::RevokedByRefund, ..license.clone() };
        let last = offer.expires_at.before(Duration::seconds(1));
        assert_eq!(accept(&license, &offer, last), Ok(()));
        assert_eq!(accept(&license, &offer, offer.expires_at), Err(Refusal::TransferOver), "too late");
        assert_eq!(accept(&other, &offer, START), Err(Refusal::TransferOver), "it is another's by now");
        assert_eq!(accept(&revoked, &offer, START), Err(Refusal::LicenseNotUsable(Standing::Revoked)));
        for state in [TransferState::Accepted, TransferState::Withdrawn] {
            let offer = Transfer { state, ..offer.clone() };
            assert_eq!(accept(&license, &offer, START), Err(Refusal::TransferOver));
            assert_eq!(withdraw_transfer(&license, &offer, START, &mut rng(3)), Err(Refusal::TransferOver));
        }
        let called_off = withdraw_transfer(&license, &offer, START, &mut rng(3)).unwrap();
        assert_eq!(called_off.transfers[0].state, TransferState::Withdrawn);
    }
}
