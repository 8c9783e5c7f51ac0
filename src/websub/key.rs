//! The key of a deployment, from which the callback URL and the secret of every subscription are made. So neither stands in
//! a state, and a callback is known for ours without asking anybody.

use std::fmt;
use std::ops::RangeInclusive;

use cw_model::FeedId;
use ring::hmac;

/// Shorter ones are guessed; longer ones are no keys.
const LENGTH: RangeInclusive<usize> = 32..=1024;

/// The key.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// Text that was read as a key and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "holds no key: one line of {min} to {max} letters, digits and other visible ASCII characters, such as \
     `openssl rand -hex 32` prints",
    min = LENGTH.start(),
    max = LENGTH.end()
)]
pub struct NotAKey;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`NotAKey`] if it is too short or too long, or has characters that cannot be seen.
    pub fn read(text: &str) -> Result<Self, NotAKey> {
        let key = text.trim();
        let fits = LENGTH.contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))).ok_or(NotAKey)
    }

    /// Tells keys apart, and says nothing of this one.
    pub(super) fn label(&self) -> String {
        hex(hmac::sign(&self.0, b"label").as_ref()).chars().take(16).collect()
    }

    /// What nobody can guess of the callback URL of a feed's subscription.
    pub(super) fn token(&self, feed: &FeedId, generation: u32) -> String {
        hex(hmac::sign(&self.0, &text("callback", feed, generation)).as_ref())
    }

    /// Whether it is that.
    pub(super) fn is_token(&self, feed: &FeedId, generation: u32, given: &str) -> bool {
        let given = unhex(given).unwrap_or_default();
        hmac::verify(&self.0, &text("callback", feed, generation), &given).is_ok()
    }

    /// What the hub signs with.
    pub(super) fn secret(&self, feed: &FeedId, generation: u32) -> String {
        hex(hmac::sign(&self.0, &text("secret", feed, generation)).as_ref())
    }
}

fn text(what: &str, feed: &FeedId, generation: u32) -> Vec<u8> {
    format!("{what} {generation} {feed}").into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was written so; `None` if it was not.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).ok());
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = digits.map(|two| u8::from_str_radix(two?, 16).ok());
    if is_hex { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(letter: &str) -> Key {
        Key::read(&letter.repeat(32)).unwrap()
    }

    #[test]
    fn a_key_is_one_long_visible_line() {
        assert!(Key::read(&format!("{}\n", "k".repeat(32))).is_ok());
        for text in ["", "short", &"k".repeat(31), &"k".repeat(1025), &"k k".repeat(20)] {
            assert_eq!(Key::read(text).err(), Some(NotAKey), "{text}");
        }
        assert_eq!(format!("{:?}", key("k")), "Key");
    }

    #[test]
    fn tokens_and_secrets_are_of_one_key_feed_and_generation() {
        let (a, b) = (FeedId::parse("a").unwrap(), FeedId::parse("b").unwrap());
        let token = key("k").token(&a, 1);
        assert!(key("k").is_token(&a, 1, &token));
        for (key, feed, generation) in [(key("l"), &a, 1), (key("k"), &b, 1), (key("k"), &a, 2)] {
            assert!(!key.is_token(feed, generation, &token));
        }
        let uneven = token.get(1..).unwrap();
        for other in ["", "zz", uneven, token.get(2..).unwrap(), &key("k").secret(&a, 1)] {
            assert!(!key("k").is_token(&a, 1, other), "{other}");
        }
        assert_ne!(key("k").label(), key("l").label());
    }
}
