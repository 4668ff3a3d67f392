// A copy to take away: the key is made here and printed on a card. The server gets its public half, and, where a passphrase
// was chosen, the other half under it: an age file that it cannot open.
import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";

import type { CardLanguage } from "./card";
import { loadCard } from "./card_link";
import { normal } from "./passphrase";
import { isStrong, judged, showStrength } from "./sealed/passphrase_form";

const SCRYPT_LOG_N = 18; // a second or two on a phone; for who tries every word it is a second each

class CopyForm {
  private isBusy = false;
  private readonly judge: ReturnType<typeof judged>;

  constructor(private readonly form: HTMLFormElement) {
    this.judge = judged(form);
    this.part<HTMLInputElement>("show").addEventListener("change", (event) => {
      this.part<HTMLInputElement>("passphrase").type = (event.target as HTMLInputElement).checked ? "text" : "password";
    });
    this.part("card").addEventListener("click", () => void this.makeKey());
    form.addEventListener("submit", () => this.say("sent", this.form.dataset.textSent ?? ""));
    const passphrase = this.part<HTMLInputElement>("passphrase");
    passphrase.addEventListener("focus", () => void this.judge(""), { once: true }); // so that the word lists are there in time
    passphrase.addEventListener("input", () => {
      this.forget(); // a key that was made belongs to the passphrase that stood there
      void this.judge(passphrase.value).then((strength) => showStrength(form, passphrase.value, strength));
    });
    form.hidden = false;
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.form.querySelector(`[data-copy-${name}]`) as T;
  }

  private field(name: string): HTMLInputElement {
    return this.form.querySelector(`input[name="${name}"]`) as HTMLInputElement;
  }

  private say(place: "state" | "sent", words: string): void {
    this.part(place).textContent = words;
  }

  private forget(): void {
    this.field("public_key").value = "";
    this.field("key_file").value = "";
    this.part<HTMLButtonElement>("download").disabled = true;
    this.say("state", "");
    this.say("sent", "");
  }

  private async makeKey(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.forget();
    try {
      const chosen = normal(this.part<HTMLInputElement>("passphrase").value);
      if (!this.mayBeTaken(chosen === "" || isStrong(chosen, await this.judge(chosen)))) return;
      this.say("state", this.form.dataset.textWorking ?? "");
      await new Promise((done) => setTimeout(done, 50)); // so that the words are seen before the work begins
      await this.made(chosen);
      this.part<HTMLButtonElement>("download").disabled = false;
      this.say("state", this.form.dataset.textMade ?? "");
    } catch {
      this.forget();
      this.say("state", this.form.dataset.textFailed ?? "");
    } finally {
      this.isBusy = false;
    }
  }

  /** Say beside the passphrase that it is too weak, or that it is not, and return the latter. */
  private mayBeTaken(isGood: boolean): boolean {
    const passphrase = this.part<HTMLInputElement>("passphrase");
    passphrase.classList.toggle("is-invalid", !isGood);
    passphrase.setAttribute("aria-invalid", String(!isGood));
    this.part("problem").hidden = isGood;
    if (!isGood) passphrase.focus();
    return isGood;
  }

  private async made(passphrase: string): Promise<void> {
    const identity = await generateX25519Identity();
    const keyFile = passphrase === "" ? "" : base64(await underPassphrase(identity, passphrase));
    const { saveCard } = await loadCard();
    saveCard({
      identity,
      kind: "copy",
      whose: this.form.dataset.owner ?? "",
      what: this.form.dataset.title ?? "",
      language: this.part<HTMLSelectElement>("language").value as CardLanguage,
      madeAt: new Date(),
    });
    this.field("key_file").value = keyFile;
    this.field("public_key").value = await identityToRecipient(identity);
  }
}

function underPassphrase(identity: string, passphrase: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(SCRYPT_LOG_N);
  return encrypter.encrypt(identity);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-copy]")) new CopyForm(form);
