// What the toolbar does to the text, as pure functions of text and selection.

export type Mark = "bold" | "italic" | "heading" | "list" | "task" | "link" | "code";

/** Replace `from…to` by `insert`, then select `start…end`. */
export interface Change {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
  readonly start: number;
  readonly end: number;
}

const LINE_MARKS: Readonly<Record<"heading" | "list" | "task", string>> = { heading: "## ", list: "- ", task: "- [ ] " };
const ANY_LINE_MARK = /^(#{1,6} |- \[[ xX]\] |[-*+] |\d+[.)] )/;

function wrap(text: string, from: number, to: number, mark: string): Change {
  const inside = text.slice(from, to);
  const wrapped = inside.startsWith(mark) && inside.endsWith(mark) && inside.length >= 2 * mark.length;
  if (wrapped) {
    const bare = inside.slice(mark.length, inside.length - mark.length);
    return { from, to, insert: bare, start: from, end: from + bare.length };
  }
  const around = text.slice(from - mark.length, from) === mark && text.slice(to, to + mark.length) === mark;
  // One star beside the selection may be half of a bold one: then it is not ours to take.
  const doubled = mark === "*" && text[from - 2] === "*" && text[from - 3] !== "*";
  if (around && from >= mark.length && !doubled) {
    const start = from - mark.length;
    return { from: start, to: to + mark.length, insert: inside, start, end: start + inside.length };
  }
  const start = from + mark.length;
  return { from, to, insert: mark + inside + mark, start, end: start + inside.length };
}

function lines(text: string, from: number, to: number, mark: string): Change {
  const first = text.lastIndexOf("\n", from - 1) + 1;
  const next = text.indexOf("\n", to);
  const last = next === -1 ? text.length : next;
  const before = text.slice(first, last).split("\n");
  const every = before.every((line) => line.startsWith(mark));
  const after = before.map((line) => (every ? line.slice(mark.length) : mark + line.replace(ANY_LINE_MARK, "")));
  const insert = after.join("\n");
  const end = first + insert.length;
  return { from: first, to: last, insert, start: before.length > 1 ? first : end, end };
}

function link(text: string, from: number, to: number): Change {
  const inside = text.slice(from, to);
  if (/^https?:\/\/\S+$/.test(inside)) {
    return { from, to, insert: `[](${inside})`, start: from + 1, end: from + 1 };
  }
  const insert = `[${inside}](https://)`;
  const address = from + inside.length + 3;
  return { from, to, insert, start: address, end: address + "https://".length };
}

function code(text: string, from: number, to: number): Change {
  const inside = text.slice(from, to);
  if (!inside.includes("\n")) return wrap(text, from, to, "`");
  const insert = "```\n" + inside.replace(/\n$/, "") + "\n```";
  return { from, to, insert, start: from + 4, end: from + insert.length - 4 };
}

/** What pressing a toolbar button does. */
export function applyMark(mark: Mark, text: string, from: number, to: number): Change {
  switch (mark) {
    case "bold":
      return wrap(text, from, to, "**");
    case "italic":
      return wrap(text, from, to, "*");
    case "code":
      return code(text, from, to);
    case "link":
      return link(text, from, to);
    case "heading":
    case "list":
    case "task":
      return lines(text, from, to, LINE_MARKS[mark]);
  }
}

/** What Enter does at the end of a list item: the next item, or the end of the list on an empty one. Null: just Enter. */
export function continueList(text: string, at: number): Change | null {
  const first = text.lastIndexOf("\n", at - 1) + 1;
  const rest = text.slice(at).split("\n", 1)[0] ?? "";
  if (rest.trim() !== "") return null;
  const line = text.slice(first, at);
  const match = /^(\s*)(?:([-*+]) (\[[ xX]\] )?|(\d+)([.)]) )(.*)$/.exec(line);
  if (!match) return null;
  const [, indent = "", bullet, box, number, after = ".", words = ""] = match;
  if (words.trim() === "") return { from: first, to: at, insert: "", start: first, end: first };
  const mark = bullet !== undefined ? `${bullet} ${box ? "[ ] " : ""}` : `${Number(number) + 1}${after} `;
  const insert = `\n${indent}${mark}`;
  return { from: at, to: at, insert, start: at + insert.length, end: at + insert.length };
}
