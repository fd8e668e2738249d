//! The front page: what the shop sells, and from which price.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::Web;
use crate::problem::Problem;
use crate::public::fields::{Fields, address};
use crate::public::frame::{Frame, page};
use crate::public::pricing::{self, Market};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "public/storefront.html")]
struct Storefront<'a> {
    frame: &'a Frame,
    products: Vec<Card>,
}

struct Card {
    name: String,
    tagline: String,
    href: String,
    from_price: String,
    tiers: Vec<String>,
}

pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let market = Market::of(&visit, &fields);
    let products = web.app.store.products(visit.shop.id).await.map_err(app::Error::from)?;
    let plans = web.app.store.plans_of_shop(visit.shop.id).await.map_err(app::Error::from)?;
    let frame = Frame::new(&web, &visit, visit.shop.name.clone());
    let cards: Vec<Card> = products
        .iter()
        .filter(|product| product.is_active)
        .filter_map(|product| {
            let tiers: Vec<_> = plans
                .iter()
                .filter(|plan| plan.product == product.id && plan.is_active)
                .filter_map(|plan| Some((plan, market.price(plan, &visit.shop)?)))
                .collect();
            let lowest = frame.words.amount(pricing::lowest(tiers.iter().map(|(_, price)| *price))?);
            let message = if tiers.len() > 1 { "price-from" } else { "price-only" };
            Some(Card {
                name: product.name.clone(),
                tagline: product.tagline.clone(),
                href: address(
                    &format!("/p/{}", product.slug),
                    &[("country", fields.get("country")), ("currency", market.currency_code())],
                ),
                from_price: frame.words.fill(message, &[("price", (&lowest).into())]),
                tiers: tiers.iter().map(|(plan, _)| plan.name.clone()).collect(),
            })
        })
        .collect();
    let description = cards.iter().map(|card| card.tagline.as_str()).collect::<Vec<_>>().join(" · ");
    let frame = frame.described(&description);
    page(StatusCode::OK, &frame, &Storefront { frame: &frame, products: cards })
}
