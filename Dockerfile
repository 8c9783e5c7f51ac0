# conflictwire in a container: no shell, no package manager, user 65532.
#
#   docker build -t conflictwire .
#   docker run --rm conflictwire demo
#   docker run -v conflictwire:/var/lib/conflictwire \
#              -v ./config:/etc/conflictwire:ro -p 127.0.0.1:9273:9273 --memory 2g conflictwire
#
# The limit of memory is twice run.memory; deploy/systemd/README.md has a profile for 300 MB.
#
# The build needs the two base images and crates.io, nothing else: SQLite, OpenSSL and librdkafka
# are built from the sources in their crates. Both bases can be replaced, by a mirror or a digest.

ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /build

# Dependencies first, against an empty program, so that a change of ours does not build them anew.
# Cargo wants every target that Cargo.toml names to exist; benchmark and tests stay empty.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo/
COPY src/model/Cargo.toml src/model/
COPY src/text/Cargo.toml src/text/
COPY src/places/Cargo.toml src/places/
COPY src/read/Cargo.toml src/read/
COPY src/code/Cargo.toml src/code/
COPY src/status/Cargo.toml src/status/
COPY src/decide/Cargo.toml src/decide/
COPY deploy/release.sh deploy/
RUN mkdir -p src benches/places benches/coder tests/it state \
    && for folder in src src/*/; do touch "${folder%/}/lib.rs"; done \
    && for file in src/main.rs src/code/build.rs benches/figures.rs benches/coder/main.rs benches/places/lgl.rs \
           benches/places/find.rs tests/it/main.rs; do \
         echo 'fn main() {}' >"$file"; \
       done \
    && deploy/release.sh

COPY config config
COPY src src
# The commit, which is not in the context: docker build --build-arg REVISION=$(git describe --always --dirty --abbrev=12)
ARG REVISION=unknown
# Cargo compares times, and those of the empty program are later than those of the files copied.
RUN touch src/main.rs src/lib.rs src/*/lib.rs src/code/build.rs \
    && CONFLICTWIRE_REVISION="${REVISION}" deploy/release.sh

# The image is not made of a binary that is not hardened.
COPY tests/release tests/release
RUN tests/release/hardened.sh

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="conflictwire" \
      org.opencontainers.image.description="Polls news feeds and turns them into an exactly-once stream of conflict-coded articles" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /build/target/released/conflictwire /usr/bin/conflictwire
COPY LICENSE NOTICE /usr/share/doc/conflictwire/
# Not the places and the model: they are in the binary.
COPY config/*.toml /etc/conflictwire/
COPY config/actors /etc/conflictwire/actors
COPY config/lexicon /etc/conflictwire/lexicon
# Empty, and the user's own: a new volume mounted there takes over both.
COPY --from=build --chown=65532:65532 --chmod=0700 /build/state /var/lib/conflictwire

# Where state lives; and not loopback, which nobody outside the container could reach.
ENV STATE_DIRECTORY=/var/lib/conflictwire \
    CONFLICTWIRE__ADMIN__LISTEN=0.0.0.0:9273

# By number, as Kubernetes needs it to see that this is not root.
USER 65532:65532
VOLUME ["/var/lib/conflictwire"]
EXPOSE 9273
# Of Docker; Kubernetes asks /healthz and /readyz itself.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["/usr/bin/conflictwire", "healthcheck", "--live"]

# The image is not made if the program does not start in it.
RUN ["/usr/bin/conflictwire", "--version"]

ENTRYPOINT ["/usr/bin/conflictwire"]
CMD ["run", "--config", "/etc/conflictwire/conflictwire.toml"]
