use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::{SelectUpgrade, Version};
use libp2p::identity::Keypair;
use libp2p::{noise, tcp, yamux, PeerId, Transport};
use libp2p_mplex::MplexConfig;

/// TCP without delay, Noise, and Yamux before mplex.
pub fn transport(key: &Keypair) -> Boxed<(PeerId, StreamMuxerBox)> {
    let mut mplex = MplexConfig::new();
    mplex.set_max_num_streams(128).set_max_buffer_size(32).set_split_send_size(8 * 1024);
    tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1)
        .authenticate(noise::Config::new(key).unwrap())
        .multiplex(SelectUpgrade::new(yamux::Config::default(), mplex))
        .boxed()
}
