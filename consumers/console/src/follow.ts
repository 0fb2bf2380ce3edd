// Follows one status of the cell: snapshot, then frames, for as long as the
// signal lives. Every way it can break leads back to a whole snapshot or to
// waiting, and is shown as what it is.

import { batch } from "@preact/signals";
import { announce, know } from "./announce";
import { Problem, type Client } from "./client";
import * as model from "./model";
import { STATUSES, type Status } from "./model";
import { connection, decided, past, picture, shown, status, trail, type Connection } from "./state";

/** Pings come every 15 s; after this long without a byte it is dead. */
const DEAD_MS = 40_000;
/** Changes are shown at most this often. */
const SHOW_MS = 500;
/** The server is asked for its own health this often. */
const HEALTH_MS = 10_000;
/** Two whole snapshots are never taken closer together. */
const RELOAD_MS = 2_000;

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    const t = setTimeout(done, ms);
    signal.addEventListener("abort", () => (clearTimeout(t), done()), { once: true });
  });

const set = (c: Partial<Connection>) => (connection.value = { ...connection.value, ...c });

const show = throttled(SHOW_MS, () => shown.value++);

function throttled(ms: number, f: () => void): () => void {
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    last = Date.now();
    f();
  };
  return () => {
    if (timer !== undefined) return;
    const wait = last + ms - Date.now();
    if (wait <= 0) run();
    else timer = setTimeout(run, wait);
  };
}

function reasonOf(e: unknown): string {
  if (e instanceof Problem) return e.message;
  if (e instanceof TypeError) return "the server does not answer";
  return e instanceof Error ? e.message : String(e);
}

/** Runs until aborted or denied. */
export async function follow(client: Client, of: Status, signal: AbortSignal): Promise<void> {
  batch(() => {
    picture.clear();
    trail.clear();
    past.value = null;
    shown.value++;
    set({ phase: "loading", reason: "", heard: 0, attempt: 0, degraded: false });
  });
  for (let attempt = 1; !signal.aborted; attempt++) {
    const began = Date.now();
    const why = await once(client, of, signal);
    if (signal.aborted) return;
    if (why.denied) return void set({ phase: "denied", reason: why.reason });
    if (Date.now() - began > 60_000) attempt = 1; // it worked for a while
    set({ phase: "waiting", reason: why.reason, attempt });
    await sleep(Math.min(15_000, 500 * 2 ** Math.min(attempt, 5)) * (0.75 + Math.random() / 2), signal);
  }
}

interface End {
  reason: string;
  denied: boolean;
}

/** One connection: gives why it ended. */
async function once(client: Client, of: Status, outer: AbortSignal): Promise<End> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  outer.addEventListener("abort", stop, { once: true });
  let dead = false;
  const die = () => ((dead = true), stop());
  let watch = setTimeout(die, DEAD_MS);
  const heard = () => {
    clearTimeout(watch);
    watch = setTimeout(die, DEAD_MS);
    set({ heard: Date.now(), phase: "live", reason: "", attempt: 0 });
  };
  try {
    await stream(client, of, heard, abort.signal);
    return { reason: "the server closed the stream", denied: false };
  } catch (e) {
    const reason = dead ? `nothing heard for ${DEAD_MS / 1000} s` : reasonOf(e);
    return { reason, denied: e instanceof Problem && e.denied };
  } finally {
    clearTimeout(watch);
    outer.removeEventListener("abort", stop);
    abort.abort();
  }
}

async function stream(client: Client, of: Status, heard: () => void, signal: AbortSignal): Promise<void> {
  if (picture.head === null) await reload(client, of, signal);
  const h = picture.head;
  const after = h ? `${h.epoch}-${h.revision}` : "";
  for await (const m of client.events(of, after, heard, signal)) {
    if (m.event === "reset") {
      await reload(client, of, signal);
    } else if (m.event === "frame") {
      const f = model.frame(JSON.parse(m.data));
      trail.note(f.lineage);
      if (picture.apply(f) === "gap") await reload(client, of, signal);
      else announce(f);
    }
    decide();
    show();
  }
}

/** An address without a status keeps the first status that has content. */
function decide(): void {
  if (!decided.value && picture.situations.size > 0) decided.value = true;
}

let reloaded = 0;

async function reload(client: Client, of: Status, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, reloaded + RELOAD_MS - Date.now()) * (picture.head ? 1 : 0), signal);
  picture.load(await client.snapshot(of, signal));
  reloaded = Date.now();
  know(picture.situations.keys());
  decide();
  show();
}

/** Asks for as long as the signal lives: a live stream can carry an old picture. */
export async function watchHealth(client: Client, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(HEALTH_MS, signal);
    if (signal.aborted) return;
    const healthy = await client.healthy(signal).catch(() => null);
    if (healthy !== null && healthy === connection.value.degraded) set({ degraded: !healthy });
  }
}

/** While nothing decided the status and it is empty, looks for one that is not. */
export async function seekContent(client: Client, open: Status[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !decided.value) {
    for (const s of STATUSES.filter((x) => open.includes(x))) {
      const page = await client.page(s, "", 1, signal).catch(() => null);
      if (decided.value || signal.aborted) return;
      if (page && page.situations.length > 0) {
        batch(() => ((status.value = s), (decided.value = true)));
        return;
      }
    }
    await sleep(3_000, signal);
  }
}
