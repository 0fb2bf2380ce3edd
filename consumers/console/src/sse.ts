// The event-stream format of the HTML standard, as a function of text chunks.
// EventSource itself cannot send an Authorization header.

export interface Message {
  event: string;
  data: string;
  id: string;
}

/** Longest event kept; a longer one is an error, not a growing buffer. */
const LIMIT = 64 << 20;

export class Parser {
  private rest = "";
  private data: string[] = [];
  private size = 0;
  private event = "";
  private id = "";

  /** Takes the next chunk; gives the events it completes. */
  push(chunk: string): Message[] {
    const out: Message[] = [];
    let text = this.rest + chunk;
    // A carriage return at the end may be half of a line end.
    const held = text.endsWith("\r") ? "\r" : "";
    text = text.slice(0, text.length - held.length);
    const lines = text.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + held;
    for (const line of lines) {
      const done = this.line(line);
      if (done) out.push(done);
    }
    if (this.rest.length + this.size > LIMIT) throw new Error("an event of the stream is too long");
    return out;
  }

  private line(line: string): Message | null {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") {
      this.data.push(value);
      this.size += value.length;
    } else if (field === "event") {
      this.event = value;
    } else if (field === "id" && !value.includes("\0")) {
      this.id = value;
    }
    return null;
  }

  // The standard drops an event without data. We keep a named one: `reset`
  // says all it has to say with its name.
  private dispatch(): Message | null {
    const { data, event } = this;
    this.data = [];
    this.size = 0;
    this.event = "";
    if (data.length === 0 && event === "") return null;
    return { event: event || "message", data: data.join("\n"), id: this.id };
  }
}
