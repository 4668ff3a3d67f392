import fc from "fast-check";
import { Decrypter } from "age-encryption";
import { describe, expect, it } from "vitest";

import { normal } from "../passphrase";
import { lockByPassphrase, newKey, openText, sealText, unlockByPassphrase, Unopened, unwrapKey, wrapKey } from "./age";
import { fromBase64, toBase64 } from "./base64";
import { Unlocked, type KeyData } from "./keys";
import { fingerprint, WORDS } from "./words";

const PASSPHRASE = "čtyři hnědí koně nad mlýnem";

describe("a text", () => {
  it("comes back to the letter", async () => {
    const key = await newKey();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        const file = await sealText(text, key.publicKey);
        expect(await openText(fromBase64(toBase64(file)), key.identity)).toBe(text);
      }),
      { numRuns: 20 },
    );
  });

  it("opens with its own key alone, and not when it was changed", async () => {
    const [key, other] = [await newKey(), await newKey()];
    const file = await sealText("tajné", key.publicKey);
    await expect(openText(file, other.identity)).rejects.toBeInstanceOf(Unopened);
    file[file.length - 1]! ^= 1;
    await expect(openText(file, key.identity)).rejects.toBeInstanceOf(Unopened);
  });
});

describe("a wrapped key", () => {
  it("opens for its holder", async () => {
    const [key, ema] = [await newKey(), await newKey()];
    expect(await unwrapKey(await wrapKey(key, ema.publicKey), ema.identity, key.publicKey)).toEqual(key);
  });

  it("of another handover, put in its place, is refused", async () => {
    const [key, forged, ema] = [await newKey(), await newKey(), await newKey()];
    await expect(unwrapKey(await wrapKey(forged, ema.publicKey), ema.identity, key.publicKey)).rejects.toBeInstanceOf(Unopened);
    const nothing = await sealText("AGE-SECRET-KEY-1", ema.publicKey);
    await expect(unwrapKey(nothing, ema.identity, key.publicKey)).rejects.toBeInstanceOf(Unopened);
  });
});

describe("a passphrase", () => {
  it("costs what was agreed", async () => {
    const file = await lockByPassphrase(await newKey(), PASSPHRASE);
    expect(new TextDecoder("latin1").decode(file.slice(0, 80))).toMatch(/^age-encryption\.org\/v1\n-> scrypt \S{22} 18\n/);
  }, 60_000);

  it("opens the private half however its blanks and accents were typed", async () => {
    const key = await newKey();
    const file = await lockByPassphrase(key, PASSPHRASE, 4);
    expect(await unlockByPassphrase(file, `  ${PASSPHRASE.normalize("NFD").replace(" ", "  ")} `, key.publicKey)).toEqual(key);
    const plain = new Decrypter(); // as the age command would
    plain.addPassphrase(normal(PASSPHRASE));
    expect(await plain.decrypt(file, "text")).toBe(key.identity);
  });

  it("that is wrong opens nothing, nor does the right one open another key", async () => {
    const key = await newKey();
    const file = await lockByPassphrase(key, PASSPHRASE, 4);
    await expect(unlockByPassphrase(file, "jiné heslo", key.publicKey)).rejects.toBeInstanceOf(Unopened);
    await expect(unlockByPassphrase(file, PASSPHRASE, (await newKey()).publicKey)).rejects.toBeInstanceOf(Unopened);
  });
});

describe("what was unlocked", () => {
  const data = (id: number, publicKey: string, is_present: boolean): KeyData => ({ id, public_key: publicKey, is_present, files: [] });

  it("opens a handover by any key of the person, and nothing once it is locked", async () => {
    const [old, present, handover] = [await newKey(), await newKey(), await newKey()];
    const unlocked = new Unlocked([data(2, present.publicKey, true), data(1, old.publicKey, false)]);
    const sealed = { public_key: handover.publicKey, wraps: [{ key: 1, blob: toBase64(await wrapKey(handover, old.publicKey)) }] };
    await unlocked.byIdentity(present.identity);
    await expect(unlocked.keyOf(sealed)).rejects.toBeInstanceOf(Unopened);
    await unlocked.byIdentity(old.identity);
    expect(await unlocked.keyOf(sealed)).toEqual(handover);
    expect(unlocked.present).toEqual(present);
    unlocked.lock();
    expect(unlocked.isOpen).toBe(false);
    await expect(unlocked.keyOf(sealed)).rejects.toBeInstanceOf(Unopened);
  });

  it("takes no card of somebody else", async () => {
    const unlocked = new Unlocked([data(1, (await newKey()).publicKey, true)]);
    await expect(unlocked.byIdentity((await newKey()).identity)).rejects.toBeInstanceOf(Unopened);
  });
});

describe("a fingerprint", () => {
  it("is the same words for ever: people wrote them down", () => {
    const words = fingerprint("age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq");
    expect(words).toMatchInlineSnapshot(`
      {
        "cs": [
          "vyfotit",
          "kazajka",
          "jelito",
          "kukla",
          "pusinka",
          "rozkaz",
        ],
        "en": [
          "turn",
          "elite",
          "domain",
          "first",
          "promote",
          "relax",
        ],
      }
    `);
    expect(words.cs).toHaveLength(WORDS);
  });

  it("differs with the key", async () => {
    const found = new Set<string>();
    for (let count = 0; count < 50; count += 1) found.add(fingerprint((await newKey()).publicKey).cs.join(" "));
    expect(found.size).toBe(50);
  });
});
