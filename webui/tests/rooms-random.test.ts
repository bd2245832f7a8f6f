/**
 * Random lives of rooms. A few with the real engine and some hundreds with the model's; `HEDGEROW_ROOM_SEEDS` and
 * `HEDGEROW_MODEL_SEEDS` say how many instead, `HEDGEROW_FIRST_SEED` where to begin (to repeat one that failed).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lent } from "../src/rooms/types.ts";
import { model } from "./room-model.ts";
import { live } from "./room-schedules.ts";
import { chance, PAIR, REAL, ROOM } from "./room-world.ts";

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const FIRST = number("HEDGEROW_FIRST_SEED", 1);

/** Lives `count` lives, and makes sure that enough happened in them for their peace to mean something. */
async function lives(count: number, steps: number, lend: (random: () => number) => Lent): Promise<void> {
  const totals: Record<string, number> = {};
  for (let seed = FIRST; seed < FIRST + count; seed++) {
    const random = chance(seed);
    const rules = seed % 7 === 0 ? PAIR : ROOM;
    const counts = await live(seed, random, lend(random), rules, steps);
    for (const [what, often] of Object.entries(counts)) totals[what] = (totals[what] ?? 0) + often;
  }
  if (count < 20) return;
  for (const what of [
    "read",
    "joined",
    "removed",
    "out",
    "device-added",
    "device-removed",
    "commit-dropped",
    "skipped",
  ]) {
    assert.ok((totals[what] ?? 0) > count / 20, `hardly anything of "${what}" happened: ${totals[what]}`);
  }
}

test("random lives with the real engine", { timeout: 3_600_000 }, async () => {
  await lives(number("HEDGEROW_ROOM_SEEDS", 20), 70, () => REAL);
});

test("random lives over the model of log and judge", { timeout: 3_600_000 }, async () => {
  await lives(number("HEDGEROW_MODEL_SEEDS", 120), 60, model);
});
