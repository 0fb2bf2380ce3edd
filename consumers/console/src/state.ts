// What the page knows and what the analyst chose. One store; components read
// signals, the follower and the keys write them.

import { batch, computed, signal } from "@preact/signals";
import * as address from "./address";
import { serverNow } from "./client";
import type { AsOf, Cell, Feed, Kind, Situation, Status } from "./model";
import { KINDS } from "./model";
import { isSilent, Picture, Trail, type Head } from "./picture";
import { basemap, countyList } from "./places";
import { byScore, KIND_WORD, SEVERITY_WORD } from "./words";

export type Phase = "idle" | "loading" | "live" | "waiting" | "denied" | "past";

export interface Connection {
  phase: Phase;
  /** Why it is not live, in words. */
  reason: string;
  /** Milliseconds since 1970 of the last byte from the stream; 0: none yet. */
  heard: number;
  attempt: number;
  /** The stream lives, and the server says that its picture does not. */
  degraded: boolean;
}

const start = address.read(location.search);

export const token = signal("");
export const cell = signal<Cell | null>(null);
/** Why there is no cell: shown where the picture would be. */
export const refusal = signal("");
export const connection = signal<Connection>({ phase: "idle", reason: "", heard: 0, attempt: 0, degraded: false });
/** Ticks once a second, for ages. */
export const now = signal(Date.now());

export const status = signal<Status>(start.status ?? "actual");
/** False until the analyst, the address or content decided the status. */
export const decided = signal(start.status !== null);
export const selected = signal(start.selected);
export const filterText = signal(start.text);
export const kinds = signal<Kind[]>(start.kinds);
export const panel = signal<"" | "feeds">(start.panel);
/** The time of the picture that the analyst chose; empty is now. */
export const asOf = signal(start.asOf);
/** What is known of the picture of that time; null while it is not there. */
export const past = signal<AsOf | null>(null);
export const help = signal(false);
export const theme = signal<"dark" | "light">(localStorage.getItem("watchfloor.theme") === "light" ? "light" : "dark");
export const shortcuts = signal(localStorage.getItem("watchfloor.shortcuts") !== "off");

// The picture is no signal: it changes in bulk, and `shown` counts the times
// it may be looked at again.
export const picture = new Picture();
export const trail = new Trail();
export const shown = signal(0);

export const head = computed<Head | null>(() => (shown.value, picture.head));
export const ranked = computed<Situation[]>(() => (shown.value, [...picture.situations.values()].sort(byScore)));
export const situation = computed<Situation | null>(() => (shown.value, picture.situations.get(selected.value) ?? null));

/** Silence is looked at every few seconds, not with every second. */
const sometimes = computed(() => Math.floor(now.value / 5000) * 5000);

export const feeds = computed<Feed[]>(() => {
  void shown.value;
  const at = asOf.value === "" ? serverNow(sometimes.value) : Date.parse(asOf.value);
  const order = (f: Feed) => (f.silent ? "0" : "1") + f.cell + "/" + f.agency;
  const all = [...picture.feeds.values()].map((f) => ({ ...f, silent: isSilent(f, at) }));
  return all.sort((a, b) => (order(a) < order(b) ? -1 : 1));
});
export const silent = computed(() => feeds.value.filter((f) => f.silent).length);

/** How many situations there are of each kind, before the kind filter. */
export const kindCounts = computed(() => {
  const counts = new Map<Kind, number>();
  for (const s of textMatches.value) counts.set(s.kind, (counts.get(s.kind) ?? 0) + 1);
  return counts;
});

const textMatches = computed<Situation[]>(() => {
  const words = filterText.value.toLowerCase().split(/\s+/).filter((w) => w !== "");
  if (words.length === 0) return ranked.value;
  void basemap.value; // county names arrive with it
  return ranked.value.filter((s) => {
    const text = haystack(s);
    return words.every((w) => text.includes(w));
  });
});

function haystack(s: Situation): string {
  const parts = [s.id, s.headline, KIND_WORD[s.kind], SEVERITY_WORD[s.severity], countyList(s.counties, 1000)];
  for (const m of s.members) parts.push(m.agency, m.record, m.cell);
  for (const m of s.mentions) parts.push(m.value);
  return parts.join("\n").toLowerCase();
}

/** The rows of the list and the marks of the map, best first. */
export const visible = computed<Situation[]>(() => {
  const only = kinds.value;
  return only.length === 0 ? textMatches.value : textMatches.value.filter((s) => only.includes(s.kind as never));
});

export function toggleKind(k: Kind): void {
  const on = new Set(kinds.value);
  if (!on.delete(k)) on.add(k);
  kinds.value = KINDS.filter((x) => on.has(x));
}

/** Opens a situation, in the place of the feeds panel. */
export function select(id: string): void {
  batch(() => {
    selected.value = id;
    if (id !== "") panel.value = "";
  });
}

export function choose(s: Status): void {
  batch(() => {
    if (status.value !== s) select("");
    status.value = s;
    decided.value = true;
  });
}

/** Gives up the token; the door asks for another. */
export function leave(): void {
  token.value = "";
}

/** The row `by` steps from the selected one; the first when none is. */
export function step(by: number): void {
  const rows = visible.value;
  const at = rows.findIndex((s) => s.id === selected.value);
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
  if (next) select(next.id);
}

export const here = computed<address.Address>(() => ({
  status: decided.value ? status.value : null,
  selected: selected.value,
  text: filterText.value,
  kinds: kinds.value,
  panel: panel.value,
  asOf: asOf.value,
}));

/** Takes over the state of an address (back and forward). */
export function go(a: address.Address): void {
  batch(() => {
    if (a.status) choose(a.status);
    selected.value = a.selected;
    filterText.value = a.text;
    kinds.value = a.kinds;
    panel.value = a.panel;
    asOf.value = a.asOf;
  });
}

/** Goes so many minutes back or on, from the time shown, by the picture's clock. */
export function goBy(minutes: number): void {
  const from = Date.parse(asOf.value || (picture.head?.tick ?? ""));
  if (!Number.isNaN(from)) asOf.value = address.moment(new Date(from + minutes * 60_000).toISOString());
}
