//! One broker of the tests: a Java process, its ports and its folder.
//!
//! Java is started through `target/kafka/run`, which `tests/kafka/fetch.sh` writes: here, or in a
//! container that shares this machine's process ids. So a broker's process is known by the id that
//! it wrote into its folder, not by the child that was spawned.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use super::{eventually, project};

/// Partitions of each of the two topics in which Kafka keeps offsets and transactions: few, so
/// that a cluster is whole again soon, and more than one, so that their leaders differ.
const INTERNAL_PARTITIONS: u32 = 4;

/// Ports are taken from here: below those that the kernel gives to outgoing connections, so that
/// a killed broker finds its own free when it is started again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that nobody listens at, and that is not given twice.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let span = u32::from(PORTS.end - PORTS.start);
    // Test binaries that run side by side begin at different places.
    let begin = std::process::id().wrapping_mul(97) % span;
    eventually("a free port", || {
        let step = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from((begin + step) % span).unwrap();
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    })
}

/// Runs a Java program of the broker's jars, or says how to get them.
pub(crate) fn java() -> Command {
    let run = project().join("target/kafka/run");
    assert!(
        run.exists(),
        "Kafka is not here: run tests/kafka/fetch.sh, as `make test` does, or name running \
         brokers in CONFLICTWIRE_TEST_KAFKA"
    );
    let mut command = Command::new(run);
    command.stdin(Stdio::null()).current_dir(project());
    command
}

/// The class path of every such program.
pub(crate) fn class_path() -> String {
    format!("{}/*", project().join("target/kafka/jars").display())
}

/// Runs a command to its end.
///
/// # Panics
/// If it fails, with everything it wrote.
pub(crate) fn complete(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

/// What one node of a cluster listens at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// From 1.
    pub(crate) id: i32,
    /// Brokers and clients of the tests.
    pub(crate) broker: u16,
    /// Controllers.
    pub(crate) controller: u16,
}

/// What all nodes of a cluster have in common.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Each node's folder is below it.
    pub(crate) folder: PathBuf,
    /// The nodes.
    pub(crate) ports: Vec<Ports>,
    /// Further listeners, as `,NAME://127.0.0.1:1`, and their protocols, as `,NAME:SASL_SSL`.
    pub(crate) listeners: (String, String),
    /// Further properties.
    pub(crate) properties: String,
    /// Further arguments of `StorageTool format`.
    pub(crate) format: Vec<String>,
}

impl Plan {
    /// Of so many nodes, with nothing further.
    pub(crate) fn new(folder: &Path, nodes: i32) -> Self {
        let ports = (1..=nodes)
            .map(|id| Ports { id, broker: free_port(), controller: free_port() })
            .collect();
        Self {
            folder: folder.to_owned(),
            ports,
            listeners: Default::default(),
            properties: String::new(),
            format: Vec::new(),
        }
    }

    fn properties(&self, node: Ports, folder: &Path) -> String {
        let voters: Vec<String> = self
            .ports
            .iter()
            .map(|node| format!("{}@127.0.0.1:{}", node.id, node.controller))
            .collect();
        let copies = self.ports.len().min(3);
        let in_sync = copies.min(2);
        let (listeners, protocols) = &self.listeners;
        let mut text = format!(
            "process.roles=broker,controller\n\
             node.id={id}\n\
             controller.quorum.voters={voters}\n\
             listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{listeners}\n\
             advertised.listeners=BROKER://127.0.0.1:{broker}{listeners}\n\
             listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=BROKER\n\
             log.dirs={folder}/data\n\
             auto.create.topics.enable=false\n\
             default.replication.factor={copies}\n\
             min.insync.replicas={in_sync}\n\
             offsets.topic.replication.factor={copies}\n\
             offsets.topic.num.partitions={INTERNAL_PARTITIONS}\n\
             transaction.state.log.replication.factor={copies}\n\
             transaction.state.log.min.isr={in_sync}\n\
             transaction.state.log.num.partitions={INTERNAL_PARTITIONS}\n",
            id = node.id,
            voters = voters.join(","),
            broker = node.broker,
            controller = node.controller,
            folder = folder.display(),
        );
        text.push_str(PROMPT);
        writeln!(text, "{}", self.properties).unwrap();
        text
    }
}

/// A broker that notices in seconds what it else would in minutes, and needs few threads.
const PROMPT: &str = "\
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=5000
log.cleaner.backoff.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.initial.task.delay.ms=1000
num.network.threads=2
num.io.threads=4
background.threads=2
";

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Serving, or about to.
    Running,
    /// Nothing: its process is stopped by a signal, its connections are open.
    Paused,
    /// Nothing: its process was killed.
    Dead,
}

