/** The same passphrase typed on two devices may be two strings; it is one sentence. */
export function normal(passphrase: string): string {
  return passphrase.normalize("NFKC").trim().replace(/\s+/g, " ");
}
