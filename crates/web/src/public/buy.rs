//! The till for one tier: `/buy/{plan}`, by the plan's name in URLs or its id.
//!
//! Looking writes nothing. Pressing pay opens the checkout under the id that
//! the page carries, so that pressing twice is one order.

use std::collections::BTreeMap;

use app::{CheckoutInput, is_about_answers, is_about_stock};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{Actor, BuyerDetails, CheckoutId, Email, Plan, PlanId, Price, Product, Question, Refusal, Sale, Supply};

use crate::Web;
use crate::problem::Problem;
use crate::public::fields::{Fields, address};
use crate::public::frame::Frame;
use crate::public::pricing::{self, Market};
use crate::public::till::{self, Buyer, FieldError, InStock, Line, QuantityField, TierLink, Till};
use crate::visit::Visit;

/// A tier with what stands around it in the catalog.
struct Offer {
    product: Product,
    plan: Plan,
    tiers: Vec<Plan>,
    /// What there is in stock, where it is sold from one.
    supply: Option<Supply>,
    /// What is asked of whoever buys it.
    questions: Vec<Question>,
    /// Whether a license key is among what is sold.
    has_keys: bool,
}

/// What the address or the form asks for.
struct Wish {
    market: Market,
    quantity: Result<u32, FieldError>,
    /// As typed.
    quantity_text: String,
    buyer: Buyer,
    visit: Option<CheckoutId>,
}

/// What comes of a press.
enum Pressed {
    /// On to the gateway, or to the order.
    Away(Response),
    /// The page again: the reason stands in it.
    Again { errors: Vec<FieldError>, notice: Option<String> },
    /// The page again, with what is in stock by now.
    SoldMeanwhile,
}

pub(crate) async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(plan): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, Problem> {
    let offer = Offer::find(&web, &visit, &plan).await?;
    let frame = offer.frame(&web, &visit);
    let wish = Wish::read(&frame, &visit, &fields, &offer);
    let errors = if fields.has("quantity") { wish.quantity_error() } else { Vec::new() };
    offer.page(&web, frame, &wish, errors, None)
}

pub(crate) async fn submit(
    State(web): State<Web>,
    visit: Visit,
    Path(plan): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let offer = Offer::find(&web, &visit, &plan).await?;
    let frame = offer.frame(&web, &visit).returning_to(format!("/buy/{}", offer.plan.slug));
    let wish = Wish::read(&frame, &visit, &fields, &offer);
    if fields.get("press") == "update" {
        let errors = wish.quantity_error();
        return offer.page(&web, frame, &wish, errors, None);
    }
    match offer.press(&web, &visit, &frame, &wish, &fields).await? {
        Pressed::Away(response) => Ok(response),
        Pressed::Again { errors, notice } => offer.page(&web, frame, &wish, errors, notice),
        Pressed::SoldMeanwhile => {
            let offer = Offer::find(&web, &visit, &plan).await?;
            let notice = Some(frame.say("till-stock-changed"));
            offer.page(&web, frame, &wish, Vec::new(), notice)
        }
    }
}

impl Wish {
    fn read(frame: &Frame, visit: &Visit, fields: &Fields, offer: &Offer) -> Self {
        let quantity_text = if fields.has("quantity") { fields.get("quantity") } else { "1" };
        Self {
            market: Market::of(visit, fields),
            quantity: quantity(frame, quantity_text, offer.plan.max_quantity),
            quantity_text: quantity_text.to_owned(),
            buyer: Buyer::read(fields, &offer.questions),
            visit: CheckoutId::parse(fields.get("visit")).ok(),
        }
    }

    fn quantity_error(&self) -> Vec<FieldError> {
        let text = self.quantity.as_ref().err().map(|error| error.text.clone());
        text.into_iter().map(|text| FieldError { field: "quantity".into(), text }).collect()
    }
}

