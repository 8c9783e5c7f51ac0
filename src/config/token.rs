//! The token that opens the page and the API of the admin server: kept as a digest, so that nothing can
//! show it.

use std::ops::RangeInclusive;

use sha2::{Digest as _, Sha256};

/// Shorter ones are guessed; longer ones are no tokens.
const LENGTH: RangeInclusive<usize> = 16..=256;

/// The digest of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

/// Text that was read as a token and is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "holds no token: one line of {min} to {max} letters, digits and other visible ASCII characters, \
     such as `openssl rand -hex 32` prints",
    min = LENGTH.start(),
    max = LENGTH.end()
)]
pub struct NotAToken;

impl TokenDigest {
    /// Reads the text of a token file.
    ///
    /// # Errors
    /// [`NotAToken`] if it is too short or too long, or has characters that a header cannot carry.
    pub fn read(text: &str) -> Result<Self, NotAToken> {
        let token = text.trim();
        let fits =
            LENGTH.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self::of(token)) } else { Err(NotAToken) }
    }

    fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether it is the digest of this token. Takes as long wherever they differ; and what is compared
    /// are digests, of which nobody can choose the first bytes.
    pub fn is_of(&self, token: &str) -> bool {
        let given = Self::of(token);
        let pairs = self.0.iter().zip(&given.0);
        std::hint::black_box(pairs.fold(0, |all, (one, other)| all | (one ^ other))) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_visible_line() {
        let token = TokenDigest::read("correct-horse-battery\n").unwrap();
        assert!(token.is_of("correct-horse-battery"));
        for other in ["correct-horse-batterz", "Correct-horse-battery", "correct-horse-batter", ""]
        {
            assert!(!token.is_of(other), "{other}");
        }
        let long = "x".repeat(257);
        for text in ["", "too-short", "with a space in the middle", "two\nlines-of-a-token", &long]
        {
            assert_eq!(TokenDigest::read(text), Err(NotAToken), "{text}");
        }
    }
}
