// The panel that unlocks: a passphrase, a passkey or the recovery card. What it unlocks never leaves the page.
import { NotAnIdentity, readIdentity } from "../identity";
import { Unopened } from "./age";
import { busy, find, tell, words } from "./dom";
import { Unlocked, type KeyData } from "./keys";

/** Ask until something is unlocked, then call `done`; where that throws Unopened, it was the wrong key, and it asks on, as where it returns false. */
export class UnlockPanel {
  readonly unlocked: Unlocked;

  constructor(
    private readonly root: HTMLElement,
    keys: readonly KeyData[],
    private readonly done: (unlocked: Unlocked) => Promise<boolean | void>,
  ) {
    this.unlocked = new Unlocked(keys);
    const form = find<HTMLFormElement>(root, "[data-unlock-form]");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.passphrase();
    });
    find<HTMLFormElement>(root, "[data-unlock-card]")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.card(event.submitter as HTMLButtonElement);
    });
    find<HTMLInputElement>(root, "#unlock-picture")?.addEventListener("change", (event) => void this.picture(event.target as HTMLInputElement));
    this.offerPasskeys();
    root.hidden = false;
  }

  private async passphrase(): Promise<void> {
    const field = find<HTMLInputElement>(this.root, "#unlock-passphrase");
    const place = find<HTMLElement>(this.root, "[data-unlock-error]");
    if (!field) return;
    tell(place, "");
    await busy(find(this.root, "[data-unlock-go]"), words(this.root, "Busy"), async () => {
      await this.attempt(place, words(this.root, "Wrong"), () => this.unlocked.byPassphrase(field.value));
    });
    if (this.unlocked.isOpen) field.value = "";
    else field.focus();
  }

  private async card(button: HTMLButtonElement | null): Promise<void> {
    const field = find<HTMLTextAreaElement>(this.root, "#unlock-card");
    const place = find<HTMLElement>(this.root, "[data-unlock-card-error]");
    if (!field) return;
    tell(place, "");
    try {
      const identity = readIdentity(field.value);
      await busy(button, "", () => this.attempt(place, words(this.root, "CardOther"), () => this.unlocked.byIdentity(identity)));
      if (this.unlocked.isOpen) field.value = "";
    } catch (error) {
      if (!(error instanceof NotAnIdentity)) throw error;
      const { mistake } = error;
      tell(place, words(this.root, `Card${mistake.charAt(0).toUpperCase()}${mistake.slice(1)}`));
      field.focus();
    }
  }

  /** Read the card's code from a photo, which goes nowhere, and unlock with what it says. */
  private async picture(input: HTMLInputElement): Promise<void> {
    const [file] = input.files ?? [];
    const [field, place] = [find<HTMLTextAreaElement>(this.root, "#unlock-card"), find<HTMLElement>(this.root, "[data-unlock-card-error]")];
    if (!file || !field) return;
    tell(place, "");
    let said: string | null = null;
    try {
      const { scanPicture } = (await import(/* @vite-ignore */ this.root.dataset.scanUrl ?? "")) as typeof import("../scan");
      said = await scanPicture(file);
    } catch {
      // the same words: typing the key needs nothing more
    }
    input.value = "";
    if (said === null) tell(place, words(this.root, "NoCode"));
    else {
      field.value = said;
      field.form?.requestSubmit(find<HTMLButtonElement>(field.form, "button[type=submit]"));
    }
  }

  private offerPasskeys(): void {
    const place = find<HTMLElement>(this.root, "[data-unlock-passkeys]");
    if (!place || !("PublicKeyCredential" in window)) return;
    for (const file of this.unlocked.passkeys()) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-secondary";
      button.textContent = words(this.root, "PasskeyName").replace("{name}", file.name);
      button.addEventListener("click", () => {
        const error = find<HTMLElement>(this.root, "[data-unlock-error]");
        tell(error, "");
        void busy(button, "", () => this.attempt(error, words(this.root, "Passkey"), () => this.unlocked.byPasskey(file.id)));
      });
      place.append(button);
    }
  }

  private async attempt(place: HTMLElement | null, wrong: string, unlock: () => Promise<void>): Promise<void> {
    try {
      await unlock();
    } catch (error) {
      this.unlocked.lock();
      tell(place, error instanceof Unopened ? wrong : words(this.root, "Exhausted"));
      return;
    }
    try {
      this.root.hidden = (await this.done(this.unlocked)) !== false;
    } catch (error) {
      this.unlocked.lock();
      if (!(error instanceof Unopened)) throw error;
      tell(place, wrong);
    }
  }
}
