import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { ClientEvent } from "../src/client/types.ts";
import { EngineRoom, PATIENCE_MS, type WorkerLike } from "../src/workers/engine-room.ts";
import type { FromClientWorker, ToClientWorker } from "../src/workers/messages.ts";

class FakeWorker implements WorkerLike {
  readonly heard: ToClientWorker[] = [];
  ended = false;
  onmessage: WorkerLike["onmessage"] = null;
  onerror: WorkerLike["onerror"] = null;
  postMessage(message: unknown): void {
    this.heard.push(message as ToClientWorker);
  }
  terminate(): void {
    this.ended = true;
  }
  says(data: FromClientWorker): void {
    this.onmessage?.({ data });
  }
}

function bench() {
  const workers: FakeWorker[] = [];
  const events: ClientEvent[] = [];
  const room = new EngineRoom(
    () => {
      workers.push(new FakeWorker());
      return workers.at(-1) as FakeWorker;
    },
    (event) => events.push(event),
  );
  return { room, workers, events, last: () => workers.at(-1) as FakeWorker };
}

test("calls are answered by their tickets, and failures keep their codes", async () => {
  const { room, last } = bench();
  const [one, two] = [room.call("state", {}), room.call("invites", {})];
  last().says({ kind: "failure", ticket: 2, code: "offline", detail: "" });
  last().says({ kind: "answer", ticket: 1, answer: "the state" });
  assert.equal(await one, "the state");
  await assert.rejects(two, { name: "ClientFailure", code: "offline" });
});

test("an entry that takes too long ends the worker; the next one is told which", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { room, workers, events, last } = bench();
    const entry = { room: "r", seq: 7 };
    last().says({ kind: "busy", entry });
    mock.timers.tick(PATIENCE_MS - 1);
    last().says({ kind: "busy", entry: null });
    mock.timers.tick(PATIENCE_MS);
    assert.equal(workers.length, 1);

    const call = room.call("state", {});
    last().says({ kind: "busy", entry });
    mock.timers.tick(PATIENCE_MS);
    await assert.rejects(call, { code: "interrupted" });
    assert.ok(workers[0]?.ended);
    assert.deepEqual(workers[1]?.heard, [{ kind: "open", poison: entry }]);
    assert.deepEqual(events, [{ kind: "restarted" }]);
    // What the ended worker may still say counts no more.
    workers[0]?.says({ kind: "event", event: { kind: "leader", leader: true } });
    assert.equal(events.length, 1);
  } finally {
    mock.timers.reset();
  }
});

test("a worker that ends again and again is given up", async () => {
  const { room, workers, last } = bench();
  for (let crash = 0; crash < 4; crash++) last().onerror?.(new Error("no memory"));
  assert.equal(workers.length, 4);
  await assert.rejects(room.call("state", {}), { code: "bug" });
});
