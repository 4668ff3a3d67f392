// The owner's own key: made, put under another passphrase or a passkey, printed on a card.
import { lockByPasskey, newKey, newPasskey, Unopened, type Key } from "./age";
import { toBase64 } from "./base64";
import { saveCardOf } from "./card_link";
import { busy, find, pageData, tell, words } from "./dom";
import { watchIdle, type KeyData, type Unlocked } from "./keys";
import { passphraseForm } from "./passphrase_form";
import { UnlockPanel } from "./unlock_panel";
import { lockBeside } from "./worker";

function field(form: ParentNode, name: string): HTMLInputElement | null {
  return find<HTMLInputElement>(form, `input[name="${name}"]`);
}

/** A page that makes a key: passphrase, then the card, and only then is anything sent. */
export function makeKeyPage(page: HTMLElement, kind: "owner" | "recipient" = "owner"): void {
  const [first, second] = [find<HTMLElement>(page, '[data-step="passphrase"]'), find<HTMLElement>(page, '[data-step="card"]')];
  const [form, send] = [find<HTMLFormElement>(page, "[data-passphrase]"), find<HTMLFormElement>(page, "[data-key-form]")];
  const [kept, submit] = [find<HTMLInputElement>(page, "[data-card-kept]"), find<HTMLButtonElement>(page, "[data-key-submit]")];
  const save = find<HTMLButtonElement>(page, "[data-card-save]");
  if (!first || !second || !form || !send || !kept || !submit) return;
  let key: Key | null = null;
  let saved = false;
  const ready = () => {
    submit.disabled = !(kept.checked && saved);
  };
  passphraseForm(form, async (passphrase) => {
    key = await newKey();
    const file = await lockBeside(key, passphrase);
    const [publicField, fileField] = [field(send, "public_key"), field(send, "file")];
    if (!publicField || !fileField) return;
    publicField.value = key.publicKey;
    fileField.value = toBase64(file);
    first.hidden = true;
    second.hidden = false;
    find<HTMLElement>(second, "h2")?.focus();
  });
  save?.addEventListener("click", () => {
    const place = find<HTMLElement>(page, "[data-card-error]");
    tell(place, "");
    void busy(save, "", async () => {
      try {
        if (key) await saveCardOf(key, page, kind);
        saved = true;
      } catch {
        tell(place, words(page, "CardFailed"));
      }
    }).then(ready);
  });
  kept.addEventListener("change", ready);
  window.addEventListener("pagehide", () => {
    key = null;
  });
}

/** The page of the key that a person has. */
export function keyPage(page: HTMLElement, kind: "owner" | "recipient" = "owner"): void {
  const { keys } = pageData<{ keys: KeyData[] }>();
  const [panel, inside] = [find<HTMLElement>(page, "[data-unlock]"), find<HTMLElement>(page, "[data-unlocked]")];
  if (!panel || !inside) return;
  new UnlockPanel(panel, keys, async (unlocked) => {
    if (!unlocked.present) throw new Unopened("not the present key");
    inside.hidden = false;
    watchIdle(() => leave(unlocked));
    find<HTMLButtonElement>(inside, "[data-lock]")?.addEventListener("click", () => leave(unlocked));
    dress(page, inside, unlocked.present, kind);
  });
}

function dress(page: HTMLElement, inside: HTMLElement, key: Key, kind: "owner" | "recipient"): void {
  const [choose, send] = [find<HTMLFormElement>(inside, "[data-passphrase]"), find<HTMLFormElement>(inside, "[data-passphrase-send]")];
  if (choose && send) {
    passphraseForm(choose, async (passphrase) => {
      const file = field(send, "file");
      if (file) file.value = toBase64(await lockBeside(key, passphrase));
      send.submit();
    });
  }
  const save = find<HTMLButtonElement>(inside, "[data-card-save]");
  save?.addEventListener("click", () => void busy(save, "", () => saveCardOf(key, page, kind)));
  const [passkeys, form] = [find<HTMLElement>(inside, "[data-passkey-add]"), find<HTMLFormElement>(inside, "[data-passkey-form]")];
  if (!passkeys || !form || !("PublicKeyCredential" in window)) return;
  passkeys.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const place = find<HTMLElement>(form, "[data-passkey-error]");
    tell(place, "");
    void busy(find(form, "button[type=submit]"), "", async () => {
      const [name, hint, file] = [field(form, "name"), field(form, "hint"), field(form, "file")];
      if (!name || !hint || !file) return;
      try {
        hint.value = await newPasskey(name.value.trim() || name.placeholder);
        file.value = toBase64(await lockByPasskey(key, hint.value));
      } catch {
        tell(place, words(page, "PasskeyFailed")); // the browser has said why in its own window
        return;
      }
      form.submit();
    });
  });
}

function leave(unlocked: Unlocked): void {
  unlocked.lock();
  location.reload();
}
