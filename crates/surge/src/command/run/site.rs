//! Where a URL leads.

use surge::crowd::Site;

use crate::command::Problem;

/// The site of an `http` URL.
pub(super) async fn site(url: &str) -> Result<Site, Problem> {
    let wrong = || Problem::Target(url.to_owned());
    let uri: http::Uri = url.parse().map_err(|_bad| wrong())?;
    let authority = uri
        .authority()
        .filter(|_authority| uri.scheme_str() == Some("http"));
    let authority = authority.ok_or_else(wrong)?;
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
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
        tls: false,
    })
}
