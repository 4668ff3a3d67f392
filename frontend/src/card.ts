// The recovery card: a key on one sheet of paper. It is made here, in the browser, so that the key reaches nobody's server.
import { jsPDF } from "jspdf";
import encodeQR from "qr";

import plain from "../fonts/DejaVuSansCondensed.ttf";
import bold from "../fonts/DejaVuSansCondensed-Bold.ttf";
import mono from "../fonts/DejaVuSansMono-Bold.ttf";
import { CARD_WORDS, type CardKind, type CardLanguage, type CardWords, type Section } from "./card_words";
import { groupsOf, PREFIX, readIdentity } from "./identity";

export type { CardKind, CardLanguage } from "./card_words";

/**
 * What a card is made of.
 *
 * identity: AGE-SECRET-KEY-1…; whose: the name of whom it belongs to; what: what it opens, a title or a sentence;
 * fingerprint: the words that tell this key from others, where there are any; madeAt: the day that is printed.
 */
export interface Card {
  readonly identity: string;
  readonly kind: CardKind;
  readonly whose: string;
  readonly what: string;
  readonly language: CardLanguage;
  readonly fingerprint?: readonly string[];
  readonly madeAt: Date;
}

// Millimetres on A4.
const PAGE = { width: 210, height: 297 };
const EDGE = 20;
const INNER = PAGE.width - 2 * EDGE;
const LABEL = 42;
const QR = 58;
const GROUPS_A_LINE = 4;
const NAME_LINES_MAX = 3;

/** Return the card as a PDF of one page. Throws NotAnIdentity where a card would carry what is no key. */
export function makeCard(card: Card): Uint8Array {
  const identity = readIdentity(card.identity);
  const words = CARD_WORDS[card.language];
  const doc = new jsPDF({ unit: "mm", format: "a4", compress: true });
  doc.setProperties({ title: `${words.title}: ${shown(card.what)}`, creator: "Štafeta" });
  doc.setLanguage(card.language);
  for (const [style, file] of Object.entries({ normal: plain, bold, mono })) {
    doc.addFileToVFS(`${style}.ttf`, file);
    doc.addFont(`${style}.ttf`, "card", style);
  }
  const sheet = new Sheet(doc);
  sheet.heading(words.title);
  for (const [label, value] of facts(card, words)) sheet.fact(label, value);
  sheet.key(identity, words);
  for (const section of words.sections[card.kind]) sheet.section(section);
  sheet.foot(words.foot);
  return new Uint8Array(doc.output("arraybuffer"));
}

/** The name under which the card is saved. */
export function cardName(card: Pick<Card, "language" | "madeAt">): string {
  return `${CARD_WORDS[card.language].file}-${isoDay(card.madeAt)}.pdf`;
}

/** Let the person save the card. Nothing is sent anywhere. */
export function saveCard(card: Card): void {
  const address = URL.createObjectURL(new Blob([makeCard(card) as BlobPart], { type: "application/pdf" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = cardName(card);
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function facts(card: Card, words: CardWords): [string, string][] {
  const day = new Intl.DateTimeFormat(card.language === "cs" ? "cs-CZ" : "en-GB", { dateStyle: "long" }).format(card.madeAt);
  const found: [string, string][] = [
    [words.whose, card.whose],
    [words.what, card.what],
    [words.made, day],
  ];
  if (card.fingerprint?.length) found.push([words.fingerprint, card.fingerprint.join(" ")]);
  return found;
}

function isoDay(at: Date): string {
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** What our letters can print: one line, composed, with a mark where the fonts have no letter. */
function shown(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\s+/g, " ")
    .replace(/[^ -~\u00a0-\u024f\u0370-\u045f\u0490\u0491\u1ea0-\u1ef9\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u20ac\u2192]/gu, "?")
    .trim();
}

class Sheet {
  private y = EDGE;

  constructor(private readonly doc: jsPDF) {}

  heading(text: string): void {
    this.use("bold", 24);
    this.y += 8;
    this.doc.text(text, EDGE, this.y);
    this.y += 11;
  }

  fact(label: string, value: string): void {
    this.use("normal", 10, 90);
    const labels = this.doc.splitTextToSize(label, LABEL - 4) as string[];
    this.doc.text(labels, EDGE, this.y);
    this.use("bold", 11);
    const lines = this.fitted(shown(value), INNER - LABEL);
    this.doc.text(lines, EDGE + LABEL, this.y);
    this.y += 5.2 * Math.max(lines.length, labels.length) + 1.4;
  }

  key(identity: string, words: CardWords): void {
    this.y += 1;
    const top = this.y;
    this.doc.setDrawColor(120).setLineWidth(0.4).roundedRect(EDGE, top, INNER, QR + 12, 2, 2);
    this.square(identity, EDGE + 6, top + 6);
    const left = EDGE + QR + 14;
    this.use("normal", 10, 90);
    this.doc.text(words.key, left, top + 11);
    this.use("mono", 14);
    this.doc.text([PREFIX, ...lined(groupsOf(identity))], left, top + 19, { lineHeightFactor: 1.5 });
    this.use("normal", 8.5, 60);
    this.doc.text(this.doc.splitTextToSize(words.letters, EDGE + INNER - left - 4) as string[], left, top + 58, { lineHeightFactor: 1.25 });
    this.y = top + QR + 22;
  }

  section({ title, lines }: Section): void {
    this.use("bold", 12);
    this.doc.text(title, EDGE, this.y);
    this.y += 6;
    this.use("normal", 10.5);
    const numbered = lines.length > 2;
    lines.forEach((line, place) => {
      const indent = numbered ? 6 : 0;
      if (numbered) this.doc.text(`${place + 1}.`, EDGE, this.y);
      const broken = this.doc.splitTextToSize(line, INNER - indent) as string[];
      this.doc.text(broken, EDGE + indent, this.y, { lineHeightFactor: 1.3 });
      this.y += 4.85 * broken.length + 1.3;
    });
    this.y += 3.5;
  }

  foot(text: string): void {
    this.use("normal", 8, 90);
    const lines = this.doc.splitTextToSize(`Štafeta · ${text}`, INNER) as string[];
    this.doc.text(lines, EDGE, PAGE.height - 14 - 3.5 * (lines.length - 1));
  }

  /** The code, drawn as squares: it stays sharp on any printer. */
  private square(text: string, left: number, top: number): void {
    const bordered = encodeQR(text, "raw", { ecc: "quartile", border: 1 });
    const modules = bordered.slice(1, -1).map((row) => row.slice(1, -1)); // the paper around is its border
    const side = QR / modules.length;
    this.doc.setFillColor("#000000");
    modules.forEach((row, y) => {
      for (let x = 0; x < row.length; x++) {
        const from = x;
        while (row[x]) x++;
        if (x > from) this.doc.rect(left + from * side, top + y * side, (x - from) * side, side + 0.01, "F");
      }
    });
  }

  private fitted(text: string, width: number): string[] {
    const lines = this.doc.splitTextToSize(text, width) as string[];
    if (lines.length <= NAME_LINES_MAX) return lines;
    const kept = lines.slice(0, NAME_LINES_MAX);
    kept[NAME_LINES_MAX - 1] = `${(kept[NAME_LINES_MAX - 1] ?? "").slice(0, -2)} …`;
    return kept;
  }

  private use(style: "normal" | "bold" | "mono", size: number, grey = 20): void {
    this.doc.setFont("card", style).setFontSize(size).setTextColor(grey);
  }
}

function lined(groups: readonly string[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < groups.length; at += GROUPS_A_LINE) lines.push(groups.slice(at, at + GROUPS_A_LINE).join(" "));
  return lines;
}
