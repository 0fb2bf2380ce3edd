// What the map draws, from the bottom up.

import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { SEVERITIES } from "./model";
import type { Palette } from "./palette";
import { rank } from "./words";

export const LAYERS = { counties: "counties-of-selected", ring: "ring-of-selected", marks: "marks", clusters: "clusters" } as const;

export const SEVERITY_IMAGE = "severity-";

const FONT = ["sans-serif"];

/** The same glyphs as the shapes, for the count of a cluster. */
const SIGN = ["○", "●", "■", "▲", "◆"];

const noCluster: ExpressionSpecification = ["!", ["has", "point_count"]];

function bySeverity(p: Palette): ExpressionSpecification {
  return ["match", ["get", "severity"], "extreme", p.severity.extreme, "severe", p.severity.severe, "moderate", p.severity.moderate, "minor", p.severity.minor, p.severity.unknown];
}

function byWorst(p: Palette): ExpressionSpecification {
  const steps = SEVERITIES.map((s) => [rank(s), p.severity[s]] as const).sort((a, b) => a[0] - b[0]);
  return ["step", ["get", "worst"], p.severity.unknown, ...steps.slice(1).flat()] as unknown as ExpressionSpecification;
}

/** Grows with the logarithm of the reports: 1, 10, 100, 1000. */
const bySize: ExpressionSpecification = ["interpolate", ["linear"], ["log10", ["max", 1, ["get", "reports"]]], 0, 9, 1, 14, 2, 20, 3, 26];

export function layers(p: Palette): LayerSpecification[] {
  return [...base(p), ...selection(p), ...situations(p)];
}

function base(p: Palette): LayerSpecification[] {
  return [
    { id: "water", type: "background", paint: { "background-color": p.water } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": p.land } },
    {
      id: "county-lines",
      type: "line",
      source: "county-lines",
      paint: { "line-color": p.county, "line-width": ["interpolate", ["linear"], ["zoom"], 4, 0.4, 8, 1, 12, 1.6] },
    },
    {
      id: "state-lines",
      type: "line",
      source: "state-lines",
      paint: { "line-color": p.state, "line-width": ["interpolate", ["linear"], ["zoom"], 3, 0.6, 8, 1.6] },
    },
    {
      id: "county-labels",
      type: "symbol",
      source: "county-labels",
      minzoom: 7.2,
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 10, "text-padding": 6 },
      paint: { "text-color": p.label, "text-opacity": 0.75, "text-halo-color": p.halo, "text-halo-width": 1 },
    },
    {
      id: "state-labels",
      type: "symbol",
      source: "state-labels",
      minzoom: 3,
      maxzoom: 7.2,
      layout: { "text-field": ["upcase", ["get", "name"]], "text-font": FONT, "text-size": 11, "text-letter-spacing": 0.18, "text-padding": 8 },
      paint: { "text-color": p.label, "text-halo-color": p.halo, "text-halo-width": 1.2 },
    },
  ];
}

function selection(p: Palette): LayerSpecification[] {
  return [
    {
      id: LAYERS.counties,
      type: "fill",
      source: "counties",
      filter: ["in", ["get", "fips"], ["literal", []]],
      paint: { "fill-color": p.highlight, "fill-opacity": 0.16 },
    },
    { id: "area", type: "fill", source: "area", paint: { "fill-color": bySeverity(p), "fill-opacity": 0.16 } },
    { id: "area-edge", type: "line", source: "area", paint: { "line-color": bySeverity(p), "line-width": 1.4, "line-dasharray": [3, 2] } },
  ];
}

function situations(p: Palette): LayerSpecification[] {
  return [
    {
      id: "halos",
      type: "circle",
      source: "situations",
      filter: noCluster,
      paint: {
        "circle-color": bySeverity(p),
        "circle-radius": bySize,
        "circle-opacity": 0.16,
        "circle-stroke-color": bySeverity(p),
        "circle-stroke-width": 1,
        "circle-stroke-opacity": ["case", ["get", "approximate"], 0.2, 0.6],
      },
    },
    {
      id: LAYERS.marks,
      type: "symbol",
      source: "situations",
      filter: noCluster,
      layout: {
        "icon-image": ["concat", SEVERITY_IMAGE, ["get", "severity"]],
        "icon-size": 0.8,
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "rank"],
      },
    },
    {
      id: LAYERS.clusters,
      type: "circle",
      source: "situations",
      filter: ["has", "point_count"],
      paint: {
        "circle-color": p.land,
        "circle-radius": ["interpolate", ["linear"], ["log10", ["get", "point_count"]], 0, 13, 1, 17, 2, 22, 3, 28],
        "circle-opacity": 0.92,
        "circle-stroke-color": byWorst(p),
        "circle-stroke-width": 2.5,
      },
    },
    {
      id: "cluster-counts",
      type: "symbol",
      source: "situations",
      filter: ["has", "point_count"],
      layout: {
        "text-field": ["concat", ["at", ["get", "worst"], ["literal", SIGN]], " ", ["get", "point_count_abbreviated"]],
        "text-font": FONT,
        "text-size": 11,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": byWorst(p) },
    },
    {
      id: LAYERS.ring,
      type: "circle",
      source: "selected",
      paint: { "circle-color": "rgba(0,0,0,0)", "circle-radius": ["+", 4, bySize], "circle-stroke-color": p.selected, "circle-stroke-width": 2 },
    },
    {
      id: "selected",
      type: "symbol",
      source: "selected",
      layout: { "icon-image": ["concat", SEVERITY_IMAGE, ["get", "severity"]], "icon-size": 0.8, "icon-allow-overlap": true, "icon-ignore-placement": true },
    },
  ];
}
