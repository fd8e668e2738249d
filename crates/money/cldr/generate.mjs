// Writes src/display/table.rs: what Unicode CLDR knows about writing money, for the languages below.
// Run `npm install && npm run generate` in this folder after changing a CLDR version in package.json
// or a row in src/currency/table.rs. Relies on the JSON packages of CLDR; the build itself never runs it.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const packageFolder = (name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
const json = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));
const core = packageFolder("cldr-core");
const numbers = packageFolder("cldr-numbers-full");
const version = json(numbers, "package.json").version;

// Languages with every region and script variant that CLDR has for them. A locale of another language
// is written as English.
const languages = `
  af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk
  km kn ko ky lo lt lv mk ml mn mr ms mt my nb ne nl nn no pa pl pt ro ru si sk sl sq sr sv sw ta te th tr uk
  ur uz vi zh`.trim().split(/\s+/);

// Scripts that CLDR has only basic data for and ICU does not carry: written as their language.
const leftOut = /^(az-Arab|en-Dsrt|en-Shaw|kk-Arab|mn-Mong|ms-Arab|zh-Latn)/;

const codes = [...readFileSync(join(here, "../src/currency/table.rs"), "utf8").matchAll(/^\s+([A-Z]{3}) \d/gm)]
  .map((match) => match[1]);
const systems = json(core, "supplemental/numberingSystems.json").supplemental.numberingSystems;
const likely = json(core, "supplemental/likelySubtags.json").supplemental.likelySubtags;

const refuse = (why) => {
  throw new Error(why);
};

// Letters beside digits need a space, currency signs do not: [[:^S:]&[:^Z:]] in CLDR's words. The Rust side
// decides it without Unicode tables, by the ranges that are repeated here; this check keeps the two agreeing.
const closesUp = (char) => /[$\u{a2}-\u{a5}\u{20a0}-\u{20cf}\u{ffe0}-\u{ffe6}\u{58f}\u{60b}\u{9f2}\u{9f3}\u{e3f}\u{17db}\u{a0}\u{202f} ]/u.test(char);
function checkSymbol(tag, symbol) {
  const chars = [...symbol];
  for (const char of [chars[0], chars.at(-1)]) {
    if (/[\p{S}\p{Z}]/u.test(char) !== closesUp(char)) refuse(`${tag}: the symbol ${symbol} touches digits in a new way`);
  }
}

function grouping(digits) {
  const parts = digits.split(".")[0].split(",");
  if (parts.length === 1) return [0, 0];
  const primary = parts.at(-1).length;
  return [primary, parts.length > 2 ? parts.at(-2).length : primary];
}

