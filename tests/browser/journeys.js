// Buying, as buyers do it: to the key, past declines and challenges, by a
// debit that takes its time, and back in through the portal.

import assert from 'node:assert/strict';

import { everywhere, journey } from './test.js';
import {
  CARDS, DEBITS, answerChallenge, confirmed, enterByCode, enterByKey, fillCard, fillDebit, fillTill, keyInMail, keyOn,
  openNewestOrder, order, orderOf, orderStage, payByCard, payByDebit, press, receiptLinkInMail, someone, tabTo, toChallenge, toGateway,
} from './steps.js';
import { Visitor } from './visitor.js';

everywhere('A purchase ends with a key that is valid within a second', async (visitor) => {
  const { page } = visitor;
  await visitor.open('/');
  await visitor.look('storefront');
  await page.click('.product-card a');
  await visitor.look('product');
  await page.click('.tier .button >> nth=0');
  await visitor.look('till');
  await fillTill(visitor, someone(), { country: 'US' });
  if (!visitor.script) await page.click('button[value=update]');
  await page.waitForSelector('#consent', { state: 'detached' });
  assert.match(await page.locator('button.pay').innerText(), /\d/, 'the button names the amount');
  await toGateway(visitor);
  await visitor.look('gateway');
  await payByCard(visitor, CARDS.good);
  await confirmed(visitor);
  await visitor.look('order, paid');
});

everywhere('A declined card is told why and another one pays', async (visitor) => {
  await order(visitor, someone());
  await payByCard(visitor, CARDS.noFunds);
  await visitor.page.waitForSelector('.error-summary');
  await visitor.look('gateway, declined');
  await payByCard(visitor, CARDS.good);
  await confirmed(visitor);
});

everywhere('A buyer who turns back after a decline reads the cause and pays on', async (visitor) => {
  const { page, shop } = visitor;
  await order(visitor, someone());
  await payByCard(visitor, CARDS.noFunds);
  await page.waitForSelector('.error-summary');
  await shop.flush();
  await page.click('.cancel a');
  await page.waitForURL('**/checkout/**');
  assert.match(await page.locator('main').innerText(), /not charged|nothing was charged/i);
  await visitor.look('checkout, declined');
  await toGateway(visitor);
  await payByCard(visitor, CARDS.good);
  await confirmed(visitor);
});

everywhere('A challenge that is passed ends with a key', async (visitor) => {
  await order(visitor, someone());
  await payByCard(visitor, CARDS.challenged);
  await toChallenge(visitor);
  await visitor.look('challenge');
  await answerChallenge(visitor, 'complete');
  await confirmed(visitor);
});

everywhere('A challenge that is refused charges nothing and another card pays', async (visitor) => {
  await order(visitor, someone());
  await payByCard(visitor, CARDS.challenged);
  await toChallenge(visitor);
  await answerChallenge(visitor, 'fail');
  await visitor.page.waitForSelector('.error-summary');
  await visitor.look('challenge, refused');
  await payByCard(visitor, CARDS.good);
  await confirmed(visitor);
});

everywhere('A tab closed on the challenge loses nothing: its link opens again', async (visitor) => {
  await order(visitor, someone());
  await payByCard(visitor, CARDS.challenged);
  await toChallenge(visitor);
  const link = visitor.page.url();
  await visitor.page.close();
  await visitor.openTab();
  await visitor.open(link);
  await toChallenge(visitor);
  await answerChallenge(visitor, 'complete');
  await confirmed(visitor);
});

everywhere('A debit waits honestly and brings the key when it settles', async (visitor, shop) => {
  const email = someone();
  await order(visitor, email);
  await payByDebit(visitor, DEBITS.settledLater);
  await orderStage(visitor, 'processing');
  await visitor.look('order, debit under way');
  assert.equal(await visitor.page.locator('.key').count(), 0, 'no key before the money is there');
  await shop.later(200);
  await visitor.page.reload();
  const key = await confirmed(visitor);
  assert.equal(await keyInMail(visitor, email), key);
});

everywhere('A debit that fails minutes later says so and another method pays', async (visitor, shop) => {
  const { page } = visitor;
  await order(visitor, someone());
  await payByDebit(visitor, DEBITS.returnedLater);
  await orderStage(visitor, 'processing');
  await shop.later(200);
  await page.reload();
  await page.waitForSelector('form[action$="/retry"]');
  await visitor.look('order, failed');
  await page.click('form[action$="/retry"] button');
  await page.waitForURL(`${shop.sandbox}/pay/**`);
  await payByCard(visitor, CARDS.good);
  await confirmed(visitor);
});

