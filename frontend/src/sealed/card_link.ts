// Saving the recovery card of an unlocked key.
import { loadCard } from "../card_link";
import type { Key } from "./age";
import { fingerprint } from "./words";

/** Let the person save the card of a key as a PDF. page: says whose the key is and what it opens. */
export async function saveCardOf(key: Key, page: HTMLElement, kind: "owner" | "recipient"): Promise<void> {
  const { saveCard } = await loadCard();
  const language = document.documentElement.lang === "cs" ? "cs" : "en";
  saveCard({
    identity: key.identity,
    kind,
    whose: page.dataset.whose ?? "",
    what: page.dataset.what ?? "",
    language,
    fingerprint: fingerprint(key.publicKey)[language],
    madeAt: new Date(),
  });
}
