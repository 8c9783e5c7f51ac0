//! Which addresses are dialled, and who shares a connection.

use super::*;

/// A socket that nobody may connect to.
struct Forbidden(TcpListener);

impl Forbidden {
    fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    #[track_caller]
    fn assert_untouched(&self) {
        let touched = self.0.accept();
        assert_eq!(touched.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn a_redirect_out_of_the_public_internet_is_not_dialled() {
    let forbidden = Forbidden::listen("127.0.0.2:0");
    let port = forbidden.port();
    let mut settings = settings();
    settings.resolve = BTreeMap::from([
        ("inside.example.org".to_owned(), "127.0.0.2".parse().unwrap()),
        ("metadata.example.org".to_owned(), "169.254.169.254".parse().unwrap()),
    ]);
    for location in [
        format!("http://127.0.0.2:{port}/"),
        format!("http://2130706434:{port}/"),
        format!("http://0x7f.2:{port}/"),
        format!("http://[::ffff:127.0.0.2]:{port}/"),
        format!("http://inside.example.org:{port}/"),
        format!("http://INSIDE.example.org.:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://metadata.example.org/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "https://10.0.0.1/".to_owned(),
    ] {
        let publisher = Publisher::saying(redirect("302 Found", &location));
        let failure = failure(fetch_with(&settings, &publisher.url("/feed")).await);
        assert_eq!(failure.class, FailureClass::AddressBlocked, "{location}: {}", failure.detail);
        forbidden.assert_untouched();
    }
}

#[tokio::test]
async fn by_default_loopback_is_not_dialled_by_any_name() {
    let forbidden = Forbidden::listen("127.0.0.1:0");
    let port = forbidden.port();
    let settings = FetchSettings {
        private_networks: PrivateNetworks::Refused,
        resolve: BTreeMap::from([("feed.example.org".to_owned(), "127.0.0.1".parse().unwrap())]),
        ..settings()
    };
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "localhost",
        "feed.example.org",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
    ] {
        let url = Url::parse(&format!("http://{host}:{port}/feed")).unwrap();
        let failure = failure(fetch_with(&settings, &url).await);
        assert_eq!(failure.class, FailureClass::AddressBlocked, "{host}: {}", failure.detail);
        assert!(failure.detail.contains("allow_private_networks"), "{}", failure.detail);
        forbidden.assert_untouched();
    }
}

fn range(text: &str) -> PrivateNetworks {
    PrivateNetworks::Ranges(vec![text.parse().unwrap()])
}

#[tokio::test]
async fn what_a_feed_itself_may_dial_holds_wherever_it_is_led() {
    let inside = Publisher::saying(answer("200 OK", &[], FEED.as_bytes()));
    let outside = Publisher::saying(redirect("302 Found", inside.url("/").as_str()));
    let url = outside.url("/feed");
    let closed = FetchSettings { private_networks: PrivateNetworks::Refused, ..settings() };
    let check = async |settings: &FetchSettings, own: Option<PrivateNetworks>, is_read: bool| {
        match fetcher(settings).fetch_plainly(&url, own.as_ref(), &BTreeMap::new()).await {
            Answer::Body(_) => assert!(is_read, "{own:?} let it through"),
            Answer::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::AddressBlocked, "{}", failure.detail);
                assert!(!is_read, "{own:?}: {}", failure.detail);
            }
            Answer::NotModified(answer) => panic!("{answer:?}"),
        }
    };
    check(&closed, None, false).await;
    check(&closed, Some(range("127.0.0.1/32")), true).await;
    check(&closed, Some(PrivateNetworks::Allowed), true).await;
    check(&settings(), Some(range("10.0.0.0/8")), false).await;
    check(&settings(), Some(PrivateNetworks::Refused), false).await;
    check(&settings(), None, true).await;
}

/// What the feed may dial is for its own host and its redirects, and not for an address that stands in its document.
#[tokio::test]
async fn what_a_document_says_of_where_it_lives_leads_no_feed_inside() {
    let inside = Publisher::saying(answer("200 OK", &[], FEED.as_bytes()));
    let closed = FetchSettings { private_networks: PrivateNetworks::Refused, ..settings() };
    let private_networks = Some(range("127.0.0.1/32"));
    let url = Url::parse("https://feed.example.org/rss").unwrap();
    let feed = Feed { private_networks, ..cw_model::samples::feed("a", url) };
    for (by, is_read) in [(MovedBy::Redirect, true), (MovedBy::Document, false)] {
        let moved = Some(Moved { to: inside.url("/"), network: Network::Public, by });
        let conditions = Conditions { moved, ..Conditions::default() };
        match fetcher(&closed).fetch(&feed, &conditions).await {
            Answer::Body(_) => assert!(is_read, "{by:?}"),
            Answer::Failed(failure) => {
                assert_eq!(failure.class, FailureClass::AddressBlocked, "{}", failure.detail);
                assert!(!is_read, "{by:?}");
            }
            Answer::NotModified(answer) => panic!("{answer:?}"),
        }
    }
}

#[test]
fn no_public_host_leads_a_feed_inside() {
    let shared = range("10.0.0.0/8");
    let own = range("192.168.0.0/16");
    let inside = Some("10.0.0.1".parse().unwrap());
    let public = Some("93.184.215.14".parse().unwrap());
    let after = |own: Option<&PrivateNetworks>, peers: &[Option<IpAddr>]| {
        let (proxy, home) = (&FeedProxy::AsConfigured, &Url::parse("https://a.example/").unwrap());
        let way = Way { own, proxy, request: None, home };
        let mut reach = Reach::begin(way, &shared, None);
        peers.iter().for_each(|peer| reach.narrow(*peer));
        reach.allowed().clone()
    };
    assert_eq!(after(None, &[]), shared, "the feed's own host");
    assert_eq!(after(None, &[inside, inside]), shared, "an inside host leads to another");
    assert_eq!(after(None, &[public]), PrivateNetworks::Refused);
    assert_eq!(after(None, &[inside, public]), PrivateNetworks::Refused);
    assert_eq!(after(None, &[public, inside]), PrivateNetworks::Refused);
    assert_eq!(after(None, &[None]), PrivateNetworks::Refused, "nobody knows who answered");
    assert_eq!(after(Some(&own), &[public, inside]), own);
}

#[tokio::test]
async fn a_connection_that_one_feed_may_have_serves_no_other() {
    let publisher = Publisher::start(|_, _| keep(answer("200 OK", &[], FEED.as_bytes())));
    let resolve = BTreeMap::from([("inside.example".to_owned(), "127.0.0.1".parse().unwrap())]);
    let settings =
        FetchSettings { private_networks: PrivateNetworks::Refused, resolve, ..settings() };
    let fetcher = fetcher(&settings);
    let url = Url::parse(&format!("http://inside.example:{}/", publisher.port)).unwrap();
    let may = range("127.0.0.1/32");
    for _ in 0..3 {
        body(fetcher.fetch_plainly(&url, Some(&may), &BTreeMap::new()).await);
        for own in [None, Some(&range("10.0.0.0/8"))] {
            let failure = failure(fetcher.fetch_plainly(&url, own, &BTreeMap::new()).await);
            assert_eq!(failure.class, FailureClass::AddressBlocked, "{own:?}: {}", failure.detail);
        }
    }
    assert_eq!(publisher.requests().len(), 3);
}

#[tokio::test]
async fn an_idle_connection_makes_room_for_another() {
    let keeping = || Publisher::start(|_, _| keep(answer("200 OK", &[], FEED.as_bytes())));
    let publishers: Vec<Publisher> = (0..5).map(|_| keeping()).collect();
    let fetcher = Fetcher::new(&settings(), Connections::at_most(2), clock()).unwrap();
    for publisher in publishers.iter().chain(&publishers) {
        body(fetcher.fetch_plainly(&publisher.url("/"), None, &BTreeMap::new()).await);
    }
}

#[tokio::test]
async fn no_place_left_is_this_machines_trouble() {
    let holding = Publisher::start(|_, _| Reply::never());
    let other = Publisher::saying(answer("200 OK", &[], FEED.as_bytes()));
    let hasty = FetchSettings { connect_timeout: Duration::from_millis(100), ..settings() };
    let fetcher = Fetcher::new(&hasty, Connections::at_most(1), clock()).unwrap();
    let (held, free) = (holding.url("/"), other.url("/"));
    let (nothing, more) = (BTreeMap::new(), BTreeMap::new());
    let held = fetcher.fetch_plainly(&held, None, &nothing);
    let refused = async {
        while holding.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        failure(fetcher.fetch_plainly(&free, None, &more).await)
    };
    tokio::select! {
        biased;
        answer = held => panic!("{answer:?}"),
        failure = refused => assert_eq!(failure.class, FailureClass::Local, "{}", failure.detail),
    }
}

#[tokio::test]
async fn a_given_name_is_resolved_here() {
    let publisher = Publisher::saying(answer("200 OK", &[], FEED.as_bytes()));
    let resolve = BTreeMap::from([("Feed.Example.org".to_owned(), "127.0.0.1".parse().unwrap())]);
    let settings = FetchSettings { resolve, ..settings() };
    let url = Url::parse(&format!("http://feed.example.org:{}/", publisher.port)).unwrap();
    body(fetch_with(&settings, &url).await);
    let host = header(&publisher.requests()[0], "host").unwrap();
    assert_eq!(host, format!("feed.example.org:{}", publisher.port));
}

// --- connections

#[tokio::test]
async fn nobody_listening_is_no_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = Url::parse(&format!("http://127.0.0.1:{port}/feed")).unwrap();
    let failure = failure(fetch(&url).await);
    assert_eq!(failure.class, FailureClass::Connect, "{}", failure.detail);
    assert_eq!(failure.detail, format!("127.0.0.1 port {port}: connection refused"));
}

