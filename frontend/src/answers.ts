// Reads the server's answer to an autosave: the wire format, and everything that can stand in its place.
import type { Draft, Outcome } from "./saver";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function errorsOf(value: unknown): Record<string, string[]> {
  const errors: Record<string, string[]> = {};
  if (!isRecord(value)) return errors;
  for (const [field, texts] of Object.entries(value)) {
    if (Array.isArray(texts)) errors[field] = texts.filter((text): text is string => typeof text === "string");
  }
  return errors;
}

async function json(response: Response): Promise<Record<string, unknown>> {
  try {
    const value: unknown = await response.json();
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** 200, 409, 400 and 413 as agreed; a redirect or a refusal means signed out; all else is worth another try. */
export async function readOutcome(response: Response): Promise<Outcome> {
  if (response.redirected || response.type === "opaqueredirect") return { kind: "signed-out" };
  if (response.status === 401 || response.status === 403) return { kind: "signed-out" };
  if (response.status === 413) return { kind: "too-long" };
  const body = await json(response);
  if (response.status === 200 && typeof body.revision === "number") {
    const savedAt = typeof body.saved_at === "string" ? body.saved_at : "";
    const notice = typeof body.notice === "string" && body.notice ? { notice: body.notice } : {};
    return { kind: "saved", revision: body.revision, savedAt, ...notice };
  }
  if (response.status === 409 && typeof body.revision === "number" && typeof body.content === "string") {
    const theirs: Draft = { title: typeof body.title === "string" ? body.title : "", content: body.content };
    return { kind: "conflict", revision: body.revision, theirs };
  }
  if (response.status === 400) return { kind: "invalid", errors: errorsOf(body.errors) };
  return { kind: "failed" };
}
