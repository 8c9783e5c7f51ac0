//! What the system says of this process, under the names that every Prometheus client gives it. Reading it is
//! for others.
//!
//! Source: proc(5), <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// In what the kernel counts processor time for programs, whatever it counts in itself: so many a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// Has them read when somebody asks.
#[derive(Debug)]
pub(super) struct Process(pub(super) fn() -> ProcessFigures);

/// What the system says of a process; `None` where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessFigures {
    /// Processor time since it began, on all processors.
    pub cpu_seconds: Option<f64>,
    /// When it began, Unix time.
    pub started_at: Option<f64>,
    /// Memory in use.
    pub resident_bytes: Option<u64>,
    /// Addresses set aside.
    pub virtual_bytes: Option<u64>,
    /// Files and connections that are open.
    pub open_files: Option<usize>,
    /// How many may be; `None` where there is no limit.
    pub most_files: Option<u64>,
}

impl ProcessFigures {
    /// Of these texts of the kernel: stat, status and limits of the process, and stat of the machine. They do
    /// not say how many files are open.
    pub fn of(stat: &str, status: &str, limits: &str, machine: &str) -> Self {
        // The name in brackets may hold anything, so it is counted from its end: the third field is first.
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let seconds = |number| ticks(number).map(|ticks| ticks / TICKS_PER_SECOND);
        let kibibytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|count| count * 1024)
        };
        let booted_at = machine.lines().find_map(|line| line.strip_prefix("btime "));
        let booted_at = booted_at.and_then(|text| text.trim().parse::<f64>().ok());
        let most = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        let most = most.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        Self {
            cpu_seconds: seconds(14).zip(seconds(15)).map(|(user, system)| user + system),
            started_at: seconds(22).zip(booted_at).map(|(since, boot)| boot + since),
            resident_bytes: kibibytes("VmRSS:"),
            virtual_bytes: kibibytes("VmSize:"),
            open_files: None,
            most_files: most,
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let figures = (self.0)();
        if let Some(seconds) = figures.cpu_seconds {
            let counter = ConstCounter::new(seconds);
            let help = "Processor time that the process has used";
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor(
                "process_cpu",
                help,
                Some(&Unit::Seconds),
                kind,
            )?)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let gauges = [
            (
                "process_start_time",
                "When the process began, Unix time",
                Some(Unit::Seconds),
                figures.started_at,
            ),
            (
                "process_resident_memory",
                "Memory that the process has in use",
                Some(Unit::Bytes),
                figures.resident_bytes.map(|bytes| bytes as f64),
            ),
            (
                "process_virtual_memory",
                "Addresses that the process has set aside",
                Some(Unit::Bytes),
                figures.virtual_bytes.map(|bytes| bytes as f64),
            ),
            (
                "process_open_fds",
                "Files and connections that the process has open",
                None,
                figures.open_files.map(|count| count as f64),
            ),
            (
                "process_max_fds",
                "How many files and connections it may have open",
                None,
                figures.most_files.map(|count| count as f64),
            ),
        ];
        for (name, help, unit, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, unit.as_ref(), kind)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 900 0 1 0 250 50 0 0 20 0 9 0 12345 1000 200";
        let status = "Name:\ta\nVmSize:\t    2048 kB\nVmRSS:\t     512 kB\n";
        let limits =
            "Limit  Soft  Hard\nMax open files            1024                 4096  files\n";
        let figures = ProcessFigures::of(stat, status, limits, "cpu 1 2\nbtime 1700000000\n");
        assert_eq!(
            figures,
            ProcessFigures {
                cpu_seconds: Some(3.0),
                started_at: Some(1_700_000_123.45),
                resident_bytes: Some(512 * 1024),
                virtual_bytes: Some(2048 * 1024),
                open_files: None,
                most_files: Some(1024),
            }
        );
        assert_eq!(ProcessFigures::of("", "", "", ""), ProcessFigures::default());
        let unlimited = "Max open files            unlimited            unlimited  files\n";
        assert_eq!(ProcessFigures::of("", "", unlimited, "").most_files, None);
    }
}
