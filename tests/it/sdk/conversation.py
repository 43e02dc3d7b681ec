"""Conversations with the official Python libraries, each through a failover after its first turn."""

import json
import os

import anthropic
import openai

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FIRST, SECOND = "first question", "second question"


def expect(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def from_profile(raw, name):
    expect(raw.headers["x-tundra-profile"], name)
    expect(raw.headers["x-tundra-attempts"], "1" if name == "first" else "2")


def messages():
    client = anthropic.Anthropic(base_url=URL, auth_token=KEY, max_retries=0)
    ask = {"model": "some-model", "max_tokens": 100}
    turns = [{"role": "user", "content": FIRST}]

    raw = client.messages.with_raw_response.create(messages=turns, **ask)
    from_profile(raw, "first")
    answer = raw.parse()
    expect(answer.content[0].text, "Hi")
    expect(answer.usage.output_tokens, 7)
    turns += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": SECOND}]

    raw = client.messages.with_raw_response.create(messages=turns, **ask)
    from_profile(raw, "second")
    expect(raw.parse().content[0].text, "Hi")

    with client.messages.stream(messages=turns, **ask) as stream:
        expect("".join(stream.text_stream), "Hi there!")
        final = stream.get_final_message()
        expect(final.stop_reason, "end_turn")
        expect(final.usage.output_tokens, 7)
        expect(stream.response.headers["x-tundra-profile"], "second")

    tools = [{"name": "get_weather", "description": "w", "input_schema": SCHEMA}]
    call = client.messages.create(messages=turns, tools=tools, **ask)
    expect(call.stop_reason, "tool_use")
    expect(call.content[0].input, {"city": "Oslo"})
    with client.messages.stream(messages=turns, tools=tools, **ask) as stream:
        call = stream.get_final_message()
    expect(call.content[0].input, {"city": "Oslo"})
    turns += [
        {"role": "assistant", "content": call.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.content[0].id, "content": "rain"}]},
    ]
    with client.messages.stream(messages=turns, tools=tools, **ask) as stream:
        expect(stream.get_final_text(), "Hi there!")

    try:
        client.with_options(auth_token="wrong").messages.create(messages=turns, **ask)
        raise AssertionError("a wrong key was let in")
    except anthropic.AuthenticationError as error:
        assert "invalid key" in error.message, error.message


def chat():
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
    turns = [{"role": "user", "content": FIRST}]
    create = client.chat.completions

    raw = create.with_raw_response.create(model="some-model", messages=turns)
    from_profile(raw, "first")
    answer = raw.parse()
    expect(answer.choices[0].message.content, "Hi")
    turns += [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": SECOND}]

    raw = create.with_raw_response.create(model="some-model", messages=turns)
    from_profile(raw, "second")
    expect(raw.parse().usage.completion_tokens, 7)

    text, usage = "", None
    for chunk in create.create(
        model="some-model", messages=turns, stream=True, stream_options={"include_usage": True}
    ):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        usage = chunk.usage or usage
    expect(text, "Hi there!")
    expect(usage.completion_tokens, 7)

    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    call = create.create(model="some-model", messages=turns, tools=tools).choices[0].message.tool_calls[0]
    expect(json.loads(call.function.arguments), {"city": "Oslo"})
    arguments = ""
    for chunk in create.create(model="some-model", messages=turns, tools=tools, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            arguments += part.function.arguments or ""
    expect(json.loads(arguments), {"city": "Oslo"})
    turns += [
        {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    answer = create.create(model="some-model", messages=turns, tools=tools)
    expect(answer.choices[0].message.content, "Hi")

    try:
        client.with_options(api_key="wrong").chat.completions.create(model="m", messages=turns)
        raise AssertionError("a wrong key was let in")
    except openai.AuthenticationError as error:
        assert "invalid key" in error.message, error.message


def responses():
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
    raw = client.responses.with_raw_response.create(model="some-model", input=FIRST)
    from_profile(raw, "first")
    expect(raw.parse().output_text, "Hi")

    raw = client.responses.with_raw_response.create(model="some-model", input=SECOND)
    from_profile(raw, "second")
    expect(raw.parse().usage.output_tokens, 7)

    with client.responses.stream(model="some-model", input=SECOND) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        expect("".join(deltas), "Hi there!")
        expect(stream.get_final_response().output_text, "Hi there!")

    tools = [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}]
    call = client.responses.create(model="some-model", input=SECOND, tools=tools).output[0]
    expect(json.loads(call.arguments), {"city": "Oslo"})
    with client.responses.stream(model="some-model", input=SECOND, tools=tools) as stream:
        call = stream.get_final_response().output[0]
    expect(json.loads(call.arguments), {"city": "Oslo"})
    turns = [
        {"role": "user", "content": SECOND},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": call.arguments},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
    ]
    expect(client.responses.create(model="some-model", input=turns, tools=tools).output_text, "Hi")


# One that only a profile of another dialect can take over is translated.
for conversation in os.environ.get("CONVERSATIONS", "messages chat responses").split():
    globals()[conversation]()
print("all conversations held")
