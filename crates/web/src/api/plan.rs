//! Plans, to read.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{FeatureValue, Plan, PlanId, Policy, ProductId, Question, Timestamp};
use money::{Currency, Money};
use serde::Serialize;

use super::{Id, Manager, answer};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct TierView {
    from_quantity: u32,
    unit_amount: Money,
}

#[derive(Serialize)]
struct PriceView {
    currency: Currency,
    tiers: Vec<TierView>,
}

/// What a policy says besides seats, days and features, in the words of the shop file.
#[derive(Serialize)]
pub(crate) struct PolicyView {
    starts: &'static str,
    update_days: Option<u32>,
    grace_days: u32,
    at_expiry: &'static str,
    trial: bool,
    check_in_days: Option<u32>,
    seats_for: &'static str,
    lease_seconds: Option<u32>,
    overage: &'static str,
    quantity_makes: &'static str,
    match_components: Option<&'static str>,
    releases: Option<u32>,
    release_days: Option<u32>,
    usage_limit: Option<u64>,
    usage_reset_days: Option<u32>,
    metered: bool,
    file_days: Option<u32>,
}

pub(crate) fn policy_view(policy: &Policy) -> PolicyView {
    let (term, seating) = (&policy.term, &policy.seating);
    PolicyView {
        starts: term.starts.as_str(),
        update_days: term.update_days,
        grace_days: term.grace_days,
        at_expiry: term.at_expiry.as_str(),
        trial: term.is_trial,
        check_in_days: term.check_in_days,
        seats_for: seating.holder.as_str(),
        lease_seconds: seating.lease_seconds,
        overage: seating.overage.as_str(),
        quantity_makes: seating.units.as_str(),
        match_components: seating.matching.map(domain::Matching::as_str),
        releases: seating.releases.map(|quota| quota.count),
        release_days: seating.releases.map(|quota| quota.days),
        usage_limit: policy.usage.as_ref().and_then(|usage| usage.limit),
        usage_reset_days: policy.usage.as_ref().and_then(|usage| usage.reset_days),
        metered: policy.usage.is_some(),
        file_days: policy.offline.file_days,
    }
}

#[derive(Serialize)]
pub(crate) struct PlanView {
    id: PlanId,
    product: ProductId,
    slug: String,
    name: String,
    highlights: Vec<String>,
    prices: Vec<PriceView>,
    seats: Option<u32>,
    valid_days: Option<u32>,
    features: Vec<String>,
    feature_values: BTreeMap<String, FeatureValue>,
    policy: PolicyView,
    fulfilment: &'static str,
    bundle: Vec<PlanId>,
    questions: Vec<Question>,
    max_quantity: u32,
    active: bool,
    url: String,
    created_at: Timestamp,
}

pub(crate) fn view(web: &Web, plan: &Plan) -> PlanView {
    PlanView {
        id: plan.id,
        product: plan.product,
        slug: plan.slug.clone(),
        name: plan.name.clone(),
        highlights: plan.highlights.clone(),
        prices: plan
            .prices
            .iter()
            .map(|price| {
                let tier = |tier: &domain::PriceTier| TierView {
                    from_quantity: tier.from_quantity,
                    unit_amount: Money::new(tier.unit_minor, price.currency),
                };
                PriceView { currency: price.currency, tiers: price.tiers.iter().map(tier).collect() }
            })
            .collect(),
        seats: plan.policy.seats,
        valid_days: plan.policy.valid_days,
        features: plan.policy.features.clone(),
        feature_values: plan.policy.feature_values.clone(),
        policy: policy_view(&plan.policy),
        fulfilment: plan.fulfilment.as_str(),
        bundle: plan.bundle.clone(),
        questions: plan.questions.clone(),
        max_quantity: plan.max_quantity,
        active: plan.is_active,
        url: format!("{}/buy/{}", web.app.settings.public_url, plan.slug),
        created_at: plan.created_at,
    }
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<PlanId>) -> Result<Response, Problem> {
    let plan = web.app.store.plan(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&web, &plan.ok_or_else(|| Problem::not_found("plan"))?)))
}
