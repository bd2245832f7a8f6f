import assert from "node:assert/strict";
import { test } from "node:test";
import { DEADLINE_MS, Http } from "../src/api/http.ts";
import { Live, type LiveListener, PAUSE_MS, PING_MS, pauseAfter, UNANSWERED_MAX } from "../src/api/live.ts";
import { type Refused, Unreachable } from "../src/api/problems.ts";
import type { Network, Socket } from "../src/api/types.ts";
import { failureOf } from "../src/client/failures.ts";
import { readLink, tidyNode } from "../src/client/keys.ts";

function answering(answer: () => Response, seen: [string, RequestInit][] = []): Network {
  return {
    fetch: async (address, init) => {
      seen.push([address, init]);
      return answer();
    },
    socket: () => assert.fail("no socket wanted"),
  };
}

test("requests carry the token as a header, never cookies, and JSON", async () => {
  const seen: [string, RequestInit][] = [];
  const network = answering(() => Response.json({ fine: true }), seen);
  const http = new Http(network, "https://node.example.org/below", () => "dG9rZW4");
  assert.deepEqual(await http.json("/rooms", { method: "POST", json: { room: "r" } }), { fine: true });
  await http.json("/accounts/challenge", { signed: false });
  const [[address, init], [, open]] = seen as [[string, RequestInit], [string, RequestInit]];
  assert.equal(address, "https://node.example.org/below/api/v1/rooms");
  assert.equal(init.credentials, "omit");
  assert.deepEqual(init.headers, { Authorization: "Bearer dG9rZW4", "Content-Type": "application/json" });
  assert.deepEqual(open.headers, {});
});

