// Colours of what is drawn on a canvas, where style sheets do not reach. The
// severities are those of style/theme.css.

import type { Severity } from "./model";

export interface Palette {
  water: string;
  land: string;
  county: string;
  state: string;
  label: string;
  halo: string;
  highlight: string;
  selected: string;
  mark: string;
  severity: Record<Severity, string>;
}

export const PALETTE: Record<"dark" | "light", Palette> = {
  dark: {
    water: "#0b1015",
    land: "#161d25",
    county: "#26303b",
    state: "#475563",
    label: "#93a1b0",
    halo: "#0b1015",
    highlight: "#7fb6e8",
    selected: "#ffffff",
    mark: "#0b1015",
    severity: { extreme: "#ff5d7d", severe: "#ff9a3d", moderate: "#f2d04b", minor: "#5fb4f5", unknown: "#9fadbb" },
  },
  light: {
    water: "#dfe7ee",
    land: "#fbfbf9",
    county: "#dcdfe1",
    state: "#9aa4ad",
    label: "#4a5661",
    halo: "#ffffff",
    highlight: "#0b5c99",
    selected: "#10161c",
    mark: "#ffffff",
    severity: { extreme: "#b3002f", severe: "#a34600", moderate: "#6f5600", minor: "#0b5c99", unknown: "#515d68" },
  },
};