impl Offer {
    async fn find(web: &Web, visit: &Visit, name: &str) -> Result<Self, Problem> {
        let store = &web.app.store;
        let shop = visit.shop.id;
        let found = match PlanId::parse(name) {
            Ok(id) => store.plan(shop, id).await,
            Err(_) => store.plan_by_slug(shop, name).await,
        };
        let plan = found.map_err(app::Error::from)?.ok_or_else(|| Problem::not_found("plan"))?;
        let product = store.product(shop, plan.product).await.map_err(app::Error::from)?;
        let product = product.ok_or_else(|| Problem::not_found("product"))?;
        if !plan.is_active || !product.is_active {
            return Err(Refusal::PlanNotOnSale.into());
        }
        let tiers = store.plans(shop, product.id).await.map_err(app::Error::from)?;
        let supply = web.app.supply_of_plan(&plan, plan.max_quantity).await?;
        let parts = store.parts(shop, &plan.bundle).await.map_err(app::Error::from)?;
        let offer = domain::Offer { shop: &visit.shop, product: &product, plan: &plan, parts: &parts };
        let (questions, has_keys) = (offer.questions(), offer.has_keys());
        Ok(Self { product, plan, tiers, supply, questions, has_keys })
    }

    fn frame(&self, web: &Web, visit: &Visit) -> Frame {
        let frame = Frame::new(web, visit, String::new());
        let name = format!("{} {}", self.product.name, self.plan.name);
        let title = frame.words.fill("till-title", &[("name", (&name).into())]);
        Frame { title, ..frame }
    }

    fn price(&self, wish: &Wish, frame: &Frame) -> Result<&Price, Problem> {
        wish.market.price(&self.plan, &frame.shop).ok_or_else(|| Refusal::NoPriceInCurrency.into())
    }

    fn page(
        &self,
        web: &Web,
        frame: Frame,
        wish: &Wish,
        errors: Vec<FieldError>,
        notice: Option<String>,
    ) -> Result<Response, Problem> {
        let price = self.price(wish, &frame)?;
        let quantity = *wish.quantity.as_ref().unwrap_or(&1);
        let missing = || Problem::from(Refusal::NoPriceInCurrency);
        let unit = price.unit_amount(quantity).ok_or_else(missing)?;
        let total = price.amount(quantity).map_err(Refusal::from)?.ok_or_else(missing)?;
        // A visit is what it was opened as, so a page that shows something else is another visit.
        let id = CheckoutId::mint(web.app.clock.now(), &mut web.app.entropy.rng());
        let till = Till {
            action: format!("/buy/{}", self.plan.slug),
            visit: id.to_string(),
            currency: wish.market.currency_code(),
            highlights: self.plan.highlights.clone(),
            tiers: self.tier_links(&frame, wish),
            quantity: Some(QuantityField {
                value: wish.quantity_text.clone(),
                hints: pricing::quantity_hints(&frame.words, &self.plan, price),
            }),
            lines: vec![Line {
                name: format!("{} {}", self.product.name, self.plan.name),
                detail: till::detail(&frame, quantity, unit),
                amount: frame.words.amount(total),
                answers: Vec::new(),
            }],
            total,
            country: wish.market.country,
            buyer: wish.buyer.clone(),
            questions: self.questions.clone(),
            is_email_fixed: false,
            errors,
            has_keys: self.has_keys,
            stock: InStock::of(self.supply.as_ref(), quantity),
            notice,
            cancel_url: None,
        };
        let status = if till.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        till.page(status, frame)
    }

    fn tier_links(&self, frame: &Frame, wish: &Wish) -> Vec<TierLink> {
        let quantity = if wish.quantity_text == "1" { "" } else { wish.quantity_text.as_str() };
        self.tiers
            .iter()
            .filter(|tier| tier.is_active)
            .filter_map(|tier| {
                let unit = wish.market.price(tier, &frame.shop)?.unit_amount(1)?;
                let parameters = [
                    ("quantity", quantity),
                    ("country", wish.market.country.code()),
                    ("currency", wish.market.currency_code()),
                ];
                Some(TierLink {
                    name: tier.name.clone(),
                    price: frame.words.amount(unit),
                    href: address(&format!("/buy/{}", tier.slug), &parameters),
                    is_chosen: tier.id == self.plan.id,
                })
            })
            .collect()
    }

