// Somebody at a browser, and what is true of every page they see: it passes
// axe, nothing scrolls sideways, targets can be hit, nothing is loaded from
// elsewhere, the page policy is kept, pages stay small.
//
// A defect is kept and told at the end of the test, so that one page does not
// hide the next.

import { gzipSync } from 'node:zlib';
import AxeBuilder from '@axe-core/playwright';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const WIDTHS = [320, 1280];
const SCHEMES = ['light', 'dark'];
const HTML_LIMIT = 30 * 1024;
const STYLE_LIMIT = 15 * 1024;
const SCRIPT_LIMIT = 10 * 1024;
const PATIENCE_MS = 15_000;

export class Visitor {
  /** `script`: whether JavaScript runs. */
  static async arrive(browser, shop, { width = 1280, script = true, locale = 'en-US', scheme = 'light' } = {}) {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      javaScriptEnabled: script,
      locale,
      colorScheme: scheme,
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const visitor = new Visitor(context, shop, { width, script });
    await visitor.openTab();
    return visitor;
  }

  constructor(context, shop, { width, script }) {
    this.context = context;
    this.shop = shop;
    this.width = width;
    this.script = script;
    this.defects = [];
    this.sizes = new Set();
    context.on('request', (request) => this.#watchRequest(request));
    context.on('response', (response) => this.#watchResponse(response));
  }

  async openTab() {
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.#defect(`script error: ${error.message}`));
    this.page.on('console', (message) => {
      // Chromium says this of a page that answers 404 or 422, which is no error of the page.
      const isStatus = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isStatus) this.#defect(`console: ${message.text()}`);
    });
    return this.page;
  }

  async open(path) {
    return this.page.goto(path.startsWith('http') ? path : this.shop.url(path));
  }

  /** Checks the page at the visitor's own width, in light and dark. */
  async look(label) {
    await this.#lookAt(label, [this.width]);
  }

  /** Checks the page at every width, in light and dark. */
  async audit(label) {
    await this.#lookAt(label, WIDTHS);
    await this.page.setViewportSize({ width: this.width, height: 900 });
  }

  async leave() {
    await this.context.close();
  }

  mustHaveMetNoDefect() {
    if (this.defects.length > 0) throw new Error(`${this.defects.length} defects:\n  ${this.defects.join('\n  ')}`);
  }

  async #lookAt(label, widths) {
    await this.page.waitForLoadState('load');
    await this.#weigh(label);
    for (const width of widths) {
      if (this.page.viewportSize().width !== width) await this.page.setViewportSize({ width, height: 900 });
      const at = `${label} at ${width}`;
      for (const text of await unlessNavigated(() => this.page.evaluate(shapeDefects))) this.#defect(`${at}: ${text}`);
      if (!this.script) continue;
      for (const scheme of SCHEMES) {
        await this.page.emulateMedia({ colorScheme: scheme });
        await this.#judge(`${at}, ${scheme}`);
      }
      await this.page.emulateMedia({ colorScheme: 'light' });
    }
  }

  async #judge(at) {
    // Legacy mode: one document, no frames of other sites to carry results between.
    const judged = await unlessNavigated(() => new AxeBuilder({ page: this.page }).withTags(RULES).setLegacyMode().analyze());
    for (const violation of judged.violations) {
      const where = violation.nodes.map((node) => `${node.html.slice(0, 160)} (${node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? ''})`);
      this.#defect(`${at}: axe ${violation.id}: ${violation.help}\n      ${where.slice(0, 3).join('\n      ')}`);
    }
  }

  async #weigh(label) {
    const html = gzipSync(await unlessNavigated(() => this.page.content())).length;
    if (html > HTML_LIMIT) this.#defect(`${label}: ${html} bytes of HTML, compressed`);
    const parts = await unlessNavigated(() => this.page.evaluate(() =>
      [...document.querySelectorAll('link[rel=stylesheet], script[src]')].map((part) => part.href || part.src)));
    for (const url of parts.filter((url) => !this.sizes.has(url))) {
      this.sizes.add(url);
      const size = gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length;
      const limit = url.includes('.js') ? SCRIPT_LIMIT : STYLE_LIMIT;
      if (size > limit) this.#defect(`${label}: ${url} has ${size} bytes, compressed`);
    }
  }

  #watchRequest(request) {
    const url = new URL(request.url());
    const isOurs = [this.shop.origin, this.shop.sandbox].includes(url.origin) || ['data:', 'about:'].includes(url.protocol);
    if (!isOurs) this.#defect(`a request to another host: ${request.url()}`);
  }

  #watchResponse(response) {
    // What the till's script fetches is a page as well, and one with errors to correct answers 422.
    const isPage = response.request().isNavigationRequest() || response.status() === 422;
    if (response.status() >= (isPage ? 500 : 400)) this.#defect(`${response.url()} answered ${response.status()}`);
  }

  #defect(text) {
    if (!this.defects.includes(text)) this.defects.push(text);
  }
}

/** A waiting page may fetch itself anew while it is looked at: then it is looked at once more. */
async function unlessNavigated(look) {
  try {
    return await look();
  } catch (error) {
    if (!/navigation|context was destroyed|Execution context/i.test(error.message)) throw error;
    return look();
  }
}

/** Runs in the page. */
function shapeDefects() {
  const defects = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const first = [...document.querySelectorAll('body *')].find((element) => element.getBoundingClientRect().right > innerWidth + 0.5);
    defects.push(`scrolls sideways: ${wide} wide in ${innerWidth}, such as ${first?.outerHTML.slice(0, 120)}`);
  }
  if (document.querySelectorAll('h1').length !== 1) defects.push(`${document.querySelectorAll('h1').length} first headings`);
  if (!document.documentElement.lang || !document.documentElement.dir) defects.push('names no language or direction');
  if (document.querySelector('[style], style, script:not([src])')) defects.push('inline style or script');
  for (const target of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
    const box = target.getBoundingClientRect();
    const isShown = target.checkVisibility({ visibilityProperty: true }) && box.width > 1 && box.height > 1;
    // Whoever hits the words beside a box has hit the box.
    const label = ['checkbox', 'radio'].includes(target.type) ? target.labels?.[0]?.getBoundingClientRect() : undefined;
    const height = Math.max(box.height, label?.height ?? 0);
    const width = Math.max(box.width, label?.width ?? 0);
    const isInSentence = target.tagName === 'A' && getComputedStyle(target).display === 'inline'
      && target.parentElement.textContent.trim().length > target.textContent.trim().length;
    if (isShown && !isInSentence && (height < 23.9 || width < 23.9)) {
      defects.push(`a target of ${Math.round(width)} × ${Math.round(height)}: ${target.outerHTML.slice(0, 120)}`);
    }
  }
  return defects;
}
