// Choosing a passphrase: its strength is shown while it is typed, and a weak one is not taken.
import { normal } from "../passphrase";
import { busy, find, tell, words } from "./dom";

const SCORE_LEAST = 3;
const CHARS_LEAST = 12;

export interface Strength {
  readonly score: number; // 0 to 4
  readonly advice: string;
}

interface StrengthModule {
  strengthOf(passphrase: string, language: string): Strength;
}

/** Call `chosen` with a passphrase that is strong enough and was written twice. */
export function passphraseForm(form: HTMLFormElement, chosen: (passphrase: string) => Promise<void>): void {
  const [field, again] = [find<HTMLInputElement>(form, "#new-passphrase"), find<HTMLInputElement>(form, "#new-passphrase-again")];
  const [wrong, differs] = [find<HTMLElement>(form, "[data-passphrase-error]"), find<HTMLElement>(form, "[data-again-error]")];
  if (!field || !again) return;
  const judge = judged(form);
  field.addEventListener("focus", () => void judge(""), { once: true }); // so that the word lists are there in time
  field.addEventListener("input", () => void judge(field.value).then((strength) => showStrength(form, field.value, strength)));
  find<HTMLInputElement>(form, "[data-passphrase-show]")?.addEventListener("change", (event) => {
    const shown = (event.target as HTMLInputElement).checked;
    field.type = again.type = shown ? "text" : "password";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busy(find(form, "button[type=submit]"), words(form, "Busy"), async () => {
      tell(wrong, "");
      tell(differs, "");
      const passphrase = normal(field.value);
      const strength = await judge(passphrase);
      if (!isStrong(passphrase, strength)) {
        tell(wrong, words(form, "Weak"));
        field.focus();
      } else if (normal(again.value) !== passphrase) {
        tell(differs, words(form, "Differs"));
        again.focus();
      } else {
        try {
          await chosen(passphrase);
        } catch {
          tell(wrong, words(form, "Exhausted"));
          return;
        }
        field.value = again.value = "";
      }
    });
  });
}

/** Whether a passphrase may be taken. */
export function isStrong(passphrase: string, strength: Strength): boolean {
  return normal(passphrase).length >= CHARS_LEAST && strength.score >= SCORE_LEAST;
}

/** Show how strong a passphrase is, in the form's meter and words. */
export function showStrength(form: HTMLFormElement, passphrase: string, { score, advice }: Strength): void {
  const place = find<HTMLElement>(form, "[data-strength]");
  const meter = place && find<HTMLMeterElement>(place, "meter");
  const words_ = place && find<HTMLElement>(place, "[role=status]");
  if (!place || !meter || !words_) return;
  const counted = normal(passphrase).length < CHARS_LEAST ? Math.min(score, SCORE_LEAST - 1) : score;
  place.hidden = passphrase === "";
  meter.value = counted;
  const name = words(form, "Strength").split("|")[counted] ?? "";
  words_.textContent = counted < SCORE_LEAST && advice ? `${name}. ${advice}` : name;
}

/** Return what judges a passphrase; the word lists are large and come when somebody begins to write one. */
export function judged(form: HTMLFormElement): (passphrase: string) => Promise<Strength> {
  let loaded: Promise<StrengthModule> | null = null;
  return async (passphrase) => {
    try {
      loaded ??= import(/* @vite-ignore */ form.dataset.strengthUrl ?? "") as Promise<StrengthModule>;
      return (await loaded).strengthOf(normal(passphrase), document.documentElement.lang);
    } catch {
      loaded = null;
      // Without the lists: only what is long counts as good.
      return { score: normal(passphrase).length >= 24 ? SCORE_LEAST : SCORE_LEAST - 1, advice: "" };
    }
  };
}
