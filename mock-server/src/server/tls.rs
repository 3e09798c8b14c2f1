//! TLS: a certificate of one's own, or one signed by an authority made for this run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Which certificate to show, and to whom to explain it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Certificate chain and key as PEM files; `None`: signed by an authority made for this run.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Where to write the authority's certificate as PEM.
    pub ca_out: Option<PathBuf>,
    /// Whether to offer HTTP/2.
    pub http2: bool,
}

/// TLS that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key can't be read.
    #[error("cannot read a certificate or key from {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: tokio_rustls::rustls::pki_types::pem::Error,
    },
    /// A file holds no certificate.
    #[error("there is no certificate in {path}")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key don't fit.
    #[error("cannot use the certificate")]
    Use(#[from] tokio_rustls::rustls::Error),
    /// No certificate can be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// The authority's certificate can't be written.
    #[error("cannot write the authority's certificate to {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no authority whose certificate could be written.
    #[error(
        "--tls-ca-out writes the authority that signs the server's own certificate; with --tls-cert there is none"
    )]
    NoAuthority,
}

/// Sets up TLS.
pub fn acceptor(settings: &TlsSettings) -> Result<TlsAcceptor, TlsError> {
    let (chain, key) = match &settings.own {
        Some(_) if settings.ca_out.is_some() => return Err(TlsError::NoAuthority),
        Some((chain, key)) => read(chain, key)?,
        None => make(settings.ca_out.as_deref())?,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols =
        if settings.http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(TlsAcceptor::from(Arc::new(config)))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(chain: &Path, key: &Path) -> Result<Identity, TlsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Read { path, source }
    };
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(chain).map_err(failed(chain))?.collect();
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    let certificates = certificates.map_err(failed(chain))?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { path: chain.to_owned() });
    }
    Ok((certificates, key_der))
}

fn make(ca_out: Option<&Path>) -> Result<Identity, TlsError> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "mock-server test authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    if let Some(path) = ca_out {
        std::fs::write(path, authority_certificate.pem())
            .map_err(|source| TlsError::Write { path: path.to_owned(), source })?;
    }
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let mut server = CertificateParams::new(names.to_vec())?;
    server.distinguished_name.push(DnType::CommonName, "mock-server");
    server.use_authority_key_identifier_extension = true;
    let server_key = KeyPair::generate()?;
    let certificate = server.signed_by(&server_key, &Issuer::new(authority, authority_key))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    Ok((vec![certificate.der().clone(), authority_certificate.der().clone()], key))
}
