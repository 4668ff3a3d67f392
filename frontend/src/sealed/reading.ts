// What a sealed page fetches to show texts: Markdown as people read it, and what differs between two versions.

import { renderMarkdown } from "../reading";

/** Return safe HTML whose highest heading is of level `below` + 1. */
export function render(content: string, below = 1): string {
  const place = document.createElement("div");
  place.append(renderMarkdown(content, { below }).html);
  return place.innerHTML;
}

export { renderMarkdown } from "../reading";
export { compare, type Part } from "./compare";
