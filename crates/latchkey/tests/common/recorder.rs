//! A server of our own that writes down what it is sent: a collector of traces, a gateway that says little, or a
//! seller's program.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// 200 and an empty object.
    Polite,
    /// What a buyer gets: a text that is made of the id of the message.
    Fulfilling,
    /// Nothing, for as long as it is waited for.
    Silent,
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub head: String,
    pub body: String,
}

impl Recorded {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The server. It ends with the test.
pub struct Recorder {
    pub url: String,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorder {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, manner, Arc::clone(&kept)));
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().expect("the requests").clone()
    }
}

async fn answer(mut stream: TcpStream, manner: Manner, requests: Arc<Mutex<Vec<Recorded>>>) {
    let mut bytes = Vec::new();
    loop {
        while let Some(request) = whole(&mut bytes) {
            let body = match manner {
                Manner::Polite => "{}".to_owned(),
                Manner::Fulfilling => {
                    format!("{{\"content\":\"made for {}\"}}", request.header("webhook-id").unwrap_or_default())
                }
                Manner::Silent => String::new(),
            };
            requests.lock().expect("the requests").push(request);
            if manner == Manner::Silent {
                std::future::pending::<()>().await;
            }
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
            if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                return;
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Takes a request out of the bytes when all of it is there.
fn whole(bytes: &mut Vec<u8>) -> Option<Recorded> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let mut request = Recorded { head: String::from_utf8_lossy(&bytes[..end]).into_owned(), body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    if bytes.len() < end + length {
        return None;
    }
    request.body = String::from_utf8_lossy(&bytes[end..end + length]).into_owned();
    bytes.drain(..end + length);
    Some(request)
}
