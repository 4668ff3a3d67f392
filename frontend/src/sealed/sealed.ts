// The script of the pages around sealed handovers, and, run as a worker, the slow work of passphrases.
import { canSeal } from "./age";
import { showFingerprints } from "./dom";
import { editorPage } from "./editor_page";
import { createPage, levelPage } from "./fresh_key";
import { keyPage, makeKeyPage } from "./key_pages";
import { releasePage } from "./release_page";
import { sealingPage } from "./sealing_page";
import { serve, workWith } from "./worker";

const PAGES: Readonly<Record<string, (page: HTMLElement) => void>> = {
  "key-new": (page) => makeKeyPage(page),
  "recipient-key": (page) => makeKeyPage(page, "recipient"),
  "recipient-key-kept": (page) => keyPage(page, "recipient"),
  key: (page) => keyPage(page),
  editor: editorPage,
  create: createPage,
  level: levelPage,
  sealing: sealingPage,
  release: releasePage,
};

if (typeof document === "undefined") {
  serve(self as unknown as Parameters<typeof serve>[0]);
} else {
  const script = document.currentScript;
  if (script instanceof HTMLScriptElement) workWith(script.src);
  const page = document.querySelector<HTMLElement>("[data-sealed-page]");
  showFingerprints();
  if (page) PAGES[page.dataset.sealedPage ?? ""]?.(page);
  const old = document.querySelector<HTMLElement>("[data-too-old]");
  if (old) void canSeal().then((can) => (old.hidden = can));
  // A page that comes back from the browser's memory would show what was locked when it was left.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
