#!/bin/sh
# Runs a command whose temporary files lie on a disk of their own, where this one would make them slow:
# on_own_disk.sh COMMAND ARGUMENTS…
#
# An ext4 without a journal, as small virtual machines have, passes over everything that was deleted in the last minutes
# for each file that is made (recently_deleted in the kernel's fs/ext4/ialloc.c). Tests make and delete trees of packages
# all the time: a copy of 7,000 files took 25 s there, and 2 s on an ext4 with a journal. The disk is a file, seen by this
# command and its children only, and gone with the last of them.
disk=/tmp/vdt

keeps_no_journal() {
    [ "$(findmnt --noheadings --output FSTYPE --target /var/tmp)" = ext4 ] || return 1
    number=$(findmnt --noheadings --output MAJ:MIN --target /var/tmp | tr -d " ")
    device=$(readlink -e "/sys/dev/block/$number") && [ -d /proc/fs/jbd2 ] || return 1
    [ -z "$(find /proc/fs/jbd2 -name "${device##*/}-*")" ]  # of every journal, DEVICE-INODE
}

if [ "$(id -u)" != 0 ] || ! keeps_no_journal || ! unshare --mount true 2>/dev/null; then
    exec "$@"
fi
image=$(mktemp /var/tmp/vibedesk-disk-XXXXXX)
free=$(df --output=avail --block-size=1M /var/tmp | tail -n 1)
if ! { truncate --size "$((free * 4 / 5))M" "$image" && mkfs.ext4 -q -F "$image" && mkdir -p "$disk"; }; then
    rm -f "$image"
    exec "$@"
fi
# The file's name goes at once: its space is free again when the disk goes, however this ends.
# shellcheck disable=SC2016 # the inner shell's arguments
exec unshare --mount sh -c '
    # By its process number no other run takes what stands there for its own: processes are told by their paths.
    own=$2/$$
    if mount -o loop,noatime,nobarrier,data=writeback,discard "$1" "$2" && mkdir "$own" && mkdir -m 1777 "$2/t"; then
        echo "The files of the tests are on a disk of their own: this one keeps no journal, which makes new files slow."
        export TMPDIR="$2/t" VIBEDESK_DISK="$own"
    fi
    rm "$1"
    shift 2
    exec "$@"' sh "$image" "$disk" "$@"
