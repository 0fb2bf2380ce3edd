// The map with WebGL. Loaded after the list, since it is the heavier half.

import { GeoJSONSource, Map as GlMap, NavigationControl, ScaleControl, setWorkerUrl, type StyleSpecification } from "maplibre-gl";
import type * as G from "geojson";
import { LAYERS, layers, SEVERITY_IMAGE } from "./layers";
import { area, boundsOf, extent, points, type Bounds } from "./marks";
import { SEVERITIES, type Situation } from "./model";
import { PALETTE } from "./palette";
import type { Basemap } from "./places";
import { OUTLINE } from "./shape";
import { allowWorker } from "./trust";

declare const WORKER_URL: string;
const worker = new URL(WORKER_URL, location.href).href;
allowWorker(worker);
setWorkerUrl(worker);

/** More marks than this are drawn as clusters where they are close. */
const CLUSTER_ABOVE = 150;

const none: G.FeatureCollection = { type: "FeatureCollection", features: [] };

export interface Options {
  container: HTMLElement;
  basemap: Basemap | null;
  theme: "dark" | "light";
  bounds: Bounds;
  still: boolean;
  onSelect: (id: string) => void;
  /** The analyst moved the map: from now on the view is theirs. */
  onMoved: () => void;
  /** Marks the source holds. */
  onMarks: (marks: number) => void;
  /** Marks and clusters that stand on the screen, said when it is at rest. */
  onDrawn: (drawn: number) => void;
}

export class Gl {
  private readonly map: GlMap;
  private readonly ready: Promise<void>;
  private clustered = false;

