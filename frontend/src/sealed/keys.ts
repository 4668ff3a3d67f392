// What the server gives of a person's keys and of a sealed handover, and how the one opens the other.
import { keyOf, openText, unlockByPasskey, Unopened, unwrapKey, type Key } from "./age";
import { fromBase64 } from "./base64";
import { unlockBeside } from "./worker";

export interface FileData {
  readonly id: number;
  readonly kind: "passphrase" | "passkey";
  readonly name: string;
  readonly hint: string;
  readonly blob: string;
}

/** A key of the person: the present one, or one of before that still opens something. */
export interface KeyData {
  readonly id: number;
  readonly public_key: string;
  readonly is_present: boolean;
  readonly files: readonly FileData[];
}

/** A handover's key, wrapped to a personal key. */
export interface WrapData {
  readonly key: number;
  readonly blob: string;
}

export interface HandoverData {
  readonly id: number;
  readonly title: string;
  readonly revision: number;
  readonly public_key: string;
  readonly wraps: readonly WrapData[];
}

export const IDLE_MS = 10 * 60 * 1000;

/** The private halves that were unlocked. They live here and nowhere else, until `lock`. */
export class Unlocked {
  private opened = new Map<string, Key>();

  constructor(readonly keys: readonly KeyData[]) {}

  get isOpen(): boolean {
    return this.opened.size > 0;
  }

  /** The present key, if it is among the unlocked ones. */
  get present(): Key | null {
    const data = this.keys.find((key) => key.is_present);
    return (data && this.opened.get(data.public_key)) ?? null;
  }

  get all(): readonly Key[] {
    return [...this.opened.values()];
  }

  lock(): void {
    this.opened.clear();
  }

  /** Unlock whatever this passphrase opens. Throws Unopened where that is nothing. */
  async byPassphrase(passphrase: string): Promise<void> {
    for (const [key, file] of this.files("passphrase")) {
      try {
        this.take(await unlockBeside(fromBase64(file.blob), passphrase, key.public_key));
        return; // each try costs seconds; another key has another passphrase, or is not needed
      } catch (error) {
        if (!(error instanceof Unopened)) throw error;
      }
    }
    throw new Unopened("no key has this passphrase");
  }

  /** Unlock by one of the passkeys. Throws Unopened. */
  async byPasskey(id: number): Promise<void> {
    for (const [key, file] of this.files("passkey")) {
      if (file.id === id) {
        this.take(await unlockByPasskey(fromBase64(file.blob), file.hint, key.public_key));
        return;
      }
    }
    throw new Unopened("no such passkey");
  }

  /** Unlock by what stands on a recovery card. Throws Unopened for the card of another key. */
  async byIdentity(identity: string): Promise<void> {
    const key = await keyOf(identity);
    if (!this.keys.some((one) => one.public_key === key.publicKey)) throw new Unopened("another key's card");
    this.take(key);
  }

  /** Return the handover's key. Throws Unopened where nothing that is unlocked opens it. */
  async keyOf(handover: Pick<HandoverData, "public_key" | "wraps">): Promise<Key> {
    for (const wrap of handover.wraps) {
      const data = this.keys.find((one) => one.id === wrap.key);
      const holder = data && this.opened.get(data.public_key);
      if (holder) return unwrapKey(fromBase64(wrap.blob), holder.identity, handover.public_key);
    }
    throw new Unopened("it is not wrapped to an unlocked key");
  }

  /** Return the text of a version. Throws Unopened. */
  async textOf(ciphertext: string, key: Key): Promise<string> {
    return openText(fromBase64(ciphertext), key.identity);
  }

  passkeys(): readonly FileData[] {
    return this.files("passkey").map(([, file]) => file);
  }

  private take(key: Key): void {
    this.opened.set(key.publicKey, key);
  }

  private files(kind: FileData["kind"]): [KeyData, FileData][] {
    const ordered = [...this.keys].sort((a, b) => Number(b.is_present) - Number(a.is_present));
    return ordered.flatMap((key) => key.files.filter((file) => file.kind === kind).map((file): [KeyData, FileData] => [key, file]));
  }
}

/** Call `lock` once nobody has touched the page for IDLE_MS, and when it is left. Returns what ends the watch. */
export function watchIdle(lock: () => void): () => void {
  let timer = setTimeout(lock, IDLE_MS);
  const touched = () => {
    clearTimeout(timer);
    timer = setTimeout(lock, IDLE_MS);
  };
  const events = ["pointerdown", "keydown", "input", "scroll"] as const;
  for (const event of events) document.addEventListener(event, touched, { passive: true, capture: true });
  window.addEventListener("pagehide", lock);
  return () => {
    clearTimeout(timer);
    for (const event of events) document.removeEventListener(event, touched, { capture: true });
    window.removeEventListener("pagehide", lock);
  };
}
