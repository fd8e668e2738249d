//! Changing what licenses allow after they were issued: one by hand, or all of a plan to what the plan says now.

use domain::{Actor, Adjusted, Adjustment, Difference, License, LicenseId, PlanId, Refusal, ShopId, adjust, adopt};
use store::{CommitError, Page};

use crate::{App, Error};

/// How often a change is decided again when devices take seats of the license at the same time.
const TRIES: u32 = 100;

/// What taking on the policy of the plan does, or did, to one license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The license: as it is in a preview, as it is then when it was done.
    pub license: License,
    /// What is different; nothing where it says what the plan says.
    pub outcome: Result<Vec<Difference>, Refusal>,
}

/// One part of the licenses of a plan, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoptions {
    /// Each license of the part.
    pub licenses: Vec<Adoption>,
    /// Go on behind this one; `None`: that was all.
    pub next: Option<LicenseId>,
}

impl App {
    /// Changes one license by hand.
    ///
    /// # Errors
    /// When there is no such license, or the rules do not allow it.
    pub async fn adjust_license(
        &self,
        shop: ShopId,
        license: LicenseId,
        wanted: &Adjustment,
        reason: &str,
        actor: Actor,
    ) -> Result<Adjusted, Error> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let adjusted = adjust(&row, wanted, reason, actor, now, &mut self.entropy.rng())?;
            if self.commits(&adjusted.changes, None).await? {
                return Ok(adjusted);
            }
        }
        Err(Error::Conflict { what: "license" })
    }

    /// What taking on the plan's policy would do to some of its licenses, newest first. Nothing is written.
    ///
    /// # Errors
    /// When there is no such plan, or the store does not answer.
    pub async fn preview_adoption(
        &self,
        shop: ShopId,
        plan: PlanId,
        page: Page<LicenseId>,
    ) -> Result<Adoptions, Error> {
        let plan = self.store.plan(shop, plan).await?.ok_or(Error::NotFound { what: "plan" })?;
        let listing = self.store.licenses_of_plan(shop, plan.id, page).await?;
        let next = listing.data.last().filter(|_| listing.has_more).map(|license| license.id);
        let (now, mut rng) = (self.clock.now(), self.entropy.rng());
        let each = |license: License| {
            let adopted = adopt(&license, &plan.policy, "", Actor::System, now, &mut rng);
            Adoption { license, outcome: adopted.map(|adopted| adopted.differences) }
        };
        Ok(Adoptions { licenses: listing.data.into_iter().map(each).collect(), next })
    }

    /// Lets some licenses of a plan take on its policy, newest first, each in a commit of its own with a line in the
    /// journal. One that was changed already is left as it is, so it may be asked for again.
    ///
    /// # Errors
    /// When there is no such plan, or the store does not answer; what was written stays.
    pub async fn adopt_policy(
        &self,
        shop: ShopId,
        plan: PlanId,
        page: Page<LicenseId>,
        reason: &str,
        actor: Actor,
    ) -> Result<Adoptions, Error> {
        let plan = self.store.plan(shop, plan).await?.ok_or(Error::NotFound { what: "plan" })?;
        let listing = self.store.licenses_of_plan(shop, plan.id, page).await?;
        let next = listing.data.last().filter(|_| listing.has_more).map(|license| license.id);
        let mut licenses = Vec::with_capacity(listing.data.len());
        for license in listing.data {
            licenses.push(self.adopt_one(license, &plan.policy, reason, actor).await?);
        }
        Ok(Adoptions { licenses, next })
    }

    async fn adopt_one(
        &self,
        mut license: License,
        policy: &domain::Policy,
        reason: &str,
        actor: Actor,
    ) -> Result<Adoption, Error> {
        for _ in 0..TRIES {
            let adjusted = match adopt(&license, policy, reason, actor, self.clock.now(), &mut self.entropy.rng()) {
                Ok(adjusted) => adjusted,
                Err(refusal) => return Ok(Adoption { license, outcome: Err(refusal) }),
            };
            match self.commit(&adjusted.changes, None).await {
                Ok(()) => return Ok(Adoption { license: adjusted.license, outcome: Ok(adjusted.differences) }),
                Err(CommitError::Conflict { .. }) => {
                    let row = self.store.license(license.shop, license.id).await?;
                    license = row.ok_or(Error::NotFound { what: "license" })?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { what: "license" })
    }
}
