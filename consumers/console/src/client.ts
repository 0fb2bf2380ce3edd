// The API of one cell, asked with the reader's token.

import * as model from "./model";
import type { Cell, Explained, Snapshot, Status } from "./model";
import { Parser, type Message } from "./sse";

/** An answer that is not the one asked for: RFC 9457 problem, or plain HTTP. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    title: string,
    readonly detail: string,
    /** Seconds after which to ask again; 0: not said. */
    readonly retry = 0,
  ) {
    super(detail === "" ? title : `${title}: ${detail}`);
  }

  /** The token does not open this: asking again will not help. */
  get denied(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

async function problem(r: Response): Promise<Problem> {
  const body: unknown = await r.json().catch(() => null);
  const p = (body ?? {}) as { title?: unknown; detail?: unknown };
  const title = typeof p.title === "string" ? p.title : `HTTP ${r.status}`;
  return new Problem(r.status, title, typeof p.detail === "string" ? p.detail : "", Number(r.headers.get("Retry-After") ?? 0) || 0);
}

const PAGE = 1000;

/** The server's clock less this machine's, in milliseconds, to the second. */
let skew = 0;

export const serverNow = (at: number): number => at + skew;

export class Client {
  constructor(private readonly token: string) {}

  private async ask(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    const r = await fetch(path, {
      headers: { ...headers, Authorization: `Bearer ${this.token}` },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal,
    });
    const date = Date.parse(r.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) skew = Math.abs(date - Date.now()) < 2000 ? 0 : date - Date.now();
    if (!r.ok) throw await problem(r);
    return r;
  }

  async cell(signal: AbortSignal): Promise<Cell> {
    return model.cell(await (await this.ask("/v1/cell", signal)).json());
  }

  /** Whether the server itself takes its pictures for live; needs no token. */
  async healthy(signal: AbortSignal): Promise<boolean> {
    const r = await fetch("/healthz", { cache: "no-store", credentials: "omit", signal });
    return r.ok;
  }

  /** One page. An empty token is the first page of the newest revision, or of the picture at a time. */
  async page(status: Status, token: string, size: number, signal: AbortSignal, asOf = ""): Promise<Snapshot> {
    const q = new URLSearchParams({ status, page_size: String(size) });
    if (token !== "") q.set("page_token", token);
    if (asOf !== "") q.set("as_of", asOf);
    return model.snapshot(await (await this.ask(`/v1/snapshot?${q}`, signal)).json());
  }

  /** The whole picture of one revision; starts over when that one is gone. */
  async snapshot(status: Status, signal: AbortSignal, asOf = ""): Promise<Snapshot> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.allPages(status, signal, asOf);
      } catch (e) {
        if (!(e instanceof Problem && e.status === 410) || attempt === 5) throw e;
      }
    }
  }

  private async allPages(status: Status, signal: AbortSignal, asOf: string): Promise<Snapshot> {
    const whole = await this.page(status, "", PAGE, signal, asOf);
    while (whole.next !== "") {
      const next = await this.page(status, whole.next, PAGE, signal, asOf);
      if (next.revision !== whole.revision || next.epoch !== whole.epoch) {
        throw new Problem(410, "the pages are of two revisions", "");
      }
      whole.situations.push(...next.situations);
      whole.next = next.next;
    }
    return whole;
  }

  async situation(id: string, status: Status, signal: AbortSignal, asOf = ""): Promise<Explained> {
    const q = new URLSearchParams({ status });
    if (asOf !== "") q.set("as_of", asOf);
    return model.explained(await (await this.ask(`/v1/situations/${encodeURIComponent(id)}?${q}`, signal)).json());
  }

  /** Live events after `after`; `heard` is called for every byte, pings too. */
  async *events(status: Status, after: string, heard: () => void, signal: AbortSignal): AsyncGenerator<Message> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (after !== "") headers["Last-Event-ID"] = after;
    const r = await this.ask(`/v1/events?${new URLSearchParams({ status })}`, signal, headers);
    if (r.body === null) throw new Problem(r.status, "the event stream has no body", "");
    heard();
    const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        heard();
        yield* parser.push(value);
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }
}
