//! Changes into statements: everything that one decision writes, as one commit.

use domain::{Changes, Check, Claim, Draw, dormancies, revocation_changes};

use crate::{
    CommitError, Statement, Vault, activation, api_key, attempt, batch, checkout, claim, customer, delivery, dispute,
    endpoint, event, foreign_key, gateway_account, group, job, ledger, license, login, message, notice, order, payment,
    plan, pool, product, refund, release, revocation, shadow, shop, signed_key, transfer, user,
};

/// The statements of a commit. The notice comes first, so that an event that
/// came before is told as that and not as a conflict about what it changed;
/// then the rows that others hold on to, and the journal at the end.
///
/// # Errors
/// When a value cannot be sealed or written as JSON. Nothing was written.
pub(crate) fn statements(changes: &Changes, vault: &Vault, engine: &str) -> Result<Vec<Statement>, CommitError> {
    // Named one by one: a new kind of row that nobody writes does not compile.
    let Changes {
        checks,
        shops,
        products,
        plans,
        releases,
        release_files,
        pools,
        endpoints,
        codes,
        gateway_accounts,
        users,
        login_links,
        sessions,
        api_keys,
        customers,
        checkouts,
        orders,
        payments,
        refunds,
        disputes,
        issued,
        claims,
        reservations,
        draws,
        fills,
        hand_overs,
        foreign_keys,
        foreign_ids,
        foreign_plans,
        reissued,
        signed_keys,
        batches,
        groups,
        ended_groups,
        transfers,
        licenses,
        uses,
        lapses,
        activations,
        devices,
        attempts,
        shadow_differences,
        shadow_counts,
        messages,
        deliveries,
        notices,
        events,
        postings,
        jobs,
    } = changes;
    let mut statements = Vec::with_capacity(16);
    statements.extend(notices.iter().map(notice::statement));
    statements.extend(checks.iter().map(check));
    for shop in shops {
        statements.push(shop::statement(shop)?);
    }
    for product in products {
        statements.push(product::statement(product)?);
    }
    for plan in plans {
        statements.push(plan::statement(plan)?);
    }
    statements.extend(releases.iter().map(release::statement));
    for file in release_files {
        statements.push(release::file_statement(file)?);
    }
    statements.extend(pools.iter().map(pool::statement));
    statements.extend(endpoints.iter().map(endpoint::statement));
    for code in codes {
        statements.push(pool::add(code, vault)?);
    }
    for account in gateway_accounts {
        statements.push(gateway_account::statement(account, vault)?);
    }
    statements.extend(users.iter().map(user::statement));
    for link in login_links {
        statements.push(login::link_statement(link)?);
    }
    for session in sessions {
        statements.push(login::session_statement(session)?);
    }
    statements.extend(api_keys.iter().map(api_key::statement));
    statements.extend(batches.iter().map(batch::statement));
    // The group is the lock of what its licenses may hold together.
    statements.extend(groups.iter().map(group::statement));
    statements.extend(ended_groups.iter().map(group::end));
    // The order is the lock of a sale: whoever comes second fails here, before anything else of it is touched.
    for order in orders {
        statements.push(order::statement(order)?);
    }
    statements.extend(customers.iter().map(customer::statement));
    statements.extend(checkouts.iter().map(checkout::statement));
    for payment in payments {
        statements.push(payment::statement(payment)?);
    }
    statements.extend(refunds.iter().map(refund::statement));
    statements.extend(disputes.iter().map(dispute::statement));
    for (license, key) in issued {
        statements.push(license::issue(license, key, vault)?);
    }
    statements.extend(reservations.iter().flat_map(|kept| pool::reserve(kept, engine)));
    // Nobody is given a code while somebody else waits: of two orders in one commit, the second is not there yet when
    // the first is given its codes.
    let is_of = |claim: &Claim, draw: &Draw| (claim.order, claim.fulfilment.pool()) == (draw.order, Some(draw.pool));
    let draws_nothing = |claim: &&Claim| !draws.iter().any(|draw| is_of(claim, draw));
    statements.extend(claims.iter().filter(draws_nothing).map(claim::statement));
    for draw in draws {
        statements.extend(claims.iter().filter(|claim| is_of(claim, draw)).map(claim::statement));
        statements.extend(pool::draw(draw, engine));
    }
    statements.extend(fills.iter().flat_map(|fill| pool::fill(fill, engine)));
    for handed in hand_overs {
        statements.push(claim::hand_over(handed, vault)?);
    }
    for adopted in foreign_keys {
        statements.push(foreign_key::adopt(adopted, vault)?);
    }
    statements.extend(foreign_ids.iter().map(foreign_key::name));
    for plan in foreign_plans {
        statements.push(foreign_key::name_plan(plan)?);
    }
    for new in reissued {
        statements.extend(license::reissue(new, vault)?);
    }
    for new in signed_keys {
        statements.push(signed_key::statement(new, vault)?);
    }
    for license in licenses {
        statements.push(license::update(license)?);
    }
    statements.extend(transfers.iter().map(transfer::statement));
    statements.extend(uses.iter().map(license::count_use));
    statements.extend(lapses.iter().map(activation::lapse));
    for activation in activations {
        statements.push(activation::statement(activation)?);
    }
    for device in devices {
        statements.push(activation::device(device)?);
    }
    // Derived, so that they cannot be forgotten; after the licenses, whose rows whoever signs for one has locked.
    statements.extend(dormancies(changes).iter().map(claim::wake));
    for change in revocation_changes(changes) {
        statements.extend(revocation::statements(&change));
    }
    statements.extend(attempts.iter().map(attempt::statement));
    statements.extend(shadow_differences.iter().map(shadow::keep));
    statements.extend(shadow_counts.iter().map(shadow::count_on));
    for message in messages {
        statements.push(message::statement(message, vault)?);
    }
    statements.extend(deliveries.iter().map(delivery::statement));
    statements.extend(jobs.iter().map(job::statement));
    statements.extend(postings.iter().map(ledger::statement));
    let mut place = 0;
    for event in events {
        statements.push(event::statement(event, place)?);
        place += 1;
    }
    for draw in draws {
        let told = claim::tell(draw, place)?;
        place += i64::try_from(told.len()).unwrap_or_default();
        statements.extend(told);
    }
    Ok(statements)
}

fn check(check: &Check) -> Statement {
    match *check {
        Check::Order { shop, id, version } => order::check(shop, id, version),
        Check::License { shop, id, version } => license::check(shop, id, version),
    }
}
