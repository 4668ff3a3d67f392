import { generateX25519Identity } from "age-encryption";
import { describe, expect, it } from "vitest";

import { groupsOf, NotAnIdentity, PREFIX, readIdentity, type Mistake } from "./identity";

const IDENTITY = await generateX25519Identity();
const BARE = IDENTITY.slice(PREFIX.length);

function mistakeIn(typed: string): Mistake | null {
  try {
    readIdentity(typed);
  } catch (error) {
    if (error instanceof NotAnIdentity) return error.mistake;
    throw error;
  }
  return null;
}

describe("a key that somebody typed from a card", () => {
  it.each([
    ["as age writes it", IDENTITY],
    ["in small letters", IDENTITY.toLowerCase()],
    ["in groups over several lines", `${PREFIX}\n${groupsOf(IDENTITY).join(" ")}`],
    ["without its beginning", groupsOf(IDENTITY).join("  ")],
    ["with a circle for every zero", BARE.replace(/0/g, "O")],
    ["with another kind of hyphen", IDENTITY.replace(/-/g, "–")],
    ["in a file with remarks", `# created: 2026-01-01\n# public key: age1…\n${IDENTITY}\n`],
  ])("is read %s", (_how, typed) => expect(readIdentity(typed)).toBe(IDENTITY));

  it.each<[string, string, Mistake]>([
    ["nothing", "  \n", "empty"],
    ["half of it", BARE.slice(0, 30), "length"],
    ["one letter more", `${BARE}Q`, "length"],
    ["a letter that no key has", `B${BARE.slice(1)}`, "letter"],
    ["two letters swapped", swapped(BARE), "checksum"],
  ])("is refused where it is %s", (_what, typed, mistake) => expect(mistakeIn(typed)).toBe(mistake));

  it("is refused with any one letter mistaken for another", () => {
    for (let place = 0; place < BARE.length; place++) {
      const other = BARE[place] === "Q" ? "P" : "Q";
      expect(mistakeIn(BARE.slice(0, place) + other + BARE.slice(place + 1))).toBe("checksum");
    }
  });
});

function swapped(text: string): string {
  const place = [...text].findIndex((letter, at) => letter !== text[at + 1]);
  return text.slice(0, place) + text[place + 1] + text[place] + text.slice(place + 2);
}
