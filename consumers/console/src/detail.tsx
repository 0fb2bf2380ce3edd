// One situation: what it is, why its reports are one thing, and from whom.

import { signal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Problem, type Client } from "./client";
import { Why } from "./evidence";
import type { Situation } from "./model";
import { basemap, countyList } from "./places";
import { connection, past, select, selected, shown, situation, status, trail, picture } from "./state";
import { SeverityTag } from "./shape";
import { bits, confidenceWord, count, KIND_WORD, local, metres, plural, TREND_SIGN, TREND_WORD, zulu } from "./words";

interface Told {
  id: string;
  revision: string;
  lines: string[];
  error: string;
}

const told = signal<Told | null>(null);

/** The time of the picture that is shown, which is not yet the one just chosen. */
const timeOf = (): string => past.peek()?.time ?? "";

/** A situation's own version: it changes whenever its members do. */
const versionOf = (s: Situation): string => `${timeOf()}|${s.members.map((m) => m.revision).join()}|${s.links.length}|${s.score}`;

/**
 * Keeps the explanation of the selected situation as fresh as the list: one
 * question at a time, so that a situation that changes all the time is still
 * explained.
 */
export function useExplanation(client: Client): void {
  const busy = useRef(false);
  useSignalEffect(() => {
    const s = situation.value;
    if (s && !busy.current) void keepTold(client, busy);
  });
}

async function keepTold(client: Client, busy: { current: boolean }): Promise<void> {
  busy.current = true;
  try {
    for (let s = situation.peek(); s; s = situation.peek()) {
      const revision = versionOf(s);
      const at = timeOf();
      const known = told.peek();
      if (known?.id === s.id && known.revision === revision) return;
      if (known?.id === s.id) await new Promise((done) => setTimeout(done, 1000));
      if (timeOf() !== at || situation.peek()?.id !== s.id) continue; // another picture meanwhile
      told.value = await ask(client, s.id, revision, at);
    }
  } finally {
    busy.current = false;
  }
}

async function ask(client: Client, id: string, revision: string, at: string): Promise<Told> {
  try {
    const e = await client.situation(id, status.peek(), AbortSignal.timeout(15_000), at);
    return { id, revision, lines: e.explanation, error: "" };
  } catch (e) {
    const error = e instanceof Problem ? e.message : "the server does not answer";
    return { id, revision, lines: [], error };
  }
}

export function Detail() {
  const s = situation.value;
  return (
    <aside class="side" aria-label="Situation" id="detail" tabIndex={-1}>
      {s ? <Open s={s} /> : <Gone />}
    </aside>
  );
}

function Close() {
  return (
    <button type="button" class="close" onClick={() => select("")} aria-label="Close the situation">
      ✕
    </button>
  );
}

/** The selected id is not in the picture: merged, withdrawn, expired or never. */
function Gone() {
  void shown.value;
  const end = trail.end(selected.value);
  const into = end ? picture.situations.get(end) : undefined;
  return (
    <div class="side-head">
      <div class="line">
        <h2>{connection.value.phase === "loading" ? "Loading" : "No longer in the picture"}</h2>
        <span class="spacer" />
        <Close />
      </div>
      <p>
        {into ? "It became part of another situation: " : "Its reports were withdrawn or have expired, it was joined to another situation, or this status never held it."}
        {into && (
          <button type="button" class="link" onClick={() => select(into.id)}>
            {into.headline || into.id}
          </button>
        )}
      </p>
      <p class="faint">
        <code>{selected.value}</code>
      </p>
    </div>
  );
}

function Open({ s }: { s: Situation }) {
  return (
    <>
      <div class="side-head">
        <div class="line">
          <SeverityTag severity={s.severity} />
          <span class="kind">{KIND_WORD[s.kind]}</span>
          {s.ended && <span class="kind">ended</span>}
          <span class="spacer" />
          <Close />
        </div>
        <h2>{s.headline || s.id}</h2>
      </div>
      <div class="side-body" tabIndex={0}>
        <Facts s={s} />
        <Explanation s={s} />
        <Parts s={s} />
        <Why s={s} />
        <Members s={s} />
        <Mentions s={s} />
        <Ignored s={s} />
        <p class="faint id">
          id <code>{s.id}</code>
        </p>
      </div>
    </>
  );
}

function Facts({ s }: { s: Situation }) {
  void basemap.value;
  return (
    <dl class="facts">
      <dt>Last event</dt>
      <dd>
        {zulu(s.last_event)} <span class="faint">{local(s.last_event)}</span>
      </dd>
      <dt>First event</dt>
      <dd>
        {zulu(s.first_event)} <span class="faint">{local(s.first_event)}</span>
      </dd>
      <dt>Where</dt>
      <dd>
        {countyList(s.counties, 24) || "no county given"}
        {s.center && (
          <div class="faint">
            {s.center.latitude.toFixed(4)}, {s.center.longitude.toFixed(4)}
            {s.uncertainty_m > 0 && ` ±${metres(s.uncertainty_m)}`}
            {s.hull.length > 0 && s.area_m2 >= 10_000 && `, within ${(s.area_m2 / 1e6).toFixed(s.area_m2 < 1e8 ? 2 : 0)} km²`}
          </div>
        )}
      </dd>
      <dt>Confidence</dt>
      <dd>
        {confidenceWord(s.confidence)} ({Math.round(s.confidence / 10)} of 100) from{" "}
        {plural(s.originators, "independent originator")}
      </dd>
      <dt>Trend, score</dt>
      <dd>
        {TREND_SIGN[s.trend]} {TREND_WORD[s.trend] || "not known"}, {count(s.score)}
      </dd>
    </dl>
  );
}

