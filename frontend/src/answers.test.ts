import { describe, expect, it } from "vitest";

import { readOutcome } from "./answers";
import { withoutSpaces } from "./codes";

const answer = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });

describe("the answer to an autosave", () => {
  it("reads what the owner has to be told beside a save", async () => {
    const outcome = await readOutcome(answer(200, { revision: 4, saved_at: "2026-01-05T08:00:00Z", notice: "Mind this." }));
    expect(outcome).toEqual({ kind: "saved", revision: 4, savedAt: "2026-01-05T08:00:00Z", notice: "Mind this." });
  });

  it("200 is saved", async () => {
    const outcome = await readOutcome(answer(200, { revision: 4, saved_at: "2026-01-05T08:00:00Z" }));
    expect(outcome).toEqual({ kind: "saved", revision: 4, savedAt: "2026-01-05T08:00:00Z" });
  });

  it("409 carries what was saved elsewhere", async () => {
    const outcome = await readOutcome(answer(409, { revision: 7, content: "theirs", title: "Web" }));
    expect(outcome).toEqual({ kind: "conflict", revision: 7, theirs: { title: "Web", content: "theirs" } });
  });

  it("400 names the fields", async () => {
    const outcome = await readOutcome(answer(400, { errors: { title: ["Write a title."], odd: "no list" } }));
    expect(outcome).toEqual({ kind: "invalid", errors: { title: ["Write a title."] } });
  });

  it("413 is too long", async () => {
    expect(await readOutcome(new Response("", { status: 413 }))).toEqual({ kind: "too-long" });
  });

  it.each([401, 403])("%i means the session is over", async (status) => {
    expect(await readOutcome(new Response("", { status }))).toEqual({ kind: "signed-out" });
  });

  it("a sign-in page in place of the answer is never taken for saved", async () => {
    expect(await readOutcome(new Response("<html>Sign in</html>", { status: 200 }))).toEqual({ kind: "failed" });
    const redirected = new Response("{}", { status: 200 });
    Object.defineProperty(redirected, "redirected", { value: true });
    expect(await readOutcome(redirected)).toEqual({ kind: "signed-out" });
  });

  it.each([429, 500, 502, 503])("%i is worth another try", async (status) => {
    expect(await readOutcome(answer(status, {}))).toEqual({ kind: "failed" });
  });

  it("a conflict without a text is worth another try, not an empty page", async () => {
    expect(await readOutcome(answer(409, { revision: 7 }))).toEqual({ kind: "failed" });
  });
});

it("a code loses its spaces and nothing else", () => {
  expect(withoutSpaces(" 1234\u00a05678 ")).toBe("12345678");
  expect(withoutSpaces("ab-12")).toBe("ab-12");
});
