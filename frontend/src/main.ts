// What every page has: htmx, and a few kindnesses that the pages also work without.
import htmx from "htmx.org";

import { csrfToken } from "./http";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}
window.htmx = htmx;
Object.assign(htmx.config, {
  includeIndicatorStyles: false, // the page's policy forbids styles that are not a file
  allowEval: false,
  allowScriptTags: false,
  selfRequestsOnly: true,
  historyCacheSize: 0, // pages hold secrets: no copy of them in the browser's storage
});

document.addEventListener("htmx:configRequest", (event) => {
  const { headers } = (event as CustomEvent<{ headers: Record<string, string> }>).detail;
  headers["X-CSRFToken"] = csrfToken();
});

// A second press of a button whose form is on its way would be harmless; it only looks as if nothing happened.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post") return;
  if (form.dataset.sending !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = "";
});

// Back from the browser's page cache, or after a download that left the page standing: the form is fresh again.
function freshen(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sending]")) delete form.dataset.sending;
}
window.addEventListener("pageshow", freshen);
document.addEventListener("submit", () => window.setTimeout(freshen, 4000));

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("[data-print]") : null;
  if (target) window.print();
});

// A passkey that was cancelled or refused says nothing by itself.
document.addEventListener("allauth.error", (event) => {
  const notice = document.querySelector<HTMLElement>("[data-passkey-error]");
  if (!notice) return;
  event.preventDefault();
  notice.hidden = false;
  notice.focus();
});
