//! Says how the Kafka topics must look, and creates those that are missing.
//!
//! What they must look like is `ledger::kafka::topics`'s; this file asks, prints and tells whether
//! it will do.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use clap::Subcommand;
use cw_decide::lane::wire::Target;
use cw_status::shown::Shown;

use super::Exit;
use super::check::{cell, counted, spinner};
use super::show::{Medium, QUIET, STRONG};
use super::table::Table;
use crate::config;
use crate::ledger::kafka::client::Brokers;
use crate::ledger::kafka::cluster::{Cluster, Creation};
use crate::ledger::kafka::error::AccessError;
use crate::ledger::kafka::settings::KafkaSettings;
use crate::ledger::kafka::topics::{
    Choice, PARTITIONS, REPLICATION, TopicNow, TopicPlan, Weight, command, differences, plan,
    risks, shown,
};

/// How long a plan waits for Kafka: it is worth something without it.
const PLAN_WAIT: Duration = Duration::from_secs(5);

/// How long `apply` does.
const APPLY_WAIT: Duration = Duration::from_secs(15);

const GOOD: Style = AnsiColor::Green.on_default();
const RISKY: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// What the topics of the Kafka ledger must look like.
#[derive(Debug, clap::Args)]
pub struct TopicsArgs {
    #[command(subcommand)]
    command: TopicsCommand,
}

#[derive(Debug, Subcommand)]
enum TopicsCommand {
    /// Say how each topic must look, why, and how it is now
    ///
    /// Changes nothing. Works without Kafka too, and then says so.
    Plan(ChoiceArgs),
    /// Create the topics that are missing; change nothing that exists
    ///
    /// May be run again and again. Exits 1 unless every topic is there afterwards and can be used;
    /// what else differs from the plan is told.
    Apply(ChoiceArgs),
}

#[derive(Debug, clap::Args)]
struct ChoiceArgs {
    /// Partitions of the topics of articles, conflict and rejects; the state topic has kafka.lanes
    #[arg(long, value_name = "COUNT", default_value_t = PARTITIONS,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    partitions: u32,
    /// Copies of each partition [default: 3, or as many as there are brokers]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=32))]
    replication: Option<u32>,
}

impl ChoiceArgs {
    /// What is planned for so many brokers; without a number, for as many as are needed.
    fn choice(&self, brokers: Option<usize>) -> Choice {
        let brokers = brokers.map_or(REPLICATION, |count| u32::try_from(count).unwrap_or(u32::MAX));
        let replication = self.replication.unwrap_or(REPLICATION.min(brokers.max(1)));
        Choice { partitions: self.partitions, replication }
    }
}

/// Runs the command.
///
/// # Errors
/// What stopped it, for a person.
pub fn run(args: &TopicsArgs, config: Option<&Path>) -> anyhow::Result<Exit> {
    let settings = config::load(config)?.ledger.into_kafka()?;
    let runtime = super::runtime().context("could not start the runtime")?;
    match &args.command {
        TopicsCommand::Plan(args) => runtime.block_on(show_plan(args, &settings)),
        TopicsCommand::Apply(args) => runtime.block_on(apply(args, &settings)),
    }
}

// Both run on the main thread, so that asking may block: nothing else waits for it.

