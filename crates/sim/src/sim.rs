//! One run: a shop, its nodes, everybody who wants something of it, and the order in which it all happens.
//!
//! First trouble: everything in the mix goes wrong, and after every step the
//! laws are asked about. When nobody wants anything any more the faults stop,
//! and everything must come to rest: settled, or parked with a reason.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use app::{App, Catalog, Clock, Entropy, Http, Mailer, NewShop, Settings};
use domain::{Duration, Email, GatewayAccountId, Mode, OrderId, PlanId, PoolId, Seller, Shop, ShopId};
use serde_json::json;
use store::sqlite::{Sqlite, SqliteOptions};
use store::{Access, Store, Vault};

use crate::auditor::Auditor;
use crate::chance;
use crate::engine::Unreliable;
use crate::executor::{Executor, Task};
use crate::gateway::{Gateway, KEY, Line, SECRET, URL};
use crate::groups::Groupbook;
use crate::hands::Handbook;
use crate::post::{PostOffice, Postbox};
use crate::scratch::Scratch;
use crate::signed::Textbook;
use crate::stock::{self, Stockbook};
use crate::support::Replaced;
use crate::universe::{Universe, at_once, hold};
use crate::{assortment, buyer, carrier, seller, worker};

/// The key that seals what is stored in a run.
const MASTER_KEY: [u8; 32] = [42; 32];
/// No run takes more steps: something goes in a circle.
const MOST_STEPS: u64 = 3_000_000;
/// How long after the last fault everything must have come to rest, in microseconds.
const PATIENCE: i64 = 90 * DAY;
/// How long nothing may happen any more, once everything has come to rest.
const QUIET: i64 = 20 * DAY;
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The node that was asked is down, or went down before it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Down;

/// What a buyer has come to know.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) order: OrderId,
    /// Whether the gateway's page told them that they had paid.
    pub(crate) paid_on_page: bool,
}

/// Everything that a run consists of.
pub(crate) struct Sim {
    pub(crate) universe: Arc<Universe>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) office: Arc<PostOffice>,
    /// The rows as they are, past every fault.
    pub(crate) rows: Store,
    pub(crate) shop: Shop,
    pub(crate) account: GatewayAccountId,
    /// The plans, each as often as buyers take it.
    pub(crate) plans: Vec<PlanId>,
    /// The stock of codes.
    pub(crate) pool: PoolId,
    /// Keys that were replaced: the old one, its license, and whether the owner was to be told of the new one.
    pub(crate) replaced: RefCell<Vec<Replaced>>,
    /// The plan whose keys are signed.
    pub(crate) signed_plan: PlanId,
    /// Every text that was signed.
    pub(crate) texts: RefCell<Textbook>,
    /// What people have decided of licenses by hand.
    pub(crate) hands: RefCell<Handbook>,
    /// What has been seen of groups.
    pub(crate) groups: RefCell<Groupbook>,
    /// What people have seen of the codes.
    pub(crate) stockbook: RefCell<Stockbook>,
    /// By how much the clocks of two who look at the same moment may be apart from the true time.
    pub(crate) skew: Duration,
    pub(crate) seen: RefCell<Vec<Seen>>,
    inner: Arc<Sqlite>,
    vault: Arc<Vault>,
    entropy: Entropy,
    spawned: RefCell<Vec<Task>>,
    nodes: RefCell<Vec<Option<Arc<App>>>>,
    /// People and devices that still want something.
    wanting: Cell<usize>,
    /// Whether the faults have stopped.
    calm: Cell<bool>,
    /// Whether there are codes for everybody in the end.
    suffices: bool,
}

