import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, type Inline, parseInline, parseRich, plainLine } from "../src/state/rich.ts";

function words(inline: readonly Inline[]): string {
  return inline.map((each) => ("inside" in each ? words(each.inside) : each.text)).join("");
}
function allWords(blocks: readonly Block[]): string {
  return blocks
    .map((block) => {
      if (block.kind === "code") return block.text;
      if (block.kind === "quote") return allWords(block.inside);
      return (block.kind === "list" ? block.items : block.lines).map(words).join("\n");
    })
    .join("\n");
}

test("marks within a line", () => {
  assert.deepEqual(parseInline("a **b** _c_ `d*e*` *f*"), [
    { kind: "text", text: "a " },
    { kind: "strong", inside: [{ kind: "text", text: "b" }] },
    { kind: "text", text: " " },
    { kind: "em", inside: [{ kind: "text", text: "c" }] },
    { kind: "text", text: " " },
    { kind: "code", text: "d*e*" },
    { kind: "text", text: " " },
    { kind: "strong", inside: [{ kind: "text", text: "f" }] },
  ]);
  for (const plain of ["2 * 3 * 4", "snake_case_word", "**", "* a", "_ _", "5*6*7", "`", "a_b"]) {
    assert.deepEqual(parseInline(plain), [{ kind: "text", text: plain }], plain);
  }
  assert.equal(parseInline("**_x_**")[0]?.kind, "strong");
});

test("addresses: only the web's, without what belongs to the sentence, and never with a hidden host", () => {
  const link = (text: string): string[] =>
    parseInline(text).flatMap((each) => (each.kind === "link" ? [each.text] : []));
  assert.deepEqual(link("see https://example.org/a_b_(c)."), ["https://example.org/a_b_(c)"]);
  assert.deepEqual(link("(https://example.org/)"), ["https://example.org/"]);
  assert.equal(JSON.stringify(parseInline("**https://example.org**")).includes("https://example.org/"), true);
  assert.deepEqual(link("javascript:alert(1) data:text/html,x file:///etc"), []);
  assert.deepEqual(link("https://bank.example.org@evil.example.org/"), []);
  assert.deepEqual(link("xhttps://example.org"), []);
});

test("blocks", () => {
  const found = parseRich("Hello\nyou\n\n> wise\n> words\n- one\n- two\n\n3. three\n4. four\n```\n**as is**\n```\nend");
  assert.deepEqual(
    found.map((block) => block.kind),
    ["paragraph", "quote", "list", "list", "code", "paragraph"],
  );
  assert.equal(found[2]?.kind === "list" && found[2].start, null);
  assert.equal(found[3]?.kind === "list" && found[3].start, 3);
  assert.equal(found[4]?.kind === "code" && found[4].text, "**as is**");
});

test("the words alone", () => {
  assert.equal(plainLine("> so **it** is\n\n- one\n- _two_\n`x`"), "so it is one two x");
});

test("nothing that was written is lost, and nothing hostile takes long", () => {
  for (const text of [
    "```\nopen",
    ">>>>>> deep",
    "- a\n1. b\n> c",
    "x\r\ny\rz",
    "<b>&amp;</b>",
    "***",
    "**a *b** c*",
  ]) {
    const shown = allWords(parseRich(text)).replace(/[\s>`*\-.\d]/g, "");
    assert.equal(shown, text.replace(/[\s>`*\-.\d]/g, ""), text);
  }
  const begin = performance.now();
  for (const part of ["*", "_", "`", "> ", "https://", "**a", "(", "_a "]) parseRich(part.repeat(16_000 / part.length));
  assert.ok(performance.now() - begin < 2_000, "a long message is read quickly");
});
