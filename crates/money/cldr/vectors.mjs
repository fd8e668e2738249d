// Writes tests/display_vectors.tsv: how ICU, through Intl of a Node built with the same CLDR, writes amounts.
// It shares no code or data file with generate.mjs beyond the list of currencies and of locale tags, so the
// two can only agree by both being right. The edition of CLDR is checked before anything is written.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const read = (path) => readFileSync(join(here, path), "utf8");

const wanted = JSON.parse(read("package.json")).dependencies["cldr-core"];
if (!wanted.startsWith(process.versions.cldr)) {
  throw new Error(`this Node knows CLDR ${process.versions.cldr}, the table is made from ${wanted}`);
}

const exponents = new Map(
  [...read("../src/currency/table.rs").matchAll(/^\s+([A-Z]{3}) \d+ (\d)/gm)].map((match) => [match[1], Number(match[2])]),
);
const tags = [...read("../src/display/table.rs").matchAll(/tag: "([^"]+)"/g)].map((match) => match[1]);
const shopLanguages = `
  en en-US en-IN en-GB de de-DE de-CH de-AT fr fr-FR es it nl pt pt-BR pl tr ko ko-KR ja ja-JP zh zh-TW ar ar-EG he
  fa fa-IR hi sv da nb fi cs uk ru`.trim().split(/\s+/);

function major(minor, exponent) {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, "0");
  const cut = digits.length - exponent;
  return `${minor < 0n ? "-" : ""}${digits.slice(0, cut)}${exponent > 0 ? `.${digits.slice(cut)}` : ""}`;
}

const rows = new Map();
function money(tag, currency, minor) {
  const digits = exponents.get(currency);
  const format = new Intl.NumberFormat(tag, {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  rows.set([tag, currency, minor].join("\t"), format.format(major(minor, digits)));
}
function count(tag, number) {
  rows.set([tag, "", number].join("\t"), new Intl.NumberFormat(tag).format(number));
}

for (const tag of tags) {
  for (const currency of ["EUR", "USD"]) {
    money(tag, currency, 123456n);
    money(tag, currency, -123456789n);
  }
  money(tag, "CHF", 5n);
  money(tag, "KWD", -1234567n);
  count(tag, -1234n);
  count(tag, 123456789n);
}
for (const tag of shopLanguages) {
  for (const currency of exponents.keys()) money(tag, currency, 1234567n);
  for (const currency of ["EUR", "USD", "JPY", "KRW", "KWD", "IRR", "CHF", "INR"]) {
    for (const minor of [0n, 1n, -1n, 99999n, -100000n, 9223372036854775807n, -9223372036854775808n]) {
      money(tag, currency, minor);
    }
  }
  for (const number of [0n, 7n, 999n, 9999n, 10000n, -9223372036854775808n]) count(tag, number);
}
for (const [tag, currency] of [["en-AT", "EUR"], ["es-VE", "VES"], ["tr-CY", "TRY"], ["zh-MO", "MOP"]]) {
  money(tag, currency, -123456n);
}

const lines = [...rows].map(([key, text]) => `${key}\t${text}`);
const head = `# CLDR ${process.versions.cldr}, ICU ${process.versions.icu}, by cldr/vectors.mjs: locale, currency (none: a plain number), minor units, text`;
writeFileSync(join(here, "../tests/display_vectors.tsv"), `${[head, ...lines].join("\n")}\n`);
process.stdout.write(`${rows.size} vectors\n`);
