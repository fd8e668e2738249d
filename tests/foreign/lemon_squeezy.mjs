// Lemon Squeezy's own client against our endpoint: a key and a device that were sold there go on here.
// The client has its host built in, so what it fetches is sent to us instead.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { activateLicense, deactivateLicense, validateLicense } from "@lemonsqueezy/lemonsqueezy.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const latchkey = process.env.LATCHKEY_BINARY ?? join(root, "target/debug/latchkey");
const folder = mkdtempSync(join(tmpdir(), "latchkey-lemon-squeezy-"));
const key = "38b1460a-5104-4067-a91d-77b872934d51";
const oldDevice = "f90ec370-fd83-46a5-8bbd-44a241e78665";
const sold = { store_id: 11, order_id: 13, product_id: 15, user_email: "ada@example.com", key, activation_limit: 2,
  instances_count: 1, disabled: 0, created_at: "2021-01-24T14:15:07.000000Z", expires_at: null };
const seat = { license_key_id: 1, identifier: oldDevice, name: "Old Mac", created_at: "2021-04-06T14:15:07.000000Z" };
const file = join(folder, "export.json");
writeFileSync(file, JSON.stringify({ data: [{ type: "license-keys", id: "1", attributes: sold }] })
  + JSON.stringify({ data: [{ type: "license-key-instances", id: "9", attributes: seat }] }));

const demo = spawn(latchkey, ["demo", "--listen", "127.0.0.1:0", "--data", folder, "--json"],
  { stdio: ["ignore", "pipe", "ignore"] });
try {
  const shop = await new Promise((resolve, reject) => {
    let told = "";
    demo.stdout.on("data", (piece) => {
      told += piece;
      if (told.includes("\n")) resolve(JSON.parse(told.split("\n")[0]));
    });
    demo.on("exit", (code) => reject(new Error(`the demo ended with ${code}`)));
  });
  const report = execFileSync(latchkey,
    ["import", "lemon_squeezy", file, "--plan", "lumen-personal", "--data", folder, "--json"]);
  assert.equal(JSON.parse(report).imported, 1);

  const base = new URL("compat/lemon_squeezy", shop.storefront).href;
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
} finally {
  demo.kill();
  rmSync(folder, { recursive: true, force: true });
}
