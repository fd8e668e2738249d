//! A line between two programs that stays whole until it is told to break or to hold: between a node and its
//! database at COMMIT, between a node and its gateway at a call.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What happens when the awaited words come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The line breaks, and the words never arrive.
    CutBefore,
    /// The words arrive and are answered; then the line breaks, and the answer is lost.
    CutAfter,
    /// The words do not arrive until the line is released.
    Hold,
}

/// PostgreSQL's COMMIT, as our engine sends it.
pub const COMMIT: &[u8] = b"commit\0";

struct Armed {
    /// Only a connection that has carried these words before counts; empty: any.
    after: &'static [u8],
    words: &'static [u8],
    nth: u32,
    act: Act,
}

#[derive(Default)]
struct Ears {
    armed: Mutex<Option<Armed>>,
    fired: AtomicBool,
    heard: AtomicU32,
    release: Notify,
}

/// The line. It ends with the test.
#[derive(Clone)]
pub struct Line {
    /// Where it begins: `127.0.0.1:port`.
    pub address: String,
    ears: Arc<Ears>,
}

impl Line {
    /// A line to the server at this `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let ears = Arc::new(Ears::default());
        let (server, listening) = (server.to_owned(), Arc::clone(&ears));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, ears) = (server.clone(), Arc::clone(&listening));
                tokio::spawn(async move {
                    // A server that is gone looks to the client as it is: the line ends.
                    if let Ok(server) = TcpStream::connect(server).await {
                        carry(client, server, &ears).await;
                    }
                });
            }
        });
        Self { address, ears }
    }

    /// At the `nth` time, counted from 1, that these words are sent from now on, this happens, once.
    pub fn arm(&self, words: &'static [u8], nth: u32, act: Act) {
        self.arm_after(&[], words, nth, act);
    }

    /// The same on a connection that has carried other words since the line was armed.
    pub fn arm_after(&self, after: &'static [u8], words: &'static [u8], nth: u32, act: Act) {
        self.ears.fired.store(false, Ordering::SeqCst);
        self.ears.heard.store(0, Ordering::SeqCst);
        *self.ears.armed.lock().expect("the ears") = Some(Armed { after, words, nth, act });
    }

    /// Whether it has happened.
    pub fn has_fired(&self) -> bool {
        self.ears.fired.load(Ordering::SeqCst)
    }

    /// How often the words went by since the line was armed.
    pub fn heard(&self) -> u32 {
        self.ears.heard.load(Ordering::SeqCst)
    }

    /// Lets go what is held.
    pub fn release(&self) {
        self.ears.release.notify_one();
    }
}

impl Ears {
    /// What to do with what a client sent. `is_meant`: this connection has carried what had to come before.
    fn listen(&self, sent: &[u8], is_meant: &mut bool) -> Option<Act> {
        let holds = |words: &[u8]| words.is_empty() || sent.windows(words.len()).any(|window| window == words);
        let mut armed = self.armed.lock().expect("the ears");
        let Armed { after, words, nth, act } = armed.as_ref()?;
        let was_meant = *is_meant;
        *is_meant |= holds(after);
        if !(was_meant || after.is_empty()) || !holds(words) {
            return None;
        }
        let heard = self.heard.fetch_add(1, Ordering::SeqCst) + 1;
        if heard < *nth {
            return None;
        }
        let act = *act;
        *armed = None;
        self.fired.store(true, Ordering::SeqCst);
        Some(act)
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, ears: &Ears) {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let (mut is_last, mut is_meant) = (false, false);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(length @ 1..) = read else { return };
                match ears.listen(&sent[..length], &mut is_meant) {
                    Some(Act::CutBefore) => return,
                    Some(Act::CutAfter) => is_last = true,
                    Some(Act::Hold) => ears.release.notified().await,
                    None => {}
                }
                if server.write_all(&sent[..length]).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if is_last { return }
                if client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}
