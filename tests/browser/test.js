// The list of tests. A name is the sentence that the test proves.

import { Visitor } from './visitor.js';

export const tests = [];

/** `run(browser, shop)`, with a shop of its own. */
export function test(name, run) {
  tests.push({ name, run });
}

/** A test with one visitor, who must have met no defect on the way. */
export function journey(name, options, run) {
  test(name, async (browser, shop) => {
    const visitor = await Visitor.arrive(browser, shop, options);
    try {
      await run(visitor, shop, browser);
    } catch (error) {
      throw new Error(`${error.message}\n  at ${visitor.page.url()}`, { cause: error });
    } finally {
      await visitor.leave();
    }
    visitor.mustHaveMetNoDefect();
  });
}

/** The same journey with and without JavaScript, on a phone and on a desk. */
export function everywhere(name, run) {
  for (const script of [true, false]) {
    for (const width of [320, 1280]) {
      journey(`${name} (${script ? 'with' : 'without'} JavaScript, ${width} wide)`, { script, width }, run);
    }
  }
}
