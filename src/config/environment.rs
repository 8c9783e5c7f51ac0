//! The only reader of the environment, once: what overrides the file, and where state may live.
//!
//! `NOTIFY_SOCKET` and its kin belong to the systemd library, `NO_COLOR` to the terminal one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::fetch::ProxyVariables;

/// What the names of overrides begin with: `CONFLICTWIRE__FETCH__TIMEOUT` is `fetch.timeout`.
///
/// Two underscores: Kubernetes puts `CONFLICTWIRE_PORT` and its like into every container beside a
/// service named "conflictwire", and those are not ours to refuse.
pub(super) const PREFIX: &str = "CONFLICTWIRE__";

/// What a problem names as its file if a variable is wrong.
pub(super) const ENVIRONMENT: &str = "environment";

/// OpenTelemetry's own variables.
pub(super) const OTLP_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
pub(super) const OTLP: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The environment variables, as they were when they were read.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        Self { variables }
    }

    /// The same with one key of the file overridden: "ledger.kind".
    #[must_use]
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        let name = format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"));
        self.variables.insert(name, OsString::from(value));
        self
    }

    /// The variables that override keys of the file, in order of their names.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        let variables = self.variables.iter();
        variables
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    /// The directory for what must outlive the process; `None` if nothing says where.
    ///
    /// Source: systemd.exec(5) `StateDirectory=` (a list; the first is the service's own), XDG Base
    /// Directory Specification (a relative path is to be ignored).
    pub(super) fn state_directory(&self) -> Option<PathBuf> {
        if let Some(listed) = self.get("STATE_DIRECTORY") {
            let listed = listed.to_string_lossy();
            return listed.split(':').next().map(PathBuf::from);
        }
        let xdg = self.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || self.get("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        xdg.or_else(home).map(|path| path.join("conflictwire"))
    }

    /// The proxies that it names.
    ///
    /// # Errors
    /// The variable that names none.
    pub(super) fn proxies(&self) -> Result<ProxyVariables, &'static str> {
        ProxyVariables::read(|name| {
            let value = self.get(name).or_else(|| self.get(&name.to_ascii_uppercase()));
            value.map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// Where traces are posted, as OpenTelemetry's variables say: that of traces as it is, else the one of all signals,
    /// to which the path of traces is added.
    pub(super) fn otlp_traces(&self) -> Option<(String, &'static str)> {
        let of = |name| self.get(name).map(|value| value.to_string_lossy().into_owned());
        let traces = of(OTLP_TRACES).map(|url| (url, OTLP_TRACES));
        let all = || of(OTLP).map(|url| (format!("{}/v1/traces", url.trim_end_matches('/')), OTLP));
        traces.or_else(all)
    }

    /// A variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), OsString::from(value));
        Self { variables: variables.into_iter().map(owned).collect() }
    }
}

/// Where this process is to kill itself (`CONFLICTWIRE_FAULT`); see `fault`.
#[cfg(feature = "fault-points")]
pub fn fault_spec() -> Option<String> {
    let environment = Environment::of_process();
    environment.get("CONFLICTWIRE_FAULT").map(|spec| spec.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let environment: Environment = variables.iter().copied().collect();
        assert_eq!(environment.state_directory().as_deref(), expected.map(Path::new));
    }

    #[test]
    fn the_state_directory_is_the_services_then_the_desktops_then_the_homes() {
        let service = ("STATE_DIRECTORY", "/var/lib/conflictwire:/var/lib/other");
        let desktop = ("XDG_STATE_HOME", "/state");
        let home = ("HOME", "/home/ada");
        check(&[service, desktop, home], Some("/var/lib/conflictwire"));
        check(&[desktop, home], Some("/state/conflictwire"));
        check(&[home], Some("/home/ada/.local/state/conflictwire"));
        check(&[], None);
    }

    #[test]
    fn an_empty_or_relative_directory_is_passed_over() {
        let home = ("HOME", "/home/ada");
        let expected = Some("/home/ada/.local/state/conflictwire");
        check(&[("STATE_DIRECTORY", ""), home], expected);
        check(&[("XDG_STATE_HOME", "state"), home], expected);
    }

    #[test]
    fn one_underscore_is_not_an_override() {
        let environment: Environment =
            [("CONFLICTWIRE_PORT", "tcp://10.0.0.1:9273"), ("CONFLICTWIRE__LOG__LEVEL", "debug")]
                .into_iter()
                .collect();
        let names: Vec<&str> = environment.overrides().map(|(name, _)| name).collect();
        assert_eq!(names, ["CONFLICTWIRE__LOG__LEVEL"]);
    }
}
