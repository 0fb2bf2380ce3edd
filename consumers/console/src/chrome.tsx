// The frame of the page: marking, exercise strip, bar and foot.

import { TimeControl } from "./time";
import { asOf, panel, cell, choose, connection, feeds, head, help, leave, now, ranked, silent, status, theme } from "./state";
import { STATUSES, type Status } from "./model";
import { count, plural, span, zulu } from "./words";

/** Marking text and nothing else; empty until the cell said what it is. */
export function Banner({ at }: { at: "top" | "bottom" }) {
  const m = cell.value?.marking;
  return (
    <div class={`banner ${at}`} style={m ? { backgroundColor: m.color, color: m.text_color } : {}} data-banner={at}>
      {m?.banner ?? ""}
    </div>
  );
}

const STRIP: Record<Status, string> = {
  actual: "",
  exercise: "EXERCISE EXERCISE EXERCISE",
  test: "TEST TEST TEST",
};

const STRIP_NOTE: Record<Status, string> = {
  actual: "",
  exercise: "nothing on this page is real",
  test: "technical test traffic: nothing on this page is real",
};

export function Strip() {
  if (!cell.value || status.value === "actual") return null;
  return (
    <div class={`strip ${status.value}`} role="note">
      <b>{STRIP[status.value]}</b> <span>{STRIP_NOTE[status.value]}</span>
    </div>
  );
}

function StatusSwitch() {
  const open = cell.value?.statuses ?? [];
  return (
    <div class="segments" role="group" aria-label="Status of the traffic shown">
      {STATUSES.filter((s) => open.includes(s)).map((s) => (
        <button type="button" key={s} aria-pressed={status.value === s} onClick={() => choose(s)} data-status={s}>
          {s}
        </button>
      ))}
    </div>
  );
}

/** How old the newest byte may be before the page says so: one ping and a bit. */
const STALE_MS = 20_000;

interface Health {
  look: "live" | "late" | "off";
  word: string;
  note: string;
}

function health(): Health {
  const c = connection.value;
  const age = c.heard === 0 ? "" : `last heard ${span(now.value - c.heard)} ago`;
  switch (c.phase) {
    case "live":
      if (now.value - c.heard > STALE_MS) return { look: "late", word: "Late", note: age };
      if (c.degraded) return { look: "late", word: "Late", note: "the server says that its picture is not up to date" };
      return { look: "live", word: "Live", note: `heard ${span(now.value - c.heard)} ago` };
    case "waiting":
      return { look: "off", word: "Not live", note: [c.reason, age, `try ${c.attempt + 1} follows`].filter(Boolean).join(" · ") };
    case "past":
      return { look: "off", word: "Not live", note: c.reason || `as of ${zulu(asOf.value)}` };
    case "denied":
      return { look: "off", word: "Refused", note: c.reason };
    default:
      return { look: "late", word: "Loading", note: c.reason };
  }
}

const SIGN: Record<Health["look"], string> = { live: "●", late: "◐", off: "✕" };

function ConnectionState() {
  const h = health();
  return (
    <div class={`connection ${h.look}`} data-connection={connection.value.phase} title={h.note}>
      <span aria-hidden="true">{SIGN[h.look]}</span> <b role="status">{h.word}</b> <span class="note">{h.note}</span>
    </div>
  );
}

export function Bar() {
  const c = cell.value;
  return (
    <header class="bar">
      <h1>
        Watchfloor
        {c && (
          <span class="cell" title="The cell this page shows">
            {c.cell}
          </span>
        )}
      </h1>
      {c && <StatusSwitch />}
      {c && <ConnectionState />}
      {c && <TimeControl />}
      <div class="spacer" />
      {c && (
        <button type="button" class={silent.value > 0 ? "warn" : ""} aria-expanded={panel.value === "feeds"} onClick={() => (panel.value = panel.value === "feeds" ? "" : "feeds")} data-feeds>
          Feeds {count(feeds.value.length)}
          {silent.value > 0 && <span class="silent-count"> ▼ {count(silent.value)} silent</span>}
        </button>
      )}
      <button type="button" onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")} data-theme-toggle>
        {theme.value === "dark" ? "Light" : "Dark"}
      </button>
      <button type="button" onClick={() => (help.value = true)} aria-label="Help and keyboard shortcuts">
        ?
      </button>
    </header>
  );
}

/** Shown over the picture whenever it may no longer be what is. */
export function StaleNotice() {
  const h = health();
  if (h.look !== "off" || !head.value || asOf.value !== "") return null;
  return (
    <div class="stale" role="alert">
      <b>This picture is not live.</b> It is as of {zulu(head.value.tick)}: {connection.value.reason}.{" "}
      {connection.value.phase === "denied" && (
        <button type="button" class="link" onClick={leave}>
          Enter another token
        </button>
      )}
    </div>
  );
}

export function Foot() {
  const h = head.value;
  const reader = cell.value?.reader;
  return (
    <footer class="foot">
      {h ? (
        <>
          <span>
            revision <b data-revision>{count(h.revision)}</b>
          </span>
          <span>
            tick <b>{zulu(h.tick)}</b>
          </span>
          <span class="digest" title={`Digest of the picture: ${h.digest}`}>
            digest <code data-digest={h.digest}>{h.digest.slice(0, 16)}</code>
          </span>
          <span>
            {plural(ranked.value.length, "situation")} from {plural(h.reports, "report")}
          </span>
          {h.set_aside > 0 && <span class="warn-text">▼ {plural(h.set_aside, "report")} set aside: could not be read or correlated</span>}
        </>
      ) : (
        <span>no picture yet</span>
      )}
      <span class="spacer" />
      {reader && (
        <span title={reader.expires ? `The token ends ${zulu(reader.expires)}` : ""}>
          read as <b>{reader.name}</b>
          {reader.purpose && ` for ${reader.purpose}`}
        </span>
      )}
      <a href="/licenses.txt" target="_blank" rel="noreferrer">
        Licences
      </a>
    </footer>
  );
}
