// Runs every journey, two at a time, and says how many passed. A word on the
// command line runs those whose name contains it.

import { chromium } from 'playwright-core';

import { tests } from './test.js';
import { withShop } from './shop.js';
import './clients.js';
import './journeys.js';
import './pages.js';

const AT_ONCE = 2;
const DEADLINE_MS = 300_000;
const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

const wanted = process.argv[2] ?? '';
const waiting = tests.filter((test) => test.name.includes(wanted));
const began = Date.now();
let passed = 0;
let failed = 0;

async function work(browser) {
  for (let test = waiting.shift(); test; test = waiting.shift()) {
    const from = Date.now();
    let late;
    const deadline = new Promise((_, reject) => {
      late = setTimeout(() => reject(new Error(`not done after ${DEADLINE_MS} ms`)), DEADLINE_MS);
    });
    try {
      await Promise.race([withShop((shop) => test.run(browser, shop)), deadline]);
      passed += 1;
      console.log(`pass  ${test.name} (${seconds(from)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${test.name} (${seconds(from)} s)\n  ${error.message}`);
    } finally {
      clearTimeout(late);
    }
  }
}

function seconds(from) {
  return ((Date.now() - from) / 1_000).toFixed(1);
}

const browser = await chromium.launch(CHROMIUM);
await Promise.all(Array.from({ length: AT_ONCE }, () => work(browser)));
await browser.close();
console.log(`${passed} passed, ${failed} failed in ${seconds(began)} s`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
