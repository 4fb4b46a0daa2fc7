#!/bin/sh
# Installs what is needed to build, test and lint this project, and only what is missing.
#
#   scripts/deps.sh [build] [test] [lint] [vendored] [kernels] [kernels-arm64] [qemu-amd64] [qemu-arm64] [bench]      (none named: build test lint)
#
# Needs are checked by what they are for (a command, a header), so nothing is installed over a tool that came from
# elsewhere. Debian and Ubuntu (apt) and Fedora (dnf) are known; elsewhere, and without root, the names are printed.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)

# group | what is checked: cmd:NAME, lib:PKG-CONFIG-NAME:HEADER, file:PATH, ca: (TLS roots, for cargo) | apt package | dnf package
needs='
build|cmd:make|make|make
build|cmd:cc|gcc|gcc
build|file:/usr/include/stdio.h|libc6-dev|glibc-devel
build|ca:|ca-certificates|ca-certificates
build|cmd:pkg-config|pkg-config|pkgconf-pkg-config
build|cmd:clang|clang|clang
build|lib:libelf:libelf.h|libelf-dev|elfutils-libelf-devel
build|lib:zlib:zlib.h|zlib1g-dev|zlib-devel
build|lib:libseccomp:seccomp.h|libseccomp-dev|libseccomp-devel
test|cmd:strace|strace|strace
test|cmd:scmp_sys_resolver|seccomp|libseccomp-devel
test|cmd:python3|python3|python3
test|cmd:as|binutils|binutils
test|cmd:setsid|util-linux|util-linux
test|cmd:setpriv|util-linux|util-linux
test|cmd:unshare|util-linux|util-linux
test|cmd:nsenter|util-linux|util-linux
test|cmd:logger|bsdutils|util-linux
test|cmd:runc|runc|runc
test|cmd:crun|crun|crun
test|cmd:busybox|busybox-static|busybox
test|cmd:conmon|conmon|conmon
test|cmd:podman|podman|podman
test|cmd:bwrap|bubblewrap|bubblewrap
lint|cmd:git|git|git
lint|cmd:clang-format|clang-format|clang-tools-extra
lint|cmd:shellcheck|shellcheck|ShellCheck
vendored|cmd:autoconf|autoconf|autoconf
vendored|cmd:automake|automake|automake
vendored|cmd:autopoint|autopoint|gettext-devel
vendored|cmd:msgfmt|gettext|gettext
vendored|cmd:flex|flex|flex
vendored|cmd:bison|bison|bison
vendored|cmd:gawk|gawk|gawk
vendored|cmd:libtoolize|libtool|libtool
vendored|cmd:pkg-config|pkg-config|pkgconf-pkg-config
kernels|cmd:cpio|cpio|cpio
kernels|cmd:busybox|busybox-static|busybox
kernels|cmd:strace|strace|strace
kernels|cmd:as|binutils|binutils
kernels|cmd:dpkg-deb|dpkg|dpkg
kernels-arm64|cmd:aarch64-linux-gnu-gcc|gcc-aarch64-linux-gnu|gcc-aarch64-linux-gnu
kernels-arm64|file:/usr/aarch64-linux-gnu/include/stdio.h|libc6-dev-arm64-cross|glibc-devel
kernels-arm64|cmd:arm-linux-gnueabi-as|binutils-arm-linux-gnueabi|binutils-arm-linux-gnu
qemu-amd64|cmd:qemu-system-x86_64|qemu-system-x86|qemu-system-x86-core
qemu-arm64|cmd:qemu-system-aarch64|qemu-system-arm|qemu-system-aarch64-core
bench|cmd:bpftrace|bpftrace|bpftrace
bench|cmd:perf|linux-perf|perf
bench|cmd:openssl|openssl|openssl
bench|cmd:find|findutils|findutils
bench|cmd:tar|tar|tar
'

have() {
    kind=${1%%:*}
    what=${1#*:}
    case $kind in
        cmd) command -v "$what" >/dev/null 2>&1 ;;
        file) [ -e "$what" ] ;;
        ca) [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] ;;
        lib) pkg-config --exists "${what%%:*}" 2>/dev/null || [ -e "/usr/include/${what#*:}" ] ;;
    esac
}

# Whether $1 (a version such as 1.96.0+dfsg1-1) is at least the workspace's rust-version.
rust_new_enough() {
    need=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$root/Cargo.toml")
    echo "$1" | awk -v need="$need" '{ split($1, have, /[.+~-]/); split(need, want, ".")
        exit !(have[1] > want[1] || (have[1] == want[1] && have[2] >= want[2])) }'
}

