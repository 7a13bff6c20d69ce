//! A peer as the existing network runs it: rust-libp2p 0.51 over TCP, Noise and Yamux or mplex, gossipsub 0.44 with the
//! settings of its p2p-service, and neither identify nor ping. Commands come as lines of JSON on the standard input, what
//! happens goes as lines of JSON to the standard output; it ends with its input.

mod commands;
mod raw;
mod transport;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use futures::StreamExt;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, Message, MessageAuthenticity, MessageId, ValidationMode,
};
use libp2p::identity::Keypair;
use libp2p::swarm::{Swarm, SwarmBuilder};
use prometheus_client::registry::Registry;
use tokio::io::{AsyncBufReadExt, BufReader};

/// What the program is started with: a key file (PKCS #8, DER), topics with commas between, and options.
pub struct Settings {
    pub key: Keypair,
    pub topics: Vec<String>,
    /// It takes one peer that calls it into its mesh; what it passes on to others goes by IHAVE and IWANT alone.
    pub is_mesh_of_one: bool,
    pub idle_timeout: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(settings()));
}

fn settings() -> Settings {
    let mut args = std::env::args().skip(1);
    let mut der = std::fs::read(args.next().expect("a key file")).expect("a key file that can be read");
    let topics = args.next().expect("topics").split(',').map(String::from).collect();
    let mut settings = Settings {
        key: Keypair::rsa_from_pkcs8(&mut der).expect("an RSA key"),
        topics,
        is_mesh_of_one: false,
        idle_timeout: Duration::from_secs(120),
    };
    while let Some(option) = args.next() {
        match option.as_str() {
            "--mesh-of-one" => settings.is_mesh_of_one = true,
            "--idle-ms" => {
                let millis = args.next().and_then(|text| text.parse().ok()).expect("milliseconds");
                settings.idle_timeout = Duration::from_millis(millis);
            }
            other => panic!("unknown option {other}"),
        }
    }
    settings
}

async fn run(settings: Settings) {
    let mut registry = Registry::default();
    let mut swarm = swarm(&settings, &mut registry);
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line.unwrap() {
                Some(line) => commands::run(&line, &mut swarm, &registry, &settings.key),
                None => return,
            },
            event = swarm.select_next_some() => commands::tell(&swarm, event),
        }
    }
}

fn swarm(settings: &Settings, registry: &mut Registry) -> Swarm<Behaviour> {
    let mut config = ConfigBuilder::default();
    config
        .heartbeat_interval(Duration::from_secs(1))
        .validation_mode(ValidationMode::Strict)
        .message_id_fn(message_id)
        .max_transmit_size(262_144)
        .max_messages_per_rpc(Some(100))
        .duplicate_cache_time(Duration::from_secs(1_800))
        .idle_timeout(settings.idle_timeout);
    if settings.is_mesh_of_one {
        config.mesh_outbound_min(0).mesh_n_low(0).mesh_n(1).mesh_n_high(1);
    }
    let author = MessageAuthenticity::Signed(settings.key.clone());
    let config = config.build().expect("valid settings");
    let mut behaviour = Behaviour::new_with_metrics(author, config, registry, Default::default()).unwrap();
    for topic in &settings.topics {
        behaviour.subscribe(&IdentTopic::new(topic)).unwrap();
    }
    let peer_id = settings.key.public().to_peer_id();
    SwarmBuilder::with_tokio_executor(transport::transport(&settings.key), behaviour, peer_id).build()
}

/// The standard hasher over a byte vector: its length as eight bytes, then the bytes.
fn message_id(message: &Message) -> MessageId {
    let mut hasher = DefaultHasher::new();
    message.data.hash(&mut hasher);
    MessageId::from(hasher.finish().to_string())
}
