// The list: every situation of the picture that passes the filter, best
// first. It is the map in words, so it holds whatever the map shows. Only the
// rows near the window are in the document.

import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { basemap, countyList } from "./places";
import { KINDS, type Situation } from "./model";
import { connection, filterText, kindCounts, kinds, ranked, select, selected, toggleKind, visible } from "./state";
import { SeverityTag } from "./shape";
import { confidenceWord, count, KIND_WORD, local, plural, TREND_SIGN, TREND_WORD, zuluShort } from "./words";

const ROW = 70; // pixels, as in the style sheet
const SPARE = 6; // rows kept above and below the window

const view = signal({ top: 0, height: 800 });

export function List() {
  return (
    <section class="list" aria-label="Situations">
      <Filter />
      <Rows />
    </section>
  );
}

function Filter() {
  const all = ranked.value.length;
  const some = visible.value.length;
  return (
    <div class="filter">
      <div class="filter-line">
        <label class="hidden" for="filter">
          Filter situations by any word: headline, county, agency, identifier
        </label>
        <input
          id="filter"
          type="search"
          placeholder="Filter: headline, county, agency, identifier"
          autocomplete="off"
          spellcheck={false}
          value={filterText.value}
          onInput={(e) => (filterText.value = e.currentTarget.value)}
        />
        <span class="shown-of" data-count={some}>
          {some === all ? count(all) : `${count(some)} of ${count(all)}`}
        </span>
      </div>
      <div class="kinds" role="group" aria-label="Kinds shown; none pressed shows all">
        {KINDS.map((k) => {
          const n = kindCounts.value.get(k) ?? 0;
          return (
            <button type="button" key={k} class="chip" aria-pressed={kinds.value.includes(k)} onClick={() => toggleKind(k)} data-empty={n === 0}>
              {KIND_WORD[k]} <span class="n">{count(n)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

function Rows() {
  const box = useRef<HTMLDivElement>(null);
  const rows = visible.value;
  useEffect(() => watchSize(box.current), []);
  useEffect(() => reveal(box.current), [selected.value]);
  const first = Math.max(0, Math.floor(view.value.top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((view.value.top + view.value.height) / ROW) + SPARE);
  return (
    <div
      class="rows"
      ref={box}
      tabIndex={-1}
      onScroll={(e) => (view.value = { top: e.currentTarget.scrollTop, height: e.currentTarget.clientHeight })}
    >
      <div role="grid" aria-label="Situations, best score first" aria-rowcount={rows.length} class="sheet" style={{ height: `${rows.length * ROW}px` }}>
        {rows.slice(first, last).map((s, i) => (
          <Row key={s.id} s={s} index={first + i} />
        ))}
      </div>
      {rows.length === 0 && <Empty />}
    </div>
  );
}

function Empty() {
  const phase = connection.value.phase;
  if (ranked.value.length > 0) return <p class="empty">No situation passes the filter.</p>;
  if (phase === "live") return <p class="empty">No situation yet. Reports appear here as soon as they are admitted.</p>;
  return <p class="empty">{phase === "loading" ? "Loading the picture." : "There is no picture to show."}</p>;
}

function watchSize(box: HTMLDivElement | null): () => void {
  if (!box) return () => undefined;
  const o = new ResizeObserver(() => (view.value = { top: box.scrollTop, height: box.clientHeight }));
  o.observe(box);
  return () => o.disconnect();
}

/** Scrolls the selected row into the window, if the list holds it. */
function reveal(box: HTMLDivElement | null): void {
  const at = visible.value.findIndex((s) => s.id === selected.value);
  if (!box || at < 0) return;
  const [top, bottom] = [at * ROW, (at + 1) * ROW];
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}

function Row({ s, index }: { s: Situation; index: number }) {
  void basemap.value; // county names arrive with it
  const on = selected.value === s.id;
  return (
    <div
      role="row"
      class={`row sev-edge-${s.severity}${s.ended ? " ended" : ""}`}
      style={{ transform: `translateY(${index * ROW}px)` }}
      aria-rowindex={index + 1}
      aria-selected={on}
      tabIndex={on || (index === 0 && selected.value === "") ? 0 : -1}
      data-situation={s.id}
      onClick={() => select(s.id)}
      onFocus={() => select(s.id)}
    >
      <div class="line">
        <span role="gridcell">
          <SeverityTag severity={s.severity} />
        </span>
        <span role="gridcell" class="kind">
          {KIND_WORD[s.kind]}
        </span>
        {s.ended && (
          <span role="gridcell" class="kind">
            ended
          </span>
        )}
        <span class="spacer" />
        <span role="gridcell" class="conf">
          conf. {confidenceWord(s.confidence)} {Math.round(s.confidence / 10)}
        </span>
        <span role="gridcell" class="trend" title={TREND_WORD[s.trend] && `Trend: ${TREND_WORD[s.trend]}`}>
          {TREND_SIGN[s.trend]}
          <span class="hidden">{TREND_WORD[s.trend]}</span>
        </span>
        <span role="gridcell" class="reports">
          {plural(s.size, "report")}
        </span>
      </div>
      <div class="line">
        <span role="rowheader" class="headline" title={s.headline}>
          {s.headline || s.id}
        </span>
      </div>
      <div class="line faint">
        <span role="gridcell" class="where">
          {countyList(s.counties, 3) || "no county"}
        </span>
        <span role="gridcell" class="when">
          {zuluShort(s.last_event)} <span class="local">{local(s.last_event)}</span>
        </span>
      </div>
    </div>
  );
}
