# Sourced by deploy/check.sh: images with the names that the compose files and Dockerfiles use, made here
# because a machine without a Docker engine usually has no Docker Hub either. Needs a network.
# shellcheck shell=bash

base_image=debian:bookworm-slim
postgres_image=postgres:15
kafka_image=apache/kafka:4.1.0

# image_missing IMAGE MARK: true unless IMAGE is there, made from the sources whose hash is MARK.
image_missing() {
    [ "$(docker image inspect --format '{{index .Config.Labels "websentry.check"}}' "$1" 2>/dev/null)" \
        != "$2" ]
}

# images_prepare CHECK_FOLDER CACHE: make those of the three that are missing or out of date.
images_prepare() {
    local check=$1 cache=$2 mark
    mark=$(cd "$check" && cat images.sh postgres/* kafka/* | sha256sum | cut -c1-16)
    if ! docker image inspect "$base_image" >/dev/null 2>&1; then
        echo "making $base_image"
        if [ ! -e "$cache/rootfs.complete" ]; then
            rm -rf "$cache/rootfs"
            debootstrap --variant=minbase --include=ca-certificates bookworm "$cache/rootfs" \
                >"$cache/debootstrap.log" 2>&1 || { tail -5 "$cache/debootstrap.log" >&2; return 1; }
            touch "$cache/rootfs.complete"
        fi
        tar -C "$cache/rootfs" --exclude='./dev/*' --exclude='./var/cache/apt/archives/*.deb' -c . |
            docker import - "$base_image" >/dev/null
        rm -rf "$cache/rootfs" "$cache/rootfs.complete"
    fi
    if image_missing "$postgres_image" "$mark"; then
        echo "making $postgres_image"
        docker build --quiet --network=host --label "websentry.check=$mark" \
            --tag "$postgres_image" "$check/postgres" >/dev/null
    fi
    if image_missing "$kafka_image" "$mark"; then
        echo "making $kafka_image"
        rm -rf "$cache/kafka"
        mkdir "$cache/kafka"
        cp "$check"/kafka/{Dockerfile,run,kafka-topics.sh} "$cache/kafka/"
        mvn -q -B -f "$check/kafka/pom.xml" dependency:copy-dependencies \
            -DoutputDirectory="$cache/kafka/libs" >"$cache/maven.log" 2>&1 ||
            { tail -5 "$cache/maven.log" >&2; return 1; }
        docker build --quiet --network=host --label "websentry.check=$mark" \
            --tag "$kafka_image" "$cache/kafka" >/dev/null
        rm -r "$cache/kafka"
    fi
}
