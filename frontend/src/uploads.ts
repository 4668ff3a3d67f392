// Files of a handover: dropped or chosen, sent in parts while the page stays, each with its progress and its buttons.
// Without this script, and where a browser lacks something, the form around it sends them whole.
import { csrfToken, postJson } from "./http";
import { Transfer, TransferQueue, type Answer, type Chosen, type TransferState, type Wire } from "./transfer";

const STALLED_MS = 60000; // a request on which nothing has moved for so long is given up, and made again
const FINISH_MS = 600000; // a large file is encrypted as a whole at its end
const STAY_MS = 4000; // so long a row stays after its file is there

async function read(status: number, redirected: boolean, text: string): Promise<Answer> {
  if (redirected || status === 401 || status === 403) return { kind: "signed-out" };
  let body: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) body = value as Record<string, unknown>;
  } catch {
    // a page instead of an answer: the status decides
  }
  const why = typeof body.error === "string" ? body.error : "";
  if (status === 200 && typeof body.html === "string") return { kind: "done", html: body.html };
  if (status === 200 && typeof body.id === "number" && typeof body.next === "number" && typeof body.part_bytes === "number") {
    return { kind: "state", id: body.id, next: body.next, partBytes: body.part_bytes };
  }
  if (status === 409 && typeof body.next === "number") return { kind: "due", next: body.next };
  if (status === 404) return { kind: "gone" };
  if ([400, 413, 422, 507].includes(status)) return { kind: "refused", why };
  return { kind: "failed", why };
}

class ServerWire implements Wire {
  constructor(private readonly beginUrl: string) {}

  begin(file: Chosen, signal: AbortSignal): Promise<Answer> {
    const facts = { name: file.name, size_bytes: file.size, modified_ms: Math.round(file.lastModified) || 0 };
    return this.post(this.beginUrl, facts, signal, STALLED_MS);
  }

  finish(id: number, signal: AbortSignal): Promise<Answer> {
    return this.post(`${this.beginUrl}${id}/finish/`, {}, signal, FINISH_MS);
  }

  discard(id: number): Promise<Answer> {
    return this.post(`${this.beginUrl}${id}/discard/`, {}, new AbortController().signal, STALLED_MS);
  }

  part(id: number, number: number, content: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch tells nothing of what has left
      const failed: Answer = { kind: "failed", why: "" };
      let stalled = setTimeout(() => request.abort(), STALLED_MS);
      const moved = () => {
        clearTimeout(stalled);
        stalled = setTimeout(() => request.abort(), STALLED_MS);
      };
      const over = (answer: Answer | Promise<Answer>) => {
        clearTimeout(stalled);
        resolve(answer);
      };
      signal.addEventListener("abort", () => {
        request.abort();
        clearTimeout(stalled);
        reject(new Error("aborted"));
      });
      request.upload.addEventListener("progress", (event) => {
        moved();
        onSent(event.loaded);
      });
      const url = `${this.beginUrl}${id}/part/?part=${number}`;
      request.addEventListener("load", () => {
        const redirected = request.responseURL !== "" && !request.responseURL.endsWith(url);
        over(read(request.status, redirected, request.responseText));
      });
      request.addEventListener("error", () => over(failed));
      request.addEventListener("abort", () => over(failed));
      request.open("POST", url);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
      request.send(content);
    });
  }

  private async post(url: string, body: unknown, signal: AbortSignal, limitMs: number): Promise<Answer> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), limitMs);
    signal.addEventListener("abort", () => controller.abort());
    try {
      const response = await postJson(url, body, { signal: controller.signal });
      return await read(response.status, response.redirected, await response.text());
    } finally {
      clearTimeout(timer);
    }
  }
}