    /// Takes the order, if everything is said and the buyer saw this total.
    async fn press(
        &self,
        web: &Web,
        visit: &Visit,
        frame: &Frame,
        wish: &Wish,
        fields: &Fields,
    ) -> Result<Pressed, Problem> {
        let email = till::email(frame, fields.get("email"));
        let answers = till::answers(frame, &self.questions, &wish.buyer.answers);
        let country = till::country(frame, fields);
        let consent = country.as_ref().map_or(Ok(()), |country| till::consent(frame, *country, wish.buyer.has_consent));
        let (quantity, email, answers, country) = match (&wish.quantity, email, answers, country, consent) {
            (Ok(quantity), Ok(email), Ok(answers), Ok(country), Ok(())) => (*quantity, email, answers, country),
            (_, email, answers, country, consent) => {
                let mut errors = wish.quantity_error();
                errors.extend(email.err().into_iter().chain(answers.err().into_iter().flatten()));
                errors.extend(country.err().into_iter().chain(consent.err()));
                return Ok(Pressed::Again { errors, notice: None });
            }
        };
        let price = self.price(wish, frame)?;
        let total =
            price.amount(quantity).map_err(Refusal::from)?.ok_or_else(|| Problem::from(Refusal::NoPriceInCurrency))?;
        let changed = |id: &str| Pressed::Again { errors: Vec::new(), notice: Some(frame.say(id)) };
        if till::shown(total) != fields.get("shown") {
            return Ok(changed("till-changed"));
        }
        let input = |id: Option<CheckoutId>| CheckoutInput {
            plan: self.plan.id,
            id,
            quantity,
            currency: Some(price.currency),
            coupon: None,
            email: None,
            country,
            locale: visit.locale.clone(),
            success_url: None,
            cancel_url: None,
            metadata: BTreeMap::new(),
            answers: BTreeMap::new(),
        };
        let mut sale = web.app.open_checkout(&visit.shop, input(wish.visit), Actor::Buyer).await?;
        let is_this = sale.order.total == total && sale.order.choice() == Some((self.plan.id, quantity));
        if !is_this {
            return Ok(changed("till-changed"));
        }
        if sale.order.state.was_paid() {
            // Whether this browser may see it is for the order's page to say.
            return Ok(Pressed::Away(Redirect::to(&format!("/orders/{}", sale.order.id)).into_response()));
        }
        if is_over(web, &sale) || is_of_another(&sale, &email, &answers) {
            sale = web.app.open_checkout(&visit.shop, input(None), Actor::Buyer).await?;
        }
        let buyer = BuyerDetails {
            email,
            name: None,
            country,
            locale: visit.locale.clone(),
            immediate_supply: till::consent_counts(country, wish.buyer.has_consent),
            accepts_later: fields.get("later") == "yes",
            answers,
        };
        let mut submitted = web.app.submit_checkout(&visit.shop, sale.checkout.id, &buyer).await;
        if let Err(app::Error::Refused(Refusal::SubmittedOtherwise)) = submitted {
            // Another press of this visit was faster, and said something else: this one gets an order of its own.
            let own = web.app.open_checkout(&visit.shop, input(None), Actor::Buyer).await?;
            submitted = web.app.submit_checkout(&visit.shop, own.checkout.id, &buyer).await;
        }
        match submitted {
            Ok(submitted) => Ok(Pressed::Away(till::go(web, country, submitted.payment).await)),
            // Somebody else had the last one.
            Err(error) if is_about_stock(&error) => Ok(Pressed::SoldMeanwhile),
            // The visit was opened when something else was asked; the next page is another visit.
            Err(error) if is_about_answers(&error) => Ok(changed("till-asked-changed")),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_over(web: &Web, sale: &Sale) -> bool {
    !app::App::is_payable(sale) || sale.checkout.expires_at <= web.app.clock.now()
}

/// Whoever knows the id of a visit must not turn somebody's order to another
/// address, nor to another account; a buyer who mends a typo gets an order of their own.
fn is_of_another(sale: &Sale, email: &Email, answers: &BTreeMap<String, String>) -> bool {
    let is_other = |known: &Email| known.key() != email.key() || sale.order.answers() != *answers;
    sale.order.email.as_ref().is_some_and(is_other)
}

/// How many, typed in digits of any script.
fn quantity(frame: &Frame, typed: &str, max: u32) -> Result<u32, FieldError> {
    let text = domain::search_key(typed);
    let refuse =
        |id: &str| Err(FieldError { field: "quantity".into(), text: frame.words.fill(id, &[("max", max.into())]) });
    if text.is_empty() {
        return refuse("error-quantity-empty");
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse("error-quantity-not_a_number");
    }
    match text.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        Ok(0) => refuse("error-quantity-zero"),
        Ok(_) | Err(_) => refuse("error-quantity-too_many"),
    }
}