/// One broker, which is a controller too.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its id.
    pub(crate) id: i32,
    /// What it is doing.
    pub(crate) doing: Doing,
    folder: PathBuf,
    child: Child,
    process: u32,
}

impl Node {
    /// Makes a node's folder ready for its first start.
    pub(crate) fn format(plan: &Plan, node: Ports, cluster: &str) {
        let folder = folder_of(plan, node.id);
        std::fs::create_dir(&folder).unwrap();
        let properties = folder.join("node.properties");
        std::fs::write(&properties, plan.properties(node, &folder)).unwrap();
        let mut command = java();
        command.args(["java", "-XX:TieredStopAtLevel=1", "-cp", &class_path()]);
        command.args(["kafka.tools.StorageTool", "format", "-t", cluster, "-c"]);
        command.arg(properties).args(&plan.format);
        complete(command);
    }

    /// Starts it. That it serves is another matter.
    pub(crate) fn start(plan: &Plan, id: i32) -> Self {
        let folder = folder_of(plan, id);
        let (child, process) = launch(&folder);
        Self { id, doing: Doing::Running, folder, child, process }
    }

    /// Starts it again after it was killed.
    pub(crate) fn restart(&mut self) {
        assert_eq!(self.doing, Doing::Dead, "node {} was not killed", self.id);
        (self.child, self.process) = launch(&self.folder);
        self.doing = Doing::Running;
    }

    /// Kills it at once, by SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.child.wait().unwrap();
        self.doing = Doing::Dead;
    }

    /// Stops its process where it is.
    pub(crate) fn pause(&mut self) {
        self.signal("STOP");
        self.doing = Doing::Paused;
    }

    /// Lets its process go on.
    pub(crate) fn resume(&mut self) {
        self.signal("CONT");
        self.doing = Doing::Running;
    }

    /// Whether its process has ended without being asked to.
    pub(crate) fn has_failed(&mut self) -> bool {
        self.doing != Doing::Dead && self.child.try_wait().unwrap().is_some()
    }

    /// The end of what it wrote.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn signal(&self, name: &str) {
        assert_ne!(self.doing, Doing::Dead, "node {} is dead", self.id);
        let kill = format!("kill -{name} {}", self.process);
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }
}

fn folder_of(plan: &Plan, id: i32) -> PathBuf {
    plan.folder.join(format!("node{id}"))
}

/// The child that was spawned, and the process id of Java, which may be another.
fn launch(folder: &Path) -> (Child, u32) {
    let file = folder.join("pid");
    // Absent at the first start.
    drop(std::fs::remove_file(&file));
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let logging = project().join("tests/kafka/log4j2.properties");
    let mut command = java();
    command
        .args(["sh", "-c", "echo $$ >\"$0\" && exec java \"$@\""])
        .arg(&file)
        // Lives for a minute or two: the second compiler would cost more than it gives back.
        .args(["-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg(format!("-Dlog4j2.configurationFile={}", logging.display()))
        .args(["-cp", &class_path(), "kafka.Kafka"])
        .arg(folder.join("node.properties"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        // Out of reach of the Ctrl-C that ends the tests: the guard ends it, and cleans up.
        .process_group(0);
    let child = command.spawn().unwrap();
    let process = eventually("the process id of a broker", || {
        std::fs::read_to_string(&file).ok()?.trim().parse().ok()
    });
    (child, process)
}

/// Lets a process of its own kill the brokers below a folder, and remove the folder, as soon as
/// this process has ended, however it ends: it then reads the end of a pipe. Statics are not
/// dropped, and a test binary may be killed.
pub(crate) fn guard(folder: &Path) {
    const SCRIPT: &str = "\
        trap '' HUP INT TERM
        read -r folder
        cat >/dev/null
        for file in \"$folder\"/*/pid; do
            pid=$(cat \"$file\")
            # Only if it is still what it was: ids are given again.
            command=$(tr '\\0' ' ' <\"/proc/$pid/cmdline\" || ps -o args= -p \"$pid\")
            case $command in *\"$folder\"*) kill -9 \"$pid\" ;; esac
        done 2>/dev/null
        # What is being killed may still write.
        rm -rf \"$folder\" 2>/dev/null || { sleep 1; rm -rf \"$folder\"; }";
    #[expect(clippy::zombie_processes, reason = "it is there to outlive this process")]
    let mut guard = Command::new("sh")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut pipe = guard.stdin.take().unwrap();
    writeln!(pipe, "{}", folder.display()).unwrap();
    // Open for as long as this process lives, by never being dropped.
    std::mem::forget(pipe);
}
