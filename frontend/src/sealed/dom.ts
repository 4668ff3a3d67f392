// Small things that all sealed pages do.
import { fingerprint } from "./words";

export const find = <T extends Element>(root: ParentNode, selector: string): T | null => root.querySelector<T>(selector);

/** The data that the server put into the page. */
export function pageData<T>(): T {
  return JSON.parse(document.getElementById("sealed-data")?.textContent ?? "{}") as T;
}

/** A sentence of the page in its language: data-text-NAME. */
export function words(root: HTMLElement | null, name: string): string {
  return root?.dataset[`text${name}`] ?? "";
}

/** Say something in the place of errors; nothing hides it. */
export function tell(place: HTMLElement | null, text: string): void {
  if (!place) return;
  place.textContent = text;
  place.hidden = text === "" && place.hasAttribute("data-failure");
}

/** Disable a button while something slow goes on, and say what; another press does nothing. */
export async function busy(button: HTMLButtonElement | null, text: string, work: () => Promise<void>): Promise<void> {
  if (!button || button.getAttribute("aria-busy") === "true") return;
  const label = button.innerHTML;
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  if (text) button.textContent = text;
  try {
    await work();
  } finally {
    button.innerHTML = label;
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
}

/** Put the words of every key on the page into their places. */
export function showFingerprints(root: ParentNode = document): void {
  for (const place of root.querySelectorAll<HTMLElement>("[data-fingerprint]")) {
    const { cs, en } = fingerprint(place.dataset.fingerprint ?? "");
    const [czech, english] = [find(place, "[data-words-cs]"), find(place, "[data-words-en]")];
    if (czech) czech.textContent = cs.join(" ");
    if (english) english.textContent = en.join(" ");
  }
}

/** The sentence of an answer that refuses: {"errors": {field: [sentence]}}; nothing where it has none. */
export async function refusal(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { errors?: Record<string, string[]> };
    return Object.values(body.errors ?? {}).flat().join(" ");
  } catch {
    return "";
  }
}
