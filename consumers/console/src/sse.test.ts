import assert from "node:assert/strict";
import { test } from "node:test";
import { Parser, type Message } from "./sse";

const TEXT = [
  ": hello\n\n",
  "event: frame\r\nid: e-7\r\ndata: {\"a\":1}\r\n\r\n",
  "event: reset\n\n",
  ": ping\n\n",
  "data: one\ndata: two\r\n\r\n",
  "data:no space\rid:8\r\r",
  "retry: 10\nunknown\n\n",
].join("");

const WANT: Message[] = [
  { event: "frame", id: "e-7", data: '{"a":1}' },
  { event: "reset", id: "e-7", data: "" },
  { event: "message", id: "e-7", data: "one\ntwo" },
  { event: "message", id: "8", data: "no space" },
];

test("the stream is read the same however it is cut", () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const p = new Parser();
    const got: Message[] = [];
    for (let i = 0; i < TEXT.length; i += size) got.push(...p.push(TEXT.slice(i, i + size)));
    got.push(...p.push("\n"));
    assert.deepEqual(got, WANT, `cut every ${size}`);
  }
});

test("a line that never ends is an error, not a buffer without end", () => {
  const p = new Parser();
  const piece = "x".repeat(8 << 20);
  assert.throws(() => {
    for (let i = 0; i < 20; i++) p.push(piece);
  }, /too long/);
});
