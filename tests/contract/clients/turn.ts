// A client in TypeScript with the types that openapi-typescript makes of the document. `tsc --strict` checks it.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { env: Record<string, string | undefined> };

type Schemas = components["schemas"];

const { COLLOQUY_URL: baseUrl, COLLOQUY_TOKEN: token } = process.env;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

function textOf(blocks: Schemas["ContentBlock"][]): string {
  return blocks.map((block) => (block.type === "text" ? block.text : "")).join("");
}

async function conversation(): Promise<string> {
  const { data, error } = await client.POST("/api/conversations/", { body: { title: "Typed", max_tokens: 200 } });
  if (error) throw new Error(error.error.message);
  return data.id;
}

async function asked(id: string, content: Schemas["ContentParam"]): Promise<Schemas["Turn"]> {
  const { data, error } = await client.POST("/api/conversations/{id}/turns/", {
    params: { path: { id }, query: { wait: true } },
    headers: { Accept: "application/json" },
    body: { content },
  });
  if (error) throw new Error(error.error.message);
  if (!data || !("status" in data)) throw new Error("A stream was not asked for.");
  return data;
}

async function* streamed(id: string, content: string): AsyncGenerator<Schemas["TurnEvent"]> {
  const { data, error } = await client.POST("/api/conversations/{id}/turns/", {
    params: { path: { id } },
    headers: { Accept: "text/event-stream" },
    body: { content },
    parseAs: "text",
  });
  if (error) throw new Error(error.error.message);
  for (const frame of (data ?? "").split("\n\n")) {
    const line = frame.split("\n").find((each) => each.startsWith("data: "));
    if (line) yield JSON.parse(line.slice("data: ".length));
  }
}

const id = await conversation();
const turn = await asked(id, [{ type: "text", text: "Hello" }]);
let text = "";
let cost: string | null = null;
for await (const event of streamed(id, "Again")) {
  if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text;
  if (event.type === "turn_end") cost = event.cost;
}
const refused = await client.POST("/api/conversations/{id}/turns/", { params: { path: { id } }, body: {} });
const kind: Schemas["ErrorType"] | undefined = refused.error?.error.type;

console.log(JSON.stringify({ status: turn.status, said: textOf(turn.messages[0].content), text, cost, kind }));
