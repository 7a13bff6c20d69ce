use std::pin::Pin;

use futures::future::poll_fn;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, SubstreamBox};
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, Transport};
use multistream_select::{dialer_select_proto, Version};

use crate::transport::transport;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes bytes as they are on a gossip stream of a connection of its own. Resolves when the other side has ended the
/// stream or the connection, or fails.
pub async fn write_raw(key: Keypair, address: Multiaddr, bytes: Vec<u8>) -> Result<(), Failure> {
    let (_, mut muxer) = transport(&key).dial(address)?.await?;
    let stream = open(&mut muxer).await?;
    let exchange = async move {
        let (_, mut stream) = dialer_select_proto(stream, ["/meshsub/1.1.0"], Version::V1).await?;
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await?;
        Ok::<(), Failure>(())
    };
    tokio::select! {
        outcome = exchange => outcome,
        outcome = drive(&mut muxer) => outcome,
    }
}

async fn open(muxer: &mut StreamMuxerBox) -> Result<SubstreamBox, Failure> {
    poll_fn(|context| {
        let _ = Pin::new(&mut *muxer).poll(context);
        Pin::new(&mut *muxer).poll_outbound(context)
    })
    .await
    .map_err(Failure::from)
}

/// Keeps the connection going; streams that the other side opens are refused.
async fn drive(muxer: &mut StreamMuxerBox) -> Result<(), Failure> {
    poll_fn(|context| {
        while let std::task::Poll::Ready(stream) = Pin::new(&mut *muxer).poll_inbound(context) {
            drop(stream?);
        }
        Pin::new(&mut *muxer).poll(context).map(|event| event.map(|_| ()))
    })
    .await
    .map_err(Failure::from)
}
