// A handover gets a fresh key: a new one is made sealed, a guarded one is sealed, a sealed one is written anew or unsealed.
import { postJson } from "../http";
import { newKey, sealText, Unopened, wrapKey, type Key } from "./age";
import { toBase64 } from "./base64";
import { busy, find, pageData, refusal, tell, words } from "./dom";
import type { HandoverData, KeyData, Unlocked } from "./keys";
import { UnlockPanel } from "./unlock_panel";

export interface Holder {
  readonly id: number;
  readonly public_key: string;
}

interface Texts {
  readonly revision: number;
  readonly dropped: number;
  readonly texts: readonly { readonly number: number; readonly content?: string; readonly ciphertext?: string }[];
}

const isBlank = (text: string): boolean => text.trim() === "";

/** Wrap a handover's key to each holder, as the server takes it. */
export async function wrapsFor(key: Key, holders: readonly Holder[]): Promise<{ key: number; blob: string }[]> {
  return Promise.all(
    holders.map(async (holder) => ({ key: holder.id, blob: toBase64(await wrapKey(key, holder.public_key)) })),
  );
}

export function createPage(page: HTMLElement): void {
  const data = pageData<{ holders: Holder[]; title: string; content: string }>();
  onPress(page, async () => {
    const key = await newKey();
    return {
      url: page.dataset.sendUrl ?? "",
      body: {
        title: data.title,
        public_key: key.publicKey,
        wraps: await wrapsFor(key, data.holders),
        ciphertext: toBase64(await sealText(data.content, key.publicKey)),
        is_blank: isBlank(data.content),
      },
    };
  });
}

export function levelPage(page: HTMLElement): void {
  const data = pageData<{ keys: KeyData[]; handover: HandoverData; holders: Holder[] }>();
  const leaves = find(page, "[data-go], [data-unlock]") && page.dataset.way !== "anew";
  // Where this does not come through, what follows does not either, and says so.
  if (leaves) void textsOf(page).then((texts) => showDropped(page, texts.dropped), () => undefined);
  switch (page.dataset.way) {
    case "seal": {
      if (!find(page, "[data-go]")) return;
      onPress(page, async () => {
        const texts = await textsOf(page);
        return sealing(page, texts.revision, data.holders, texts.texts.map(({ number, content = "" }) => ({ number, content })));
      });
      return;
    }
    case "anew":
      onPress(page, () => sealing(page, data.handover.revision, data.holders, [{ number: data.handover.revision, content: "" }]));
      return;
    default: {
      const panel = find<HTMLElement>(page, "[data-unlock]");
      const fresh = page.dataset.way === "fresh";
      if (panel) {
        new UnlockPanel(panel, data.keys, (unlocked) =>
          fresh ? sealAnew(page, data.handover, data.holders, unlocked) : unseal(page, data.handover, unlocked),
        );
      }
    }
  }
}

async function sealing(page: HTMLElement, revision: number, holders: readonly Holder[], texts: readonly { number: number; content: string }[]) {
  const key = await newKey();
  const sealed = await Promise.all(
    texts.map(async ({ number, content }) => ({ number, ciphertext: toBase64(await sealText(content, key.publicKey)) })),
  );
  const present = texts.find(({ number }) => number === revision);
  return {
    url: page.dataset.sealUrl ?? "",
    body: {
      revision,
      public_key: key.publicKey,
      wraps: await wrapsFor(key, holders),
      texts: sealed,
      is_blank: isBlank(present?.content ?? ""),
    },
  };
}

async function unseal(page: HTMLElement, handover: HandoverData, unlocked: Unlocked): Promise<void> {
  const { revision, texts } = await opened(page, handover, unlocked);
  await send(page, find<HTMLElement>(page, "[data-failure]"), page.dataset.unsealUrl ?? "", { revision, texts });
}

/** The same texts under a fresh key: whoever kept the one of before, opens nothing that is written from now on. */
async function sealAnew(page: HTMLElement, handover: HandoverData, holders: readonly Holder[], unlocked: Unlocked): Promise<void> {
  const { revision, texts } = await opened(page, handover, unlocked);
  const { url, body } = await sealing(page, revision, holders, texts);
  await send(page, find<HTMLElement>(page, "[data-failure]"), url, body);
}

async function opened(page: HTMLElement, handover: HandoverData, unlocked: Unlocked) {
  const key = await unlocked.keyOf(handover);
  const { revision, texts } = await textsOf(page);
  const open = await Promise.all(
    texts.map(async ({ number, ciphertext = "" }) => ({ number, content: await unlocked.textOf(ciphertext, key) })),
  );
  unlocked.lock();
  return { revision, texts: open };
}

async function textsOf(page: HTMLElement): Promise<Texts> {
  const response = await fetch(page.dataset.textsUrl ?? "", { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) throw new Error(await refusal(response));
  return (await response.json()) as Texts;
}

function showDropped(page: HTMLElement, dropped: number): void {
  const [line, count] = [find<HTMLElement>(page, "[data-dropped]"), find<HTMLElement>(page, "[data-dropped-count]")];
  if (!line || !count) return;
  line.hidden = dropped === 0;
  count.textContent = String(dropped);
}

function onPress(page: HTMLElement, prepare: () => Promise<{ url: string; body: unknown }>): void {
  const [button, place] = [find<HTMLButtonElement>(page, "[data-go]"), find<HTMLElement>(page, "[data-failure]")];
  if (!button) return;
  button.disabled = false;
  button.addEventListener("click", () => {
    tell(place, "");
    void busy(button, "", async () => {
      try {
        const { url, body } = await prepare();
        await send(page, place, url, body);
      } catch (error) {
        if (error instanceof Unopened) throw error;
        tell(place, (error instanceof Error && error.message) || words(page, "Failed"));
      }
    });
  });
}

async function send(page: HTMLElement, place: HTMLElement | null, url: string, body: unknown): Promise<void> {
  let response: Response;
  try {
    response = await postJson(url, body);
  } catch {
    tell(place, words(page, "Failed"));
    return;
  }
  if (response.ok && !response.redirected) {
    const { url: next } = (await response.json()) as { url: string };
    location.assign(next);
  } else if (response.status === 409) tell(place, words(page, "Conflict"));
  else tell(place, (await refusal(response)) || words(page, "Failed"));
}
