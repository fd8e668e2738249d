// Lemon Squeezy's own client against our endpoint: a key and a device that were sold there go on here.
// The client has its host built in, so what it fetches is sent to us instead.

import assert from "node:assert/strict";
import { activateLicense, deactivateLicense, validateLicense } from "@lemonsqueezy/lemonsqueezy.js";
import { withImported } from "./shop.mjs";

const key = "38b1460a-5104-4067-a91d-77b872934d51";
const oldDevice = "f90ec370-fd83-46a5-8bbd-44a241e78665";
const sold = { store_id: 11, order_id: 13, product_id: 15, user_email: "ada@example.com", key, activation_limit: 2,
  instances_count: 1, disabled: 0, created_at: "2021-01-24T14:15:07.000000Z", expires_at: null };
const seat = { license_key_id: 1, identifier: oldDevice, name: "Old Mac", created_at: "2021-04-06T14:15:07.000000Z" };
const documents = [
  { data: [{ type: "license-keys", id: "1", attributes: sold }] },
  { data: [{ type: "license-key-instances", id: "9", attributes: seat }] },
];

await withImported("lemon_squeezy", documents, async (base, report) => {
  assert.equal(report.imported, 1);
  const send = globalThis.fetch;
  globalThis.fetch = (url, options) => send(String(url).replace("https://api.lemonsqueezy.com", base), options);

  const known = await validateLicense(key, oldDevice);
  assert.equal(known.error, null);
  assert.deepEqual([known.data.valid, known.data.instance.name, known.data.meta.product_id], [true, "Old Mac", 15]);
  const taken = await activateLicense(key, "New Mac");
  assert.deepEqual([taken.data.activated, taken.data.license_key.activation_usage], [true, 2]);
  const full = await activateLicense(key, "Third Mac");
  assert.deepEqual([full.statusCode, full.error.cause],
    [400, "This license key has reached the activation limit."]);
  const freed = await deactivateLicense(key, taken.data.instance.id);
  assert.deepEqual([freed.data.deactivated, freed.data.license_key.activation_usage], [true, 1]);
  const unknown = await validateLicense("nobody");
  assert.deepEqual([unknown.statusCode, unknown.error.cause], [404, "license_key not found."]);
  console.log("Lemon Squeezy's client: validated, activated, refused, deactivated.");
});
