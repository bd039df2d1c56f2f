//! A real web server behind, real command-line clients in front.

use std::process::Command;
use std::time::Duration;

use forebay_testkit::certificate::Certificate;
use forebay_testkit::nginx::Nginx;
use forebay_testkit::program::{Finished, run};
use forebay_testkit::{site, tool};

use crate::house::House;

fn curl(words: &[&str]) -> Finished {
    run(
        Command::new(tool::need("curl"))
            .args(["-sS", "--max-time", "20"])
            .args(words),
        b"",
        Duration::from_secs(30),
    )
}

#[test]
fn curl_gets_every_page_of_the_tree_as_nginx_has_it() {
    let nginx = Nginx::start();
    let house = House::start(nginx.address, "");
    for path in [
        "/",
        "/pages/1.html",
        "/pages/12.html",
        "/static/style.css",
        "/static/site.js",
        "/1k.txt",
    ] {
        let direct = curl(&[&format!("http://{}{path}", nginx.address)]);
        let through = curl(&["--fail", &format!("http://{}{path}", house.address)]);
        assert!(through.status.success(), "{path}: {through:?}");
        assert_eq!(through.stdout, direct.stdout, "{path}");
    }
}

#[test]
fn curl_gets_a_part_of_a_file_and_nothing_when_it_has_it() {
    let nginx = Nginx::start();
    let house = House::start(nginx.address, "");
    let url = format!("http://{}/1k.txt", house.address);
    let part = curl(&["-r", "0-15", "-w", "%{http_code}", &url]);
    assert_eq!(part.stdout, "0123456789abcde\n206");
    let tag = curl(&["-o", "/dev/null", "-w", "%header{etag}", &url]).stdout;
    let known = curl(&[
        "-H",
        &format!("If-None-Match: {tag}"),
        "-w",
        "%{http_code}",
        &url,
    ]);
    assert_eq!(known.stdout, "304");
    let missing = curl(&["-o", "/dev/null", "-w", "%{http_code}", &format!("{url}x")]);
    assert_eq!(missing.stdout, "404");
}

#[test]
fn curl_downloads_a_large_file_whole_on_one_connection() {
    let nginx = Nginx::start();
    let house = House::start(nginx.address, "");
    let url = format!("http://{}/download.bin", house.address);
    let (one, two) = (house.file("one"), house.file("two"));
    let done = curl(&[
        "-o",
        &one.display().to_string(),
        &url,
        "-o",
        &two.display().to_string(),
        &url,
        "-w",
        "%{num_connects} ",
    ]);
    assert_eq!(done.stdout, "1 0 ", "{done:?}");
    for file in [one, two] {
        assert!(
            std::fs::read(file).expect("a file") == site::download(),
            "every byte"
        );
    }
}

#[test]
fn curl_waits_in_line_with_its_cookie_jar() {
    let nginx = Nginx::start();
    let house = House::start(nginx.address, "[room.main]\nmode = \"hold\"\n");
    let jar = house.file("jar").display().to_string();
    let url = format!("http://{}/1k.txt", house.address);
    let words = ["-b", &jar, "-c", &jar, "-w", " %{http_code}", &url];
    assert!(curl(&words).stdout.ends_with(" 503"));
    assert!(
        std::fs::read_to_string(&jar)
            .expect("a jar")
            .contains("forebay-main")
    );
    house.must(&["room", "main", "off"]);
    assert!(curl(&words).stdout.ends_with(" 200"));
    assert!(!nginx.access_log().contains("forebay-main"));
}

#[test]
fn wrk_is_answered_ten_times_over_the_limit_without_an_error() {
    let nginx = Nginx::start();
    let rest = "limit = { mode = \"fixed\", concurrency = 4 }\n[[route]]\nquota = \"none\"\n";
    let house = House::start(nginx.address, rest);
    let url = format!("http://{}/1k.txt", house.address);
    let done = run(
        Command::new(tool::need("wrk")).args(["-t1", "-c40", "-d2s", &url]),
        b"",
        Duration::from_secs(30),
    );
    assert!(done.status.success(), "{done:?}");
    assert!(!done.stdout.contains("Socket errors"), "{}", done.stdout);
    assert!(
        house.metric("forebay_decisions_total", &["\"admit\""]) > 50.0,
        "{}",
        done.stdout
    );
}

#[test]
fn curl_over_tls_keeps_a_cookie_that_only_tls_can_set() {
    let nginx = Nginx::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = Certificate::of(&["localhost", "127.0.0.1"]).write(folder.path());
    let tls = format!("tls = {{ certificate = {certificate:?}, key = {key:?} }}\n[runtime]");
    let house = House::edited(nginx.address, "[room.main]\nmode = \"hold\"\n", |text| {
        text.replace("[runtime]", &tls)
    });
    let jar = house.file("jar").display().to_string();
    let url = format!("https://{}/1k.txt", house.address);
    let trust = certificate.display().to_string();
    let words = ["--cacert", &trust, "-b", &jar, "-c", &jar, "-i", &url];
    let held = curl(&words).stdout;
    assert!(held.starts_with("HTTP/1.1 503"), "{held}");
    let cookie = held
        .lines()
        .find(|line| line.starts_with("set-cookie:"))
        .expect("a cookie");
    assert!(
        cookie.contains("__Host-forebay-main=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    house.must(&["room", "main", "off"]);
    let inside = curl(&words).stdout;
    assert!(inside.starts_with("HTTP/1.1 200"), "{inside}");
    assert!(
        inside.contains("__Host-forebay-main="),
        "the ticket became a pass: {inside}"
    );
}
