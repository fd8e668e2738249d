// Every page in every state that can be reached, at both widths, in light and
// dark: what `audit` asks of a page holds for all of them.

import assert from 'node:assert/strict';

import { journey } from './test.js';
import {
  CARDS, DEBITS, answerChallenge, askForCode, confirmed, enterByCode, fillDebit, fillTill, keyOn, order, orderOf, orderStage,
  payByCard, payByDebit, press, readMail, someone, toChallenge, toGateway,
} from './steps.js';
import { Visitor } from './visitor.js';

journey('The pages before a purchase can be used by everybody', {}, async (visitor) => {
  const { page } = visitor;
  for (const [label, path] of [
    ['storefront', '/'],
    ['product', '/p/lumen'],
    ['terms', '/terms'],
    ['till', '/buy/lumen-pro?country=DE'],
    ['till outside the European Union', '/buy/lumen-studio?country=US&quantity=12'],
    ['not found', '/no-such-page'],
    ['no such tier', '/buy/no-such-tier'],
    ['no such checkout', '/checkout/chk_00000000000000000000000000'],
    ['order of somebody else', '/orders/ord_00000000000000000000000000'],
    ['portal', '/portal'],
    ['a device without a network', '/activate'],
    ['mailbox, empty', '/mailbox'],
  ]) {
    await visitor.open(path);
    await visitor.audit(label);
  }
  await visitor.open('/buy/lumen-personal?country=DE');
  await page.click('button.pay');
  await page.waitForSelector('.error-summary');
  assert.match(await page.title(), /^Error/);
  await visitor.audit('till with errors');
  await page.fill('#email', 'nobody at example');
  await page.fill('#quantity', 'many');
  await page.click('button.pay');
  await page.waitForSelector('#email-error');
  await visitor.audit('till with other errors');
  await visitor.open('/activate#no-request');
  assert.equal(await page.inputValue('#request'), 'no-request');
  assert.doesNotMatch(page.url(), /#/, 'a request is not kept in the address');
  await page.click('form[action="/activate"] button');
  await page.waitForSelector('.error-summary');
  await visitor.audit('a device without a network, with an error');
  await visitor.open('/portal');
  await page.click('form[action="/portal/key"] button');
  await page.waitForSelector('.error-summary');
  await visitor.audit('portal with errors');
  await askForCode(visitor, someone());
  await visitor.audit('portal, code sent');
  await page.fill('input[name=code]', '00000000');
  await page.click('form[action="/portal/enter"] button');
  await page.waitForSelector('.error-summary');
  await visitor.audit('portal, wrong code');
});

journey('The gateway\'s pages can be used by everybody', {}, async (visitor) => {
  const { page, shop } = visitor;
  await order(visitor, someone());
  await visitor.audit('gateway');
  await page.click('.help summary');
  await visitor.audit('gateway with its test numbers');
  await press(visitor);
  await page.waitForSelector('.error-summary');
  await visitor.audit('gateway with errors');
  await fillDebit(visitor, 'DE00 1234');
  await visitor.audit('gateway, debit');
  await press(visitor);
  await page.waitForSelector('.error-summary');
  await visitor.audit('gateway, debit with errors');
  await payByCard(visitor, CARDS.challenged);
  await toChallenge(visitor);
  await visitor.audit('challenge');
  await answerChallenge(visitor, 'fail');
  await page.waitForSelector('.error-summary');
  await visitor.audit('challenge, refused');
  await visitor.open(`${shop.sandbox}/pay/cs_test_missing`);
  await visitor.audit('gateway, missing');
});

journey('The pages after a purchase can be used by everybody', {}, async (visitor) => {
  const { page, shop } = visitor;
  const email = someone();
  await order(visitor, email);
  const gateway = page.url();
  await page.click('.cancel a');
  await page.waitForURL('**/checkout/**');
  await visitor.audit('checkout, open');
  await visitor.open(gateway);
  await payByDebit(visitor, DEBITS.settledLater);
  await orderStage(visitor, 'processing');
  await visitor.audit('order, debit under way');
  await shop.later(200);
  await page.reload();
  const key = await confirmed(visitor);
  const number = orderOf(visitor);
  await visitor.audit('order, paid');
  await shop.activate(key, 'aa:bb:cc', 'Studio Mac');
  await page.reload();
  await visitor.audit('order with a device');
  await page.click('form[action$="/resend"] button');
  await page.waitForSelector('.notice');
  await visitor.audit('order, mail sent again');
  await enterByCode(visitor, email);
  await visitor.audit('portal, signed in');
  await page.click('form[action$="/release"] button');
  await page.waitForSelector('.notice');
  await visitor.audit('portal, device freed');
  await readMail(visitor, email, new RegExp(key));
  await visitor.audit('mail');
  await visitor.open('/mailbox');
  await visitor.audit('mailbox');
  await shop.manage(`/v1/orders/${number}/refunds`, { amount: 1_000 });
  await shop.flush();
  await visitor.open(`/orders/${number}`);
  await visitor.audit('order, refunded in part');
  await shop.manage(`/v1/orders/${number}/refunds`, {});
  await shop.flush();
  await visitor.open(`/orders/${number}`);
  await visitor.audit('order, refunded');
});

const STUDIO = `
[[product]]
slug = "studio"
name = "Studio"

[[product.plan]]
slug = "studio"
name = "Studio"
prices = { EUR = "99.00" }
features = ["export", "batch", "color"]
fulfilment = "signed_key"
`;

journey('A key of five hundred letters fits on every page and is copied whole', {}, async (visitor, shop) => {
  const { page } = visitor;
  await shop.apply(STUDIO);
  const email = someone();
  await order(visitor, email, { plan: 'studio' });
  await payByCard(visitor, CARDS.good);
  await orderStage(visitor, 'paid');
  const key = await page.locator('.key').innerText();
  assert.match(key, /^key\/[\w-]{300,}={0,2}\.[\w-]{86}==$/);
  await visitor.audit('order with a signed key');
  await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.click('[data-copy]');
  await page.waitForFunction((label) => document.querySelector('[data-copy]').textContent === label, 'Copied');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  assert.equal((await shop.validate(key)).code, 'valid');
  await readMail(visitor, email, new RegExp(key.slice(0, 60)));
  await visitor.audit('mail with a signed key');
});

journey('A debit that failed leaves pages that everybody can use', {}, async (visitor, shop) => {
  const email = someone();
  await order(visitor, email);
  await payByDebit(visitor, DEBITS.returnedLater);
  await orderStage(visitor, 'processing');
  await shop.later(200);
  await visitor.page.reload();
  await visitor.page.waitForSelector('form[action$="/retry"]');
  await visitor.audit('order, failed');
  await readMail(visitor, email, /checkout|orders/);
  await visitor.audit('mail about a failed payment');
});

// Something that people do, and that asks for what they need to know.
const BY_HAND = `
[[product]]
slug = "setup"
name = "Installation"

[[product.plan]]
slug = "setup-remote"
name = "Remote"
prices = { EUR = "190.00" }
fulfilment = "manual"
within_hours = 48

[[product.plan.question]]
name = "host"
label = { en = "Host name", de = "Name des Hosts" }
help = { en = "As ada.example.com", de = "Zum Beispiel ada.example.com" }
required = true

[[product.plan.question]]
name = "region"
label = { en = "Region", de = "Region" }
choices = ["eu-west", "us-east"]
`;

journey('What people do is asked for, promised and handed over on pages that everybody can use', {}, async (visitor, shop, browser) => {
  const { page } = visitor;
  await shop.apply(BY_HAND);
  await visitor.open('/buy/setup-remote?country=DE');
  await visitor.audit('till with questions');
  await fillTill(visitor, someone());
  await page.click('button.pay');
  await page.waitForSelector('#answer-host-error');
  await visitor.audit('till with a question that must be answered');
  await page.fill('#answer-host', 'ada.example.com');
  await page.selectOption('#answer-region', 'eu-west');
  await toGateway(visitor);
  await payByCard(visitor, CARDS.good);
  await page.waitForSelector('#message');
  await visitor.audit('order that people have promised');
  await page.click('form[action$="/messages"] button');
  await page.waitForSelector('#message-error');
  await visitor.audit('order, an empty message');
  await page.fill('#message', 'When will you come?\n\nIn the morning I am at home.');
  await page.click('form[action$="/messages"] button');
  await page.waitForSelector('.notice');
  await visitor.audit('order with a message');
  const number = orderOf(visitor);

  const staff = await Visitor.arrive(browser, shop);
  const desk = staff.page;
  await staff.open(shop.console);
  await desk.click('main button.primary');
  await desk.waitForURL('**/console');
  await staff.audit('console, a buyer waits');
  await staff.open('/console/orders?waiting=answer');
  await staff.audit('console, orders that wait for an answer');
  await staff.open('/console/claims');
  await staff.audit('console, to hand over');
  await desk.click('table.list tbody a >> nth=0');
  await staff.audit('console, one to hand over');
  for (const field of ['message', 'content']) {
    await desk.click(`form:has(#${field}) button`);
    await desk.waitForSelector(`#${field}-error`);
    await staff.audit(`console, one to hand over with an error in ${field}`);
  }
  await desk.fill('#message', 'Tomorrow at nine.');
  await desk.click('form:has(#message) button');
  await desk.waitForSelector('.told');
  await staff.audit('console, one to hand over with messages');
  await desk.fill('#content', 'Installed on ada.example.com');
  await desk.click('form:has(#content) button');
  await desk.waitForSelector('#proof');
  await staff.audit('console, handed over');
  await staff.open(`/console/orders/${number}`);
  await staff.audit('console, order with messages');
  await staff.leave();
  await page.reload();
  await visitor.audit('order that people have done');
});

journey('A group is made, filled, limited and ended on pages that everybody can use', {}, async (visitor, shop, browser) => {
  const { page } = visitor;
  const email = someone();
  await order(visitor, email, { plan: 'lumen-pro' });
  await payByCard(visitor, CARDS.good);
  const key = await confirmed(visitor);
  await shop.flush();
  await shop.activate(key, 'aa:bb:cc', 'Studio Mac');
  const license = (await shop.manage('/v1/licenses')).data[0].id;

  const staff = await Visitor.arrive(browser, shop);
  const desk = staff.page;
  await staff.open(shop.console);
  await desk.click('main button.primary');
  await desk.waitForURL('**/console');
  await staff.open('/console/groups');
  await staff.audit('console, no group');
  await desk.fill('#name', 'Studio North with its branches in Kilkenny, Szczecin and Donaudampfschifffahrtsgesellschaft');
  await desk.fill('#max-licenses', '10');
  await desk.fill('#max-seats', '1');
  await desk.click('form[action="/console/groups"] button');
  await desk.waitForURL('**/console/groups/grp_*');
  await staff.audit('console, a group that is empty');
  const group = new URL(desk.url()).pathname;
  await desk.fill('#license', 'lic_1');
  await desk.fill('#put-reason', 'One company');
  await desk.click('form[action$="/licenses"] button');
  await desk.waitForURL('**told=group-license-unknown');
  await staff.audit('console, a group and a license that is not there');
  await desk.fill('#license', license);
  await desk.fill('#put-reason', 'One company');
  await desk.click('form[action$="/licenses"] button');
  await desk.waitForURL('**told=grouped');
  assert.match(await desk.locator('main').innerText(), /1 \/ 10[^]*1 \/ 1/);
  await staff.audit('console, a group with a license');
  await desk.fill('#max-seats', '0');
  await desk.fill('#change-reason', 'Fewer');
  await desk.click(`form[action="${group}"] button`);
  await desk.waitForURL('**told=group-below-used');
  await staff.audit('console, a limit that is below what is held');
  await staff.open('/console/groups');
  await staff.audit('console, groups');
  await staff.open(`/console/licenses/${license}`);
  await staff.audit('console, a license in a group');

  await assert.rejects(shop.activate(key, 'dd:ee:ff', 'Second Mac'), /license_group_full/);
  await enterByCode(visitor, email);
  await visitor.open(`/portal/licenses/${license}`);
  assert.match(await page.locator('main').innerText(), /other licenses of a group: 1 of 1 seats taken/);
  await visitor.audit('portal, a license in a group');

  await desk.selectOption('form[action$="/group"] select', '');
  await desk.fill('form[action$="/group"] input[name=reason]', 'Sold off');
  await desk.click('form[action$="/group"] button');
  await desk.waitForURL('**told=ungrouped');
  await staff.open(group);
  await desk.click(`form[action="${group}/delete"] button`);
  await desk.waitForURL('**/console/groups?told=group-deleted');
  await staff.audit('console, a group that has ended');
  await staff.leave();
  staff.mustHaveMetNoDefect();
});

journey('The console can be used by everybody', {}, async (visitor, shop, browser) => {
  const { page } = visitor;
  const buyer = await Visitor.arrive(browser, shop);
  const email = someone();
  await order(buyer, email);
  await payByCard(buyer, CARDS.noFunds);
  await buyer.page.waitForSelector('.error-summary');
  await payByCard(buyer, CARDS.good);
  const key = await confirmed(buyer);
  const number = orderOf(buyer);
  await buyer.leave();
  await shop.flush();
  await shop.activate(key, 'aa:bb:cc', 'Studio Mac');

  await visitor.open('/console');
  await visitor.audit('console, sign in');
  await page.click('main button.primary');
  await page.waitForSelector('.errors');
  await visitor.audit('console, sign in with errors');
  await page.fill('#email', 'nobody@example.com');
  await page.click('main button.primary');
  await page.waitForLoadState();
  await visitor.audit('console, link sent');
  await visitor.open(shop.console);
  await visitor.audit('console, enter');
  await page.click('main button.primary');
  await page.waitForURL('**/console');
  await visitor.audit('console');
  for (const path of ['orders', 'licenses', 'customers', 'notices']) {
    await visitor.open(`/console/${path}`);
    await visitor.audit(`console, ${path}`);
    await page.click('table.list tbody a >> nth=0');
    await visitor.audit(`console, one of ${path}`);
  }
  await visitor.open('/console/attempts');
  await visitor.audit('console, unknown keys');
  await visitor.open(`/console/orders/${number}`);
  await page.click('details summary');
  await visitor.audit('console, refund form');
  for (const text of [email, 'nothing-like-this', '']) {
    await visitor.open(`/console/search?q=${encodeURIComponent(text)}`);
    await visitor.audit(`console, search for "${text}"`);
  }
  await visitor.open('/console/orders/ord_00000000000000000000000000');
  await visitor.audit('console, no such order');
  await visitor.open(shop.console);
  await visitor.audit('console, used link');
});
