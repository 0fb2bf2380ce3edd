// The keyboard: single keys, off with one switch, never while typing.

import { help, panel, select, selected, shortcuts, step } from "./state";
import { showOnMap } from "./map";

const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();

const ACTIONS: Record<string, () => void> = {
  j: () => step(1),
  k: () => step(-1),
  Enter: () => focus("#detail"),
  "/": () => focus("#filter"),
  m: showOnMap,
  t: () => focus("#as-of"),
  f: () => (panel.value = panel.value === "feeds" ? "" : "feeds"),
  "?": () => (help.value = true),
};

function escape(): void {
  const at = document.activeElement;
  if (at instanceof HTMLInputElement) at.blur();
  else if (panel.value !== "") panel.value = "";
  else if (selected.value !== "") select("");
}

function pressed(e: KeyboardEvent): void {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || help.value) return;
  if (e.key === "Escape") return escape();
  const at = e.target instanceof Element ? e.target : null;
  if (at?.closest("input, textarea, select")) return;
  const row = at?.closest('[role="row"]');
  if (row && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
    e.preventDefault();
    return walk(e.key === "ArrowDown" ? 1 : -1);
  }
  // Enter and Space belong to a button that has the focus.
  if (e.key === "Enter" && !row && at?.closest("button, a, summary")) return;
  if (!shortcuts.value && e.key !== "Enter") return;
  const act = ACTIONS[e.key];
  if (!act) return;
  e.preventDefault();
  act();
}

/** Moves the selection and the focus with it. */
function walk(by: number): void {
  step(by);
  requestAnimationFrame(() => focus(`[data-situation="${selected.value}"]`));
}

export function listenToKeys(): void {
  addEventListener("keydown", pressed);
}
