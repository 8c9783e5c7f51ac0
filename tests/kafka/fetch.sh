#!/bin/sh
# Makes ready what the Kafka tests run: the broker's jars in target/kafka/jars, and
# target/kafka/run, through which the tests start Java. Does nothing the second time.
#
# By what is there, in this order: brokers that already run (CONFLICTWIRE_TEST_KAFKA); Java 17 or
# newer and Maven; Debian and the right to install those two; a docker engine. With none of them it
# says what is missing and fails: a test that needs Kafka never passes by not running.
set -eu
cd "$(dirname "$0")/../.."

KAFKA=4.3.0
IMAGE=apache/kafka:$KAFKA
folder=target/kafka
stamp="$KAFKA $(cksum <tests/kafka/pom.xml)"

say() {
    printf 'kafka: %s\n' "$*" >&2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# The first number of `java -version`: 17 of "17.0.15".
has_java() {
    has java && has keytool || return 1
    version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 17 ]
}

has_maven() {
    has_java && has mvn
}

may_install() {
    has apt-get && [ -e /etc/debian_version ] && [ "$(id -u)" = 0 ]
}

# A docker command without an engine behind it is of no use.
has_docker() {
    has docker && docker info >/dev/null 2>&1
}

is_ready() {
    [ -x $folder/run ] && [ "$(cat $folder/stamp 2>/dev/null)" = "$stamp" ] || return 1
    # Java may have been removed since. In a container it comes with the image.
    grep -q docker $folder/run || has_java
}

install_java_and_maven() {
    say "installing openjdk-17-jre-headless and maven with apt-get"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless maven >/dev/null
}

fetch_with_maven() {
    say "fetching Kafka $KAFKA with Maven"
    mvn -q -B -Dstyle.color=never -f tests/kafka/pom.xml dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$PWD/$folder/jars"
    run_here
}

fetch_from_image() {
    say "taking Kafka out of the image $IMAGE"
    container=$(docker create $IMAGE)
    docker cp "$container:/opt/kafka/libs" $folder/jars
    docker rm "$container" >/dev/null
    if has_java; then
        run_here
    else
        say "no Java here: the brokers will run in containers of $IMAGE"
        run_in_container
    fi
}

run_here() {
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec "$@"\n' >$folder/run
}

# As if it ran here: the network, the files and the process ids are those of the host, so that the
# tests can reach, configure and kill what they start. Tried with a stand-in for docker only, not
# with an engine; and an engine that is not Linux's own has no such network: where this fails, name
# brokers in CONFLICTWIRE_TEST_KAFKA.
run_in_container() {
    cat >$folder/run <<'EOF'
#!/bin/sh
exec docker run --rm --interactive --network host --pid host --user "$(id -u):$(id -g)" \
    --volume "$PWD:$PWD" --volume "${TMPDIR:-/tmp}:${TMPDIR:-/tmp}" --workdir "$PWD" \
    --entrypoint /usr/bin/env IMAGE "$@"
EOF
    sed -i "s|IMAGE|$IMAGE|" $folder/run
}

if [ -n "${CONFLICTWIRE_TEST_KAFKA:-}" ]; then
    say "the tests use the brokers at $CONFLICTWIRE_TEST_KAFKA"
    exit 0
fi
if is_ready; then
    exit 0
fi
rm -rf $folder
mkdir -p $folder
if ! has_maven && may_install; then
    # Whoever has no network may still have the image.
    install_java_and_maven || say "apt-get did not install them"
fi
if has_maven; then
    fetch_with_maven
elif has_docker; then
    fetch_from_image
else
    missing=
    has_java || missing="$missing; Java 17 or newer (java and keytool)"
    has mvn || missing="$missing; Maven (mvn)"
    has_docker || missing="$missing; or instead of both a docker engine that answers"
    say "the Kafka tests cannot run here. Missing: ${missing#; }"
    say "on Debian: apt-get install openjdk-17-jre-headless maven"
    say "or name brokers that already run: CONFLICTWIRE_TEST_KAFKA=127.0.0.1:9092"
    exit 1
fi
chmod +x $folder/run
printf '%s\n' "$stamp" >$folder/stamp
