import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { RETRY_LONGEST_MS, Transfer, TransferQueue, backoffMs, type Answer, type Chosen, type Wire } from "./transfer";

const PART = 4;
const FAILED: Answer = { kind: "failed", why: "" };

function chosen(content: string, name = "plan.pdf"): Chosen {
  return { name, size: content.length, lastModified: 1, slice: (from, to) => new Blob([content.slice(from, to)]) };
}

/** A server that keeps parts; `answers` are given first, in place of what it would say. */
class Server implements Wire {
  parts: string[] = [];
  answers: (Answer | "stored but the answer is lost")[] = [];
  begun = 0;
  discarded = 0;

  private instead(): Answer | null {
    const answer = this.answers.shift();
    return answer === undefined || answer === "stored but the answer is lost" ? null : answer;
  }

  async begin(): Promise<Answer> {
    this.begun += 1;
    return this.instead() ?? { kind: "state", id: 7, next: this.parts.length, partBytes: PART };
  }

  async part(_id: number, number: number, content: Blob, onSent: (bytes: number) => void): Promise<Answer> {
    const isLost = this.answers[0] === "stored but the answer is lost";
    const instead = this.instead();
    if (instead) return instead;
    onSent(content.size);
    if (number === this.parts.length) this.parts.push(await content.text());
    return isLost ? FAILED : { kind: "state", id: 7, next: this.parts.length, partBytes: PART };
  }

  async finish(): Promise<Answer> {
    return this.instead() ?? { kind: "done", html: this.parts.join("") };
  }

  async discard(): Promise<Answer> {
    this.discarded += 1;
    return { kind: "done", html: "" };
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function sent(server: Server, content = "0123456789"): Promise<Transfer> {
  const transfer = new Transfer(chosen(content), server, () => undefined);
  const run = transfer.run();
  await vi.advanceTimersByTimeAsync(10 * RETRY_LONGEST_MS);
  await run;
  return transfer;
}

describe("a file on its way", () => {
  it("arrives part by part, whole", async () => {
    const server = new Server();
    expect((await sent(server)).state).toEqual({ kind: "done", html: "0123456789" });
    expect(server.parts).toEqual(["0123", "4567", "89"]);
  });

  it("goes on where another window or another day left it", async () => {
    const server = new Server();
    server.parts = ["0123"];
    expect((await sent(server)).state.kind).toBe("done");
    expect(server.parts).toEqual(["0123", "4567", "89"]);
  });

  it("sends no part twice whose answer was lost", async () => {
    const server = new Server();
    server.answers = [{ kind: "state", id: 7, next: 0, partBytes: PART }, "stored but the answer is lost"];
    expect((await sent(server)).state).toEqual({ kind: "done", html: "0123456789" });
    expect(server.begun).toBe(2);
  });

  it("outlives a lost connection and asks anew what is due", async () => {
    const server = new Server();
    server.answers = [FAILED, FAILED, { kind: "state", id: 7, next: 0, partBytes: PART }, FAILED, FAILED];
    expect((await sent(server)).state.kind).toBe("done");
  });

  it("takes the server's word for which part is due", async () => {
    const server = new Server();
    server.parts = ["0123", "4567"];
    server.answers = [{ kind: "state", id: 7, next: 0, partBytes: PART }, { kind: "due", next: 2 }];
    expect((await sent(server)).state).toEqual({ kind: "done", html: "0123456789" });
  });

  it("begins anew when the server has given it up", async () => {
    const server = new Server();
    server.answers = [{ kind: "state", id: 3, next: 2, partBytes: PART }, { kind: "gone" }];
    expect((await sent(server)).state).toEqual({ kind: "done", html: "0123456789" });
  });

  it("says why it was refused, and may be tried again", async () => {
    const server = new Server();
    server.answers = [{ kind: "refused", why: "It is too large." }];
    const transfer = await sent(server);
    expect(transfer.state).toEqual({ kind: "refused", why: "It is too large." });
    await transfer.run();
    expect(transfer.state.kind).toBe("done");
  });

  it("stops for who is signed out", async () => {
    const server = new Server();
    server.answers = [{ kind: "signed-out" }];
    expect((await sent(server)).state.kind).toBe("signed-out");
  });

  it("cancelled in the middle is over at once, and the server forgets it", async () => {
    const server = new Server();
    const transfer = new Transfer(chosen("0123456789"), server, (one) => {
      if (one.state.kind === "sending" && one.state.bytes > 4) one.cancel();
    });
    await transfer.run();
    expect([transfer.state.kind, server.discarded]).toEqual(["cancelled", 1]);
    expect(server.parts.length).toBeLessThan(3);
  });

  it("is tried at once when the network is back", async () => {
    const server = new Server();
    server.answers = [FAILED, FAILED, FAILED];
    const transfer = new Transfer(chosen("0123"), server, (one) => {
      if (one.state.kind === "retrying") queueMicrotask(() => setTimeout(() => one.hurry(), 0));
    });
    const run = transfer.run();
    await vi.advanceTimersByTimeAsync(10);
    await run;
    expect(transfer.state.kind).toBe("done");
  });

  it("an answer without sense ends it instead of asking for ever", async () => {
    const server = new Server();
    server.answers = [{ kind: "state", id: 7, next: 0, partBytes: 0 }];
    expect((await sent(server)).state.kind).toBe("refused");
  });
});

it("several are sent one after another, and one that is refused holds none of the others", async () => {
  const server = new Server();
  server.answers = [{ kind: "refused", why: "no" }];
  const order: string[] = [];
  const queue = new TransferQueue();
  for (const name of ["a", "b"]) {
    queue.add(new Transfer(chosen("0", name), server, (one) => order.push(`${name} ${one.state.kind}`)));
  }
  await vi.advanceTimersByTimeAsync(0);
  expect(order.indexOf("a refused")).toBeLessThan(order.indexOf("b sending"));
  expect(order.at(-1)).toBe("b done");
  expect(queue.isBusy).toBe(false);
});

it("waits double and never longer than half a minute", () => {
  expect([1, 2, 3, 9].map(backoffMs)).toEqual([1000, 2000, 4000, 30000]);
});
