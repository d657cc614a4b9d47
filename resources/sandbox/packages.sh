#!/bin/sh
# Installs Debian's packages. Runs as root inside the new system, in this folder.
set -eu
export DEBIAN_FRONTEND=noninteractive

# What nobody reads in a sandbox is not even unpacked; a torn image is thrown away, so nothing needs an fsync.
cat >/etc/dpkg/dpkg.cfg.d/vibedesk <<END
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
END

apt-get update
apt-get upgrade --yes
# shellcheck disable=SC2046 # one word for each package
apt-get install --yes --no-install-recommends $(cat packages.txt)
