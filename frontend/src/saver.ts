// The save queue of the editor: what is typed is either saved, on its way, or known to be unsaved. No DOM in here.

export interface Draft {
  readonly title: string;
  readonly content: string;
}

/** What the server said to one attempt. */
export type Outcome =
  | { readonly kind: "saved"; readonly revision: number; readonly savedAt: string; readonly notice?: string }
  | { readonly kind: "conflict"; readonly revision: number; readonly theirs: Draft }
  | { readonly kind: "invalid"; readonly errors: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: "too-long" }
  | { readonly kind: "signed-out" }
  | { readonly kind: "failed" };

/** What the person is told. */
export type SaveState =
  | { readonly kind: "saved"; readonly savedAt: string | null }
  | { readonly kind: "waiting" }
  | { readonly kind: "saving" }
  | { readonly kind: "retrying"; readonly inMs: number }
  | { readonly kind: "signed-out"; readonly inMs: number }
  | { readonly kind: "conflict"; readonly theirs: Draft }
  | { readonly kind: "invalid"; readonly errors: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: "too-long" };

export type Send = (draft: Draft, revision: number) => Promise<Outcome>;

export const QUIET_MS = 900; // typing rests this long before a save
export const PATIENCE_MS = 6000; // and a save comes at the latest after this long, however fast somebody types
export const RETRY_FIRST_MS = 2000;
export const RETRY_LONGEST_MS = 60000;
const UNANSWERED_MAX = 20;

type Timer = ReturnType<typeof setTimeout>;

function same(a: Draft, b: Draft): boolean {
  return a.title === b.title && a.content === b.content;
}

/** The wait before attempt number `failures + 1`: doubling, never more than a minute. */
export function backoffMs(failures: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** Math.max(0, failures - 1), RETRY_LONGEST_MS);
}

/**
 * Saves the latest draft, one request at a time, until the server has it.
 *
 * A draft that is newer than the one on its way is sent as soon as the answer is there. A failure is tried again for
 * as long as the page is open. A conflict stops everything until the person chooses; their text is never replaced by itself.
 */
export class SaveQueue {
  private draft: Draft;
  private stored: Draft;
  private current: SaveState = { kind: "saved", savedAt: null };
  private theirRevision: number | null = null;
  private failures = 0;
  private unanswered: Draft[] = []; // sent since the last answer, and perhaps stored all the same
  private inFlight = false;
  private timer: Timer | null = null;
  private waitingSince: number | null = null;

  constructor(
    private readonly send: Send,
    private readonly onState: (state: SaveState) => void,
    private revision: number,
    initial: Draft,
  ) {
    this.draft = initial;
    this.stored = initial;
  }

  get state(): SaveState {
    return this.current;
  }

  /** True while the server does not have what the person sees. */
  get unsaved(): boolean {
    return this.inFlight || this.unanswered.length > 0 || !same(this.draft, this.stored);
  }

  /** The person changed something. */
  edit(draft: Draft): void {
    this.draft = draft;
    if (this.inFlight || this.held()) return;
    if (!this.unsaved) {
      this.cancelTimer();
      this.tell({ kind: "saved", savedAt: null });
      return;
    }
    if (this.failures > 0) return; // the retry that is already planned takes the newest draft along
    this.waitingSince ??= Date.now();
    const patience = Math.max(0, this.waitingSince + PATIENCE_MS - Date.now());
    this.plan(Math.min(QUIET_MS, patience));
    this.tell({ kind: "waiting" });
  }

  /** Save now, if there is anything to save: the page is being left, the network is back, or somebody pressed Save. */
  flush(): void {
    if (this.inFlight || this.held() || !this.unsaved) return;
    void this.attempt();
  }

  /** After a conflict: what stands in this window wins. */
  keepMine(): void {
    if (this.theirRevision === null) return;
    this.revision = this.theirRevision;
    this.theirRevision = null;
    void this.attempt();
  }

  /** After a conflict: what was saved elsewhere wins. Returns it, to be shown. */
  takeTheirs(): Draft | null {
    if (this.current.kind !== "conflict" || this.theirRevision === null) return null;
    const { theirs } = this.current;
    this.revision = this.theirRevision;
    this.theirRevision = null;
    this.draft = theirs;
    this.stored = theirs;
    this.tell({ kind: "saved", savedAt: null });
    return theirs;
  }

  private held(): boolean {
    return this.theirRevision !== null;
  }

  private tell(state: SaveState): void {
    this.current = state;
    this.onState(state);
  }

  private cancelTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private plan(inMs: number): void {
    this.cancelTimer();
    this.timer = setTimeout(() => this.flush(), inMs);
  }

  private async attempt(): Promise<void> {
    this.cancelTimer();
    this.waitingSince = null;
    this.inFlight = true;
    const sent = this.draft;
    this.tell({ kind: "saving" });
    let outcome: Outcome;
    try {
      outcome = await this.send(sent, this.revision);
    } catch {
      outcome = { kind: "failed" };
    }
    this.inFlight = false;
    this.settle(sent, outcome);
  }

  private settle(sent: Draft, outcome: Outcome): void {
    switch (outcome.kind) {
      case "saved":
        this.accept(sent, outcome.revision, outcome.savedAt);
        return;
      case "conflict":
        // An earlier attempt of ours, stored although its answer got lost, is not somebody else.
        if ([...this.unanswered, sent].some((ours) => same(ours, outcome.theirs))) {
          this.accept(outcome.theirs, outcome.revision, null);
        } else {
          this.hold(outcome.revision, outcome.theirs);
        }
        return;
      case "invalid":
      case "too-long":
        this.failures = 0;
        if (same(this.draft, sent)) this.tell(outcome);
        else this.edit(this.draft); // it was changed meanwhile, perhaps mended
        return;
      case "signed-out":
      case "failed": {
        this.failures += 1;
        this.unanswered = [...this.unanswered, sent].slice(-UNANSWERED_MAX);
        const inMs = backoffMs(this.failures);
        this.plan(inMs);
        this.tell({ kind: outcome.kind === "failed" ? "retrying" : "signed-out", inMs });
      }
    }
  }

  private accept(sent: Draft, revision: number, savedAt: string | null): void {
    this.failures = 0;
    this.unanswered = [];
    this.revision = revision;
    this.stored = sent;
    if (same(this.draft, sent)) this.tell({ kind: "saved", savedAt });
    else void this.attempt();
  }

  private hold(revision: number, theirs: Draft): void {
    this.failures = 0;
    this.unanswered = [];
    this.cancelTimer();
    this.theirRevision = revision;
    this.tell({ kind: "conflict", theirs });
  }
}
