// Who was heard and who was not: a silent feed is shown, never left out.

import { feeds, head, panel, silent } from "./state";
import { count, local, plural, span, zulu } from "./words";

export function Feeds() {
  return (
    <aside class="side" aria-label="Feeds" id="feeds" tabIndex={-1}>
      <div class="side-head">
        <div class="line">
          <h2>Feeds</h2>
          <span class="spacer" />
          <button type="button" class="close" onClick={() => (panel.value = "")} aria-label="Close the feeds">
            ✕
          </button>
        </div>
        <p class="faint">
          {plural(feeds.value.length, "feed")}, {silent.value === 0 ? "none silent" : `${count(silent.value)} silent`}. A feed is silent when its agency was
          not heard for longer than the policy expects.
        </p>
      </div>
      <div class="side-body" tabIndex={0}>
        <table class="members feeds">
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Agency</th>
              <th scope="col">Cell</th>
              <th scope="col" class="num">
                Reports
              </th>
              <th scope="col">Last heard</th>
              <th scope="col">Expected</th>
            </tr>
          </thead>
          <tbody>
            {feeds.value.map((f) => (
              <tr key={`${f.cell}/${f.agency}`} class={f.silent ? "silent" : ""} data-silent={f.silent}>
                <td>{f.silent ? <b class="warn-text">▼ silent</b> : <span class="ok-text">● heard</span>}</td>
                <td>{f.agency}</td>
                <td>{f.cell}</td>
                <td class="num">{count(f.reports)}</td>
                <td class="when" title={`${zulu(f.last_received)} ${local(f.last_received)}`}>
                  {f.last_received ? zulu(f.last_received).slice(5) : "never"}
                </td>
                <td class="when">{f.expect_every_seconds > 0 ? `every ${span(f.expect_every_seconds * 1000)}` : "any time"}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {feeds.value.length === 0 && <p class="faint">No feed is known in this status{head.value ? "" : ": there is no picture yet"}.</p>}
      </div>
    </aside>
  );
}
