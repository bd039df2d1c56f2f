//! Where a URL leads.

use surge::crowd::Site;

use crate::command::Problem;

/// The site of an `http` or `https` URL.
pub(super) async fn site(url: &str) -> Result<Site, Problem> {
    let wrong = || Problem::Target(url.to_owned());
    let uri: http::Uri = url.parse().map_err(|_bad| wrong())?;
    let (tls, usual) = match uri.scheme_str() {
        Some("http") => (false, 80),
        Some("https") => (true, 443),
        _ => return Err(wrong()),
    };
    let authority = uri.authority().ok_or_else(wrong)?;
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(usual);
    let mut found = tokio::net::lookup_host((host, port))
        .await
        .map_err(Problem::io(url))?;
    let path = uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    Ok(Site {
        address: found.next().ok_or_else(wrong)?,
        host: authority.to_string(),
        path: path.to_owned(),
        tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_scheme_decides_about_tls_and_the_usual_port() {
        for (url, address, tls) in [
            ("http://127.0.0.1/", "127.0.0.1:80", false),
            ("https://127.0.0.1/x", "127.0.0.1:443", true),
            ("https://127.0.0.1:8443", "127.0.0.1:8443", true),
        ] {
            let site = site(url).await.unwrap();
            assert_eq!(
                (site.address.to_string().as_str(), site.tls),
                (address, tls)
            );
        }
        for url in ["ftp://127.0.0.1/", "127.0.0.1:80", "/"] {
            assert!(site(url).await.is_err(), "{url}");
        }
    }
}