function Explanation({ s }: { s: Situation }) {
  const t = told.value?.id === s.id ? told.value : null;
  return (
    <section aria-label="Explanation" class="explanation" aria-busy={t === null}>
      <h3>Why this is one situation</h3>
      {t === null && <p class="faint">Asking for the explanation.</p>}
      {t?.error && <p class="error">No explanation: {t.error}.</p>}
      {t && t.lines.length > 0 && <Lines lines={t.lines} />}
    </section>
  );
}

const AT_ONCE = 6; // lines of an explanation at first

/** A line that only names a report, which the table of reports does too. */
const NAMES_A_REPORT = /^Report \d+: /;

function Lines({ lines }: { lines: string[] }) {
  const list = (part: string[]) => (
    <ol>
      {part.map((l, i) => (
        <li key={i}>{l}</li>
      ))}
    </ol>
  );
  const first = lines.filter((l) => !NAMES_A_REPORT.test(l)).slice(0, AT_ONCE);
  return (
    <>
      {list(first)}
      {first.length < lines.length && (
        <details>
          <summary>The whole explanation, {plural(lines.length, "line")}</summary>
          {list(lines)}
        </details>
      )}
    </>
  );
}

/** The sub-situations of a mass situation, the gravest first. */
function Parts({ s }: { s: Situation }) {
  if (s.parting === 0) return null;
  return (
    <section aria-label="Parts" tabIndex={0}>
      <h3>
        Parts <span class="n">{count(s.part_count)}</span>
      </h3>
      <p class="faint">
        A mass situation: with the threshold raised to at most {bits(s.parting)} bits it falls into these parts and{" "}
        {plural(s.alone, "single report")}.
      </p>
      <table class="members">
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col" class="num">
              Reports
            </th>
            <th scope="col">What and where</th>
            <th scope="col" class="num">
              Held by
            </th>
          </tr>
        </thead>
        <tbody>
          {s.parts.map((p) => (
            <tr key={p.id}>
              <td>
                <SeverityTag severity={p.severity} />
              </td>
              <td class="num">{count(p.size)}</td>
              <td title={p.id}>{p.headline}</td>
              <td class="num">{bits(p.parting)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {s.part_count > s.parts.length && <p class="faint">and {plural(s.part_count - s.parts.length, "more part")}, less grave</p>}
    </section>
  );
}

const MOST = 200; // rows of one table; a hurricane has thousands of members

function Members({ s }: { s: Situation }) {
  const rows = s.members.slice(0, MOST);
  return (
    <section aria-label="Reports" tabIndex={0}>
      <h3>
        Reports <span class="n">{count(s.size)}</span>
      </h3>
      <table class="members">
        <thead>
          <tr>
            <th scope="col" class="num">
              No.
            </th>
            <th scope="col">Agency</th>
            <th scope="col">Record</th>
            <th scope="col">Cell</th>
            <th scope="col">Kind</th>
            <th scope="col">Event</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((m, i) => (
            <tr key={`${m.cell}/${m.agency}/${m.report_id}`} class={m.superseded ? "superseded" : ""}>
              <td class="num faint">{i + 1}</td>
              <td>{m.agency}</td>
              <td class="record" title={m.record}>
                {m.record || m.report_id}
                {m.superseded && <span class="tag">superseded</span>}
              </td>
              <td>{m.cell}</td>
              <td>{KIND_WORD[m.kind]}</td>
              <td class="when" title={`${zulu(m.event_time)} ${local(m.event_time)}`}>
                {zulu(m.event_time).slice(5, 16)}Z
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {s.size > rows.length && <p class="faint">and {plural(s.size - rows.length, "more report")}</p>}
    </section>
  );
}

function Mentions({ s }: { s: Situation }) {
  if (s.mentions.length === 0) return null;
  return (
    <section aria-label="Mentions">
      <h3>Spoken of by several</h3>
      <ul class="mentions">
        {s.mentions.map((m) => (
          <li key={`${m.kind}/${m.value}`}>
            <span class="tag">{m.kind}</span> <code>{m.value}</code> <span class="faint">in {plural(m.members, "report")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Ignored({ s }: { s: Situation }) {
  if (s.ignored.length === 0) return null;
  return (
    <section aria-label="Given no weight">
      <h3>Shared, and given no weight</h3>
      <ul class="mentions">
        {s.ignored.map((m) => (
          <li key={`${m.kind}/${m.value}`}>
            <span class="tag">{m.reason}</span> {m.kind} <code>{m.value}</code>{" "}
            <span class="faint">in {plural(m.members, "report")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