async fn show_plan(args: &ChoiceArgs, settings: &KafkaSettings) -> anyhow::Result<Exit> {
    let asking = spinner("asking Kafka");
    let found = Cluster::connect(settings, PLAN_WAIT);
    let brokers = found.as_ref().ok().map(|cluster| cluster.brokers().count());
    let choice = args.choice(brokers);
    let plans = plan(settings, choice);
    let mut now = Vec::new();
    if let Ok(cluster) = &found {
        now = cluster.topics(&plans).await;
    }
    asking.finish_and_clear();
    let mut out = anstream::stdout().lock();
    for (index, plan) in plans.iter().enumerate() {
        write_plan(&mut out, plan)?;
        if let Some(now) = now.get(index) {
            write!(out, "now: ")?;
            write_now(&mut out, plan, now)?;
        }
        writeln!(out)?;
    }
    write_risks(&mut out, choice)?;
    match found {
        Ok(cluster) => {
            let next = match now.iter().all(Result::is_ok) {
                true => "every topic is there",
                false => "`conflictwire topics apply` creates what is missing",
            };
            let brokers = brokers_text(cluster.brokers());
            writeln!(out, "{brokers} at {}; {next}", settings.shown_brokers())?;
        }
        Err(error) => writeln!(out, "{RISKY}this is the plan only:{RISKY:#} {}", Shown(error))?,
    }
    Ok(Exit::Fine)
}

async fn apply(args: &ChoiceArgs, settings: &KafkaSettings) -> anyhow::Result<Exit> {
    let asking = spinner("asking Kafka");
    let cluster = Cluster::connect(settings, APPLY_WAIT).context(
        "nothing was created; see kafka.brokers and kafka.properties, and try again when Kafka \
         answers",
    )?;
    let choice = args.choice(Some(cluster.brokers().count()));
    let plans = plan(settings, choice);
    let before = cluster.topics(&plans).await;
    // One that is hidden may be missing too; whoever may create it will be told if it exists.
    let is_wanted = |now: &Result<TopicNow, AccessError>| {
        matches!(now, Err(AccessError::Missing(_) | AccessError::NotAllowed(_)))
    };
    let wanted: Vec<&TopicPlan> =
        plans.iter().zip(&before).filter(|(_, now)| is_wanted(now)).map(|(plan, _)| plan).collect();
    let created = cluster.create(&wanted).await;
    let after = cluster.topics(&plans).await;
    asking.finish_and_clear();

    let mut out = anstream::stdout().lock();
    let mut unusable = 0;
    let mut not_allowed = Vec::new();
    for (plan, now) in plans.iter().zip(&after) {
        let creation = wanted.iter().zip(&created).find(|(wanted, _)| wanted.name == plan.name);
        let is_usable = match creation.map(|(_, creation)| creation) {
            Some(Creation::Created) => {
                writeln!(out, "{}  {GOOD}created{GOOD:#}, {}", plan.name, size(plan))?;
                write_differences(&mut out, plan, now)?
            }
            Some(Creation::NotAllowed(why)) => {
                let name = &plan.name;
                let is_hidden = matches!(now, Err(AccessError::NotAllowed(_)));
                let hidden = if is_hidden { "hidden from this user, and " } else { "" };
                writeln!(out, "{name}  {hidden}{BAD}cannot be created:{BAD:#} {}", Shown(why))?;
                not_allowed.push(plan);
                false
            }
            Some(Creation::Refused(why)) => {
                writeln!(out, "{}  {BAD}cannot be created:{BAD:#} {}", plan.name, Shown(why))?;
                false
            }
            Some(Creation::Existed) | None => {
                write!(out, "{}  ", plan.name)?;
                write_now(&mut out, plan, now)?
            }
        };
        unusable += usize::from(!is_usable);
    }
    write_risks(&mut out, choice)?;
    if !not_allowed.is_empty() {
        writeln!(out, "\nwho has the right to create topics can do so with Kafka's own tools:")?;
        for plan in not_allowed {
            writeln!(out, "{}", command(plan, &settings.shown_brokers()))?;
        }
    }
    if unusable == 0 {
        writeln!(out, "all topics are there")?;
        return Ok(Exit::Fine);
    }
    writeln!(out, "{BAD}{unusable} of {} topics cannot be used{BAD:#}", plans.len())?;
    Ok(Exit::Failed)
}

/// How many brokers there are, and which of them are away.
fn brokers_text(brokers: &Brokers) -> String {
    if brokers.away.is_empty() {
        return counted(brokers.there.len(), "broker");
    }
    let away: Vec<String> = brokers.away.iter().map(i32::to_string).collect();
    format!(
        "{} of {} ({} away)",
        brokers.there.len(),
        counted(brokers.count(), "broker"),
        away.join(", ")
    )
}

