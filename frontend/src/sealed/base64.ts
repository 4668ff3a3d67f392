// Bytes in JSON and in forms: base64 with padding.
import { base64 } from "@scure/base";

export function toBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}

/** Throws where it is no base64. */
export function fromBase64(text: string): Uint8Array {
  return base64.decode(text);
}
