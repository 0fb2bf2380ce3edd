// Counties and states: their names for the list, their outlines for the map.
// One file of the build (us-atlas, from the U.S. Census Bureau); no network.

import { signal } from "@preact/signals";
import { feature, merge, mesh } from "topojson-client";
import type { GeometryCollection, MultiPolygon, Objects, Polygon, Topology } from "topojson-specification";
import type * as G from "geojson";
import type { Point } from "./model";

declare const COUNTIES_URL: string;

export interface Basemap {
  land: G.MultiPolygon;
  countyLines: G.MultiLineString;
  stateLines: G.MultiLineString;
  /** Properties: fips. */
  counties: G.FeatureCollection<G.Geometry>;
  stateLabels: G.FeatureCollection<G.Point>;
  countyLabels: G.FeatureCollection<G.Point>;
}

const USPS: Record<string, string> = Object.fromEntries(
  ("01AL 02AK 04AZ 05AR 06CA 08CO 09CT 10DE 11DC 12FL 13GA 15HI 16ID 17IL 18IN 19IA 20KS 21KY 22LA 23ME 24MD 25MA " +
    "26MI 27MN 28MS 29MO 30MT 31NE 32NV 33NH 34NJ 35NM 36NY 37NC 38ND 39OH 40OK 41OR 42PA 44RI 45SC 46SD 47TN 48TX " +
    "49UT 50VT 51VA 53WA 54WV 55WI 56WY 60AS 66GU 69MP 72PR 78VI")
    .split(" ")
    .map((s) => [s.slice(0, 2), s.slice(2)]),
);

interface Named {
  name: string;
}
type Atlas = Topology<
  Objects<Named> & { counties: GeometryCollection<Named>; states: GeometryCollection<Named> }
>;

/** Null until the file is here; "failed" when it could not be had. */
export const basemap = signal<Basemap | null | "failed">(null);

const names = new Map<string, string>();
const centers = new Map<string, Point>();

export async function loadPlaces(): Promise<void> {
  try {
    const r = await fetch(COUNTIES_URL);
    if (!r.ok) throw new Error(`HTTP ${r.status}`);
    basemap.value = unpack((await r.json()) as Atlas);
  } catch {
    basemap.value = "failed";
  }
}

function unpack(atlas: Atlas): Basemap {
  const { counties, states } = atlas.objects;
  const drawn = feature(atlas, counties);
  for (const f of drawn.features) {
    const fips = String(f.id);
    names.set(fips, f.properties.name);
    centers.set(fips, middle(f.geometry));
    f.properties = { fips, name: f.properties.name } as Named;
  }
  return {
    land: merge(atlas, states.geometries as (Polygon | MultiPolygon)[]),
    countyLines: mesh(atlas, counties, (a, b) => a !== b && stateOf(a) === stateOf(b)),
    stateLines: mesh(atlas, states),
    counties: drawn,
    stateLabels: labels(feature(atlas, states).features),
    countyLabels: labels(drawn.features),
  };
}

const stateOf = (g: unknown): string => String((g as { id?: unknown }).id).slice(0, 2);

function labels(features: G.Feature<G.Geometry, Named>[]): G.FeatureCollection<G.Point> {
  return {
    type: "FeatureCollection",
    features: features.map((f) => {
      const p = middle(f.geometry);
      return {
        type: "Feature",
        properties: { name: f.properties.name },
        geometry: { type: "Point", coordinates: [p.longitude, p.latitude] },
      };
    }),
  };
}

/** Area centroid of the largest ring: near enough for a label. */
function middle(g: G.Geometry): Point {
  const rings = g.type === "Polygon" ? [g.coordinates[0]] : g.type === "MultiPolygon" ? g.coordinates.map((p) => p[0]) : [];
  let best = { area: -1, latitude: 0, longitude: 0 };
  for (const ring of rings) {
    let [area, x, y] = [0, 0, 0];
    for (let i = 0; ring && i + 1 < ring.length; i++) {
      const [ax = 0, ay = 0] = ring[i] ?? [];
      const [bx = 0, by = 0] = ring[i + 1] ?? [];
      const cross = ax * by - bx * ay;
      area += cross;
      x += (ax + bx) * cross;
      y += (ay + by) * cross;
    }
    if (Math.abs(area) > best.area) {
      best = { area: Math.abs(area), longitude: x / (3 * area), latitude: y / (3 * area) };
    }
  }
  return { latitude: best.latitude, longitude: best.longitude };
}

/** Middle of a county; null when it is not known (yet). */
export const countyCenter = (fips: string): Point | null => centers.get(fips) ?? null;

/** "Hinds MS"; the code itself where the name is not known. */
export function countyName(fips: string): string {
  const name = names.get(fips);
  const usps = USPS[fips.slice(0, 2)] ?? "";
  return name ? `${name} ${usps}` : fips;
}

/** "Hinds, Rankin MS · Orleans LA", at most `most` names and how many more. */
export function countyList(fips: string[], most: number): string {
  const byState = new Map<string, string[]>();
  for (const f of fips.slice(0, most)) {
    const usps = USPS[f.slice(0, 2)] ?? "";
    byState.set(usps, [...(byState.get(usps) ?? []), names.get(f) ?? f]);
  }
  const parts = [...byState].map(([usps, list]) => `${list.join(", ")} ${usps}`.trim());
  const more = fips.length > most ? [`${fips.length - most} more`] : [];
  return [...parts, ...more].join(" · ");
}
