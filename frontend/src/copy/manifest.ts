// What a copy says of itself in manifest.json, which nothing vouches for: only what it needs to say is taken from it.

export type Role = "content" | "attachment" | "key" | "wrapped_key";

/** One age file of the copy. name: what it is called once it is open. */
export interface CopyFile {
  readonly path: string;
  readonly role: Role;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

export interface Manifest {
  readonly title: string;
  readonly owner: string;
  readonly level: string;
  readonly takenAt: Date;
  readonly savedAt: Date;
  readonly files: readonly CopyFile[];
}

export const FORMAT = "stafeta-copy";
export const FORMAT_VERSION = 1;
const ROLES: readonly string[] = ["content", "attachment", "key", "wrapped_key"];

export class NotACopy extends Error {}

/** Read manifest.json. Throws NotACopy for anything else, and for a format that is newer than this page. */
export function readManifest(json: string): Manifest {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    throw new NotACopy("it is no JSON");
  }
  const found = record(raw);
  if (found.format !== FORMAT) throw new NotACopy("it is of another format");
  if (found.version !== FORMAT_VERSION) throw new NotACopy("it is of a version that this page does not know");
  const files = Array.isArray(found.files) ? found.files : [];
  return {
    title: text(found.title),
    owner: text(found.owner),
    level: text(found.level),
    takenAt: new Date(text(found.taken_at)),
    savedAt: new Date(text(found.content_saved_at)),
    files: files.map((file) => readFile(record(file))),
  };
}

function readFile(file: Record<string, unknown>): CopyFile {
  const role = text(file.role);
  if (!ROLES.includes(role)) throw new NotACopy("it has a file whose meaning this page does not know");
  return {
    path: text(file.path),
    role: role as Role,
    name: text(file.name),
    mediaType: text(file.media_type) || "application/octet-stream",
    sizeBytes: typeof file.size_bytes === "number" ? file.size_bytes : 0,
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new NotACopy("something in it is missing");
  return value as Record<string, unknown>;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
