// From what a person has, a key on a card or a passphrase, to what opens the files of a copy. No DOM in here.
import { Decrypter } from "age-encryption";

import { readIdentity } from "../identity";
import { normal } from "../passphrase";

export type Secret = { readonly identity: string } | { readonly passphrase: string };

/** The secret is a good one, but not of these files. */
export class WrongSecret extends Error {}

/** A file is not what it was when it was written. */
export class Damaged extends Error {}

const SCRYPT_LOG_N_MAX = 20; // a second or four; typage itself refuses more

/** Opens the files of one copy. */
export class Opener {
  constructor(private readonly identities: readonly string[]) {}

  /** Return the plaintext of an age file. Throws WrongSecret or Damaged, and then nothing of it is shown. */
  async open(file: Uint8Array): Promise<Uint8Array> {
    const decrypter = new Decrypter();
    for (const identity of this.identities) decrypter.addIdentity(identity);
    return opened(decrypter, file);
  }

  /** Return the plaintext as text. Throws as `open` does. */
  async openText(file: Uint8Array): Promise<string> {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await this.open(file));
    } catch (error) {
      throw error instanceof TypeError ? new Damaged() : error;
    }
  }
}

/**
 * Return what opens the files.
 *
 * keyFiles: identities under a passphrase; wrappedKeys: identities that are encrypted to somebody's key. Either may be empty.
 * Throws NotAnIdentity for a key that was mistyped, WrongSecret for a passphrase that opens none of the key files, Damaged.
 */
export async function unlock(secret: Secret, keyFiles: readonly Uint8Array[], wrappedKeys: readonly Uint8Array[]): Promise<Opener> {
  const first = "identity" in secret ? readIdentity(secret.identity) : await behindPassphrase(secret.passphrase, keyFiles);
  const identities = [first];
  for (const wrapped of wrappedKeys) {
    try {
      identities.push(readIdentity(await new Opener([first]).openText(wrapped)));
    } catch (error) {
      if (!(error instanceof WrongSecret)) throw new Damaged();
    }
  }
  return new Opener(identities);
}

async function behindPassphrase(passphrase: string, keyFiles: readonly Uint8Array[]): Promise<string> {
  // As ours are made, and then as it was typed, for files that somebody made with another program.
  for (const typed of new Set([normal(passphrase), passphrase])) {
    for (const file of keyFiles) {
      const decrypter = new Decrypter();
      decrypter.addPassphrase(typed);
      try {
        return readIdentity(new TextDecoder().decode(await opened(decrypter, file)));
      } catch (error) {
        if (!(error instanceof WrongSecret)) throw new Damaged();
      }
    }
  }
  throw new WrongSecret();
}

async function opened(decrypter: Decrypter, file: Uint8Array): Promise<Uint8Array> {
  if (workFactor(file) > SCRYPT_LOG_N_MAX) throw new Damaged(); // it would only keep the person waiting
  try {
    return await decrypter.decrypt(file);
  } catch (error) {
    const isForeign = error instanceof Error && error.message.startsWith("no identity matched");
    throw isForeign ? new WrongSecret() : new Damaged();
  }
}

function workFactor(file: Uint8Array): number {
  const head = new TextDecoder("latin1").decode(file.subarray(0, 200));
  return Number(/^-> scrypt \S+ (\d+)$/m.exec(head)?.[1] ?? 0);
}
