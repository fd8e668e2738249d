//! What the shop sells beside the sample catalog: a plan whose time is short, one whose seats are leased, one whose keys
//! are signed, and one out of a small stock of codes. In every run they are others.

use domain::{
    AtExpiry, Changes, FeatureValue, Fulfilment, NewCode, Plan, PlanId, Policy, Pool, PoolCode, PoolId, Price,
    PriceTier, ProductId, Rng, Seating, Shop, Starts, Term, Timestamp, WhenOut,
};
use money::Currency;

use crate::universe::Universe;

/// What was drawn.
pub(crate) struct Assortment {
    /// What is to be written.
    pub(crate) changes: Changes,
    /// The plans, as often as buyers take them beside each of the sample catalog.
    pub(crate) plans: Vec<PlanId>,
    /// The one whose keys are signed.
    pub(crate) signed: PlanId,
    /// The stock.
    pub(crate) pool: PoolId,
    /// Whether there are codes for everybody in the end, or some wait for ever.
    pub(crate) suffices: bool,
}

/// Draws what else is sold in this run.
pub(crate) fn draw(universe: &Universe, shop: &Shop, product: ProductId, now: Timestamp, rng: &mut Rng) -> Assortment {
    let pool = Pool {
        id: PoolId::mint(now, rng),
        shop: shop.id,
        version: 0,
        slug: "codes".to_owned(),
        name: "Codes".to_owned(),
        when_out: universe.pick(&[WhenOut::BackOrder, WhenOut::BackOrder, WhenOut::Stop]),
        low_at: universe.pick(&[0, 1, 3]),
        alerted_at: None,
        held_at: None,
        created_at: now,
    };
    let timed = Policy {
        seats: Some(2),
        valid_days: Some(universe.pick(&[1, 2, 4])),
        certificate_seconds: 86_400,
        term: Term {
            starts: universe.pick(&[Starts::Issue, Starts::FirstActivation, Starts::FirstValidation]),
            grace_days: universe.pick(&[0, 1, 1]),
            at_expiry: universe.pick(&[
                AtExpiry::Restrict,
                AtExpiry::Restrict,
                AtExpiry::Restrict,
                AtExpiry::End,
                AtExpiry::Keep,
            ]),
            ..Term::default()
        },
        ..Policy::default()
    };
    let floating = Policy {
        seats: Some(universe.pick(&[1, 2])),
        certificate_seconds: 86_400,
        seating: Seating { lease_seconds: Some(universe.pick(&[60, 600, 3_600, 86_400])), ..Seating::default() },
        ..Policy::default()
    };
    let coded = Policy { seats: Some(2), certificate_seconds: 86_400, ..Policy::default() };
    let values = [("pages", FeatureValue::Number(500)), ("sync", FeatureValue::Flag(false))];
    let signed = Policy {
        seats: Some(2),
        valid_days: universe.pick(&[None, None, Some(2), Some(20)]),
        features: vec!["export".to_owned()],
        feature_values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        certificate_seconds: 86_400,
        term: Term {
            starts: universe.pick(&[Starts::Issue, Starts::Issue, Starts::FirstActivation]),
            grace_days: universe.pick(&[0, 1]),
            at_expiry: universe.pick(&[AtExpiry::Restrict, AtExpiry::Restrict, AtExpiry::Keep, AtExpiry::Allow]),
            update_days: universe.pick(&[None, Some(10)]),
            ..Term::default()
        },
        ..Policy::default()
    };
    let mut plan = |slug: &str, policy: Policy, fulfilment: Fulfilment| Plan {
        id: PlanId::mint(now, rng),
        shop: shop.id,
        version: 0,
        product,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        highlights: Vec::new(),
        prices: [Currency::EUR, Currency::JPY]
            .map(|currency| Price { currency, tiers: vec![PriceTier { from_quantity: 1, unit_minor: 2_900 }] })
            .to_vec(),
        policy,
        fulfilment,
        bundle: Vec::new(),
        questions: Vec::new(),
        max_quantity: 100,
        position: 9,
        is_active: true,
        created_at: now,
    };
    let made_here = Fulfilment::GeneratedKey;
    let sold = vec![
        plan("timed", timed, made_here),
        plan("floating", floating, made_here),
        plan("coded", coded, Fulfilment::Pool { pool: pool.id }),
        plan("signed", signed, Fulfilment::SignedKey),
    ];
    let [timed, floating, coded, signed] = [0, 1, 2, 3].map(|place: usize| sold[place].id);
    let codes = (1..=universe.between(0, 3)).map(|number| NewCode {
        shop: shop.id,
        pool: pool.id,
        code: code(number),
        at: now,
    });
    Assortment {
        plans: [vec![timed; 3], vec![floating; 3], vec![coded; 11], vec![signed; 5]].concat(),
        signed,
        pool: pool.id,
        suffices: universe.one_in(2),
        changes: Changes { codes: codes.collect(), pools: vec![pool], plans: sold, ..Changes::default() },
    }
}

/// The code of this number.
pub(crate) fn code(number: i64) -> PoolCode {
    PoolCode::sample(u32::try_from(number).unwrap_or_default())
}
