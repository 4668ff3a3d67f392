import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { backoffMs, PATIENCE_MS, QUIET_MS, RETRY_LONGEST_MS, SaveQueue, type Draft, type Outcome, type SaveState } from "./saver";

/** A server that answers when the test says so. */
class FakeServer {
  readonly received: { draft: Draft; revision: number }[] = [];
  private answers: ((outcome: Outcome) => void)[] = [];

  send = (draft: Draft, revision: number): Promise<Outcome> => {
    this.received.push({ draft, revision });
    return new Promise((resolve) => this.answers.push(resolve));
  };

  async answer(outcome: Outcome): Promise<void> {
    const next = this.answers.shift();
    if (!next) throw new Error("nothing was asked");
    next(outcome);
    await vi.advanceTimersByTimeAsync(0);
  }

  get last(): { draft: Draft; revision: number } | undefined {
    return this.received[this.received.length - 1];
  }
}

const saved = (revision: number): Outcome => ({ kind: "saved", revision, savedAt: "2026-01-05T08:00:00Z" });
const draft = (content: string): Draft => ({ title: "Web", content });

let server: FakeServer;
let states: SaveState[];
let queue: SaveQueue;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  states = [];
  queue = new SaveQueue(server.send, (state) => states.push(state), 3, draft(""));
});
afterEach(() => vi.useRealTimers());

async function typed(content: string): Promise<void> {
  queue.edit(draft(content));
  await vi.advanceTimersByTimeAsync(QUIET_MS);
}