function pattern(text) {
  if (text.includes("'")) refuse(`quoted text in the pattern ${text}`);
  const [positive, negative] = text.split(";").map((half) => half.match(/^([^#0]*)([#0][#0,.]*)(.*)$/u).slice(1));
  return {
    grouping: grouping(positive[1]),
    positive: [positive[0], positive[2]],
    negative: negative ? [negative[0], negative[2]] : [`-${positive[0]}`, positive[2]],
  };
}

function read(tag) {
  const data = json(numbers, "main", tag, "numbers.json").main[tag].numbers;
  const system = data.defaultNumberingSystem;
  const signs = data[`symbols-numberSystem-${system}`];
  const money = data[`currencyFormats-numberSystem-${system}`];
  for (const side of ["beforeCurrency", "afterCurrency"]) {
    const rule = money.currencySpacing[side];
    const known = rule.currencyMatch === "[[:^S:]&[:^Z:]]" && rule.surroundingMatch === "[:digit:]";
    if (!known || rule.insertBetween !== "\u{a0}") refuse(`${tag}: a new rule for the space beside a currency`);
  }
  const count = pattern(data[`decimalFormats-numberSystem-${system}`].standard);
  if (count.positive.join("") !== "") refuse(`${tag}: plain numbers carry a prefix or suffix`);
  const price = pattern(money.standard);
  const shapeOf = (price, own) => ({
    zero: [...systems[system]._digits][0],
    minus: signs.minusSign,
    minimum_grouping: Number(data.minimumGroupingDigits),
    number: { group: signs.group, grouping: count.grouping, negative: count.negative },
    money: {
      decimal: own.decimal ?? signs.currencyDecimal ?? signs.decimal,
      group: own.group ?? signs.currencyGroup ?? signs.group,
      grouping: price.grouping,
      positive: price.positive,
      negative: price.negative,
    },
  });
  const shape = shapeOf(price, {});
  let split = false;
  const symbols = new Map();
  for (const [code, names] of Object.entries(json(numbers, "main", tag, "currencies.json").main[tag].numbers.currencies)) {
    if (!codes.includes(code)) continue;
    if (names.pattern || names.decimal || names.group) {
      const own = shapeOf(names.pattern ? pattern(names.pattern) : price, names);
      split ||= shapeText(own) !== shapeText(shape);
    }
    const symbol = names.symbol ?? code;
    checkSymbol(tag, symbol);
    symbols.set(code, symbol);
  }
  return { shape, symbols, split };
}

// Invisible characters are written as escapes, so that a reader sees them.
const text = (value) =>
  `"${[...value].map((c) => (/[\p{Cf}\p{Z}\p{M}"\\]/u.test(c) && c !== " " ? `\\u{${c.codePointAt(0).toString(16)}}` : c)).join("")}"`;
const pair = ([first, second]) => `(${text(first)}, ${text(second)})`;

const shapes = [];
const symbolSets = [];
const intern = (list, value) => {
  const at = list.indexOf(value);
  return at >= 0 ? at : list.push(value) - 1;
};

const shapeText = ({ zero, minus, minimum_grouping, number, money }) =>
  `Shape { zero: '${zero}', minus: ${text(minus)}, minimum_grouping: ${minimum_grouping}, ` +
  `number: Digits { group: ${text(number.group)}, primary: ${number.grouping[0]}, secondary: ${number.grouping[1]} }, ` +
  `money: Digits { group: ${text(money.group)}, primary: ${money.grouping[0]}, secondary: ${money.grouping[1]} }, ` +
  `decimal: ${text(money.decimal)}, number_negative: ${pair(number.negative)}, ` +
  `positive: ${pair(money.positive)}, negative: ${pair(money.negative)} }`;
const symbolsText = (entries) => `&[${entries.map(pair).join(", ")}]`;

const row = (shape, symbols, own) => ({
  shape: intern(shapes, shapeText(shape)),
  symbols,
  own: intern(symbolSets, symbolsText(own)),
});
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const rows = new Map();
const bases = new Map();
for (const language of languages) {
  const { shape, symbols, split } = read(language);
  if (split) refuse(`${language} writes a currency in a pattern of its own`);
  const named = [...symbols].filter(([code, symbol]) => code !== symbol).sort();
  bases.set(language, symbols);
  rows.set(language, row(shape, intern(symbolSets, symbolsText(named)), []));
}
const variants = readdirSync(join(numbers, "main"))
  .filter((tag) => /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?$/.test(tag) && tag.includes("-"))
  .filter((tag) => languages.includes(tag.split("-")[0]) && !leftOut.test(tag))
  .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
const fallback = (tag) => {
  const parent = tag.slice(0, tag.lastIndexOf("-"));
  return rows.get(parent) ?? fallback(parent);
};
for (const tag of variants) {
  const [language] = tag.split("-");
  const base = bases.get(language);
  const { shape, symbols, split } = read(tag);
  // English in the euro area and pt-CV write one currency unlike all others, and ICU reads that data in a way
  // of its own (en-DE: 1.234,50 for no currency at all). They are written as their language instead.
  if (split) continue;
  const own = [...symbols].filter(([code, symbol]) => (base.get(code) ?? code) !== symbol).sort();
  const entry = row(shape, rows.get(language).symbols, own);
  if (!same(entry, fallback(tag))) rows.set(tag, entry);
}
// "zh-TW" says Traditional without naming the script.
for (const [short, full] of Object.entries(likely)) {
  const [language, script, region] = full.split("-");
  if (!/^[a-z]+-[A-Z]{2}$/.test(short) || rows.has(short) || !rows.has(language)) continue;
  const entry = rows.get(full) ?? rows.get(`${language}-${script}`);
  if (entry && !same(entry, rows.get(language))) rows.set(`${language}-${region}`, entry);
}

const lines = [
  `// Generated from Unicode CLDR ${version} by cldr/generate.mjs; not edited by hand.`,
  "// CLDR data: Copyright 2004-2025 Unicode, Inc., under the Unicode License V3 (cldr/LICENSE-UNICODE).",
  "",
  "use super::{Digits, Locale, Shape};",
  "",
  "/// The edition of CLDR that every string comes from.",
  `pub(crate) const CLDR_VERSION: &str = "${version}";`,
  "",
  "#[rustfmt::skip]",
  `pub(super) static SHAPES: [Shape; ${shapes.length}] = [`,
  ...shapes.map((shape) => `    ${shape},`),
  "];",
  "",
  "#[rustfmt::skip]",
  `pub(super) static SYMBOLS: [&[(&str, &str)]; ${symbolSets.length}] = [`,
  ...symbolSets.map((set) => `    ${set},`),
  "];",
  "",
  "#[rustfmt::skip]",
  `pub(super) static LOCALES: [Locale; ${rows.size}] = [`,
  ...[...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([tag, { shape, symbols, own }]) =>
    `    Locale { tag: "${tag}", shape: &SHAPES[${shape}], symbols: SYMBOLS[${symbols}], own_symbols: SYMBOLS[${own}] },`),
  "];",
  "",
];
const target = join(here, "../src/display/table.rs");
writeFileSync(target, lines.join("\n"));
if (existsSync(join(numbers, "LICENSE"))) {
  writeFileSync(join(here, "LICENSE-UNICODE"), readFileSync(join(numbers, "LICENSE")));
}
execFileSync("rustfmt", ["--check", "--edition", "2024", target], { stdio: "inherit" });
process.stdout.write(`CLDR ${version}: ${rows.size} locales, ${shapes.length} shapes, ${symbolSets.length} symbol sets\n`);
