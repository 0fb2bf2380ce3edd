// The page's state in its address, so that a link shows the same: status,
// selection, filter, panel. Never the token, which comes in the fragment once
// and is taken out at the first look.

import { KINDS, STATUSES, type Kind, type Status } from "./model";

export interface Address {
  status: Status | null;
  selected: string;
  text: string;
  kinds: Kind[];
  panel: "" | "feeds";
  /** The time of the picture in UTC; empty is now. */
  asOf: string;
}

export const EMPTY: Address = { status: null, selected: "", text: "", kinds: [], panel: "", asOf: "" };

/** A time as the page writes it, or empty: seconds, in UTC. */
export function moment(v: string): string {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/.test(v) ? Date.parse(v) : NaN;
  return Number.isNaN(at) ? "" : new Date(at).toISOString().slice(0, 19) + "Z";
}

export function read(search: string): Address {
  const q = new URLSearchParams(search);
  const status = STATUSES.find((s) => s === q.get("status")) ?? null;
  const kinds = (q.get("kind") ?? "").split(",");
  return {
    status,
    selected: /^[0-9a-f]{1,64}$/.test(q.get("situation") ?? "") ? (q.get("situation") as string) : "",
    text: (q.get("filter") ?? "").slice(0, 200),
    kinds: KINDS.filter((k) => kinds.includes(k)),
    panel: q.get("panel") === "feeds" ? "feeds" : "",
    asOf: moment(q.get("as_of") ?? ""),
  };
}

export function write(a: Address): string {
  const q = new URLSearchParams();
  if (a.status) q.set("status", a.status);
  if (a.kinds.length > 0) q.set("kind", a.kinds.join(","));
  if (a.text !== "") q.set("filter", a.text);
  if (a.selected !== "") q.set("situation", a.selected);
  if (a.panel !== "") q.set("panel", a.panel);
  if (a.asOf !== "") q.set("as_of", a.asOf);
  const s = q.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return s === "" ? "" : `?${s}`;
}

/** The token of a fragment "#token=...", or empty. */
export function tokenOf(hash: string): string {
  const q = new URLSearchParams(hash.replace(/^#/, ""));
  return (q.get("token") ?? "").trim();
}
