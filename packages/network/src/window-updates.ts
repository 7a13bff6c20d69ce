import { yamux } from "@chainsafe/libp2p-yamux";
import { StreamState } from "@chainsafe/libp2p-yamux/stream";

type YamuxFactory = ReturnType<typeof yamux>;

/** Parts of `@chainsafe/libp2p-yamux` that it keeps to itself; the tests of gossip and of contents watch over them. */
interface MuxerInternals {
  _newStream(...args: readonly unknown[]): StreamInternals;
}

interface StreamInternals {
  readonly state: StreamState;
  /** Bytes that the peer may send at most, and those that it may still send now. */
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

/**
 * Yamux that gives a peer room again once it has used half of what it had, as other implementations do, and not with
 * a frame for each frame that comes. Source: hashicorp/yamux `stream.go`, sendWindowUpdate.
 */
export function yamuxWithFewUpdates(options: Parameters<typeof yamux>[0] = {}): YamuxFactory {
  const create = yamux(options);
  return () => {
    const factory = create();
    const createMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = createMuxer(connection);
      updateSeldom(muxer as unknown as MuxerInternals);
      return muxer;
    };
    return factory;
  };
}

function updateSeldom(muxer: MuxerInternals): void {
  const newStream = muxer._newStream.bind(muxer);
  muxer._newStream = (...args) => {
    const stream = newStream(...args);
    const send = stream.sendWindowUpdate.bind(stream);
    stream.sendWindowUpdate = () => {
      const isHalfUsed = stream.recvWindowCapacity <= stream.recvWindow / 2;
      // Other states say something by it: that the stream is opened, accepted, or goes on after a pause.
      if (isHalfUsed || stream.state !== StreamState.Established) send();
    };
    return stream;
  };
}
