// What a buyer does, step by step, by the names that fields and forms have.

import assert from 'node:assert/strict';

export const CARDS = {
  good: '4242 4242 4242 4242',
  noFunds: '4000 0000 0000 9995',
  challenged: '4000 0027 6000 3184',
};
export const DEBITS = {
  settledLater: 'DE08 3704 0044 0532 0130 03',
  returnedLater: 'DE78 3704 0044 0532 0130 04',
};

const KEY = /\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){6}\b/;
const ORDER_PAGE = /\/orders\/ord_[^/?]+$/;
const CONFIRMATION_LIMIT_MS = 1_000;
const MAIL_PATIENCE_MS = 15_000;

let people = 0;

/** An address that nobody used before. */
export function someone() {
  people += 1;
  return `buyer-${people}@example.com`;
}

/** Says who buys. The consent box is there for buyers in the European Union alone. */
export async function fillTill({ page }, email, { country } = {}) {
  await page.fill('#email', email);
  if (country) await page.selectOption('#country', country);
  if (await page.locator('#consent').count() > 0) await page.check('#consent');
}

/** Presses pay at the till, and arrives at the gateway's page. */
export async function toGateway({ page, shop }) {
  await page.click('button.pay');
  await page.waitForURL(`${shop.sandbox}/pay/**`);
}

/** From the tier's page to the gateway's. */
export async function order(visitor, email, { plan = 'lumen-personal', country = 'DE' } = {}) {
  await visitor.open(`/buy/${plan}?country=${country}`);
  await fillTill(visitor, email);
  await toGateway(visitor);
}

export async function fillCard({ page }, number) {
  if (await page.locator('#method-card[type=radio]').count() > 0) await page.check('#method-card');
  await page.fill('#card_number', number);
  await page.fill('#exp', '12 / 34');
  await page.fill('#cvc', '123');
}

export async function fillDebit({ page }, iban) {
  await page.check('#method-sepa');
  await page.fill('#name', 'Ada Lovelace');
  await page.fill('#iban', iban);
}

/** Presses the gateway's pay button. */
export async function press({ page }) {
  await page.click('form[method=post] button[type=submit]:not([name])');
}

export async function payByCard(visitor, number) {
  await fillCard(visitor, number);
  await press(visitor);
}

export async function payByDebit(visitor, iban) {
  await fillDebit(visitor, iban);
  await press(visitor);
}

export async function toChallenge({ page }) {
  await page.waitForURL('**/challenge');
}

export async function answerChallenge({ page }, outcome) {
  await page.click(`button[name=outcome][value=${outcome}]`);
}

/** Arrives at the order's page, paid. Its key must be valid within a second. Gives the key. */
export async function confirmed(visitor) {
  const { page, shop } = visitor;
  await page.waitForURL(ORDER_PAGE);
  await page.waitForSelector('.key');
  const from = Date.now();
  const key = await keyOn(visitor);
  const answer = await shop.validate(key);
  const elapsed = Date.now() - from;
  assert.equal(answer.code, 'valid', JSON.stringify(answer));
  assert.ok(elapsed <= CONFIRMATION_LIMIT_MS, `validate took ${elapsed} ms after the confirmation`);
  return key;
}

/** Arrives at the order's page, in this stage. */
export async function orderStage({ page }, stage) {
  await page.waitForURL(ORDER_PAGE);
  await page.waitForSelector(`[data-stage="${stage}"]`);
}

export function orderOf({ page }) {
  return /ord_[^/?]+/.exec(page.url())[0];
}

/** The key that the page shows. */
export async function keyOn({ page }) {
  const text = await page.locator('main').innerText();
  const key = KEY.exec(text)?.[0];
  assert.ok(key, `no key on ${page.url()}: ${text.slice(0, 400)}`);
  return key;
}

/** Opens the newest mail to this address whose text has `wanted` in it. Gives the text. */
export async function readMail(visitor, email, wanted) {
  const { page } = visitor;
  const until = Date.now() + MAIL_PATIENCE_MS;
  while (Date.now() < until) {
    await visitor.open('/mailbox');
    const links = await page.locator('.mails a', { hasText: email }).evaluateAll((found) => found.map((link) => link.href));
    for (const link of links) {
      await visitor.open(link);
      const text = await page.locator('.mail-text').innerText();
      if (wanted.test(text)) return text;
    }
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
  throw new Error(`no mail to ${email} with ${wanted} in ${MAIL_PATIENCE_MS} ms`);
}

export async function keyInMail(visitor, email) {
  return KEY.exec(await readMail(visitor, email, KEY))[0];
}

export async function receiptLinkInMail(visitor, email) {
  const link = /https?:\/\/\S+\/orders\/ord_\S+receipt=\S+/;
  return link.exec(await readMail(visitor, email, link))[0];
}

/** Asks for a code in the portal. */
export async function askForCode(visitor, email) {
  await visitor.open('/portal');
  await visitor.page.fill('form[action="/portal/code"] input[name=email]', email);
  await visitor.page.click('form[action="/portal/code"] button');
  await visitor.page.waitForSelector('input[name=code]');
}

/** Into the portal by a code, which is read in another tab. */
export async function enterByCode(visitor, email) {
  await askForCode(visitor, email);
  const { page } = visitor;
  await visitor.openTab();
  const code = /\b\d{4} ?\d{4}\b/;
  const text = await readMail(visitor, email, new RegExp(`^\\s*${code.source}\\s*$`, 'm'));
  await visitor.page.close();
  visitor.page = page;
  await page.fill('input[name=code]', new RegExp(`^\\s*(${code.source})\\s*$`, 'm').exec(text)[1]);
  await page.click('form[action="/portal/enter"] button');
  await page.waitForSelector('form[action="/portal/leave"]');
}

/** From the portal's list to the newest order. */
export async function openNewestOrder({ page }) {
  await page.click('.order-card-head a >> nth=0');
  await page.waitForURL(ORDER_PAGE);
  await page.waitForSelector('.key');
}

/** Into the portal by key and order number. */
export async function enterByKey(visitor, key, number) {
  await visitor.open('/portal');
  await visitor.page.fill('form[action="/portal/key"] input[name=key]', key);
  await visitor.page.fill('form[action="/portal/key"] input[name=number]', number);
  await visitor.page.click('form[action="/portal/key"] button');
  await visitor.page.waitForSelector('form[action="/portal/leave"]');
}

/** Presses Tab until the focus is there. */
export async function tabTo({ page }, selector) {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  throw new Error(`${selector} cannot be reached by Tab on ${page.url()}`);
}
