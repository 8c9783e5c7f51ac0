//! A Kafka broker that only pretends: it answers what a client asks first, with what a test wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Speaks as much of Kafka as a client asks before it asks for anything of use.
pub(crate) struct LyingBroker {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The keys of the requests that came.
    pub(crate) asked: Arc<Mutex<Vec<i16>>>,
}

impl LyingBroker {
    /// Which brokers and topics there are.
    pub(crate) const METADATA: i16 = 3;
    const API_VERSIONS: i16 = 18;
    /// Whether metrics are wanted.
    pub(crate) const TELEMETRY: i16 = 71;

    /// Listens on a free port.
    pub(crate) fn start() -> Self {
        Self::naming("127.0.0.1")
    }

    /// The same, and says that the one broker there is has this name.
    pub(crate) fn naming(host: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                std::thread::spawn(move || Self::converse(stream, host, &log));
            }
        });
        Self { address, asked }
    }

    /// Answers until the client leaves. Source: the protocol guide of Apache Kafka.
    fn converse(mut stream: TcpStream, host: &str, log: &Mutex<Vec<i16>>) -> Option<()> {
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length).ok()?;
            let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
            stream.read_exact(&mut request).ok()?;
            let key = i16::from_be_bytes([request[0], request[1]]);
            log.lock().unwrap().push(key);
            let mut answer = request[4..8].to_vec();
            match key {
                Self::API_VERSIONS => answer.extend(Self::api_versions(request[3])),
                Self::METADATA => {
                    answer.extend(Self::metadata(host, stream.local_addr().ok()?.port()));
                }
                Self::TELEMETRY => answer.extend(Self::subscriptions()),
                _ => continue,
            }
            let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[length.as_slice(), &answer].concat()).ok()?;
        }
    }

    fn api_versions(version: u8) -> Vec<u8> {
        let apis = [(Self::METADATA, 1), (Self::API_VERSIONS, 3), (Self::TELEMETRY, 0), (72, 0)];
        let is_compact = version >= 3;
        let mut answer = vec![0, 0];
        if is_compact {
            answer.push(u8::try_from(apis.len() + 1).unwrap());
        } else {
            answer.extend(u32::try_from(apis.len()).unwrap().to_be_bytes());
        }
        for (key, newest) in apis {
            answer.extend([key, 0, newest].map(i16::to_be_bytes).concat());
            answer.extend(is_compact.then_some(0));
        }
        answer.extend([0; 4]);
        answer.extend(is_compact.then_some(0));
        answer
    }

    /// One broker, which is the controller, and no topics.
    fn metadata(host: &str, port: u16) -> Vec<u8> {
        let mut answer = [1, 1].map(u32::to_be_bytes).concat();
        answer.extend(u16::try_from(host.len()).unwrap().to_be_bytes());
        answer.extend(host.as_bytes());
        answer.extend(u32::from(port).to_be_bytes());
        answer.extend((-1_i16).to_be_bytes());
        answer.extend([1, 0_u32].map(u32::to_be_bytes).concat());
        answer
    }

    /// No tags, no throttling, no error, an instance, a subscription, and a list that is null.
    fn subscriptions() -> Vec<u8> {
        let mut answer = vec![0; 1 + 4 + 2];
        answer.extend([7; 16]);
        answer.extend(1_u32.to_be_bytes());
        answer.push(0);
        answer.extend([0; 32]);
        answer
    }
}
