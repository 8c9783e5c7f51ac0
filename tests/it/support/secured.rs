//! Kafka that lets in only whom it knows: one node with TLS, SCRAM passwords and access rights.
//!
//! Started when the first test asks. Tests share it and its users, so each gives rights to names of
//! its own. The harness itself comes in by the listener between brokers, which asks nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rdkafka::ClientConfig;

use super::broker::{Cluster, own_folder};
use super::node::{Plan, class_path, complete, free_port, java};
use super::wait_until;

/// Those with a password. Only the first may do what it was not given a right to.
const USERS: [&str; 3] = ["admin", "daemon", "stranger"];

/// Of the key store, which lives as long as the test.
const STORE_PASSWORD: &str = "not-a-secret";

/// The cluster, and where its clients come in.
pub(crate) struct Secured {
    cluster: Cluster,
    port: u16,
    authority: PathBuf,
}

/// What a right is about. Names are prefixes of names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource<'a> {
    /// Topics.
    Topic(&'a str),
    /// Transactional ids.
    TransactionalId(&'a str),
    /// Consumer groups.
    Group(&'a str),
    /// The cluster itself.
    Cluster,
}

/// What becomes of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
}

impl Change {
    fn option(self) -> &'static str {
        match self {
            Self::Add => "--add",
            Self::Remove => "--remove",
        }
    }
}

impl Cluster {
    /// The cluster that asks for a password.
    #[track_caller]
    pub(crate) fn secured() -> &'static Secured {
        static SECURED: OnceLock<Secured> = OnceLock::new();
        SECURED.get_or_init(Secured::start)
    }
}

impl Secured {
    fn start() -> Self {
        let folder = own_folder();
        let store = folder.join("broker.p12");
        let authority = folder.join("authority.pem");
        make_certificate(&store, &authority);
        let port = free_port();
        let mut plan = Plan::new(&folder, 1);
        plan.listeners = (format!(",CLIENT://127.0.0.1:{port}"), ",CLIENT:SASL_SSL".to_owned());
        // Whoever comes by another listener is the harness, or the broker itself.
        plan.properties = format!(
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
             super.users=User:admin;User:ANONYMOUS\n\
             sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             listener.name.client.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             ssl.keystore.type=PKCS12\n\
             ssl.keystore.location={}\n\
             ssl.keystore.password={STORE_PASSWORD}",
            store.display(),
        );
        for user in USERS {
            let password = password(user);
            plan.format.push("--add-scram".to_owned());
            plan.format.push(format!("SCRAM-SHA-512=[name={user},password={password}]"));
        }
        Self { cluster: Cluster::run(&plan), port, authority }
    }

    /// The same brokers without the questions: for making topics and reading them.
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Where clients come in: the value of `bootstrap.servers`.
    pub(crate) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The certificate that vouches for the brokers, as PEM.
    pub(crate) fn authority(&self) -> &Path {
        &self.authority
    }

    /// What a client is configured with to come in as a user, `bootstrap.servers` included.
    pub(crate) fn client_properties(&self, user: &str) -> Vec<(&'static str, String)> {
        vec![
            ("bootstrap.servers", self.bootstrap()),
            ("security.protocol", "sasl_ssl".to_owned()),
            ("ssl.ca.location", self.authority.display().to_string()),
            ("sasl.mechanism", "SCRAM-SHA-512".to_owned()),
            ("sasl.username", user.to_owned()),
            ("sasl.password", password(user)),
        ]
    }

    /// The start of such a client's configuration.
    pub(crate) fn client(&self, user: &str) -> ClientConfig {
        let mut client = ClientConfig::new();
        for (key, value) in self.client_properties(user) {
            client.set(key, value);
        }
        client
    }

    /// Gives a user rights: "Read", "Write", "Describe", "Create".
    #[track_caller]
    pub(crate) fn allow(&self, user: &str, operations: &[&str], resource: Resource<'_>) {
        self.change(Change::Add, user, operations, resource);
    }

    /// Takes rights from a user again.
    #[track_caller]
    pub(crate) fn take_back(&self, user: &str, operations: &[&str], resource: Resource<'_>) {
        self.change(Change::Remove, user, operations, resource);
    }

    /// Changes rights, and waits until the broker goes by them: a change is answered when it is
    /// decided, and a slow broker hears of its own decisions later.
    #[track_caller]
    fn change(&self, change: Change, user: &str, operations: &[&str], resource: Resource<'_>) {
        let mut command = self.acl_command(resource);
        command.args([change.option(), "--force"]);
        command.args(["--allow-principal", &format!("User:{user}")]);
        for operation in operations {
            command.args(["--operation", operation]);
        }
        // It lists what holds afterwards.
        let mut listed = complete(command);
        wait_until(format!("{change:?} of {operations:?} for {user}"), || {
            let now = listed.rsplit("Current ACLs for resource").next().unwrap_or_default();
            let is_given = |operation: &&str| {
                let operation = format!("operation={}", operation.to_uppercase());
                let mut lines = now.lines().filter(|line| line.contains(&format!("User:{user},")));
                lines.any(|line| line.contains(&operation))
            };
            let is_done = match change {
                Change::Add => operations.iter().all(is_given),
                Change::Remove => !operations.iter().any(is_given),
            };
            if !is_done {
                let mut list = self.acl_command(resource);
                list.arg("--list");
                listed = complete(list);
            }
            is_done
        });
    }

    fn acl_command(&self, resource: Resource<'_>) -> Command {
        let mut command = java();
        command.args(["java", "-XX:TieredStopAtLevel=1", "-cp", &class_path()]);
        command.args(["org.apache.kafka.tools.AclCommand"]);
        command.args(["--bootstrap-server", self.cluster.bootstrap()]);
        match resource {
            Resource::Topic(name) => command.args(["--topic", name]),
            Resource::TransactionalId(name) => command.args(["--transactional-id", name]),
            Resource::Group(name) => command.args(["--group", name]),
            Resource::Cluster => command.arg("--cluster"),
        };
        if !matches!(resource, Resource::Cluster) {
            command.args(["--resource-pattern-type", "prefixed"]);
        }
        command
    }
}

/// A user's password.
pub(crate) fn password(user: &str) -> String {
    format!("{user}-of-the-tests")
}

/// A key and a certificate for 127.0.0.1 that vouches for itself; the certificate as PEM too.
fn make_certificate(store: &Path, authority: &Path) {
    let keytool = |arguments: &[&str]| -> String {
        let mut command: Command = java();
        command.arg("keytool").args(arguments);
        command.args(["-alias", "broker", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]);
        command.arg("-keystore").arg(store);
        complete(command)
    };
    let name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1,dns:localhost"];
    let key = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"];
    keytool(&[&key[..], &name[..]].concat());
    let text = keytool(&["-exportcert", "-rfc"]);
    // What else Java has to say comes before or after the certificate.
    let begin = text.find("-----BEGIN CERTIFICATE-----").unwrap();
    fs::write(authority, &text[begin..]).unwrap();
}