  /** Throws when the browser has no WebGL 2. */
  constructor(private readonly o: Options) {
    this.map = new GlMap({
      container: o.container,
      style: style(o),
      bounds: o.bounds,
      fitBoundsOptions: { padding: 40, maxZoom: 9 },
      minZoom: 2,
      maxZoom: 15,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      attributionControl: false,
      fadeDuration: o.still ? 0 : 150,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new ScaleControl({ maxWidth: 90, unit: "imperial" }), "bottom-right");
    this.ready = new Promise((done) => this.map.once("style.load", () => done()));
    this.images();
    this.listen();
  }

  remove(): void {
    this.map.remove();
  }

  private source(id: string): GeoJSONSource | undefined {
    return this.map.getSource<GeoJSONSource>(id);
  }

  async show(all: Situation[]): Promise<void> {
    await this.ready;
    const data = points(all);
    const source = this.source("situations");
    const clustered = data.features.length > CLUSTER_ABOVE;
    if (clustered !== this.clustered) {
      this.clustered = clustered;
      await source?.setClusterOptions({ cluster: clustered });
    }
    await source?.setData(data);
    this.o.onMarks(data.features.length);
  }

  async select(s: Situation | null, go: boolean): Promise<void> {
    await this.ready;
    this.source("area")?.setData(area(s));
    this.source("selected")?.setData(points(s ? [s] : []));
    this.map.setFilter(LAYERS.counties, ["in", ["get", "fips"], ["literal", s?.counties ?? []]]);
    if (s && go) await this.goTo(s);
  }

  private async goTo(s: Situation): Promise<void> {
    // The panel that opens beside the map makes it narrower first.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    this.map.resize();
    const bounds = extent(s);
    if (bounds) this.map.fitBounds(bounds, { padding: 70, maxZoom: Math.max(this.map.getZoom(), 7.4), duration: this.o.still ? 0 : 500 });
  }

  async fit(all: Situation[]): Promise<void> {
    await this.ready;
    this.map.fitBounds(boundsOf(all), { padding: 50, maxZoom: 9, duration: this.o.still ? 0 : 500 });
  }

  async theme(theme: "dark" | "light"): Promise<void> {
    await this.ready;
    this.o.theme = theme;
    for (const l of layers(PALETTE[theme])) {
      for (const [name, value] of Object.entries(l.paint ?? {})) this.map.setPaintProperty(l.id, name as never, value as never);
    }
    this.images();
  }

  async setBasemap(b: Basemap): Promise<void> {
    await this.ready;
    for (const [id, data] of Object.entries(baseData(b))) this.source(id)?.setData(data);
  }

  /** The shapes of the severities, drawn in the theme's colours. */
  private images(): void {
    const colors = PALETTE[this.o.theme];
    for (const s of SEVERITIES) {
      const image = drawShape(OUTLINE[s], colors.severity[s], colors.mark);
      const name = SEVERITY_IMAGE + s;
      if (this.map.hasImage(name)) this.map.updateImage(name, image);
      else this.map.addImage(name, image, { pixelRatio: 2 });
    }
  }

  private listen(): void {
    const { map } = this;
    const canvas = map.getCanvas();
    canvas.setAttribute("aria-label", "Map of the situations; the list holds the same in words");
    for (const layer of [LAYERS.marks, LAYERS.clusters]) {
      map.on("mouseenter", layer, () => (canvas.style.cursor = "pointer"));
      map.on("mouseleave", layer, () => (canvas.style.cursor = ""));
    }
    map.on("idle", () => this.o.onDrawn(map.queryRenderedFeatures({ layers: [LAYERS.marks, LAYERS.clusters] }).length));
    map.on("movestart", (e) => e.originalEvent && this.o.onMoved());
    map.on("click", LAYERS.marks, (e) => this.o.onSelect(String(e.features?.[0]?.properties.id ?? "")));
    map.on("click", LAYERS.clusters, (e) => void this.open(e.features?.[0]));
    map.on("mousemove", LAYERS.marks, (e) => (this.o.container.title = String(e.features?.[0]?.properties.headline ?? "")));
    map.on("mouseleave", LAYERS.marks, () => (this.o.container.title = ""));
  }

  private async open(cluster: G.Feature | undefined): Promise<void> {
    if (!cluster || cluster.geometry.type !== "Point") return;
    const zoom = await this.source("situations")?.getClusterExpansionZoom(Number(cluster.properties?.cluster_id));
    const [lng = 0, lat = 0] = cluster.geometry.coordinates;
    this.o.onMoved();
    this.map.easeTo({ center: [lng, lat], zoom: (zoom ?? 8) + 0.2, duration: this.o.still ? 0 : 400 });
  }
}

const baseData = (b: Basemap): Record<string, G.GeoJSON> => ({
  land: b.land,
  "county-lines": b.countyLines,
  "state-lines": b.stateLines,
  counties: b.counties,
  "state-labels": b.stateLabels,
  "county-labels": b.countyLabels,
});

/** No glyphs and no sprite: labels use the fonts of the machine. */
function style(o: Options): StyleSpecification {
  const base = o.basemap ? baseData(o.basemap) : {};
  const source = (id: string) => ({ type: "geojson" as const, data: base[id] ?? none, tolerance: 0.2 });
  const ids = ["land", "county-lines", "state-lines", "counties", "state-labels", "county-labels", "area", "selected"];
  return {
    version: 8,
    transition: { duration: 0, delay: 0 },
    sources: {
      ...Object.fromEntries(ids.map((id) => [id, source(id)])),
      situations: {
        type: "geojson",
        data: none,
        cluster: false,
        clusterRadius: 36,
        clusterMaxZoom: 10,
        clusterProperties: { worst: ["max", ["get", "rank"]] },
      },
    },
    layers: layers(PALETTE[o.theme]),
  };
}

const BOX = 40; // pixels of the image, shown at half the size

function drawShape(outline: string, fill: string, edge: string): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = BOX;
  const c = canvas.getContext("2d");
  if (!c) throw new Error("the browser draws no canvas");
  const path = new Path2D(outline);
  c.translate(4, 4);
  c.scale((BOX - 8) / 16, (BOX - 8) / 16);
  c.lineJoin = "round";
  c.lineWidth = 2.4;
  c.strokeStyle = edge;
  c.stroke(path);
  c.fillStyle = fill;
  c.fill(path, "evenodd");
  return c.getImageData(0, 0, BOX, BOX);
}
