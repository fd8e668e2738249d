//! A license as a file, for devices without a network: for whom one is given, and how long it counts.

use serde_json::json;

use crate::{
    Activation, Actor, Changes, Check, Duration, Event, EventId, EventKind, Fingerprint, License, Refusal, Rng,
    Standing, Timestamp,
};

/// The shortest that a license file counts.
pub const SHORTEST_FILE: Duration = Duration::minutes(1);

/// Who asks for a license file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileGiver {
    /// The buyer, or an app with the key: the seats are counted.
    Holder,
    /// The seller, who may give a file that works on any device.
    Seller,
}

/// Until when a license file given now counts. `device` is the device that it is bound to, and `seat` the seat that
/// the device has, taken or given back; `wanted` is how long it shall count: left out, as long as the policy allows.
/// Never beyond the license, the lease of the seat, or the day by which the device must report.
///
/// # Errors
/// When the license does not work, the device holds no seat of a license whose seats are counted, there is no device
/// and the holder asks for such a license, or the time is none that the policy allows.
pub fn file_expires_at(
    license: &License,
    device: Option<&Fingerprint>,
    seat: Option<&Activation>,
    wanted: Option<Duration>,
    giver: FileGiver,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    match license.standing(now) {
        Standing::Active => {}
        standing @ (Standing::Suspended | Standing::Expired | Standing::Revoked) => {
            return Err(Refusal::LicenseNotUsable(standing));
        }
    }
    let held = seat.filter(|seat| license.is_seated(seat, now));
    if license.policy.seats.is_some() {
        match (device, giver) {
            (Some(_), _) if held.is_none() => return Err(Refusal::NotActivated),
            (None, FileGiver::Holder) => return Err(Refusal::DeviceMissing),
            (Some(_), FileGiver::Holder | FileGiver::Seller) | (None, FileGiver::Seller) => {}
        }
    }
    let longest = license.policy.longest_file();
    let counts = wanted.unwrap_or(longest);
    if wanted.is_some() && (counts < SHORTEST_FILE || counts > longest) {
        let (shortest, longest) = (SHORTEST_FILE.as_seconds(), longest.as_seconds());
        return Err(Refusal::FileTimeOutOfRange { shortest, longest });
    }
    let end = license.signed_ends_at(held, now.after(counts));
    // A device that should have reported by now does so first.
    if end <= now { Err(Refusal::NotActivated) } else { Ok(end) }
}

