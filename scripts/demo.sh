#!/bin/sh
# Records `ls /` with the given binary into the given file and explains the result: the body of `make run`.
set -eu

binary=$1
profile=$2

mkdir -p "$(dirname "$profile")"
echo "\$ seccomp-trace run -o $profile -- ls /"
"$binary" run -o "$profile" -- ls /
echo
cat "$profile"
echo
cat <<END
This profile allows the syscalls that \`ls /\` made, those that a container runtime needs to start it, and nothing else:
any other call fails with ENOSYS, as if the kernel had never heard of it. Each group of names says why it is there.
Use it:  podman run --security-opt seccomp=$profile IMAGE ls /
END
