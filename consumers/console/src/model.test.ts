import assert from "node:assert/strict";
import { test } from "node:test";
import * as address from "./address";
import { cell, situation, snapshot } from "./model";
import { boundsOf, extent, MISSISSIPPI, points } from "./marks";
import { bits, byScore, confidenceWord, local, span, zulu, zuluShort } from "./words";

test("an absent field is its zero value, a strange one does no harm", () => {
  for (const raw of [{}, null, "text", { members: 3, links: [null], hull: {}, score: "x", severity: 7, center: [] }]) {
    const s = situation(raw);
    assert.equal(s.severity, "unknown");
    assert.equal(s.kind, "unspecified");
    assert.equal(s.score, 0);
    assert.deepEqual(s.members, []);
  }
});

test("enumerations lose their prefix, 64-bit integers their quotes", () => {
  const s = situation({ kind: "KIND_SAR", severity: "SEVERITY_EXTREME", trend: "TREND_RISING", weakest_link: 0, members: [{ revision: "9007199254740993" }] });
  assert.equal(s.kind, "sar");
  assert.equal(s.severity, "extreme");
  assert.equal(s.trend, "rising");
  assert.equal(s.weakest_link, 0);
  assert.equal(s.members[0]?.revision, "9007199254740993");
});

test("a mass situation counts what it does not list", () => {
  const s = situation({ size: 4000, members: [{}], parts: [{ id: "a", size: 12, severity: "SEVERITY_SEVERE", parting_millibits: 30000 }], part_count: 9, alone: 7, parting_millibits: 32000 });
  assert.equal(s.size, 4000);
  assert.deepEqual([s.parts[0]?.size, s.parts[0]?.severity, s.parts[0]?.parting], [12, "severe", 30000]);
  assert.deepEqual([s.part_count, s.alone, s.parting], [9, 7, 32000]);
  // A worker that does not count yet lists them all.
  assert.equal(situation({ members: [{}, {}] }).size, 2);
  assert.equal(situation({}).bridge, null);
  assert.deepEqual(situation({ bridge: { a_reports: 3, b_reports: 1, links: 2 } }).bridge, { a_reports: 3, b_reports: 1, links: 2 });
});

test("a cell without a marking is refused", () => {
  assert.throws(() => cell({ cell: "le", marking: { banner: "" } }), /without a marking/);
  assert.throws(() => cell({ cell: "le" }), /without a marking/);
  const got = cell({ cell: "le", marking: { banner: "CUI//LE" }, statuses: ["test", "actual", "other"] });
  assert.deepEqual(got.statuses, ["actual", "test"]);
});

test("an address is read back as it was written", () => {
  const a: address.Address = { status: "exercise", selected: "00ff", text: "hinds, fbi & co", kinds: ["sar", "cyber"], panel: "feeds", asOf: "2025-09-03T14:30:00Z" };
  assert.deepEqual(address.read(address.write(a)), a);
  assert.deepEqual(address.read(address.write(address.EMPTY)), address.EMPTY);
});

test("a time in an address is one of UTC, to the second, or none", () => {
  assert.equal(address.moment("2025-09-03T14:30Z"), "2025-09-03T14:30:00Z");
  assert.equal(address.moment("2025-09-03T14:30:05.123Z"), "2025-09-03T14:30:05Z");
  for (const bad of ["", "yesterday", "2025-09-03", "2025-09-03T14:30:00", "2025-13-03T14:30:00Z", "2025-09-03T14:30:00+02:00", "<script>"]) {
    assert.equal(address.moment(bad), "", bad);
  }
  assert.equal(address.read("?as_of=2025-13-03T14:30:00Z").asOf, "");
});

test("a picture of an earlier time says so", () => {
  const then = snapshot({ as_of: { time: "2025-09-03T14:30:00Z", origin: "frames", removed_since: "3" } });
  assert.deepEqual(then.as_of, { time: "2025-09-03T14:30:00Z", origin: "frames", removed: 3 });
  assert.equal(snapshot({}).as_of, null);
  // What it does not know is the weaker of the two.
  assert.equal(snapshot({ as_of: { origin: "other" } }).as_of?.origin, "replay");
});

test("an address out of bounds is an empty one", () => {
  const got = address.read("?status=secret&situation=%3Cscript%3E&kind=sar,none&panel=x");
  assert.deepEqual(got, { ...address.EMPTY, kinds: ["sar"] });
});

test("the token is read from the fragment and never written", () => {
  assert.equal(address.tokenOf("#token=abc.def-1"), "abc.def-1");
  assert.equal(address.tokenOf("#other"), "");
  assert.ok(!address.write({ ...address.EMPTY, text: "x" }).includes("token"));
});

test("the list is ordered by score, then newest, then id", () => {
  const s = (id: string, score: number, last_event: string) => situation({ id, score, last_event });
  const all = [s("0", 1, "2026-01-03"), s("b", 5, "2026-01-01"), s("a", 5, "2026-01-01"), s("c", 5, "2026-01-02")];
  assert.deepEqual(all.sort(byScore).map((x) => x.id), ["c", "a", "b", "0"]);
});

test("times, spans, bits and confidence in words", () => {
  assert.equal(zulu("2026-11-21T04:05:06.789Z"), "2026-11-21 04:05:06Z");
  assert.equal(zuluShort("2026-11-21T04:05:06Z"), "21 Nov 04:05Z");
  assert.equal(zulu(""), "–");
  assert.equal(local("not a time"), "");
  assert.deepEqual([4_000, 600_000, 3 * 3_600_000, 50 * 3_600_000].map(span), ["4 s", "10 min", "3 h", "2 d"]);
  assert.deepEqual([26_449, -3_000, 0].map(bits), ["+26.4", "−3.0", "+0.0"]);
  assert.deepEqual([399, 400, 700].map(confidenceWord), ["low", "moderate", "high"]);
});

test("a situation without a place is no mark, one on the equator is", () => {
  const marks = points([situation({ id: "1" }), situation({ id: "2", center: {} }), situation({ id: "3", center: { latitude: 32, longitude: -90 } })]);
  assert.deepEqual(marks.features.map((f) => [f.properties.id, f.geometry.coordinates]), [
    ["2", [0, 0]],
    ["3", [-90, 32]],
  ]);
});

test("a situation is brought into view whole: its outline, its point, or its first county", () => {
  const at = (latitude: number, longitude: number) => ({ latitude, longitude });
  assert.deepEqual(extent(situation({ center: at(32, -90), hull: [at(31, -91), at(33, -90), at(32, -89)] })), [-91, 31, -89, 33]);
  assert.deepEqual(extent(situation({ center: at(32, -90) })), [-90, 32, -90, 32]);
  assert.equal(extent(situation({ counties: ["99999"] })), null);
});

test("the view is Mississippi until something lies outside it", () => {
  const s = (latitude: number, longitude: number) => situation({ center: { latitude, longitude } });
  assert.deepEqual(boundsOf([]), MISSISSIPPI);
  assert.deepEqual(boundsOf([s(32, -90)]), MISSISSIPPI);
  assert.deepEqual(boundsOf([s(32, -90), s(40, -75)]), [-90, 32, -75, 40]);
  // One stray of a hundred does not shrink the rest.
  const many = Array.from({ length: 99 }, () => s(32, -90));
  assert.deepEqual(boundsOf([...many, s(40, -75)]), MISSISSIPPI);
  // An extreme one is in view wherever it is.
  const storm = situation({ center: { latitude: 24.8, longitude: -86.3 }, severity: "SEVERITY_EXTREME" });
  assert.deepEqual(boundsOf([...many, storm]), [-90, 24.8, -86.3, 32]);
});