apt_candidate() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *//p'
}

# The packages that bring a Rust that is new enough; the caller has refreshed apt's lists.
rust_packages() {
    if [ "$manager" = dnf ]; then
        echo cargo rust
        return
    fi
    # Debian stable keeps a current compiler for its browsers in the -web packages.
    for suffix in -web ''; do
        if rust_new_enough "$(apt_candidate "rustc$suffix")"; then
            echo "cargo$suffix rustc$suffix"
            return
        fi
    done
}

# The packages of rustfmt ($1 = fmt) or clippy that belong to the toolchain in use; nothing where none is known.
component_package() {
    case $manager-$1 in
        dnf-fmt) echo rustfmt ;;
        dnf-clippy) echo clippy ;;
        apt-*)
            if dpkg-query -W -f='${Status}' rustc-web 2>/dev/null | grep -q '^install ok'; then
                if [ "$1" = fmt ]; then echo rustfmt-web; else echo rust-web-clippy; fi
            elif dpkg-query -W -f='${Status}' rustc 2>/dev/null | grep -q '^install ok'; then
                if [ "$1" = fmt ]; then echo rustfmt; else echo rust-clippy; fi
            fi
            ;;
    esac
}

groups=${*:-build test lint}
if command -v apt-get >/dev/null 2>&1; then
    manager=apt
elif command -v dnf >/dev/null 2>&1; then
    manager=dnf
else
    manager=none
fi

updated=no
install() {
    if [ "$manager" = none ]; then
        echo "deps: missing: $*  (Debian's names; neither apt-get nor dnf is here, so install them by hand)" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        case $manager in
            apt) echo "deps: missing; as root: apt-get install --no-install-recommends $*" >&2 ;;
            dnf) echo "deps: missing; as root: dnf install $*" >&2 ;;
        esac
        exit 1
    fi
    echo "deps: installing $*"
    case $manager in
        apt)
            refresh
            # --no-remove: rustc-web would push out another rustc; that is for the machine's owner to decide.
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove --no-install-recommends "$@" </dev/null
            ;;
        dnf) dnf install -y -q "$@" </dev/null ;;
    esac
}

refresh() {
    if [ "$manager" = apt ] && [ "$updated" = no ] && [ "$(id -u)" -eq 0 ]; then
        apt-get update -qq </dev/null
        updated=yes
    fi
}

missing=
for group in $groups; do
    case $group in
        build | test | lint | vendored | kernels | kernels-arm64 | qemu-amd64 | qemu-arm64 | bench) ;;
        *)
            echo "deps: unknown group '$group' (known: build test lint vendored kernels kernels-arm64 qemu-amd64 qemu-arm64 bench)" >&2
            exit 2
            ;;
    esac
    for need in $needs; do
        rest=${need#*|}
        [ "${need%%|*}" = "$group" ] || continue
        have "${rest%%|*}" && continue
        rest=${rest#*|}
        case $manager in
            dnf) package=${rest#*|} ;;
            *) package=${rest%%|*} ;;
        esac
        case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
    done
done

rust_missing=no
case " $groups " in
    *" build "*) "$root/scripts/with-rust" --check >/dev/null 2>&1 || rust_missing=yes ;;
esac
if [ "$rust_missing" = yes ] && [ "$manager" != none ]; then
    refresh
    packages=$(rust_packages)
    if [ -z "$packages" ]; then
        echo "deps: no package of this system has Rust $(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml") or newer; install it with rustup" >&2
        exit 1
    fi
    missing="$missing $packages"
elif [ "$rust_missing" = yes ]; then
    missing="$missing cargo rustc"
fi

# Package names hold no blanks, so splitting is what is wanted.
# shellcheck disable=SC2086
[ -z "$missing" ] || install $missing

# After Rust itself, because the right package depends on which toolchain is in use.
case " $groups " in
    *" lint "*)
        components=
        for component in fmt clippy; do
            "$root/scripts/with-rust" "cargo" "$component" --version >/dev/null 2>&1 && continue
            package=$(component_package "$component")
            if [ -z "$package" ]; then
                echo "deps: cargo $component is missing and no package is known for this toolchain: rustup component add rustfmt clippy" >&2
                exit 1
            fi
            components="$components $package"
        done
        # shellcheck disable=SC2086
        [ -z "$components" ] || install $components
        ;;
esac

[ -n "$missing${components:-}" ] || echo "deps: nothing is missing"
