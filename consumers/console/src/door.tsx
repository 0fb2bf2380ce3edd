// What stands in the place of the picture while there is none to show: the
// question for a token, or the reason why the cell does not answer.

import { signal } from "@preact/signals";
import { refusal, token } from "./state";

const typed = signal("");

export function Door() {
  const enter = () => {
    if (typed.value.trim() !== "") token.value = typed.value.trim();
    typed.value = "";
  };
  return (
    <main class="door">
      <h2>{token.value === "" || refusal.value ? "A reader's token opens this page" : "Asking the cell"}</h2>
      {refusal.value && (
        <p class="error" role="alert">
          {refusal.value}
        </p>
      )}
      <p>
        <code>watchfloor creds token --page</code> prints an address that holds one. It is kept for this tab alone and is not part of
        any address you copy from here.
      </p>
      <div class="line">
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={typed.value}
          onInput={(e) => (typed.value = e.currentTarget.value)}
          onKeyDown={(e) => e.key === "Enter" && enter()}
        />
        <button type="button" onClick={enter}>
          Open
        </button>
      </div>
    </main>
  );
}