fn size(plan: &TopicPlan) -> String {
    let partitions = usize::try_from(plan.partitions).unwrap_or(usize::MAX);
    format!("{}, replication {}", counted(partitions, "partition"), plan.replication)
}

fn write_plan(out: &mut impl Write, plan: &TopicPlan) -> std::io::Result<()> {
    let partitions_why = match plan.target {
        Target::State => "kafka.lanes; fixed for a deployment",
        Target::Articles | Target::Conflict | Target::Rejects => {
            "so many readers of one group can share it"
        }
    };
    let name = &plan.name;
    writeln!(out, "{STRONG}{name}{STRONG:#}  {QUIET}{}{QUIET:#}", plan.target.text())?;
    let mut table = Table::new().indented(2).at_least([30, 18, 0]);
    let mut line = |key: &str, value: &str, why: &str| {
        table.row([cell(key, Style::new()), cell(value, Style::new()), cell(why, QUIET)]);
    };
    line("partitions", &plan.partitions.to_string(), partitions_why);
    let replication_why = if plan.replication < 2 {
        "one disk, one broker: nothing may fail"
    } else {
        "a disk or a broker may fail"
    };
    line("replication", &plan.replication.to_string(), replication_why);
    for setting in &plan.settings {
        line(setting.key, &shown(setting.key, &setting.value), setting.why);
    }
    table.write(out, Medium::of_stdout())
}

/// Writes how a topic is; says whether it can be used.
fn write_now(
    out: &mut impl Write,
    plan: &TopicPlan,
    now: &Result<TopicNow, AccessError>,
) -> std::io::Result<bool> {
    match now {
        Err(AccessError::Missing(_)) => writeln!(out, "{BAD}missing{BAD:#}")?,
        Err(AccessError::NotAllowed(_)) => writeln!(
            out,
            "{BAD}hidden{BAD:#}: Describe on topic {} is missing (Read or Write brings it), or there \
             is none",
            plan.name
        )?,
        Err(why) => writeln!(out, "{BAD}not known:{BAD:#} {}", Shown(why))?,
        Ok(now) if differences(plan, now).is_empty() => {
            writeln!(out, "{GOOD}as planned{GOOD:#}")?;
        }
        Ok(_) => writeln!(out, "{RISKY}differs{RISKY:#}")?,
    }
    write_differences(out, plan, now)
}

/// Writes in what a topic differs; says whether it can be used all the same.
fn write_differences(
    out: &mut impl Write,
    plan: &TopicPlan,
    now: &Result<TopicNow, AccessError>,
) -> std::io::Result<bool> {
    let Ok(now) = now else { return Ok(false) };
    let mut is_usable = true;
    for difference in differences(plan, now) {
        let style = match difference.weight {
            Weight::Wrong => BAD,
            Weight::Risk => RISKY,
            Weight::Note => Style::new(),
        };
        is_usable &= difference.weight != Weight::Wrong;
        writeln!(out, "  {style}{}{style:#}", Shown(&difference.text))?;
    }
    Ok(is_usable)
}

fn write_risks(out: &mut impl Write, choice: Choice) -> std::io::Result<()> {
    for risk in risks(choice.replication) {
        writeln!(out, "{BAD}WARNING:{BAD:#} {risk}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replication_is_three_or_as_many_as_there_are_brokers() {
        let args = ChoiceArgs { partitions: 12, replication: None };
        for (brokers, expected) in
            [(None, 3), (Some(0), 1), (Some(1), 1), (Some(2), 2), (Some(9), 3)]
        {
            assert_eq!(args.choice(brokers).replication, expected, "{brokers:?}");
        }
        let five = ChoiceArgs { replication: Some(5), ..args };
        assert_eq!(five.choice(Some(1)).replication, 5);
    }
}
