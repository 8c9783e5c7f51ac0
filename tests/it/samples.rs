//! The files under `config/` are the manual of the configuration: each of them loads, the full one
//! says what the code does, and the published schema agrees. Those under `deploy/` name keys and
//! metrics that exist.

use std::collections::BTreeSet;
use std::path::Path;

use conflictwire::commit::LedgerSettings;
use conflictwire::config::{self, Config, ConfigError, Environment, RawConfig, RawFeeds};

use crate::support::{files_below, project};

/// Loads a file as it would be where nothing is set but a home.
fn load(path: &Path) -> Result<Config, ConfigError> {
    config::load_from(Some(path), &Environment::from_iter([("HOME", "/home/ada")]))
}

fn sample(name: &str) -> (std::path::PathBuf, String) {
    let path = project().join("config").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// A configuration that uses a file of another kind.
fn using(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let shown = path.display();
    if path.parent().unwrap().ends_with("lexicon") {
        format!("[tag]\nlexicons = [\"{shown}\"]")
    } else if name == "taxonomy.toml" {
        format!("[tag]\ntaxonomy = \"{shown}\"")
    } else {
        format!("feeds_from = [\"{shown}\"]")
    }
}

#[test]
fn every_file_loads() {
    let directory = tempfile::tempdir().unwrap();
    for path in files_below("config", "toml") {
        let is_whole = path.ends_with("conflictwire.toml") || path.ends_with("minimal.toml");
        let loaded = if is_whole {
            load(&path)
        } else {
            let wrapped = directory.path().join("conflictwire.toml");
            std::fs::write(&wrapped, using(&path)).unwrap();
            load(&wrapped)
        };
        if let Err(error) = loaded {
            panic!("{}: {:#?}", path.display(), error.0);
        }
    }
}

#[test]
fn the_full_file_says_what_the_code_does() {
    let (_, text) = sample("conflictwire.toml");
    let mut written: RawConfig = toml::from_str(&text).unwrap();
    // The one difference, and the file says so: the list of feeds that is shipped beside it.
    assert_eq!(std::mem::take(&mut written.feeds_from), ["feeds.toml"]);
    assert_eq!(written, RawConfig::default());
}

/// The comparison above is also true of a key that the file leaves out.
#[test]
fn the_full_file_has_every_key() {
    let (_, text) = sample("conflictwire.toml");
    let written: toml::Table = text.parse().unwrap();
    let schema = config::schema();
    let mut missing = Vec::new();
    for (name, table) in schema["properties"].as_object().unwrap() {
        let Some(keys) = table.get("properties").and_then(|keys| keys.as_object()) else {
            // Feeds are in the list beside it.
            if name != "feed" && !written.contains_key(name) {
                missing.push(name.clone());
            }
            continue;
        };
        let written = written.get(name).and_then(toml::Value::as_table);
        for key in keys.keys() {
            if !written.is_some_and(|table| table.contains_key(key)) {
                missing.push(format!("{name}.{key}"));
            }
        }
    }
    assert!(missing.is_empty(), "not in config/conflictwire.toml: {missing:?}");
}

#[test]
fn the_least_that_runs_has_a_feed() {
    let (path, text) = sample("minimal.toml");
    assert_eq!(load(&path).unwrap().feeds.len(), 1);
    let keys: toml::Table = text.parse().unwrap();
    assert_eq!(keys.len(), 1, "the least is one [[feed]] and nothing else");
}

#[test]
fn the_shipped_feeds_are_many_and_of_many_languages() {
    let (path, text) = sample("conflictwire.toml");
    let config = load(&path).unwrap();
    let languages: BTreeSet<_> =
        config.feeds.iter().filter_map(|feed| feed.language.clone()).collect();
    assert!(config.feeds.len() >= 40 && languages.len() >= 8, "{languages:?}");
    assert!(text.contains("feeds_from"));
    let (_, text) = sample("feeds.toml");
    let feeds: RawFeeds = toml::from_str(&text).unwrap();
    for feed in feeds.feed {
        assert!(
            feed.id.is_some() && feed.publisher.is_some() && feed.language.is_some(),
            "{feed:?}"
        );
    }
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let schema = config::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in ["conflictwire.toml", "minimal.toml"] {
        let (_, text) = sample(name);
        let value: serde_json::Value = toml::from_str(&text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    for text in
        ["[fetch]\ntimout = \"1s\"", "[fetch]\ntimeout = 1", "[[feed]]\nid = \"a\"", "x = 1"]
    {
        let value: serde_json::Value = toml::from_str(text).unwrap();
        assert!(!validator.is_valid(&value), "{text}");
    }
}

#[test]
fn the_schema_describes_every_key() {
    fn walk(path: &str, schema: &serde_json::Value, silent: &mut Vec<String>) {
        let inner = schema.get("items").unwrap_or(schema);
        for (key, schema) in inner["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{key}");
            if schema["description"].as_str().is_none_or(|text| text.len() < 10) {
                silent.push(path.clone());
            }
            walk(&path, schema, silent);
        }
    }
    let mut silent = Vec::new();
    walk("", &config::schema(), &mut silent);
    assert!(silent.is_empty(), "{silent:?}");
}

/// By text, one variable a line (`NAME: value`, with quotes where YAML wants them).
#[test]
fn the_compose_file_sets_keys_that_there_are() {
    let text = std::fs::read_to_string(project().join("deploy/docker/compose.yaml")).unwrap();
    let variables: Vec<(&str, &str)> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("CONFLICTWIRE__"))
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect();
    assert!(!variables.is_empty());
    let environment = variables.into_iter().chain([("HOME", "/home/ada")]);
    let (path, _) = sample("conflictwire.toml");
    let config = match config::load_from(Some(&path), &Environment::from_iter(environment)) {
        Ok(config) => config,
        Err(error) => panic!("{:#?}", error.0),
    };
    let LedgerSettings::Kafka(kafka) = &config.ledger else {
        panic!("the ledger is {:?}", config.ledger);
    };
    for broker in &kafka.brokers {
        assert!(text.contains(&format!("//{broker},")), "{broker} is not where Kafka listens");
    }
}

/// By text too: a metric is a name in quotes where it is registered, without what the encoder adds.
#[test]
fn the_alerts_name_metrics_and_paragraphs_that_there_are() {
    let alerts = std::fs::read_to_string(project().join("deploy/prometheus/alerts.yaml")).unwrap();
    let registered: String = files_below("src/telemetry", "rs")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let metrics: BTreeSet<&str> = alerts
        .split(|letter: char| !is_of_a_name(letter))
        .filter_map(|word| word.strip_prefix("conflictwire_"))
        .collect();
    assert!(!metrics.is_empty());
    for metric in metrics {
        let name = metric.strip_suffix("_total").unwrap_or(metric);
        assert!(registered.contains(&format!("\"{name}\"")), "no metric {metric}");
    }
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let anchors: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|heading| heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"))
        .collect();
    let runbooks = alerts.lines().filter_map(|line| line.split_once("README.md#"));
    for (_, anchor) in runbooks {
        assert!(anchors.contains(anchor), "README.md has no paragraph #{anchor}");
    }
}