class Uploads {
  private readonly queue = new TransferQueue();
  private readonly transfers = new Set<Transfer>();
  private readonly rows = new Map<Transfer, HTMLElement>();
  private readonly said = new Map<Transfer, string>();
  private readonly wire: Wire;
  private depth = 0;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly section: HTMLElement,
    private readonly list: HTMLElement,
    private readonly template: HTMLTemplateElement,
  ) {
    this.wire = new ServerWire(form.dataset.beginUrl ?? "");
    const input = form.querySelector<HTMLInputElement>('input[type="file"]');
    form.querySelector<HTMLElement>("[data-upload-plain]")?.setAttribute("hidden", "");
    input?.addEventListener("change", () => {
      this.take(input.files);
      input.value = ""; // the same file may be chosen again
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("online", () => this.transfers.forEach((transfer) => transfer.hurry()));
    window.addEventListener("beforeunload", (event) => {
      if (this.queue.isBusy) event.preventDefault();
    });
    this.listenForDrops();
  }

  private listenForDrops(): void {
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (isOver: boolean) => this.section.classList.toggle("is-over", isOver);
    window.addEventListener("dragenter", (event) => {
      if (!carriesFiles(event)) return;
      this.depth += 1;
      over(true);
    });
    window.addEventListener("dragleave", (event) => {
      if (!carriesFiles(event)) return;
      this.depth = Math.max(0, this.depth - 1);
      over(this.depth > 0);
    });
    // A file that misses its place would replace the page, and with it what is being written above.
    window.addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    window.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.depth = 0;
      over(false);
      this.take(event.dataTransfer?.files ?? null);
    });
  }

  private take(files: FileList | null): void {
    for (const file of files ?? []) this.send(file);
  }

  private send(file: File): void {
    const again = [...this.transfers].some(
      (one) => !one.isOver && one.file.name === file.name && one.file.size === file.size && one.file.lastModified === file.lastModified,
    );
    if (again) return;
    const transfer = new Transfer(file, this.wire, (one) => this.show(one));
    this.transfers.add(transfer);
    this.addRow(transfer);
    this.show(transfer);
    this.queue.add(transfer);
  }

  private addRow(transfer: Transfer): void {
    const row = this.template.content.firstElementChild?.cloneNode(true) as HTMLElement;
    this.rows.set(transfer, row);
    this.part(row, "name").textContent = transfer.file.name;
    for (const place of row.querySelectorAll('[data-part="which"]')) place.textContent = transfer.file.name;
    this.part(row, "bar").setAttribute("aria-label", transfer.file.name);
    this.part(row, "cancel").addEventListener("click", () => {
      transfer.cancel();
      this.forget(transfer);
      this.form.querySelector<HTMLElement>('input[type="file"]')?.focus();
    });
    this.part(row, "retry").addEventListener("click", () => {
      if (transfer.isOver) this.queue.add(transfer);
      else transfer.hurry();
    });
    this.list.append(row);
    this.list.hidden = false;
  }

  private forget(transfer: Transfer): void {
    this.transfers.delete(transfer);
    this.rows.get(transfer)?.remove();
    this.rows.delete(transfer);
    this.list.hidden = this.rows.size === 0;
  }

  // -- what the person is told

  private part(row: HTMLElement, name: string): HTMLElement {
    return row.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
  }

  private words(name: string): string {
    return this.form.dataset[`text${name}`] ?? "";
  }

  private show(transfer: Transfer): void {
    const { state } = transfer;
    const row = this.rows.get(transfer);
    if (state.kind === "done") {
      const place = this.section.querySelector<HTMLElement>("[data-file-lists]");
      if (place) place.innerHTML = state.html; // the server's own list, as it shows it in the page
      setTimeout(() => this.forget(transfer), STAY_MS);
    }
    this.say(transfer);
    if (!row) return;
    row.dataset.state = state.kind;
    const bar = this.part(row, "bar") as HTMLProgressElement;
    if (state.kind === "finishing") bar.removeAttribute("value");
    else bar.value = state.kind === "done" ? 1 : "bytes" in state ? state.bytes / Math.max(1, transfer.file.size) : 0;
    const words = this.sentence(transfer, state);
    const place = this.part(row, "state");
    if (place.textContent !== words) place.textContent = words;
    this.part(row, "retry").hidden = !["retrying", "signed-out", "refused"].includes(state.kind);
    this.part(row, "cancel").hidden = state.kind === "done" || state.kind === "finishing";
  }

  private sentence(transfer: Transfer, state: TransferState): string {
    switch (state.kind) {
      case "waiting":
        return this.words("Waiting");
      case "sending":
        return this.words("Sending").replace("{got}", this.size(state.bytes)).replace("{all}", this.size(transfer.file.size));
      case "finishing":
        return this.words("Finishing");
      case "retrying":
        return state.why || this.words("Retrying");
      case "signed-out":
        return this.words("SignedOut");
      case "refused":
        return state.why || this.words("Failed");
      case "cancelled":
        return this.words("Cancelled").replace("{name}", transfer.file.name);
      case "done":
        return this.words("Done").replace("{name}", transfer.file.name);
    }
  }

  /** Read aloud what has changed, not every percent. */
  private say(transfer: Transfer): void {
    const { state } = transfer;
    if (this.said.get(transfer) === state.kind || state.kind === "waiting" || state.kind === "finishing") return;
    this.said.set(transfer, state.kind);
    const begun = this.words("Begun").replace("{name}", transfer.file.name);
    const words = state.kind === "sending" ? begun : this.sentence(transfer, state);
    const place = this.form.querySelector<HTMLElement>("[data-upload-said]");
    if (place) place.textContent = words;
  }

  private size(bytes: number): string {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
    let at = 0;
    let value = bytes;
    while (value >= 1024 && at < units.length - 1) {
      value /= 1024;
      at += 1;
    }
    const options = { style: "unit", unit: units[at], unitDisplay: "short", maximumFractionDigits: at ? 1 : 0 } as const;
    return new Intl.NumberFormat(document.documentElement.lang || undefined, options).format(value);
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-uploads]")) {
  const section = form.closest<HTMLElement>("section");
  const list = form.querySelector<HTMLElement>("[data-upload-rows]");
  const template = section?.querySelector<HTMLTemplateElement>("[data-upload-row]");
  if (section && list && template) new Uploads(form, section, list, template);
}
