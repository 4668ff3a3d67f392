// The parts of a copy: those that stand in the page itself, in base64, and those that a person chooses beside it.

/** The ciphertexts at hand, by their path in the copy. */
export class Parts {
  private readonly chosen = new Map<string, Blob>();

  constructor(private readonly root: ParentNode) {}

  has(path: string): boolean {
    return this.chosen.has(path) || this.element(path) !== null;
  }

  /** Return the ciphertext. Throws where it is not at hand: ask `has` first. */
  async read(path: string): Promise<Uint8Array> {
    const blob = this.chosen.get(path);
    if (blob) return new Uint8Array(await blob.arrayBuffer());
    const element = this.element(path);
    if (!element) throw new Error(`${path} is not at hand`);
    return fromBase64(element.textContent ?? "");
  }

  /** Take a file that a person chose; false where no part is called so. */
  take(file: File, paths: readonly string[]): boolean {
    const name = file.name.normalize("NFC");
    const path = paths.find((one) => one.normalize("NFC").split("/").pop() === name);
    if (path === undefined) return false;
    this.chosen.set(path, file);
    return true;
  }

  private element(path: string): Element | null {
    return [...this.root.querySelectorAll("script[data-part]")].find((one) => one.getAttribute("data-part") === path) ?? null;
  }
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
