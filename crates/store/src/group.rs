//! Groups of licenses. What a group holds is counted over its licenses in one statement with its row, so that the
//! version that is read belongs to what was counted.

use domain::{Group, GroupId, GroupSeats, GroupUse, ShopId, Timestamp};

use crate::column::Columns;
use crate::license::lapsed;
use crate::page::{Lists, lists};
use crate::statement::{read, texts, values, write};
use crate::{Listing, Page, ReadError, Row, RowError, Statement, Store};

const WHAT: &str = "group";

/// What counts in a group: what was taken back counts for nothing.
macro_rules! counts {
    () => {
        "licenses.state in ('active', 'suspended_by_dispute', 'suspended_by_person')"
    };
}

/// One group after the other, each with what it holds at that moment.
macro_rules! each {
    ($at:literal) => {
        concat!(
            "select shop_id, id, version, name, max_licenses, max_seats, created_at, \
             (select count(*) from licenses where licenses.shop_id = license_groups.shop_id \
             and licenses.group_id = license_groups.id) as members, \
             (select count(*) from licenses where licenses.shop_id = license_groups.shop_id \
             and licenses.group_id = license_groups.id and ",
            counts!(),
            ") as working, \
             cast(coalesce((select sum(licenses.seats_used) from licenses where licenses.shop_id = license_groups.shop_id \
             and licenses.group_id = license_groups.id and ",
            counts!(),
            "), 0) as bigint) as taken, \
             cast(coalesce((select sum(",
            lapsed!($at),
            ") from licenses where licenses.shop_id = license_groups.shop_id \
             and licenses.group_id = license_groups.id and ",
            counts!(),
            "), 0) as bigint) as lapsed \
             from license_groups where shop_id = $1"
        )
    };
}

/// One group, with one look at each of its licenses; `$lapsed` is how the leases that are over are counted.
macro_rules! one {
    ($lapsed:expr, $more:expr) => {
        concat!(
            "select shop_id, id, version, name, max_licenses, max_seats, created_at, members, working, taken, ",
            $lapsed,
            " as lapsed from license_groups, (select count(*) as members, count(case when ",
            counts!(),
            " then 1 end) as working, cast(coalesce(sum(case when ",
            counts!(),
            " then licenses.seats_used end), 0) as bigint) as taken",
            $more,
            " from licenses where licenses.shop_id = $1 and licenses.group_id = $2) as counted \
             where license_groups.shop_id = $1 and license_groups.id = $2"
        )
    };
}

const BY_ID: &str = one!(
    "ended",
    concat!(", cast(coalesce(sum(case when ", counts!(), " then ", lapsed!("$3"), " end), 0) as bigint) as ended")
);
/// For a device that wants a seat: leases are looked at only where nothing else makes room.
const FOR_SEAT: &str = one!(
    concat!(
        "case when taken >= max_seats then (select cast(coalesce(sum(",
        lapsed!("$3"),
        "), 0) as bigint) from licenses where licenses.shop_id = $1 and licenses.group_id = $2 and ",
        counts!(),
        ") else 0 end"
    ),
    ""
);
const LIST: Lists = lists!(each!("$4"));
const NAMES: &str = "select id, name from license_groups where shop_id = $1 order by id desc limit $2";
const INSERT: &str = "insert into license_groups (shop_id, id, version, name, max_licenses, max_seats, created_at) \
    values ($1, $2, 1, $3, $4, $5, $6)";
const UPDATE: &str = "update license_groups set version = version + 1, name = $4, max_licenses = $5, max_seats = $6 \
    where shop_id = $1 and id = $2 and version = $3";
const END: &str = "delete from license_groups where shop_id = $1 and id = $2 and version = $3";

texts![BY_ID, FOR_SEAT, LIST.older, LIST.newer, NAMES, INSERT, UPDATE, END];

fn row(row: &mut Row) -> Result<GroupUse, RowError> {
    let mut columns = Columns::of(row);
    let group = Group {
        shop: columns.id()?,
        id: columns.id()?,
        version: columns.integer()?,
        name: columns.text()?,
        max_licenses: columns.optional_count()?,
        max_seats: columns.optional_count()?,
        created_at: columns.time()?,
    };
    Ok(GroupUse {
        group,
        members: columns.count()?,
        licenses: columns.count()?,
        taken: columns.count()?,
        lapsed: columns.count()?,
    })
}

pub(crate) fn statement(group: &Group) -> Statement {
    let name = group.name.as_str();
    match group.version {
        0 => write(
            WHAT,
            INSERT,
            values![group.shop, group.id, name, group.max_licenses, group.max_seats, group.created_at],
        ),
        version => {
            write(WHAT, UPDATE, values![group.shop, group.id, version, name, group.max_licenses, group.max_seats])
        }
    }
}

/// A group that nothing is in any more.
pub(crate) fn end(group: &Group) -> Statement {
    write(WHAT, END, values![group.shop, group.id, group.version])
}

impl Store {
    /// The group with this id, and what it holds at `now`.
    ///
    /// # Errors
    /// When the database does not answer, or the row cannot be read.
    pub async fn group(&self, shop: ShopId, group: GroupId, now: Timestamp) -> Result<Option<GroupUse>, ReadError> {
        self.one(read(WHAT, BY_ID, values![shop, group, now]), row).await
    }

    /// What stands in the way of a device that wants a seat of one of the group's licenses at `now`.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn group_seats(
        &self,
        shop: ShopId,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Option<GroupSeats>, ReadError> {
        let Some(used) = self.one(read(WHAT, FOR_SEAT, values![shop, group, now]), row).await? else {
            return Ok(None);
        };
        let lapsed = match used.missing() {
            0 => Vec::new(),
            // Each of them has one at least. The license that is asked for may be among them, and is told beside them.
            missing => self.lapsed_in_group(shop, group, now, missing.saturating_add(1)).await?,
        };
        Ok(Some(GroupSeats { used, lapsed }))
    }

    /// The names of the shop's newest groups, without what they hold.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn group_names(&self, shop: ShopId, limit: u32) -> Result<Vec<(GroupId, String)>, ReadError> {
        let row = |row: &mut Row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.text()?))
        };
        self.every(read(WHAT, NAMES, values![shop, limit]), row).await
    }

    /// The shop's groups, newest first, each with what it holds at `now`.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn groups(
        &self,
        shop: ShopId,
        page: Page<GroupId>,
        now: Timestamp,
    ) -> Result<Listing<GroupUse>, ReadError> {
        self.page(WHAT, &LIST, shop, &page, values![now], row).await
    }
}
