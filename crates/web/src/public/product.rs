//! A product with its tiers side by side.

use app::mail::markdown;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::Web;
use crate::problem::Problem;
use crate::public::country::{self, CountryOption};
use crate::public::fields::{Fields, address};
use crate::public::frame::{Frame, page};
use crate::public::pricing::{self, Market};
use crate::public::till::InStock;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "public/product.html")]
struct ProductPage<'a> {
    frame: &'a Frame,
    name: &'a str,
    tagline: &'a str,
    /// Safe HTML.
    description: String,
    tiers: Vec<Tier>,
    path: String,
    currency: &'static str,
    countries: Vec<CountryOption>,
    /// Safe HTML.
    refund_policy: String,
}

struct Tier {
    name: String,
    price: String,
    hints: Vec<String>,
    highlights: Vec<String>,
    href: String,
    button: String,
    /// That it comes later, or is out of stock.
    stock: Option<String>,
}

pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(slug): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let found = web.app.store.product_by_slug(visit.shop.id, &slug).await.map_err(app::Error::from)?;
    let product = found.filter(|product| product.is_active).ok_or_else(|| Problem::not_found("product"))?;
    let plans = web.app.store.plans(visit.shop.id, product.id).await.map_err(app::Error::from)?;
    let market = Market::of(&visit, &fields);
    let frame = Frame::new(&web, &visit, product.name.clone()).described(&product.tagline);
    let words = &frame.words;
    let mut stocks = Vec::with_capacity(plans.len());
    for plan in &plans {
        // Only plans that sell from a stock ask for it.
        stocks.push(InStock::of(web.app.supply_of_plan(plan, 1).await?.as_ref(), 1));
    }
    let tiers = plans
        .iter()
        .zip(stocks)
        .filter(|(plan, _)| plan.is_active)
        .filter_map(|(plan, stock)| {
            let price = market.price(plan, &visit.shop)?;
            Some(Tier {
                name: plan.name.clone(),
                price: words.amount(price.unit_amount(1)?),
                hints: pricing::quantity_hints(words, plan, price),
                highlights: plan.highlights.clone(),
                href: address(
                    &format!("/buy/{}", plan.slug),
                    &[("country", fields.get("country")), ("currency", market.currency_code())],
                ),
                stock: match stock {
                    InStock::Now => None,
                    InStock::Later => Some(words.say("product-later")),
                    InStock::Out => Some(words.say("product-out")),
                },
                button: words.fill("product-choose", &[("plan", (&plan.name).into())]),
            })
        })
        .collect();
    let template = ProductPage {
        name: &product.name,
        tagline: &product.tagline,
        description: markdown::to_html(&product.description),
        tiers,
        path: format!("/p/{}", product.slug),
        currency: market.currency_code(),
        countries: country::options(words, market.country),
        refund_policy: markdown::to_html(&visit.shop.refund_policy),
        frame: &frame,
    };
    page(StatusCode::OK, &frame, &template)
}
