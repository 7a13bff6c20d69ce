import assert from "node:assert/strict";

export interface ServerEvent {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

export interface EventSource extends AsyncDisposable {
  readonly response: Response;
  /** The next event; comments are passed over. null: the stream has ended. */
  next(): Promise<ServerEvent | null>;
}

/** A client of server-sent events. */
export async function openEvents(url: string): Promise<EventSource> {
  const closing = new AbortController();
  const response = await fetch(url, { signal: closing.signal });
  assert.equal(response.status, 200, `${response.status} of ${url}`);
  const reader = (response.body ?? assert.fail("no body")).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const next = async (): Promise<ServerEvent | null> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end >= 0) {
        const event = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end));
        text = text.slice(end + 2);
        if (event !== null) return { name: event[1] ?? "", data: JSON.parse(event[2] ?? "") };
        continue;
      }
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
  };
  return {
    response,
    next,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await reader.cancel().catch(() => undefined);
    },
  };
}
