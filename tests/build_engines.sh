#!/bin/sh
# Builds the engines that come in no wheel into $(go env GOPATH)/bin, each unless it is there.
# Name them to build only some: tests/build_engines.sh minio grpcurl
set -eu

bin="$(go env GOPATH)/bin"

build() { # <binary> <module@version>
    if [ -x "$bin/$1" ]; then
        echo "$1 is there"
    else
        echo "building $1 (minutes, the first time)"
        go install "$2"
    fi
}

for engine in ${*:-minio weaviate grpcurl}; do
    case "$engine" in
        minio) build minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c ;;
        weaviate) build weaviate-server github.com/weaviate/weaviate/cmd/weaviate-server@v1.39.0 ;;
        grpcurl) build grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3 ;;
        *) echo "unknown engine: $engine" >&2; exit 2 ;;
    esac
done
