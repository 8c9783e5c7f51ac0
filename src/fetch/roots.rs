//! The certificate authorities that a feed names for its host, instead of this machine's.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The most authorities of one file: what browsers trust are some 150.
const ROOTS_MAX: usize = 500;

/// Text that is no list of authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRoots {
    /// Nothing between the lines that PEM has.
    #[error("has no certificate; use PEM, \"-----BEGIN CERTIFICATE-----\"")]
    Nothing,
    /// One of them cannot be an authority.
    #[error("certificate {number} is not one that can be trusted as an authority")]
    Unfit {
        /// From 1.
        number: usize,
    },
    /// Too many.
    #[error("has more than {ROOTS_MAX} certificates")]
    TooMany,
}

/// Reads authorities in PEM, as DER.
///
/// # Errors
/// [`NotRoots`].
pub fn read_roots(pem: &[u8]) -> Result<Vec<Vec<u8>>, NotRoots> {
    let mut roots = Vec::new();
    for read in CertificateDer::pem_slice_iter(pem) {
        let number = roots.len() + 1;
        if number > ROOTS_MAX {
            return Err(NotRoots::TooMany);
        }
        let certificate = read.map_err(|_not_pem| NotRoots::Unfit { number })?;
        let fits = RootCertStore::empty().add(certificate.clone());
        fits.map_err(|_not_an_authority| NotRoots::Unfit { number })?;
        roots.push(certificate.as_ref().to_vec());
    }
    if roots.is_empty() { Err(NotRoots::Nothing) } else { Ok(roots) }
}

/// TLS that trusts these alone; `None` if the library does not start.
pub(super) fn tls_trusting(roots: &[Vec<u8>]) -> Option<rustls::ClientConfig> {
    let mut store = RootCertStore::empty();
    let given = roots.iter().map(|der| CertificateDer::from(der.clone()));
    // Each was admitted when it was read.
    store.add_parsable_certificates(given);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    Some(builder.with_root_certificates(store).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &[u8] = include_bytes!("../../tests/fixtures/tls/ca.pem");
    const KEY: &[u8] = include_bytes!("../../tests/fixtures/tls/server.key");

    #[test]
    fn authorities_are_read_from_pem_and_nothing_else_is() {
        assert_eq!(read_roots(CA).map(|roots| roots.len()), Ok(1));
        assert_eq!(read_roots(&[CA, CA].concat()).map(|roots| roots.len()), Ok(2));
        assert_eq!(read_roots(b""), Err(NotRoots::Nothing));
        assert_eq!(read_roots(b"hunter2"), Err(NotRoots::Nothing));
        assert_eq!(read_roots(KEY), Err(NotRoots::Nothing));
        let unfit = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read_roots(&[CA, unfit].concat()), Err(NotRoots::Unfit { number: 2 }));
        assert_eq!(read_roots(&CA.repeat(ROOTS_MAX + 1)), Err(NotRoots::TooMany));
    }
}
