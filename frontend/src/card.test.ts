import { generateX25519Identity } from "age-encryption";
import { describe, expect, it } from "vitest";

import { cardName, makeCard, type Card } from "./card";
import { CARD_WORDS } from "./card_words";
import { NotAnIdentity } from "./identity";

const CARD: Card = {
  identity: await generateX25519Identity(),
  kind: "recipient",
  whose: "Ema Příkladná",
  what: "Předání od Dany: web a hosting",
  language: "cs",
  madeAt: new Date(2026, 2, 9, 12),
};

function pagesOf(pdf: Uint8Array): number {
  return new TextDecoder("latin1").decode(pdf).match(/\/Type \/Page\b(?!s)/g)?.length ?? 0;
}

// What the page says and that its code can be scanned is looked at in a browser: tests/web/test_card.py.
describe("a recovery card", () => {
  it.each(["cs", "en"] as const)("is one page for everybody, however long the names are, in %s", (language) => {
    for (const kind of ["owner", "recipient", "copy"] as const) {
      const long = { ...CARD, kind, language, whose: "Maximiliána ".repeat(40), what: "Žluťoučký kůň ".repeat(60) };
      expect(pagesOf(makeCard({ ...long, fingerprint: Array.from({ length: 12 }, () => "žluťoučký") }))).toBe(1);
    }
  });

  it("is not made of what is no key", () => {
    expect(() => makeCard({ ...CARD, identity: "age1qqqqqq" })).toThrow(NotAnIdentity);
  });

  it("is made of names that its letters do not have", () => {
    expect(pagesOf(makeCard({ ...CARD, whose: "田中 🦊 ‮" }))).toBe(1);
  });

  it("is saved under its day", () => {
    expect(cardName(CARD)).toBe("obnovovaci-karta-2026-03-09.pdf");
    expect(cardName({ ...CARD, language: "en" })).toBe("recovery-card-2026-03-09.pdf");
  });

  it("says the same in both languages", () => {
    for (const kind of ["owner", "recipient", "copy"] as const) {
      const [cs, en] = [CARD_WORDS.cs.sections[kind], CARD_WORDS.en.sections[kind]];
      expect(cs.map((section) => section.lines.length)).toEqual(en.map((section) => section.lines.length));
    }
  });
});
