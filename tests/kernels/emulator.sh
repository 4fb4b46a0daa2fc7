#!/bin/sh
# Prints the path of what starts qemu for an architecture: the machine's, or Debian's, which is downloaded and unpacked
# with the libraries that are missing here, unless that has been done. It is not installed, because what is installed may
# not go with it: qemu-utils of the backports does not go with the stable qemu-system.
#
#   tests/kernels/emulator.sh amd64|arm64
set -eu

here=$(cd "$(dirname "$0")" && pwd)
case $1 in
    amd64) command=qemu-system-x86_64 package=qemu-system-x86 ;;
    arm64) command=qemu-system-aarch64 package=qemu-system-arm ;;
esac
if command -v "$command"; then exit; fi
if ! command -v apt-get >/dev/null; then
    "$here/../../scripts/deps.sh" "qemu-$1" >&2
    command -v "$command"
    exit
fi

folder=$("$here/kernel.sh" --cache)/$package
download() {
    # What would be removed stays, since nothing is done but downloading.
    apt-get install --download-only -y -qq --no-install-recommends \
        -o Dir::Cache::archives="$folder.new/packages" "$package" </dev/null >&2
}
if [ ! -d "$folder" ]; then
    rm -rf "$folder.new"
    mkdir -p "$folder.new/packages/partial"
    # Lists may be missing, or older than what the mirror has.
    if ! download 2>/dev/null; then
        apt-get update -qq </dev/null >&2
        download
    fi
    for deb in "$folder.new"/packages/*.deb; do dpkg-deb -x "$deb" "$folder.new"; done
    rm -rf "$folder.new/packages"
    cat >"$folder.new/qemu" <<-END
		#!/bin/sh
		tree=\$(dirname "\$0")
		libraries=\$(ls -d "\$tree"/usr/lib/*-linux-gnu "\$tree"/lib/*-linux-gnu 2>/dev/null | paste -sd :)
		export LD_LIBRARY_PATH="\$libraries" QEMU_MODULE_DIR="\$(ls -d "\$tree"/usr/lib/*-linux-gnu/qemu)"
		exec "\$tree/usr/bin/$command" -L "\$tree/usr/share/qemu" -L "\$tree/usr/share/seabios" "\$@"
	END
    chmod +x "$folder.new/qemu"
    mv "$folder.new" "$folder"
fi
echo "$folder/qemu"