#[tokio::test]
async fn a_name_without_an_address_is_told_apart() {
    // A label of 64 letters is no host name, which the resolver knows without asking anybody.
    let url = Url::parse(&format!("http://{}.invalid/feed", "x".repeat(64))).unwrap();
    let failure = failure(fetch(&url).await);
    assert_eq!(failure.class, FailureClass::Dns, "{}", failure.detail);
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (i, mut stream) in listener.incoming().flatten().enumerate() {
            assert!(stream.read(&mut [0; 2048]).unwrap() > 0);
            if i == 0 {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            }
        }
    });
    let url = Url::parse(&format!("https://127.0.0.1:{port}/feed")).unwrap();
    let client = HttpClient::build(&settings(), Connections::at_most(100)).unwrap();
    let fetcher = Fetcher::with_client(client, &settings(), clock());
    let plain = failure(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
    assert_eq!(plain.class, FailureClass::Tls, "{}", plain.detail);
    assert_eq!(plain.detail, "what 127.0.0.1 sent is not TLS; is its URL http?");
    let closed = failure(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
    assert_eq!(closed.class, FailureClass::Tls, "{}", closed.detail);
}

#[tokio::test]
async fn without_certificate_authorities_http_works_and_https_says_what_to_install() {
    let client = HttpClient::build_with(&settings(), Connections::at_most(100), None).unwrap();
    let fetcher = Fetcher::with_client(client, &settings(), clock());
    let publisher = Publisher::saying(answer("200 OK", &[], FEED.as_bytes()));
    body(fetcher.fetch_plainly(&publisher.url("/feed"), None, &BTreeMap::new()).await);
    let url = Url::parse("https://example.org/feed").unwrap();
    let failure = failure(fetcher.fetch_plainly(&url, None, &BTreeMap::new()).await);
    assert_eq!(failure.class, FailureClass::Tls);
    assert!(failure.detail.contains("ca-certificates"), "{}", failure.detail);
}
