import { duplexPair } from "node:stream";
import { Channel, type ChannelOptions } from "../../../src/functions/transport/channel.ts";
import type { ChannelStream } from "../../../src/functions/transport/channel-stream.ts";
import type { TransportError } from "../../../src/functions/transport/errors.ts";

export interface End {
  readonly channel: Channel;
  /** Streams that the other side opened, as they come. */
  readonly opened: ChannelStream[];
  readonly closed: Promise<TransportError>;
}

/** Two ends of a channel that understand each other. */
export function channelPair(options: Partial<Pick<ChannelOptions, "onOpen" | "maxTheirStreams">> = {}): {
  readonly host: End;
  readonly guest: End;
} {
  const [one, other] = duplexPair();
  return { host: endOf("host", one, options), guest: endOf("guest", other, options) };
}

export function endOf(
  side: "host" | "guest",
  port: ReturnType<typeof duplexPair>[0],
  options: Partial<ChannelOptions> = {},
): End {
  const opened: ChannelStream[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<TransportError>();
  const channel = new Channel(port, {
    side,
    maxOwnStreams: 1_000,
    maxTheirStreams: 1_000,
    onOpen: (stream) => opened.push(stream),
    onControl: () => {},
    onClosed: resolve,
    ...options,
  });
  channel.sendPreamble();
  channel.establish();
  return { channel, opened, closed };
}
