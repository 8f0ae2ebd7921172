//! Ed25519 for `jsonwebtoken`, by the implementation that `pasetors` signs with.
//!
//! The library's own backends bring RSA, HMAC and the NIST curves along. This one knows a single
//! algorithm and says no to every other, so that there is none to be confused with.

use ed25519_compact::{PublicKey, SecretKey, Signature};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
};
use signature::{Error, Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // For keys in other forms, which are never read here.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the process's provider. That can be done once; it has been done before when it fails,
/// since nothing else in the bank installs one.
pub(super) fn install() {
    let _: std::result::Result<(), _> = PROVIDER.install_default();
}

struct Ed25519Signer(SecretKey);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.0.sign(message, None).to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(PublicKey);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let signature = Signature::from_slice(signature).map_err(|_| Error::new())?;
        self.0.verify(message, &signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

/// The key's bytes are the seed and the public key, as PASERK `k4.secret` has them.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type that `CryptoProvider` wants")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let key = SecretKey::from_slice(key.as_bytes()).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Ed25519Signer(key)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type that `CryptoProvider` wants")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let DecodingKeyKind::SecretOrDer(bytes) = key.kind() else {
        return Err(ErrorKind::InvalidKeyFormat.into());
    };
    let key = PublicKey::from_slice(bytes).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Ed25519Verifier(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: [Algorithm; 11] = [
        Algorithm::HS256,
        Algorithm::HS384,
        Algorithm::HS512,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ];

    #[test]
    fn there_is_one_algorithm() {
        for other in OTHERS {
            assert!(signer(&other, &EncodingKey::from_ed_der(&[7; 64])).is_err(), "{other:?}");
            assert!(verifier(&other, &DecodingKey::from_ed_der(&[7; 32])).is_err(), "{other:?}");
        }
        let eddsa = Algorithm::EdDSA;
        assert!(signer(&eddsa, &EncodingKey::from_secret(&[7; 64])).is_err());
        assert!(verifier(&eddsa, &DecodingKey::from_secret(&[7; 32])).is_err());
        assert!(verifier(&eddsa, &DecodingKey::from_rsa_raw_components(&[7], &[7])).is_err());
        assert!(signer(&eddsa, &EncodingKey::from_ed_der(&[7; 32])).is_err());
        assert!(verifier(&eddsa, &DecodingKey::from_ed_der(&[7; 31])).is_err());
    }
}
