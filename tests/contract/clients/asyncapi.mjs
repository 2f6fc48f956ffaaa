// Reads an AsyncAPI document with AsyncAPI's own parser, both named by arguments, and prints what is wrong with it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [parser, file] = process.argv.slice(2);
globalThis.self = globalThis; // where the parser, which is made for browsers, looks for what they all have
const Parser = createRequire(import.meta.url)(parser);

const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
const wrong = diagnostics.filter(({ severity }) => severity < 2);
for (const { path, message } of wrong) console.log(path.join("."), message);
process.exit(document && wrong.length === 0 ? 0 : 1);
