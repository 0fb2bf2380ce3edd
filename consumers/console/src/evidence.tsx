// Why reports are linked: every link of the tree with its evidence in signed
// bits, and the one link without which the situation falls in two.

import type { Bridge, Link, Member, Situation } from "./model";
import { bits, count, plural } from "./words";

const MOST = 100;

export function Why({ s }: { s: Situation }) {
  if (s.links.length === 0) {
    return <p class="faint">A single report: nothing links it to another.</p>;
  }
  // The weakest bridge first: it is what an analyst has to doubt.
  const order = s.links.map((_, i) => i).sort((a, b) => weakness(s, b) - weakness(s, a) || (s.links[a]?.millibits ?? 0) - (s.links[b]?.millibits ?? 0));
  const widest = Math.max(...s.links.flatMap((l) => l.evidence.map((e) => Math.abs(e.millibits))), 1);
  return (
    <section aria-label="Links">
      <h3>
        Links <span class="n">{count(s.links.length)}</span>{" "}
        {s.link_count > s.links.length && <span class="faint">that hold it together, of {count(s.link_count)}</span>}
      </h3>
      {order.slice(0, MOST).map((i) => {
        const l = s.links[i];
        return l && <OneLink key={`${l.a}-${l.b}`} link={l} members={s.members} bridge={i === s.weakest_link ? bridgeText(s.bridge) : ""} widest={widest} />;
      })}
      {s.links.length > MOST && <p class="faint">and {plural(s.links.length - MOST, "stronger link")}</p>}
    </section>
  );
}

const weakness = (s: Situation, i: number): number => (i === s.weakest_link ? 1 : 0);

/** Says aloud what the weakest link holds together. */
export function bridgeText(b: Bridge | null): string {
  if (!b) return "Weakest bridge: without it the situation falls in two";
  const beside = b.links > 1 ? `, and ${plural(b.links - 1, "link")} beside it, none stronger` : "";
  return `Weakest bridge: without it${beside}, the situation falls into ${count(b.a_reports)} and ${plural(b.b_reports, "report")}`;
}

interface LinkProps {
  link: Link;
  members: Member[];
  /** What falls apart without it, if it is the weakest; else empty. */
  bridge: string;
  widest: number;
}

function OneLink({ link, members, bridge, widest }: LinkProps) {
  const weakest = bridge !== "";
  return (
    <div class={`evidence${weakest ? " weakest" : ""}`} data-weakest={weakest}>
      {weakest && <div class="bridge">{bridge}</div>}
      <div class="line ends">
        <End at={link.a} members={members} />
        <span class="faint" aria-label="is linked to">
          –
        </span>
        <End at={link.b} members={members} />
        <span class="spacer" />
        <b class="bits">{bits(link.millibits)} bits</b>
      </div>
      <table>
        <caption class="hidden">Evidence in signed bits</caption>
        <tbody>
          {link.evidence.map((e, i) => (
            <tr key={i}>
              <th scope="row">{e.kind}</th>
              <td class="value">{e.value}</td>
              <td class="meter" aria-hidden="true">
                <Meter share={e.millibits / widest} />
              </td>
              <td class={`bits ${e.millibits < 0 ? "against" : ""}`}>{bits(e.millibits)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function End({ at, members }: { at: number; members: Member[] }) {
  const m = members[at];
  if (!m) return <span>report {at + 1}</span>;
  return (
    <span class="end" title={`${m.agency} ${m.record} (${m.cell})`}>
      <span class="faint">{at + 1}</span> {m.agency} <span class="faint">{m.cell}</span>
    </span>
  );
}

/** A bar from the middle: right speaks for the link, left against it. */
function Meter({ share }: { share: number }) {
  const w = Math.max(0.5, Math.abs(share) * 20);
  return (
    <svg viewBox="0 0 40 6" width="40" height="6" class={share < 0 ? "against" : "for"}>
      <rect x={share < 0 ? 20 - w : 20} y="0.5" width={w} height="5" fill="currentColor" />
      <line x1="20" x2="20" y1="0" y2="6" stroke="currentColor" stroke-width="1" />
    </svg>
  );
}
