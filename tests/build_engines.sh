#!/usr/bin/env bash
# Builds the engines that come in no wheel into $(go env GOPATH)/bin, each unless the version that
# is pinned here is there already. Name them to build only some: tests/build_engines.sh minio grpcurl
set -euo pipefail

engines=${*:-minio weaviate grpcurl kustomize prometheus postgres}

if ! command -v go > /dev/null; then
    echo "Go is missing here, so these cannot be built: $engines." >&2
    echo "With Docker, \`docker compose up\` runs MinIO and Weaviate instead; tests that need them" >&2
    echo "as programs are skipped with their names." >&2
    exit 1
fi
bin="$(go env GOPATH)/bin"

build() { # <binary> <package> <module> <version>
    local built
    built=$(go version -m "$bin/$1" 2> /dev/null | awk '$1 == "mod" {print $2 "@" $3}' || true)
    if [ "$built" = "$3@$4" ]; then
        echo "$1 $4 is there"
    else
        echo "building $1 $4 (minutes, the first time)"
        go install "$2@$4"
    fi
}

unpack() { # <package> <binaries>, out of Debian's package
    local package=$1
    shift
    if [ -x "$bin/$1" ] && [ -x "$bin/${!#}" ]; then
        echo "$package is there"
    elif command -v apt-get dpkg-deb > /dev/null; then
        echo "unpacking $package"
        local folder
        folder=$(mktemp -d)
        chmod 755 "$folder"
        # A new machine has no lists of packages yet; only root may fetch them.
        (cd "$folder" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; } } &&
            dpkg-deb --extract ./*.deb . && mkdir -p "$bin" && install "${@/#/usr/bin/}" "$bin") ||
            missing "$package"
        rm -r "$folder"
    else
        missing "$package"
    fi
}

missing() { # <binary>
    echo "$1 is missing here; install it, or tests that need it are skipped" >&2
}

for engine in $engines; do
    case "$engine" in
        minio)
            module=github.com/minio/minio
            build minio $module $module v0.0.0-20260212201848-7aac2a2c5b7c ;;
        weaviate)
            module=github.com/weaviate/weaviate
            build weaviate-server $module/cmd/weaviate-server $module v1.39.0 ;;
        grpcurl)
            module=github.com/fullstorydev/grpcurl
            build grpcurl $module/cmd/grpcurl $module v1.9.3 ;;
        kustomize)
            module=sigs.k8s.io/kustomize/kustomize/v5
            build kustomize $module $module v5.7.1 ;;
        prometheus) unpack prometheus prometheus promtool ;;
        postgres) # Debian's has TLS, the wheel's has not; to install it starts a server, so that is yours
            if ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1; then
                echo "postgres is there"
            else
                missing "postgres (Debian's package postgresql)"
            fi ;;
        *) echo "unknown engine: $engine" >&2; exit 2 ;;
    esac
done
