//! Shadow mode with the real binary: what an old system says otherwise is listed for scripts, also when the server is
//! told to stop right after its last answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use common::shop::{Engine, SHOP_FILE, Shop};
use serde_json::json;

/// An old system that says of every license that it works.
fn old_system() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = told.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\
                connection: close\r\n\r\n{\"valid\":true}";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_wait_for_a_list_without_differences() {
    let base = old_system();
    let compat = format!("[shop.compat.shadow]\ndodo = \"{base}\"\n\n[[product]]");
    let mut shop =
        Shop::open_with(Engine::Sqlite, &SHOP_FILE.replacen("[[product]]", &compat, 1), common::gateway::SECRET_KEY)
            .await;
    let unasked = shop.run(&["shadow", "list"], "").result();
    assert_eq!(unasked["systems"][0]["since"], json!(null), "{unasked}");
    let asked = json!({ "license_key": "a-key-that-only-they-know" });
    let url = format!("{}/compat/dodo/licenses/validate", shop.url);
    let told = shop.http.post_json(&url, &[], &asked).await.unwrap();
    assert_eq!((told.status, told.body.as_str()), (200, "{\"valid\":true}"));
    assert_eq!(shop.server.terminate(), Some(0));
    let listed = shop.run(&["shadow", "list", "--system", "dodo"], "");
    let data = listed.only_object();
    assert_eq!(listed.code, Some(1), "{data}");
    let found = &data["differences"][0];
    assert_eq!(
        [&found["call"], &found["pointer"], &found["ours"], &found["theirs"], &found["times"]],
        [&json!("POST /licenses/validate"), &json!("/valid"), &json!("false"), &json!("true"), &json!(1)]
    );
    assert_eq!(data["systems"][0]["different"], 1);
    assert!(!listed.stdout.contains("only-they"), "{}", listed.stdout);
    assert_eq!(shop.run(&["shadow", "list", "--except", "/valid"], "").code, Some(0));
    assert_eq!(shop.run(&["shadow", "list", "--system", "polar"], "").code, Some(0));
    assert_eq!(shop.run(&["shadow", "clear"], "").code, Some(0));
    assert_eq!(shop.run(&["shadow", "list"], "").result()["differences"], json!([]));
}
