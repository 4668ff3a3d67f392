// The slow work of a passphrase, beside the page: seconds in which it must not freeze. The worker is this same script.
import { lockByPassphrase, unlockByPassphrase, Unopened, type Key } from "./age";

type Job =
  | { readonly do: "lock"; readonly key: Key; readonly passphrase: string }
  | { readonly do: "unlock"; readonly file: Uint8Array; readonly passphrase: string; readonly publicKey: string };
type Done = { readonly file: Uint8Array } | { readonly key: Key } | { readonly failed: "unopened" | "other" };

let script = "";

/** Say where the script is that the worker shall run; without it the work is done in the page. */
export function workWith(url: string): void {
  script = url;
}

/** Return the private half of `key` under a passphrase. */
export async function lockBeside(key: Key, passphrase: string): Promise<Uint8Array> {
  const done = await ask({ do: "lock", key, passphrase });
  if (!("file" in done)) throw new Error("not locked");
  return done.file;
}

/** Return what a passphrase opens. Throws Unopened for a wrong one, and another error where the device cannot do the work. */
export async function unlockBeside(file: Uint8Array, passphrase: string, publicKey: string): Promise<Key> {
  const done = await ask({ do: "unlock", file, passphrase, publicKey });
  if ("key" in done) return done.key;
  throw "failed" in done && done.failed === "unopened" ? new Unopened("it does not open") : new Error("not tried");
}

/** Serve as the worker: one job, one answer. */
export function serve(scope: { onmessage: ((event: MessageEvent<Job>) => void) | null; postMessage(done: Done): void }): void {
  scope.onmessage = (event) => void work(event.data).then((done) => scope.postMessage(done));
}

async function work(job: Job): Promise<Done> {
  try {
    if (job.do === "lock") return { file: await lockByPassphrase(job.key, job.passphrase) };
    return { key: await unlockByPassphrase(job.file, job.passphrase, job.publicKey) };
  } catch (error) {
    return { failed: error instanceof Unopened ? "unopened" : "other" };
  }
}

function ask(job: Job): Promise<Done> {
  if (!script || typeof Worker === "undefined") return work(job);
  const worker = new Worker(script);
  return new Promise<Done>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<Done>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(job);
  }).finally(() => worker.terminate());
}
