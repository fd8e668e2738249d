//! Products with their plans, to read.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Plan, Product, ProductId, Timestamp};
use serde::Serialize;

use super::{Id, Manager, Query, answer, cut, list as listing, plan};
use crate::Web;
use crate::problem::Problem;

#[derive(Serialize)]
struct ProductView {
    id: ProductId,
    slug: String,
    name: String,
    tagline: String,
    description: String,
    active: bool,
    plans: Vec<plan::PlanView>,
    url: String,
    created_at: Timestamp,
}

fn view(web: &Web, product: &Product, plans: &[Plan]) -> ProductView {
    ProductView {
        id: product.id,
        slug: product.slug.clone(),
        name: product.name.clone(),
        tagline: product.tagline.clone(),
        description: product.description.clone(),
        active: product.is_active,
        plans: plans.iter().filter(|plan| plan.product == product.id).map(|row| plan::view(web, row)).collect(),
        url: format!("{}/p/{}", web.app.settings.public_url, product.slug),
        created_at: product.created_at,
    }
}

pub(crate) async fn show(State(web): State<Web>, manager: Manager, Id(id): Id<ProductId>) -> Result<Response, Problem> {
    let product = web.app.store.product(manager.shop.id, id).await.map_err(app::Error::from)?;
    let product = product.ok_or_else(|| Problem::not_found("product"))?;
    let plans = web.app.store.plans(manager.shop.id, id).await.map_err(app::Error::from)?;
    Ok(answer(StatusCode::OK, &view(&web, &product, &plans)))
}

pub(crate) async fn list(
    State(web): State<Web>,
    manager: Manager,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut query = Query::read(query.as_deref())?;
    let asked = query.page()?;
    query.done()?;
    let products = web.app.store.products(manager.shop.id).await.map_err(app::Error::from)?;
    let plans = web.app.store.plans_of_shop(manager.shop.id).await.map_err(app::Error::from)?;
    Ok(listing(cut(products, &asked, |product| product.id), |product| view(&web, product, &plans)))
}
