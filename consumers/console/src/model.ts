// What the API says, as this page holds it: field names of watchfloor.v1,
// every absent field given its zero value once, here.

export const STATUSES = ["actual", "exercise", "test"] as const;
export type Status = (typeof STATUSES)[number];

export const KINDS = ["sar", "threat", "hazard", "cyber", "incident", "asset", "resource", "bulletin"] as const;
export type Kind = (typeof KINDS)[number] | "unspecified";

/** Worst first. */
export const SEVERITIES = ["extreme", "severe", "moderate", "minor", "unknown"] as const;
export type Severity = (typeof SEVERITIES)[number];

export type Trend = "steady" | "rising" | "falling" | "";

export interface Point {
  latitude: number;
  longitude: number;
}

export interface Member {
  report_id: string;
  agency: string;
  record: string;
  cell: string;
  kind: Kind;
  event_time: string;
  revision: string;
  superseded: boolean;
}

export interface Evidence {
  kind: string;
  value: string;
  millibits: number;
}

export interface Link {
  a: number;
  b: number;
  millibits: number;
  evidence: Evidence[];
}

export interface Ignored {
  kind: string;
  value: string;
  reason: string;
  members: number;
}

export interface Mention {
  kind: string;
  value: string;
  members: number;
}

/** A sub-situation of a mass situation. */
export interface Part {
  id: string;
  size: number;
  headline: string;
  severity: Severity;
  last_event: string;
  parting: number;
}

/** What a situation would fall apart into without its weakest link. */
export interface Bridge {
  a_reports: number;
  b_reports: number;
  links: number;
}

export interface Situation {
  id: string;
  kind: Kind;
  headline: string;
  members: Member[];
  links: Link[];
  link_count: number;
  severity: Severity;
  confidence: number;
  originators: number;
  trend: Trend;
  first_event: string;
  last_event: string;
  center: Point | null;
  hull: Point[];
  uncertainty_m: number;
  counties: string[];
  mentions: Mention[];
  ignored: Ignored[];
  score: number;
  ended: boolean;
  weakest_link: number | null;
  /** Reports in it; more than members in a mass situation. */
  size: number;
  area_m2: number;
  bridge: Bridge | null;
  parts: Part[];
  part_count: number;
  alone: number;
  parting: number;
}

export interface Feed {
  cell: string;
  agency: string;
  last_received: string;
  reports: number;
  silent: boolean;
  expect_every_seconds: number;
}

export type Change = { upsert: Situation } | { removed: string };

export interface Lineage {
  type: string;
  situation_id: string;
  other_id: string;
}

export interface Frame {
  epoch: string;
  revision: number;
  tick: string;
  digest: string;
  reports: number;
  /** Null: not said, as before. */
  set_aside: number | null;
  situations: number;
  changes: Change[];
  lineage: Lineage[];
  feeds: Feed[];
}

export interface Snapshot {
  epoch: string;
  revision: number;
  tick: string;
  digest: string;
  reports: number;
  /** Stored reports that could not be read or correlated. */
  set_aside: number;
  situations: Situation[];
  feeds: Feed[];
  next: string;
  /** Set when the picture is of an earlier time. */
  as_of: AsOf | null;
}

/** Which earlier time a picture is of, and what it was made from. */
export interface AsOf {
  time: string;
  origin: "frames" | "replay";
  /** Reports purged or ended since: the picture is shown without them. */
  removed: number;
}

export interface Cell {
  cell: string;
  marking: { banner: string; level: string; color: string; text_color: string };
  statuses: Status[];
  reader: { name: string; purpose: string; expires: string };
  version: string;
}

export interface Explained {
  situation: Situation;
  explanation: string[];
}

// Raw is JSON whose shape is not trusted yet.
type Raw = Record<string, unknown>;

const raw = (v: unknown): Raw => (v !== null && typeof v === "object" && !Array.isArray(v) ? (v as Raw) : {});
const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);
const text = (v: unknown): string => (typeof v === "string" ? v : "");
const flag = (v: unknown): boolean => v === true;

/** Protobuf's JSON writes 64-bit integers as strings. */
const num = (v: unknown): number => {
  const n = typeof v === "string" && v !== "" ? Number(v) : v;
  return typeof n === "number" && Number.isFinite(n) ? n : 0;
};

/** "KIND_SAR" is "sar"; a word that is not known is `otherwise`. */
function word<T extends string>(v: unknown, prefix: string, known: readonly T[], otherwise: T): T {
  const w = text(v).replace(prefix, "").toLowerCase() as T;
  return known.includes(w) ? w : otherwise;
}

const kind = (v: unknown): Kind => word<Kind>(v, "KIND_", KINDS, "unspecified");

function point(v: unknown): Point {
  const r = raw(v);
  return { latitude: num(r.latitude), longitude: num(r.longitude) };
}

function member(v: unknown): Member {
  const r = raw(v);
  return {
    report_id: text(r.report_id),
    agency: text(r.agency),
    record: text(r.record),
    cell: text(r.cell),
    kind: kind(r.kind),
    event_time: text(r.event_time),
    revision: String(r.revision ?? ""),
    superseded: flag(r.superseded),
  };
}

