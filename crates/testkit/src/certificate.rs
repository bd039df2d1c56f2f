//! A certificate that signs itself, for TLS listeners under test.

use std::fs;
use std::path::{Path, PathBuf};

/// A self-signed certificate and its key, as PEM.
pub struct Certificate {
    /// The certificate; a client that trusts it as a root accepts the listener.
    pub certificate: String,
    /// The private key, PKCS #8.
    pub key: String,
}

impl Certificate {
    /// A fresh one for `names` (DNS names or IP addresses).
    ///
    /// # Panics
    /// When a name cannot stand in a certificate.
    #[track_caller]
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        match rcgen::generate_simple_self_signed(names) {
            Ok(made) => Self {
                certificate: made.cert.pem(),
                key: made.signing_key.serialize_pem(),
            },
            Err(error) => panic!("no certificate: {error}"),
        }
    }

    /// Writes `portal.pem` and `portal.key` into `folder` and says where they are.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[track_caller]
    #[must_use]
    pub fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join("portal.pem"), folder.join("portal.key"));
        for (path, text) in [(&certificate, &self.certificate), (&key, &self.key)] {
            if let Err(error) = fs::write(path, text) {
                panic!("cannot write {}: {error}", path.display());
            }
        }
        (certificate, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_are_pem() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = Certificate::of(&["localhost", "127.0.0.1"]).write(folder.path());
        assert!(
            fs::read_to_string(certificate)
                .unwrap()
                .starts_with("-----BEGIN CERTIFICATE")
        );
        assert!(
            fs::read_to_string(key)
                .unwrap()
                .starts_with("-----BEGIN PRIVATE KEY")
        );
    }
}
