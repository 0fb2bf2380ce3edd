// The time of the picture: now, or one that the analyst chose. Times are UTC,
// and of the picture's own clock: an exercise has another than the wall.

import { moment } from "./address";
import { asOf, connection, goBy, past } from "./state";
import { plural, zulu } from "./words";

const HOUR = 60;

export function TimeControl() {
  const set = (typed: string) => {
    const at = moment(typed === "" ? "" : (typed.length === 16 ? `${typed}:00` : typed) + "Z");
    if (at !== "") asOf.value = at;
  };
  return (
    <div class="time" role="group" aria-label="Time of the picture">
      <button type="button" onClick={() => goBy(-HOUR)} title="One hour back">
        −1 h
      </button>
      <label for="as-of">as of, UTC</label>
      <input id="as-of" type="datetime-local" step="1" value={asOf.value.slice(0, 19)} onChange={(e) => set(e.currentTarget.value)} data-as-of={asOf.value} />
      <button type="button" onClick={() => goBy(HOUR)} disabled={asOf.value === ""} title="One hour on">
        +1 h
      </button>
      {asOf.value !== "" && (
        <button type="button" onClick={() => (asOf.value = "")} data-back-to-live>
          Back to live
        </button>
      )}
    </div>
  );
}

/** Over the picture, for as long as it is of an earlier time. */
export function PastNotice() {
  if (asOf.value === "") return null;
  const p = past.value;
  const c = connection.value;
  return (
    <div class="stale" role="status" data-past={asOf.value}>
      <b>As of {zulu(asOf.value)}, not live.</b>{" "}
      {p && (p.origin === "frames" ? "As it was shown then." : "Correlated again from the reports stored by then.")}{" "}
      {p && p.removed > 0 && `Without ${plural(p.removed, "report")} purged or expired since. `}
      {!p && (c.reason !== "" ? `${c.reason}. ` : c.phase === "loading" ? "Asking for it. " : "")}
      <button type="button" class="link" onClick={() => (asOf.value = "")}>
        Back to live
      </button>
    </div>
  );
}
