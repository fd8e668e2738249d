//! Groups of licenses: made, changed and ended by people of the shop and its programs, and licenses put into them.

use domain::{
    Actor, Group, GroupChange, GroupId, GroupUse, LicenseId, ShopId, change_group, create_group, delete_group, regroup,
};

use crate::{App, Error};

/// How often it is decided again when devices take seats at the same time.
const TRIES: u32 = 100;

/// A group that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// Its id. Asking again with the same one makes one group.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// How many licenses may be in it; `None`: any number.
    pub max_licenses: Option<u32>,
    /// How many seats its licenses may hold together; `None`: as many as each of them allows.
    pub max_seats: Option<u32>,
}

impl App {
    /// The group with what it holds now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn group(&self, shop: ShopId, group: GroupId) -> Result<GroupUse, Error> {
        self.store.group(shop, group, self.clock.now()).await?.ok_or(Error::NotFound { what: "group" })
    }

    /// Makes a group.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn create_group(&self, shop: ShopId, new: &NewGroup, actor: Actor) -> Result<GroupUse, Error> {
        let now = self.clock.now();
        if let Some(known) = self.store.group(shop, new.id, now).await? {
            return Ok(known);
        }
        let NewGroup { id, name, max_licenses, max_seats } = new.clone();
        let group = Group { id, shop, version: 0, name, max_licenses, max_seats, created_at: now };
        self.write(&create_group(group, actor, now, &mut self.entropy.rng())).await?;
        self.group(shop, id).await
    }

    /// Changes the name and the limits of a group, with a reason for the journal.
    ///
    /// # Errors
    /// When there is no such group, or it holds more than it would be allowed.
    pub async fn change_group(
        &self,
        shop: ShopId,
        group: GroupId,
        wanted: &GroupChange,
        reason: &str,
        actor: Actor,
    ) -> Result<GroupUse, Error> {
        for _ in 0..TRIES {
            let used = self.group(shop, group).await?;
            let now = self.clock.now();
            let changes = change_group(&used, wanted, reason, actor, now, &mut self.entropy.rng())?;
            if changes.is_empty() {
                return Ok(used);
            }
            if self.commits(&changes, None).await? {
                return self.group(shop, group).await;
            }
        }
        Err(Error::Conflict { what: "group" })
    }

    /// Ends a group that no license is in.
    ///
    /// # Errors
    /// When there is no such group, or a license is in it.
    pub async fn delete_group(&self, shop: ShopId, group: GroupId, actor: Actor) -> Result<(), Error> {
        for _ in 0..TRIES {
            let used = self.group(shop, group).await?;
            let changes = delete_group(&used, actor, self.clock.now(), &mut self.entropy.rng())?;
            if self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "group" })
    }

    /// Puts a license into a group, out of the one that it is in; `None`: into none.
    ///
    /// # Errors
    /// When there is no such license or group, or the group takes no more of it.
    pub async fn regroup_license(
        &self,
        shop: ShopId,
        license: LicenseId,
        group: Option<GroupId>,
        reason: &str,
        actor: Actor,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            let row = self.store.license(shop, license).await?.ok_or(Error::NotFound { what: "license" })?;
            let used = match group {
                Some(group) => Some(self.group(shop, group).await?),
                None => None,
            };
            let now = self.clock.now();
            let lapsed = self.store.lapsed_seats(shop, license, now).await?;
            let mut rng = self.entropy.rng();
            let changes = regroup(&row, lapsed, used.as_ref(), reason, actor, now, &mut rng)?;
            if changes.is_empty() || self.commits(&changes, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict { what: "group" })
    }
}
