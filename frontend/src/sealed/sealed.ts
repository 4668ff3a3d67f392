// The script of the pages around sealed handovers, and, run as a worker, the slow work of passphrases.
import { showFingerprints } from "./dom";
import { editorPage } from "./editor_page";
import { createPage, levelPage } from "./fresh_key";
import { keyPage, makeKeyPage } from "./key_pages";
import { sealingPage } from "./sealing_page";
import { serve, workWith } from "./worker";

const PAGES: Readonly<Record<string, (page: HTMLElement) => void>> = {
  "key-new": makeKeyPage,
  key: keyPage,
  editor: editorPage,
  create: createPage,
  level: levelPage,
  sealing: sealingPage,
};

if (typeof document === "undefined") {
  serve(self as unknown as Parameters<typeof serve>[0]);
} else {
  const script = document.currentScript;
  if (script instanceof HTMLScriptElement) workWith(script.src);
  const page = document.querySelector<HTMLElement>("[data-sealed-page]");
  showFingerprints();
  if (page) PAGES[page.dataset.sealedPage ?? ""]?.(page);
  // A page that comes back from the browser's memory would show what was locked when it was left.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
