#!/bin/sh
# Boots a kernel under software emulation, and prints what its init printed. Fails where the last line is missing: what
# qemu ends with says nothing, it is 0 after a panic of the guest too.
#
#   tests/kernels/boot.sh amd64|arm64 CPU KERNEL INITRAMFS [ARGUMENT...]
#
# CPU is one of qemu's, - the usual one; the arguments are for the kernel's command line.
set -eu

arch=$1
cpu=$2
kernel=$3
initramfs=$4
shift 4
[ "$cpu" != - ] || cpu=
case $arch in
    amd64)
        # cx16 is what QEMU 7.2 gets wrong at random: guests crash with it. Without it new kernels make no task storage,
        # because kmalloc_nolock() needs a compare-and-swap of two words, but from caches that are debugged.
        case " $* " in
            *" scenario=no-double-word "*) ;;
            *) set -- slab_debug=F "$@" ;;
        esac
        # Where the host is busy, the guest finds at times that its timer does not work.
        set -- console=ttyS0 no_timer_check "$@"
        machine="-machine q35 -accel tcg,thread=multi -cpu ${cpu:-max,-cx16}"
        ;;
    arm64)
        set -- console=ttyAMA0 "$@"
        machine="-machine virt -accel tcg,thread=multi -cpu ${cpu:-cortex-a57}"
        ;;
esac
emulator=$("$(dirname "$0")/emulator.sh" "$arch")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The words of $machine hold no blanks, and are split.
# shellcheck disable=SC2086
timeout -s KILL "${BOOT_TIMEOUT:-600}" "$emulator" $machine -smp 1 -m 512 -nodefaults -no-reboot -display none \
    -serial stdio -monitor none -kernel "$kernel" -initrd "$initramfs" \
    -append "panic=-1 quiet $*" </dev/null >"$log" 2>&1 || true
tr -d '\r' <"$log"
grep -q '^@@ end' "$log"
