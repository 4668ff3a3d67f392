// The editor of a guarded handover: the server renders the preview and takes the text.
// Without this script the form around it is saved by its button.
import { readOutcome } from "./answers";
import { Editor, KEEPALIVE_BYTES_MAX, within, type Ports } from "./editor_core";
import { postJson } from "./http";

/** What came with a save and matters beyond it; it stays until the page is left. */
function tellNotice(form: HTMLFormElement, words: string): void {
  const notice = form.querySelector<HTMLElement>("[data-editor-notice]");
  const place = notice?.querySelector("p");
  if (!notice || !place) return;
  notice.hidden = false;
  place.textContent = words;
}

function portsOf(form: HTMLFormElement): Ports {
  const { autosaveUrl = "", previewUrl } = form.dataset;
  return {
    async send(draft, revision) {
      const body = { ...draft, revision };
      const leaving = document.visibilityState === "hidden";
      const fits = new TextEncoder().encode(JSON.stringify(body)).length < KEEPALIVE_BYTES_MAX;
      const answer = await postJson(autosaveUrl, body, { keepalive: leaving && fits, signal: within() });
      const outcome = await readOutcome(answer);
      if (outcome.kind === "saved" && outcome.notice) tellNotice(form, outcome.notice);
      return outcome;
    },
    async preview(content) {
      if (!previewUrl) return null;
      const response = await postJson(previewUrl, { content }, { signal: within() });
      if (!response.ok || response.redirected) return null;
      const body = (await response.json()) as { html?: unknown };
      return typeof body.html === "string" ? body.html : null;
    },
  };
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-editor]")) {
  const text = form.querySelector<HTMLTextAreaElement>('textarea[name="content"]');
  if (text && form.dataset.autosaveUrl) new Editor(form, text, portsOf(form));
}
