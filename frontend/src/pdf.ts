// A PDF shown in the page: fetched whole, drawn by PDF.js page by page as one scrolls, read aloud from its text layer.
// The worker, the fonts and everything else are our own files; the page's policy allows neither eval nor WebAssembly.
// Until the first page is there, and wherever this cannot run, the page offers the download instead.
import * as pdfjs from "pdfjs-dist/legacy/build/pdf.mjs";
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";

const ZOOM_LEAST = 0.25;
const ZOOM_MOST = 5;
const ZOOM_STEP = 1.25;
const PIXELS_MAX = 16_000_000; // of one canvas; phones refuse larger ones
const RATIO_MAX = 2;
const PAGES_MAX = 2000;

function limit(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** Fetch the file whole. Rejects when it cannot be had; a page in its place is not taken for it. */
async function fetched(url: string, onGot: (share: number) => void): Promise<Uint8Array> {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  const type = response.headers.get("Content-Type") ?? "";
  if (!response.ok || response.redirected || !type.startsWith("application/pdf")) throw new Error("no file");
  const length = Number(response.headers.get("Content-Length") ?? "0");
  if (!response.body || !length) return new Uint8Array(await response.arrayBuffer());
  const whole = new Uint8Array(length);
  const reader = response.body.getReader();
  let got = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    whole.set(piece.value, got);
    got += piece.value.length;
    onGot(got / length);
  }
  if (got !== length) throw new Error("broke off");
  return whole;
}

/** One page: a box of the right size at once, its picture and its text while it is near. */
class PageBox {
  readonly box = document.createElement("div");
  private page: PDFPageProxy | null = null;
  private drawing: { cancel(): void } | null = null;
  private round = 0;
  private isNear = false;

  constructor(
    private readonly pdf: PDFDocumentProxy,
    readonly number: number,
    label: string,
  ) {
    this.box.className = "pdf-page";
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", label);
  }

  /** Give the box its size. shape: of a page that is known, until this one is. */
  size(scale: number, shape: { width: number; height: number }): void {
    const { width, height } = this.page ? this.page.getViewport({ scale: 1 }) : shape;
    this.box.style.width = `${Math.round(width * scale)}px`;
    this.box.style.height = `${Math.round(height * scale)}px`;
  }

  async near(isNear: boolean, scale: number): Promise<void> {
    if (this.isNear === isNear) return;
    this.isNear = isNear;
    if (isNear) await this.draw(scale);
    else this.clear();
  }

  async redraw(scale: number): Promise<void> {
    if (this.isNear) await this.draw(scale);
  }

  private clear(): void {
    this.round += 1;
    this.drawing?.cancel();
    this.drawing = null;
    for (const canvas of this.box.querySelectorAll("canvas")) canvas.width = canvas.height = 0; // gives the memory back
    this.box.replaceChildren();
    this.page?.cleanup();
  }

  private async draw(scale: number): Promise<void> {
    this.clear();
    const round = this.round;
    this.page ??= await this.pdf.getPage(this.number);
    if (round !== this.round) return;
    const viewport = this.page.getViewport({ scale });
    this.size(scale, viewport);
    const fits = Math.sqrt(PIXELS_MAX / (viewport.width * viewport.height));
    const ratio = Math.min(window.devicePixelRatio || 1, RATIO_MAX, fits);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "presentation");
    canvas.width = Math.floor(viewport.width * ratio);
    canvas.height = Math.floor(viewport.height * ratio);
    const text = document.createElement("div");
    text.className = "pdf-text";
    text.style.setProperty("--total-scale-factor", String(scale));
    this.box.append(canvas, text);
    const transform = ratio === 1 ? undefined : [ratio, 0, 0, ratio, 0, 0];
    const task = this.page.render({ canvas, viewport, ...(transform && { transform }) });
    this.drawing = task;
    const layer = new pdfjs.TextLayer({ textContentSource: this.page.streamTextContent(), container: text, viewport });
    await Promise.all([task.promise, layer.render()]).catch((error: unknown) => {
      if (round === this.round) throw error;
    });
  }
}

class Viewer {
  private readonly boxes: PageBox[] = [];
  private shape = { width: 595, height: 842 };
  private zoom = 1;
  private fits = true;
  private current = 1;
  private readonly visible = new Map<number, number>();

  constructor(
    private readonly root: HTMLElement,
    private readonly pages: HTMLElement,
    private readonly pdf: PDFDocumentProxy,
  ) {}

  async open(): Promise<void> {
    const first = await this.pdf.getPage(1);
    this.shape = first.getViewport({ scale: 1 });
    const count = Math.min(this.pdf.numPages, PAGES_MAX);
    const label = this.root.dataset.textPage ?? "{n}";
    for (let number = 1; number <= count; number += 1) {
      const one = new PageBox(this.pdf, number, label.replace("{n}", String(number)).replace("{all}", String(count)));
      this.boxes.push(one);
      this.pages.append(one.box);
    }
    this.part("count").textContent = String(count);
    const field = this.field();
    field.max = String(count);
    this.fit();
    this.watch();
    this.listen();
  }

  private part(name: string): HTMLElement {
    return this.root.querySelector<HTMLElement>(`[data-pdf-${name}]`)!;
  }

