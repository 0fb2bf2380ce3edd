// What a screen reader is told of the changes: a summary, at most every ten
// seconds, of what is new and how bad the worst of it is.

import { signal } from "@preact/signals";
import type { Frame, Situation } from "./model";
import { plural, rank, SEVERITY_WORD } from "./words";

const EVERY_MS = 10_000;

export const spoken = signal("");

let known = new Set<string>();
let fresh: Situation[] = [];
let changed = 0;
let removed = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** A whole snapshot is not news: only what comes after it. */
export function know(ids: Iterable<string>): void {
  known = new Set(ids);
}

export function announce(f: Frame): void {
  for (const c of f.changes) {
    if ("removed" in c) {
      known.delete(c.removed);
      removed++;
    } else if (known.has(c.upsert.id)) {
      changed++;
    } else {
      known.add(c.upsert.id);
      fresh.push(c.upsert);
    }
  }
  if (f.changes.length > 0 && timer === undefined) timer = setTimeout(speak, EVERY_MS);
}

function speak(): void {
  timer = undefined;
  const worst = fresh.reduce<Situation | null>((w, s) => (w && rank(w.severity) >= rank(s.severity) ? w : s), null);
  const parts = [];
  if (worst) parts.push(`${plural(fresh.length, "new situation")}, worst ${SEVERITY_WORD[worst.severity]}: ${worst.headline}`);
  if (changed > 0) parts.push(`${changed} changed`);
  if (removed > 0) parts.push(`${removed} removed`);
  spoken.value = parts.join("; ");
  [fresh, changed, removed] = [[], 0, 0];
}
