// The sealed editor: opened with an unlocked key, saved as ciphertext, forgotten when it is locked or left.
import { readOutcome } from "../answers";
import { Editor, KEEPALIVE_BYTES_MAX, within, type Ports } from "../editor_core";
import { postJson } from "../http";
import type { Draft, Outcome } from "../saver";
import { sealText, type Key } from "./age";
import { toBase64 } from "./base64";
import { busy, find, pageData, tell, words } from "./dom";
import { watchIdle, type HandoverData, type KeyData, type Unlocked } from "./keys";
import { UnlockPanel } from "./unlock_panel";

const LOCK_RETRY_MS = 5000;

interface Data {
  readonly keys: KeyData[];
  readonly handover: HandoverData;
  readonly ciphertext: string;
}

interface Version {
  readonly number: number;
  readonly at: string;
  readonly ciphertext: string;
}

type ReadingModule = typeof import("./reading");

export function editorPage(page: HTMLElement): void {
  const data = pageData<Data>();
  const [panel, inside] = [find<HTMLElement>(page, "[data-unlock]"), find<HTMLElement>(page, "[data-unlocked]")];
  const form = find<HTMLFormElement>(page, "[data-sealed-editor]");
  const text = form && find<HTMLTextAreaElement>(form, '[data-field="content"]');
  if (!panel || !inside || !form || !text) return;
  new UnlockPanel(panel, data.keys, async (unlocked) => {
    const key = await unlocked.keyOf(data.handover);
    text.value = await unlocked.textOf(data.ciphertext, key);
    inside.hidden = false;
    const editor = new Editor(form, text, new SealedPorts(page, form, unlocked, key));
    const lock = locking(editor, unlocked);
    watchIdle(lock);
    find<HTMLButtonElement>(inside, "[data-lock]")?.addEventListener("click", lock);
    versionsIn(page, inside, { unlocked, key, editor, text });
    text.focus();
  });
}

/** Save what is unsaved, then forget everything: the page begins anew, locked. Nothing typed is ever lost for it. */
function locking(editor: Editor, unlocked: Unlocked): () => void {
  return () => {
    editor.flush();
    if (editor.unsaved) {
      setTimeout(locking(editor, unlocked), LOCK_RETRY_MS);
      return;
    }
    unlocked.lock();
    location.reload();
  };
}

class SealedPorts implements Ports {
  constructor(
    private readonly page: HTMLElement,
    private readonly form: HTMLFormElement,
    private readonly unlocked: Unlocked,
    private key: Key,
  ) {}

  async send(draft: Draft, revision: number): Promise<Outcome> {
    const body = {
      title: draft.title,
      ciphertext: toBase64(await sealText(draft.content, this.key.publicKey)),
      public_key: this.key.publicKey,
      is_blank: draft.content.trim() === "",
      revision,
    };
    const keepalive = document.visibilityState === "hidden" && JSON.stringify(body).length < KEEPALIVE_BYTES_MAX;
    const response = await postJson(this.form.dataset.autosaveUrl ?? "", body, { keepalive, signal: within() });
    return response.status === 409 && !response.redirected ? this.conflict(response) : readOutcome(response);
  }

  async preview(content: string): Promise<string | null> {
    return (await reading(this.page)).render(content);
  }

  /** What was saved elsewhere, opened; perhaps the handover has got a fresh key meanwhile. */
  private async conflict(response: Response): Promise<Outcome> {
    const theirs = (await response.json()) as HandoverData & { ciphertext: string };
    this.key = await this.unlocked.keyOf(theirs);
    const content = await this.unlocked.textOf(theirs.ciphertext, this.key);
    return { kind: "conflict", revision: theirs.revision, theirs: { title: theirs.title, content } };
  }
}

function reading(page: HTMLElement): Promise<ReadingModule> {
  return import(/* @vite-ignore */ page.dataset.readingUrl ?? "") as Promise<ReadingModule>;
}

interface Open {
  readonly unlocked: Unlocked;
  readonly key: Key;
  readonly editor: Editor;
  readonly text: HTMLTextAreaElement;
}

/** Earlier versions: fetched as ciphertext, opened and compared here, brought back as if somebody had typed them. */
function versionsIn(page: HTMLElement, inside: HTMLElement, { unlocked, key, editor, text }: Open): void {
  const root = find<HTMLDetailsElement>(inside, "[data-versions]");
  const choice = root && find<HTMLSelectElement>(root, "[data-version-choice]");
  const [show, restore] = [find<HTMLButtonElement>(inside, "[data-version-show]"), find<HTMLButtonElement>(inside, "[data-version-restore]")];
  const diff = find<HTMLElement>(inside, "[data-version-diff]");
  if (!root || !choice || !show || !restore || !diff) return;
  const place = find<HTMLElement>(root, "[data-version-error]");
  let kept: readonly Version[] = [];
  let older: string | null = null;
  const forget = () => {
    older = null;
    restore.hidden = diff.hidden = true;
  };
  root.addEventListener("toggle", () => {
    if (!root.open) return;
    forget();
    tell(place, "");
    void versionsOf(root).then(
      (found) => {
        kept = found.slice(1); // the newest is the text itself
        choice.replaceChildren(...kept.map(({ number, at }) => new Option(at, String(number))));
        show.disabled = choice.disabled = kept.length === 0;
      },
      () => tell(place, words(root, "Failed")),
    );
  });
  choice.addEventListener("change", forget);
  show.addEventListener("click", () => {
    tell(place, "");
    void busy(show, "", async () => {
      try {
        const chosen = kept.find(({ number }) => String(number) === choice.value);
        older = await unlocked.textOf(chosen?.ciphertext ?? "", key);
        diff.replaceChildren(...lines(root, (await reading(page)).compare(older, text.value)));
        restore.hidden = diff.hidden = false;
      } catch {
        tell(place, words(root, "Failed"));
      }
    });
  });
  restore.addEventListener("click", () => {
    if (older === null) return;
    editor.replace(older);
    forget();
    text.focus();
  });
}

async function versionsOf(root: HTMLElement): Promise<readonly Version[]> {
  const response = await fetch(root.dataset.url ?? "", { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) throw new Error("no versions");
  return ((await response.json()) as { versions: Version[] }).versions;
}

function lines(root: HTMLElement, parts: ReturnType<ReadingModule["compare"]>): HTMLElement[] {
  return parts.map(({ kind, text }) => {
    const line = document.createElement(kind === "added" ? "ins" : kind === "removed" ? "del" : "p");
    if (kind !== "same") line.setAttribute("aria-label", words(root, kind === "added" ? "Added" : "Removed"));
    line.textContent = text;
    return line;
  });
}