/// That a person or a program of the seller gave a license away as a file. What an app fetches for itself is a
/// certificate as any other, and leaves no line.
#[must_use]
pub fn file_given(
    license: &License,
    seat: Option<&Activation>,
    expires_at: Timestamp,
    actor: Actor,
    now: Timestamp,
    rng: &mut Rng,
) -> Changes {
    let event = Event {
        id: EventId::mint(now, rng),
        shop: license.shop,
        kind: EventKind::LicenseFileGiven,
        actor,
        order: Some(license.order),
        license: Some(license.id),
        customer: license.customer,
        data: json!({
            "activation": seat.map(|seat| seat.id), "name": seat.and_then(|seat| seat.name.clone()),
            "expires_at": expires_at,
        }),
        at: now,
    };
    // What is taken back at this moment is given to nobody.
    let check = Check::License { shop: license.shop, id: license.id, version: license.version };
    Changes { checks: vec![check], events: vec![event], ..Changes::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::fixture::{Reporter, START, World, activation_request, rng};
    use crate::{LicenseState, PaymentStatus, activate, deactivate};

    fn license() -> License {
        let mut world = World::submitted();
        let captured = world.sale.order.total;
        let reporter = Reporter::of(&world.sale, 0);
        world.meet(&reporter.payment(PaymentStatus::Succeeded { captured })).unwrap();
        world.sale.licenses[0].clone()
    }

    fn seat(license: &License) -> Activation {
        let request = activation_request("lap");
        activate(license, None, 0, None, &request, START, &mut rng(5)).unwrap().1
    }

    /// A license by what differs from one of two seats whose certificates carry a day and whose files 90.
    fn described(text: &str) -> License {
        let mut license = license();
        license.policy.certificate_seconds = 24 * 3_600;
        license.policy.offline.file_days = Some(90);
        for part in text.split(", ").filter(|part| *part != "-") {
            match part.split(' ').collect::<Vec<_>>()[..] {
                ["any", "seats"] => license.policy.seats = None,
                ["no", "bound"] => license.policy.offline.file_days = None,
                ["ends", "day", day] => license.expires_at = Some(days(day.parse().unwrap())),
                ["lease", "day", day] => {
                    license.policy.seating.lease_seconds = Some(day.parse::<u32>().unwrap() * 86_400);
                }
                ["report", "day", day] => license.policy.term.check_in_days = Some(day.parse().unwrap()),
                [state] => license.state = LicenseState::parse(state).unwrap(),
                _ => panic!("{part}"),
            }
        }
        license
    }

    fn days(count: i64) -> Timestamp {
        START.after(Duration::days(count))
    }

    #[test]
    fn a_file_counts_as_long_as_the_policy_allows_and_no_longer_than_what_it_speaks_for() {
        let table = "
            license             | for    | wanted | by     | day | counts until         | why
            -                   | seat   | -      | holder | 0   | 90                   | as long as the policy allows
            -                   | seat   | 7      | holder | 0   | 7                    | shorter is for the asking
            -                   | seat   | 90     | holder | 0   | 90                   |
            -                   | seat   | 91     | holder | 0   | ttl_out_of_range     | longer is not
            -                   | seat   | 0      | holder | 0   | ttl_out_of_range     |
            no bound            | seat   | -      | holder | 0   | 1                    | without a word as long as a certificate
            no bound            | seat   | 2      | holder | 0   | ttl_out_of_range     |
            ends day 30         | seat   | -      | holder | 0   | 30                   | never beyond the license
            ends day 30         | seat   | -      | holder | 31  | license_expired      |
            lease day 3         | seat   | -      | holder | 0   | 3                    | nor beyond the lease
            lease day 3         | seat   | -      | holder | 4   | not_activated        | a lease that is over is no seat
            report day 5        | seat   | -      | holder | 0   | 5                    | nor beyond the day to report by
            report day 5        | seat   | -      | holder | 6   | not_activated        | who is late reports first
            -                   | other  | -      | holder | 0   | not_activated        | a device takes its seat first
            -                   | freed  | -      | seller | 0   | not_activated        |
            -                   | nobody | -      | holder | 0   | fingerprint_required | a file for all would be all seats
            -                   | nobody | -      | seller | 0   | 90                   | unless the seller says so
            any seats           | nobody | 5      | holder | 0   | 5                    | where none are counted it is for all
            any seats           | other  | 5      | holder | 0   | 5                    |
            suspended_by_person | seat   | -      | holder | 0   | license_suspended    |
            revoked_by_refund   | nobody | -      | seller | 0   | license_revoked      |
        ";
        for row in table.trim().lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let row: Vec<&str> = row.split('|').map(str::trim).collect();
            let license = described(row[0]);
            let taken = seat(&License { state: LicenseState::Active, ..license.clone() });
            let freed = deactivate(&license, &taken, Actor::Buyer, START, &mut rng(6)).unwrap().1;
            let device = Fingerprint::parse("lap").unwrap();
            let (device, seat) = match row[1] {
                "seat" => (Some(&device), Some(&taken)),
                "freed" => (Some(&device), Some(&freed)),
                "other" => (Some(&device), None),
                _ => (None, None),
            };
            let wanted = row[2].parse().ok().map(Duration::days);
            let giver = if row[3] == "seller" { FileGiver::Seller } else { FileGiver::Holder };
            let now = days(row[4].parse().unwrap());
            let found = file_expires_at(&license, device, seat, wanted, giver, now);
            let found = found.map_or_else(
                |refusal| refusal.code().to_owned(),
                |end| (end.since(START).as_seconds() / 86_400).to_string(),
            );
            assert_eq!(found, row[5], "{row:?}");
        }
    }
}
