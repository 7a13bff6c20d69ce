use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use libp2p::gossipsub::{Behaviour, Event, IdentTopic, TopicHash};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{json, Value};

use crate::raw::write_raw;

/// `dial` an address, whether or not its peer is connected; `publish` bytes on a topic; say the `state`; write `raw`
/// bytes on a gossip stream.
pub fn run(line: &str, swarm: &mut Swarm<Behaviour>, registry: &Registry, key: &Keypair) {
    let command: Value = serde_json::from_str(line).expect("a command");
    match text(&command, "do") {
        "dial" => dial(text(&command, "address").parse().unwrap(), swarm),
        "publish" => publish(text(&command, "topic"), bytes(&command), swarm),
        "state" => state(text(&command, "topic"), swarm, registry),
        "raw" => {
            let (key, address) = (key.clone(), text(&command, "address").parse().unwrap());
            let bytes = bytes(&command);
            tokio::spawn(async move {
                let outcome = write_raw(key, address, bytes).await;
                let problem = outcome.err().map(|error| error.to_string());
                print(json!({ "event": "raw", "problem": problem }));
            });
        }
        other => panic!("unknown command {other}"),
    }
}

/// What happens in the swarm that a test may want to know.
pub fn tell<E: std::error::Error>(swarm: &Swarm<Behaviour>, event: SwarmEvent<Event, E>) {
    match event {
        SwarmEvent::NewListenAddr { address, .. } => {
            print(json!({ "event": "listening", "address": format!("{address}/p2p/{}", swarm.local_peer_id()) }))
        }
        SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
            print(json!({ "event": "connected", "peer": peer_id.to_string(), "count": num_established.get() }))
        }
        SwarmEvent::ConnectionClosed { peer_id, num_established, cause, .. } => {
            print(json!({ "event": "disconnected", "peer": peer_id.to_string(), "count": num_established,
                "problem": cause.map(|cause| cause.to_string()) }))
        }
        SwarmEvent::Behaviour(Event::Subscribed { peer_id, topic }) => {
            print(json!({ "event": "subscribed", "peer": peer_id.to_string(), "topic": topic.as_str() }))
        }
        SwarmEvent::Behaviour(Event::Message { propagation_source, message_id, message }) => print(json!({
            "event": "message",
            "topic": message.topic.as_str(),
            "data": STANDARD.encode(&message.data),
            "author": message.source.map(|peer| peer.to_string()),
            "via": propagation_source.to_string(),
            "id": String::from_utf8_lossy(&message_id.0),
        })),
        _ => {}
    }
}

fn dial(mut address: Multiaddr, swarm: &mut Swarm<Behaviour>) {
    let peer_id = match address.pop() {
        Some(Protocol::P2p(hash)) => PeerId::from_multihash(hash).expect("the name of a peer"),
        _ => panic!("an address without a peer"),
    };
    let options = DialOpts::peer_id(peer_id).condition(PeerCondition::Always).addresses(vec![address]);
    if let Err(error) = swarm.dial(options.build()) {
        print(json!({ "event": "dial failed", "problem": error.to_string() }));
    }
}

fn publish(topic: &str, data: Vec<u8>, swarm: &mut Swarm<Behaviour>) {
    print(match swarm.behaviour_mut().publish(IdentTopic::new(topic), data) {
        Ok(id) => json!({ "event": "published", "id": String::from_utf8_lossy(&id.0) }),
        Err(error) => json!({ "event": "published", "problem": error.to_string() }),
    });
}

fn state(topic: &str, swarm: &Swarm<Behaviour>, registry: &Registry) {
    let mesh: Vec<String> =
        swarm.behaviour().mesh_peers(&TopicHash::from_raw(topic)).map(PeerId::to_string).collect();
    let mut metrics = String::new();
    encode(&mut metrics, registry).unwrap();
    let connections = swarm.network_info().connection_counters().num_established();
    print(json!({ "event": "state", "mesh": mesh, "connections": connections, "metrics": metrics }));
}

fn text<'a>(command: &'a Value, key: &str) -> &'a str {
    command[key].as_str().unwrap_or_else(|| panic!("no {key} in the command"))
}

fn bytes(command: &Value) -> Vec<u8> {
    STANDARD.decode(text(command, "data")).expect("base64")
}

fn print(event: Value) {
    println!("{event}");
}
