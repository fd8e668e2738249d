//! Versions of products and their files: what was published reads back, and no name stands for two contents.

use domain::{
    Actor, Changes, ContentDigest, Duration, FileName, NewFile, NewRelease, Product, ProductId, Published, Release,
    ShopId, Timestamp, publish_release, withdraw_release,
};
use store::{CommitError, Store};

use super::world::World;

fn file(name: &str, content: u8) -> NewFile {
    NewFile {
        name: FileName::parse(name).unwrap(),
        platform: (content == 2).then(|| "Linux".to_owned()),
        size: u64::from(content) << 40,
        digest: ContentDigest([content; 32]),
    }
}

/// What publishing this version with these files comes to, over what is known of it.
pub(crate) fn publishing(
    world: &mut World,
    known: Option<&Published>,
    number: &str,
    published_at: Timestamp,
    files: Vec<NewFile>,
) -> Changes {
    let wanted = NewRelease {
        shop: world.shop.id,
        product: world.product.id,
        number: number.to_owned(),
        notes: Some("Faster *everywhere*".to_owned()),
        published_at: Some(published_at),
        files,
    };
    publish_release(known, &wanted, Actor::System, world.now, &mut world.rng).unwrap().changes
}

/// What is out of a product before a moment, and was not withdrawn.
async fn out(store: &Store, shop: ShopId, product: ProductId, before: Timestamp, limit: u32) -> Vec<Published> {
    store.shelves(shop, before, &[(product, Some(before))], limit).await.unwrap().remove(0).releases
}

fn numbers(found: &[Published]) -> Vec<&str> {
    found.iter().map(|published| published.release.number.as_str()).collect()
}

