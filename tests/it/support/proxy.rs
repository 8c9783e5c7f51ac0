//! A small proxy: HTTP with CONNECT and whole URLs, and SOCKS 5. Whatever host it is asked for, it leads to one
//! publisher, so that tests can use names that nobody else knows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::ring;

/// What it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// "CONNECT", "GET" or "SOCKS".
    pub(crate) how: String,
    /// Host and port, or the whole URL.
    pub(crate) target: String,
    /// `Proxy-Authorization`, or "user:password" of SOCKS.
    pub(crate) login: Option<String>,
}

/// The proxy. Ends with the test process: it holds nothing but its port.
pub(crate) struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    /// Listens on a free port and leads everything to `publisher` (`http://127.0.0.1:1234`).
    pub(crate) fn leading_to(publisher: &str) -> Self {
        let publisher: SocketAddr = publisher.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || {
                    // A client that leaves is no trouble of a proxy.
                    drop(serve(stream, publisher, &noted));
                });
            }
        });
        Self { address, asked }
    }

    /// Host and port.
    pub(crate) fn place(&self) -> String {
        self.address.to_string()
    }

    /// Everything it was asked for so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn note(asked: &Mutex<Vec<Asked>>, how: &str, target: &str, login: Option<String>) {
    let (how, target) = (how.to_owned(), target.to_owned());
    asked.lock().unwrap().push(Asked { how, target, login });
    ring();
}

fn serve(
    stream: TcpStream,
    publisher: SocketAddr,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    match first {
        [5] => serve_socks(stream, publisher, asked),
        _ => serve_http(stream, publisher, asked),
    }
}

fn serve_http(
    mut stream: TcpStream,
    publisher: SocketAddr,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ');
    let (how, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let header = |name: &str| {
        let lines = head.iter().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.to_owned())
    };
    note(asked, how, target, header("proxy-authorization"));
    let mut onward = TcpStream::connect(publisher)?;
    if how == "CONNECT" {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        // One request a connection: the path alone, as a publisher is asked.
        let path = target.splitn(4, '/').nth(3).unwrap_or_default();
        let mut request = format!("{how} /{path} HTTP/1.1\r\nConnection: close\r\n");
        for line in head.iter().skip(1) {
            if !line.to_ascii_lowercase().starts_with("proxy-") {
                request.push_str(&format!("{line}\r\n"));
            }
        }
        onward.write_all(format!("{request}\r\n").as_bytes())?;
    }
    pass_on(stream, onward)
}

fn serve_socks(
    mut stream: TcpStream,
    publisher: SocketAddr,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let read = |length: usize| -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        (&stream).read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let count = usize::from(read(2)?[1]);
    let wants_login = read(count)?.contains(&2);
    (&stream).write_all(&[5, if wants_login { 2 } else { 0 }])?;
    let mut login = None;
    if wants_login {
        let user = usize::from(read(2)?[1]);
        let user = String::from_utf8(read(user)?).unwrap();
        let password = usize::from(read(1)?[0]);
        login = Some(format!("{user}:{}", String::from_utf8(read(password)?).unwrap()));
        (&stream).write_all(&[1, 0])?;
    }
    let host = match read(4)?[3] {
        1 => read(4)?.iter().map(ToString::to_string).collect::<Vec<_>>().join("."),
        3 => {
            let length = usize::from(read(1)?[0]);
            String::from_utf8(read(length)?).unwrap()
        }
        _ => return Err(std::io::Error::other("no such kind of address")),
    };
    let port = read(2)?;
    let target = format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]));
    note(asked, "SOCKS", &target, login);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    pass_on(stream, TcpStream::connect(publisher)?)
}

/// Passes on what either side says, until both have ended.
fn pass_on(client: TcpStream, onward: TcpStream) -> std::io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, onward.try_clone()?);
    let there = std::thread::spawn(move || {
        drop(std::io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    });
    let (mut from, mut to) = (onward, client);
    drop(std::io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Both));
    drop(there.join());
    Ok(())
}
