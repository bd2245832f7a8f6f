import assert from "node:assert/strict";
import { test } from "node:test";
import { Language } from "../src/texts.ts";

test("plural forms by the language's own rules", () => {
  const english = new Language("en", false, {
    "client.count_one": "{{count}} group",
    "client.count_other": "{{count}} groups",
  });
  assert.equal(english.t("client.count", { count: 1 }), "1 group");
  assert.equal(english.t("client.count", { count: 1234 }), "1,234 groups");
  const arabic = new Language("ar", true, {
    "client.count_two": "مجموعتان",
    "client.count_few": "{{count}} مجموعات",
    "client.count_other": "x",
  });
  assert.equal(arabic.t("client.count", { count: 2 }), "مجموعتان");
  assert.match(arabic.t("client.count", { count: 3 }), /مجموعات$/);
  assert.equal(arabic.t("client.count", { count: 100 }), "x");
});

test("placed texts keep their direction", () => {
  const texts = { "client.unknown_town": "No {{town}}" };
  assert.equal(new Language("en", false, texts).t("client.unknown_town", { town: "Leeds" }), "No Leeds");
  assert.equal(
    new Language("en", false, texts).t("client.unknown_town", { town: "القاهرة" }),
    "No \u2068القاهرة\u2069",
  );
  assert.equal(new Language("ar", true, texts).t("client.unknown_town", { town: "Leeds" }), "No \u2068Leeds\u2069");
  assert.equal(new Language("en", false, {}).t("client.none"), "client.none");
});
