#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use domain::{DeliveryId, Email, Rng, Timestamp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::mail::HeaderText;
use crate::mail::tests::{HOSTILE, hostile_mails, plain_mails};

/// How a mail server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Takes,
    TakesOneAMailConnection,
    NoSuchMailbox,
    Greylists,
    RefusesSender,
    RefusesContent,
    BusyAfterContent,
    HangsUpInContent,
    SaysNothing,
    RefusesEverybody,
    WantsPassword { accepts: bool },
    WantsPasswordAtReceiver,
    OffersBrokenEncryption,
    SpeaksUtf8,
}

/// A real SMTP server on a port of its own that keeps what it is told.
struct Sink {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default, Clone)]
struct Heard {
    connections: usize,
    commands: Vec<String>,
    mails: Vec<String>,
}

impl Sink {
    async fn start(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let kept = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                kept.lock().unwrap().connections += 1;
                let heard = Arc::clone(&kept);
                // A client that hangs up ends the conversation; that is no fault of the server.
                tokio::spawn(async move { converse(stream, server, heard).await.unwrap_or_default() });
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    fn mailer(&self) -> SmtpMailer {
        self.mailer_at("", "")
    }

    fn mailer_at(&self, credentials: &str, options: &str) -> SmtpMailer {
        let url = format!("smtp://{credentials}{}{options}", self.address);
        SmtpMailer::from_url(&url).unwrap().with_deadline(Duration::from_secs(20))
    }
}

async fn converse(stream: TcpStream, server: Server, heard: Arc<Mutex<Heard>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    if server == Server::SaysNothing {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        return Ok(());
    }
    let greeting =
        if server == Server::RefusesEverybody { "554 5.3.2 no service here\r\n" } else { "220 mx.example ESMTP\r\n" };
    stream.write_all(greeting.as_bytes()).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().commands.push(line.clone());
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply = match word.as_str() {
            "EHLO" => match server {
                Server::WantsPassword { .. } => "250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n",
                Server::OffersBrokenEncryption => "250-mx.example\r\n250 STARTTLS\r\n",
                Server::SpeaksUtf8 => "250-mx.example\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
                Server::Takes
                | Server::TakesOneAMailConnection
                | Server::NoSuchMailbox
                | Server::Greylists
                | Server::RefusesSender
                | Server::RefusesContent
                | Server::BusyAfterContent
                | Server::HangsUpInContent
                | Server::SaysNothing
                | Server::RefusesEverybody
                | Server::WantsPasswordAtReceiver => "250-mx.example\r\n250 8BITMIME\r\n",
            },
            "AUTH" if server == (Server::WantsPassword { accepts: true }) => "235 2.7.0 welcome\r\n",
            "AUTH" => "535 5.7.8 wrong password\r\n",
            "STARTTLS" => "220 go on\r\n",
            "MAIL" if server == Server::RefusesSender => "553 5.7.1 you are not that sender\r\n",
            "RCPT" if server == Server::NoSuchMailbox => {
                "550-5.1.1 no such user here,\r\n550 5.1.1 check the address\r\n"
            }
            "RCPT" if server == Server::Greylists => "451 4.7.1 greylisted, come back later\r\n",
            "RCPT" if server == Server::WantsPasswordAtReceiver => "530 5.7.0 sign in first\r\n",
            "MAIL" | "RCPT" | "NOOP" | "RSET" => "250 2.0.0 OK\r\n",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "500 5.5.2 what?\r\n",
        };
        stream.write_all(reply.as_bytes()).await?;
        match word.as_str() {
            "QUIT" => return Ok(()),
            "STARTTLS" => {
                // What follows should be encrypted; this server answers it in the clear.
                stream.write_all(b"454 4.7.0 something went wrong\r\n").await?;
                return Ok(());
            }
            "DATA" => {
                let mut mail = String::new();
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).await? == 0 || server == Server::HangsUpInContent {
                        return Ok(());
                    }
                    if line == ".\r\n" {
                        break;
                    }
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                heard.lock().unwrap().mails.push(mail);
                let reply = if server == Server::RefusesContent {
                    "554 5.7.1 looks like spam\r\n"
                } else if server == Server::BusyAfterContent {
                    "452 4.3.1 no space left\r\n"
                } else {
                    "250 2.0.0 taken\r\n"
                };
                stream.write_all(reply.as_bytes()).await?;
                if server == Server::TakesOneAMailConnection {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
}

fn delivery(seed: u8, milliseconds: i64) -> DeliveryId {
    DeliveryId::mint(
        Timestamp::from_microseconds(1_795_492_200_000_000 + milliseconds * 1_000),
        &mut Rng::from_seed([seed; 32]),
    )
}

fn a_mail() -> Mail {
    plain_mails().remove(0)
}

/// The header fields of a mail as received, unfolded.
fn headers(raw: &str) -> Vec<String> {
    let (head, _) = raw.split_once("\r\n\r\n").unwrap();
    let mut fields: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
            Some(_) | None => fields.push(line.to_owned()),
        }
    }
    fields
}

fn header_names(raw: &str) -> Vec<String> {
    headers(raw).iter().map(|field| field.split(':').next().unwrap().to_owned()).collect()
}

/// The text of the part with this type, decoded.
fn part(raw: &str, media_type: &str) -> String {
    let boundary = raw.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let wanted =
        raw.split(&format!("--{boundary}")).find(|part| part.contains(&format!("Content-Type: {media_type}"))).unwrap();
    let (head, body) = wanted.split_once("\r\n\r\n").unwrap();
    let bytes = if head.contains("base64") {
        BASE64.decode(body.replace("\r\n", "").as_bytes()).unwrap()
    } else if head.contains("quoted-printable") {
        let joined = body.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            if *first == b'=' {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
                rest = &after[2..];
            } else {
                bytes.push(*first);
                rest = after;
            }
        }
        bytes
    } else {
        body.as_bytes().to_vec()
    };
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n").trim_end().to_owned()
}

