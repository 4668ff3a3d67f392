// The page inside every copy: it opens the handover with the card's key or a passphrase, and needs nothing from anywhere.
import { NotACopy, readManifest, type CopyFile, type Manifest } from "./copy/manifest";
import { Parts } from "./copy/parts";
import { Damaged, unlock, WrongSecret, type Opener, type Secret } from "./copy/unlock";
import { preferredLanguage, WORDS, type Language } from "./copy/words";
import { el } from "./dom";
import { NotAnIdentity } from "./identity";
import { renderMarkdown } from "./reading";
import { scanPicture } from "./scan";

const SAVED_MS = 60_000;

class CopyPage {
  private language: Language = preferredLanguage(navigator.languages);
  private readonly parts = new Parts(document);
  private readonly place = document.getElementById("place") as HTMLElement;
  private opened: { opener: Opener; text: string } | null = null;

  constructor(private readonly manifest: Manifest | null) {
    const button = document.getElementById("language") as HTMLButtonElement;
    button.addEventListener("click", () => {
      this.language = this.language === "cs" ? "en" : "cs";
      this.show();
    });
    this.listenForFiles();
    this.show();
  }

  private get words() {
    return WORDS[this.language];
  }

  private show(): void {
    document.documentElement.lang = this.language;
    const button = document.getElementById("language") as HTMLButtonElement;
    button.textContent = this.words.other;
    button.lang = this.language === "cs" ? "en" : "cs";
    (document.getElementById("foot") as HTMLElement).textContent = this.words.foot;
    if (!this.manifest) {
      this.place.replaceChildren(el("h1", {}, "Štafeta"), el("p", { class: "problem" }, this.words.noCopy));
      return;
    }
    document.title = `${this.manifest.title} · Štafeta`;
    const head = [el("h1", { tabindex: "-1" }, this.manifest.title), this.facts(this.manifest)];
    this.place.replaceChildren(...head, ...(this.opened ? this.reading(this.manifest) : this.closed(this.manifest)));
  }

