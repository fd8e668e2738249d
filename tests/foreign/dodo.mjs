// Dodo Payments' own client against our endpoint.

import assert from "node:assert/strict";
import DodoPayments from "dodopayments";
import { withImported } from "./shop.mjs";

const documents = [
  { items: [{ id: "lic_1", business_id: "bus_1", customer_id: "cus_1", product_id: "pdt_1", key: "DODO-1",
    status: "active", activations_limit: 2, instances_count: 1, expires_at: null,
    created_at: "2024-01-24T14:15:07Z" }] },
  { items: [{ id: "lki_1", business_id: "bus_1", license_key_id: "lic_1", name: "Old Mac",
    created_at: "2024-02-01T00:00:00Z" }] },
  { items: [{ customer_id: "cus_1", business_id: "bus_1", email: "ada@example.com", name: "Ada" }] },
];

await withImported("dodo", documents, async (base) => {
  const client = new DodoPayments({ bearerToken: "none", baseURL: base, maxRetries: 0 });
  const license_key = "DODO-1";
  const known = await client.licenses.validate({ license_key, license_key_instance_id: "lki_1" });
  assert.equal(known.valid, true);
  const taken = await client.licenses.activate({ license_key, name: "New Mac" });
  assert.deepEqual([taken.name, taken.customer.email, taken.product.product_id],
    ["New Mac", "ada@example.com", "pdt_1"]);
  const refused = (status, code) => (error) => {
    assert.deepEqual([error.status, error.error.code], [status, code]);
    return true;
  };
  await assert.rejects(client.licenses.activate({ license_key, name: "Third" }),
    refused(422, "LICENSE_KEY_LIMIT_REACHED"));
  await assert.rejects(client.licenses.activate({ license_key: "nobody", name: "a" }),
    refused(404, "LICENSE_KEY_NOT_FOUND"));
  await client.licenses.deactivate({ license_key, license_key_instance_id: taken.id });
  const gone = await client.licenses.validate({ license_key, license_key_instance_id: taken.id });
  assert.equal(gone.valid, false);
  console.log("Dodo's client: validated, activated, refused, deactivated.");
});
