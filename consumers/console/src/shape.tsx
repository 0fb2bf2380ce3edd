// The mark of a severity: a shape of its own, so that colour is never alone.

import type { Severity } from "./model";
import { SEVERITY_WORD } from "./words";

/** Outlines in a 16 by 16 box. */
export const OUTLINE: Record<Severity, string> = {
  extreme: "M8 0.5 15.5 8 8 15.5 0.5 8Z",
  severe: "M8 1 15.5 14.5 0.5 14.5Z",
  moderate: "M2 2H14V14H2Z",
  minor: "M8 1.5A6.5 6.5 0 1 1 8 14.5 6.5 6.5 0 1 1 8 1.5Z",
  unknown: "M8 1.5A6.5 6.5 0 1 1 8 14.5 6.5 6.5 0 1 1 8 1.5ZM8 4.5A3.5 3.5 0 1 0 8 11.5 3.5 3.5 0 1 0 8 4.5Z",
};

export function Shape({ severity }: { severity: Severity }) {
  return (
    <svg class={`shape sev-${severity}`} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path d={OUTLINE[severity]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

export function SeverityTag({ severity }: { severity: Severity }) {
  return (
    <span class={`severity sev-${severity}`}>
      <Shape severity={severity} />
      <span>{SEVERITY_WORD[severity]}</span>
    </span>
  );
}
