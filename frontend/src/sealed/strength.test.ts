import { describe, expect, it } from "vitest";

import { compare } from "./compare";
import { strengthOf } from "./strength";

describe("a passphrase", () => {
  it.each(["heslo", "heslo1234567", "Dana12345678", "qwertzuiopas", "aaaaaaaaaaaaa", "novák1985"])("%s is weak, and it says why in Czech", (text) => {
    const { score, advice } = strengthOf(text, "cs");
    expect(score).toBeLessThan(3);
    expect(advice).toMatch(/^[A-ZŘPJTDO].*\.$/);
  });

  it.each(["čtyři hnědí koně nad mlýnem", "orange basket velvet thunder", "bez 7 hor lžíce xylofon"])("%s is good", (text) => {
    expect(strengthOf(text, "cs").score).toBeGreaterThanOrEqual(3);
  });

  it("of any length is judged at once", () => {
    expect(strengthOf("ab1!".repeat(50_000), "en").score).toBeLessThan(5);
  });
});

it("two texts are compared line by line", () => {
  expect(compare("a\nb\n", "a\nc\n")).toEqual([
    { kind: "same", text: "a" },
    { kind: "removed", text: "b" },
    { kind: "added", text: "c" },
  ]);
});
