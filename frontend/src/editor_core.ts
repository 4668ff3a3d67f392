// The editor: a text area with a toolbar, a preview, and a save that never loses text. How it saves is its page's to say.
// Nothing typed is ever kept in the browser's storage.
import { applyMark, continueList, type Change, type Mark } from "./markdown";
import { SaveQueue, type Draft, type Outcome, type SaveState } from "./saver";

const PREVIEW_QUIET_MS = 350;
const REQUEST_LIMIT_MS = 30000;
export const KEEPALIVE_BYTES_MAX = 60000; // browsers refuse more in a request that outlives its page

/** How an editor saves, and how it shows what is written. preview: safe HTML, or null where there is none now. */
export interface Ports {
  send(draft: Draft, revision: number): Promise<Outcome>;
  preview(content: string): Promise<string | null>;
}

function part<T extends Element>(root: Element, name: string): T | null {
  return root.querySelector<T>(`[data-editor-${name}]`);
}

/** A signal that ends a request which takes too long. */
export function within(ms = REQUEST_LIMIT_MS): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

export class Editor {
  private readonly text: HTMLTextAreaElement;
  private readonly title: HTMLInputElement | null;
  private readonly queue: SaveQueue;
  private previewTimer: ReturnType<typeof setTimeout> | null = null;
  private previewRound = 0;

  constructor(
    private readonly form: HTMLFormElement,
    text: HTMLTextAreaElement,
    private readonly ports: Ports,
  ) {
    this.text = text;
    this.title = form.querySelector<HTMLInputElement>("[data-editor-title], input[name=title]");
    this.queue = new SaveQueue(
      (draft, revision) => ports.send(draft, revision),
      (state) => this.show(state),
      Number(form.dataset.revision ?? "0"),
      this.draft(),
    );
    this.listen();
    this.dressToolbar();
    void this.preview();
  }

  private draft(): Draft {
    return { title: this.title?.value ?? "", content: this.text.value };
  }

  /** True while the server does not have what the person sees. */
  get unsaved(): boolean {
    return this.queue.unsaved;
  }

  /** Save now, if there is anything to save. */
  flush(): void {
    this.queue.flush();
  }

  /** Put another text in the place of the present one, as if somebody had typed it. */
  replace(content: string): void {
    this.text.value = content;
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  private listen(): void {
    const edited = () => {
      this.queue.edit(this.draft());
      this.planPreview();
    };
    this.text.addEventListener("input", edited);
    this.title?.addEventListener("input", edited);
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.queue.edit(this.draft());
      this.queue.flush();
    });
    window.addEventListener("online", () => this.queue.flush());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.queue.flush();
    });
    window.addEventListener("beforeunload", (event) => {
      if (!this.queue.unsaved) return;
      this.queue.flush();
      event.preventDefault();
    });
    part<HTMLButtonElement>(this.form, "keep")?.addEventListener("click", () => this.queue.keepMine());
    part<HTMLButtonElement>(this.form, "theirs")?.addEventListener("click", () => this.takeTheirs());
  }

  private takeTheirs(): void {
    const theirs = this.queue.takeTheirs();
    if (!theirs) return;
    this.text.value = theirs.content;
    if (this.title) this.title.value = theirs.title;
    this.text.focus();
    void this.preview();
  }

  // -- what the person is told

  private words(name: string): string {
    return this.form.dataset[`text${name}`] ?? "";
  }

  private show(state: SaveState): void {
    const conflict = part<HTMLElement>(this.form, "conflict");
    if (conflict) conflict.hidden = state.kind !== "conflict";
    const place = part<HTMLElement>(this.form, "state");
    if (!place) return;
    place.dataset.state = state.kind;
    this.markErrors(state.kind === "invalid" ? state.errors : {});
    const words = this.sentence(state);
    if (place.textContent !== words) place.textContent = words;
  }

  private sentence(state: SaveState): string {
    switch (state.kind) {
      case "saved":
        return this.words("Saved").replace("{time}", this.time(state.savedAt));
      case "waiting":
      case "saving":
        return this.words("Saving");
      case "retrying":
        return this.words("Retry");
      case "signed-out":
        return this.words("SignedOut");
      case "conflict":
        return this.words("Conflict");
      case "too-long":
        return this.words("TooLong");
      case "invalid":
        return [this.words("Invalid"), ...Object.values(state.errors).flat()].join(" ");
    }
  }

  private time(savedAt: string | null): string {
    const at = savedAt ? new Date(savedAt) : new Date();
    const shown = Number.isNaN(at.getTime()) ? new Date() : at;
    return shown.toLocaleTimeString(document.documentElement.lang || undefined, { hour: "numeric", minute: "2-digit" });
  }

  private markErrors(errors: Readonly<Record<string, readonly string[]>>): void {
    for (const field of [this.title, this.text]) {
      if (!field) continue;
      const wrong = (errors[field.name || (field.dataset.field ?? "")] ?? []).length > 0;
      field.classList.toggle("is-invalid", wrong);
      if (wrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  // -- the toolbar

  private dressToolbar(): void {
    const toolbar = part<HTMLElement>(this.form, "toolbar");
    if (!toolbar) return;
    toolbar.hidden = false;
    for (const button of toolbar.querySelectorAll<HTMLButtonElement>("button[data-mark]")) {
      button.addEventListener("click", () => this.mark(button.dataset.mark as Mark));
    }
    const toggle = part<HTMLButtonElement>(this.form, "toggle");
    toggle?.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-pressed") !== "true";
      toggle.setAttribute("aria-pressed", String(open));
      this.form.classList.toggle("previewing", open);
      if (open) void this.preview();
    });
  }

  private mark(mark: Mark): void {
    this.change(applyMark(mark, this.text.value, this.text.selectionStart, this.text.selectionEnd));
  }

  private change(change: Change): void {
    this.text.focus();
    this.text.setSelectionRange(change.from, change.to);
    // insertText keeps the browser's undo; where it is missing the text is set directly.
    const done = change.insert === "" ? document.execCommand("delete") : document.execCommand("insertText", false, change.insert);
    if (!done) {
      this.text.setRangeText(change.insert, change.from, change.to);
      this.text.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.text.setSelectionRange(change.start, change.end);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && this.text.selectionStart === this.text.selectionEnd) {
      const change = continueList(this.text.value, this.text.selectionStart);
      if (!change) return;
      event.preventDefault();
      this.change(change);
      return;
    }
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const marks: Readonly<Record<string, Mark>> = { b: "bold", i: "italic", k: "link" };
    const mark = marks[event.key.toLowerCase()];
    if (mark) {
      event.preventDefault();
      this.mark(mark);
    } else if (event.key.toLowerCase() === "s") {
      event.preventDefault();
      this.queue.flush();
    }
  }

  // -- the preview

  private planPreview(): void {
    if (this.previewTimer !== null) clearTimeout(this.previewTimer);
    this.previewTimer = setTimeout(() => void this.preview(), PREVIEW_QUIET_MS);
  }

  private async preview(): Promise<void> {
    const place = part<HTMLElement>(this.form, "preview");
    if (!place || place.offsetParent === null) return; // not shown: not asked for
    const round = ++this.previewRound;
    try {
      const html = await this.ports.preview(this.text.value);
      // It was rendered without raw HTML and cleaned; a late answer to an older text is dropped.
      if (round === this.previewRound && html !== null) place.innerHTML = html;
    } catch {
      // the preview is a comfort: the last one stays
    }
  }
}
