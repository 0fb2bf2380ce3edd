// The pane of the map: WebGL where there is, a plain canvas where there is
// not, and a word on which of the two it is.

import { signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Flat } from "./flat";
import { boundsOf, MISSISSIPPI, placeOf, type Bounds } from "./marks";
import { SEVERITIES, type Situation } from "./model";
import { basemap, type Basemap } from "./places";
import { select, shown, situation, status, theme, visible } from "./state";
import { SeverityTag } from "./shape";
import { count } from "./words";

/** What both maps can do. */
export interface Drawing {
  show(all: Situation[]): Promise<void>;
  select(s: Situation | null, go: boolean): Promise<void>;
  fit(all: Situation[]): Promise<void>;
  theme(theme: "dark" | "light"): Promise<void>;
  setBasemap(b: Basemap): Promise<void>;
  remove(): void;
}

const drawing = signal<Drawing | null>(null);
const mode = signal<"" | "webgl" | "canvas">("");
const marks = signal(0);
const drawn = signal(0);

/** Marks are sent to the map at most this often. */
const DRAW_MS = 900;

/** The analyst moved the map; until then it keeps every mark in view. */
const moved = signal(false);

export const showOnMap = () => {
  moved.value = true;
  void drawing.value?.select(situation.value, true);
};
export const fitMap = () => {
  moved.value = false;
  void drawing.value?.fit(visible.value);
};

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

async function open(container: HTMLElement): Promise<Drawing> {
  const bounds: Bounds = visible.peek().length > 0 ? boundsOf(visible.peek()) : MISSISSIPPI;
  const b = basemap.peek();
  const options = {
    container,
    basemap: b === "failed" ? null : b,
    theme: theme.peek(),
    bounds,
    still: still(),
    onSelect: select,
    onMoved: () => (moved.value = true),
    onMarks: (n: number) => (marks.value = n),
    onDrawn: (n: number) => (drawn.value = n),
  };
  try {
    const { Gl } = await import("./gl");
    const gl = new Gl(options);
    mode.value = "webgl";
    return gl;
  } catch {
    container.replaceChildren();
    mode.value = "canvas";
    return new Flat(options);
  }
}

export function MapPane() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    if (box.current) {
      void open(box.current).then((d) => {
        if (gone) d.remove();
        else drawing.value = d;
      });
    }
    return () => {
      gone = true;
      drawing.value?.remove();
      drawing.value = null;
    };
  }, []);
  useMarks();
  useSignalEffect(() => void drawing.value?.theme(theme.value));
  useSignalEffect(() => {
    const b = basemap.value;
    if (b && b !== "failed") void drawing.value?.setBasemap(b);
  });
  return (
    <section class="map" aria-label="Map" data-mode={mode.value} data-marks={marks.value} data-drawn={drawn.value}>
      <div class="canvas" ref={box} />
      <Notes />
    </section>
  );
}

/** Keeps the marks, the selection and, until it was moved, the view. */
function useMarks(): void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const fitted = useRef("");
  const of = useRef(status.peek());
  const went = useRef("");
  useSignalEffect(() => {
    const d = drawing.value;
    void visible.value;
    void basemap.value;
    if (!d || timer.current !== undefined) return;
    const draw = () => {
      timer.current = undefined;
      const all = visible.peek();
      void d.show(all);
      if (of.current !== status.peek()) {
        of.current = status.peek();
        moved.value = false;
      }
      const bounds = boundsOf(all).map((x) => x.toFixed(1)).join();
      if (!moved.peek() && bounds !== fitted.current && all.some(placeOf)) {
        fitted.current = bounds;
        void d.fit(all);
      }
    };
    draw();
    timer.current = setTimeout(() => {
      timer.current = undefined;
      draw();
    }, DRAW_MS);
  });
  useSignalEffect(() => {
    const [d, s] = [drawing.value, situation.value];
    if (!d) return;
    const go = s !== null && s.id !== went.current;
    went.current = s?.id ?? "";
    if (go) moved.value = true;
    void d.select(s, go);
  });
}

function Notes() {
  void shown.value;
  void basemap.value;
  const nowhere = visible.value.filter((s) => placeOf(s) === null).length;
  return (
    <>
      <div class="legend" role="note" aria-label="Signs on the map">
        {SEVERITIES.map((s) => (
          <SeverityTag key={s} severity={s} />
        ))}
      </div>
      <button type="button" class="fit" onClick={fitMap}>
        Fit
      </button>
      <div class="map-notes">
        {nowhere > 0 && <span>{count(nowhere)} without a place: in the list alone</span>}
        {mode.value === "canvas" && <span>no WebGL in this browser: simple map</span>}
        {basemap.value === "failed" && <span>the county outlines could not be loaded</span>}
      </div>
    </>
  );
}
