// Conversations with the official TypeScript libraries, each through a failover after its first turn.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.NODE_MODULES, "x.js"));
const { Anthropic } = require("@anthropic-ai/sdk");
const { OpenAI } = require("openai");

const url = process.env.GATEWAY_URL;
const key = process.env.GATEWAY_KEY;
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const [FIRST, SECOND] = ["first question", "second question"];
const oslo = { city: "Oslo" };

function fromProfile(response, name) {
  assert.equal(response.headers.get("x-tundra-profile"), name);
  assert.equal(response.headers.get("x-tundra-attempts"), name === "first" ? "1" : "2");
}

async function messages() {
  const client = new Anthropic({ baseURL: url, authToken: key, apiKey: null, maxRetries: 0 });
  const ask = { model: "some-model", max_tokens: 100 };
  const turns = [{ role: "user", content: FIRST }];

  let { data, response } = await client.messages.create({ ...ask, messages: turns }).withResponse();
  fromProfile(response, "first");
  assert.equal(data.content[0].text, "Hi");
  turns.push({ role: "assistant", content: data.content }, { role: "user", content: SECOND });

  ({ data, response } = await client.messages.create({ ...ask, messages: turns }).withResponse());
  fromProfile(response, "second");
  assert.equal(data.usage.output_tokens, 7);

  let text = "";
  const stream = client.messages.stream({ ...ask, messages: turns }).on("text", (part) => (text += part));
  const final = await stream.finalMessage();
  assert.equal(text, "Hi there!");
  assert.equal(final.usage.output_tokens, 7);

  const tools = [{ name: "get_weather", input_schema: schema }];
  let call = await client.messages.create({ ...ask, messages: turns, tools });
  assert.deepEqual(call.content[0].input, oslo);
  call = await client.messages.stream({ ...ask, messages: turns, tools }).finalMessage();
  assert.deepEqual(call.content[0].input, oslo);
  turns.push(
    { role: "assistant", content: call.content },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain" }] },
  );
  assert.equal(await client.messages.stream({ ...ask, messages: turns, tools }).finalText(), "Hi there!");

  const stranger = new Anthropic({ baseURL: url, authToken: "wrong", apiKey: null, maxRetries: 0 });
  await assert.rejects(stranger.messages.create({ ...ask, messages: turns }), /invalid key/);
}

async function chat() {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const model = "some-model";
  const turns = [{ role: "user", content: FIRST }];
  const create = (more) => client.chat.completions.create({ model, messages: turns, ...more });

  let { data, response } = await create({}).withResponse();
  fromProfile(response, "first");
  assert.equal(data.choices[0].message.content, "Hi");
  turns.push({ role: "assistant", content: "Hi" }, { role: "user", content: SECOND });

  ({ data, response } = await create({}).withResponse());
  fromProfile(response, "second");

  let [text, usage] = ["", null];
  for await (const chunk of await create({ stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, "Hi there!");
  assert.equal(usage.completion_tokens, 7);

  const tools = [{ type: "function", function: { name: "get_weather", parameters: schema } }];
  const call = (await create({ tools })).choices[0].message.tool_calls[0];
  assert.deepEqual(JSON.parse(call.function.arguments), oslo);
  let streamed = "";
  for await (const chunk of await create({ tools, stream: true })) {
    for (const part of chunk.choices[0].delta.tool_calls ?? []) streamed += part.function.arguments ?? "";
  }
  assert.deepEqual(JSON.parse(streamed), oslo);
  turns.push(
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "call_1", content: "rain" },
  );
  assert.equal((await create({ tools })).choices[0].message.content, "Hi");

  const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "wrong", maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create({ model, messages: turns }), /invalid key/);
}

async function responses() {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const model = "some-model";
  let { data, response } = await client.responses.create({ model, input: FIRST }).withResponse();
  fromProfile(response, "first");
  assert.equal(data.output_text, "Hi");
  ({ data, response } = await client.responses.create({ model, input: SECOND }).withResponse());
  fromProfile(response, "second");

  let text = "";
  const stream = client.responses.stream({ model, input: SECOND });
  stream.on("response.output_text.delta", (event) => (text += event.delta));
  assert.equal((await stream.finalResponse()).output_text, "Hi there!");
  assert.equal(text, "Hi there!");

  const tools = [{ type: "function", name: "get_weather", parameters: schema, strict: false }];
  let call = (await client.responses.create({ model, input: SECOND, tools })).output[0];
  assert.deepEqual(JSON.parse(call.arguments), oslo);
  call = (await client.responses.stream({ model, input: SECOND, tools }).finalResponse()).output[0];
  assert.deepEqual(JSON.parse(call.arguments), oslo);
  const input = [
    { role: "user", content: SECOND },
    { type: "function_call", call_id: "call_1", name: "get_weather", arguments: call.arguments },
    { type: "function_call_output", call_id: "call_1", output: "rain" },
  ];
  assert.equal((await client.responses.create({ model, input, tools })).output_text, "Hi");
}

// One that only a profile of another dialect can take over is translated.
const conversations = { messages, chat, responses };
for (const name of (process.env.CONVERSATIONS ?? "messages chat responses").split(" ")) await conversations[name]();
console.log("all conversations held");