impl Sim {
    /// Opens a shop in an empty database.
    fn open(seed: u64, universe: &Arc<Universe>, scratch: &Scratch) -> Result<Rc<Self>, String> {
        let told = |error: &dyn std::fmt::Display| format!("the shop cannot be opened: {error}");
        let options = SqliteOptions { readers: 1, lookups: 1, access: Access::Alone, ..SqliteOptions::default() };
        let inner = Arc::new(Sqlite::open(&scratch.database(), options).map_err(|error| told(&error))?);
        let vault = Arc::new(Vault::from_master_key(MASTER_KEY).map_err(|error| told(&error))?);
        let rows = Store::new(inner.clone(), Arc::clone(&vault));
        let gateway = Arc::new(Gateway::new(seed, universe));
        let office = Arc::new(PostOffice::default());
        let entropy = Entropy::seeded(chance::bytes(seed, 1));
        // The shop is opened on a quiet day: its own faultless doors, and the same rows afterwards.
        let quiet = Arc::new(Universe::quiet(universe.now()));
        let line = Line { gateway: Arc::clone(&gateway), universe: Arc::clone(&quiet), node: 0 };
        let post = Postbox {
            office: Arc::clone(&office),
            universe: Arc::clone(&quiet),
            node: 0,
            rows: rows.clone(),
            shop: ShopId::mint(universe.timestamp(), &mut entropy.rng()),
        };
        let (shop, account, assorted) = at_once(async {
            let app = App::start(
                rows.clone(),
                Arc::new(line) as Arc<dyn Http>,
                Arc::new(post) as Arc<dyn Mailer>,
                Clock::Simulated(quiet.clock(0)),
                entropy.clone(),
                Catalog::new(None).map_err(|error| told(&error))?,
                settings()?,
            )
            .await
            .map_err(|error| told(&error))?;
            let shop = app.create_shop(new_shop()).await.map_err(|error| told(&error))?;
            let credentials = json!({ "secret_key": KEY, "webhook_secret": SECRET, "base_url": URL }).to_string();
            let account = app.connect_gateway(&shop, "stripe", credentials).await.map_err(|error| told(&error))?.id;
            let sample = app.create_sample_catalog(&shop).await.map_err(|error| told(&error))?;
            let mut rng = entropy.rng();
            let mut assorted = assortment::draw(universe, &shop, sample.product, app.clock.now(), &mut rng);
            app.write(&assorted.changes).await.map_err(|error| told(&error))?;
            assorted.plans.splice(0..0, sample.plans);
            Ok::<_, String>((shop, account, assorted))
        })?;
        let (nodes, skew) = {
            let mix = hold(&universe.mix);
            (mix.nodes, Duration::seconds(mix.skew))
        };
        Ok(Rc::new(Self {
            universe: Arc::clone(universe),
            gateway,
            office,
            rows,
            shop,
            account,
            plans: assorted.plans,
            pool: assorted.pool,
            signed_plan: assorted.signed,
            texts: RefCell::default(),
            hands: RefCell::default(),
            groups: RefCell::default(),
            stockbook: RefCell::new(Stockbook::of(&assorted.changes.codes)),
            skew,
            replaced: RefCell::default(),
            seen: RefCell::default(),
            inner,
            vault,
            entropy,
            spawned: RefCell::default(),
            nodes: RefCell::new(vec![None; nodes]),
            wanting: Cell::new(0),
            calm: Cell::new(false),
            suffices: assorted.suffices,
        }))
    }

    /// Starts a task that dies with its node, or with nobody.
    pub(crate) fn spawn(&self, node: Option<usize>, future: impl Future<Output = ()> + 'static) {
        self.spawned.borrow_mut().push(Task::new(node, future));
    }

    /// Starts somebody who wants something; the trouble lasts until nobody does.
    pub(crate) fn spawn_wanting(self: &Rc<Self>, future: impl Future<Output = ()> + 'static) {
        self.wanting.set(self.wanting.get() + 1);
        let sim = Rc::clone(self);
        self.spawn(None, async move {
            future.await;
            sim.wanting.set(sim.wanting.get() - 1);
        });
    }

    /// Whether nobody wants anything any more.
    pub(crate) fn is_content(&self) -> bool {
        self.wanting.get() == 0
    }

