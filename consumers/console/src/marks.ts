// Situations as marks of a map: points, outlines, circles of uncertainty.
// Both maps, with and without WebGL, draw these.

import type * as G from "geojson";
import type { Point, Severity, Situation } from "./model";
import { countyCenter } from "./places";
import { rank } from "./words";

export interface Mark {
  id: string;
  severity: Severity;
  rank: number;
  reports: number;
  headline: string;
  /** The place is the middle of a county, for want of a finer one. */
  approximate: boolean;
}

const position = (p: Point): G.Position => [p.longitude, p.latitude];

/** Where to put a situation: its centre, else its first county's. */
export function placeOf(s: Situation): Point | null {
  return s.center ?? countyCenter(s.counties[0] ?? "");
}

export function points(all: Situation[]): G.FeatureCollection<G.Point, Mark> {
  const features: G.Feature<G.Point, Mark>[] = [];
  for (const s of all) {
    const at = placeOf(s);
    if (at) features.push({ type: "Feature", properties: markOf(s), geometry: { type: "Point", coordinates: position(at) } });
  }
  return { type: "FeatureCollection", features };
}

function markOf(s: Situation): Mark {
  return {
    id: s.id,
    severity: s.severity,
    rank: rank(s.severity),
    reports: s.size,
    headline: s.headline,
    approximate: s.center === null,
  };
}

/** The outline of one situation: its hull, else its circle of uncertainty. */
export function area(s: Situation | null): G.FeatureCollection<G.Polygon> {
  const ring = s ? outline(s) : [];
  if (!s || ring.length < 4) return { type: "FeatureCollection", features: [] };
  return {
    type: "FeatureCollection",
    features: [{ type: "Feature", properties: { severity: s.severity }, geometry: { type: "Polygon", coordinates: [ring] } }],
  };
}

function outline(s: Situation): G.Position[] {
  if (s.hull.length >= 3) {
    const ring = s.hull.map(position);
    const [first, last] = [ring[0], ring[ring.length - 1]];
    if (first && last && (first[0] !== last[0] || first[1] !== last[1])) ring.push(first);
    return ring;
  }
  return s.center && s.uncertainty_m > 0 ? circle(s.center, s.uncertainty_m) : [];
}

const METRES_PER_DEGREE = 111_320;

function circle(center: Point, radius: number): G.Position[] {
  const ring: G.Position[] = [];
  const wide = METRES_PER_DEGREE * Math.max(0.05, Math.cos((center.latitude * Math.PI) / 180));
  for (let i = 0; i <= 48; i++) {
    const a = (i / 48) * 2 * Math.PI;
    ring.push([center.longitude + (Math.cos(a) * radius) / wide, center.latitude + (Math.sin(a) * radius) / METRES_PER_DEGREE]);
  }
  return ring;
}

export type Bounds = [west: number, south: number, east: number, north: number];

/**
 * What to bring into view for one situation: its outline or point, and its
 * counties, so that a storm at sea is seen with the coast it threatens.
 */
export function extent(s: Situation): Bounds | null {
  const all = [...outline(s), ...[s.center, ...s.counties.map(countyCenter)].filter((p) => p !== null).map(position)];
  if (all.length === 0) return null;
  const lon = all.map(([x = 0]) => x);
  const lat = all.map(([, y = 0]) => y);
  return [Math.min(...lon), Math.min(...lat), Math.max(...lon), Math.max(...lat)];
}

export const MISSISSIPPI: Bounds = [-91.8, 30.0, -88.0, 35.1];

/**
 * The view that holds the marks: all but the outermost fiftieth on each side,
 * so that one stray place does not shrink the rest to a dot, and every severe
 * or extreme one wherever it is. While everything is in Mississippi it is
 * Mississippi, so that the first marks do not move it.
 */
export function boundsOf(all: Situation[]): Bounds {
  const placed = (s: Situation[]) => s.map(placeOf).filter((p) => p !== null);
  const at = placed(all);
  if (at.length === 0) return MISSISSIPPI;
  const lon = at.map((p) => p.longitude).sort((a, b) => a - b);
  const lat = at.map((p) => p.latitude).sort((a, b) => a - b);
  const cut = Math.floor(at.length / 50);
  const low = (v: number[]) => v[cut] ?? 0;
  const high = (v: number[]) => v[v.length - 1 - cut] ?? 0;
  const grave = placed(all.filter((s) => rank(s.severity) >= rank("severe")));
  const x = [low(lon), high(lon), ...grave.map((p) => p.longitude)];
  const y = [low(lat), high(lat), ...grave.map((p) => p.latitude)];
  const b: Bounds = [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
  const [west, south, east, north] = MISSISSIPPI;
  return b[0] >= west && b[1] >= south && b[2] <= east && b[3] <= north ? MISSISSIPPI : b;
}
