// How the page says things: one word per idea, shapes beside colours, Zulu
// first. Functions of their input; the time zone is the browser's.

import type { Kind, Severity, Situation, Trend } from "./model";
import { SEVERITIES } from "./model";

export const SEVERITY_WORD: Record<Severity, string> = {
  extreme: "Extreme",
  severe: "Severe",
  moderate: "Moderate",
  minor: "Minor",
  unknown: "Unknown",
};

/** 4 is extreme, 0 is unknown. */
export const rank = (s: Severity): number => SEVERITIES.length - 1 - SEVERITIES.indexOf(s);

export const KIND_WORD: Record<Kind, string> = {
  sar: "SAR",
  threat: "Threat",
  hazard: "Hazard",
  cyber: "Cyber",
  incident: "Incident",
  asset: "Asset",
  resource: "Resource",
  bulletin: "Bulletin",
  unspecified: "Other",
};

export const TREND_WORD: Record<Trend, string> = { rising: "rising", falling: "falling", steady: "steady", "": "" };
export const TREND_SIGN: Record<Trend, string> = { rising: "↗", falling: "↘", steady: "→", "": "" };

/** Analytic confidence in words (ICD 203): never a likelihood. */
export function confidenceWord(permille: number): string {
  if (permille >= 700) return "high";
  return permille >= 400 ? "moderate" : "low";
}

const two = (n: number) => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function parse(iso: string): Date | null {
  const d = new Date(iso);
  return iso === "" || Number.isNaN(d.getTime()) ? null : d;
}

/** "2026-11-21 04:12:10Z" */
export function zulu(iso: string): string {
  const d = parse(iso);
  if (!d) return "–";
  const day = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
  return `${day} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}Z`;
}

/** "21 Nov 04:12Z" */
export function zuluShort(iso: string): string {
  const d = parse(iso);
  if (!d) return "–";
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}Z`;
}

const zone = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" });

/** "22:12 CST", with the day when it is not the Zulu one; empty in UTC. */
export function local(iso: string): string {
  const d = parse(iso);
  if (!d || d.getTimezoneOffset() === 0) return "";
  const name = zone.formatToParts(d).find((p) => p.type === "timeZoneName")?.value ?? "local";
  const day = d.getDate() === d.getUTCDate() ? "" : `${d.getDate()} ${MONTHS[d.getMonth()]} `;
  return `${day}${two(d.getHours())}:${two(d.getMinutes())} ${name}`;
}

/** "4 s", "12 min", "3 h", "2 d" */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

const grouped = new Intl.NumberFormat("en-US");
export const count = (n: number): string => grouped.format(n);

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** Signed bits from thousandths of a bit: "+12.4", "−3.0". */
export function bits(millibits: number): string {
  const sign = millibits < 0 ? "−" : "+";
  return `${sign}${(Math.abs(millibits) / 1000).toFixed(1)}`;
}

/** "±450 m", "±12 km" */
export function metres(m: number): string {
  if (m < 1000) return `${Math.round(m)} m`;
  return `${(m / 1000).toFixed(m < 10000 ? 1 : 0)} km`;
}

/** The order of the list: score, then newest, then id. */
export function byScore(a: Situation, b: Situation): number {
  return b.score - a.score || cmp(b.last_event, a.last_event) || cmp(a.id, b.id);
}

const cmp = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
