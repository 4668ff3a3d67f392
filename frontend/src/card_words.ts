// What stands on a recovery card, in the language of whoever keeps it. No sentence asks them to trust us.

export type CardLanguage = "cs" | "en";

/** Whose key it is: the owner's own, a recipient's own, or that of one copy taken out of Štafeta. */
export type CardKind = "owner" | "recipient" | "copy";

export interface CardWords {
  readonly title: string;
  readonly whose: string;
  readonly what: string;
  readonly made: string;
  readonly fingerprint: string;
  readonly key: string;
  readonly letters: string;
  readonly sections: Readonly<Record<CardKind, readonly Section[]>>;
  readonly foot: string;
  readonly file: string;
}

export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

const CS_CARE = "Uložte ji jako občanský průkaz nebo závěť: doma v pevných deskách, v trezoru, u notáře. Nefoťte ji a neposílejte ji e-mailem.";
const EN_CARE = "Keep it like a passport or a will: in a folder at home, in a safe, with a notary. Take no photo of it and never e-mail it.";

export const CARD_WORDS: Readonly<Record<CardLanguage, CardWords>> = {
  cs: {
    title: "Obnovovací karta",
    whose: "Komu patří",
    what: "K čemu je",
    made: "Vytvořena",
    fingerprint: "Otisk klíče slovy",
    key: "Klíč",
    letters: "Na mezerách a velikosti písmen nezáleží. Písmena B, I, O ani číslice 1 v těchto skupinách nejsou; kroužek je vždy nula.",
    sections: {
      owner: [
        { title: "Co to je", lines: ["Klíč k vašim zapečetěným předáním. Vznikl ve vašem prohlížeči a nikdo jiný ho nemá. Zapomenete-li heslo, otevřete je touto kartou."] },
        {
          title: "Jak ji použít",
          lines: ["Přihlaste se do Štafety a otevřete zapečetěné předání.", "Až se stránka zeptá na heslo, zvolte obnovovací kartu.", "Opište klíč po skupinách, nebo načtěte čtvercový kód."],
        },
        { title: "Na co si dát pozor", lines: ["Bez hesla i bez této karty ta předání už nepřečtete. Nikdo vám klíč neobnoví, ani provozovatel.", CS_CARE] },
      ],
      recipient: [
        { title: "Co to je", lines: ["Váš klíč k tomu, co vám někdo jednou předá. Vznikl ve vašem prohlížeči a nikdo jiný ho nemá. Zapomenete-li heslo, použijete tuto kartu."] },
        {
          title: "Jak ji použít",
          lines: ["Až vám přijde zpráva s odkazem, otevřete ho a zadejte kód z SMS.", "Až se stránka zeptá na heslo, zvolte obnovovací kartu.", "Opište klíč po skupinách, nebo načtěte čtvercový kód."],
        },
        {
          title: "Na co si dát pozor",
          lines: ["Ztratíte-li heslo i kartu, řekněte to tomu, kdo vám předává: dokud žije, může pro vás obsah zapečetit znovu. Později už to nepůjde.", CS_CARE],
        },
      ],
      copy: [
        {
          title: "Co to je",
          lines: ["Klíč ke kopii předání, kterou si někdo odnesl ze Štafety v souboru ZIP. Čte se bez internetu a bez Štafety."],
        },
        {
          title: "Jak ji použít",
          lines: [
            "Rozbalte soubor ZIP a otevřete v něm open.html v kterémkoli prohlížeči.",
            "Opište klíč po skupinách, nebo načtěte čtvercový kód.",
            "Kdyby to za mnoho let nešlo: obsah otevře program „age“. Návod pro odborníka je v souboru READ-ME.txt.",
          ],
        },
        {
          title: "Na co si dát pozor",
          lines: ["Kdo má tuto kartu i ten soubor, přečte všechno hned: bez čekání, bez ověření, bez vědomí vlastníka. Chcete-li mít jistotu, uložte je na dvou různých místech.", CS_CARE],
        },
      ],
    },
    foot: "Klíč je v otevřeném formátu age (age-encryption.org/v1). Karta vznikla v prohlížeči a na žádný server nebyla odeslána.",
    file: "obnovovaci-karta",
  },
  en: {
    title: "Recovery card",
    whose: "Whose it is",
    what: "What it is for",
    made: "Made on",
    fingerprint: "The key’s fingerprint in words",
    key: "Key",
    letters: "Spaces and capital letters do not matter. The letters B, I, O and the digit 1 do not occur in these groups; a circle is always a zero.",
    sections: {
      owner: [
        { title: "What this is", lines: ["The key to your sealed handovers. It was made in your browser and nobody else has it. If you forget your passphrase, this card opens them."] },
        {
          title: "How to use it",
          lines: ["Sign in to Štafeta and open a sealed handover.", "When the page asks for your passphrase, choose the recovery card.", "Type the key group by group, or scan the square code."],
        },
        { title: "What to beware of", lines: ["Without the passphrase and without this card you cannot read those handovers any more. Nobody can restore the key, nor can whoever runs the service.", EN_CARE] },
      ],
      recipient: [
        { title: "What this is", lines: ["Your key to what somebody will hand over to you one day. It was made in your browser and nobody else has it. If you forget your passphrase, use this card."] },
        {
          title: "How to use it",
          lines: ["When a message with a link reaches you, open the link and enter the code from the SMS.", "When the page asks for your passphrase, choose the recovery card.", "Type the key group by group, or scan the square code."],
        },
        {
          title: "What to beware of",
          lines: ["If you lose both passphrase and card, tell the person who hands over to you: while they live they can seal it for you anew. Later nobody can.", EN_CARE],
        },
      ],
      copy: [
        { title: "What this is", lines: ["The key to a copy of a handover that somebody took out of Štafeta as a ZIP file. It can be read without the internet and without Štafeta."] },
        {
          title: "How to use it",
          lines: [
            "Unpack the ZIP file and open open.html from it in any browser.",
            "Type the key group by group, or scan the square code.",
            "Should that not work many years from now: the program “age” opens it. READ-ME.txt tells somebody who knows computers how.",
          ],
        },
        {
          title: "What to beware of",
          lines: ["Whoever has both this card and that file reads everything at once: without waiting, without any check, without the owner’s knowledge. To be safe, keep them in two different places.", EN_CARE],
        },
      ],
    },
    foot: "The key is in the open format age (age-encryption.org/v1). This card was made in a browser and was not sent to any server.",
    file: "recovery-card",
  },
};