describe("saving", () => {
  it("sends the text with the revision it stands on once typing rests", async () => {
    queue.edit(draft("a"));
    expect(server.received).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    expect(server.received).toEqual([{ draft: draft("a"), revision: 3 }]);
    await server.answer(saved(4));
    expect(queue.state).toEqual({ kind: "saved", savedAt: "2026-01-05T08:00:00Z" });
    expect(queue.unsaved).toBe(false);
  });

  it("does not wait for ever while somebody types without a rest", async () => {
    for (let waited = 0; waited <= PATIENCE_MS; waited += 300) {
      queue.edit(draft("a".repeat(waited / 300 + 1)));
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(server.received).toHaveLength(1);
  });

  it("has one request on its way at most, and then sends what came meanwhile", async () => {
    await typed("a");
    await typed("ab");
    await typed("abc");
    expect(server.received).toHaveLength(1);
    expect(queue.unsaved).toBe(true);
    await server.answer(saved(4));
    expect(server.last).toEqual({ draft: draft("abc"), revision: 4 });
    await server.answer(saved(5));
    expect(queue.unsaved).toBe(false);
    expect(server.received).toHaveLength(2);
  });

  it("asks nothing when the text is again what the server has", async () => {
    queue.edit(draft("a"));
    queue.edit(draft(""));
    await vi.advanceTimersByTimeAsync(QUIET_MS * 2);
    expect(server.received).toHaveLength(0);
    expect(queue.state.kind).toBe("saved");
  });

  it("saves at once when told to, and only if there is something", async () => {
    queue.flush();
    expect(server.received).toHaveLength(0);
    queue.edit(draft("a"));
    queue.flush();
    expect(server.received).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(QUIET_MS * 2);
    expect(server.received).toHaveLength(1);
  });
});

describe("failures", () => {
  it("are tried again, ever more slowly, and carry the newest text", async () => {
    await typed("a");
    await server.answer({ kind: "failed" });
    expect(queue.state).toEqual({ kind: "retrying", inMs: backoffMs(1) });
    queue.edit(draft("ab"));
    await vi.advanceTimersByTimeAsync(backoffMs(1));
    expect(server.last?.draft).toEqual(draft("ab"));
    await server.answer({ kind: "failed" });
    await vi.advanceTimersByTimeAsync(backoffMs(2) - 1);
    expect(server.received).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(server.received).toHaveLength(3);
    await server.answer(saved(4));
    expect(queue.unsaved).toBe(false);
  });

  it("include a network that answers nothing at all", async () => {
    const broken = new SaveQueue(() => Promise.reject(new Error("offline")), (state) => states.push(state), 1, draft(""));
    broken.edit(draft("a"));
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    expect(broken.state.kind).toBe("retrying");
    expect(broken.unsaved).toBe(true);
  });

  it("wait at most a minute however many there were", () => {
    expect(backoffMs(1)).toBe(2000);
    expect(backoffMs(2)).toBe(4000);
    expect(backoffMs(60)).toBe(RETRY_LONGEST_MS);
  });

  it("are tried at once when the network comes back", async () => {
    await typed("a");
    await server.answer({ kind: "failed" });
    queue.flush();
    expect(server.received).toHaveLength(2);
  });

  it("by a lost session keep the text and say so", async () => {
    await typed("a");
    await server.answer({ kind: "signed-out" });
    expect(queue.state.kind).toBe("signed-out");
    expect(queue.unsaved).toBe(true);
    await vi.advanceTimersByTimeAsync(backoffMs(1));
    await server.answer(saved(4));
    expect(queue.unsaved).toBe(false);
  });
});

describe("refusals", () => {
  it("of a text that is too long are said, and the next change is tried", async () => {
    await typed("aaaa");
    await server.answer({ kind: "too-long" });
    expect(queue.state.kind).toBe("too-long");
    expect(queue.unsaved).toBe(true);
    await typed("a");
    await server.answer(saved(4));
    expect(queue.unsaved).toBe(false);
  });

  it("are not repeated by themselves", async () => {
    await typed("a");
    await server.answer({ kind: "invalid", errors: { title: ["Write a title."] } });
    await vi.advanceTimersByTimeAsync(RETRY_LONGEST_MS * 2);
    expect(server.received).toHaveLength(1);
    expect(queue.state).toEqual({ kind: "invalid", errors: { title: ["Write a title."] } });
  });

  it("of a text that was changed meanwhile try the changed one", async () => {
    await typed("a");
    queue.edit(draft("b"));
    await server.answer({ kind: "too-long" });
    await vi.advanceTimersByTimeAsync(QUIET_MS);
    expect(server.last?.draft).toEqual(draft("b"));
  });
});

describe("a conflict", () => {
  const theirs = draft("from the other window");
  const conflict: Outcome = { kind: "conflict", revision: 9, theirs };

  beforeEach(async () => {
    await typed("mine");
    await server.answer(conflict);
  });

  it("stops saving and keeps the text until somebody chooses", async () => {
    expect(queue.state).toEqual({ kind: "conflict", theirs });
    await typed("mine, and more");
    queue.flush();
    await vi.advanceTimersByTimeAsync(RETRY_LONGEST_MS);
    expect(server.received).toHaveLength(1);
    expect(queue.unsaved).toBe(true);
    expect(queue.state.kind).toBe("conflict");
  });

  it("ends by keeping mine, which is sent on top of theirs, with what was typed since", async () => {
    await typed("mine, and more");
    queue.keepMine();
    expect(server.last).toEqual({ draft: draft("mine, and more"), revision: 9 });
    await server.answer(saved(10));
    expect(queue.unsaved).toBe(false);
  });

  it("ends by loading theirs, which asks nothing and counts as saved", async () => {
    expect(queue.takeTheirs()).toEqual(theirs);
    expect(queue.unsaved).toBe(false);
    await typed("theirs, edited");
    expect(server.last?.revision).toBe(9);
  });

  it("can come again, and does not lose the choice", async () => {
    queue.keepMine();
    await server.answer({ kind: "conflict", revision: 11, theirs: draft("third") });
    expect(queue.state).toEqual({ kind: "conflict", theirs: draft("third") });
    queue.keepMine();
    expect(server.last?.revision).toBe(11);
  });

  it("keeps its choice through a failure of the network", async () => {
    queue.keepMine();
    await server.answer({ kind: "failed" });
    await vi.advanceTimersByTimeAsync(backoffMs(1));
    expect(server.last).toEqual({ draft: draft("mine"), revision: 9 });
  });
});

it("an own save whose answer was lost is not a conflict", async () => {
  await typed("a");
  await server.answer({ kind: "failed" });
  await vi.advanceTimersByTimeAsync(backoffMs(1));
  await server.answer({ kind: "conflict", revision: 4, theirs: draft("a") });
  expect(queue.state.kind).toBe("saved");
  await typed("ab");
  expect(server.last?.revision).toBe(4);
});

it("nor is it when more was typed since: the newer text follows by itself", async () => {
  await typed("a");
  await server.answer({ kind: "failed" });
  queue.edit(draft("ab"));
  await vi.advanceTimersByTimeAsync(backoffMs(1));
  await server.answer({ kind: "conflict", revision: 4, theirs: draft("a") });
  expect(server.last).toEqual({ draft: draft("ab"), revision: 4 });
  await server.answer(saved(5));
  expect(queue.unsaved).toBe(false);
});

it("a text taken back after an unanswered save is not believed saved", async () => {
  await typed("a");
  await server.answer({ kind: "failed" });
  queue.edit(draft(""));
  expect(queue.unsaved).toBe(true);
  await vi.advanceTimersByTimeAsync(backoffMs(1));
  expect(server.last?.draft).toEqual(draft(""));
});

it("choosing without a conflict does nothing", () => {
  queue.keepMine();
  expect(queue.takeTheirs()).toBeNull();
  expect(server.received).toHaveLength(0);
});
