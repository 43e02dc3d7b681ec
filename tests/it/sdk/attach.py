"""A plain WebSocket client, without the subprotocol, at a tundra that runs: terminals by HTTP, then their bytes."""

import hashlib
import json
import os
import threading
import time
import urllib.error
import urllib.request

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

URL = os.environ["REMOTE_URL"]
TOKEN = os.environ["REMOTE_TOKEN"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE = 30
MEBIBYTE = 1 << 20


def expect(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def http(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, BEARER, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def terminal(script, **options):
    options.setdefault("persistent", True)
    status, facts = http("POST", "/api/terminals", {"command": "sh", "args": ["-c", script], **options})
    expect(status, 201)
    return facts["id"]


def facts(id):
    return http("GET", f"/api/terminals/{id}")[1]


def eventually(what, condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"not in time: {what}"
        time.sleep(0.02)


def attach(id, headers=BEARER, **options):
    url = URL.replace("http://", "ws://") + f"/ws/terminal/{id}"
    return connect(url, additional_headers=headers, max_size=None, compression=None, proxy=None, **options)


def read_until(socket, mark, seen=b""):
    while mark not in seen:
        message = socket.recv(timeout=PATIENCE)
        if isinstance(message, bytes):
            seen += message
    return seen


def refused(wanted, id, **options):
    try:
        with attach(id, **options):
            raise AssertionError(f"{id} was let in, {options}")
    except InvalidStatus as refusal:
        answer = refusal.response
        expect((answer.status_code, json.loads(answer.body)["error"]["code"]), wanted)


def close_code(socket):
    try:
        while True:
            socket.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def screen_then_bytes():
    id = terminal("printf 'painted\\r\\n'; stty raw -echo; printf ready; exec cat")
    with attach(id) as socket:
        expect(socket.subprotocol, None)
        first = read_until(socket, b"ready")
        assert b"painted" in first, first
        # Bytes that are no UTF-8, and each way to type them.
        every = bytes(range(256))
        socket.send(every)
        expect(read_until(socket, every), every)
        for message, typed in [
            ("text, ü, \r", "text, ü, \r"),
            ('{"type":"input","data":"ordered, ß\\r"}', "ordered, ß\r"),
            ('{"type":"ping"', '{"type":"ping"'),
            ("[1, 2]", "[1, 2]"),
        ]:
            socket.send(message)
            expect(read_until(socket, typed.encode()), typed.encode())
        socket.send('{"type":"nothing that is known","data":"not typed"}')
        socket.send("typed")
        expect(read_until(socket, b"typed"), b"typed")


def sizes():
    id = terminal("stty raw -echo; printf ready; while read -r go; do stty size; done")
    with attach(id) as socket:
        read_until(socket, b"ready")
        socket.send('{"type":"resize","cols":101,"rows":31}')
        socket.send("go\n")
        read_until(socket, b"31 101")
    expect([facts(id)[key] for key in ("cols", "rows")], [101, 31])


def pings():
    id = terminal("printf ready; exec cat")
    with attach(id) as socket:
        read_until(socket, b"ready")
        socket.send('{"type":"ping"}')
        expect(json.loads(socket.recv(timeout=PATIENCE)), {"type": "pong"})
        assert socket.ping(b"there?").wait(PATIENCE)


def lines(count):
    return b"".join(b"line %d\n" % number for number in range(1, count + 1))


def returns():
    """Leaves and comes back within the grace until all has been read: nothing is lost, nothing doubled."""
    count = 60_000
    pace = "[ $((i % 200)) -gt 0 ] || read -r go"
    script = f"stty raw -echo; printf ready; i=0; while [ $i -lt {count} ]; do {pace}; i=$((i+1)); echo line $i; done"
    id = terminal(script + "; exec cat >/dev/null")
    end = b"line %d\n" % count
    got = b""
    visits = 0
    while not got.endswith(end):
        with attach(id) as socket:
            visits += 1
            if visits == 1:
                read_until(socket, b"ready")
            # Asks for some hundred lines, reads a part of them, and leaves in the middle of the rest.
            for _ in range(visits % 7):
                socket.send("go\n")
                got += socket.recv(timeout=PATIENCE)
                if got.endswith(end):
                    break
            got += drained(socket)
        assert visits < 1000, got[-100:]
    assert visits > 50, visits
    same(got, lines(count))


def same(found, wanted):
    """Of two long texts, shows where they part."""
    if found != wanted:
        parted = next((at for at, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
        around = slice(max(parted - 60, 0), parted + 200)
        raise AssertionError(f"{len(found)} and {len(wanted)} bytes part at {parted}: {found[around]!r} is not {wanted[around]!r}")


def drained(socket):
    """Closes, and gives what was on its way."""
    closing = threading.Thread(target=socket.close)
    closing.start()
    rest = b""
    try:
        while True:
            rest += socket.recv(timeout=PATIENCE)
    except ConnectionClosed:
        closing.join()
        return rest


def two_viewers():
    count = 60_000
    number = f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo line $i; done"
    id = terminal(f"stty raw -echo; printf ready; read -r go; {number}; exec cat")
    with attach(id) as first, attach(id) as second:
        for socket in (first, second):
            read_until(socket, b"ready")
        expect(facts(id)["viewers"], 2)
        first.send("go\n")
        end = b"line %d\n" % count
        both = [read_until(socket, end) for socket in (first, second)]
    expect([hashlib.sha256(seen).digest() for seen in both], [hashlib.sha256(lines(count)).digest()] * 2)


def refusals():
    id = terminal("exec cat")
    refused((401, "unauthorized"), id, headers={})
    refused((401, "unauthorized"), id, headers={"Authorization": "Bearer " + "0" * len(TOKEN)})
    refused((403, "forbidden"), id, origin="http://elsewhere.example")
    refused((400, "bad_request"), "not-a-uuid")
    refused((404, "not_found"), "00000000-0000-4000-8000-000000000000")
    with attach(id, origin=URL):
        pass
    expect(http("DELETE", f"/api/terminals/{id}")[0], 204)
    eventually("the terminal is dead", lambda: facts(id)["status"] == "dead")
    refused((410, "gone"), id)


def gone_after_the_grace():
    id = terminal("exec cat", persistent=False)
    with attach(id):
        expect(facts(id)["status"], "active")
    eventually("nobody came back", lambda: facts(id)["status"] == "dead")
    refused((410, "gone"), id)


def limits():
    id = terminal(f"stty raw -echo; printf ready; head -c {MEBIBYTE} | sha256sum; exec cat")
    with attach(id) as socket:
        read_until(socket, b"ready")
        # One of the largest size that passes.
        largest = bytes(range(1, 129)) * (MEBIBYTE // 128)
        socket.send(largest)
        read_until(socket, hashlib.sha256(largest).hexdigest().encode())
    with attach(id) as socket:
        try:
            socket.send(b"x" * (MEBIBYTE + 1))
        except ConnectionClosed:
            pass
        expect(close_code(socket), 1009)
    with attach(id) as socket:
        socket.send(b"\xff\xfe", text=True)
        expect(close_code(socket), 1007)


def ends_in_order():
    id = terminal("stty -echo; printf ready; read -r go; printf 'last words'; exit 7")
    with attach(id) as socket:
        read_until(socket, b"ready")
        socket.send("go\r")
        read_until(socket, b"last words")
        expect(close_code(socket), 1000)
    eventually("the end is known", lambda: facts(id)["exit"] == {"code": 7, "signal": None})


def clear():
    for each in http("GET", "/api/terminals")[1]:
        expect(http("DELETE", f"/api/terminals/{each['id']}")[0], 204)
        eventually("it is dead", lambda: facts(each["id"])["status"] == "dead")


for part in (
    screen_then_bytes, sizes, pings, returns, two_viewers, refusals, gone_after_the_grace, limits, ends_in_order
):
    started = time.monotonic()
    part()
    clear()
    print(f"{part.__name__}: {time.monotonic() - started:.1f} s", flush=True)
print("all of it held")
