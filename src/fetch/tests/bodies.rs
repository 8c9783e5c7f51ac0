//! How large, how slow and how broken an answer may be.

use super::*;

// --- the transfer

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let settings = FetchSettings { body_limit: 1000, ..settings() };
    let publisher = Publisher::saying(answer("200 OK", &[], &[b'x'; 1000]));
    assert_eq!(body(fetch_with(&settings, &publisher.url("/")).await).bytes.len(), 1000);
    let declared = answer("200 OK", &[], &[b'x'; 1001]);
    check_failure(&settings, declared, FailureClass::TooLarge).await;
    let undeclared = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 1001]].concat();
    check_failure(&settings, undeclared, FailureClass::TooLarge).await;
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    check_failure(&settings, chunked.into_bytes(), FailureClass::TooLarge).await;
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_not_waited_for() {
    let publisher =
        Publisher::start(|_, _| drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"));
    let failure = failure(fetch(&publisher.url("/feed")).await);
    assert_eq!(failure.class, FailureClass::TooLarge, "{}", failure.detail);
}

#[tokio::test]
async fn a_body_that_ends_early_is_cut() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n<rss>half",
        "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<rss>",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
    ] {
        check_failure(&settings(), answer.into(), FailureClass::Cut).await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_said_to_be_so() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "<rss version=\"2.0\"></rss>\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk\r\n",
    ] {
        check_failure(&settings(), answer.into(), FailureClass::Protocol).await;
    }
    let headers = "X: y\r\n".repeat(2000);
    let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    check_failure(&settings(), answer.into_bytes(), FailureClass::TooLarge).await;
}

#[tokio::test]
async fn a_slow_answer_is_left_at_the_deadline() {
    let replies: [fn() -> Reply; 4] = [
        || Reply::never(),
        || drip(b"HTTP/1.1 200 OK\r\nX-Endless: "),
        || drip(b"HTTP/1.1 200 OK\r\n\r\n<rss>"),
        || drip(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n<rss>"),
    ];
    for reply in replies {
        let publisher = Publisher::start(move |_, _| reply());
        let failure = failure(fetch_with(&hasty(), &publisher.url("/feed")).await);
        assert_eq!(failure.class, FailureClass::Timeout, "{}", failure.detail);
    }
}

#[tokio::test]
async fn redirects_share_one_deadline() {
    let publisher = Publisher::start(|path, _| match path {
        "/a" => send(redirect("302 Found", "/b")),
        _ => Reply::never(),
    });
    let failure = failure(fetch_with(&hasty(), &publisher.url("/a")).await);
    assert_eq!(failure.class, FailureClass::Timeout, "{}", failure.detail);
    assert!(failure.detail.contains("0.3s"), "{}", failure.detail);
}

#[tokio::test]
async fn an_empty_body_is_no_feed() {
    let gzipped_nothing = answer("200 OK", &["Content-Encoding: gzip"], &gzip(b""));
    for answer in [
        answer("200 OK", &[], b""),
        answer("200 OK", &[], b" \r\n\t"),
        answer("200 OK", &[], b"\xef\xbb\xbf\n"),
        answer("200 OK", &["Content-Encoding: gzip"], b""),
        gzipped_nothing,
        b"HTTP/1.0 200 OK\r\n\r\n".to_vec(),
    ] {
        check_failure(&settings(), answer, FailureClass::Empty).await;
    }
}

#[tokio::test]
async fn every_content_coding_is_undone() {
    let feed = FEED.as_bytes();
    let zstd = zstd::encode_all(feed, 3).unwrap();
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(feed).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(feed).unwrap();
    let zlib = zlib.finish().unwrap();
    for (headers, wire) in [
        (&["Content-Encoding: gzip"][..], gzip(feed)),
        (&["Content-Encoding: x-gzip"], gzip(feed)),
        (&["Content-Encoding: deflate"], zlib),
        (&["Content-Encoding: br"], brotli),
        (&["Content-Encoding: zstd"], zstd.clone()),
        (&["Content-Encoding: gzip, gzip"], gzip(&gzip(feed))),
        (&["Content-Encoding: zstd", "Content-Encoding: gzip"], gzip(&zstd)),
        (&[], gzip(feed)),
        (&["Content-Encoding: gzip"], feed.to_vec()),
    ] {
        check_body(answer("200 OK", headers, &wire), feed).await;
    }
}

#[tokio::test]
async fn a_large_body_is_decompressed_apart() {
    let feed: String = (0..20_000_u64).map(|i| format!("{:x}", i * i * 7919 * 7919)).collect();
    let wire = gzip(feed.as_bytes());
    assert!(wire.len() > 64 * 1024, "{}", wire.len());
    check_body(answer("200 OK", &["Content-Encoding: gzip"], &wire), feed.as_bytes()).await;
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let wire = gzip(&vec![0; 10_000_000]);
    let bomb = answer("200 OK", &["Content-Encoding: gzip"], &wire);
    check_failure(&settings(), bomb.clone(), FailureClass::Bomb).await;
    let roomy = FetchSettings { body_limit: 64 * 1024 * 1024, ..settings() };
    check_failure(&roomy, bomb, FailureClass::Bomb).await;
    check_failure(&roomy, answer("200 OK", &[], &wire), FailureClass::Bomb).await;
}

#[tokio::test]
async fn what_does_not_decompress_is_refused() {
    for (header, wire) in [
        ("Content-Encoding: gzip", b"garbage".to_vec()),
        ("Content-Encoding: gzip", gzip(FEED.as_bytes())[..30].to_vec()),
        ("Content-Encoding: compress", FEED.as_bytes().to_vec()),
        ("Content-Encoding: gzip, gzip, gzip", gzip(&gzip(&gzip(FEED.as_bytes())))),
    ] {
        let answer = answer("200 OK", &[header], &wire);
        check_failure(&settings(), answer, FailureClass::Encoding).await;
    }
}

#[tokio::test]
async fn odd_but_readable_answers_are_read() {
    let many: String = (0..150).map(|i| format!("X-Header-{i}: {i}\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    let length = FEED.len();
    let sized = format!("Content-Length: {length}\r\n\r\n{FEED}");
    for answer in [
        format!("HTTP/1.1 200 OK\r\n{many}{sized}"),
        format!("HTTP/1.1 200 OK\r\n{long}{sized}"),
        format!("HTTP/1.1 200 OK\nContent-Length: {length}\n\n{FEED}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{FEED}"),
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{FEED}"),
        format!("HTTP/1.1 200\r\n{sized}"),
        format!("HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n{sized}"),
        format!("HTTP/1.1 200 OK\r\nX-Space : one\r\n{sized}"),
        format!("HTTP/1.1 200 OK\r\nX-Latin: caf\u{e9}\r\n{sized}"),
        format!("HTTP/1.1 200 OK\r\nno header at all\r\n{sized}"),
        format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n{sized}"),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n\
             {length:x};note=1\r\n{FEED}\r\n0\r\nX-After: 1\r\n\r\n"
        ),
    ] {
        check_body(answer.into_bytes(), FEED.as_bytes()).await;
    }
}
