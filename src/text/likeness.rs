//! What somebody may have meant who wrote a name that is not there: the one "did you mean".

/// The least likeness (1 less the share of letters that are slips, as Damerau and Levenshtein count
/// them) at which a name is offered for another: slips of the finger are above it, other words below.
const LIKENESS_MIN: f64 = 0.6;

/// The known name that is most like a word, if one is.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A single slip in a name of two letters is half of it.
    let is_short = |known: &str| known.chars().count().max(word.chars().count()) == 2;
    let is_like = |likeness: f64, known: &str| {
        likeness >= LIKENESS_MIN || (is_short(known) && likeness >= 0.5)
    };
    known
        .into_iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(word, known), known))
        .filter(|(likeness, known)| is_like(*likeness, known))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// The same as the end of a message: `did you mean "fetch"?`.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|nearest| format!("did you mean \"{nearest}\"?"))
}

/// The same after a semicolon, for the end of a message that is whole without it; empty if there is none.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(word, known).map_or_else(String::new, |hint| format!("; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_like_a_name_and_other_words_are_not() {
        let known = ["timeout", "connect_timeout", "host_gap", "strike.air", "strike"];
        for (word, expected) in [
            ("timout", Some("timeout")),
            ("tiemout", Some("timeout")),
            ("conect_timeout", Some("connect_timeout")),
            ("hostgap", Some("host_gap")),
            ("strike.aerial", Some("strike.air")),
            ("strikes", Some("strike")),
            ("host", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(did_you_mean("timout", known).unwrap(), "did you mean \"timeout\"?");
        assert_eq!(nearest("aa", ["a", "b"]), Some("a"));
        assert_eq!(nearest("c", ["a", "b"]), None);
        assert_eq!(did_you_mean("timeout", []), None);
    }
}
