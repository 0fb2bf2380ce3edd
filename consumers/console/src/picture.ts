// The picture of one cell and status: a snapshot, then every frame after it.
// It refuses a frame that does not follow; whoever feeds it then reloads.

import type { Feed, Frame, Lineage, Situation, Snapshot } from "./model";

/** What became of a frame: taken, known already, or not the next one. */
export type Verdict = "applied" | "old" | "gap";

export interface Head {
  epoch: string;
  revision: number;
  tick: string;
  digest: string;
  reports: number;
  set_aside: number;
}

const headOf = ({ epoch, revision, tick, digest, reports, set_aside }: Head): Head => ({ epoch, revision, tick, digest, reports, set_aside });

const feedKey = (f: Feed) => `${f.cell}/${f.agency}`;

export class Picture {
  readonly situations = new Map<string, Situation>();
  readonly feeds = new Map<string, Feed>();
  head: Head | null = null;

  /** Replaces everything by a whole snapshot. */
  load(s: Snapshot): void {
    this.situations.clear();
    for (const x of s.situations) this.situations.set(x.id, x);
    this.feeds.clear();
    this.hear(s.feeds);
    this.head = headOf(s);
  }

  clear(): void {
    this.situations.clear();
    this.feeds.clear();
    this.head = null;
  }

  apply(f: Frame): Verdict {
    if (this.head === null || f.epoch !== this.head.epoch) return "gap";
    if (f.revision <= this.head.revision) return "old";
    if (f.revision !== this.head.revision + 1) return "gap";
    for (const c of f.changes) {
      if ("upsert" in c) this.situations.set(c.upsert.id, c.upsert);
      else this.situations.delete(c.removed);
    }
    this.hear(f.feeds);
    this.head = headOf({ ...f, set_aside: f.set_aside ?? this.head.set_aside });
    // The count is the cheapest proof that nothing was missed.
    return this.situations.size === f.situations ? "applied" : "gap";
  }

  private hear(feeds: Feed[]): void {
    for (const f of feeds) {
      const known = this.feeds.get(feedKey(f));
      this.feeds.set(feedKey(f), { ...f, expect_every_seconds: f.expect_every_seconds || known?.expect_every_seconds || 0 });
    }
  }
}

/**
 * Whether a feed is silent at a time of the server's clock: nothing is sent
 * when a feed falls silent, so it has to be worked out. One that was never
 * heard is what the server said.
 */
export function isSilent(f: Feed, serverNow: number): boolean {
  const last = Date.parse(f.last_received);
  if (Number.isNaN(last)) return f.silent;
  return f.expect_every_seconds > 0 && serverNow - last > f.expect_every_seconds * 1000;
}

/** Where a situation went, by the frames' own account: merged into another. */
export class Trail {
  private readonly into = new Map<string, string>();

  note(events: Lineage[]): void {
    for (const e of events) {
      if (e.type === "merged" && e.other_id !== "" && e.other_id !== e.situation_id) {
        this.into.set(e.situation_id, e.other_id);
        this.into.delete(e.other_id); // it lives, whatever became of it before
      }
    }
  }

  /** Follows merges to the end; null when nothing is known. */
  end(id: string): string | null {
    const seen = new Set<string>();
    let at = id;
    for (let next = this.into.get(at); next !== undefined && !seen.has(next); next = this.into.get(at)) {
      seen.add(at);
      at = next;
    }
    return at === id ? null : at;
  }

  clear(): void {
    this.into.clear();
  }
}
