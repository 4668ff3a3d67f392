// Markdown as people read it, rendered in the browser: the same subset and the same safety as `vault/markdown.py` on the server.
// Raw HTML stays text, pictures become links, nothing in it loads or runs anything. The two are compared in tests/web/test_open.py.
import DOMPurify from "dompurify";
import MarkdownIt, { type Options } from "markdown-it";
import type StateCore from "markdown-it/lib/rules_core/state_core.mjs";
import type Token from "markdown-it/lib/token.mjs";

export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly anchor: string;
}

export interface Page {
  readonly html: DocumentFragment;
  readonly headings: readonly Heading[];
}

const HEADING_MOST = 6;
const TAGS = "a blockquote br code em h1 h2 h3 h4 h5 h6 hr input label li ol p pre s strong table tbody td th thead tr ul".split(" ");
const ATTRIBUTES = ["href", "title", "type", "checked", "disabled", "class", "start", "align", "id", "rel"];
const CLASSES = ["contains-task-list", "task-list-item", "task-list-item-checkbox"];
const ALIGNS: Readonly<Record<string, string>> = { "text-align:left": "left", "text-align:center": "center", "text-align:right": "right" };

// What one of these characters costs the parser, roughly in microseconds; a text made to be slow is shown as it was written.
const COSTS: Readonly<Record<string, number>> = { "\n": 40, "@": 40, ":": 40, "[": 25, ".": 12, "*": 10, _: 10, "~": 10, "<": 3, "&": 3 };
const COST_MAX = 3_000_000;

const OPTIONS: Options & { maxNesting: number } = { html: false, linkify: true, maxNesting: 40 };
const parser = new MarkdownIt("commonmark", OPTIONS);
parser.enable(["table", "strikethrough", "linkify"]);
parser.disable("image");
parser.core.ruler.after("inline", "task-lists", taskLists);

const purify = DOMPurify(window);
purify.addHook("uponSanitizeAttribute", (_node, data) => {
  if (data.attrName === "class") {
    data.attrValue = data.attrValue.split(/\s+/).filter((name) => CLASSES.includes(name)).join(" ");
    data.keepAttr = data.attrValue !== "";
  } else if (data.attrName === "type") {
    data.attrValue = "checkbox"; // the only input there is
  }
});

/** Render the content as safe HTML whose highest heading is of level `below` + 1; `anchors` begins their ids. */
export function renderMarkdown(content: string, { below = 1, anchors = "t" } = {}): Page {
  if (cost(content) > COST_MAX) return { html: asWritten(content), headings: [] };
  const tokens = parser.parse(content, {});
  const headings = settle(tokens, below, anchors);
  const html = purify.sanitize(parser.renderer.render(tokens, parser.options, {}), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel):|[^a-z]|[a-z+.-]+(?:[^a-z+.:-]|$))/i, // these schemes, or none
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    SANITIZE_NAMED_PROPS: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of html.querySelectorAll("a")) link.setAttribute("rel", "noopener noreferrer nofollow");
  return { html, headings };
}

function cost(content: string): number {
  let sum = 0;
  for (const letter of content) sum += COSTS[letter] ?? 0;
  return sum;
}

function asWritten(content: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const pre = document.createElement("pre");
  pre.textContent = content;
  fragment.append(pre);
  return fragment;
}

/** Move the headings down, give them their anchors, say alignment without a style, and return the headings. */
function settle(tokens: Token[], below: number, anchors: string): Heading[] {
  const headings: Heading[] = [];
  const levels = tokens.filter((token) => token.type === "heading_open").map((token) => Number(token.tag[1]));
  const highest = levels.length ? Math.min(...levels) : 1;
  tokens.forEach((token, place) => {
    if (token.type === "heading_open" || token.type === "heading_close") {
      const level = Number(token.tag[1]);
      token.tag = `h${Math.min(HEADING_MOST, level - highest + 1 + below)}`;
      if (token.type !== "heading_open") return;
      const anchor = `${anchors}-${headings.length + 1}`;
      token.attrSet("id", anchor);
      headings.push({ level, text: plain(tokens[place + 1]), anchor });
    } else if (token.type === "th_open" || token.type === "td_open") {
      const style = token.attrGet("style");
      if (style === null) return;
      token.attrs = (token.attrs ?? []).filter(([name]) => name !== "style");
      token.attrSet("align", ALIGNS[style] ?? "left");
    }
  });
  return headings;
}

function plain(inline: Token | undefined): string {
  const words = (inline?.children ?? []).filter((child) => child.type === "text" || child.type === "code_inline");
  return words.map((child) => child.content).join("").trim();
}

/** `- [ ] …` as GitHub reads it: a box that cannot be ticked, and its words. */
function taskLists(state: StateCore): void {
  const { tokens } = state;
  for (let at = 2; at < tokens.length; at++) {
    const [item, paragraph, inline] = [tokens[at - 2], tokens[at - 1], tokens[at]];
    if (inline?.type !== "inline" || paragraph?.type !== "paragraph_open" || item?.type !== "list_item_open") continue;
    const mark = /^\[([ xX])\]\s+/.exec(inline.content);
    const [first] = inline.children ?? [];
    if (!mark || !first) continue;
    const checked = mark[1] === " " ? "" : ' checked="checked"';
    first.content = first.content.slice(3);
    inline.content = inline.content.slice(3);
    const box = raw(state, `<label><input class="task-list-item-checkbox"${checked} disabled="disabled" type="checkbox">`);
    inline.children = [box, ...(inline.children ?? []), raw(state, "</label>")];
    item.attrSet("class", "task-list-item");
    const list = tokens.slice(0, at - 2).reverse().find((token) => token.level === item.level - 1);
    list?.attrSet("class", "contains-task-list");
  }
}

function raw(state: StateCore, html: string): Token {
  const token = new state.Token("html_inline", "", 0);
  token.content = html;
  return token;
}
