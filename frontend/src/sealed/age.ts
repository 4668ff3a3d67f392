// The age format as sealed handovers use it: keys, texts, wrapped keys, private halves. Everything here stays in the browser.
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient, webauthn } from "age-encryption";

import { PREFIX } from "../identity";
import { normal } from "../passphrase";

export const WORK_FACTOR = 18; // of scrypt: a second of work and 256 MiB for every guess
const TEXT = new TextDecoder("utf-8", { fatal: true });

/** A key of a person or of a handover. identity: AGE-SECRET-KEY-1…; publicKey: age1… */
export interface Key {
  readonly identity: string;
  readonly publicKey: string;
}

/** What should open something does not: it was made for another key, or it was damaged. */
export class Unopened extends Error {}

export async function newKey(): Promise<Key> {
  return keyOf(await generateX25519Identity());
}

/** Whether this browser can do all that; asked before somebody types a passphrase for nothing. */
export async function canSeal(): Promise<boolean> {
  try {
    const key = await newKey();
    return (await openText(await sealText("", key.publicKey), key.identity)) === "";
  } catch {
    return false;
  }
}

export async function keyOf(identity: string): Promise<Key> {
  return { identity, publicKey: await identityToRecipient(identity) };
}

/** Return a text as an age file that only `publicKey` opens. */
export async function sealText(text: string, publicKey: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(publicKey);
  return encrypter.encrypt(text);
}

/** Return the text of an age file. Throws Unopened. */
export async function openText(file: Uint8Array, identity: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return TEXT.decode(await decrypter.decrypt(file));
  } catch {
    throw new Unopened("the file does not open with this key");
  }
}

/** Return the private half of `key` for another one to hold. */
export function wrapKey(key: Key, holder: string): Promise<Uint8Array> {
  return sealText(key.identity, holder);
}

/** Return the handover's key out of what is wrapped to a person. Throws Unopened, also where it is not `publicKey`'s. */
export async function unwrapKey(wrapped: Uint8Array, identity: string, publicKey: string): Promise<Key> {
  return genuine(await openText(wrapped, identity), publicKey);
}

/** Return a private half under a passphrase. Takes seconds of work, so ask `./worker`. */
export async function lockByPassphrase(key: Key, passphrase: string, workFactor = WORK_FACTOR): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(normal(passphrase));
  encrypter.setScryptWorkFactor(workFactor);
  return encrypter.encrypt(key.identity);
}

/** Return the private half that a passphrase opens. Throws Unopened for a wrong one. Takes seconds of work, so ask `./worker`. */
export async function unlockByPassphrase(file: Uint8Array, passphrase: string, publicKey: string): Promise<Key> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(normal(passphrase));
  return genuine(await decrypted(decrypter, file), publicKey);
}

/** Return a private half under a passkey. hint: what `newPasskey` returned. The browser asks its person. */
export async function lockByPasskey(key: Key, hint: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(new webauthn.WebAuthnRecipient({ identity: hint }));
  return encrypter.encrypt(key.identity);
}

/** Return the private half that a passkey opens. Throws Unopened where it does not, or nobody confirmed. */
export async function unlockByPasskey(file: Uint8Array, hint: string, publicKey: string): Promise<Key> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(new webauthn.WebAuthnIdentity({ identity: hint }));
  return genuine(await decrypted(decrypter, file), publicKey);
}

/** Let the browser make a passkey that can unlock, and return which one it is: no secret. */
export function newPasskey(name: string): Promise<string> {
  return webauthn.createCredential({ keyName: name });
}

async function decrypted(decrypter: Decrypter, file: Uint8Array): Promise<string> {
  try {
    return TEXT.decode(await decrypter.decrypt(file));
  } catch (error) {
    if (error instanceof RangeError) throw error; // no room for the work, which says nothing of the passphrase
    throw new Unopened("it does not open");
  }
}

async function genuine(identity: string, publicKey: string): Promise<Key> {
  if (!identity.startsWith(PREFIX)) throw new Unopened("it holds no key");
  let found: Key;
  try {
    found = await keyOf(identity);
  } catch {
    throw new Unopened("it holds no key");
  }
  if (found.publicKey !== publicKey) throw new Unopened("it holds another key");
  return found;
}
