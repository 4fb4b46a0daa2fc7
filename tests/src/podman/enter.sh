#!/bin/sh
# Makes the mount namespace that it runs in fit for the tests, and executes a command in it.
#
#   enter.sh FOLDER log|no-log bpffs|no-bpffs unified|as-is COMMAND...
#
# FOLDER is the test's own. What is mounted here nobody outside sees: the caller has made the namespace private.
set -eu

folder=$1 log=$2 bpffs=$3 cgroups=$4
shift 4

controllers=/sys/fs/cgroup/unified/cgroup.controllers
if test "$cgroups" = unified; then
    # It may be what the machine has.
    if test "$(stat -f -c %t /sys/fs/cgroup)" != 63677270; then mount -t cgroup2 none /sys/fs/cgroup; fi
elif test -e "$controllers"; then
    # crun refuses a hybrid tree; here it finds no unified part in it.
    mount --bind /dev/null "$controllers"
fi

# A /dev whose `log` is the test's own, or missing.
dev=$folder/dev
mkdir -p "$dev"
mount -t tmpfs -o mode=755 none "$dev"
for name in null zero full random urandom tty ptmx fuse fd stdin stdout stderr; do
    if test -e "/dev/$name" || test -L "/dev/$name"; then cp -a "/dev/$name" "$dev/"; fi
done
for name in pts shm mqueue; do
    if test -d "/dev/$name"; then
        mkdir "$dev/$name"
        mount --rbind "/dev/$name" "$dev/$name"
    fi
done
if test "$log" = log; then ln -s "$folder/log" "$dev/log"; fi
mount --move "$dev" /dev

# A BPF file system of this namespace alone, or none whatever the machine has.
if test "$bpffs" = bpffs; then
    mount -t bpf none /sys/fs/bpf
elif test "$(stat -f -c %t /sys/fs/bpf)" = cafe4a11; then
    mount -t tmpfs none /sys/fs/bpf
fi

exec "$@"
