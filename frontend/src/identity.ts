// An age identity as people type it: in groups, in small letters, with spaces, from a file with remarks.
import { bech32 } from "@scure/base";

export const PREFIX = "AGE-SECRET-KEY-1";
const LETTERS = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"; // Bech32: no B, I, O and no 1
const LENGTH = 58; // of what follows the prefix: 32 bytes and a checksum
const TYPED_MAX = 4000;

/** What is wrong with a key that was typed. */
export type Mistake = "empty" | "length" | "letter" | "checksum";

export class NotAnIdentity extends Error {
  constructor(readonly mistake: Mistake) {
    super(`not an age identity: ${mistake}`);
  }
}

/** Return the identity that `typed` holds, as age writes it. Throws NotAnIdentity, which says what is wrong. */
export function readIdentity(typed: string): string {
  const lines = typed.slice(0, TYPED_MAX).split("\n");
  const written = lines.filter((line) => !line.trimStart().startsWith("#")).join("");
  const bare = written.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/^AGESECRETKEY1/, "").replace(/O/g, "0");
  if (bare === "") throw new NotAnIdentity("empty");
  if ([...bare].some((letter) => !LETTERS.includes(letter))) throw new NotAnIdentity("letter");
  if (bare.length !== LENGTH) throw new NotAnIdentity("length");
  const identity = PREFIX + bare;
  if (!bech32.decodeUnsafe(identity, identity.length)) throw new NotAnIdentity("checksum");
  return identity;
}

/** The part of an identity that differs from key to key, in groups of four as it is printed and read aloud. */
export function groupsOf(identity: string): readonly string[] {
  return readIdentity(identity).slice(PREFIX.length).match(/.{1,4}/g) ?? [];
}
