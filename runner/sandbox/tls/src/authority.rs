use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sidestep_sandbox_base::disk;
use tokio_rustls::TlsAcceptor;

/// A certificate authority that is stored in a folder.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Loads the authority in `dir` (`ca.crt` and `ca.key`), or creates one there, called `name`.
    ///
    /// If domains are given, it can only certify names in these, and no IP address (RFC 5280,
    /// 4.2.1.10), which limits what trust in it allows.
    pub fn open(dir: &Path, name: &str, domains: &[&str]) -> io::Result<Self> {
        let (certificate, key) = (dir.join("ca.crt"), dir.join("ca.key"));
        if !(certificate.exists() && key.exists()) {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            if !domains.is_empty() {
                let within = |domain: &&str| GeneralSubtree::DnsName((*domain).to_owned());
                params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: domains.iter().map(within).collect(),
                    // A constraint applies to the names of its kind alone.
                    excluded_subtrees: every_address(),
                });
            }
            let pair = KeyPair::generate().map_err(io::Error::other)?;
            let made = params.self_signed(&pair).map_err(io::Error::other)?;
            disk::write(&key, pair.serialize_pem().as_bytes())?;
            disk::write(&certificate, made.pem().as_bytes())?;
        }
        let pem = std::fs::read_to_string(&certificate)?;
        let pair = KeyPair::from_pem(&std::fs::read_to_string(&key)?).map_err(io::Error::other)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, pair).map_err(io::Error::other)?;
        Ok(Self { pem, issuer })
    }

    /// Returns the authority's certificate, PEM. It survives restarts.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns an acceptor for TLS handshakes as a server of these names and addresses, and of
    /// these protocols (ALPN), with the preferred one first.
    pub fn acceptor(&self, names: &[&str], protocols: &[&str]) -> io::Result<TlsAcceptor> {
        let all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(all).map_err(io::Error::other)?;
        let name = names.first().copied().unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python does not accept a certificate without it.
        params.use_authority_key_identifier_extension = true;
        let pair = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&pair, &self.issuer)
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Returns the subtrees of all IP addresses.
fn every_address() -> Vec<GeneralSubtree> {
    let all = [
        CidrSubnet::V4([0; 4], [0; 4]),
        CidrSubnet::V6([0; 16], [0; 16]),
    ];
    all.map(GeneralSubtree::IpAddress).into()
}

#[cfg(test)]
mod tests;
