// A demo shop with licenses that were sold elsewhere, for other people's clients.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const latchkey = process.env.LATCHKEY_BINARY ?? join(root, "target/debug/latchkey");

/** Takes an export over and calls `work` with the address that the system's apps ask. */
export async function withImported(system, documents, work) {
  const folder = mkdtempSync(join(tmpdir(), `latchkey-${system}-`));
  const file = join(folder, "export.json");
  writeFileSync(file, documents.map((document) => JSON.stringify(document)).join("\n"));
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
    const report = JSON.parse(execFileSync(latchkey,
      ["import", system, file, "--plan", "lumen-personal", "--data", folder, "--json"]));
    if (report.refused.length > 0) throw new Error(JSON.stringify(report));
    await work(new URL(`compat/${system}`, shop.storefront).href, report);
  } finally {
    demo.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
