//! The client: asks the shop, keeps what was answered, and tells how the license stands.
//!
//! Relies on the state machine for every decision. One client speaks for one license on one device; two programs
//! that share a place to keep things must take turns.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use latchkey_license::KeySet;

use crate::answer::{Call, Reply, Request};
use crate::kept::Kept;
use crate::lease::{Settings, look, request, settle, typed, wants_keys};
use crate::offline;
use crate::outcome::{Outcome, State};

/// What sends a request and waits for its answer.
pub trait Transport {
    /// Sends it. Never fails: that nothing came back is a reply too.
    fn send(&mut self, request: &Request) -> Reply;
}

/// A place to keep one text between two runs, where only the user reads it.
pub trait Storage {
    /// What was written last; `None` if nothing ever was.
    ///
    /// # Errors
    /// When the place cannot be read.
    fn read(&mut self) -> io::Result<Option<String>>;

    /// Replaces it as a whole.
    ///
    /// # Errors
    /// When it could not be written; what was there before is still there.
    fn write(&mut self, text: &str) -> io::Result<()>;
}

/// The license of this program on this device. Every call fails only when the storage does.
pub struct Client<T, S> {
    settings: Settings,
    transport: T,
    storage: S,
    kept: Kept,
    clock: Clock,
    chance: Chance,
}

/// Tells the time, in seconds since 1970.
type Clock = Box<dyn Fn() -> i64 + Send>;

/// Gives bytes that nobody predicts.
type Chance = Box<dyn FnMut() -> [u8; 16] + Send>;