#[tokio::test]
async fn what_the_mail_server_says_decides_whether_the_mail_is_tried_again() {
    #[rustfmt::skip]
    let table = [
        (Server::Takes,                   "taken"),
        (Server::NoSuchMailbox,           "refused (550): 550 5.1.1 no such user here, check the address"),
        (Server::RefusesContent,          "refused (554): 554 5.7.1 looks like spam"),
        (Server::Greylists,               "not taken yet: 451 4.7.1 greylisted, come back later"),
        (Server::BusyAfterContent,        "not taken yet: 452 4.3.1 no space left"),
        (Server::RefusesSender,           "not taken yet: our sender address is not taken: 553 5.7.1 you are not that sender"),
        (Server::WantsPasswordAtReceiver, "not taken yet: 530 5.7.0 sign in first"),
        (Server::HangsUpInContent,        "not taken yet: "),
        (Server::RefusesEverybody,        "not taken yet: smtp://ADDRESS: 554 5.3.2 no service here"),
        (Server::OffersBrokenEncryption,  "not taken yet: smtp://ADDRESS: "),
    ];
    for (server, expected) in table {
        let sink = Sink::start(server).await;
        let outcome =
            sink.mailer().send(a_mail()).await.map_or_else(|error| error.to_string(), |()| "taken".to_owned());
        let expected = expected.replace("ADDRESS", &sink.address.to_string());
        assert!(outcome.starts_with(&expected), "{server:?}: {outcome}");
        assert_eq!(outcome == "taken", server == Server::Takes);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_asked_later() {
    let sink = Sink::start(Server::SaysNothing).await;
    let mailer = sink.mailer().with_deadline(Duration::from_millis(50));
    let error = mailer.send(a_mail()).await.unwrap_err();
    assert_eq!(error, MailError::Later { message: format!("smtp://{} did not finish within 50ms", sink.address) });
}

#[tokio::test]
async fn a_server_that_is_not_there_is_asked_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = SmtpMailer::from_url(&format!("smtp://{address}")).unwrap().send(a_mail()).await.unwrap_err();
    assert!(matches!(error, MailError::Later { .. }), "{error}");
}

#[tokio::test]
async fn the_headers_are_exactly_these() {
    let sink = Sink::start(Server::Takes).await;
    let mail = Mail { from_name: HeaderText::new("Lumen Straße"), ..a_mail() };
    let id = mail.delivery;
    sink.mailer().send(mail).await.unwrap();
    let heard = sink.heard();
    let expected = format!(
        "Message-ID: <{id}@lumen.example>
Date: Tue, 24 Nov 2026 03:50:00 +0000
From: =?utf-8?b?THVtZW4gU3RyYcOfZQ==?= <shop@lumen.example>
To: ada@buyer.example
Subject: Your order K7QM-2X9P at Lumen
Content-Language: en
Auto-Submitted: auto-generated
Reply-To: help@lumen.example
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=\"=_{id}\""
    );
    assert_eq!(headers(&heard.mails[0]).join("\n"), expected);
    assert_eq!(heard.commands[1..], ["MAIL FROM:<shop@lumen.example>", "RCPT TO:<ada@buyer.example>", "DATA"]);
}

#[tokio::test]
async fn what_arrives_is_what_was_written() {
    let sink = Sink::start(Server::Takes).await;
    let mailer = sink.mailer();
    let mut mails = plain_mails();
    let dots = Mail { text: ".\n..\n.hidden\n\nFrom here\n".to_owned() + &"long ".repeat(1_000), ..a_mail() };
    mails.push(dots);
    for mail in &mails {
        mailer.send(mail.clone()).await.unwrap();
    }
    let heard = sink.heard();
    assert_eq!(heard.connections, 1, "one conversation carries them all");
    for (mail, raw) in mails.iter().zip(&heard.mails) {
        assert_eq!(part(raw, "text/plain"), mail.text.trim_end());
        assert_eq!(part(raw, "text/html"), mail.html.trim_end());
        assert!(raw.is_ascii());
        assert!(
            raw.split("\r\n").all(|line| line.len() <= 998 && !line.contains('\n')),
            "a line longer than mail allows"
        );
    }
}

#[tokio::test]
async fn no_text_adds_a_header_a_part_or_a_command() {
    let sink = Sink::start(Server::Takes).await;
    let mailer = sink.mailer();
    for mail in plain_mails() {
        mailer.send(mail).await.unwrap();
    }
    let plain = sink.heard();
    // An address that is none is no Reply-To, so that one may be missing.
    let names = |raw: &String| header_names(raw).into_iter().filter(|name| name != "Reply-To").collect::<Vec<_>>();
    let boundaries = |raw: &String| raw.matches("\r\n--=_dlv_").count();
    for text in HOSTILE {
        let sink = Sink::start(Server::Takes).await;
        let mailer = sink.mailer();
        for mail in hostile_mails(text) {
            mailer.send(mail).await.unwrap();
        }
        let heard = sink.heard();
        assert_eq!(heard.commands, plain.commands, "{text:?}");
        assert_eq!(
            heard.mails.iter().map(names).collect::<Vec<_>>(),
            plain.mails.iter().map(names).collect::<Vec<_>>(),
            "{text:?}"
        );
        assert!(heard.mails.iter().all(|raw| boundaries(raw) == 3), "{text:?}");
        assert!(
            heard.mails.iter().all(|raw| !headers(raw).iter().any(|field| field.contains(['\0', '\r', '\n']))),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let sink = Sink::start(Server::TakesOneAMailConnection).await;
    let mailer = sink.mailer();
    let mails = plain_mails();
    let count = mails.len();
    for mail in mails {
        mailer.send(mail).await.unwrap();
    }
    let heard = sink.heard();
    assert_eq!((heard.mails.len(), heard.connections), (count, count));
}

#[tokio::test]
async fn a_password_goes_only_where_it_cannot_be_read_on_the_way() {
    let sink = Sink::start(Server::WantsPassword { accepts: true }).await;
    let error = sink.mailer_at("user:p%40ss@", "").send(a_mail()).await.unwrap_err();
    assert_eq!(
        error,
        MailError::Later {
            message: format!("smtp://{} offers no encryption (STARTTLS), and it is required", sink.address)
        }
    );
    assert!(
        sink.heard().commands.iter().all(|command| command.starts_with("EHLO") || command == "QUIT"),
        "{:?}",
        sink.heard().commands
    );

    sink.mailer_at("user:p%40ss@", "?tls=off").send(a_mail()).await.unwrap();
    let signed_in = format!("AUTH PLAIN {}", BASE64.encode(b"\0user\0p@ss"));
    assert!(sink.heard().commands.contains(&signed_in), "{:?}", sink.heard().commands);
}

#[tokio::test]
async fn nothing_is_said_in_the_clear_when_encryption_breaks() {
    let sink = Sink::start(Server::OffersBrokenEncryption).await;
    sink.mailer_at("user:pass@", "").send(a_mail()).await.unwrap_err();
    assert_eq!(sink.heard().commands[1..], ["STARTTLS"]);
}

#[tokio::test]
async fn a_wrong_password_costs_no_mail() {
    let sink = Sink::start(Server::WantsPassword { accepts: false }).await;
    let mailer = sink.mailer_at("user:secret-word@", "?tls=off");
    let sent = mailer.send(a_mail()).await.unwrap_err();
    let checked = mailer.check().await.unwrap_err();
    for error in [sent, checked] {
        assert_eq!(error, MailError::Later { message: format!("smtp://{}: 535 5.7.8 wrong password", sink.address) });
    }
}

#[tokio::test]
async fn a_check_signs_in_and_sends_nothing() {
    let sink = Sink::start(Server::Takes).await;
    sink.mailer().check().await.unwrap();
    assert!(sink.heard().mails.is_empty());
    assert_eq!(sink.heard().commands[1..], ["QUIT"]);
}

#[tokio::test]
async fn addresses_in_every_script_go_as_the_server_can_take_them() {
    #[rustfmt::skip]
    let table = [
        (Server::Takes,      "ada@bücher.example", Ok("RCPT TO:<ada@xn--bcher-kva.example>")),
        (Server::SpeaksUtf8, "ådå@bücher.example", Ok("RCPT TO:<ådå@xn--bcher-kva.example>")),
        (Server::Takes,      "ådå@bücher.example", Err("smtputf8")),
    ];
    for (server, address, expected) in table {
        let sink = Sink::start(server).await;
        let outcome = sink.mailer().send(Mail { to: Email::parse(address).unwrap(), ..a_mail() }).await;
        match expected {
            Ok(command) => {
                outcome.unwrap();
                assert!(sink.heard().commands.iter().any(|heard| heard == command), "{:?}", sink.heard().commands);
            }
            Err(expected) => assert!(
                matches!(&outcome, Err(MailError::Refused { code, .. }) if code == expected),
                "{address}: {outcome:?}"
            ),
        }
    }
}

#[test]
fn an_address_of_a_mail_server_is_read_or_its_fault_named() {
    #[rustfmt::skip]
    let table = [
        ("smtp://mail.example",                       Ok("smtp://mail.example:587")),
        ("smtps://user:pass@mail.example",            Ok("smtps://mail.example:465")),
        ("smtp://user:pass@[::1]:2525/?tls=required", Ok("smtp://[::1]:2525")),
        ("smtp://mail.example?tls=maybe",             Err(SmtpUrlError::UnknownOption("tls=maybe".to_owned()))),
        ("smtps://mail.example?tls=off",              Err(SmtpUrlError::UnknownOption("tls=off".to_owned()))),
        ("https://mail.example",                      Err(SmtpUrlError::UnknownScheme("https".to_owned()))),
        ("mail.example:25",                           Err(SmtpUrlError::UnknownScheme("mail.example".to_owned()))),
        ("smtp://mail.example/inbox",                 Err(SmtpUrlError::HasPath)),
        ("smtp:mail",                                 Err(SmtpUrlError::NoHost)),
        ("mail server",                               Err(SmtpUrlError::Malformed)),
    ];
    for (url, expected) in table {
        assert_eq!(
            SmtpMailer::from_url(url).map(|mailer| mailer.name().to_owned()),
            expected.map(str::to_owned),
            "{url}"
        );
    }
}

#[test]
fn a_password_is_never_shown() {
    let mailer = SmtpMailer::from_url("smtp://user:secret-word@mail.example").unwrap();
    assert!(!format!("{mailer:?} {}", mailer.name()).contains("secret-word"));
    for broken in [
        "smtp://user:secret-word@mail.example/inbox",
        "smtp://user:secret-word@",
        "smtp://user:secret-word@mail.example?tls=x",
        "smtp://user:secret-word@mail example",
    ] {
        let error = SmtpMailer::from_url(broken).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret-word"), "{error:?}");
    }
}

/// A directory of its own, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("latchkey-mailbox-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_mailbox_lists_the_newest_first_and_a_mail_sent_twice_once() {
    let folder = Folder::new("newest");
    let mailbox = Mailbox::open(&folder.0).unwrap();
    let mails: Vec<Mail> =
        [(1, 0), (2, 5), (3, 9)].map(|(seed, at)| Mail { delivery: delivery(seed, at), ..a_mail() }).to_vec();
    for mail in [&mails[1], &mails[0], &mails[2], &mails[1]] {
        mailbox.send(mail.clone()).await.unwrap();
    }
    let again = Mailbox::open(&folder.0).unwrap();
    assert_eq!(again.newest(10).await.unwrap(), vec![mails[2].clone(), mails[1].clone(), mails[0].clone()]);
    assert_eq!(again.newest(1).await.unwrap(), vec![mails[2].clone()]);
    assert_eq!(again.find(mails[0].delivery).await.unwrap().as_ref(), Some(&mails[0]));
    assert_eq!(again.find(delivery(9, 9)).await.unwrap(), None);
    let raw = String::from_utf8(again.raw(mails[0].delivery).await.unwrap().unwrap()).unwrap();
    assert_eq!(part(&raw, "text/plain"), mails[0].text.trim_end());
    assert_eq!(again.raw(delivery(9, 9)).await.unwrap(), None);
}

#[tokio::test]
async fn the_mailbox_leaves_out_what_is_not_a_mail() {
    let folder = Folder::new("broken");
    let mailbox = Mailbox::open(&folder.0).unwrap();
    let mail = a_mail();
    mailbox.send(mail.clone()).await.unwrap();
    let inside = folder.0.join("mailbox");
    fs::write(inside.join(format!("{}.json", delivery(4, 4))), "{ half a").unwrap();
    fs::write(inside.join(format!("{}.json.unfinished", delivery(5, 5))), "{").unwrap();
    fs::write(inside.join("notes.json"), "{}").unwrap();
    assert_eq!(mailbox.newest(10).await.unwrap(), vec![mail]);
}

#[tokio::test]
async fn the_same_mail_sent_from_everywhere_at_once_is_one_whole_mail() {
    let folder = Folder::new("parallel");
    let mailbox = Mailbox::open(&folder.0).unwrap();
    let sends = (0..16).map(|_| mailbox.send(a_mail()));
    for sent in futures::future::join_all(sends).await {
        sent.unwrap();
    }
    assert_eq!(mailbox.newest(10).await.unwrap(), vec![a_mail()]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_reads_the_mailbox() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("private");
    Mailbox::open(&folder.0).unwrap();
    assert_eq!(fs::metadata(folder.0.join("mailbox")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_written_is_tried_later() {
    let folder = Folder::new("gone");
    let mailbox = Mailbox::open(&folder.0).unwrap();
    fs::remove_dir_all(folder.0.join("mailbox")).unwrap();
    let error = mailbox.send(a_mail()).await.unwrap_err();
    assert!(matches!(error, MailError::Later { .. }), "{error}");
}

/// As Postfix writes it.
const POSTFIX: &str = "Return-Path: <>
Date: Tue, 24 Nov 2026 04:00:01 +0000 (UTC)
From: MAILER-DAEMON@mx.lumen.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: shop@lumen.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary=\"4Xyz.1795492801/mx.lumen.example\"
Message-Id: <20261124040001.4Xyz@mx.lumen.example>

This is a MIME-encapsulated message.

--4Xyz.1795492801/mx.lumen.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.lumen.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

--4Xyz.1795492801/mx.lumen.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lumen.example
X-Postfix-Queue-ID: 4Xyz
X-Postfix-Sender: rfc822; shop@lumen.example
Arrival-Date: Tue, 24 Nov 2026 03:50:01 +0000 (UTC)

Final-Recipient: rfc822; ada@buyer.example
Original-Recipient: rfc822;ada@buyer.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.buyer.example
Diagnostic-Code: smtp; 550 5.1.1 <ada@buyer.example>: Recipient address
    rejected: User unknown in virtual mailbox table

--4Xyz.1795492801/mx.lumen.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <shop@lumen.example>
Message-ID: <DELIVERY@lumen.example>
From: Lumen <shop@lumen.example>
To: ada@buyer.example
Subject: Your order K7QM-2X9P at Lumen

Thank you

--4Xyz.1795492801/mx.lumen.example--
";

/// As a large mail provider writes it: only the headers come back, and the delay is told first.
const DELAYED: &str = "From: Mail Delivery Subsystem <mailer-daemon@provider.example>
To: shop@lumen.example
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Delay)
References: <DELIVERY@lumen.example>
In-Reply-To: <DELIVERY@lumen.example>
Content-Type: multipart/report; boundary=\"0000000000001f2e3d\"; report-type=delivery-status

--0000000000001f2e3d
Content-Type: multipart/related; boundary=\"00000000000011aa\"

--00000000000011aa
Content-Type: text/plain; charset=\"UTF-8\"

** Delivery incomplete **

--00000000000011aa--
--0000000000001f2e3d
Content-Type: message/delivery-status

Reporting-MTA: dns; provider.example
Arrival-Date: Tue, 24 Nov 2026 03:50:01 -0800 (PST)
X-Original-Message-ID: <DELIVERY@lumen.example>

Final-Recipient: rfc822; ada@buyer.example
Action: delayed
Status: 4.4.1
Diagnostic-Code: smtp; The recipient server did not accept our requests to connect.
Last-Attempt-Date: Tue, 24 Nov 2026 19:50:01 -0800 (PST)
Will-Retry-Until: Fri, 27 Nov 2026 03:50:01 -0800 (PST)

--0000000000001f2e3d
Content-Type: text/rfc822-headers

Received: from mx.lumen.example
From: Lumen <shop@lumen.example>
To: ada@buyer.example
Message-ID:
 <DELIVERY@lumen.example>

--0000000000001f2e3d--
";

/// As an office mail system writes it: unquoted boundary, several receivers, the envelope id in place of the mail.
const OFFICE: &str = "From: postmaster@buyer.example
To: shop@lumen.example
MIME-Version: 1.0
content-type: Multipart/Report; report-type=delivery-status; BOUNDARY=b1_office
Subject: Undeliverable: Your order

--b1_office
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGh0bWw+PC9odG1sPg==

--b1_office
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.buyer.example
Original-Envelope-Id: DELIVERY

Final-Recipient: rfc822;archive@buyer.example
Action: relayed
Status: 2.0.0

Final-Recipient: rfc822;ada@buyer.example
Action: Failed
Status: 5.2.2 (mailbox full)
Diagnostic-Code: smtp;554 5.2.2 mailbox full

--b1_office--
";

#[test]
fn a_bounce_names_its_delivery_and_whether_it_is_for_good() {
    let id = delivery(1, 0);
    let bounce = |status: &str, permanent| Some(Bounce { delivery: id, status: status.to_owned(), permanent });
    let ours = id.to_string();
    #[rustfmt::skip]
    let table = [
        ("Postfix",                     POSTFIX.to_owned(),                                             bounce("5.1.1", true)),
        ("delayed",                     DELAYED.to_owned(),                                             bounce("4.4.1", false)),
        ("office",                      OFFICE.to_owned(),                                              bounce("5.2.2", true)),
        ("gave up after delays",        POSTFIX.replace("Status: 5.1.1", "Status: 4.4.7"),              bounce("4.4.7", false)),
        ("the id in capitals",          POSTFIX.replace("DELIVERY", &ours.to_ascii_uppercase()),        bounce("5.1.1", true)),
        ("cut off before the end",      POSTFIX.split("Thank you").next().unwrap().to_owned(),          bounce("5.1.1", true)),
        ("forwarded in another mail",   format!("Content-Type: multipart/mixed; boundary=out\n\n--out\n{POSTFIX}\n--out--\n"), bounce("5.1.1", true)),
        ("delivered",                   POSTFIX.replace("Action: failed", "Action: delivered"),         None),
        ("somebody else's mail",        POSTFIX.replace("DELIVERY", "20261124.1234"),                   None),
        ("no status",                   POSTFIX.replace("Status: 5.1.1\n", ""),                         None),
        ("a status that is none",       POSTFIX.replace("5.1.1\nRemote", "5.one\nRemote"),              None),
        ("an absence note",             "Subject: away\nIn-Reply-To: <DELIVERY@lumen.example>\n\nI am away.".to_owned(), None),
        ("nothing",                     String::new(),                                                  None),
    ];
    for (what, raw, expected) in table {
        let raw = raw.replace("DELIVERY", &ours);
        assert_eq!(parse_bounce(raw.as_bytes()), expected, "{what}");
        assert_eq!(parse_bounce(raw.replace('\n', "\r\n").as_bytes()), expected, "{what}, with CR LF");
    }
}

#[test]
fn no_bytes_make_the_reading_of_a_bounce_fail() {
    let sample = POSTFIX.replace("DELIVERY", &delivery(1, 0).to_string());
    for end in 0..sample.len() {
        let _ = parse_bounce(&sample.as_bytes()[..end]);
    }
    let mut rng = Rng::from_seed([3; 32]);
    for _ in 0..500 {
        let mut bytes = sample.clone().into_bytes();
        for _ in 0..8 {
            let chance = rng.bytes::<3>();
            let at = (usize::from(chance[0]) << 8 | usize::from(chance[1])) % bytes.len();
            bytes[at] = chance[2];
        }
        let _ = parse_bounce(&bytes);
    }
    let nested: String = (0..20_000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}x\n\n--b{level}x\n"))
        .collect();
    assert_eq!(parse_bounce(nested.as_bytes()), None);
}
