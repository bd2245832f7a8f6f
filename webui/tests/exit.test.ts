import assert from "node:assert/strict";
import { test } from "node:test";
import { ShiftCounter } from "../src/exit.ts";

function press(counter: ShiftCounter, at: number): number {
  counter.down("Shift", true);
  return counter.up("Shift", at);
}

test("three presses in a row", () => {
  const counter = new ShiftCounter();
  assert.deepEqual([press(counter, 0), press(counter, 400), press(counter, 800)], [1, 2, 3]);
});

test("more than five seconds apart begins anew", () => {
  const counter = new ShiftCounter();
  press(counter, 0);
  assert.equal(press(counter, 5001), 1);
});

test("another key begins anew, and a Shift that modifies one is no press", () => {
  const counter = new ShiftCounter();
  press(counter, 0);
  counter.down("a", false);
  counter.up("a", 100);
  assert.equal(press(counter, 200), 1);
  counter.down("Shift", true);
  counter.down("A", true);
  counter.up("A", 300);
  assert.equal(counter.up("Shift", 400), 0);
});
