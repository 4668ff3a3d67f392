// One press seals for everybody: each handover's key is unwrapped by what was unlocked, and wrapped to whoever waits.
import { postJson } from "../http";
import { Unopened } from "./age";
import { find, pageData, refusal, tell, words } from "./dom";
import { wrapsFor, type Holder } from "./fresh_key";
import type { HandoverData, KeyData, Unlocked } from "./keys";
import { UnlockPanel } from "./unlock_panel";

interface Waiting extends HandoverData {
  readonly holders: readonly Holder[];
}

export function sealingPage(page: HTMLElement): void {
  const { keys, waiting } = pageData<{ keys: KeyData[]; waiting: Waiting[] }>();
  const panel = find<HTMLElement>(page, "[data-unlock]");
  const place = find<HTMLElement>(page, "[data-failure]");
  if (panel) new UnlockPanel(panel, keys, (unlocked) => sealAll(page, place, waiting, unlocked));
}

async function sealAll(page: HTMLElement, place: HTMLElement | null, waiting: readonly Waiting[], unlocked: Unlocked): Promise<void> {
  const handovers = [];
  const closed: string[] = [];
  for (const one of waiting) {
    try {
      const key = await unlocked.keyOf(one);
      handovers.push({ handover: one.id, public_key: key.publicKey, wraps: await wrapsFor(key, one.holders) });
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      closed.push(one.title);
    }
  }
  unlocked.lock();
  if (handovers.length === 0) throw new Unopened("it opens none of them");
  let response: Response | null = null;
  try {
    response = await postJson(page.dataset.sendUrl ?? "", { handovers });
  } catch {
    // no answer; said below
  }
  if (!response?.ok || response.redirected) {
    tell(place, (response && (await refusal(response))) || words(page, "Failed"));
    throw new Unopened("not stored");
  }
  if (closed.length === 0) location.reload();
  else tell(place, words(page, "Unopened").replace("{titles}", closed.join(", ")));
}
