// What was sealed for a recipient, opened in their browser: unlocked, asked for once more, and only then shown.
import { postJson } from "../http";
import type { Heading, Page } from "../reading";
import { canSeal, Unopened } from "./age";
import { find, pageData, tell, words } from "./dom";
import type { HandoverData, KeyData, Unlocked } from "./keys";
import { UnlockPanel } from "./unlock_panel";

const CONTENTS_FROM = 3; // fewer headings need no table of contents (web/reading.py)
const CONTENTS_LEVELS = 2;
const BELOW = 2; // the page's own headings

interface Text extends HandoverData {
  readonly grant: number;
  readonly ciphertext: string;
}

interface Opened {
  readonly grant: number;
  readonly content: string;
}

interface ReadingModule {
  renderMarkdown(content: string, options: { below: number; anchors: string }): Page;
}

export function releasePage(page: HTMLElement): void {
  const { keys, texts } = pageData<{ keys: KeyData[]; texts: Text[] }>();
  const panel = find<HTMLElement>(page, "[data-unlock]");
  if (!panel) return;
  void canSeal().then((can) => {
    if (!can) return; // what stands there says what to do
    const shown = new Set<number>();
    const [waiting, help] = [find<HTMLElement>(page, "[data-sealed-waiting]"), find<HTMLElement>(page, "[data-sealed-help]")];
    new UnlockPanel(panel, keys, async (unlocked) => {
      await open(page, texts.filter(({ grant }) => !shown.has(grant)), unlocked, shown);
      const all = shown.size === texts.length;
      if (help) help.hidden = all;
      return all;
    });
    if (waiting) waiting.hidden = true;
    if (help) help.hidden = false;
  });
}

async function open(page: HTMLElement, texts: readonly Text[], unlocked: Unlocked, shown: Set<number>): Promise<void> {
  const place = find<HTMLElement>(page, "[data-failure]");
  tell(place, "");
  const opened: Opened[] = [];
  let damaged = false;
  for (const text of texts) {
    let key;
    try {
      key = await unlocked.keyOf(text);
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      continue; // another key's
    }
    try {
      opened.push({ grant: text.grant, content: await unlocked.textOf(text.ciphertext, key) });
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      damaged = true;
    }
  }
  if (opened.length === 0 && !damaged) throw new Unopened("it opens nothing");
  if (damaged) tell(place, words(page, "Damaged"));
  if (opened.length === 0) return;
  let reading: ReadingModule;
  try {
    reading = (await import(/* @vite-ignore */ page.dataset.readingUrl ?? "")) as ReadingModule;
  } catch {
    tell(place, words(page, "Offline"));
    return;
  }
  const allowed = await allowedOf(page, opened, place);
  if (allowed.length === 0) return;
  for (const one of opened) {
    if (!allowed.includes(one.grant)) continue;
    show(one, reading);
    shown.add(one.grant);
  }
  tell(find(page, "[data-sealed-said]"), words(page, "Opened"));
  find<HTMLElement>(document, `[data-sealed-text="${allowed[0]}"] [data-sealed-prose]`)?.focus();
}

/** Ask whether it may still be shown, and say why where it may not. */
async function allowedOf(page: HTMLElement, opened: readonly Opened[], place: HTMLElement | null): Promise<readonly number[]> {
  let response: Response;
  try {
    response = await postJson(page.dataset.sendUrl ?? "", { grants: opened.map(({ grant }) => ({ grant })) });
  } catch {
    tell(place, words(page, "Offline"));
    return [];
  }
  if (response.redirected) tell(place, words(page, "Gate"));
  else if (response.status >= 500) tell(place, words(page, "Offline"));
  else if (!response.ok) tell(place, words(page, "Closed"));
  else return ((await response.json()) as { open: number[] }).open;
  return [];
}

function show({ grant, content }: Opened, { renderMarkdown }: ReadingModule): void {
  const root = find<HTMLElement>(document, `[data-sealed-text="${grant}"]`);
  const prose = root && find<HTMLElement>(root, "[data-sealed-prose]");
  if (!root || !prose) return;
  const { html, headings } = renderMarkdown(content, { below: BELOW, anchors: root.dataset.anchor ?? "t" });
  prose.replaceChildren(html);
  contentsOf(root, headings);
  const closed = root.parentElement && find<HTMLElement>(root.parentElement, "[data-sealed-closed]");
  if (closed) closed.hidden = true;
  root.hidden = false;
  find<HTMLButtonElement>(root, "[data-sealed-save]")?.addEventListener("click", () => save(root.dataset.title ?? "", content));
}

/** The table of contents: the two highest levels of headings, where there are enough of them. */
function contentsOf(root: HTMLElement, headings: readonly Heading[]): void {
  const nav = find<HTMLElement>(root, "[data-sealed-contents]");
  const list = nav && find<HTMLElement>(nav, "ul");
  const levels = [...new Set(headings.map(({ level }) => level))].sort().slice(0, CONTENTS_LEVELS);
  const listed = headings.filter(({ level }) => levels.includes(level));
  if (!nav || !list || listed.length < CONTENTS_FROM) return;
  list.replaceChildren(
    ...listed.map(({ anchor, text }) => {
      const [item, link] = [document.createElement("li"), document.createElement("a")];
      link.href = `#${anchor}`;
      link.textContent = text;
      item.append(link);
      return item;
    }),
  );
  nav.hidden = false;
}

function save(title: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/markdown;charset=utf-8" }));
  link.download = `${title.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, " ").trim() || "text"}.md`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
