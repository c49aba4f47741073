//! Downloads that hang, and two at once.

use crate::workspace::Workspace;
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use takd::fetch::{Source, fetch};

/// A site that answers with `head` and `body`, waits, and ends; how often it was asked.
fn site(head: &'static str, body: Vec<u8>, wait: Duration) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let (mut stream, body) = (stream.unwrap(), body.clone());
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
                std::thread::sleep(wait);
            });
        }
    });
    (format!("http://{address}/file"), asked)
}

#[test]
fn a_site_that_falls_silent_is_an_error_and_what_came_is_kept() {
    let hour = Duration::from_secs(3600);
    for (head, body, told) in [
        ("", vec![], "timeout"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", vec![7; 500], "no byte came for 1 s"),
    ] {
        let (url, _) = site(head, body.clone(), hour);
        let workspace = Workspace::new();
        let started = Instant::now();
        let mut command = workspace.command(&["data", "fetch", "cifar10", "--from", &url]);
        let output = command.env("TAKD_FETCH_TIMEOUT", "1").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains(told) && stderr.contains("the same command resumes it"),
            "{stderr}"
        );
        assert!(started.elapsed() < Duration::from_secs(60));
        let part = workspace.path("data/cifar-10-binary.tar.gz.part");
        assert_eq!(fs::read(part).unwrap_or_default(), body);
    }
}

#[test]
fn of_two_fetches_at_once_one_asks_the_site() {
    let body = vec![3; 200_000];
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n";
    let (url, asked) = site(head, body.clone(), Duration::from_millis(300));
    let sha256: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let source = Source { name: "x".to_owned(), url, sha256, file: "x.tar.gz".to_owned() };
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let place = fetch(&source, folder.path(), &mut |_, _| {}).unwrap();
                assert!(fs::read(place).unwrap() == body);
            });
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