pub(crate) async fn a_release_reads_back_with_its_files_and_newest_first(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let day = |day: i64| world.now.after(Duration::days(day));
    let days = [day(0), day(10), day(20)];
    let mut all = Vec::new();
    for (number, at) in ["1.0", "2.0", "3.0"].into_iter().zip(days) {
        let changes = publishing(&mut world, None, number, at, vec![file("b.zip", 1), file("a.tar.gz", 2)]);
        store.commit(&changes).await.unwrap();
        let mut files = changes.release_files.clone();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        all.push(Published { release: Release { version: 1, ..changes.releases[0].clone() }, files });
    }
    let (shop, product) = (world.shop.id, world.product.id);
    let newest_first: Vec<Published> = all.iter().rev().cloned().collect();
    assert_eq!(store.releases(shop, product, 10).await.unwrap(), newest_first);
    assert_eq!(out(&store, shop, product, days[2], 10).await, newest_first[1..], "before, not at");
    let just_after = Timestamp::from_microseconds(days[2].as_microseconds() + 1);
    assert_eq!(numbers(&out(&store, shop, product, just_after, 2).await), ["3.0", "2.0"]);
    assert_eq!(store.release_by_number(shop, product, "2.0").await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(store.release_by_number(shop, product, "2").await.unwrap(), None);
    let file = all[1].files[0].clone();
    assert_eq!(store.release_file(shop, file.id).await.unwrap(), Some((all[1].release.clone(), file.clone())));

    // Neither another shop nor another product sees any of it.
    let mut other = World::from_seed(2);
    other.stock(&store).await;
    let stranger = ProductId::mint(world.now, &mut world.rng);
    assert_eq!(store.releases(other.shop.id, product, 10).await.unwrap(), []);
    assert_eq!(store.releases(shop, stranger, 10).await.unwrap(), []);
    assert_eq!(store.release_file(other.shop.id, file.id).await.unwrap(), None);

    let withdrawn = withdraw_release(&all[1].release, Actor::System, world.now, &mut world.rng).unwrap();
    store.commit(&withdrawn).await.unwrap();
    assert_eq!(numbers(&out(&store, shop, product, just_after, 10).await), ["3.0", "1.0"]);
    let every = store.releases(shop, product, 10).await.unwrap();
    assert_eq!(numbers(&every), ["3.0", "2.0", "1.0"]);
    assert_eq!((every[1].release.withdrawn_at, every[1].release.version), (Some(world.now), 2));
    assert_eq!(store.commit(&withdrawn).await, Err(CommitError::Conflict { what: "release" }));
}

pub(crate) async fn what_is_out_of_several_products_is_told_in_one_visit_and_in_their_order(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let (shop, product, now) = (world.shop.id, world.product.id, world.now);
    let other = Product { id: ProductId::mint(now, &mut world.rng), slug: "other".to_owned(), ..world.product.clone() };
    let bare = Product { id: ProductId::mint(now, &mut world.rng), slug: "bare".to_owned(), ..world.product.clone() };
    let products = vec![other.clone(), bare.clone()];
    store.commit(&Changes { products, ..Changes::default() }).await.unwrap();
    let day = |day: i64| now.after(Duration::days(day));
    for (number, at) in [("1.0", day(0)), ("2.0", day(10))] {
        let changes = publishing(&mut world, None, number, at, vec![file("a.zip", 1)]);
        store.commit(&changes).await.unwrap();
    }
    let mut of_other = publishing(&mut world, None, "9.0", day(5), vec![file("b.zip", 3)]);
    of_other.releases[0].product = other.id;
    store.commit(&of_other).await.unwrap();

    let wanted = [
        (bare.id, Some(day(20))),
        (product, Some(day(10))),
        (other.id, Some(day(20))),
        (other.id, None),
        (bare.id, None),
    ];
    let found = store.shelves(shop, day(20), &wanted, 10).await.unwrap();
    let told: Vec<_> = found.iter().map(|shelf| (shelf.has_any, numbers(&shelf.releases))).collect();
    assert_eq!(
        told,
        [(false, vec![]), (true, vec!["1.0"]), (true, vec!["9.0"]), (true, vec![]), (false, vec![])],
        "whether there is any does not depend on which are asked for"
    );
    assert_eq!(found[2].releases[0].files[0].name.as_str(), "b.zip");
    let early = store.shelves(shop, day(5), &[(other.id, None), (product, None)], 10).await.unwrap();
    assert_eq!(early.iter().map(|shelf| shelf.has_any).collect::<Vec<_>>(), [false, true]);
    assert_eq!(store.shelves(shop, day(20), &[], 10).await.unwrap(), []);

    // Every content with what it is of, whether it was withdrawn or not.
    let known = store.release_by_number(shop, product, "1.0").await.unwrap().unwrap();
    let withdrawn = withdraw_release(&known.release, Actor::System, now, &mut world.rng).unwrap();
    store.commit(&withdrawn).await.unwrap();
    let contents = store::report::contents(store.engine().as_ref()).await.unwrap();
    let told: Vec<_> =
        contents.iter().map(|known| (known.product.as_str(), known.number.as_str(), known.withdrawn_at)).collect();
    let slug = world.product.slug.as_str();
    let expected = [(slug, "1.0", Some(now)), (slug, "2.0", None), ("other", "9.0", None)];
    assert_eq!(told, expected);
    assert_eq!((contents[2].digest, contents[2].size), (ContentDigest([3; 32]), 3 << 40));

    // A file of no version, and a version of no product, are no rows.
    let orphan = publishing(&mut world, None, "3.0", now, vec![file("c.zip", 1)]);
    let file_alone = Changes { releases: vec![], ..orphan.clone() };
    assert!(matches!(store.commit(&file_alone).await, Err(CommitError::Unavailable(_))));
    let mut nowhere = orphan;
    nowhere.releases[0].product = ProductId::mint(now, &mut world.rng);
    assert!(matches!(store.commit(&nowhere).await, Err(CommitError::Unavailable(_))));
}

pub(crate) async fn a_version_is_published_once_and_its_files_only_grow(store: Store) {
    let mut world = World::new();
    world.stock(&store).await;
    let (shop, product, now) = (world.shop.id, world.product.id, world.now);
    let first = publishing(&mut world, None, "1.0", now, vec![file("app.zip", 1)]);
    let at_once = publishing(&mut world, None, "1.0", now, vec![file("app.zip", 3)]);
    store.commit(&first).await.unwrap();
    assert_eq!(store.commit(&at_once).await, Err(CommitError::Conflict { what: "release" }));

    let known = store.release_by_number(shop, product, "1.0").await.unwrap().unwrap();
    let more = publishing(&mut world, Some(&known), "1.0", now, vec![file("app.dmg", 3)]);
    let others = publishing(&mut world, Some(&known), "1.0", now, vec![file("app.dmg", 4)]);
    store.commit(&more).await.unwrap();
    assert_eq!(store.commit(&others).await, Err(CommitError::Conflict { what: "release" }));
    // The version of the row alone keeps them apart; behind it stands an index on the name.
    let behind = Changes { releases: vec![], ..others };
    assert_eq!(store.commit(&behind).await, Err(CommitError::Conflict { what: "release file" }));
    let grown = store.release_by_number(shop, product, "1.0").await.unwrap().unwrap();
    let files: Vec<_> = grown.files.iter().map(|file| (file.name.as_str(), file.digest)).collect();
    assert_eq!(files, [("app.dmg", ContentDigest([3; 32])), ("app.zip", ContentDigest([1; 32]))]);
}
