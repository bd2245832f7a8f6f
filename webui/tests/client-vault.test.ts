import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileStorage } from "../src/vault/file.ts";
import { MODEST, mayRunWasm, STRONG, stretch } from "../src/vault/passphrase.ts";
import { MemoryStorage } from "../src/vault/records.ts";
import { type Storage, StorageFailed } from "../src/vault/types.ts";
import { type Name, Vault, WrongPassphrase } from "../src/vault/vault.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const note = (place: number | string): Name => ["note", "room", place];

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-vault-"));
  try {
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const all = async (storage: Storage) => (await storage.range({ from: "", to: "\uffff" })).map(([key]) => key);

test("records come back in order, from both storages", async () => {
  await inFolder(async (folder) => {
    for (const storage of [new MemoryStorage(), await FileStorage.open(folder)]) {
      await storage.write(["b", "d", "a", "c"].map((key) => ({ key, value: bytes(key.charCodeAt(0)) })));
      await storage.write([
        { key: "c", value: null },
        { key: "a", value: bytes(1, 2) },
      ]);
      assert.deepEqual(await all(storage), ["a", "b", "d"]);
      assert.deepEqual(await storage.get("a"), bytes(1, 2));
      const found = await storage.range({ from: "a", to: "d", limit: 1, backwards: true });
      assert.deepEqual(found, [["b", bytes(98)]]);
      await storage.close();
    }
  });
});

test("a journal torn at any byte opens as it was after some whole write", async () => {
  await inFolder(async (folder) => {
    const states: string[] = ["[]"];
    const storage = await FileStorage.open(folder);
    for (let step = 0; step < 4; step++) {
      await storage.write([
        { key: `k${step}`, value: bytes(step, step) },
        { key: `k${step - 2}`, value: null },
      ]);
      states.push(JSON.stringify(await all(storage)));
    }
    await storage.close();
    const whole = readFileSync(join(folder, "journal"));
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(join(folder, "journal"), whole.subarray(0, length));
      const torn = await FileStorage.open(folder);
      const state = JSON.stringify(await all(torn));
      assert.ok(states.includes(state), `${length}: ${state}`);
      assert.equal(length === whole.length, state === states.at(-1));
      // What is written after it is not lost behind the torn frame.
      await torn.write([{ key: "after", value: bytes(9) }]);
      await torn.close();
      const again = await FileStorage.open(folder);
      assert.deepEqual(await again.get("after"), bytes(9));
      await again.close();
    }
  });
});

test("a journal that is mostly stale is written anew, and loses nothing", async () => {
  await inFolder(async (folder) => {
    const storage = await FileStorage.open(folder);
    const big = new Uint8Array(512 * 1024).fill(7);
    for (let step = 0; step < 20; step++) await storage.write([{ key: "big", value: big }]);
    await storage.write([{ key: "small", value: bytes(1) }]);
    await storage.close();
    assert.ok(readFileSync(join(folder, "journal")).length < 10 * big.length);
    const again = await FileStorage.open(folder);
    assert.deepEqual(await again.get("small"), bytes(1));
    assert.deepEqual(await again.get("big"), big);
    await again.close();
  });
});

test("a folder is open once; a lock of a process that died does not count", async () => {
  await inFolder(async (folder) => {
    const storage = await FileStorage.open(folder);
    writeFileSync(join(folder, "lock"), String(process.ppid));
    await assert.rejects(FileStorage.open(folder), StorageFailed);
    writeFileSync(join(folder, "lock"), "999999999");
    const second = await FileStorage.open(folder);
    await second.close();
    await storage.close();
  });
});

test("nothing readable lies in the folder, and a record does not open in another's place", async () => {
  await inFolder(async (folder) => {
    const storage = await FileStorage.open(folder);
    const vault = await Vault.in(storage);
    assert.equal(vault.phase, "empty");
    await vault.create();
    await vault.write(
      new Map<Name, unknown>([
        [note(1), { text: "marked words" }],
        [note("named"), { text: "more marked words" }],
      ]),
    );
    assert.deepEqual(await vault.json(note(1)), { text: "marked words" });
    const [one, two] = (await all(storage)).filter((key) => key !== "vault") as [string, string];
    const swapped = [
      { key: one, value: (await storage.get(two)) ?? null },
      { key: two, value: (await storage.get(one)) ?? null },
    ];
    await storage.write(swapped);
    await assert.rejects(vault.json(note(1)));
    await vault.close();
    const raw = readFileSync(join(folder, "journal"), "latin1");
    for (const mark of ["marked", "room", "note", "named"]) assert.ok(!raw.includes(mark), mark);
  });
});

