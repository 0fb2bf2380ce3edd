// Keys and signs. The keys can be switched off (WCAG 2.1.4).

import { useEffect, useRef } from "preact/hooks";
import { help, shortcuts } from "./state";
import { SEVERITIES } from "./model";
import { SeverityTag } from "./shape";

const KEYS: [string, string][] = [
  ["j, k", "next, previous situation"],
  ["Enter", "read the selected situation"],
  ["Escape", "close what is open"],
  ["/", "filter"],
  ["m", "show the selected situation on the map"],
  ["f", "feeds"],
  ["t", "the time of the picture"],
  ["?", "this page"],
];

export function Help() {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (help.value) box.current?.showModal();
    else box.current?.close();
  }, [help.value]);
  return (
    <dialog ref={box} onClose={() => (help.value = false)} aria-labelledby="help-title">
      <div class="line">
        <h2 id="help-title">Keys and signs</h2>
        <span class="spacer" />
        <button type="button" class="close" onClick={() => (help.value = false)} aria-label="Close the help">
          ✕
        </button>
      </div>
      <dl class="facts keys">
        {KEYS.map(([k, what]) => (
          <div key={k}>
            <dt>
              <kbd>{k}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={shortcuts.value} onChange={(e) => (shortcuts.value = e.currentTarget.checked)} /> single-key shortcuts are on
      </label>
      <h3>Severity</h3>
      <div class="legend-row">
        {SEVERITIES.map((s) => (
          <SeverityTag key={s} severity={s} />
        ))}
      </div>
      <h3>Confidence</h3>
      <p>
        Low is under 40 of 100, high is 70 and more. It counts independent originators, never copies, and says nothing about how likely an event is.
      </p>
      <h3>Bits</h3>
      <p>
        Evidence is weighed in bits: each bit doubles the odds that two reports speak of one thing, a negative one halves them. The weakest bridge is the link
        without which a situation falls in two.
      </p>
    </dialog>
  );
}
