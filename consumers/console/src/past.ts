// The picture of an earlier time: asked for once, and waited for while the
// server answers somebody else. It never looks live.

import { batch } from "@preact/signals";
import { know } from "./announce";
import { Problem, type Client } from "./client";
import type { Status } from "./model";
import { connection, past, picture, shown, trail } from "./state";

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    const t = setTimeout(done, ms);
    signal.addEventListener("abort", () => (clearTimeout(t), done()), { once: true });
  });

/** Shows the picture of a time until the signal ends. */
export async function look(client: Client, of: Status, at: string, signal: AbortSignal): Promise<void> {
  const set = (phase: "past" | "loading" | "denied", reason: string) =>
    (connection.value = { phase, reason, heard: 0, attempt: 0, degraded: false });
  batch(() => {
    picture.clear();
    trail.clear();
    past.value = null;
    shown.value++;
    set("loading", "");
  });
  while (!signal.aborted) {
    try {
      const s = await client.snapshot(of, signal, at);
      if (signal.aborted) return;
      if (s.as_of === null) throw new Error("the server answers for now only");
      batch(() => {
        picture.load(s);
        know(picture.situations.keys());
        past.value = s.as_of;
        set("past", "");
        shown.value++;
      });
      return;
    } catch (e) {
      if (signal.aborted) return;
      const wait = e instanceof Problem && (e.status === 503 || e.status === 429) ? e.retry : 0;
      if (e instanceof Problem && e.denied) return void set("denied", e.message);
      set(wait > 0 ? "loading" : "past", e instanceof Error ? e.message : String(e));
      if (wait === 0) return;
      await sleep(wait * 1000, signal);
    }
  }
}
