# The image of the program: what it is linked with, the certificate authorities, and nothing else; no shell.
# Runs as uid 10001 with a read-only root file system; the outbox wants a volume at /var/lib/websentry.
FROM debian:bookworm-slim AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY packaging/apt-build.txt /tmp/
# hadolint ignore=DL3008
RUN apt-get update -q \
    && sed 's/#.*//' /tmp/apt-build.txt | DEBIAN_FRONTEND=noninteractive \
        xargs apt-get install -yq --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN meson setup /build --prefix=/usr -Dtests=false -Dbuildtype=debugoptimized \
    && ninja -C /build \
    && meson install -C /build --no-rebuild --strip --destdir /image \
    && packaging/image-root.sh /image \
    && mkdir /state

FROM scratch
COPY --from=build /image /
COPY --from=build --chown=10001:10001 /state /var/lib/websentry
ENV WEBSENTRY_DATA_DIR=/var/lib/websentry
USER 10001:10001
WORKDIR /var/lib/websentry
ENTRYPOINT ["/usr/bin/websentry"]
CMD ["--help"]
