//! Files of trusted authorities, and the variables by which clients find them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The variables with a file of certificate authorities, by client: OpenSSL, Go and rustls;
/// Python's requests; curl; gcloud; gRPC; Node, for which alone the file is an addition and not a
/// replacement.
pub const VARIABLES: [&str; 6] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "NODE_EXTRA_CA_CERTS",
];

/// Returns the public root certificates, PEM: Mozilla's list.
pub fn public_roots() -> String {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    roots.iter().map(|root| pem(root)).collect()
}

/// Returns a certificate in PEM (RFC 7468, section 5.1).
fn pem(certificate: &[u8]) -> String {
    let text = STANDARD.encode(certificate);
    let mut lines = String::new();
    // Base64 is ASCII, so each chunk is text.
    for line in text.as_bytes().chunks(64) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn the_roots_are_read_as_they_were() {
        let read: Vec<_> = CertificateDer::pem_slice_iter(public_roots().as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(read, webpki_root_certs::TLS_SERVER_ROOT_CERTS);
        let mut store = RootCertStore::empty();
        let (added, ignored) = store.add_parsable_certificates(read);
        assert!(added > 100 && ignored == 0, "{added} {ignored}");
    }
}
