// The client library in a page of another site than the shop's: an app in the
// browser, with its keys, its storage and its requests across origins.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

import { test } from './test.js';
import { CARDS, confirmed, order, payByCard, someone } from './steps.js';
import { Visitor } from './visitor.js';

const BUILT = new URL('../../sdk/typescript/dist/', import.meta.url);

test('An app in a browser activates, goes on without the shop, and says goodbye', async (browser, shop) => {
  const buyer = await Visitor.arrive(browser, shop);
  await order(buyer, someone());
  await payByCard(buyer, CARDS.good);
  const key = await confirmed(buyer);
  await buyer.leave();
  const { license } = await shop.validate(key);

  const site = await serve();
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(site.url);
    const act = (name, ...given) => page.evaluate(run, { shopUrl: shop.origin, product: license.product, name, given });

    assert.equal((await act('activate', 'ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y')).code, 'unknown');
    const activated = await act('activate', key, 'A browser');
    assert.deepEqual([activated.state, activated.code, activated.portalUrl], ['valid', 'valid', `${shop.origin}/portal`]);
    assert.ok(activated.license.features.length > 0);
    assert.equal((await act('heartbeat')).state, 'valid');

    await page.reload();
    assert.equal((await act('status')).state, 'valid', 'the certificate is verified again from local storage');
    await context.route(`${shop.origin}/**`, (route) => route.abort());
    const cut = await act('validate');
    assert.deepEqual([cut.state, cut.code], ['grace', 'network']);
    await context.unroute(`${shop.origin}/**`);
    assert.equal((await act('deactivate')).state, 'released');
    assert.equal((await act('status')).code, 'not_activated');
  } finally {
    await context.close();
    await site.close();
  }
});

/** Runs in the page. */
async function run({ shopUrl, product, name, given }) {
  const { BrowserStorage, Client } = await import('/index.js');
  const license = await Client.open({ shopUrl, product, fingerprint: 'a-browser' }, new BrowserStorage('license'));
  return license[name](...given);
}

/** An empty page and the modules of the library, on an origin of their own. */
async function serve() {
  const server = createServer(async (request, response) => {
    if (request.url === '/') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>An app</title>');
      return;
    }
    try {
      const module = await readFile(new URL(`.${request.url}`, BUILT));
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(module);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