everywhere('The key on the page is the key in the mail and behind all three doors of the portal', async (visitor, shop, browser) => {
  const email = someone();
  await order(visitor, email);
  await payByCard(visitor, CARDS.good);
  const key = await confirmed(visitor);
  const { number } = await shop.manage(`/v1/orders/${orderOf(visitor)}`);
  assert.equal(await keyInMail(visitor, email), key, 'in the mail');
  await visitor.look('mail');
  const link = await receiptLinkInMail(visitor, email);

  const doors = [
    ['code', async (other) => {
      await enterByCode(other, email);
      await openNewestOrder(other);
    }],
    ['key and order number', async (other) => {
      await enterByKey(other, key, number);
      await openNewestOrder(other);
    }],
    ['receipt link', async (other) => {
      await other.open(link);
      assert.ok(!other.page.url().includes('receipt='), 'the link leaves no token in the address');
    }],
  ];
  for (const [name, enter] of doors) {
    const other = await Visitor.arrive(browser, shop, { width: visitor.width, script: visitor.script });
    await enter(other);
    assert.equal(await keyOn(other), key, `by ${name}`);
    await other.look(`portal by ${name}`);
    await other.leave();
    visitor.defects.push(...other.defects);
  }
});

journey('A purchase needs no mouse', {}, async (visitor) => {
  const { page, shop } = visitor;
  await visitor.open('/buy/lumen-personal?country=DE');
  await tabTo(visitor, '#email');
  await page.keyboard.type(someone());
  await tabTo(visitor, '#consent');
  await page.keyboard.press('Space');
  await tabTo(visitor, 'button.pay');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${shop.sandbox}/pay/**`);
  for (const [field, text] of [['#card_number', CARDS.good], ['#exp', '1234'], ['#cvc', '123']]) {
    await tabTo(visitor, field);
    await page.keyboard.type(text);
  }
  await page.keyboard.press('Enter');
  await confirmed(visitor);
});

journey('A German buyer is spoken to in German from the till to the mail', { locale: 'de-DE' }, async (visitor) => {
  const { page } = visitor;
  const email = someone();
  await visitor.open('/buy/lumen-personal');
  assert.match(await page.getAttribute('html', 'lang'), /^de\b/);
  assert.equal(await page.inputValue('#country'), 'DE');
  assert.match(await page.locator('button.pay').innerText(), /^Zahlungspflichtig bestellen/);
  await visitor.audit('till in German');
  await fillTill(visitor, email);
  await toGateway(visitor);
  assert.match(await page.getAttribute('html', 'lang'), /^de\b/);
  await visitor.audit('gateway in German');
  await payByCard(visitor, CARDS.good);
  const key = await confirmed(visitor);
  assert.match(await page.getAttribute('html', 'lang'), /^de\b/);
  await visitor.audit('order in German');
  const broken = await page.evaluate(() => [...document.querySelectorAll('.facts dt')].filter((term) => {
    const range = document.createRange();
    range.selectNodeContents(term);
    return !/\s/.test(term.textContent) && range.getClientRects().length > 1;
  }).map((term) => term.textContent));
  assert.deepEqual(broken, [], 'the names on a receipt do not break inside a word');
  assert.equal(await keyInMail(visitor, email), key);
  assert.match(await page.locator('.mail-text').innerText(), /Bestellnummer|Rechnung|Beleg/);
});

journey('The till asks four things at most, and says the total before it asks who buys', {}, async (visitor) => {
  const { page } = visitor;
  await visitor.open('/buy/lumen-personal?country=DE');
  const fields = page.locator('main').locator('input:not([type=hidden]), select, textarea');
  assert.ok(await fields.count() <= 4, `${await fields.count()} fields`);
  const isBefore = await page.evaluate(() => {
    const total = document.querySelector('#total');
    return [...document.querySelectorAll('#email, #country, #consent')]
      .every((field) => total.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_FOLLOWING);
  });
  assert.ok(isBefore, 'the total stands before every personal field');
});

for (const script of [true, false]) {
  journey(`The back button finds what was typed (${script ? 'with' : 'without'} JavaScript)`, { script }, async (visitor) => {
    const { page } = visitor;
    const email = someone();
    await order(visitor, email);
    await page.goBack();
    await page.waitForURL('**/buy/**');
    assert.equal(await page.inputValue('#email'), email);
    await toGateway(visitor);
    await payByCard(visitor, CARDS.good);
    await confirmed(visitor);
  });

  journey(`A tier, a quantity or a country changes and keeps what was typed (${script ? 'with' : 'without'} JavaScript)`, { script }, async (visitor) => {
    const { page } = visitor;
    const email = someone();
    await visitor.open('/buy/lumen-personal?country=DE');
    await page.fill('#email', email);
    const before = await page.locator('#total').innerText();
    await page.fill('#quantity', '3');
    if (script) await page.press('#quantity', 'Tab');
    else await page.click('button[value=update]');
    await page.waitForFunction((old) => document.querySelector('#total').innerText !== old, before);
    assert.equal(await page.inputValue('#email'), email);
    assert.equal(await page.inputValue('#quantity'), '3');
    await fillTill(visitor, email);
    await toGateway(visitor);
    await payByCard(visitor, CARDS.good);
    await page.waitForSelector('.key');
    assert.equal(await page.locator('.key').count(), 3, 'as many keys as were bought');
  });
}
