// Reads the AsyncAPI document that its argument names, with AsyncAPI's own parser, and prints what is wrong with it.
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const wrong = diagnostics.filter(({ severity }) => severity < 2);
for (const { path, message } of wrong) console.log(path.join("."), message);
process.exit(document && wrong.length === 0 ? 0 : 1);