test("a problem document becomes a refusal that says what it is", async () => {
  const document = { type: "tag:hedgerow,2026:problem/too-fast", status: 429, detail: "Wait a little." };
  const body = () =>
    new Response(JSON.stringify(document), {
      status: 429,
      headers: { "Content-Type": "application/problem+json", "Retry-After": "7" },
    });
  const http = new Http(answering(body), "https://node.example.org", () => null);
  await assert.rejects(http.json("/x"), (problem: Refused) => {
    assert.deepEqual([problem.status, problem.kind, problem.retryAfter, problem.passing], [429, "too-fast", 7, true]);
    assert.equal(failureOf(problem).code, "slow-down");
    return true;
  });
  const proxy = new Http(
    answering(() => new Response("<html>", { status: 502 })),
    "https://node.example.org",
    () => null,
  );
  await assert.rejects(proxy.json("/x"), (problem: Refused) => problem.status === 502 && problem.passing);
  const nonsense = new Http(
    answering(() => new Response("<html>")),
    "https://node.example.org",
    () => null,
  );
  await assert.rejects(nonsense.json("/x"), Unreachable);
  const network = { ...answering(() => Response.error()), fetch: () => Promise.reject(new TypeError("fetch failed")) };
  await assert.rejects(new Http(network, "https://node.example.org", () => null).json("/x"), (problem: Unreachable) => {
    assert.equal(failureOf(problem).code, "offline");
    return problem instanceof Unreachable;
  });
});

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  readonly sent: unknown[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  says(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
}

/** A live channel with lent sockets and a clock that is moved by hand. */
function bench() {
  const sockets: FakeSocket[] = [];
  const said: string[] = [];
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const later = (milliseconds: number, run: () => void) => {
    const timer = { at: now + milliseconds, run };
    timers.push(timer);
    return () => {
      timers = timers.filter((each) => each !== timer);
    };
  };
  const pass = (milliseconds: number) => {
    const end = now + milliseconds;
    for (;;) {
      const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      timers = timers.filter((each) => each !== next);
      now = next.at;
      next.run();
    }
    now = end;
  };
  const listener: LiveListener = {
    hello: () => said.push("hello"),
    entries: (entries) => said.push(`entries ${entries.length}`),
    heads: () => said.push("heads"),
    welcomes: () => said.push("welcomes"),
    asks: () => said.push("asks"),
    notes: (rooms) => said.push(`notes ${rooms}`),
    moved: (rooms) => said.push(`moved ${rooms}`),
    down: () => said.push("down"),
    revoked: () => said.push("revoked"),
  };
  const network: Network = {
    fetch: () => assert.fail("no request wanted"),
    socket: (address) => {
      assert.equal(address, "wss://node.example.org/api/v1/live");
      sockets.push(new FakeSocket());
      return sockets.at(-1) as FakeSocket;
    },
  };
  const live = new Live({ network, later, chance: () => 0.5 }, "https://node.example.org", "dG9rZW4", listener);
  return { live, sockets, said, pass, last: () => sockets.at(-1) as FakeSocket };
}

test("the live channel shows its token first, hears frames, and passes over nonsense", () => {
  const { live, said, last } = bench();
  live.start();
  last().onopen?.();
  assert.deepEqual(last().sent, [{ token: "dG9rZW4" }]);
  assert.equal(live.acknowledge([["room", 1]]), false);
  last().says({ hello: { rooms: [] } });
  for (const nonsense of ["", "[", "null", "7", "[]", '{"entries":1}']) last().says(nonsense);
  last().says({ entries: [{}, {}], welcomes: true });
  assert.deepEqual(said, ["hello", "entries 2", "welcomes"]);
  assert.equal(live.acknowledge([["room", 3]]), true);
  assert.deepEqual(last().sent.at(-1), { acknowledge: [["room", 3]] });
});

const SUBMISSION = { room: "r", mailbox: "m", id: "i", kind: "message", epoch: 0, seen: 0, payload: "p" } as const;

/** A live channel that has said hello and takes submissions. */
function open() {
  const here = bench();
  here.live.start();
  here.last().says({ hello: { rooms: [], submit_bytes: 500 } });
  return here;
}

test("a submission goes over the live channel, and its answer comes back by its number", async () => {
  const { live, said, last } = open();
  const [first, second, third] = [live.submit(SUBMISSION), live.submit(SUBMISSION), live.submit(SUBMISSION)];
  assert.deepEqual(
    last().sent,
    [1, 2, 3].map((n) => ({ submit: SUBMISSION, n })),
  );
  last().says({ submitted: 2, seq: 8, time: 5, hash: "h" });
  const { seq, time, hash } = (await second) ?? assert.fail();
  assert.deepEqual([seq, time, hash], [8, 5, "h"]);
  last().says({ refused: 1, status: 409, type: "tag:x/conflict", entries: [{}], head: {} });
  await assert.rejects(first ?? assert.fail(), (problem: Refused) => {
    assert.deepEqual([problem.status, problem.kind, problem.passing], [409, "conflict", false]);
    return Array.isArray(problem.details.entries);
  });
  last().says({ refused: 3, status: 429, type: "tag:x/slow-down", retry_after: 7 });
  await assert.rejects(third ?? assert.fail(), (problem: Refused) => problem.retryAfter === 7 && problem.passing);
  for (const stray of [{ submitted: 2 }, { submitted: 99 }, { refused: "x" }]) last().says(stray);
  assert.deepEqual(said, ["hello"], "what is in the way of a submission is not what is new");
});

test("what the live channel cannot take is left to a request", () => {
  const { live, last } = bench();
  assert.equal(live.submit(SUBMISSION), null);
  live.start();
  assert.equal(live.submit(SUBMISSION), null);
  last().says({ hello: { rooms: [] } });
  assert.equal(live.submit(SUBMISSION), null, "an older node");
  last().says({ hello: { rooms: [], submit_bytes: 500 } });
  assert.equal(live.submit({ ...SUBMISSION, payload: "p".repeat(500) }), null);
  for (let count = 0; count < UNANSWERED_MAX; count++) live.submit(SUBMISSION)?.catch(() => {});
  assert.equal(live.submit(SUBMISSION), null);
  assert.equal(last().sent.length, UNANSWERED_MAX);
});

test("a submission without an answer ends with the channel, with its deadline, or when it is stopped", async () => {
  const lost = open();
  const without = lost.live.submit(SUBMISSION) ?? assert.fail();
  lost.last().onclose?.({ code: 1006 });
  await assert.rejects(without, Unreachable);
  const silent = open();
  const late = silent.live.submit(SUBMISSION) ?? assert.fail();
  for (let waited = 0; waited < DEADLINE_MS; waited += 10_000) {
    silent.pass(10_000);
    silent.last().says({ pong: 1 });
  }
  await assert.rejects(late, Unreachable);
  const stopped = open();
  const cut = stopped.live.submit(SUBMISSION) ?? assert.fail();
  stopped.live.stop();
  await assert.rejects(cut, Unreachable);
});

test("it comes back after longer and longer pauses, and begins anew after a hello", () => {
  const { live, sockets, said, pass, last } = bench();
  live.start();
  for (let attempt = 1; attempt <= 5; attempt++) {
    assert.equal(sockets.length, attempt);
    last().onclose?.({ code: 1006 });
    const pause = pauseAfter(attempt - 1, 1006, 0.5);
    pass(pause - 1);
    assert.equal(sockets.length, attempt);
    pass(1);
  }
  last().says({ hello: {} });
  last().onclose?.({ code: 1006 });
  pass(PAUSE_MS.first);
  assert.equal(sockets.length, 7);
  assert.equal(said.filter((what) => what === "down").length, 6);
});

test("silence ends a connection: before the hello, and when a ping is not answered", () => {
  const { live, sockets, said, pass, last } = bench();
  live.start();
  pass(PING_MS.deadline);
  assert.ok(sockets[0]?.closed);
  pass(PAUSE_MS.longest);
  last().says({ hello: {} });
  pass(PING_MS.every);
  assert.deepEqual(last().sent.at(-1), { ping: 1 });
  last().says({ pong: 1 });
  pass(PING_MS.every);
  assert.deepEqual(last().sent.at(-1), { ping: 2 });
  const silent = last();
  pass(PING_MS.deadline);
  assert.ok(silent.closed);
  assert.equal(said.at(-1), "down");
});

test("a refused token ends it for good, and so does stopping", () => {
  const revoked = bench();
  revoked.live.start();
  revoked.last().onclose?.({ code: 4401 });
  revoked.pass(10 * PAUSE_MS.longest);
  assert.deepEqual([revoked.sockets.length, revoked.said], [1, ["revoked"]]);
  const stopped = bench();
  stopped.live.start();
  stopped.live.stop();
  stopped.pass(10 * PAUSE_MS.longest);
  assert.deepEqual([stopped.sockets.length, stopped.said, stopped.last().closed], [1, [], true]);
});

test("pauses double up to a minute, half of each by chance, and are longer when asked to slow down", () => {
  assert.equal(pauseAfter(0, 0, 0), PAUSE_MS.first / 2);
  assert.equal(pauseAfter(3, 0, 0.999999) > pauseAfter(2, 0, 0.999999), true);
  for (const failures of [7, 50, 5000]) assert.ok(pauseAfter(failures, 0, 0.999999) <= PAUSE_MS.longest);
  assert.ok(pauseAfter(0, 4429, 0) > pauseAfter(0, 0, 0.999999));
});

test("links are read strictly: page, secret of 16 bytes, http or https", () => {
  const secret = "AAECAwQFBgcICQoLDA0ODw";
  const read = readLink(` https://node.example.org/below/join#${secret} `, "join");
  assert.equal(read?.node, "https://node.example.org/below");
  assert.deepEqual(
    read?.secret,
    Uint8Array.from({ length: 16 }, (_, at) => at),
  );
  for (const wrong of [
    `https://node.example.org/link#${secret}`,
    `https://node.example.org/join#${secret}A`,
    "https://node.example.org/join",
    `ftp://node.example.org/join#${secret}`,
    `javascript:join#${secret}`,
    secret,
    "",
  ])
    assert.equal(readLink(wrong, "join"), undefined, wrong);
  assert.equal(tidyNode("https://Node.example.org:443/below//"), "https://node.example.org/below");
});