    /// Whether the faults have stopped.
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.get()
    }

    /// The nodes that serve now.
    pub(crate) fn up(&self) -> Vec<(usize, Arc<App>)> {
        let nodes = self.nodes.borrow();
        nodes.iter().enumerate().filter_map(|(node, app)| Some((node, Arc::clone(app.as_ref()?)))).collect()
    }

    /// Asks some node that serves; what it does for us dies with it.
    pub(crate) async fn call<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        what: &str,
        work: impl FnOnce(Arc<App>) -> F,
    ) -> Result<T, Down> {
        let up = self.up();
        if up.is_empty() {
            self.universe.gate().await;
            return Err(Down);
        }
        let place = usize::try_from(self.universe.below(u64::try_from(up.len()).unwrap_or(1))).unwrap_or(0);
        let (node, app) = &up[place];
        self.ask_node(*node, app, what, work).await
    }

    /// Asks this node.
    pub(crate) async fn ask_node<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        node: usize,
        app: &Arc<App>,
        what: &str,
        work: impl FnOnce(Arc<App>) -> F,
    ) -> Result<T, Down> {
        self.universe.log(|| format!("node {node} is asked to {what}"));
        let answer = Rc::new(RefCell::new(Answer { value: None, is_over: false, waker: None }));
        let sender = Sender(Rc::clone(&answer));
        let work = work(Arc::clone(app));
        self.spawn(Some(node), async move {
            let value = work.await;
            sender.0.borrow_mut().value = Some(value);
            drop(sender);
        });
        Waiting(answer).await
    }

    /// Starts a node: the same as the program does, over doors that fail.
    fn boot(self: &Rc<Self>, node: usize, after: i64) {
        let sim = Rc::clone(self);
        self.spawn(Some(node), async move {
            sim.universe.sleep(after).await;
            let app = loop {
                match sim.start(node).await {
                    Ok(app) => break app,
                    Err(error) => {
                        sim.universe.log(|| format!("node {node} does not start: {error}"));
                        sim.universe.sleep(SECOND).await;
                    }
                }
            };
            sim.universe.log(|| format!("node {node} serves"));
            sim.nodes.borrow_mut()[node] = Some(Arc::clone(&app));
            worker::run(&sim, node, &app);
        });
    }

    async fn start(&self, node: usize) -> Result<Arc<App>, String> {
        let universe = &self.universe;
        let engine = Unreliable { inner: Arc::clone(&self.inner), universe: Arc::clone(universe), node };
        let line = Line { gateway: Arc::clone(&self.gateway), universe: Arc::clone(universe), node };
        let post = Postbox {
            office: Arc::clone(&self.office),
            universe: Arc::clone(universe),
            node,
            rows: self.rows.clone(),
            shop: self.shop.id,
        };
        App::start(
            Store::new(Arc::new(engine), Arc::clone(&self.vault)),
            Arc::new(line),
            Arc::new(post),
            Clock::Simulated(universe.clock(node)),
            self.entropy.clone(),
            Catalog::new(None).map_err(|error| error.to_string())?,
            settings()?,
        )
        .await
        .map_err(|error| error.to_string())
    }

    fn kill(self: &Rc<Self>, executor: &mut Executor, node: usize) {
        self.universe.count(|counts| counts.crashes += 1);
        self.nodes.borrow_mut()[node] = None;
        // What the node has just begun dies with it.
        self.spawned.borrow_mut().retain(|task| task.node != Some(node));
        executor.kill(node);
        let down = match self.universe.below(10) {
            0 => self.universe.between(HOUR, 8 * HOUR),
            1..=4 => self.universe.between(MINUTE, 20 * MINUTE),
            _ => self.universe.between(0, 5 * SECOND),
        };
        self.boot(node, down);
    }

    fn calm_down(self: &Rc<Self>) {
        let universe = &self.universe;
        universe.log(|| "the faults stop".to_owned());
        let calm = hold(&universe.mix).calm();
        *hold(&universe.mix) = calm;
        universe.empty_disk();
        self.gateway.set_faults(&json!({}));
        for node in 0..self.nodes.borrow().len() {
            universe.set_skew(node, 0);
        }
        self.calm.set(true);
        if self.suffices {
            self.spawn_wanting(stock::suffice(Rc::clone(self)));
        }
    }
}

