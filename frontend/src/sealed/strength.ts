// How soon a passphrase would be guessed. The word lists are large, so pages fetch this when somebody begins to write one.
import { ZxcvbnFactory, type OptionsType } from "@zxcvbn-ts/core";
import graphs from "@zxcvbn-ts/language-common/dist/adjacencyGraphs.json.mjs";
import diceware from "@zxcvbn-ts/language-common/dist/diceware.json.mjs";
import passwords from "@zxcvbn-ts/language-common/dist/passwords.json.mjs";
import czech from "@zxcvbn-ts/language-cs/dist/commonWords.json.esm.js";
import firstnames from "@zxcvbn-ts/language-cs/dist/firstnames.json.esm.js";
import lastnames from "@zxcvbn-ts/language-cs/dist/lastnames.json.esm.js";
import translations from "@zxcvbn-ts/language-en/dist/translations.mjs";

import type { Strength } from "./passphrase_form";
import { sentence } from "./strength_words";

const CHARS_MAX = 200; // what is judged; the work grows with the length
const named = (keys: object): Record<string, string> => Object.fromEntries(Object.keys(keys).map((key) => [key, key]));

const known = translations as unknown as NonNullable<OptionsType["translations"]>;
const factory = new ZxcvbnFactory({
  dictionary: { passwords, diceware, czech, firstnames, lastnames },
  graphs: graphs as unknown as NonNullable<OptionsType["graphs"]>,
  // Findings come by their names; the sentences are ours.
  translations: { ...known, warnings: named(known.warnings), suggestions: named(known.suggestions) } as typeof known,
});

/** Return 0 (guessed at once) to 4 (never), and what would help, in the page's language. */
export function strengthOf(passphrase: string, language: string): Strength {
  const { score, feedback } = factory.check(plain(passphrase).slice(0, CHARS_MAX));
  return { score, advice: score < 3 ? sentence(feedback.warning ?? null, language) : "" };
}

/** Without accents, as the lists of those who guess have them too. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "");
}
