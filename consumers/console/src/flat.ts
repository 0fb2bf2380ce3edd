// The map without WebGL: one canvas in Mercator's projection. It shows the
// same marks; it has zoom by wheel and buttons and a drag, and no labels.

import type * as G from "geojson";
import type { Options } from "./gl";
import { area, boundsOf, extent, points, type Bounds, type Mark } from "./marks";
import type { Situation } from "./model";
import { PALETTE } from "./palette";
import type { Basemap } from "./places";
import { OUTLINE } from "./shape";

/** Mercator in units of the world's width. */
const project = ([lon = 0, lat = 0]: G.Position): [number, number] => {
  const s = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI)];
};

interface Base {
  land: Path2D;
  counties: Path2D;
  states: Path2D;
}

export class Flat {
  private readonly canvas = document.createElement("canvas");
  private readonly resize: ResizeObserver;
  private base: Base | null = null;
  private marks: G.Feature<G.Point, Mark>[] = [];
  private selected: Situation | null = null;
  /** Middle of the view in world units, and pixels per world. */
  private x = 0;
  private y = 0;
  private scale = 1;
  private bounds: Bounds;
  private frame = 0;

  constructor(private readonly o: Options) {
    this.bounds = o.bounds;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Map of the situations; the list holds the same in words");
    o.container.append(this.canvas, this.button("+", "Zoom in", 2), this.button("−", "Zoom out", 0.5));
    this.resize = new ResizeObserver(() => this.size());
    this.resize.observe(o.container);
    if (o.basemap) void this.setBasemap(o.basemap);
    this.listen();
    this.size();
    this.view();
  }

  remove(): void {
    cancelAnimationFrame(this.frame);
    this.resize.disconnect();
    this.o.container.replaceChildren();
  }

  async show(all: Situation[]): Promise<void> {
    this.marks = points(all).features.sort((a, b) => a.properties.rank - b.properties.rank);
    this.draw();
    this.o.onMarks(this.marks.length);
  }

  async select(s: Situation | null, go: boolean): Promise<void> {
    this.selected = s;
    const bounds = s && go ? extent(s) : null;
    if (bounds) {
      this.bounds = bounds;
      this.view(7.4);
    }
    this.draw();
  }

  async fit(all: Situation[]): Promise<void> {
    this.bounds = boundsOf(all);
    this.view();
  }

  async theme(theme: "dark" | "light"): Promise<void> {
    this.o.theme = theme;
    this.draw();
  }

  async setBasemap(b: Basemap): Promise<void> {
    this.base = { land: path(b.land.coordinates.flat()), counties: path(b.countyLines.coordinates), states: path(b.stateLines.coordinates) };
    this.draw();
  }

  private button(sign: string, label: string, by: number): HTMLButtonElement {
    const b = document.createElement("button");
    b.type = "button";
    b.className = `flat-zoom ${by > 1 ? "in" : "out"}`;
    b.textContent = sign;
    b.setAttribute("aria-label", label);
    b.addEventListener("click", () => this.zoom(by));
    return b;
  }

  private zoom(by: number): void {
    this.scale = Math.min(2 ** 15 * 512, Math.max(2 ** 2 * 512, this.scale * by));
    this.o.onMoved();
    this.draw();
  }

  private listen(): void {
    this.canvas.addEventListener("click", (e) => this.click(e));
    this.canvas.addEventListener(
      "wheel",
      (e) => {
        e.preventDefault();
        this.zoom(e.deltaY < 0 ? 1.25 : 0.8);
      },
      { passive: false },
    );
    this.canvas.addEventListener("pointermove", (e) => {
      if (e.buttons !== 1) return;
      this.o.onMoved();
      this.x -= e.movementX / this.scale;
      this.y -= e.movementY / this.scale;
      this.draw();
    });
  }

  private click(e: MouseEvent): void {
    const { width, height } = this.canvas.getBoundingClientRect();
    const hit = this.marks.findLast((m) => {
      const [x, y] = project(m.geometry.coordinates);
      const [dx, dy] = [(x - this.x) * this.scale + width / 2 - e.offsetX, (y - this.y) * this.scale + height / 2 - e.offsetY];
      return Math.hypot(dx, dy) < 12;
    });
    if (hit) this.o.onSelect(hit.properties.id);
  }

  /** Fits the canvas to its box; the middle of the view stays. */
  private size(): void {
    const { clientWidth: w, clientHeight: h } = this.o.container;
    const dense = devicePixelRatio || 1;
    this.canvas.width = w * dense;
    this.canvas.height = h * dense;
    this.canvas.style.width = `${w}px`;
    this.canvas.style.height = `${h}px`;
    this.draw();
  }

  /** Fits the view to the bounds, not nearer than a zoom. */
  private view(nearest = 9): void {
    const { clientWidth: w, clientHeight: h } = this.o.container;
    const [west, south, east, north] = this.bounds;
    const [x0, y0] = project([west, north]);
    const [x1, y1] = project([east, south]);
    this.x = (x0 + x1) / 2;
    this.y = (y0 + y1) / 2;
    this.scale = Math.min(2 ** nearest * 512, Math.max(1, w - 80) / Math.max(1e-9, x1 - x0), Math.max(1, h - 80) / Math.max(1e-9, y1 - y0));
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    const c = this.canvas.getContext("2d");
    if (!c) return;
    const p = PALETTE[this.o.theme];
    const dense = devicePixelRatio || 1;
    const [w, h] = [this.canvas.width, this.canvas.height];
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = p.water;
    c.fillRect(0, 0, w, h);
    const scale = this.scale * dense;
    c.setTransform(scale, 0, 0, scale, w / 2 - this.x * scale, h / 2 - this.y * scale);
    if (this.base) {
      c.fillStyle = p.land;
      c.fill(this.base.land, "evenodd");
      stroke(c, this.base.counties, p.county, (0.6 * dense) / scale);
      stroke(c, this.base.states, p.state, (1.4 * dense) / scale);
    }
    const outline = area(this.selected).features[0];
    if (outline && this.selected) stroke(c, path(outline.geometry.coordinates), p.severity[this.selected.severity], (1.5 * dense) / scale);
    for (const m of this.marks) this.paintMark(c, m, dense / scale);
    this.o.onDrawn(this.marks.length);
  }

  /** `unit` is one pixel of the screen in world units. */
  private paintMark(c: CanvasRenderingContext2D, m: G.Feature<G.Point, Mark>, unit: number): void {
    const p = PALETTE[this.o.theme];
    const [x, y] = project(m.geometry.coordinates);
    c.save();
    c.translate(x, y);
    c.scale(unit, unit);
    if (m.properties.id === this.selected?.id) {
      c.beginPath();
      c.arc(0, 0, 13, 0, 2 * Math.PI);
      c.strokeStyle = p.selected;
      c.lineWidth = 2;
      c.stroke();
    }
    c.translate(-8, -8);
    const shape = new Path2D(OUTLINE[m.properties.severity]);
    c.fillStyle = p.severity[m.properties.severity];
    stroke(c, shape, p.mark, 2);
    c.fill(shape, "evenodd");
    c.restore();
  }
}

function stroke(c: CanvasRenderingContext2D, shape: Path2D, color: string, width: number): void {
  c.strokeStyle = color;
  c.lineWidth = width;
  c.stroke(shape);
}

function path(lines: G.Position[][]): Path2D {
  const p = new Path2D();
  for (const line of lines) {
    line.forEach((at, i) => (i === 0 ? p.moveTo(...project(at)) : p.lineTo(...project(at))));
  }
  return p;
}