/// Runs a shop to its end. `Err` is the first thing that was wrong.
pub(crate) fn run(seed: u64, universe: &Arc<Universe>) -> Result<(), String> {
    let scratch = Scratch::new(seed)?;
    let sim = Sim::open(seed, universe, &scratch)?;
    let mut executor = Executor::default();
    universe.log(|| format!("seed {seed}: {}", hold(&universe.mix)));
    let mix = hold(&universe.mix).clone();
    sim.gateway.set_faults(&json!({
        "seed": seed, "error_after_doing": { "ppm": mix.error_after_doing }, "replay_errors": mix.replay_errors,
    }));
    for node in 0..mix.nodes {
        sim.boot(node, 0);
    }
    sim.spawn(None, carrier::run(Rc::clone(&sim)));
    for number in 0..mix.buyers {
        sim.spawn_wanting(buyer::run(Rc::clone(&sim), number));
    }
    sim.spawn_wanting(seller::run(Rc::clone(&sim)));
    let mut auditor = Auditor::new();
    let mut rested_since = None;
    let mut calm_since = 0;
    for _ in 0..MOST_STEPS {
        executor.add(sim.spawned.borrow_mut().drain(..));
        let runnable = executor.runnable();
        if runnable > 0 {
            executor.step(universe.below(runnable));
            universe.count(|counts| counts.polls += 1);
        }
        auditor.after_step(&sim);
        if let Some(wrong) = universe.wrong() {
            return Err(wrong);
        }
        if let Some(node) = universe.take_crashed() {
            sim.kill(&mut executor, node);
        } else if universe.fault(|mix| mix.crash_between) {
            let node = usize::try_from(universe.below(u64::try_from(mix.nodes).unwrap_or(1))).unwrap_or(0);
            universe.log(|| format!("node {node} ends in the middle of everything"));
            sim.kill(&mut executor, node);
        }
        if universe.fault(|mix| mix.stall) {
            let span = universe.pick(&[SECOND, 40 * SECOND, 4 * MINUTE, HOUR]);
            universe.log(|| format!("everything stands still for {} s", span / SECOND));
            universe.advance_to(universe.now() + span);
        }
        if runnable > 0 || !sim.spawned.borrow().is_empty() {
            continue;
        }
        // Nothing can be done now: time passes.
        if mix.skew > 0 && !sim.is_calm() && universe.one_in(20) {
            let node = usize::try_from(universe.below(u64::try_from(mix.nodes).unwrap_or(1))).unwrap_or(0);
            universe.set_skew(node, universe.between(-mix.skew, mix.skew) * SECOND);
        }
        if sim.is_content() && !sim.is_calm() {
            sim.calm_down();
            calm_since = universe.now();
            continue;
        }
        if sim.is_calm() {
            match rested_since {
                None if auditor.is_at_rest(&sim, calm_since) => {
                    universe.log(|| "everything has come to rest".to_owned());
                    auditor.at_rest(&sim);
                    sim.gateway.take_was_asked();
                    rested_since = Some((universe.now(), sim.office.count()));
                }
                None if universe.now() - calm_since > PATIENCE => {
                    auditor.tell_unrest(&sim);
                }
                Some((since, mails)) if universe.now() - since > QUIET => {
                    if sim.gateway.take_was_asked() || sim.office.count() != mails {
                        universe
                            .fail("something is still being done weeks after everything had come to rest".to_owned());
                    }
                    if let Some(wrong) = universe.wrong() {
                        return Err(wrong);
                    }
                    universe.count(|counts| counts.simulated = u64::try_from(universe.age()).unwrap_or(0));
                    return Ok(());
                }
                None | Some(_) => {}
            }
            if let Some(wrong) = universe.wrong() {
                return Err(wrong);
            }
        }
        match universe.next_alarm() {
            Some(at) => universe.advance_to(at),
            None => return Err("nobody wants anything, and nobody waits".to_owned()),
        }
    }
    Err(format!("after {MOST_STEPS} steps there is no end"))
}

fn settings() -> Result<Settings, String> {
    let mail_from = Email::parse("shop@shop.test").map_err(|error| error.to_string())?;
    Ok(Settings { public_url: "http://127.0.0.1:4242".to_owned(), mail_from })
}

fn new_shop() -> NewShop {
    NewShop {
        name: "Sim".to_owned(),
        mode: Mode::Sandbox,
        seller: Seller {
            legal_name: "Sim GmbH".to_owned(),
            address: vec!["Weg 1".to_owned(), "1010 Wien".to_owned()],
            email: "owner@shop.test".to_owned(),
            tax_id: None,
        },
        terms: "Terms".to_owned(),
        refund_policy: "14 days".to_owned(),
    }
}

struct Answer<T> {
    value: Option<T>,
    is_over: bool,
    waker: Option<Waker>,
}

/// Held by who answers; dropped without an answer, the line is cut.
struct Sender<T>(Rc<RefCell<Answer<T>>>);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut answer = self.0.borrow_mut();
        answer.is_over = true;
        if let Some(waker) = answer.waker.take() {
            waker.wake();
        }
    }
}

struct Waiting<T>(Rc<RefCell<Answer<T>>>);

impl<T> Future for Waiting<T> {
    type Output = Result<T, Down>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = self.0.borrow_mut();
        if !answer.is_over {
            answer.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(answer.value.take().ok_or(Down))
    }
}
