// Polar's own client against our endpoint, in each of the editions that it speaks.

import assert from "node:assert/strict";
import { withImported } from "./shop.mjs";

const key = "LUMEN-1C285B2D-6CE6-4BC7-B8BE-ADB6A7E304DA";
const organization = "22222222-2222-4222-8222-222222222222";
const oldDevice = "55555555-5555-4555-8555-555555555555";
const documents = [{ id: "11111111-1111-4111-8111-111111111111", organization_id: organization,
  customer_id: "33333333-3333-4333-8333-333333333333", benefit_id: "44444444-4444-4444-8444-444444444444",
  customer: { email: "ada@example.com", name: "Ada" }, key, status: "granted", limit_activations: 2, usage: 0,
  limit_usage: 5, created_at: "2024-01-24T14:15:07Z", expires_at: null,
  activations: [{ id: oldDevice, label: "Old Mac", meta: {}, created_at: "2024-02-01T00:00:00Z" }] }];

await withImported("polar", documents, async (base) => {
  let usage = 0;
  for (const edition of ["2026-04", "2026-10", "2027-01"]) {
    const { createPolar } = await import(`@polar-sh/sdk/${edition}`);
    const keys = createPolar({ accessToken: "none", baseUrl: base }).customerPortal.licenseKeys;
    const asked = { key, organization_id: organization };
    usage += 1;
    const known = await keys.validate({ ...asked, activation_id: oldDevice, increment_usage: 1 });
    assert.deepEqual([known.status, known.activation.label, known.usage, known.limit_activations],
      ["granted", "Old Mac", usage, 2]);
    const taken = await keys.activate({ ...asked, label: "New Mac", conditions: { major: 2 }, meta: { os: "15" } });
    assert.deepEqual([taken.label, taken.meta, taken.license_key.key], ["New Mac", { os: "15" }, key]);
    await assert.rejects(keys.activate({ ...asked, label: "Third Mac" }), (error) => {
      assert.match(JSON.stringify(error) + error.message, /activation limit already reached|403/);
      return true;
    });
    await assert.rejects(keys.validate({ ...asked, activation_id: taken.id }));
    const met = await keys.validate({ ...asked, activation_id: taken.id, conditions: { major: 2 } });
    assert.equal(met.activation.id, taken.id);
    await keys.deactivate({ ...asked, activation_id: taken.id });
    await assert.rejects(keys.validate({ ...asked, activation_id: taken.id, conditions: { major: 2 } }));
    await assert.rejects(keys.validate({ ...asked, key: "nobody" }));
  }
  console.log("Polar's client: validated, activated, refused, deactivated, in three editions.");
});
