// The picture in the README, taken from the running shop: the till on a phone
// and the order page with its key. With a folder as argument, also every page
// on the way, at both widths, light and dark, to be looked at by a person.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { CARDS, confirmed, enterByCode, fillTill, openNewestOrder, order, payByCard, readMail, someone, toGateway } from './steps.js';
import { Visitor } from './visitor.js';
import { withShop } from './shop.js';

const PICTURE = fileURLToPath(new URL('../../docs/images/order.png', import.meta.url));
const BACKGROUND = '#dfe4ec';

/** A picture of the page as it stands, of so many pixels of its height or of all of it. */
async function shot(page, height) {
  if (!height) return page.screenshot({ fullPage: true });
  await page.setViewportSize({ width: page.viewportSize().width, height });
  return page.screenshot();
}

async function readmePicture(browser, shop) {
  const phone = await Visitor.arrive(browser, shop, { width: 390 });
  await phone.open('/buy/lumen-pro?country=DE');
  await fillTill(phone, 'ada@example.com');
  await phone.page.evaluate(() => scrollTo(0, 0));
  const till = await shot(phone.page, 860);
  await phone.leave();
  const desk = await Visitor.arrive(browser, shop, { width: 900 });
  await order(desk, 'ada@example.com', { plan: 'lumen-pro' });
  await payByCard(desk, CARDS.good);
  const key = await confirmed(desk);
  await shop.activate(key, 'aa:bb:cc', 'Studio Mac');
  await desk.page.reload();
  const paid = await shot(desk.page, 860);
  const page = await desk.context.newPage();
  await page.setViewportSize({ width: 1400, height: 940 });
  const image = (png, width) => `<img width="${width}" src="data:image/png;base64,${png.toString('base64')}">`;
  await page.setContent(`<style>
    body { margin: 0; display: flex; gap: 40px; justify-content: center; align-items: center; height: 940px; background: ${BACKGROUND} }
    img { border-radius: 14px; box-shadow: 0 8px 40px #0004 }
  </style>${image(till, 390)}${image(paid, 900)}`);
  await mkdir(join(PICTURE, '..'), { recursive: true });
  await writeFile(PICTURE, await page.screenshot());
  await desk.leave();
  console.log(`written: ${PICTURE}`);
}

async function album(browser, shop, folder) {
  await mkdir(folder, { recursive: true });
  for (const width of [320, 1280]) {
    for (const scheme of ['light', 'dark']) {
      const visitor = await Visitor.arrive(browser, shop, { width, scheme, locale: scheme === 'dark' ? 'de-DE' : 'en-US' });
      const keep = async (name) => writeFile(join(folder, `${name}-${width}-${scheme}.png`), await shot(visitor.page));
      const email = someone();
      for (const [name, path] of [['storefront', '/'], ['product', '/p/lumen'], ['terms', '/terms'], ['missing', '/nothing'], ['portal', '/portal']]) {
        await visitor.open(path);
        await keep(name);
      }
      await visitor.open('/buy/lumen-pro?country=DE');
      await keep('till');
      await visitor.page.click('button.pay');
      await visitor.page.waitForSelector('.error-summary');
      await keep('till-errors');
      await fillTill(visitor, email);
      await toGateway(visitor);
      await keep('gateway');
      await payByCard(visitor, CARDS.noFunds);
      await visitor.page.waitForSelector('.error-summary');
      await keep('gateway-declined');
      await payByCard(visitor, CARDS.good);
      const key = await confirmed(visitor);
      await shop.activate(key, `device-${width}-${scheme}`, 'Studio Mac');
      await visitor.page.reload();
      await keep('order');
      await enterByCode(visitor, email);
      await keep('portal-inside');
      await openNewestOrder(visitor);
      await readMail(visitor, email, new RegExp(key));
      await keep('mail');
      await visitor.leave();
    }
  }
  await consoleAlbum(browser, shop, folder);
}

/** The link into the console works once, so one visitor looks at all of it. */
async function consoleAlbum(browser, shop, folder) {
  const owner = await Visitor.arrive(browser, shop);
  const { page } = owner;
  await owner.open(shop.console);
  await page.click('main button');
  await page.waitForURL('**/console');
  await owner.open('/console/orders');
  const newest = await page.locator('main table a').first().getAttribute('href');
  for (const path of ['/console', newest, ...['orders', 'licenses', 'customers', 'notices', 'mails'].map((name) => `/console/${name}`)]) {
    await owner.open(path);
    const name = path === newest ? 'console-order' : path.slice(1).replaceAll('/', '-');
    for (const width of [320, 1280]) {
      for (const scheme of ['light', 'dark']) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme });
        await writeFile(join(folder, `${name}-${width}-${scheme}.png`), await shot(page));
      }
    }
  }
  await owner.leave();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
await withShop((shop) => readmePicture(browser, shop));
const folder = process.argv[2];
if (folder) await withShop((shop) => album(browser, shop, folder));
await browser.close();