impl<T: Transport, S: Storage> Client<T, S> {
    /// Reads what was kept. Asks nobody.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn open(settings: Settings, transport: T, mut storage: S) -> io::Result<Self> {
        let kept = storage.read()?.map_or_else(Kept::default, |text| Kept::from_text(&text));
        let (clock, chance) = (Box::new(system_seconds), Box::new(system_bytes));
        Ok(Self { settings, transport, storage, kept, clock, chance })
    }

    /// The same with another clock, in seconds since 1970.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> i64 + Send + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// The same with another source of chance, for the nonces of requests.
    #[must_use]
    pub fn with_chance(self, chance: impl FnMut() -> [u8; 16] + Send + 'static) -> Self {
        Self { chance: Box::new(chance), ..self }
    }

    /// What is kept.
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// How the license stands by what is kept, without asking.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn status(&mut self) -> io::Result<Outcome> {
        let (kept, outcome) = look(&self.settings, self.kept.clone(), (self.clock)());
        self.keep(kept)?;
        Ok(outcome)
    }

    /// How the license stands, asking the shop only when that is due. To be called at the start of the program,
    /// and from time to time.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn refresh(&mut self) -> io::Result<Outcome> {
        let outcome = self.status()?;
        match outcome.state {
            State::Valid => Ok(outcome),
            State::Grace | State::Refused | State::Undetermined | State::Released => self.validate(),
        }
    }

    /// Takes a seat for this device. Repeated, it comes to the same seat.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn activate(&mut self, key: &str, device_name: Option<&str>) -> io::Result<Outcome> {
        let key = match typed(&self.settings, key) {
            Ok(key) => key,
            Err(slip) => return Ok(*slip),
        };
        match self.ask(Call::Inquire, &key, None)? {
            Some(outcome) => Ok(outcome),
            None => self.settled(Call::Activate, &key, device_name),
        }
    }

    /// Asks whether the license works on this device, and renews the certificate.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn validate(&mut self) -> io::Result<Outcome> {
        self.with_key(Call::Validate)
    }

    /// Tells the shop that this device is alive, and renews the certificate.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn heartbeat(&mut self) -> io::Result<Outcome> {
        self.with_key(Call::Heartbeat)
    }

    /// Gives the seat back. When the shop cannot be reached, the seat stays taken and the license stays.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn deactivate(&mut self) -> io::Result<Outcome> {
        self.with_key(Call::Deactivate)
    }

    /// Asks for a seat without a network: the outcome has a `request` that a person carries to the shop. Asked again it
    /// is the same request, until a license file was installed.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn request_activation(&mut self, key: &str, device_name: Option<&str>) -> io::Result<Outcome> {
        let (now, nonce) = ((self.clock)(), (self.chance)());
        let (kept, outcome) =
            offline::request_activation(&self.settings, self.kept.clone(), key, device_name, nonce, now);
        self.keep(kept)?;
        Ok(outcome)
    }

    /// Gives the seat back without a network: the license ends here, and the outcome has a `request` that a person
    /// carries to the shop, which frees the seat. Asked again it is the same request.
    ///
    /// # Errors
    /// When the storage cannot be written; the license stands then.
    pub fn request_release(&mut self) -> io::Result<Outcome> {
        let (now, nonce) = ((self.clock)(), (self.chance)());
        let (kept, outcome) = offline::request_release(&self.settings, self.kept.clone(), nonce, now);
        self.keep(kept)?;
        Ok(outcome)
    }

    /// Takes a license file that a person brought, or the text of its QR code. Asks nobody, but for the shop's keys
    /// where none that it knows signed the file.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn install(&mut self, file: &str) -> io::Result<Outcome> {
        let mut kept = self.kept.clone();
        if offline::wants_keys(&self.settings, &kept, file) {
            kept.keys = self.fetch_keys().or(kept.keys);
        }
        let (kept, outcome) = offline::install(&self.settings, kept, file, (self.clock)());
        self.keep(kept)?;
        Ok(outcome)
    }

    /// Takes a revocation list that came from wherever, and refuses the license if the list names it. Asks nobody.
    ///
    /// # Errors
    /// When the storage cannot be written.
    pub fn check_revocations(&mut self, list: &str) -> io::Result<Outcome> {
        let (kept, outcome) = offline::check_revocations(&self.settings, self.kept.clone(), list, (self.clock)());
        self.keep(kept)?;
        Ok(outcome)
    }

    fn with_key(&mut self, call: Call) -> io::Result<Outcome> {
        match self.kept.key.clone() {
            Some(key) => self.settled(call, &key, None),
            None => self.status(),
        }
    }

    fn settled(&mut self, call: Call, key: &str, device_name: Option<&str>) -> io::Result<Outcome> {
        match self.ask(call, key, device_name)? {
            Some(outcome) => Ok(outcome),
            None => self.status(),
        }
    }

    fn ask(&mut self, call: Call, key: &str, device_name: Option<&str>) -> io::Result<Option<Outcome>> {
        let reply = self.transport.send(&request(call, &self.settings, key, device_name));
        let mut kept = self.kept.clone();
        if wants_keys(call, &self.settings, &kept, &reply) {
            kept.keys = self.fetch_keys().or(kept.keys);
        }
        let (kept, outcome) = settle(call, &self.settings, kept, key, (self.clock)(), &reply);
        self.keep(kept)?;
        Ok(outcome)
    }

    fn fetch_keys(&mut self) -> Option<KeySet> {
        let url = format!("{}/.well-known/jwks.json", self.settings.shop_url);
        match self.transport.send(&Request { url, body: None, language: self.settings.language.as_str() }) {
            Reply::Answer { status: 200, body } => KeySet::parse(&body).ok(),
            Reply::Answer { .. } | Reply::Timeout | Reply::Network => None,
        }
    }

    fn keep(&mut self, kept: Kept) -> io::Result<()> {
        if kept != self.kept {
            self.storage.write(&kept.to_text())?;
            self.kept = kept;
        }
        Ok(())
    }
}

impl<T, S> std::fmt::Debug for Client<T, S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("product", &self.settings.product).finish_non_exhaustive()
    }
}

fn system_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The seeds of hash maps come from the system, and are all that the standard library gives of its chance.
fn system_bytes() -> [u8; 16] {
    let word = || RandomState::new().build_hasher().finish();
    (u128::from(word()) << 64 | u128::from(word())).to_be_bytes()
}
