#!/bin/sh
# Installs the binaries, the hook files, manual pages and completions, or removes them.
#
#   PREFIX=/usr DESTDIR= scripts/install.sh install BINARIES     BINARIES: the folder with what was built
#   PREFIX=/usr DESTDIR= scripts/install.sh uninstall
#
# DESTDIR is put before every path that is written, and is in none that is written down.
set -eu
umask 022

root=$(cd "$(dirname "$0")/.." && pwd)
prefix=${PREFIX:-/usr}
prefix=${prefix%/}
destdir=${DESTDIR:-}

# The prefix goes into a sed expression and into JSON.
case $prefix in
    /*) ;;
    *)
        echo "install: PREFIX must be an absolute path, not '$prefix'" >&2
        exit 2
        ;;
esac
case $prefix in
    *[!A-Za-z0-9/._+@-]*)
        echo "install: PREFIX may hold letters, digits and / . _ + @ - only, not '$prefix'" >&2
        exit 2
        ;;
esac

hook=$prefix/libexec/oci/hooks.d/oci-seccomp-bpf-hook
cli_file=$destdir$prefix/bin/seccomp-trace
hook_file=$destdir$hook
json_dir=$destdir$prefix/share/containers/oci/hooks.d
json_file=$json_dir/oci-seccomp-bpf-hook.json
again_file=$json_dir/oci-seccomp-bpf-hook2.json
man_dir=$destdir$prefix/share/man/man1
man_file=$man_dir/oci-seccomp-bpf-hook.1
bash_file=$destdir$prefix/share/bash-completion/completions/seccomp-trace
fish_file=$destdir$prefix/share/fish/vendor_completions.d/seccomp-trace.fish
zsh_file=$destdir$prefix/share/zsh/site-functions/_seccomp-trace

# put MODE SOURCE TARGET: a container that starts meanwhile finds the old file or the new one.
put() {
    mkdir -p "$(dirname "$3")"
    if install -m "$1" "$2" "$3.new" && mv -f "$3.new" "$3"; then
        echo "install: $3"
    else
        rm -f "$3.new"
        exit 1
    fi
}

# put_json SOURCE TARGET: a hook file, with the path of the hook that is installed.
put_json() {
    sed "s|/usr/libexec/oci/hooks.d/oci-seccomp-bpf-hook|$hook|" "$1" >"$text"
    put 644 "$text" "$2"
}

install_all() {
    for binary in seccomp-trace oci-seccomp-bpf-hook; do
        if [ ! -f "$1/$binary" ]; then
            echo "install: $1/$binary is not built; make build" >&2
            exit 1
        fi
    done
    put 755 "$1/seccomp-trace" "$cli_file"
    put 755 "$1/oci-seccomp-bpf-hook" "$hook_file"
    put 644 "$root/dist/oci-seccomp-bpf-hook.1" "$man_file"
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT
    text=$made/hook.json
    "$1/seccomp-trace" documents "$made"
    for page in "$made"/man1/*.1; do
        put 644 "$page" "$man_dir/${page##*/}"
    done
    put 644 "$made/completions/seccomp-trace.bash" "$bash_file"
    put 644 "$made/completions/seccomp-trace.fish" "$fish_file"
    put 644 "$made/completions/_seccomp-trace" "$zsh_file"
    put_json "$root/dist/oci-seccomp-bpf-hook2.json" "$again_file"
    # The hook file comes last: it makes engines run the binary.
    if [ -f "$json_file" ] && grep -q -e '-allow-dir' -e '-state-dir' "$json_file"; then
        echo "install: $json_file has options of this machine's administrator and is kept;" \
            "$again_file wants the same --state-dir"
    else
        put_json "$root/dist/oci-seccomp-bpf-hook.json" "$json_file"
    fi
    if [ "$prefix" != /usr ]; then
        echo "install: podman looks for hook files in /usr/share/containers/oci/hooks.d; for this one, set" \
            "hooks_dir = [\"$prefix/share/containers/oci/hooks.d\"] in [engine] of containers.conf"
    fi
}

uninstall_all() {
    # From here on no further container is traced.
    rm -f "$json_file" "$again_file"
    # What is staged below DESTDIR traces nothing on this machine.
    if [ -z "$destdir" ] && [ -e "$cli_file" ] && ! "$cli_file" cleanup --all; then
        echo "uninstall: not every container could be finished, so the binaries stay; try again" >&2
        exit 1
    fi
    rm -f "$hook_file" "$cli_file" "$man_file" "$man_dir"/seccomp-trace.1 "$man_dir"/seccomp-trace-*.1 \
        "$bash_file" "$fish_file" "$zsh_file"
    # Directories for hooks, where no other is left in them.
    for directory in libexec/oci/hooks.d libexec/oci share/containers/oci/hooks.d share/containers/oci; do
        rmdir "$destdir$prefix/$directory" 2>/dev/null || true
    done
}

case ${1:-} in
    install) install_all "${2:?the folder with the binaries}" ;;
    uninstall) uninstall_all ;;
    *)
        echo "usage: [PREFIX=/usr] [DESTDIR=] $0 install BINARIES | uninstall" >&2
        exit 2
        ;;
esac
