// What the page of a copy says, in Czech and English. Whoever reads it may be frightened, and has nobody to ask.
import type { Mistake } from "../identity";

export type Language = "cs" | "en";

export interface Words {
  readonly other: string; // the name of the other language, in itself
  readonly lead: string;
  readonly from: string;
  readonly taken: string;
  readonly saved: string;
  readonly cardTitle: string;
  readonly cardHelp: string;
  readonly key: string;
  readonly scan: string;
  readonly passphraseTitle: string;
  readonly passphrase: string;
  readonly show: string;
  readonly open: string;
  readonly working: string;
  readonly print: string;
  readonly lock: string;
  readonly attachments: string;
  readonly save: string;
  readonly beside: string;
  readonly choose: string;
  readonly unknownFile: string;
  readonly empty: string;
  readonly foot: string;
  readonly mistakes: Readonly<Record<Mistake, string>>;
  readonly wrongKey: string;
  readonly wrongPassphrase: string;
  readonly noPassphrase: string;
  readonly damaged: string;
  readonly noCode: string;
  readonly noCopy: string;
}

export const WORDS: Readonly<Record<Language, Words>> = {
  cs: {
    other: "English",
    lead: "Tohle je zašifrovaná kopie předání. Otevře se přímo tady, ve vašem počítači nebo telefonu: bez internetu a nic se nikam neposílá.",
    from: "Předává",
    taken: "Kopie ze dne",
    saved: "Text ze dne",
    cardTitle: "Klíčem z obnovovací karty",
    cardHelp: "Opište klíč z karty po skupinách. Na mezerách a velikosti písmen nezáleží; kroužek je vždy nula.",
    key: "Klíč z karty",
    scan: "nebo načtěte čtvercový kód z fotografie",
    passphraseTitle: "Heslem",
    passphrase: "Heslo",
    show: "Ukázat heslo",
    open: "Otevřít",
    working: "Otevírám… Může to několik sekund trvat.",
    print: "Vytisknout",
    lock: "Zavřít",
    attachments: "Přílohy",
    save: "Uložit",
    beside: "Některé přílohy jsou příliš velké, než aby byly v této stránce. Leží vedle ní ve složce attachments: rozbalte celý soubor ZIP a vyberte je zde.",
    choose: "Vybrat soubory ze složky attachments",
    unknownFile: "Tento soubor k předání nepatří: ",
    empty: "Text tohoto předání je prázdný.",
    foot: "Až dočtete, stránku zavřete. Otevřený text nikde nezůstane; co uložíte nebo vytisknete, to zůstane.",
    mistakes: {
      empty: "Nejdřív opište klíč z karty.",
      length: "Klíč nemá správnou délku. Za AGE-SECRET-KEY-1 má být 58 písmen a číslic; zkontrolujte, zda některá skupina nechybí nebo není dvakrát.",
      letter: "V klíči je znak, který v něm být nemůže. Písmena B, I, O ani číslice 1 se ve skupinách nevyskytují.",
      checksum: "Některý znak klíče je přepsaný. Porovnejte ho s kartou skupinu po skupině; pletou se třeba 8 a B, 5 a S, 2 a Z, U a V.",
    },
    wrongKey: "Klíč je opsaný správně, ale patří k jinému předání nebo k jiné kopii. Porovnejte název a datum na kartě s názvem a datem nahoře.",
    wrongPassphrase: "Tímto heslem se kopie neotevře. Zkontrolujte velká a malá písmena a rozložení klávesnice, nebo použijte kartu.",
    noPassphrase: "Nejdřív napište heslo.",
    damaged: "Soubor je poškozený, a proto se z něj nic neukáže. Zkuste jinou kopii souboru ZIP.",
    noCode: "Na obrázku není vidět žádný čtvercový kód. Vyfoťte ho zblízka, rovně a ostře, nebo klíč opište.",
    noCopy: "V této stránce žádné předání není. Otevřete open.html ze souboru ZIP, který patří ke kartě.",
  },
  en: {
    other: "Čeština",
    lead: "This is an encrypted copy of a handover. It opens right here, on your computer or phone: without the internet, and nothing is sent anywhere.",
    from: "From",
    taken: "Copy made on",
    saved: "Text of",
    cardTitle: "With the key on the recovery card",
    cardHelp: "Type the key from the card group by group. Spaces and capital letters do not matter; a circle is always a zero.",
    key: "Key from the card",
    scan: "or read the square code from a photo",
    passphraseTitle: "With a passphrase",
    passphrase: "Passphrase",
    show: "Show the passphrase",
    open: "Open",
    working: "Opening… It can take a few seconds.",
    print: "Print",
    lock: "Close",
    attachments: "Files",
    save: "Save",
    beside: "Some files are too large to be inside this page. They lie beside it in the folder attachments: unpack the whole ZIP file and choose them here.",
    choose: "Choose files from the folder attachments",
    unknownFile: "This file does not belong to the handover: ",
    empty: "The text of this handover is empty.",
    foot: "Close the page when you have finished. The opened text stays nowhere; what you save or print does.",
    mistakes: {
      empty: "Type the key from the card first.",
      length: "The key does not have the right length. After AGE-SECRET-KEY-1 there are 58 letters and digits; check that no group is missing or there twice.",
      letter: "The key has a character that cannot be in it. The letters B, I, O and the digit 1 do not occur in the groups.",
      checksum: "Some character of the key is mistyped. Compare it with the card group by group; 8 and B, 5 and S, 2 and Z, U and V are easily confused.",
    },
    wrongKey: "The key is typed correctly, but it belongs to another handover or to another copy. Compare the title and date on the card with those above.",
    wrongPassphrase: "This passphrase does not open the copy. Check capital letters and the layout of the keyboard, or use the card.",
    noPassphrase: "Type the passphrase first.",
    damaged: "The file is damaged, so nothing of it is shown. Try another copy of the ZIP file.",
    noCode: "There is no square code to be seen on the picture. Take it from near, straight and sharp, or type the key.",
    noCopy: "There is no handover in this page. Open the open.html of the ZIP file that belongs to the card.",
  },
};

/** The language of the browser, Czech where it is Slovak, too. */
export function preferredLanguage(tags: readonly string[]): Language {
  const known = tags.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => ["cs", "sk", "en"].includes(tag));
  return known === "cs" || known === "sk" ? "cs" : "en";
}
