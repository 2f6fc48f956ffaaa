// The relay that a Node user would write: it streams to the client, and keeps nothing.
import Anthropic from "@anthropic-ai/sdk";
import express from "express";

const claude = new Anthropic({ apiKey: "benchmark", baseURL: process.env.ANTHROPIC_BASE_URL });
const app = express();
app.use(express.json());

app.get("/healthz", (request, response) => response.json({ status: "ok" }));

app.post("/ask", async (request, response) => {
  response.setHeader("Content-Type", "text/event-stream");
  const stream = claude.messages.stream({
    model: "claude-sonnet-4-6",
    max_tokens: 1024,
    messages: [{ role: "user", content: request.body.content }],
  });
  stream.on("text", (text) => response.write(`data: ${JSON.stringify({ token: text })}\n\n`));
  await stream.finalMessage();
  response.end();
});

app.listen(Number(process.env.PORT), "127.0.0.1");
