//! The file that somebody starts with.

/// A commented first file that protects `origin`, such as
/// `http://127.0.0.1:3000`. Whether that is an address is for
/// [`parse`](crate::parse()) to say.
pub fn init(origin: &str) -> String {
    let server = toml::Value::String(origin.to_owned());
    format!(
        r#"# Forebay's configuration. What is not written here has a sensible default.
# `forebay check FILE` names every mistake in it; `forebay config schema` has every key.

# Where visitors connect.
[[listener]]
address = "0.0.0.0:8080"
#tls = {{ certificate = "portal.pem", key = "portal.key" }}

# The site to protect: one server or several that serve the same.
[origin.portal]
servers = [{server}]
# How many requests it works on at once is found out; or set it by hand.
#limit = {{ mode = "fixed", concurrency = 64 }}

# The waiting room. It opens when the site is busy and goes away by itself.
[room.main]
# How many visitors enter: "auto" for as many as the site can take, or a rate.
inlet = "auto"
#inlet = "50/s"

# How often one client may ask.
[quota.client]
rate = "100/s"
burst = 500

# Behind another proxy: believe it when it names the client.
#[client]
#trusted_proxies = ["10.0.0.0/8"]
"#
    )
}