  private facts(manifest: Manifest): HTMLElement {
    const day = (at: Date) =>
      Number.isNaN(at.getTime()) ? "–" : new Intl.DateTimeFormat(this.language === "cs" ? "cs-CZ" : "en-GB", { dateStyle: "long" }).format(at);
    const facts: [string, string][] = [
      [this.words.from, manifest.owner],
      [this.words.saved, day(manifest.savedAt)],
      [this.words.taken, day(manifest.takenAt)],
    ];
    return el("dl", {}, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  // -- closed

  private closed(manifest: Manifest): HTMLElement[] {
    const found = [el("p", {}, this.words.lead), this.cardForm()];
    if (manifest.files.some((file) => file.role === "key")) found.push(this.passphraseForm());
    return found;
  }

  private cardForm(): HTMLElement {
    const { words } = this;
    const key = el("textarea", { id: "key", rows: "4", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", "aria-describedby": "key-help" });
    const picture = el("input", { id: "picture", type: "file", accept: "image/*" });
    const form = el(
      "form",
      { class: "panel", id: "card-form" },
      el("h2", {}, words.cardTitle),
      el("p", { class: "help", id: "key-help" }, words.cardHelp),
      el("label", { for: "key" }, words.key),
      key,
      el("label", { for: "picture" }, words.scan),
      picture,
      el("button", { type: "submit" }, words.open),
    );
    picture.addEventListener("change", async () => {
      const [file] = picture.files ?? [];
      if (!file) return;
      const said = await scanPicture(file);
      picture.value = "";
      if (said === null) this.problem(form, words.noCode, picture);
      else {
        key.value = said;
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.tryOpen(form, key, { identity: key.value });
    });
    return form;
  }

  private passphraseForm(): HTMLElement {
    const { words } = this;
    const passphrase = el("input", { id: "passphrase", type: "password", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
    const show = el("input", { type: "checkbox" });
    show.addEventListener("change", () => (passphrase.type = show.checked ? "text" : "password"));
    const form = el(
      "form",
      { class: "panel", id: "passphrase-form" },
      el("h2", {}, words.passphraseTitle),
      el("label", { for: "passphrase" }, words.passphrase),
      passphrase,
      el("label", { class: "check" }, show, words.show),
      el("button", { type: "submit" }, words.open),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (passphrase.value === "") this.problem(form, words.noPassphrase, passphrase);
      else void this.tryOpen(form, passphrase, { passphrase: passphrase.value });
    });
    return form;
  }

  private async tryOpen(form: HTMLElement, field: HTMLElement, secret: Secret): Promise<void> {
    const button = form.querySelector("button") as HTMLButtonElement;
    if (button.disabled) return;
    this.problem(form, null, field);
    button.disabled = true;
    const status = el("p", { role: "status" }, this.words.working);
    form.append(status);
    await new Promise((done) => setTimeout(done, 50)); // so that the words are seen before the work begins
    try {
      const opener = await unlock(secret, await this.all("key"), await this.all("wrapped_key"));
      const [content] = await this.all("content");
      this.opened = { opener, text: content ? await opener.openText(content) : "" };
      this.show();
      (this.place.querySelector("h1") as HTMLElement).focus();
    } catch (error) {
      this.problem(form, this.sentence(error, "passphrase" in secret), field);
    } finally {
      button.disabled = false;
      status.remove();
    }
  }

  private all(role: CopyFile["role"]): Promise<Uint8Array[]> {
    const files = this.manifest?.files.filter((file) => file.role === role && this.parts.has(file.path)) ?? [];
    return Promise.all(files.map((file) => this.parts.read(file.path)));
  }

  private sentence(error: unknown, isPassphrase: boolean): string {
    if (error instanceof NotAnIdentity) return this.words.mistakes[error.mistake];
    if (error instanceof WrongSecret) return isPassphrase ? this.words.wrongPassphrase : this.words.wrongKey;
    return this.words.damaged;
  }

  /** Say what is wrong where it is, and lead back to it; null takes it away again. */
  private problem(form: HTMLElement, words: string | null, field: HTMLElement): void {
    form.querySelector(".problem")?.remove();
    field.removeAttribute("aria-invalid");
    if (words === null) return;
    field.setAttribute("aria-invalid", "true");
    form.querySelector("button")?.before(el("p", { class: "problem", role: "alert" }, words));
    field.focus();
  }

  // -- open

  private reading(manifest: Manifest): HTMLElement[] {
    const { words } = this;
    const print = el("button", { type: "button", class: "quiet" }, words.print);
    print.addEventListener("click", () => window.print());
    const lock = el("button", { type: "button", class: "quiet" }, words.lock);
    lock.addEventListener("click", () => {
      this.opened = null;
      this.show();
    });
    const text = this.opened?.text ?? "";
    const article = el("article", { class: "panel text" });
    if (text.trim()) article.append(renderMarkdown(text, { below: 1 }).html);
    else article.append(el("p", {}, words.empty));
    const found = [el("p", { class: "actions" }, print, lock), article];
    const files = manifest.files.filter((file) => file.role === "attachment");
    if (files.length) found.push(this.attachments(files));
    return found;
  }

  private attachments(files: readonly CopyFile[]): HTMLElement {
    const { words } = this;
    const section = el("section", { class: "panel", id: "attachments" }, el("h2", {}, words.attachments));
    const list = el("ul", { class: "files" }, ...files.map((file) => this.attachment(file, section)));
    section.append(list);
    if (files.some((file) => !this.parts.has(file.path))) {
      const input = el("input", { id: "beside", type: "file", multiple: "", accept: ".age" });
      input.addEventListener("change", () => this.takeIn([...(input.files ?? [])]));
      section.append(el("p", { class: "help" }, words.beside), el("label", { for: "beside" }, words.choose), input);
    }
    return section;
  }

  private attachment(file: CopyFile, section: HTMLElement): HTMLElement {
    const item = el("li", {}, el("span", {}, file.name));
    if (!this.parts.has(file.path)) return item;
    const button = el("button", { type: "button", class: "quiet", "aria-label": `${this.words.save}: ${file.name}` }, this.words.save);
    button.addEventListener("click", async () => {
      button.disabled = true;
      section.querySelector(".problem")?.remove();
      try {
        const plaintext = await this.opened?.opener.open(await this.parts.read(file.path));
        if (plaintext) save(plaintext, file.name);
      } catch (error) {
        const words = error instanceof Damaged || error instanceof WrongSecret ? `${file.name}: ${this.words.damaged}` : String(error);
        section.append(el("p", { class: "problem", role: "alert" }, words));
      } finally {
        button.disabled = false;
      }
    });
    item.append(button);
    return item;
  }

  private takeIn(files: readonly File[]): void {
    const paths = this.manifest?.files.map((file) => file.path) ?? [];
    const strangers = files.filter((file) => !this.parts.take(file, paths));
    this.show();
    const [first] = strangers;
    if (first) this.place.querySelector("#attachments")?.append(el("p", { class: "problem", role: "alert" }, this.words.unknownFile + first.name));
  }

  private listenForFiles(): void {
    const body = document.body;
    body.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (this.opened) body.classList.add("dropping");
    });
    body.addEventListener("dragleave", () => body.classList.remove("dropping"));
    body.addEventListener("drop", (event) => {
      event.preventDefault();
      body.classList.remove("dropping");
      if (this.opened) this.takeIn([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

function save(plaintext: Uint8Array, name: string): void {
  // Never as what it claims to be: the browser shall keep it, not show it.
  const address = URL.createObjectURL(new Blob([plaintext as BlobPart], { type: "application/octet-stream" }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), SAVED_MS);
}

function manifestInPage(): Manifest | null {
  const element = document.querySelector('script[data-part="manifest.json"]');
  if (!element) return null;
  try {
    return readManifest(element.textContent ?? "");
  } catch (error) {
    if (error instanceof NotACopy) return null;
    throw error;
  }
}

new CopyPage(manifestInPage());
