// A public key as words, so that two people can compare it by phone. Every page shows the same words, in both languages.
import { sha256 } from "@noble/hashes/sha2.js";
import { wordlist as czech } from "@scure/bip39/wordlists/czech.js";
import { wordlist as english } from "@scure/bip39/wordlists/english.js";

export const WORDS = 6; // of 2,048 each: 66 bits
const BITS = 11;
const PURPOSE = "stafeta fingerprint 1\n";

/** The same key in Czech words and in English ones. */
export interface Fingerprint {
  readonly cs: readonly string[];
  readonly en: readonly string[];
}

/** Return the words of a public key: the first 66 bits of SHA-256 over the purpose and the key, 11 bits a word. */
export function fingerprint(publicKey: string): Fingerprint {
  const digest = sha256(new TextEncoder().encode(PURPOSE + publicKey));
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const places = Array.from({ length: WORDS }, (_, at) => parseInt(bits.slice(at * BITS, (at + 1) * BITS), 2));
  const spoken = (list: readonly string[]) => places.map((place) => (list[place] ?? "").normalize("NFC"));
  return { cs: spoken(czech), en: spoken(english) };
}
