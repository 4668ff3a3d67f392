// The vectors of `testdata/vectors`, which the tests in Python read as well: what three programs made opens here, too.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Decrypter, Encrypter } from "age-encryption";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Damaged, unlock, WrongSecret } from "./copy/unlock";
import { fingerprint } from "./sealed/words";

interface Vector {
  readonly file: string;
  readonly kind: string;
  readonly opens: "handover" | "person" | "passphrase";
  readonly sha256: string;
  readonly size_bytes: number;
}

interface Index {
  readonly identities: Readonly<Record<string, { readonly identity: string; readonly recipient: string }>>;
  readonly passphrase: string;
  readonly text: string;
  readonly files: readonly Vector[];
  readonly fingerprints: readonly { readonly public_key: string; readonly cs: readonly string[]; readonly en: readonly string[] }[];
}

const FOLDER = join(__dirname, "../../testdata/vectors");
const INDEX = JSON.parse(readFileSync(join(FOLDER, "index.json"), "utf8")) as Index;
const CHUNK = 64 * 1024;
const SEALED_CHUNK = CHUNK + 16;
const NONCE = 16;

function blob(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FOLDER, name)));
}

function known(name: string): { readonly identity: string; readonly recipient: string } {
  const found = INDEX.identities[name];
  if (!found) throw new Error(`no identity ${name}`);
  return found;
}

function opened(sealed: Uint8Array, name = "handover"): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(known(name).identity);
  return decrypter.decrypt(sealed);
}

function headerLength(sealed: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(sealed);
  return text.indexOf("\n", text.indexOf("\n--- ") + 1) + 1;
}

function flipped(sealed: Uint8Array, at: number, mask: number): Uint8Array {
  const other = sealed.slice();
  other[at] = (other[at] ?? 0) ^ mask;
  return other;
}

describe("age files of three programs", () => {
  it.each(INDEX.files.filter(({ opens }) => opens !== "passphrase"))("$file opens", async ({ file, opens, sha256, size_bytes }) => {
    const plaintext = await opened(blob(file), opens);
    expect(plaintext.length).toBe(size_bytes);
    expect(createHash("sha256").update(plaintext).digest("hex")).toBe(sha256);
    await expect(opened(blob(file), "stranger")).rejects.toThrow();
  });

  it.each(INDEX.files.filter(({ opens }) => opens === "passphrase"))("$file opens with the passphrase", async ({ file }) => {
    const opener = await unlock({ passphrase: INDEX.passphrase }, [blob(file)], [blob("wrapped_key.age.age")]);
    expect(await opener.openText(blob("content.pyrage.age"))).toBe(INDEX.text);
  });
});

describe("a file that is not what it was", () => {
  it.each(["content.pyrage.age", "content.typage.age", "content.age.age"])("%s is refused with any byte of its header flipped", async (name) => {
    const sealed = blob(name);
    for (let at = 0; at < headerLength(sealed); at++) {
      for (const mask of [0x01, 0x20, 0x80]) {
        await expect(opened(flipped(sealed, at, mask)), `byte ${at}, ${mask}`).rejects.toThrow();
      }
    }
  });

  it("is refused where it was cut short, at every chunk, a byte before and a byte behind", async () => {
    const sealed = blob("attachment-131073.typage.age");
    const ends = [sealed.length];
    for (let end = headerLength(sealed) + NONCE; end < sealed.length; end += SEALED_CHUNK) ends.push(end);
    expect(ends).toHaveLength(4);
    for (const cut of ends.flatMap((end) => [end - 1, end, end + 1]).filter((cut) => cut < sealed.length)) {
      await expect(opened(sealed.slice(0, cut)), `cut at ${cut}`).rejects.toThrow();
    }
  });

  it.each([1, 16, SEALED_CHUNK])("is refused with %i bytes behind its end", async (more) => {
    const sealed = blob("attachment-131073.typage.age");
    const longer = new Uint8Array(sealed.length + more);
    longer.set(sealed);
    await expect(opened(longer)).rejects.toThrow();
  });

  it("is told from one that is somebody else's", async () => {
    const sealed = blob("content.age.age");
    const opener = await unlock({ identity: known("handover").identity }, [], []);
    const stranger = await unlock({ identity: known("stranger").identity }, [], []);
    await expect(stranger.open(sealed)).rejects.toBeInstanceOf(WrongSecret);
    await expect(opener.open(flipped(sealed, sealed.length - 1, 1))).rejects.toBeInstanceOf(Damaged);
    await expect(unlock({ passphrase: "another" }, [blob("passphrase.age.age")], [])).rejects.toBeInstanceOf(WrongSecret);
  });

  it("that would take minutes to try a passphrase on is refused at once", async () => {
    const dear = new TextEncoder().encode(`age-encryption.org/v1\n-> scrypt ${"A".repeat(22)} 30\n${"A".repeat(43)}\n--- ${"A".repeat(43)}\n`);
    await expect(unlock({ passphrase: "x" }, [dear], [])).rejects.toBeInstanceOf(Damaged);
  });
});

describe("the words of a key", () => {
  it.each(INDEX.fingerprints)("of $public_key are what they always were", ({ public_key, cs, en }) => {
    expect(fingerprint(public_key)).toEqual({ cs, en });
  });
});

describe("whatever is encrypted", () => {
  const lengths = fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: -2, max: 2 })).map(([chunks, more]) => chunks * CHUNK + more),
  );

  it("opens to itself, and with any byte changed not at all", async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 0, max: 255 }), fc.nat(), fc.integer({ min: 1, max: 255 }), async (length, first, flip, mask) => {
        const plaintext = Uint8Array.from({ length }, (_, at) => (first + 7 * at) & 255);
        const encrypter = new Encrypter();
        encrypter.addRecipient(known("handover").recipient);
        const sealed = await encrypter.encrypt(plaintext);
        expect(Buffer.compare(await opened(sealed), plaintext)).toBe(0);
        await expect(opened(flipped(sealed, flip % sealed.length, mask))).rejects.toThrow();
      }),
      { numRuns: 60 },
    );
  });
});
