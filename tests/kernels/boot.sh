#!/bin/sh
# Boots a kernel under software emulation, and prints what its init printed. Fails where the last line is missing: what
# qemu ends with says nothing, it is 0 after a panic of the guest too.
#
#   tests/kernels/boot.sh amd64|arm64 KERNEL INITRAMFS [ARGUMENT...]      arguments of the kernel's command line
set -eu

arch=$1
kernel=$2
initramfs=$3
shift 3
case $arch in
    amd64)
        # cx16 is what QEMU 7.2 gets wrong at random: guests crash with it. Without it new kernels (7.0 does) make no task
        # storage, because kmalloc_nolock() needs a compare-and-swap of two words, but for caches that are debugged.
        set -- console=ttyS0 slab_debug=F "$@"
        machine='qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max,-cx16'
        ;;
    arm64)
        set -- console=ttyAMA0 "$@"
        machine='qemu-system-aarch64 -machine virt -accel tcg,thread=multi -cpu cortex-a57'
        ;;
esac
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The words of $machine hold no blanks.
# shellcheck disable=SC2086
timeout -s KILL "${BOOT_TIMEOUT:-600}" $machine -smp 1 -m 512 -nodefaults -no-reboot -display none \
    -serial stdio -monitor none -kernel "$kernel" -initrd "$initramfs" \
    -append "panic=-1 quiet $*" </dev/null >"$log" 2>&1 || true
tr -d '\r' <"$log"
grep -q '^@@ end' "$log"
