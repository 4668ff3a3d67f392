// One file on its way to the server, part after part, through lost connections. No DOM in here.

/** A file as the browser gives it. */
export interface Chosen {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
  slice(from: number, to: number): Blob;
}

/** What the server said. `next` is the number of the part that is due, counted from 0. */
export type Answer =
  | { readonly kind: "state"; readonly id: number; readonly next: number; readonly partBytes: number }
  | { readonly kind: "due"; readonly next: number }
  | { readonly kind: "done"; readonly html: string }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "gone" }
  | { readonly kind: "signed-out" }
  | { readonly kind: "failed"; readonly why: string };

/** The requests; each rejects only when it was aborted. */
export interface Wire {
  begin(file: Chosen, signal: AbortSignal): Promise<Answer>;
  part(id: number, number: number, content: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<Answer>;
  finish(id: number, signal: AbortSignal): Promise<Answer>;
  discard(id: number): Promise<Answer>;
}

/** What the person is told. `why` is a sentence of the server's, or nothing. */
export type TransferState =
  | { readonly kind: "waiting" }
  | { readonly kind: "sending"; readonly bytes: number }
  | { readonly kind: "finishing" }
  | { readonly kind: "retrying"; readonly bytes: number; readonly inMs: number; readonly why: string }
  | { readonly kind: "signed-out" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "cancelled" }
  | { readonly kind: "done"; readonly html: string };

export const RETRY_FIRST_MS = 1000;
export const RETRY_LONGEST_MS = 30000;
export const FRUITLESS_MAX = 500; // about four hours of a lost connection; then the person has to press

/** The wait before attempt number `failures + 1`. */
export function backoffMs(failures: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** Math.max(0, failures - 1), RETRY_LONGEST_MS);
}

/**
 * Sends one file until the server has it whole.
 *
 * What the server says is due is what is sent, whatever was sent before: so an interruption costs one part at most, and
 * a file that was begun in another window, or yesterday, goes on where it stopped.
 */
export class Transfer {
  state: TransferState = { kind: "waiting" };
  private id: number | null = null;
  private next = 0;
  private partBytes = 0;
  private failures = 0;
  private controller = new AbortController();
  private wake: (() => void) | null = null;

  constructor(
    readonly file: Chosen,
    private readonly wire: Wire,
    private readonly onState: (transfer: Transfer) => void,
  ) {}

  get isOver(): boolean {
    return ["done", "refused", "cancelled", "signed-out"].includes(this.state.kind);
  }

  /** Send, until it is whole, refused, cancelled, or somebody has to sign in. */
  async run(): Promise<void> {
    this.controller = new AbortController();
    this.failures = 0;
    this.id = null;
    this.tell({ kind: "sending", bytes: 0 });
    while (!this.isOver) {
      let answer: Answer;
      try {
        answer = await this.step();
      } catch {
        answer = { kind: "failed", why: "" };
      }
      if (this.cancelled()) return;
      await this.take(answer);
    }
  }

  /** Stop, and let the server forget what has come. */
  cancel(): void {
    if (this.isOver && this.state.kind !== "signed-out" && this.state.kind !== "refused") return;
    this.tell({ kind: "cancelled" });
    this.controller.abort();
    this.wake?.();
    if (this.id !== null) void this.wire.discard(this.id).catch(() => undefined); // else it goes by itself, a day later
  }

  /** Try at once: the network is back, or the person pressed. */
  hurry(): void {
    this.wake?.();
  }

  private cancelled(): boolean {
    return this.state.kind === "cancelled";
  }

  private step(): Promise<Answer> {
    const { signal } = this.controller;
    if (this.id === null) return this.wire.begin(this.file, signal);
    const from = this.next * this.partBytes;
    if (from >= this.file.size) {
      this.tell({ kind: "finishing" });
      return this.wire.finish(this.id, signal);
    }
    this.tell({ kind: "sending", bytes: from });
    const content = this.file.slice(from, Math.min(from + this.partBytes, this.file.size));
    const onSent = (bytes: number) => this.sent(from + bytes);
    return this.wire.part(this.id, this.next, content, onSent, signal);
  }

  private sent(bytes: number): void {
    if (this.state.kind === "sending") this.tell({ kind: "sending", bytes: Math.min(bytes, this.file.size) });
  }

  private async take(answer: Answer): Promise<void> {
    switch (answer.kind) {
      case "state":
        if (answer.next > this.next || this.id === null) this.failures = 0;
        this.id = answer.id;
        this.next = answer.next;
        this.partBytes = answer.partBytes;
        if (!(answer.partBytes > 0)) this.tell({ kind: "refused", why: "" });
        return;
      case "due":
        if (answer.next === this.next) await this.rest(""); // the very same part arrived damaged
        this.next = answer.next;
        return;
      case "done":
        this.tell({ kind: "done", html: answer.html });
        return;
      case "refused":
        this.tell({ kind: "refused", why: answer.why });
        return;
      case "signed-out":
        this.tell({ kind: "signed-out" });
        return;
      case "gone":
      case "failed":
        await this.rest(answer.kind === "failed" ? answer.why : "");
        this.id = null; // ask anew what is due
    }
  }

  private async rest(why: string): Promise<void> {
    this.failures += 1;
    if (this.failures > FRUITLESS_MAX) {
      this.tell({ kind: "refused", why });
      return;
    }
    const inMs = backoffMs(this.failures);
    this.tell({ kind: "retrying", bytes: this.next * this.partBytes, inMs, why });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, inMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }

  private tell(state: TransferState): void {
    if (this.state.kind === "cancelled" && state.kind !== "sending") return;
    this.state = state;
    this.onState(this);
  }
}

/** Sends files one after another: a slow line is not shared, and the first is there soonest. */
export class TransferQueue {
  private readonly waiting: Transfer[] = [];
  private isRunning = false;

  get isBusy(): boolean {
    return this.isRunning;
  }

  add(transfer: Transfer): void {
    this.waiting.push(transfer);
    void this.run();
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      if (next.state.kind !== "cancelled") await next.run();
    }
    this.isRunning = false;
  }
}