  private field(): HTMLInputElement {
    return this.part("page") as HTMLInputElement;
  }

  private watch(): void {
    const numberOf = new Map(this.boxes.map((one) => [one.box as Element, one]));
    const near = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) void numberOf.get(entry.target)?.near(entry.isIntersecting, this.zoom).catch(() => this.fail());
      },
      { root: this.pages, rootMargin: "100% 0px" },
    );
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) this.visible.set(numberOf.get(entry.target)!.number, entry.intersectionRect.height);
        const [most] = [...this.visible].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
        if (most && most[1] > 0) this.show(most[0]);
      },
      { root: this.pages, threshold: [0, 0.25, 0.5, 0.75, 1] },
    );
    for (const one of this.boxes) {
      near.observe(one.box);
      seen.observe(one.box);
    }
  }

  private listen(): void {
    const press = (name: string, deed: () => void) => this.part(name).addEventListener("click", deed);
    press("previous", () => this.go(this.current - 1));
    press("next", () => this.go(this.current + 1));
    press("in", () => this.scale(this.zoom * ZOOM_STEP));
    press("out", () => this.scale(this.zoom / ZOOM_STEP));
    press("fit", () => this.fit());
    this.field().addEventListener("change", () => this.go(Number(this.field().value) || this.current));
    let timer = 0;
    window.addEventListener("resize", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => this.fits && this.fit(), 150);
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const deeds: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.go(this.current - 1),
      ArrowRight: () => this.go(this.current + 1),
      Home: () => this.go(1),
      End: () => this.go(this.boxes.length),
      "+": () => this.scale(this.zoom * ZOOM_STEP),
      "-": () => this.scale(this.zoom / ZOOM_STEP),
      "0": () => this.fit(),
    };
    const deed = deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  }

  private go(number: number): void {
    const one = this.boxes[limit(Math.round(number), 1, this.boxes.length) - 1];
    if (!one) return;
    this.pages.scrollTop = one.box.offsetTop - this.pages.offsetTop;
    this.show(one.number);
  }

  private show(number: number): void {
    this.current = number;
    this.field().value = String(number);
    (this.part("previous") as HTMLButtonElement).disabled = number <= 1;
    (this.part("next") as HTMLButtonElement).disabled = number >= this.boxes.length;
  }

  /** As wide as there is room for. */
  private fit(): void {
    this.scale((this.pages.clientWidth - 2) / this.shape.width);
    this.fits = true;
  }

  private scale(zoom: number): void {
    this.fits = false;
    this.zoom = limit(zoom, ZOOM_LEAST, ZOOM_MOST);
    const percent = new Intl.NumberFormat(document.documentElement.lang || undefined, { style: "percent" });
    this.part("zoom").textContent = percent.format(this.zoom);
    for (const one of this.boxes) {
      one.size(this.zoom, this.shape);
      void one.redraw(this.zoom).catch(() => this.fail());
    }
    this.go(this.current);
  }

  private fail(): void {
    this.part("failed").hidden = false;
  }
}

/** Ask for the password of a protected PDF; it stays in this page. */
function askPassword(root: HTMLElement, take: (password: string) => void, isWrong: boolean): void {
  const form = root.querySelector<HTMLFormElement>("[data-pdf-password]")!;
  const input = form.querySelector<HTMLInputElement>("input")!;
  form.querySelector<HTMLElement>("[data-pdf-wrong]")!.hidden = !isWrong;
  form.hidden = false;
  input.value = "";
  input.focus();
  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      form.hidden = true;
      take(input.value);
    },
    { once: true },
  );
}

async function show(root: HTMLElement): Promise<void> {
  const pages = root.querySelector<HTMLElement>("[data-pdf-pages]")!;
  const opening = root.querySelector<HTMLElement>("[data-pdf-opening]")!;
  const bar = opening.querySelector("progress")!;
  const fallback = root.querySelector<HTMLElement>("[data-pdf-fallback]")!;
  fallback.hidden = true;
  opening.hidden = false;
  try {
    const data = await fetched(root.dataset.url ?? "", (share) => (bar.value = share));
    bar.removeAttribute("value");
    pdfjs.GlobalWorkerOptions.workerSrc = root.dataset.worker ?? "";
    const task = pdfjs.getDocument({
      data,
      isEvalSupported: false,
      useWasm: false,
      enableXfa: false,
      wasmUrl: root.dataset.own ?? "",
      standardFontDataUrl: root.dataset.own ?? "",
      useSystemFonts: false, // ours are there on every device
      verbosity: 0,
    });
    task.onPassword = (take: (password: string) => void, reason: number) => {
      opening.hidden = true;
      askPassword(root, take, reason === pdfjs.PasswordResponses.INCORRECT_PASSWORD);
    };
    const viewer = new Viewer(root, pages, await task.promise);
    root.querySelector<HTMLElement>("[data-pdf-shown]")!.hidden = false;
    await viewer.open();
    root.dataset.isOpen = "";
  } catch {
    fallback.hidden = false;
    fallback.setAttribute("role", "alert");
    root.querySelector<HTMLElement>("[data-pdf-shown]")!.hidden = true;
  } finally {
    opening.hidden = true;
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-pdf]")) void show(root);
