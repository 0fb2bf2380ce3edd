import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, snapshot } from "./model";
import { isSilent, Picture, Trail } from "./picture";

const situation = (id: string, score = 1) => ({ id, score, headline: `situation ${id}` });

const loaded = () => {
  const p = new Picture();
  p.load(snapshot({ epoch: "e", revision: "10", digest: "aa", situations: [situation("1"), situation("2")] }));
  return p;
};

const next = (revision: number, more: object) => frame({ epoch: "e", revision: String(revision), situations: 2, ...more });

test("a frame that follows is applied", () => {
  const p = loaded();
  const f = next(11, { digest: "bb", situations: 2, changes: [{ upsert: situation("3", 9) }, { removed: "1" }] });
  assert.equal(p.apply(f), "applied");
  assert.deepEqual([...p.situations.keys()], ["2", "3"]);
  assert.equal(p.head?.revision, 11);
  assert.equal(p.head?.digest, "bb");
});

test("a frame seen before changes nothing", () => {
  const p = loaded();
  assert.equal(p.apply(next(10, { changes: [{ removed: "1" }] })), "old");
  assert.equal(p.situations.size, 2);
});

test("a frame that does not follow is a gap and changes nothing", () => {
  for (const f of [next(12, { changes: [{ removed: "1" }] }), next(11, { epoch: "other", changes: [{ removed: "1" }] })]) {
    const p = loaded();
    assert.equal(p.apply(f), "gap");
    assert.equal(p.situations.size, 2);
    assert.equal(p.head?.revision, 10);
  }
});

test("a picture of another size than the frame says is a gap", () => {
  assert.equal(loaded().apply(next(11, { situations: 5, changes: [] })), "gap");
});

test("nothing is applied before a snapshot", () => {
  assert.equal(new Picture().apply(next(1, {})), "gap");
});

test("a feed heard keeps what the snapshot knew of it", () => {
  const p = new Picture();
  const feed = { cell: "le", agency: "fbi", reports: "1", silent: true, expect_every_seconds: 600 };
  p.load(snapshot({ epoch: "e", revision: "10", situations: [], feeds: [feed] }));
  p.apply(frame({ epoch: "e", revision: "11", situations: 0, feeds: [{ cell: "le", agency: "fbi", reports: "2" }] }));
  const got = p.feeds.get("le/fbi");
  assert.equal(got?.reports, 2);
  assert.equal(got?.silent, false);
  assert.equal(got?.expect_every_seconds, 600);
});

test("a merged situation is followed to where it went, one that came back is where it is", () => {
  const t = new Trail();
  const merged = (a: string, b: string) => ({ type: "merged", situation_id: a, other_id: b });
  t.note([merged("1", "2"), merged("2", "3"), { type: "split", situation_id: "9", other_id: "1" }]);
  assert.equal(t.end("1"), "3");
  assert.equal(t.end("3"), null);
  assert.equal(t.end("9"), null);
  t.note([merged("3", "1")]);
  assert.equal(t.end("1"), null);
  assert.equal(t.end("2"), "1");
});

test("a feed falls silent by the clock, one never heard is as the server says", () => {
  const feed = { cell: "le", agency: "fbi", reports: 1, silent: false, expect_every_seconds: 60, last_received: "2026-11-21T04:00:00Z" };
  const at = Date.parse(feed.last_received);
  assert.equal(isSilent(feed, at + 60_000), false);
  assert.equal(isSilent(feed, at + 60_001), true);
  assert.equal(isSilent({ ...feed, expect_every_seconds: 0 }, at + 1e12), false);
  assert.equal(isSilent({ ...feed, last_received: "", silent: true }, at), true);
});