function link(v: unknown): Link {
  const r = raw(v);
  return {
    a: num(r.a),
    b: num(r.b),
    millibits: num(r.millibits),
    evidence: list(r.evidence).map((e) => {
      const x = raw(e);
      return { kind: text(x.kind), value: text(x.value), millibits: num(x.millibits) };
    }),
  };
}

function shared(v: unknown): Ignored {
  const r = raw(v);
  return { kind: text(r.kind), value: text(r.value), reason: text(r.reason), members: num(r.members) };
}

function part(v: unknown): Part {
  const r = raw(v);
  return {
    id: text(r.id),
    size: num(r.size),
    headline: text(r.headline),
    severity: word<Severity>(r.severity, "SEVERITY_", SEVERITIES, "unknown"),
    last_event: text(r.last_event),
    parting: num(r.parting_millibits),
  };
}

function bridge(v: unknown): Bridge | null {
  if (!v) return null;
  const r = raw(v);
  return { a_reports: num(r.a_reports), b_reports: num(r.b_reports), links: num(r.links) };
}

export function situation(v: unknown): Situation {
  const r = raw(v);
  return {
    id: text(r.id),
    kind: kind(r.kind),
    headline: text(r.headline),
    members: list(r.members).map(member),
    links: list(r.links).map(link),
    link_count: num(r.link_count),
    severity: word<Severity>(r.severity, "SEVERITY_", SEVERITIES, "unknown"),
    confidence: num(r.confidence_permille),
    originators: num(r.originators),
    trend: word<Trend>(r.trend, "TREND_", ["steady", "rising", "falling"], ""),
    first_event: text(r.first_event),
    last_event: text(r.last_event),
    center: r.center ? point(r.center) : null,
    hull: list(r.hull).map(point),
    uncertainty_m: num(r.uncertainty_m),
    counties: list(r.counties).map(text),
    mentions: list(r.mentions).map(shared),
    ignored: list(r.ignored).map(shared),
    score: num(r.score),
    ended: flag(r.ended),
    weakest_link: r.weakest_link === undefined || r.weakest_link === null ? null : num(r.weakest_link),
    size: Math.max(num(r.size), list(r.members).length),
    area_m2: num(r.area_m2),
    bridge: bridge(r.bridge),
    parts: list(r.parts).map(part),
    part_count: num(r.part_count),
    alone: num(r.alone),
    parting: num(r.parting_millibits),
  };
}

function feed(v: unknown): Feed {
  const r = raw(v);
  return {
    cell: text(r.cell),
    agency: text(r.agency),
    last_received: text(r.last_received),
    reports: num(r.reports),
    silent: flag(r.silent),
    expect_every_seconds: num(r.expect_every_seconds),
  };
}

/** The fields a snapshot and a frame share. */
const head = (r: Raw) => ({
  epoch: text(r.epoch),
  revision: num(r.revision),
  tick: text(r.tick),
  digest: text(r.digest),
  reports: num(r.reports),
  feeds: list(r.feeds).map(feed),
});

export function snapshot(v: unknown): Snapshot {
  const r = raw(v);
  return {
    ...head(r),
    set_aside: num(r.set_aside),
    situations: list(r.situations).map(situation),
    next: text(r.next_page_token),
    as_of: r.as_of === undefined ? null : asOf(r.as_of),
  };
}

function asOf(v: unknown): AsOf {
  const r = raw(v);
  return { time: text(r.time), origin: word<AsOf["origin"]>(r.origin, "", ["frames", "replay"], "replay"), removed: num(r.removed_since) };
}

export function frame(v: unknown): Frame {
  const r = raw(v);
  return {
    ...head(r),
    set_aside: r.set_aside === undefined ? null : num(r.set_aside),
    situations: num(r.situations),
    changes: list(r.changes).map((c) => {
      const x = raw(c);
      return x.upsert ? { upsert: situation(x.upsert) } : { removed: text(x.removed) };
    }),
    lineage: list(r.lineage).map((l) => {
      const x = raw(l);
      return {
        type: text(x.type).replace("LINEAGE_TYPE_", "").toLowerCase(),
        situation_id: text(x.situation_id),
        other_id: text(x.other_id),
      };
    }),
  };
}

/** A cell without a marking is refused: nothing is shown unmarked. */
export function cell(v: unknown): Cell {
  const r = raw(v);
  const m = raw(r.marking);
  const reader = raw(r.reader);
  if (text(m.banner) === "") throw new Error("the cell answered without a marking; nothing is shown unmarked");
  return {
    cell: text(r.cell),
    marking: { banner: text(m.banner), level: text(m.level), color: text(m.color), text_color: text(m.text_color) },
    statuses: STATUSES.filter((s) => list(r.statuses).includes(s)),
    reader: { name: text(reader.name), purpose: text(reader.purpose), expires: text(reader.expires) },
    version: text(r.version),
  };
}

export function explained(v: unknown): Explained {
  const r = raw(v);
  return { situation: situation(r.situation), explanation: list(r.explanation).map(text) };
}
