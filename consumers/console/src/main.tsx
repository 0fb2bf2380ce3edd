// The analyst's page. It opens with a reader's token, asks the cell what it
// is, and shows nothing before it knows the marking.

import { batch, effect, signal, untracked } from "@preact/signals";
import { render } from "preact";
import * as address from "./address";
import { spoken } from "./announce";
import { Banner, Bar, Foot, StaleNotice, Strip } from "./chrome";
import { PastNotice } from "./time";
import { Client, Problem } from "./client";
import { Detail, useExplanation } from "./detail";
import { Door } from "./door";
import { Feeds } from "./feeds";
import { follow, seekContent, watchHealth } from "./follow";
import { look } from "./past";
import { Help } from "./help";
import { listenToKeys } from "./keys";
import { List } from "./list";
import { MapPane } from "./map";
import { loadPlaces } from "./places";
import { asOf, cell, choose, go, help, here, now, panel, refusal, selected, shortcuts, status, theme, token } from "./state";

const KEPT = "watchfloor.token";
const client = signal<Client | null>(null);

/** The token comes once in the fragment and stays with this tab alone. */
function takeToken(): void {
  const given = address.tokenOf(location.hash);
  if (given !== "") sessionStorage.setItem(KEPT, given);
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  if (given !== "" || token.value === "") token.value = given || (sessionStorage.getItem(KEPT) ?? "");
}

// Before the effects below: one of them writes the address without fragment.
takeToken();

/** Asks the cell what it is, until it says or refuses. */
async function enter(c: Client, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const answer = await c.cell(signal);
      batch(() => {
        refusal.value = "";
        cell.value = answer;
        client.value = c;
        const first = answer.statuses[0];
        if (first && !answer.statuses.includes(status.value)) choose(first);
      });
      return;
    } catch (e) {
      if (signal.aborted) return;
      const why = e instanceof Error ? e.message : String(e);
      const denied = e instanceof Problem && e.denied;
      refusal.value = denied ? `The cell refused this token. ${why}` : `The cell does not answer: ${why}. Trying again.`;
      if (denied) return void sessionStorage.removeItem(KEPT);
      await new Promise((done) => setTimeout(done, Math.min(10_000, 1000 * 2 ** attempt)));
    }
  }
}

effect(() => {
  const given = token.value;
  batch(() => {
    cell.value = null;
    client.value = null;
    refusal.value = "";
  });
  if (given === "") return sessionStorage.removeItem(KEPT);
  sessionStorage.setItem(KEPT, given);
  const abort = new AbortController();
  const c = new Client(given);
  untracked(() => void enter(c, abort.signal));
  return () => abort.abort();
});

effect(() => {
  const c = client.value;
  if (!c) return;
  const abort = new AbortController();
  const of = status.value;
  const at = asOf.value;
  untracked(() => void (at === "" ? follow(c, of, abort.signal) : look(c, of, at, abort.signal)));
  return () => abort.abort();
});

effect(() => {
  const c = client.value;
  if (!c) return;
  const abort = new AbortController();
  untracked(() => void watchHealth(c, abort.signal));
  untracked(() => void seekContent(c, cell.value?.statuses ?? [], abort.signal));
  return () => abort.abort();
});

/** Opening a situation is a step of the history; going on to the next is not. */
let lastSelected = selected.peek();
effect(() => {
  const to = location.pathname + address.write(here.value);
  if (to === location.pathname + location.search) return;
  if ((selected.value === "") !== (lastSelected === "")) history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  lastSelected = selected.value;
});

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem("watchfloor.theme", theme.value);
});
effect(() => localStorage.setItem("watchfloor.shortcuts", shortcuts.value ? "on" : "off"));
effect(() => {
  document.title = cell.value ? `Watchfloor ${cell.value.cell} ${status.value}` : "Watchfloor";
});

function Picture({ of }: { of: Client }) {
  useExplanation(of);
  const side = panel.value === "feeds" ? <Feeds /> : selected.value !== "" ? <Detail /> : null;
  return (
    <main class={`picture${side ? " with-side" : ""}`}>
      <List />
      <div class="middle">
        <PastNotice />
        <StaleNotice />
        <MapPane />
      </div>
      {side}
    </main>
  );
}

function App() {
  const c = client.value;
  return (
    <>
      <Banner at="top" />
      <Strip />
      <Bar />
      {c && cell.value ? <Picture of={c} /> : <Door />}
      <Foot />
      <Banner at="bottom" />
      {help.value && <Help />}
      <div class="hidden" aria-live="polite" data-spoken>
        {spoken.value}
      </div>
    </>
  );
}

addEventListener("hashchange", takeToken);
addEventListener("popstate", () => {
  go(address.read(location.search));
  lastSelected = selected.value;
});
setInterval(() => (now.value = Date.now()), 1000);
listenToKeys();
void loadPlaces();
const root = document.getElementById("app");
if (root) render(<App />, root);
