//! The secrets that the configuration names, each in a file of its own, and what stands in the configuration that may be one.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use cw_code::Source;

use super::logins::read_logins;
use super::raw::{RawConfig, RawKafka};
use super::{Files, Problem, walk};
use crate::fetch::ProxyLogin;
use crate::ledger::kafka::settings::{Secret, property_problem};

impl Files<'_> {
    /// Says which properties of the Kafka clients may not be given, or not like this.
    pub(super) fn properties(&self, raw: &RawKafka, problems: &mut Vec<Problem>) {
        for (property, value) in &raw.properties {
            let key = walk::child_path("kafka.properties", property);
            let problem = property_problem(property, &Secret::new(value.clone()));
            problems.extend(problem.map(|text| self.origins.problem(&key, text)));
        }
    }

    /// The secrets of the Kafka ledger, each read from its file.
    pub(super) fn secrets(
        &self,
        raw: &RawKafka,
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<String, Secret> {
        let mut secrets = BTreeMap::new();
        for (property, name) in &raw.secret_files {
            let key = walk::child_path("kafka.secret_files", property);
            if raw.properties.contains_key(property) {
                let text = "kafka.properties has it too; leave one of them".to_owned();
                problems.push(self.origins.problem(&key, text));
                continue;
            }
            let Some(Source { text, .. }) = self.source(&key, name, problems) else { continue };
            // Editors and `echo` end a file with one; no password does.
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let secret = Secret::new(text.strip_suffix('\r').unwrap_or(text).to_owned());
            match property_problem(property, &secret) {
                None => {
                    secrets.insert(property.clone(), secret);
                }
                Some(text) => problems.push(self.origins.problem(&key, text)),
            }
        }
        secrets
    }

    /// The secret in a file that a key names; `None` if there is none, or a problem.
    pub(super) fn secret<T, E: Display>(
        &self,
        (key, name): (&str, &str),
        read: impl FnOnce(&str) -> Result<T, E>,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let Source { name, text } =
            if name.is_empty() { None } else { self.source(key, name, problems) }?;
        let no = |no| problems.push(self.origins.problem(key, format!("\"{name}\" {no}")));
        read(&text).map_err(no).ok()
    }

    /// Users and passwords of proxies, by host and port.
    pub(super) fn proxy_logins(
        &self,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<String, ProxyLogin> {
        const KEY: &str = "fetch.proxy_logins";
        if name.is_empty() {
            return BTreeMap::new();
        }
        let Some(Source { name, text }) = self.source(KEY, name, problems) else {
            return BTreeMap::new();
        };
        read_logins(&text).unwrap_or_else(|line| {
            let text = format!(
                "\"{name}\" line {line} is no login; write \"host:port user:password\", at most 255 bytes \
                 each"
            );
            problems.push(self.origins.problem(KEY, text));
            BTreeMap::new()
        })
    }

    /// The files with secrets, each with its key.
    pub(super) fn secret_files(&self, raw: &RawConfig) -> Vec<(String, PathBuf)> {
        let of_kafka = raw.kafka.secret_files.iter().map(|(property, name)| {
            (walk::child_path("kafka.secret_files", property), self.directory.join(name))
        });
        let others = [
            ("admin.token_file", &raw.admin.token_file),
            ("websub.key_file", &raw.websub.key_file),
            ("fetch.proxy_logins", &raw.fetch.proxy_logins),
        ];
        let named = others.into_iter().filter(|(_, name)| !name.is_empty());
        let others = named.map(|(key, name)| (key.to_owned(), self.directory.join(name)));
        of_kafka.chain(others).collect()
    }
}
