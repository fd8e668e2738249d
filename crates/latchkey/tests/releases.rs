//! Published files with the real binary: what one command publishes, a buyer downloads in parts from the server that
//! runs beside it, and a backup says what is not in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use std::fs;
use std::path::Path;

use common::gateway::list;
use common::process::{self, Finished};
use common::shop::{Engine, SHOP_FILE, Shop, text};
use serde_json::{Value, json};

/// The shop file with a plan that sells files.
fn shop_file(more: &str) -> String {
    format!(
        "{SHOP_FILE}\n[[product]]\nslug = \"serif\"\nname = \"Serif\"\n\n[[product.plan]]\nslug = \"desktop\"\n\
         name = \"Desktop\"\nprices = {{ EUR = \"49.00\" }}\nfulfilment = \"download\"\n{more}"
    )
}

fn path_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Runs a command as people see it.
fn told(shop: &Shop, arguments: &[&str]) -> Finished {
    let mut arguments = shop.arguments(arguments);
    arguments.retain(|argument| argument != "--json");
    process::run(shop.folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), "")
}

fn findings(found: &Value, check: &str) -> Vec<(String, String)> {
    let findings = list(&found["findings"]).iter().filter(|finding| finding["check"] == check);
    findings.map(|finding| (text(&finding["severity"]), text(&finding["found"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_beside_a_server_is_downloaded_from_it_until_it_is_withdrawn() {
    let shop = Shop::open_with(Engine::Sqlite, &shop_file(""), common::gateway::SECRET_KEY).await;
    let (door, folder) = (shop.door(), shop.folder.path());
    let again = told(&shop, &["apply", "shop.toml"]);
    assert!(again.stdout.contains("latchkey releases add serif VERSION FILE"), "{}", again.stdout);
    assert_eq!(shop.run(&["apply", "shop.toml"], "").result()["without_files"], json!(["desktop"]));
    let order = door.buy(&shop.gateway, "desktop", 1).await;
    let key = text(&list(&order["licenses"])[0]["key"]);
    let (code, found) = shop.doctor();
    let waits = "desktop sells the files of serif, and no version of it is out: 1 paid licenses open nothing";
    assert_eq!((code, findings(&found, "downloads")), (Some(1), vec![("broken".to_owned(), waits.to_owned())]));

    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(folder.join("Serif.otf"), &content).expect("a file");
    fs::write(folder.join("Serif.txt"), "How it is installed").expect("a file");
    let arguments =
        ["releases", "add", "serif", "1.0", "Serif.otf", "Serif.txt", "--notes", "First", "--platform", "Any"];
    let added = shop.run(&arguments, "").result();
    assert_eq!((&added["new"], &added["version"], list(&added["added"]).len()), (&json!(true), &json!("1.0"), 2));
    let same = shop.run(&arguments, "").result();
    assert_eq!((&same["changed"], list(&same["added"]).len()), (&json!(false), 0));
    fs::write(folder.join("Serif.txt"), "How it is installed otherwise").expect("a file");
    let other = shop.run(&arguments, "");
    assert!(
        other.code == Some(1) && other.stderr.contains("Serif.txt was published with another content"),
        "{}",
        other.stderr
    );
    let listed = shop.run(&["releases", "list", "serif"], "").result();
    let files: Vec<_> = list(&list(&listed["data"])[0]["files"]).iter().map(|file| text(&file["name"])).collect();
    assert_eq!(files, ["Serif.otf", "Serif.txt"]);
    assert_eq!(shop.run(&["apply", "shop.toml"], "").result()["without_files"], json!([]));
    let (code, found) = shop.doctor();
    assert_eq!((code, findings(&found, "downloads")), (Some(0), vec![]), "{found:#}");
    assert_eq!(findings(&found, "files").len(), 1, "{found:#}");

    // The server has known nothing of it but its rows.
    let ask = format!("{}/v1/licenses/downloads", shop.url);
    let offered = door.http.post_json(&ask, &[], &json!({ "key": key })).await.expect("an answer").json();
    let file = &list(&list(&offered["releases"])[0]["files"])[1];
    let url = text(&file["url"]);
    let part = door.http.get(&url, &[("range", "bytes=4-9")]).await.expect("a part");
    assert_eq!((part.status, part.body.as_str()), (206, "it is "), "{part:?}");
    assert_eq!(part.header("content-range"), Some("bytes 4-9/19"));
    let whole = door.http.get(&text(&list(&list(&offered["releases"])[0]["files"])[0]["url"]), &[]).await.expect("all");
    assert_eq!((whole.status, whole.header("content-length")), (200, Some("400000")));
    let page = door.http.get(&url, &[("accept", "text/html"), ("if-match", "\"other\"")]).await.expect("a page");
    assert!(page.status == 412 && page.body.contains("<html"), "{page:?}");

    // A byte that turns is found by reading all of it.
    let stored = folder.join("data").join("files").join(text(&file["sha256"]));
    let verified = shop.run(&["releases", "verify"], "").result();
    assert_eq!((&verified["contents"], &verified["bytes"]), (&json!(2), &json!(400_019)));
    fs::write(&stored, "how it is installed").expect("the content");
    let verified = shop.run(&["releases", "verify"], "");
    assert_eq!((verified.code, &verified.only_object()["bad"][0]["name"]), (Some(1), &json!("Serif.txt")));
    fs::write(&stored, "How it is installed").expect("the content");

    let withdrawn = shop.run(&["releases", "withdraw", "serif", "1.0"], "").result();
    assert_eq!(withdrawn["changed"], true);
    let gone = door.http.get(&url, &[]).await.expect("an answer");
    assert_eq!((gone.status, &gone.json()["code"]), (410, &json!("release_withdrawn")));
    let again = shop.run(&arguments, "");
    assert!(again.code == Some(1) && again.stderr.contains("this version was withdrawn"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_the_rows_of_files_and_says_that_it_has_not_the_files() {
    let mut shop = Shop::open_with(Engine::Sqlite, &shop_file(""), common::gateway::SECRET_KEY).await;
    let (data, backup) = (shop.folder.path().join("data"), shop.folder.path().join("backup"));
    fs::write(shop.folder.path().join("Serif.otf"), "a font").expect("a file");
    shop.run(&["releases", "add", "serif", "1.0", "Serif.otf"], "").result();
    let backed_up = told(&shop, &["backup", path_of(&backup)]);
    let files = data.join("files");
    let not_in_it = format!("The contents of 1 published files are NOT in it: back up {} as well", files.display());
    assert!(backed_up.stdout.contains(&not_in_it), "{}", backed_up.stdout);
    let other = shop.run(&["backup", path_of(&shop.folder.path().join("other"))], "").result();
    assert_eq!((&other["holds_master_key"], &other["holds_files"]), (&json!(false), &json!(false)));

    shop.server.kill();
    let kept = shop.folder.path().join("kept");
    fs::rename(&files, &kept).expect("the files");
    let key = fs::read(data.join("master.key")).expect("the key");
    fs::remove_dir_all(&data).expect("the disaster");
    let restored = shop.run(&["restore", path_of(&backup)], "").result();
    assert_eq!((&restored["missing_contents"], &restored["files"]), (&json!(1), &json!(path_of(&files))));
    fs::write(data.join("master.key"), &key).expect("the key");
    fs::set_permissions(data.join("master.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("its mode");
    let (code, found) = shop.doctor();
    let missing = vec![("broken".to_owned(), "Serif.otf of serif 1.0 is missing".to_owned())];
    assert_eq!((code, findings(&found, "files")), (Some(1), missing), "{found:#}");
    fs::rename(&kept, &files).expect("the files");

    // What lies there and belongs to nothing is named with its size.
    let stray = "5e".repeat(32);
    fs::write(files.join(&stray), "stray").expect("a content");
    let (code, found) = shop.doctor();
    let of_files = findings(&found, "files");
    assert_eq!((code, of_files.len()), (Some(0), 2), "{found:#}");
    assert!(of_files.iter().any(|(_, found)| found.contains(&format!("{stray} (5 bytes)"))), "{found:#}");

    let away = shop.folder.path().join("away");
    let moved = told(&shop, &["move", "--to", path_of(&away)]);
    assert!(moved.stdout.contains(&format!("copy {} there too", files.display())), "{}", moved.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_several_nodes_can_serve_the_folder_is_named_or_asked_for() {
    let shop = Shop::open_with(Engine::Postgres, &shop_file(""), common::gateway::SECRET_KEY).await;
    fs::write(shop.folder.path().join("Serif.otf"), "a font").expect("a file");
    let (shared, add) = (shop.folder.path().join("shared"), ["releases", "add", "serif", "1.0", "Serif.otf"]);
    let chosen = ["--files", path_of(&shared)];
    let with_folder = told(&shop, &[&add[..], &chosen].concat());
    assert!(with_folder.code == Some(0) && !with_folder.stdout.contains("Mind:"), "{}", with_folder.stdout);
    let on_this_machine = told(&shop, &add);
    assert!(on_this_machine.stdout.contains("each needs the same one"), "{}", on_this_machine.stdout);
    let (_, found) = shop.doctor();
    let of_files = findings(&found, "files");
    assert!(of_files.iter().any(|(severity, found)| severity == "warning" && found.contains("--files")), "{found:#}");
    let found = shop.run(&["doctor", "--files", path_of(&shared)], "").only_object();
    assert_eq!(findings(&found, "files").len(), 1, "{found:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_sold_from_the_moment_they_are_bought() {
    let shop = Shop::open_with(Engine::Sqlite, &shop_file(""), common::gateway::SECRET_KEY).await;
    fs::write(shop.folder.path().join("bad.toml"), shop_file("starts = \"first_validation\"\n")).expect("a file");
    let applied = shop.run(&["apply", "bad.toml"], "");
    let told = "plan desktop: fulfilment = \"download\" needs starts = \"issue\"";
    assert!(applied.code == Some(1) && applied.stderr.contains(told), "{}", applied.stderr);
}