test("lists are in order of their places, within bounds, from either end", async () => {
  const vault = await Vault.in(new MemoryStorage());
  await vault.create();
  await vault.write(new Map([3, 20, 100, 1].map((place) => [note(place), place])));
  await vault.write(new Map([[["note", "other", 5] as Name, 5]]));
  assert.deepEqual(await vault.list(["note", "room"]), [1, 3, 20, 100]);
  assert.deepEqual(await vault.list(["note", "room"], { from: 3, to: 100 }), [3, 20]);
  assert.deepEqual(await vault.list(["note", "room"], { limit: 2, backwards: true }), [100, 20]);
  await vault.drop(["note", "room"]);
  assert.deepEqual(await vault.list(["note", "room"]), []);
  assert.deepEqual(await vault.list(["note", "other"]), [5]);
});

test("a passphrase locks, a wrong one opens nothing, and it can be taken away", async () => {
  const storage = new MemoryStorage();
  const vault = await Vault.in(storage);
  await vault.create();
  await vault.write(new Map([[note(1), "words"]]));
  await vault.setPassphrase("correct horse", undefined);
  assert.equal((await Vault.in(storage)).phase, "locked");
  vault.lock();
  await assert.rejects(vault.json(note(1)));
  await assert.rejects(vault.unlock("correct house"), WrongPassphrase);
  assert.equal(vault.phase, "locked");
  await vault.unlock(" correct horse ");
  assert.equal(await vault.json(note(1)), "words");
  await assert.rejects(vault.setPassphrase(null, "guess"), WrongPassphrase);
  await vault.setPassphrase(null, "correct horse");
  const again = await Vault.in(storage);
  assert.equal(again.phase, "open");
  assert.equal(await again.json(note(1)), "words");
});

test("what was dumped becomes another storage's vault, whole or not at all", async () => {
  const vault = await Vault.in(new MemoryStorage());
  await vault.create();
  await vault.write(
    new Map<Name, unknown>([
      [note(1), "kept"],
      [["file", "room", 1], "left out"],
    ]),
  );
  const dumped = await vault.dump([["file", "room"]]);
  const storage = new MemoryStorage();
  const other = await Vault.in(storage);
  await assert.rejects(other.adopt(dumped.subarray(0, dumped.length - 1)), RangeError);
  assert.equal((await Vault.in(storage)).phase, "empty");
  await other.create("correct horse");
  await other.write(new Map([[note(9), "from before"]]));
  await other.adopt(dumped);
  const again = await Vault.in(storage);
  assert.equal(again.phase, "locked");
  await again.unlock("correct horse");
  assert.equal(await again.json(note(1)), "kept");
  assert.equal(await again.json(note(9)), undefined);
  assert.equal(await other.json(["file", "room", 1]), undefined);
});

test("Argon2id gives the same with and without WebAssembly, and as its authors' tool does", async () => {
  const salt = new TextEncoder().encode("somesalt");
  assert.ok(mayRunWasm());
  assert.ok(STRONG.memoryKiB === 65_536 && STRONG.passes === 3);
  const how = { memoryKiB: 256, passes: 2, salt };
  // phc-winner-argon2, src/test.c: version 0x13, t=2, m=8, p=1, Argon2id.
  const expected = "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe";
  const withWasm = await stretch("password", how);
  assert.equal(Buffer.from(withWasm).toString("hex"), expected);
  const { WebAssembly: kept } = globalThis;
  try {
    Object.assign(globalThis, { WebAssembly: undefined });
    assert.ok(!mayRunWasm());
    assert.deepEqual(await stretch("password", how), withWasm);
  } finally {
    Object.assign(globalThis, { WebAssembly: kept });
  }
  assert.ok(MODEST.memoryKiB < STRONG.memoryKiB);
});

test("a truncated journal of a vault is a vault that never had the last write", async () => {
  await inFolder(async (folder) => {
    const vault = await Vault.in(await FileStorage.open(folder));
    await vault.create();
    await vault.write(new Map([[note(1), "first"]]));
    const before = readFileSync(join(folder, "journal")).length;
    await vault.write(
      new Map<Name, unknown>([
        [note(1), "second"],
        [note(2), "with it"],
      ]),
    );
    await vault.close();
    truncateSync(join(folder, "journal"), before + 30);
    const again = await Vault.in(await FileStorage.open(folder));
    assert.equal(await again.json(note(1)), "first");
    assert.equal(await again.json(note(2)), undefined);
    await again.close();
  });
});
